#!/usr/bin/python3
"""others.py [PATTERN...] - the scenarios against bt-get and bt-seed,
transmission, aria2 and libtorrent; writes the table of README.md, or of it the
rows whose names have PATTERN in them. What a cell says is told there.
"""
import argparse
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True # the tree stays as it is

import peers
import torrents
import trackers
from stage import *

PATIENCE = 25
README = os.path.join(HERE, "README.md")
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
NAMES = ["bt", "transmission", "aria2", "libtorrent"]


def env(st):
    home = st.path("home")
    os.makedirs(home, exist_ok=True)
    return dict(os.environ, HOME=home)


def bt(st, torrent, where, port, seed, insecure):
    if seed:
        return [os.path.join(BIN, "bt-seed"), "--port", str(port), "--bind",
                US, torrent, os.path.join(where, "x")]
    return [os.path.join(BIN, "bt-get"), "--json", "--port", str(port),
            "--bind", US, "--seed", "-d", where, torrent] + [
                "--insecure"] * insecure


def transmission(st, torrent, where, port, seed, insecure):
    conf = st.path("tr")
    os.makedirs(conf, exist_ok=True)
    with open(os.path.join(conf, "settings.json"), "w") as f:
        json.dump({"dht-enabled": False, "lpd-enabled": False,
                   "pex-enabled": False, "utp-enabled": False,
                   "port-forwarding-enabled": False, "encryption": 0,
                   "bind-address-ipv4": US, "bind-address-ipv6": "::1",
                   "peer-port": port, "rename-partial-files": False,
                   "trash-original-torrent-files": False,
                   "ratio-limit-enabled": False}, f)
    return ["transmission-cli", "-M", "-p", str(port), "-g", conf, "-w",
            where, torrent]


def aria2(st, torrent, where, port, seed, insecure):
    return ["aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false",
            "--bt-enable-lpd=false", "--enable-peer-exchange=false",
            "--listen-port=%d" % port, "--dir=" + where, "--seed-ratio=0.0",
            "--file-allocation=none", "--summary-interval=0",
            "--console-log-level=warn", "--bt-min-crypto-level=plain",
            "--disable-ipv6=true", "--allow-overwrite=true",
            "--auto-save-interval=0", "--check-integrity=true",
            "--check-certificate=" + ("false" if insecure else "true"),
            torrent]


def libtorrent(st, torrent, where, port, seed, insecure):
    return ["/usr/bin/python3", os.path.join(ROOT, "tests/interop/lt.py"),
            "--port", str(port), torrent, where]


START = dict(bt=bt, transmission=transmission, aria2=aria2,
             libtorrent=libtorrent)


def begin(st, name, torrent, where, seed=False, insecure=False):
    """Ours find a port. The others are given one, which is held for them until
    they start: many are looked for at the same time."""
    run = st.path("run")
    os.makedirs(where, exist_ok=True)
    os.makedirs(run, exist_ok=True)
    held = None if name == "bt" else listener(US)
    port = 0 if held is None else held.getsockname()[1]
    argv = START[name](st, torrent, where, port, seed, insecure)
    if held is not None:
        held.close()
    p = Program(argv, run, env=env(st))
    st.programs.append(p)
    p.port = port
    return p


def start(st, name, tiers, seed=False, insecure=False):
    where = st.path("files")
    os.makedirs(where, exist_ok=True)
    if seed:
        with open(os.path.join(where, "x"), "wb") as f:
            f.write(SMALL.data)
    torrent = st.write("t.torrent", SMALL.metainfo(tiers))
    p = begin(st, name, torrent, where, seed, insecure)
    if name == "bt":
        p.port = int(p.until("says where it is", PATIENCE, lambda: re.search(
            r"^(?:ready\t.*|.*\"address\": \")127\.0\.0\.1:(\d+)", p.out(),
            re.M)).group(1))
    p.file = os.path.join(where, "x")
    return p


def hwm(p):
    try:
        with open("/proc/%d/status" % p.pid()) as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) * 1024
    except (OSError, IndexError, AttributeError):
        return 0


def got(p, wait):
    """Seconds until the file is right, or None."""
    end = time.monotonic() + wait
    tick = threading.Event()
    while time.monotonic() < end and p.p.poll() is None:
        try:
            with open(p.file, "rb") as f:
                if f.read() == SMALL.data:
                    return time.monotonic() - p.begun
        except OSError:
            pass
        tick.wait(0.05)
    return None


def cell(p, took, base, closed=None):
    words = ["%.1f s" % took if took is not None else "lost"]
    if p.p.poll() is not None:
        words = ["ended %d" % p.p.poll()]
    if closed is not None:
        words.append("out" if closed else "kept")
    more = (hwm(p) - base) >> 20
    if more >= 8:
        words.append("+%d MiB" % more)
    return ", ".join(words)


def closed(wires):
    return bool(wires) and all(w.ended for w in wires)


def call(st, p, host):
    """A connection that the program has answered: it may take a while."""
    end = time.monotonic() + PATIENCE
    tick = threading.Event()
    while time.monotonic() < end and p.p.poll() is None:
        try:
            w = st.keep(Wire(dial(p.port, host, 3), SMALL, True))
            w.side = "get"
            w.shake()
            if w.wait_for("shake", 3) is not None:
                return w
        except OSError:
            pass
        tick.wait(0.2)
    raise Failed("it takes no peers")


def give(w, gate):
    try:
        w.msg(BITFIELD, body=SMALL.bits())
        while not gate.wait(0.5) and w.send(bytes(4)):
            pass
        w.msg(UNCHOKE)
        w.serve()
    except OSError:
        pass # the scenario is over


def take(p):
    """Seconds until the honest leech had it all, or None."""
    begun = time.monotonic()
    if honest_leech(SMALL, p.port, PATIENCE) is None:
        return time.monotonic() - begun
    return None


def peer_get(st, s, name, base):
    """Both call: transmission dials nobody on loopback."""
    gate = threading.Event()

    def play(w):
        try:
            s.play(w)
        except (OSError, Failed):
            pass
        gate.set()
    if s.end == "banned":
        gate.set()
    p = start(st, name, [])
    hosts = [HONEST] + (["127.0.0.6", "127.0.0.7"] * (s.end == "banned"))
    for h in hosts[:2 if s.end == "banned" else 1]:
        threading.Thread(target=give, args=(call(st, p, h), gate),
                         daemon=True).start()
    evil = st.keep(Wire(dial(p.port, EVIL), SMALL, True))
    evil.side = "get"
    evil.begin_honest = gate.set
    threading.Thread(target=play, args=(evil,), daemon=True).start()
    gate.wait(PATIENCE)
    gate.set()
    begun = time.monotonic()
    if got(p, PATIENCE) is None:
        return cell(p, None, base, evil.ended)
    return cell(p, time.monotonic() - begun, base, evil.ended)


def peer_seed(st, s, name, base):
    p = start(st, name, [], seed=True)
    call(st, p, LEECH).close() # it is up
    if take(p) is None and take(p) is None:
        raise Failed("it serves nobody")
    wires = []
    over = threading.Semaphore(0)

    def play(w):
        try:
            s.play(w)
        except (OSError, Failed):
            pass
        over.release()
    for _ in range(s.times):
        try:
            w = st.keep(Wire(dial(p.port, EVIL), SMALL, True))
        except OSError:
            break
        wires.append(w)
        threading.Thread(target=play, args=(w,), daemon=True).start()
    over.acquire(timeout=2 if s.times > 1 or s.end == "kept" else 10)
    return cell(p, take(p), base, closed(wires))


def tracker(st, s, name, base):
    done = threading.Event()
    done.set()
    seed = st.keep(honest_seed(SMALL, done))
    if s.kind == "udp":
        evil = st.keep(trackers.UdpTracker(s.answer))
    else:
        evil = st.keep(trackers.Tracker(
            s.answer, trackers.tls() if s.kind == "https" else None))
    second = st.keep(trackers.Tracker(trackers.honest))
    evil.peers = second.peers = [seed.addr]
    p = start(st, name, [evil.url] + ([] if s.usable else [second.url]),
              insecure="--insecure" in s.args)
    if s.usable:
        if name == "transmission": # it dials nobody on loopback
            return "-"
        return cell(p, got(p, 45), base)
    begun = time.monotonic()
    try:
        p.until("asks the next", 45, lambda: second.asked)
    except Failed:
        return cell(p, None, base)
    return cell(p, time.monotonic() - begun, base)


def calm(name, seed):
    st = Stage("calm")
    try:
        gate = threading.Event()
        gate.set()
        p = start(st, name, [], seed=seed)
        w = call(st, p, HONEST)
        if seed:
            w.close()
            ok = take(p) or take(p)
        else:
            threading.Thread(target=give, args=(w, gate), daemon=True).start()
            ok = got(p, PATIENCE)
        if ok is None:
            print("%s: not even with honest peers" % name, file=sys.stderr)
        return hwm(p)
    except Failed as e:
        print("%s: %s" % (name, e), file=sys.stderr)
        return 0
    finally:
        st.end()
        st.remove()


def torrent(st, s, name, base):
    """Whether it touches what is not its own, and comes to the content."""
    if s.name.startswith("torrent/seed-"):
        return "-"

    def other(metainfo, more):
        t = st.keep(trackers.Tracker(trackers.honest))
        for m in more:
            if ":" in m: # of --peer
                t.peers = [(m.split(":")[0], int(m.split(":")[1]))]
        url = t.url.encode()
        path = st.write("t.torrent", b"d8:announce" + b"%d:" % len(url) +
                        url + metainfo[1:])
        p = begin(st, name, path, st.path("copy"))
        p.is_other, p.status = True, None
        try:
            p.p.wait(10) # most go on for ever
        except subprocess.TimeoutExpired:
            pass
        st.hwm, st.over = hwm(p), p.p.poll()
        p.stop()
        return p

    st.other = other
    try:
        torrents.play(st, s)
        word = "untouched"
    except Failed as e:
        word = str(e)
        if "outside" in word or "beside" in word or "replaced" in word:
            word = "**" + word.split(":")[0] + "**"
        elif "wrong content" in word:
            word = "wrong content"
        elif "KiB above" in word:
            word = "untouched"
    except OSError:
        word = "did not come"
    if st.over is not None:
        word += ", ended %d" % st.over
    more = (st.hwm - base) >> 20
    return word + (", +%d MiB" % more if more >= 8 else "")


def outcome(s):
    """What is demanded of ours, for the table."""
    if isinstance(s, torrents.Scene):
        return s.what.rpartition(": ")[2].rstrip(".") if ": " in s.what \
            else "exit 7"
    if isinstance(s, trackers.Scene):
        return ("it is made use of" if s.usable else "the next is asked") + (
            "; `%s`" % s.says.replace("|", "\\|") if s.says else "")
    return s.end + ("; `%s`" % s.says.replace("|", "\\|") if s.says else "")


def rows():
    for s in peers.SCENES:
        run = peer_get if s.side == "get" else peer_seed
        if s.side == "get" and s.times > 1:
            run = None # who calls on a download: not alike among programs
        yield s.name, s.what, run, s
    for s in trackers.SCENES:
        yield s.name, s.what, tracker, s
    for s in torrents.SCENES:
        yield s.name, s.what, torrent, s


def one(run, s, name, bases):
    for _ in range(2): # some take a while to be there
        st = Stage("other")
        try:
            return run(st, s, name, bases[name, run is peer_seed])
        except Exception as e:
            bad = "not played: %s" % str(e)[:60]
        finally:
            st.end()
            st.remove()
    return bad


def measure(run, s, names, bases):
    cells = {}
    threads = [threading.Thread(
        target=lambda n=n: cells.update({n: one(run, s, n, bases)}))
        for n in names]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return [cells[n] for n in names]


def read_table(text):
    """(before, {name: cells of the others}, after)"""
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    known = {}
    for line in table.splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 + len(NAMES):
            known[cells[0]] = cells[3:]
    return before, known, after


def write_table(known):
    with open(README) as f:
        before, old, after = read_table(f.read())
    old.update(known)
    lines = ["| scenario | what happens | outcome | " + " | ".join(NAMES) +
             " |", "|---" * (3 + len(NAMES)) + "|"]
    for name, what, _, s in rows():
        lines.append("| %s | %s | %s | %s |" % (
            name, what, outcome(s),
            " | ".join(old.get(name, ["-"] * len(NAMES)))))
    with open(README, "w") as f:
        f.write(before + BEGIN + "\n".join([""] + lines + [""]) + END + after)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("patterns", nargs="*")
    o = a.parse_args()
    turns = [(label, run, s) for label, _, run, s in rows() if run and (
        not o.patterns or any(x in label for x in o.patterns))]
    bases = {}
    threads = [threading.Thread(
        target=lambda n=n, x=x: bases.update({(n, x): calm(n, x)}))
        for n in NAMES for x in (False, True)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    known, line, lock = {}, queue.Queue(), threading.Lock()
    for t in turns:
        line.put(t)

    def play_one(row):
        label, run, s = row
        cells = measure(run, s, NAMES, bases)
        with lock:
            known[label] = cells
            print(label, "|", " | ".join(cells), flush=True)
            write_table(known)

    side_by_side(line, 4, play_one)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped by a signal")
