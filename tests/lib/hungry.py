#!/usr/bin/env python3
"""hungry.py ADDR:PORT INFOHASH FILE PIECE: a leech that is never without
requests: it asks for the whole of FILE, in pieces of so many bytes, three times
over and 400 blocks ahead, through a small receive buffer. What comes is compared.
"""
import socket
import struct
import sys

from peerwire import handshake, message

BLOCK, AHEAD, TIMES = 16384, 400, 3
host, port = sys.argv[1].rsplit(":", 1)
with open(sys.argv[3], "rb") as f:
    content = f.read()
size = int(sys.argv[4])
blocks = [(i // size, i % size, min(BLOCK, len(content) - i))
          for i in range(0, len(content), BLOCK)] * TIMES

sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
sock.settimeout(30)
sock.connect((host, int(port)))
sock.sendall(handshake(bytes.fromhex(sys.argv[2])) + message(2))
wire = sock.makefile("rb")
if len(wire.read(68)) != 68:
    sys.exit("no handshake")
asked = got = 0
unchoked = False
while got < len(blocks):
    n = struct.unpack(">I", wire.read(4))[0]
    body = wire.read(n)
    if n > 0 and body[0] == 1:
        unchoked = True
    if n > 0 and body[0] == 7:
        piece, begin, length = blocks[got]
        at = piece * size + begin
        if body[1:] != struct.pack(">II", piece, begin) + content[
                at:at + length]:
            sys.exit("wrong block %d" % got)
        got += 1
    if unchoked and asked < len(blocks) and asked - got < AHEAD // 2:
        more = blocks[asked:got + AHEAD]
        sock.sendall(b"".join(message(6, *b) for b in more))
        asked += len(more)
