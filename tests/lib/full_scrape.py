#!/usr/bin/env python3
"""A scrape of all torrents, read strictly.

usage: full_scrape.py PORT count   how many torrents; keys sorted, each once
       full_scrape.py PORT tls     the same over TLS
       full_scrape.py PORT hold    ask, say "asked", read nothing until stdin
                                   ends, then read it: how many bytes came
       full_scrape.py PORT slow    read it at 45 KB/s: how many bytes came
       full_scrape.py PORT mixed   behind an announce and before a scrape in
                                   the same segment: the two replies that count
"""
import re
import socket
import sys
import threading

import anytls

port, what = int(sys.argv[1]), sys.argv[2]
ROW = re.compile(rb"20:(.{20})d8:completei(\d+)e10:downloadedi\d+e"
                 rb"11:downloadersi\d+e10:incompletei(\d+)ee", re.S)


def connect():
    s = socket.socket()
    if what in ("hold", "slow"):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(30)
    s.connect(("127.0.0.1", port))
    if what == "tls":
        s = anytls.context().wrap_socket(s)
    return s


def read_all(s):
    got = []
    while True:
        try:
            got.append(s.recv(1 << 16))
        except ConnectionResetError:
            break
        if not got[-1]:
            break
    return b"".join(got)


def request(target):
    return b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target


def body_of(reply):
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
    assert b"Connection: close" in head and b"Content-Length" not in head, head
    return body


def count(body):
    assert body.startswith(b"d5:filesd") and body.endswith(b"ee"), body[-40:]
    at, last, n = 9, b"", 0
    while at < len(body) - 2:
        row = ROW.match(body, at)
        assert row, body[at:at + 120]
        assert n == 0 or row[1] > last, "keys out of order"
        at, last, n = row.end(), row[1], n + 1
    return n


s = connect()
if what == "mixed":
    s.sendall(request(b"/announce?info_hash=hhhhhhhhhhhhhhhhhhhh&"
                      b"peer_id=aaaaaaaaaaaaaaaaaaaa&port=1&left=1") +
              request(b"/scrape") + request(b"/scrape"))
    first, _, rest = read_all(s).partition(b"HTTP/1.1 200 OK\r\n"
                                           b"Content-Type: text/plain\r\n"
                                           b"Connection: close")
    assert b"8:interval" in first, first
    print(count(rest.partition(b"\r\n\r\n")[2]))
elif what == "slow":
    s.sendall(request(b"/scrape"))
    got = -1
    n = 0
    while got != 0:
        threading.Event().wait(0.1)  # its pace
        try:
            got = len(s.recv(4500, socket.MSG_WAITALL))
        except ConnectionResetError:
            got = 0
        n += got
    print(n)
elif what == "hold":
    s.sendall(request(b"/scrape"))
    print("asked", flush=True)
    sys.stdin.read()
    print(len(read_all(s)))
else:
    s.sendall(request(b"/scrape"))
    print(count(body_of(read_all(s))))
