#!/usr/bin/env python3
"""slow_readers.py ADDR:PORT N: N connections that ask for much, pipelined, and
take nothing of it. Prints how many have asked, and then, at the end of stdin,
how many are open still."""
import socket
import sys

host, port = sys.argv[1].rsplit(":", 1)
ask = (b"GET /announce?info_hash=%s&peer_id=%s&port=%%d&left=1&numwant=200"
       b"&compact=0 HTTP/1.1\r\n\r\n" % (b"h" * 20, b"p" * 20))


def announce(n):
    return ask % (1000 + n)


def connect(n):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # by small segments the other side's send buffer stays small too
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    s.settimeout(10)
    s.bind(("127.9.%d.%d" % (n // 200, n % 200 + 1), 0))
    s.connect((host, int(port)))
    return s


# a swarm that fills a reply
first = connect(0)
for i in range(200):
    first.sendall(announce(i))
    got = b""
    while b"\r\n\r\n" not in got:
        got += first.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split()[0])
    while len(body) < length:
        body += first.recv(65536)
conns = []
for i in range(int(sys.argv[2])):
    s = connect(i + 1)
    s.setblocking(False)
    try:
        for _ in range(100):
            s.send(announce(i % 200) * 80)
    except BlockingIOError:
        pass
    conns.append(s)
print(len(conns), flush=True)
sys.stdin.read()
is_open = 0
for s in conns:
    try:
        info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)
        is_open += info[0] == 1  # ESTABLISHED
    except OSError:
        pass
print(is_open, flush=True)
