#!/usr/bin/env python3
"""limit_peers.py - peers that take or give as fast as the other side lets them,
and count the bytes of their sockets.

usage: limit_peers.py take ADDR:PORT INFO_HASH LENGTH PIECE N SECONDS
       limit_peers.py give FILE INFO_HASH PIECE N SECONDS

take: N connections to a seed, each with a window of requests always out. give:
N seeds of FILE at 127.0.0.2, .3, ... and one port (printed first), for a
download that dials them. SECONDS after the first block the figures are printed,
one JSON object: rate (bytes a second, of all that went over the sockets), least
and most (a peer's share of the mean), burst (the fullest 100 ms, over what a
tenth of a second has on average), and of the last 9/10 of the time: lull (the
emptiest 300 ms, over the mean).
"""
import json
import selectors
import socket
import struct
import sys
import time

from peerwire import handshake, message

BLOCK = 16384
WINDOW = 64
SLOT = 0.1


class Count:
    """Bytes by slot of time, and by peer, from the first block on."""

    def __init__(self, seconds, n):
        self.seconds, self.n = seconds, n
        self.start = None
        self.slots = [0] * int(seconds / SLOT)
        self.of = [0] * n
        self.before = 0

    def add(self, who, nbytes, block):
        now = time.monotonic()
        if self.start is None:
            if not block:
                self.before += nbytes
                return
            self.start = now
        at = int((now - self.start) / SLOT)
        if at < len(self.slots):
            self.slots[at] += nbytes
            self.of[who] += nbytes

    def is_over(self):
        return (self.start is not None and
                time.monotonic() - self.start > self.seconds)

    def say(self):
        total = sum(self.of)
        mean = total / len(self.slots)
        late = self.slots[len(self.slots) // 10:]
        lulls = [sum(late[i:i + 3]) / 3 for i in range(len(late) - 2)]
        print(json.dumps({
            "rate": round(total / self.seconds),
            "least": round(min(self.of) * self.n / total, 3),
            "most": round(max(self.of) * self.n / total, 3),
            "burst": round(max(self.slots) / mean, 3),
            "first": round(self.slots[0] / mean, 3),
            "lull": round(min(lulls) / mean, 3)}), flush=True)


class Peer:
    def __init__(self, sock, who):
        self.sock, self.who = sock, who
        self.buf = bytearray()
        self.out = bytearray()
        self.shaken = False
        self.want = b""
        self.at = who * 977
        self.going = 0
        self.unchoked = False
        self.skip = 0


def flush(sel, p):
    sent = 0
    try:
        while p.out:
            n = p.sock.send(memoryview(p.out)[:1 << 20])
            del p.out[:n]
            sent += n
    except BlockingIOError:
        pass
    sel.modify(p.sock, selectors.EVENT_READ |
               (selectors.EVENT_WRITE if p.out else 0), p)
    return sent


def take(where, info_hash, length, piece, n, seconds):
    host, port = where.rsplit(":", 1)
    sel = selectors.DefaultSelector()
    count = Count(seconds, n)
    per = piece // BLOCK
    blocks = length // BLOCK
    scratch = memoryview(bytearray(1 << 20))

    def ask(p):
        while p.unchoked and p.going < WINDOW:
            b = p.at % blocks
            p.at += 1
            p.going += 1
            p.out += message(6, b // per, b % per * BLOCK, BLOCK)

    def parse(p, data):
        """Whole messages; of a block only the head is looked at."""
        block = p.skip > 0
        if p.skip >= len(data):
            p.skip -= len(data)
            return True
        p.buf += data[p.skip:]
        p.skip = 0
        if not p.shaken:
            if len(p.buf) < 68:
                return False
            del p.buf[:68]
            p.shaken = True
        while len(p.buf) >= 4:
            size = struct.unpack(">I", p.buf[:4])[0]
            if size and len(p.buf) < 5:
                break
            kind = p.buf[4] if size else None
            if kind == 7:
                p.going -= 1
                block = True
                if len(p.buf) < 4 + size:
                    p.skip = 4 + size - len(p.buf)
                    p.buf.clear()
                    break
            elif len(p.buf) < 4 + size:
                break
            if kind in (0, 1):
                p.unchoked = kind == 1
                p.going = 0
            del p.buf[:4 + size]
        return block

    for i in range(n):
        s = socket.socket()
        s.bind(("127.0.0.%d" % (2 + i), 0))
        s.connect((host, int(port)))
        s.setblocking(False)
        p = Peer(s, i)
        p.out += handshake(info_hash) + message(2)
        sel.register(s, selectors.EVENT_READ, p)
        flush(sel, p)
    while not count.is_over():
        for key, what in sel.select(0.2):
            p = key.data
            if what & selectors.EVENT_READ:
                got = p.sock.recv_into(scratch)
                if got == 0:
                    sys.exit("a peer was closed")
                count.add(p.who, got, parse(p, bytes(scratch[:got])))
                ask(p)
            flush(sel, p)
    count.say()


def received(sock):
    """TCP_INFO's bytes_acked: what the other side's socket has taken."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
    return struct.unpack_from("Q", info, 120)[0]


def give(path, info_hash, piece, n, seconds):
    sel = selectors.DefaultSelector()
    count = Count(seconds, n)
    data = open(path, "rb").read()
    npieces = (len(data) + piece - 1) // piece
    listeners = []
    port = 0
    for i in range(n):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.%d" % (2 + i), port))
        port = s.getsockname()[1]
        s.listen(1)
        s.setblocking(False)
        sel.register(s, selectors.EVENT_READ, i)
        listeners.append(s)
    print(port, flush=True)
    seen = [0] * n
    peers = {}
    bits = bytearray(b"\xff" * ((npieces + 7) // 8))
    if npieces % 8:
        bits[-1] = 0xff << (8 - npieces % 8) & 0xff

    def parse(p):
        if not p.shaken:
            if len(p.buf) < 68:
                return
            del p.buf[:68]
            p.shaken = True
        while len(p.buf) >= 4:
            size = struct.unpack(">I", p.buf[:4])[0]
            if len(p.buf) < 4 + size:
                return
            if size == 13 and p.buf[4] == 6:
                i, b, l = struct.unpack(">III", p.buf[5:17])
                at = i * piece + b
                p.out += message(7, i, b, body=data[at:at + l])
                p.going += 1
            del p.buf[:4 + size]

    last = 0
    while not count.is_over():
        for key, what in sel.select(0.01):
            if isinstance(key.data, int):
                s, _ = key.fileobj.accept()
                s.setblocking(False)
                p = peers[key.data] = Peer(s, key.data)
                p.out += (handshake(info_hash) + message(5, body=bits) +
                          message(1))
                sel.register(s, selectors.EVENT_READ, p)
                flush(sel, p)
                continue
            p = key.data
            if what & selectors.EVENT_READ:
                got = p.sock.recv(1 << 16)
                if not got:
                    sys.exit("the download closed a peer")
                p.buf += got
                parse(p)
            flush(sel, p)
        now = time.monotonic()
        if now - last >= 0.01:
            last = now
            for p in peers.values():
                got = received(p.sock)
                if got > seen[p.who]:
                    count.add(p.who, got - seen[p.who], p.going > 0)
                seen[p.who] = got
    count.say()


if sys.argv[1] == "take":
    take(sys.argv[2], bytes.fromhex(sys.argv[3]), int(sys.argv[4]),
         int(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7]))
else:
    give(sys.argv[2], bytes.fromhex(sys.argv[3]), int(sys.argv[4]),
         int(sys.argv[5]), float(sys.argv[6]))
