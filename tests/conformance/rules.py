#!/usr/bin/env python3
"""What a tracker is to do, a rule a function, written from the BEPs alone.

usage: rules.py names
       rules.py hashes                 every info-hash that the rules use
       rules.py check HTTP UDP         each is ADDR:PORT, IPv4; the same ports
                                       of ::1 are asked, too

check prints a line for each rule: "kept NAME", or "broken NAME: WHY".
"""
import hashlib
import sys

import announces
import web
import datagrams
from client import Broken, Tracker
from rule import RULES

HASHES = 80


def swarm(name, n=0):
    return hashlib.sha1(b"%s %d" % (name.encode(), n)).digest()


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def check(http, udp):
    tracker = Tracker(address(http), address(udp))
    for name, f in RULES.items():
        try:
            f(tracker, lambda n=0, name=name: swarm(name, n))
            print("kept", name, flush=True)
        except (Broken, KeyError, IndexError, ValueError) as e:
            print("broken %s: %s" % (name, " ".join(
                (str(e) if isinstance(e, Broken) else repr(e)).split())),
                flush=True)


def main():
    if sys.argv[1:] == ["names"]:
        print(*RULES, sep="\n")
    elif sys.argv[1:] == ["hashes"]:
        print(b"~conformance-._0Aa~z".hex())
        for name in RULES:
            for n in range(HASHES):
                print(swarm(name, n).hex())
    elif sys.argv[1] == "check":
        check(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)


main()
