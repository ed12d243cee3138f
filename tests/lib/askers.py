#!/usr/bin/env python3
"""askers.py ADDR:PORT INFOHASH N: N leeches that ask a seed for all blocks.

When each has got one, and the last another, that one asks for what no request
may ask for. Prints how many whole blocks came to all of them before the answer
to that, a reject.
"""
import selectors
import socket
import struct
import sys

from peerwire import handshake, message

BLOCK = 16384
host, port = sys.argv[1].rsplit(":", 1)
info_hash = bytes.fromhex(sys.argv[2])
FAST = bytes(7) + b"\x04"


class Asker:
    def __init__(self, number):
        self.sock = socket.create_connection((host, int(port)), timeout=30)
        self.sock.sendall(
            handshake(info_hash, b"-XX0000-asker%07d" % number, FAST))
        self.sock.sendall(message(15) + message(2))  # have none, interested
        self.data = b""
        self.shaken = False
        self.blocks = 0
        self.rejected = False

    def take(self):
        """Read what there is; true if something came."""
        data = self.sock.recv(1 << 20)
        if not data:
            sys.exit("the seed closed")
        self.data += data
        if not self.shaken:
            if len(self.data) < 68:
                return
            self.data = self.data[68:]
            self.shaken = True
        while len(self.data) >= 4:
            size = struct.unpack(">I", self.data[:4])[0]
            if len(self.data) < 4 + size:
                return
            kind = self.data[4] if size else None
            self.data = self.data[4 + size:]
            if kind == 1:  # unchoke
                for piece in range(15):
                    for begin in (0, BLOCK):
                        self.sock.sendall(message(6, piece, begin, BLOCK))
            self.blocks += kind == 7
            self.rejected = self.rejected or kind == 16


askers = [Asker(i) for i in range(int(sys.argv[3]))]
wait = selectors.DefaultSelector()
for a in askers:
    wait.register(a.sock, selectors.EVENT_READ, a)
last = askers[-1]
before = None
had = 0
while not last.rejected:
    ready = wait.select(30)
    if not ready:
        sys.exit("nothing comes")
    for key, _ in ready:
        key.data.take()
    if before is None and last.blocks > had and had > 0:  # its turn is over
        last.sock.sendall(message(6, 0, 0, 1 << 20))
        before = sum(a.blocks for a in askers)
    elif before is None and all(a.blocks > 0 for a in askers):
        had = last.blocks
print(sum(a.blocks for a in askers) - before)
