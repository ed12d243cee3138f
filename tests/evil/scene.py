"""scene.py - what a scenario of hostile peers is.

A scenario is a function that plays one connection, `play(w)`, with what is told
of it here: whom it is played against (bt-get, bt-seed or both), what the program
must say of it at -v, and what must have come of it. Around it there are always
honest peers, and the download or the upload of all content must succeed.
"""
import re

from stage import *

SCENES = []


class Scene:
    """Against `side`: get or seed."""

    def __init__(self, play, side, name, says, end, fast, times, hosts, torrent,
                 fair, full):
        self.play, self.side, self.says = play, side, says
        self.name = "%s/%s" % (side, name)
        self.end = end          # closed, banned, kept
        self.fast = fast        # the program's clock runs so many times faster
        self.times = times      # connections at once
        self.hosts = hosts      # of the hostile
        self.fair = fair        # why, being kept, it may be closed all the same
        self.full = full        # it takes all places before the honest come
        self.torrent = torrent
        self.what = " ".join((play.__doc__ or "").split())
        # what the log must have: who is closed is so for that reason
        self.told = says
        if end == "closed":
            self.told = r"closed (%s):\d+: .*(%s)" % (
                "|".join(map(re.escape, hosts)), says)


def scene(sides, says=None, end="closed", fast=0, times=1, torrent=SMALL,
          name=None, hosts=(EVIL,), fair=(), full=False):
    def add(play):
        for side in sides.split():
            SCENES.append(Scene(
                play, side, name or play.__name__.replace("_", "-"),
                says[side] if isinstance(says, dict) else says,
                end[side] if isinstance(end, dict) else end,
                fast, times, hosts, torrent, fair, full))
        return play
    return add


def hello(w, flags=0, bits=True):
    """As a seed would begin; a seed would not stay with another one."""
    w.shake(flags)
    if bits:
        w.msg(BITFIELD, body=w.t.bits(3 if w.side == "seed" else None))
