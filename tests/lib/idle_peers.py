#!/usr/bin/env python3
"""idle_peers.py ADDR:PORT INFO_HASH PIECES N: N peers with nothing that want
nothing; prints how many shook hands, then only reads, until killed."""
import selectors
import socket
import sys

from peerwire import handshake, message

host, port = sys.argv[1].rsplit(":", 1)
bits = bytes((int(sys.argv[3]) + 7) // 8)
info_hash = bytes.fromhex(sys.argv[2])
sel = selectors.DefaultSelector()
conns = []
for i in range(int(sys.argv[4])):
    s = socket.create_connection((host, int(port)), timeout=10)
    s.sendall(handshake(info_hash) + message(5, body=bits))
    conns.append(s)
shaken = 0
for s in conns:
    got = b""
    while len(got) < 68:
        more = s.recv(65536)
        if not more:
            break
        got += more
    shaken += len(got) >= 68
    sel.register(s, selectors.EVENT_READ)
print(shaken, flush=True)
while True:
    for key, _ in sel.select():
        if not key.fileobj.recv(65536):
            sel.unregister(key.fileobj)
