#!/usr/bin/env python3
"""idlers.py ADDR:PORT N: N connections that say nothing, until killed."""
import signal
import socket
import sys

host, port = sys.argv[1].rsplit(":", 1)
conns = []
for _ in range(int(sys.argv[2])):
    conns.append(socket.create_connection((host, int(port)), timeout=5))
print(len(conns), flush=True)
signal.pause()
