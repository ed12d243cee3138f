"""swarm - one seed and eight leeches that begin together. Item 6."""
import os
import re
import shutil
import subprocess
import threading
import time

import clients
from rig import (PORT, SEED, Failed, leech_addr, rounds, same, wait_until)
from small import knows, tracker

LEECHES = 8
LIMIT = 20000000
# Who leeches, and whose seed serves them: as in the baselines, libtorrent's
# serves those of others.
PROGRAMS = {"bt": "bt", "libtorrent": "libtorrent",
            "libtorrent defaults": "libtorrent", "aria2": "libtorrent",
            "transmission": "libtorrent"}


class Sent:
    """What an address has sent by TCP, as the kernel counts its connections."""

    def __init__(self, addr):
        self.addr, self.most = addr, {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def look(self):
        said = subprocess.run(
            ["ss", "-tinHO", "src", "%s:%d" % (self.addr, PORT)],
            stdout=subprocess.PIPE, text=True).stdout
        for line in said.splitlines():
            m = re.search(r"bytes_acked:(\d+)", line)
            words = line.split()
            if m and len(words) > 4:
                at = words[4]
                self.most[at] = max(self.most.get(at, 0), int(m.group(1)))

    def run(self):
        while not self.over.wait(0.2):
            self.look()

    def end(self):
        self.over.set()
        self.thread.join()
        self.look()
        return sum(self.most.values())


def one(bench, item, name, limit):
    top = bench.scratch("out")
    client = clients.ALL[name]
    outs = [os.path.join(top, "l%d" % n) for n in range(LEECHES)]
    tracker(bench)
    seed = clients.ALL[PROGRAMS[name]].seed(bench, item, SEED, tracker=True,
                                            limit=limit)
    if not wait_until(20, lambda: knows(bench, item, 1)):
        raise Failed("the tracker does not know the seed")
    bench.warm(item, LEECHES)
    for out in outs:
        os.makedirs(out)
    sent = Sent(SEED)
    began = time.monotonic()
    before = seed.cpu()
    try:
        leeches = [client.leech(bench, item, leech_addr(n), "", outs[n],
                                tracker=True, stays=True)
                   for n in range(LEECHES)]
        done = []

        def all_done():
            for n, x in enumerate(leeches):
                if n not in done and x.is_done():
                    done.append(n)
                elif x.process.is_over():
                    raise Failed(x.process.said())
            return len(done) == LEECHES
        is_done = wait_until(bench.cut + 30, all_done)
        wall = time.monotonic() - began
    finally:
        bytes_sent = sent.end()
    if not is_done:
        return {"cut": True, "wall": wall}
    f = {"wall": wall, "cpu": sum(x.process.cpu() for x in leeches),
         "seed_cpu": seed.cpu() - before,
         "vmhwm_kib": max(x.process.status("VmHWM") for x in leeches),
         "copies": bytes_sent / item.size}
    for x in leeches:
        x.process.end()
    if not all(same(item.path, os.path.join(out, item.name))
               for out in outs):
        raise Failed("%s: other content" % name)
    shutil.rmtree(top)
    return f


def run(bench, note):
    item = bench.item("swarm")
    records, checks, charts = [], [], []
    limits = {"unlimited": 0, "20 MB/s": LIMIT}
    for title, limit in limits.items():
        got = rounds(bench, PROGRAMS, lambda p: one(bench, item, p, limit),
                     lambda s: note("%s, %s" % (title, s)))
        named = {p: {"bt": "bt-get"}.get(p, p) for p in got}
        records += [dict(f, seed=title, program=named[p])
                    for p, f in got.items()]
        charts.append({"title": "Eight leeches, %d MB, seed %s: the last" % (
            item.size / 1e6, title), "unit": "s",
            "bars": [[named[p], f.get("wall"), f.get("cut", False)]
                     for p, f in got.items()]})
        if "wall" not in got["bt"]:
            continue
        theirs = [f["wall"] for p, f in got.items()
                  if p != "bt" and "wall" in f and not f.get("cut")]
        if limit:
            checks.append({"item": 6, "what": "swarm, seed limited: time, of "
                           "size / limit",
                           "figure": got["bt"]["wall"] / (item.size / limit),
                           "most": 1.15})
        elif theirs:
            checks.append({"item": 6, "what": "swarm, seed unlimited: time, "
                           "of the best peer's",
                           "figure": got["bt"]["wall"] / min(theirs),
                           "most": 0.6})
    return {"title": "Swarm: one seed, eight leeches, %d MB" % (
                item.size / 1e6), "records": records, "checks": checks,
            "charts": charts,
            "columns": [["seed", "seed", ""], ["program", "leeches", ""],
                        ["wall", "last done, s", ".2f"],
                        ["cpu", "CPU of the eight, s", ".1f"],
                        ["seed_cpu", "CPU of the seed, s", ".2f"],
                        ["vmhwm_kib", "largest VmHWM, MiB", "mib"],
                        ["copies", "copies sent by the seed", ".2f"]]}
