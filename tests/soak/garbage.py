#!/usr/bin/env python3
"""Rubbish for a tracker, most of it nearly right, at random from a seed.

usage: garbage.py HTTP UDP HTTPS ADMIN N SEED     (each ADDR:PORT)

N messages: datagrams, and requests over TCP, some to
the ports of HTTPS and of the statistics. What
the tracker answers must be HTTP, or a packet of BEP 15; and every now and then
it must know a swarm that was announced before all this. It is never more than
a few messages behind, so that it has read what was sent when this ends with the
line "sent N, answered N".
"""
import random
import socket
import struct
import sys
import time

MAGIC = 0x41727101980
PATIENCE = 30
PROXY = "127.1.0.1"  # whom requests come from
CANARY = b"canary of this test."
NAMES = ("info_hash", "peer_id", "port", "uploaded", "downloaded", "left",
         "event", "numwant", "key", "compact", "no_peer_id", "trackerid", "ip",
         "ipv4", "ipv6", "x")
VALUES = ("", "0", "1", "-1", "+1", "65535", "65536", "18446744073709551615",
          "18446744073709551616", "9" * 400, "started", "stopped", "completed",
          "paused", "%00", "%", "%z", "%2", "127.0.0.1", "%3a%3a1", "::",
          "1e9", "0x10", " ", "\t", "a=b", "%c3%28")
HEADERS = ("Host: x", "Connection: close", "Connection: keep-alive, close",
           "X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: ,,,", "Via: 1.1 x",
           "Forwarded: for=\"[::1\"", "Forwarded: for=1.2.3.4;;by=",
           "Content-Length: 0", "Content-Length: 5", "Content-Length: -1",
           "Transfer-Encoding: chunked", "Expect: 100-continue", ": empty",
           "No colon", " folded: x", "Name : space", "N\0l: \0", "\xff: \xfe",
           "Upgrade: websocket", "Range: bytes=0-")


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


class Garbage:
    def __init__(self, http, udp, https, admin, seed):
        self.http_at, self.https_at = address(http), address(https)
        self.admin_at = address(admin)
        self.rng = random.Random(seed)
        self.answered = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect(address(udp))
        self.udp.settimeout(1)
        self.id = 0
        self.mark = 0

    def bytes(self, n):
        return self.rng.randbytes(n)

    def any_hash(self):
        # few swarms, so that what is kept of them meets again
        return b"swarm %014d" % self.rng.randrange(50)

    def mutate(self, data):
        data, rng = bytearray(data), self.rng
        for _ in range(rng.choice((0, 1, 1, 2, 5, 20))):
            if not data:
                break
            at = rng.randrange(len(data))
            what = rng.randrange(6)
            if what == 0:
                data[at] ^= 1 << rng.randrange(8)
            elif what == 1:
                data[at] = rng.choice(b"\0\r\n %&=+:/?\xff")
            elif what == 2:
                del data[at:at + rng.randrange(1, 30)]
            elif what == 3:
                data[at:at] = self.bytes(rng.randrange(1, 30))
            elif what == 4:
                data[at:at] = data[at:at + rng.randrange(1, 200)]
            else:
                del data[at:]
        return bytes(data)

    # datagrams

    def announce(self):
        rng = self.rng
        return struct.pack(
            ">QII20s20sQQQIIIIH", self.id, 1, rng.getrandbits(32),
            self.any_hash(), b"-XX0001-%012d" % rng.randrange(1000),
            rng.getrandbits(64), rng.choice((0, 1, 2**64 - 1)),
            rng.getrandbits(64), rng.choice((0, 1, 2, 3, 4, 2**31)),
            rng.choice((0, 0, rng.getrandbits(32))), rng.randrange(20),
            rng.choice((0, 1, 50, 2**31, 2**32 - 1)),
            rng.choice((0, 1, 6881, 65535)))

    def options(self):
        rng, out = self.rng, b""
        for _ in range(rng.randrange(8)):
            out += bytes([rng.choice((0, 1, 2, 2, 3, 255)),
                          rng.choice((0, 1, 4, 255))])
            out += self.bytes(rng.choice((0, 1, 4, 255)))
        return out

    def datagram(self):
        rng, kind = self.rng, self.rng.randrange(8)
        if kind == 0:
            return self.bytes(rng.choice((0, 1, 8, 15, 16, 17, 98, 600, 1472)))
        if kind == 1:
            return self.mutate(struct.pack(">QII", MAGIC, 0, 1))
        if kind == 2:
            return self.announce()
        if kind == 3:
            return self.announce() + self.options()
        if kind == 4:
            return self.mutate(self.announce() + self.options())
        if kind == 5:
            return struct.pack(">QII", self.id, 2, 1) + b"".join(
                self.any_hash() for _ in range(rng.randrange(80))) + \
                self.bytes(rng.randrange(20))
        if kind == 6:
            return struct.pack(">QII", self.id, rng.getrandbits(32), 1) + \
                self.bytes(rng.randrange(200))
        return self.bytes(rng.choice((2000, 9000, 65507))) \
            if rng.randrange(20) == 0 else self.mutate(self.announce())

    def send_datagrams(self, n):
        for _ in range(n):
            self.udp.send(self.datagram())
        # and wait until it has read them: a connect of our own comes back
        self.mark = (self.mark + 1) % 2**32
        want = struct.pack(">II", 0, self.mark ^ 0x5eed5eed)
        deadline = time.monotonic() + PATIENCE
        self.udp.send(struct.pack(">QI", MAGIC, 0) + want[4:])
        while True:
            try:
                reply = self.udp.recv(65536)
            except TimeoutError:  # its socket was full of what came before
                assert time.monotonic() < deadline, "no answer by UDP"
                self.udp.send(struct.pack(">QI", MAGIC, 0) + want[4:])
                continue
            self.answered += 1
            assert len(reply) >= 8 and reply[:4] in (
                b"\0\0\0\0", b"\0\0\0\1", b"\0\0\0\2", b"\0\0\0\3"), reply
            if len(reply) == 16 and reply[:8] == want:
                self.id, = struct.unpack_from(">Q", reply, 8)
                return

    # requests

    def query(self):
        rng, parts = self.rng, []
        if rng.randrange(4):
            parts += ["info_hash=" + self.any_hash().decode(),
                      "peer_id=-XX0001-%012d" % rng.randrange(1000),
                      "port=%d" % rng.randrange(1, 65536)]
        for _ in range(rng.randrange(8)):
            value = rng.choice(VALUES)
            if rng.randrange(4) == 0:
                value = "".join("%%%02x" % b
                                for b in self.bytes(rng.randrange(40)))
            parts.append(rng.choice(NAMES) + rng.choice(("=", "=", "", "==")) +
                         value)
        rng.shuffle(parts)
        return rng.choice(("&", "&", "&&", ";")).join(parts)

    def request(self):
        rng = self.rng
        if rng.randrange(12) == 0:
            return self.bytes(rng.choice((1, 4, 100, 5000)))
        path = rng.choice(("/announce", "/announce", "/announce", "/scrape",
                           "/scrape", "/", "*", "/stats", "/metrics",
                           "/stats.json", "//", "/%61nnounce",
                           "http://x/announce", "http://", "x"))
        if rng.randrange(30) == 0:
            path += "/" * rng.choice((100, 4000, 9000))
        lines = ["%s %s?%s HTTP/%s" % (
            rng.choice(("GET", "GET", "GET", "GET", "HEAD", "POST", "get", "")),
            path, self.query(),
            rng.choice(("1.1", "1.1", "1.1", "1.0", "1.9", "2.0", "9", "")))]
        for _ in range(rng.choice((0, 1, 3, 3, 40))):
            lines.append(rng.choice(HEADERS))
        end = rng.choice(("\r\n", "\r\n", "\r\n", "\n"))
        out = (end.join(lines) + end + end).encode("latin-1")
        return self.mutate(out) if rng.randrange(2) else out

    def send_requests(self, n):
        """n in a connection, and what they bring."""
        rng = self.rng
        tls = rng.randrange(16) == 0
        data = b"".join(self.request() for _ in range(n))
        if tls:
            # a record of a handshake, or what says that it is
            data = rng.choice((b"\x16\x03\x01\x02\0\1", b"\x16\x03\x03\0\5",
                               b"\x80", b"")) + data
        s = socket.create_connection(
            self.https_at if tls else
            rng.choice((self.http_at,) * 7 + (self.admin_at,)), PATIENCE,
            (PROXY, 0))
        try:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at = rng.randrange(len(data) + 1) if rng.randrange(3) == 0 else 0
            s.sendall(data[:at])
            s.sendall(data[at:])
            if rng.randrange(8) == 0:  # gone with a reset
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
                return
            s.shutdown(socket.SHUT_WR)
            got = b""
            while len(got) < 1 << 20:
                more = s.recv(65536)
                if not more:
                    break
                got += more
        except (ConnectionError, BrokenPipeError, OSError) as e:
            assert not isinstance(e, TimeoutError), "no end: %r" % data
            return
        finally:
            s.close()
        if not tls:
            assert got == b"" or got.startswith(b"HTTP/1.1 "), got[:80]
            self.answered += got.count(b"HTTP/1.1 ")

    def canary(self, how):
        s = socket.create_connection(self.http_at, PATIENCE)
        s.sendall(b"GET /%s&info_hash=%s HTTP/1.0\r\n\r\n" % (
            how, CANARY.replace(b" ", b"%20")))
        got = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
        s.close()
        assert b"8:completei0e" in got and b"10:incompletei1e" in got, got


def main():
    n, seed = int(sys.argv[5]), int(sys.argv[6])
    g = Garbage(*sys.argv[1:5], seed)
    g.canary(b"announce?peer_id=11111111111111111111&port=1&left=1")
    sent = 0
    while sent < n:
        batch = min(g.rng.randrange(1, 40), n - sent)
        if g.rng.randrange(2):
            g.send_datagrams(batch)
        else:
            batch = min(batch, 8)
            g.send_requests(batch)
        if sent // 1000 != (sent + batch) // 1000:
            g.canary(b"scrape?x")
        sent += batch
    g.canary(b"scrape?x")
    print("sent %d, answered %d" % (sent, g.answered))


main()
