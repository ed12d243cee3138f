"""play.py - one scenario of peers.py against bt-get or bt-seed."""
import os
import re
import threading

from stage import *

base_lock = threading.Lock()
bases = {}


def base(tool):
    """What the program needs with honest peers alone, in bytes, once."""
    with base_lock:
        if tool not in bases:
            st = Stage("base")
            try:
                gate = threading.Event()
                gate.set()
                if tool == "bt-get":
                    p = begin_get(st, SMALL, [st.keep(
                        honest_seed(SMALL, gate)).at])
                    p.wait(30)
                else:
                    p, port = begin_seed(st, SMALL)
                    honest_leech(SMALL, port)
                    p.stop()
                bases[tool] = p.peak()
            finally:
                st.end()
                st.remove()
        return bases[tool]


def begin_get(st, torrent, at, *more, fast=0):
    args = []
    for a in at:
        args += ["--peer", a]
    return st.run("bt-get", "-v", "--port", "0", "--bind", US, "--no-tracker",
                  "-d", st.path("copy"), *args, *more,
                  st.write("t.torrent", torrent.metainfo()), fast=fast)


def begin_seed(st, torrent, *more, fast=0):
    p = st.run("bt-seed", "-v", "--port", "0", "--bind", US, "--no-tracker",
               *more, st.write("t.torrent", torrent.metainfo()),
               st.write("content", torrent.data), fast=fast)
    p.until("is ready", 20, lambda: p.out().endswith("\n"))
    return p, int(p.out().split(":")[-1])


# Why an honest peer may be closed, and a hostile one that may stay.
PARTED = ("the torrent is stopped", "neither needs anything of the other")
HONEST_PARTED = PARTED + ("the connection ended",)
FULL = "closed .*: it is banned, or there is no place for it"


class Acts:
    """The gate of the honest opens when the hostile have done their worst."""

    def __init__(self, play, times):
        self.play, self.left = play, times
        self.gate = threading.Event()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.bad = None

    def __call__(self, w):
        w.begin_honest = self.gate.set
        try:
            self.play(w)
        except Failed as e:
            self.bad = str(e)
        except ConnectionError:
            pass # the other end closed, and its log has to say why
        except Exception as e:
            self.bad = "%s: %s" % (type(e).__name__, e)
        if getattr(w, "asked", False):
            self.bad = "it was asked for what it has not"
        with self.lock:
            self.left -= 1
            if self.left <= 0:
                self.gate.set()
                self.over.set()

    def judge(self):
        check(self.over.wait(30), "the hostile one is still at it")
        check(self.bad is None, self.bad)


def memory(p, tool, *others):
    """What it took above the base; none of the others may take more either."""
    more = max(q.peak() for q in (p, *others)) - base(tool)
    check(more < MEMORY, "%d KiB above the base" % (more >> 10))
    return "%+d KiB" % (more >> 10)


def closes(log):
    return re.findall(r"closed (127[0-9.]+):\d+: (.*)", log)


def log_is_right(s, log, running):
    """running: what of it was said before anybody stopped it."""
    check(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log), "raw control bytes")
    if s.end == "banned":
        for host in re.findall(r"^bt-[a-z]*: banned ([0-9.]+)", log, re.M):
            check(host in s.hosts, "banned the honest", host)
    else:
        check(not re.search("^bt-[a-z]*: banned", log, re.M), "banned someone")
    for host, why in closes(log):
        check(host in s.hosts or why in HONEST_PARTED,
              "closed the honest", host + ":", why)
    if s.end == "kept":
        for host, why in closes(running):
            check(host not in s.hosts or why in PARTED + s.fair,
                  "closed who may stay:", why)


def has_come(acts, wires, torrent):
    """One of them was greeted: what the hostile do was done to somebody."""
    def look():
        return [w.theirs for w in wires if w.theirs is not None]
    met = within(10, look) # its thread may lag
    check(met, acts.bad or "the hostile one never met the program")
    for h in met:
        check(h[:20] == b"\x13BitTorrent protocol" and
              h[28:48] == torrent.hash, "a wrong handshake:", h)


def peer(st, s):
    return get(st, s) if s.side == "get" else seed(st, s)


def get(st, s):
    if s.times > 1:
        return get_called(st, s)
    acts = Acts(s.play, 1)
    good = [st.keep(honest_seed(s.torrent, acts.gate))]
    if s.end == "banned": # by comparison: others are needed
        good += [st.keep(honest_seed(s.torrent, acts.gate, h))
                 for h in ("127.0.0.6", "127.0.0.7")]
    evil = st.keep(Listens(s.torrent, EVIL, acts))
    p = begin_get(st, s.torrent, [evil.at] + [g.at for g in good], fast=s.fast)
    if s.says and s.end != "banned":
        p.says(s.told, 40)
    else:
        check(acts.gate.wait(30), "the hostile one is still at it")
    acts.gate.set()
    return judge_get(st, s, p, acts, evil.wires)


def judge_get(st, s, p, acts, wires):
    status = p.wait(40)
    check(status == 0, "status", status)
    with open(st.path("copy", s.torrent.name), "rb") as f:
        check(f.read() == s.torrent.data, "wrong content")
    log = p.err()
    check(s.told is None or re.search(s.told, log), "never said:", s.told)
    has_come(acts, wires, s.torrent)
    acts.judge()
    log_is_right(s, log, log)
    return memory(p, "bt-get")


def get_called(st, s):
    """A crowd calls on a download before anyone honest does."""
    p = begin_get(st, s.torrent, [], "--json", fast=s.fast)
    port = int(p.until("has begun", 20, lambda: re.search(
        r'"address": "127\.0\.0\.1:(\d+)"', p.out())).group(1))
    acts = Acts(s.play, s.times)
    wires = []
    for _ in range(s.times):
        w = st.keep(Wire(dial(port, EVIL), s.torrent, True))
        wires.append(w)
        threading.Thread(target=acts, args=(w,), daemon=True).start()
    p.says(FULL, 20)
    good = st.keep(Wire(dial(port, HONEST), s.torrent, True))
    good.shake()
    check(good.wait_for("shake", 10) is not None, "no place for the honest")
    good.msg(BITFIELD, body=s.torrent.bits())
    good.msg(UNCHOKE)
    threading.Thread(target=good.serve, daemon=True).start()
    return judge_get(st, s, p, acts, wires)


def seed(st, s):
    p, port = begin_seed(st, s.torrent, fast=s.fast)
    acts = Acts(s.play, s.times)
    wires = []
    for n in range(s.times):
        w = st.keep(Wire(dial(port, EVIL), s.torrent, True))
        wires.append(w)
        threading.Thread(target=acts, args=(w,), daemon=True).start()
    if s.says and s.end != "kept":
        p.says(s.told, 40)
    if s.full:
        p.says(FULL, 20)
    else:
        acts.gate.wait(1 if s.times > 1 or s.end == "kept" else 5)
    bad = honest_leech(s.torrent, port)
    check(bad is None, "the honest leech:", bad)
    if s.says:
        p.says(s.told, 5)
    acts.judge()
    if s.end == "kept": # the others are named in the log
        has_come(acts, wires, s.torrent)
    running = p.err() # who calls just then is told that it comes in vain
    status = p.stop()
    check(status == 143, "status", status)
    log_is_right(s, p.err(), running)
    return memory(p, "bt-seed")
