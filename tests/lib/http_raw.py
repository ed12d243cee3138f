#!/usr/bin/env python3
"""HTTP as no client would speak it, over a plain socket.

usage: http_raw.py ADDR PORT COMMAND...

  split TARGET      one request cut in two at each byte, the first part read
                    by the server before the second is sent; how many replies
  bytes TARGET      one request, each byte sent by itself; the body
  pipeline TARGET N N requests in one go; how many replies
  slow              a request that never ends, a byte every 20 ms; "cut" when
                    the server closes, "served" if it says anything
  hold N TARGET     N connections, one reply each, kept open: "held N", then
                    wait for a line on stdin
  say TEXT          send TEXT (escapes as in Python) and print all that comes
                    until the server closes, or nothing comes for 2 s
"""
import socket
import sys
import time


def request(target, more=""):
    return ("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (target, more)).encode()


class Conn:
    def __init__(self, where):
        self.sock = socket.create_connection(where, timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError("closed")
        self.buffer += data

    def reply(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        length = [int(l.split(":")[1]) for l in lines
                  if l.lower().startswith("content-length:")][0]
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return lines[0].split()[1], body


def split(where, target):
    whole, good = request(target), 0
    barrier, conn = Conn(where), Conn(where)
    for at in range(1, len(whole)):
        conn.send(whole[:at])
        barrier.send(request(target))
        barrier.reply()
        conn.send(whole[at:])
        good += conn.reply()[0] == "200"
    print(good, "of", len(whole) - 1)


def by_bytes(where, target):
    conn = Conn(where)
    for byte in request(target):
        conn.send(bytes([byte]))
    print(conn.reply()[1].decode("latin-1"))


def pipeline(where, target, n):
    conn, good = Conn(where), 0
    conn.send(request(target) * n)
    for _ in range(n):
        good += conn.reply()[0] == "200"
    print(good)


def slow(where):
    conn, answer = Conn(where), "cut"
    conn.send(b"GET /announce?")
    conn.sock.settimeout(0.02)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            conn.send(b"x")
            if conn.sock.recv(100):
                answer = "served"
            break
        except socket.timeout:
            continue
        except OSError:
            break
    else:
        answer = "endured"
    print(answer)


def hold(where, n, target):
    conns = [Conn(where) for _ in range(n)]
    for conn in conns:
        conn.send(request(target))
        assert conn.reply()[0] == "200"
    print("held", n, flush=True)
    sys.stdin.readline()


def say(where, text):
    conn = Conn(where)
    conn.sock.settimeout(2)
    conn.send(text.encode().decode("unicode_escape").encode("latin-1"))
    try:
        while True:
            conn.more()
    except (EOFError, OSError):
        sys.stdout.write(conn.buffer.decode("latin-1"))


def main():
    where, command, rest = (sys.argv[1], int(sys.argv[2])), sys.argv[3], \
        sys.argv[4:]
    if command == "split":
        split(where, rest[0])
    elif command == "bytes":
        by_bytes(where, rest[0])
    elif command == "pipeline":
        pipeline(where, rest[0], int(rest[1]))
    elif command == "slow":
        slow(where)
    elif command == "hold":
        hold(where, int(rest[0]), rest[1])
    elif command == "say":
        say(where, rest[0])
    else:
        sys.exit("unknown command " + command)


main()
