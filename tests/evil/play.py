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


class Acts:
    """The gate of the honest opens when the hostile have done their worst."""

    def __init__(self, play, times):
        self.play, self.left = play, times
        self.gate = threading.Event()
        self.lock = threading.Lock()
        self.bad = None

    def __call__(self, w):
        w.begin_honest = self.gate.set
        try:
            self.play(w)
        except Failed as e:
            self.bad = str(e)
        except OSError:
            pass
        if getattr(w, "asked", False):
            self.bad = "it was asked for what it has not"
        with self.lock:
            self.left -= 1
            if self.left <= 0:
                self.gate.set()


def memory(p, tool, *others, most=MEMORY):
    """What it took above the base; none of the others may take more either."""
    more = max(q.peak() for q in (p, *others)) - base(tool)
    check(more < most, "%d KiB above the base" % (more >> 10))
    return "%+d KiB" % (more >> 10)


def log_is_right(s, log):
    check(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log), "raw control bytes")
    if s.end == "banned":
        for host in re.findall(r"^bt-[a-z]*: banned ([0-9.]+)", log, re.M):
            check(host in s.hosts, "banned the honest", host)
    else:
        check(not re.search("^bt-[a-z]*: banned", log, re.M), "banned someone")
    for host, why in re.findall(r"closed (127\.0\.0\.[59]):\d+: (.*)", log):
        check(why in ("the torrent is stopped", "the connection ended",
                      "neither needs anything of the other"),
              "closed the honest:", why)


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
    late = s.play.__doc__.endswith("by comparing blocks.")
    if s.end == "banned" and not late or s.play.__doc__.endswith("serves."):
        acts.gate.set() # side by side
    p = begin_get(st, s.torrent, [evil.at] + [g.at for g in good], fast=s.fast)
    if s.says and s.end != "banned":
        p.says(s.says, 40)
    elif late: # side by side from its first bad block on
        acts.gate.wait(20)
    elif s.end != "banned":
        acts.gate.wait(0.5) # of who stays it is enough that it was there
    acts.gate.set()
    return judge_get(st, s, p, acts)


def judge_get(st, s, p, acts):
    status = p.wait(40)
    check(status == 0, "status", status)
    with open(st.path("copy", s.torrent.name), "rb") as f:
        check(f.read() == s.torrent.data, "wrong content")
    log = p.err()
    check(s.says is None or re.search(s.says, log), "never said:", s.says)
    check(acts.bad is None, acts.bad)
    log_is_right(s, log)
    return memory(p, "bt-get")


def get_called(st, s):
    """A crowd calls on a download before anyone honest does."""
    p = begin_get(st, s.torrent, [], "--json", fast=s.fast)
    port = int(p.until("has begun", 20, lambda: re.search(
        r'"address": "127\.0\.0\.1:(\d+)"', p.out())).group(1))
    acts = Acts(s.play, s.times)
    for _ in range(s.times):
        w = st.keep(Wire(dial(port, EVIL), s.torrent, True))
        threading.Thread(target=acts, args=(w,), daemon=True).start()
    acts.gate.wait(1)
    good = st.keep(Wire(dial(port, HONEST), s.torrent, True))
    good.shake()
    check(good.wait_for("shake", 10) is not None, "no place for the honest")
    good.msg(BITFIELD, body=s.torrent.bits())
    good.msg(UNCHOKE)
    threading.Thread(target=good.serve, daemon=True).start()
    return judge_get(st, s, p, acts)


def seed(st, s):
    p, port = begin_seed(st, s.torrent, fast=s.fast)
    acts = Acts(s.play, s.times)
    wires = []
    for n in range(s.times):
        w = st.keep(Wire(dial(port, EVIL), s.torrent, True))
        wires.append(w)
        threading.Thread(target=acts, args=(w,), daemon=True).start()
    if s.says and s.end != "kept":
        p.says(s.says, 40)
    acts.gate.wait(1 if s.times > 1 or s.end == "kept" else 5)
    bad = honest_leech(s.torrent, port)
    check(bad is None, "the honest leech:", bad)
    if s.says:
        p.says(s.says, 5)
    check(acts.gate.wait(30), "the hostile one is still at it")
    check(acts.bad is None, acts.bad)
    status = p.stop()
    check(status == 143, "status", status)
    log_is_right(s, p.err())
    return memory(p, "bt-seed")
