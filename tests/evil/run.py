#!/usr/bin/python3
"""run.py [-l] [-k] [-j N] [PATTERN...] - hostile peers, trackers and torrents
against bt-get and bt-seed, several scenarios side by side; TAP on stdout.

-l lists them, -k keeps their folders. A PATTERN is a part of a name.
"""
import argparse
import os
import queue
import sys
import threading
import time

sys.dont_write_bytecode = True # the tree stays as it is

import peers
import play
import stage
import torrents
import trackers

LONGEST = "torrent/files-10-6"


def scenes():
    """The long ones first, so that the others go on beside them."""
    yield from sorted(all_scenes(), key=lambda s: s[0] != LONGEST)


def all_scenes():
    for s in peers.SCENES:
        yield s.name, s.what, lambda st, s=s: play.peer(st, s)
    for s in trackers.SCENES:
        yield s.name, s.what, lambda st, s=s: trackers.play(st, s)
    for s in torrents.SCENES:
        yield s.name, s.what, lambda st, s=s: torrents.play(st, s)


def readme(st):
    with open(os.path.join(stage.HERE, "README.md")) as f:
        rows = [line.split("|")[1].strip() for line in f if line[0] == "|"]
    for name, _, _ in scenes():
        stage.check(name in rows, "README.md does not tell of", name)
    return ""


def one(name, run, keep):
    """(what went wrong or None, seconds, a note)"""
    begun = time.monotonic()
    note, bad = "", []

    def attempt(what, *args):
        try:
            return what(*args)
        except stage.Failed as e:
            bad.append(str(e))
        except Exception as e:
            bad.append("%s: %s" % (type(e).__name__, e))

    st = attempt(stage.Stage, name)
    if st is not None:
        note = attempt(run, st) or ""
        attempt(st.end)
        if bad:
            for p in st.programs:
                bad += attempt(p.last_words) or []
        if not keep:
            attempt(st.remove)
        elif bad:
            bad.append(st.dir)
    return "\n".join(bad) if bad else None, time.monotonic() - begun, note


def main():
    a = argparse.ArgumentParser()
    a.add_argument("-l", action="store_true")
    a.add_argument("-k", action="store_true")
    a.add_argument("-j", type=int, default=8)
    a.add_argument("patterns", nargs="*")
    o = a.parse_args()
    last = ("readme", "Its table tells of every scenario.", readme)
    played = [s for s in [*scenes(), last]
            if not o.patterns or any(p in s[0] for p in o.patterns)]
    if o.l:
        for name, what, _ in played:
            print("%-28s %s" % (name, what))
        return 0
    print("1..%d" % len(played), flush=True)
    line, lock = queue.Queue(), threading.Lock()
    for n, s in enumerate(played, 1):
        line.put((n, s))
    told, failed = [], []

    def play_one(numbered):
        n, (name, what, run) = numbered
        bad, took, note = one(name, run, o.k)
        with lock:
            print("%s %d %s: %s [%.1f s%s]" % (
                "ok" if bad is None else "not ok", n, name, what, took,
                note and ", " + note), flush=True)
            told.append(name)
            if bad is not None:
                failed.append(name)
                print("# " + bad.replace("\n", "\n# "), flush=True)

    stage.side_by_side(line, o.j, play_one)
    if len(told) != len(played):
        print("# %d of %d were not played" % (len(played) - len(told), len(played)))
    return 1 if failed or len(told) != len(played) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped by a signal")
