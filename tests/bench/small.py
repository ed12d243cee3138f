"""small - a torrent of 400 KB through a tracker, from exec to the finished file.
Item 4."""
import subprocess

import clients
from rig import PORT, SEED, TRACKER, Failed, leech_addr, rounds, wait_until

FAST = ("bt", "libtorrent", "libtorrent defaults")
TURNS = 10  # in one round, for those that take no seconds


def tracker(bench, *options):
    """bt-tracker at the address that the torrents name."""
    p = bench.start(bench.bt("bt-tracker"), "-l", "http://%s:6969" % TRACKER,
                    "--interval", "60", "--min-interval", "1", *options)
    p.wait_line(10, "http:")
    return p


def knows(bench, item, n):
    """Has the tracker been told of n seeds?"""
    r = subprocess.run([bench.bt("bt-scrape"), item.torrent],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       text=True)
    words = r.stdout.split("\t")
    return len(words) > 2 and words[1].isdigit() and int(words[1]) >= n


def one(bench, item, name):
    """The seed is ours, and known before anybody begins."""
    tracker(bench)
    clients.ALL["bt"].seed(bench, item, SEED, tracker=True)
    if not wait_until(10, lambda: knows(bench, item, 1)):
        raise Failed("the tracker does not know the seed")
    client = clients.ALL[name]
    got = []
    for _ in range(TURNS if name in FAST else 1):
        out = bench.scratch("out")
        f = clients.download(bench, client, item, "%s:%d" % (SEED, PORT), out,
                             leech_addr(), tracker=True)
        if f.get("cut"):
            return f
        got.append(f["wall"])
    got.sort()
    return {"wall": got[len(got) // 2], "least": got[0], "most": got[-1],
            "vmhwm_kib": f["vmhwm_kib"]}


def run(bench, note):
    item = bench.item("small")
    programs = [p for p in clients.ALL if p != "libtorrent posix"]
    got = rounds(bench, programs, lambda p: one(bench, item, p), note)
    checks = []
    if "wall" in got["bt"]:
        checks.append({"item": 4, "what": "400 KB through a tracker, ms",
                       "figure": got["bt"]["wall"] * 1e3, "most": 60})
    named = {p: {"bt": "bt-get"}.get(p, p) for p in got}
    return {"title": "400 KB through a tracker, exec to finished file",
            "checks": checks,
            "records": [dict(f, program=named[p]) for p, f in got.items()],
            "charts": [{"title": "400 KB through a tracker", "unit": "s",
                        "bars": [[named[p], f.get("wall"),
                                  f.get("cut", False)]
                                 for p, f in got.items()]}],
            "columns": [["program", "program", ""],
                        ["wall", "wall, s", ".3f"],
                        ["least", "least", ".3f"], ["most", "most", ".3f"],
                        ["vmhwm_kib", "VmHWM, MiB", "mib"]]}
