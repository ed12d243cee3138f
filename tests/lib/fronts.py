#!/usr/bin/env python3
"""What surrounds a tracker's sockets, as its tests need it.

usage: fronts.py COMMAND...

  activate KIND[=NAME]... -- PROGRAM...
                    run PROGRAM with sockets of KIND (tcp, udp, tcp6: IPv6 that
                    takes IPv4 too, unix) as a service manager hands them over
  notified PATH     bind a Unix socket there, say "bound", and print each
                    message that comes, a line each
  tls PORT N TARGET N pipelined requests over TLS in one go, sent while nothing
                    is read; how many replies
  burst PORT N TARGET PID
                    N connections with a request each while process PID is
                    stopped; then it is to end and goes on: how many replies
  held PORT N SOURCE...
                    N connections from each source in turn; for each source how
                    many were answered by a 404; and what else was said
"""
import os
import signal
import socket
import sys

import anytls


def request(target):
    return ("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target).encode()


def bound(kind):
    if kind == "unix":
        s = socket.socket(socket.AF_UNIX)
        s.bind("handed.sock")
        return s
    s = socket.socket(socket.AF_INET6 if kind == "tcp6" else socket.AF_INET,
                      socket.SOCK_DGRAM if kind == "udp"
                      else socket.SOCK_STREAM)
    if kind == "tcp6":
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", 0))
    else:
        s.bind(("127.0.0.1", 0))
    if kind != "udp":
        s.listen(16)
    return s


def activate(words):
    kinds, program = words[:words.index("--")], words[words.index("--") + 1:]
    # out of the way of the numbers that they get
    fds = [os.dup2(bound(kind.split("=")[0]).detach(), 100 + i)
           for i, kind in enumerate(kinds)]
    for i, fd in enumerate(fds):
        os.dup2(fd, 3 + i)
        os.close(fd)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)),
                      LISTEN_FDNAMES=":".join(
                          kind.partition("=")[2] or "unknown"
                          for kind in kinds))
    os.execvp(program[0], program)


def notified(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind("\0" + path[1:] if path[0] == "@" else path)
        print("bound", flush=True)
        while True:
            print(s.recv(4096).decode().split("\n")[0], flush=True)


def dial(to, source=None):
    return socket.create_connection(to, 30, source)


def tls(port, n, target):
    context = anytls.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    s = dial(("127.0.0.1", port))
    s = context.wrap_socket(s)
    assert s.selected_alpn_protocol() == "http/1.1"
    s.sendall(request(target) * n)
    got = b""
    while got.count(b"HTTP/1.1 200 OK") < n:
        data = s.recv(65536)
        if not data:
            break
        got += data
    print(got.count(b"HTTP/1.1 200 OK"))


def burst(port, n, target, pid):
    os.kill(pid, signal.SIGSTOP)
    conns = [dial(("127.0.0.1", port)) for _ in range(n)]
    for conn in conns:
        conn.sendall(request(target))
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    good = 0
    for conn in conns:
        try:
            good += b" 200 " in conn.recv(100)
        except OSError:
            pass
    print(good)


def held(port, n, sources):
    conns, refusals = [], set()
    for source in sources:
        good = 0
        there = "198.18.0.1" if "." in source else "2001:db8::1"
        for _ in range(n):
            conns.append(dial((there, port), (source, 0)))
            conns[-1].sendall(request("/x"))
            got = conns[-1].recv(1000)
            good += b" 404 " in got
            if b" 404 " not in got:
                refusals.add(got.partition(b"\r\n\r\n")[2].decode())
        print(source, good, flush=True)
    print(*refusals, sep="\n")


def main():
    command, rest = sys.argv[1], sys.argv[2:]
    if command == "activate":
        activate(rest)
    elif command == "notified":
        notified(rest[0])
    elif command == "tls":
        tls(int(rest[0]), int(rest[1]), rest[2])
    elif command == "burst":
        burst(int(rest[0]), int(rest[1]), rest[2], int(rest[3]))
    elif command == "held":
        held(int(rest[0]), int(rest[1]), rest[2:])
    else:
        sys.exit("unknown command " + command)


main()
