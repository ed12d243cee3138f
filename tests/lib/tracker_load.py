#!/usr/bin/env python3
"""Announce to a tracker over one connection until it ends or all is said.

	tracker_load.py http://HOST:PORT N [many]

N peers join the swarm of twenty times "l", or with `many` a swarm each, whose
info-hash is its number. Prints a line after the first hundred, and one at the
end: how many were answered.
"""
import socket
import sys

host, port = sys.argv[1].removeprefix("http://").rsplit(":", 1)
n, many = int(sys.argv[2]), "many" in sys.argv[3:]
s = socket.create_connection((host, int(port)), timeout=30)
replies = s.makefile("rb")


def answer():
    length = 0
    line = replies.readline()
    while line not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        line = replies.readline()
    return line != b"" and len(replies.read(length)) == length


done = 0
try:
    while done < n:
        batch = range(done, min(done + 20, n))
        s.sendall(b"".join(
            b"GET /announce?info_hash=%s&peer_id=%020d&port=%d&left=5"
            b"&numwant=0 HTTP/1.1\r\nHost: x\r\n\r\n"
            % (b"%020d" % i if many else b"l" * 20, i, 1 + i % 65535)
            for i in batch))
        for _ in batch:
            if not answer():
                raise ConnectionError
            done += 1
        if done == 100:
            print("begun", flush=True)
except ConnectionError:
    pass
print(done)
