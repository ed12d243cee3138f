#!/usr/bin/env python3
"""late_teller.py FILE INFOHASH PIECE: a seed that says, to the first who connect,
that it has only the first of FILE's pieces of so many bytes, and to later ones the
whole: transmission does so that is still checking what it has.

Prints "listening PORT" and "told N" for each connection: so many pieces.
"""
import socket
import struct
import sys

from peerwire import handshake, message

with open(sys.argv[1], "rb") as f:
    content = f.read()
info_hash = bytes.fromhex(sys.argv[2])
size = int(sys.argv[3])
pieces = -(-len(content) // size)


def bitfield(n):
    bits = (1 << n) - 1 << (-pieces % 8) + pieces - n
    return bits.to_bytes(-(-pieces // 8), "big")


def serve(sock, n):
    wire = sock.makefile("rb")
    if wire.read(68)[28:48] != info_hash:
        sys.exit("another handshake")
    sock.sendall(handshake(info_hash) + message(5, body=bitfield(n)) +
                 message(1))
    print("told", n, flush=True)
    while len(head := wire.read(4)) == 4:
        body = wire.read(struct.unpack(">I", head)[0])
        if body[:1] == b"\x06":
            piece, begin, length = struct.unpack(">III", body[1:13])
            at = piece * size + begin
            sock.sendall(message(7, piece, begin,
                                 body=content[at:at + length]))
    sock.close()


listener = socket.create_server(("127.0.0.1", 0))
print("listening", listener.getsockname()[1], flush=True)
for told in 1, pieces:
    listener.settimeout(60)
    serve(listener.accept()[0], told)
