#!/usr/bin/env python3
"""Many connections at once to a tracker's HTTP port.

usage: crowd.py PORT idle N	N that were answered once and say nothing more
       crowd.py PORT slow N	N that send a byte of a request every second
       crowd.py PORT dial N	N more; how many are refused
       crowd.py PORT ask N	N announces, one after another, each by a new
				connection; the slowest in ms

idle prints "N there", waits for a line on stdin, and says how many were still
open. slow prints "N there", and in the end, when all are closed, "N cut" and
how many of them were answered instead.
"""
import resource
import selectors
import socket
import sys
import time

PATIENCE = 60
SCRAPE = (b"GET /scrape?info_hash=hhhhhhhhhhhhhhhhhhhh HTTP/1.1\r\n"
          b"Host: x\r\n\r\n")
ANNOUNCE = (b"GET /announce?info_hash=hhhhhhhhhhhhhhhhhhhh&left=1&port=%d"
            b"&peer_id=aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: x\r\n"
            b"Connection: close\r\n\r\n")


def dial(port, i=0):
    # one address has 28,000 ports
    source = "127.0.%d.%d" % (1 + i // 1000 // 250, 1 + i // 1000 % 250)
    return socket.create_connection(("127.0.0.1", port), PATIENCE,
                                    (source, 0))


def idle(port, n):
    conns = []
    for i in range(n):
        conns.append(dial(port, i))
        conns[-1].sendall(SCRAPE)
        assert b" 200 " in conns[-1].recv(4096), "no reply"
    print(n, "there", flush=True)
    sys.stdin.readline()
    alive = 0
    for s in conns:
        s.setblocking(False)
        try:
            s.recv(1)  # the end, or a reset
        except BlockingIOError:
            alive += 1
        except OSError:
            pass
    print(alive, "open", flush=True)


def slow(port, n):
    sel, answered, cut = selectors.DefaultSelector(), 0, 0
    conns = {}
    for i in range(n):
        s = dial(port, i)
        s.sendall(b"GET /announce?")
        s.setblocking(False)
        conns[s] = None
        sel.register(s, selectors.EVENT_READ)
    print(n, "there", flush=True)
    deadline, next_byte = time.monotonic() + PATIENCE, 0.0
    while conns and time.monotonic() < deadline:
        for key, _ in sel.select(0.1):
            s = key.fileobj
            try:
                answered += s.recv(100) != b""
            except OSError:
                pass
            sel.unregister(s)
            del conns[s]
            s.close()
            cut += 1
        if time.monotonic() > next_byte:
            next_byte = time.monotonic() + 1
            for s in conns:
                try:
                    s.send(b"x")
                except OSError:
                    pass  # its end will be read
    print(cut, "cut,", answered, "answered", flush=True)


def more(port, n):
    refused, conns = 0, []
    for i in range(n):
        s = dial(port, i)
        s.sendall(SCRAPE)
        try:
            refused += b"failure reason" in s.recv(4096)
        except ConnectionError:
            pass  # refused, and the request was still on its way
        conns.append(s)
    print(refused, "refused", flush=True)


def ask(port, n):
    slowest = 0.0
    for i in range(n):
        begun = time.monotonic()
        with dial(port) as s:
            s.sendall(ANNOUNCE % (1 + i))
            got = b""
            while part := s.recv(4096):
                got += part
        assert got.startswith(b"HTTP/1.1 200 ") and b"8:interval" in got, got
        slowest = max(slowest, time.monotonic() - begun)
    print(round(slowest * 1000))


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    port, command, n = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    {"idle": idle, "slow": slow, "dial": more, "ask": ask}[command](port, n)


main()
