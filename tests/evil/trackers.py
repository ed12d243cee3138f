"""trackers.py - what hostile trackers answer, one scenario each.

A tracker here is a function `answer(c, t)`: c is the connection (the request was
read), t the stage of this scenario. Where its answer is of no use, a second
tracker of the next tier is good: bt-get must come to its content by that one, in
the time that is given; where it is odd and right, there is no second one.
"""
import gzip
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

from stage import *
from play import begin_get, memory

SCENES = []


class Scene:
    def __init__(self, answer, says, usable, fast, most, kind, args):
        self.answer, self.says, self.usable = answer, says, usable
        self.fast, self.most, self.kind, self.args = fast, most, kind, args
        self.name = "tracker/" + answer.__name__.replace("_", "-")
        self.what = " ".join((answer.__doc__ or "").split())


def scene(says=None, usable=False, fast=0, most=None, kind="http", args=()):
    """most: how often it may be asked in all, in the time it takes."""
    def add(answer):
        SCENES.append(Scene(answer, says, usable, fast, most, kind, args))
        return answer
    return add


class Tracker:
    """HTTP by hand, so that every byte may be wrong."""

    def __init__(self, answer, tls=None):
        self.s = listener(US)
        self.port = self.s.getsockname()[1]
        self.url = "http%s://%s:%d/announce" % ("s" if tls else "", US,
                                                self.port)
        self.answer, self.tls = answer, tls
        self.asked = []
        self.peers = []     # (host, port)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(c,), daemon=True).start()

    def _one(self, c):
        c.settimeout(20)
        try:
            if self.tls:
                c = self.tls.wrap_socket(c, server_side=True)
            got = b""
            while b"\r\n\r\n" not in got:
                b = c.recv(65536)
                if not b:
                    return
                got += b
            self.asked.append(got.split(b" ")[1].decode("latin-1"))
            self.answer(c, self)
        except OSError:
            pass
        finally:
            c.close()

    def compact(self):
        return b"".join(socket.inet_aton(h) + struct.pack(">H", p)
                        for h, p in self.peers)

    def close(self):
        self.s.close()


def http(c, body, status="200 OK", head=()):
    h = ["HTTP/1.1 " + status, "Content-Length: %d" % len(body),
         "Connection: close", *head]
    c.sendall("\r\n".join(h).encode() + b"\r\n\r\n" + body)


def good(t, **more):
    d = {"interval": 1800, "peers": t.compact()}
    d.update({k.replace("_", " "): v for k, v in more.items()})
    return bencode(d)


BOMB = gzip.compress(b"d5:peers67108864:" + bytes(64 << 20), 1)


def honest(c, t):
    http(c, good(t))


def flood(c, data):
    while True:
        c.sendall(data)


# --- right, in odd ways

@scene(usable=True)
def http_10(c, t):
    """HTTP/1.0, no length, the end is the end of the connection."""
    c.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + good(t))


@scene(usable=True)
def chunked(c, t):
    """A chunk for each byte."""
    c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
              b"".join(b"1\r\n%c\r\n" % b for b in good(t)) + b"0\r\n\r\n")


@scene(usable=True)
def gzipped(c, t):
    """Content-Encoding: gzip."""
    http(c, gzip.compress(good(t)), head=["Content-Encoding: gzip"])


@scene(usable=True)
def redirected(c, t):
    """Two redirects to other paths, then the answer."""
    n = t.asked[-1].count("again")
    if n == 2:
        return http(c, good(t))
    http(c, b"", "302 Found", ["Location: /again" + t.asked[-1]])


@scene(usable=True)
def dictionary_peers(c, t):
    """Peers as dictionaries: by name, IPv6, without port, of wrong types."""
    http(c, bencode({"interval": 1800, "peers": [
        {"ip": "no-such-name.invalid", "port": 7}, {"port": 7},
        {"ip": "::ffff:1", "port": 1}, {"ip": 7, "port": 7}, 7, [],
        {"ip": "localhost\0.invalid", "port": 7}, {"ip": "", "port": 7},
        {"ip": "127.0.0.1", "port": 0}, {"ip": "127.0.0.1", "port": 99999},
        {"ip": "127.0.0.1", "port": -1}] + [
            {"ip": h, "port": p} for h, p in t.peers]}))


@scene(usable=True)
def compact_odd(c, t):
    """Compact peers with port 0, a broken peers6, and a rest of 3 bytes."""
    http(c, good(t, peers=b"\x7f\0\0\1\0\0" + t.compact() + b"xyz",
                 peers6=b"x" * 17))


@scene("warns: careful.x1b.31m", usable=True)
def warning(c, t):
    """A warning message with terminal escapes."""
    http(c, good(t, warning_message="careful\x1b[31m"))


@scene(usable=True)
def missing_keys(c, t):
    """An answer with peers and nothing else."""
    http(c, bencode({"peers": t.compact()}))


@scene(usable=True)
def wrong_types(c, t):
    """Strings for numbers, numbers for strings, lists for both."""
    http(c, good(t, interval="soon", min_interval=[], complete="x",
                 tracker_id=5, warning_message=7, peers6={}))


# --- intervals

def every(interval):
    return lambda c, t: http(c, bencode(
        {"interval": interval, "complete": 0,
         "peers": b"" if len(t.asked) < 3 else t.compact()}))


def interval_scene(name, value, most):
    answer = every(value)
    answer.__name__ = name
    answer.__doc__ = ("An interval of %d and nobody there at first: asked at "
                      "most %d times a minute." % (value, most))
    scene(usable=True, fast=10, most=most)(answer)


interval_scene("interval_0", 0, 8)
interval_scene("interval_negative", -5, 8)
interval_scene("interval_one", 1, 60)
interval_scene("interval_huge", 10 ** 12, 8)


@scene("reply is not a bencoded dictionary")
def interval_overflows(c, t):
    """An interval of 2^63, which no integer holds."""
    http(c, b"d8:intervali9223372036854775808e5:peers" + bencode(t.compact()) +
         b"e")


# --- of no use: the next tracker is asked

@scene("refused: go away.x1b.31m")
def failure_reason(c, t):
    """A failure reason with terminal escapes."""
    http(c, bencode({"failure reason": "go away\x1b[31m"}))


@scene("refused: ")
def failure_empty(c, t):
    """An empty failure reason."""
    http(c, bencode({"failure reason": ""}))


@scene("refused: x{100}")
def failure_long(c, t):
    """A failure reason of 900 KB: cut in the log."""
    http(c, bencode({"failure reason": "x" * 900000}))


@scene("HTTP status 500")
def status_500(c, t):
    """Status 500 with a page."""
    http(c, b"<html>oops</html>", "500 Oops")


@scene("tracker 'http://[^']*'")
def html(c, t):
    """A page with status 200."""
    http(c, b"<html>it works</html>")


@scene("tracker 'http://[^']*'")
def empty(c, t):
    """No body."""
    http(c, b"")


@scene("cannot reach '.*': ")
def cut_off(c, t):
    """The body ends before its length."""
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" +
              good(t)[:20])


@scene("tracker 'http://[^']*'")
def nested(c, t):
    """A million bytes of lists in lists."""
    http(c, b"d5:peers" + b"l" * 500000 + b"e" * 500000 + b"e")


@scene("tracker 'http://[^']*'")
def string_wraps(c, t):
    """A string of 2^64 + 6 bytes."""
    http(c, b"d5:peers18446744073709551622:abcdefe")


@scene("larger than 1048576 bytes")
def reply_64m(c, t):
    """A reply of 64 MiB."""
    http(c, b"d5:peers67108864:" + bytes(64 << 20) + b"e")


@scene("larger than 1048576 bytes")
def reply_endless(c, t):
    """A reply without an end."""
    c.sendall(b"HTTP/1.1 200 OK\r\n\r\nd5:peers99999999:")
    flood(c, bytes(65536))


@scene("larger than 1048576 bytes")
def gzip_bomb(c, t):
    """64 MiB of zeros in 64 KiB of gzip."""
    http(c, BOMB, head=["Content-Encoding: gzip"])


@scene("cannot reach '.*': ")
def header_endless(c, t):
    """Headers without an end."""
    c.sendall(b"HTTP/1.1 200 OK\r\n")
    flood(c, b"X-Evil: " + b"x" * 1000 + b"\r\n")


@scene("more than 5 redirects")
def redirect_loop(c, t):
    """It redirects to itself."""
    http(c, b"", "302 Found", ["Location: " + t.asked[-1]])


def elsewhere(name, where):
    def answer(c, t):
        http(c, b"", "302 Found", ["Location: " + where % {"port": t.port}])
    answer.__name__ = name
    answer.__doc__ = "A redirect to %s: not followed." % (
        where.split("%")[0].split(":")[0] + ":")
    scene("cannot reach '.*': .*(rotocol|nsupported)")(answer)


elsewhere("redirect_file", "file:///etc/hostname")
elsewhere("redirect_ftp", "ftp://127.0.0.1:%(port)d/x")
elsewhere("redirect_gopher", "gopher://127.0.0.1:%(port)d/x")
elsewhere("redirect_dict", "dict://127.0.0.1:%(port)d/x")


def pause(c, seconds):
    """Unless the other end goes."""
    c.settimeout(seconds)
    try:
        return c.recv(1) != b""
    except socket.timeout:
        return True


@scene("no answer within 15 s", fast=10)
def drip(c, t):
    """A byte every ten seconds: the next tracker is asked after 15 s."""
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for b in good(t) * 10:
        c.sendall(bytes([b]))
        if not pause(c, 1):
            return


@scene("no answer within 15 s", fast=10)
def mute(c, t):
    """It reads the request and says nothing."""
    pause(c, 20)


@scene("cannot reach 'https://.*': .*certificate", kind="https")
def self_signed(c, t):
    """HTTPS with a certificate of its own making: refused."""
    honest(c, t)


@scene(usable=True, kind="https", args=("--insecure",))
def self_signed_insecure(c, t):
    """The same with --insecure: taken."""
    honest(c, t)


# --- UDP: answer(s, t, packet, source)

def udp_answer(s, t, packet, src, wrong_tid=False, peers=None):
    cid, action, tid = struct.unpack(">QI4s", packet[:16])
    if wrong_tid:
        tid = bytes(4 * [tid[0] ^ 0x55])
    if action == 0:
        s.sendto(struct.pack(">I4sQ", 0, tid, 77), src)
    elif action == 1:
        t.asked.append("announce")
        s.sendto(struct.pack(">I4sIII", 1, tid, 1800, 0, 1) +
                 (t.compact() if peers is None else peers), src)


class UdpTracker:
    def __init__(self, answer):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((US, 0))
        self.url = "udp://%s:%d" % self.s.getsockname()
        self.answer, self.asked, self.peers, self.n = answer, [], [], 0
        threading.Thread(target=self._run, daemon=True).start()

    compact = Tracker.compact

    def _run(self):
        while True:
            try:
                packet, src = self.s.recvfrom(65536)
                self.n += 1
                self.answer(self.s, self, packet, src)
            except (OSError, struct.error):
                if self.s.fileno() == -1:
                    return

    def close(self):
        self.s.close()


@scene(usable=True, kind="udp")
def udp_good(s, t, packet, src):
    """UDP as it should be."""
    udp_answer(s, t, packet, src)


@scene("no answer within 15 s", kind="udp", fast=10)
def udp_silent(s, t, packet, src):
    """Nothing comes back: the next tracker is asked after 15 s."""


@scene("no answer within 15 s", kind="udp", fast=10)
def udp_wrong_transaction(s, t, packet, src):
    """Answers with wrong transaction ids only."""
    udp_answer(s, t, packet, src, wrong_tid=True,
               peers=b"\x7f\0\0\1\0\7")


@scene(usable=True, kind="udp", fast=10)
def udp_loss(s, t, packet, src):
    """Each packet is lost the first time."""
    if t.n % 2 == 0:
        udp_answer(s, t, packet, src)


@scene("refused: no.x1b", kind="udp")
def udp_error(s, t, packet, src):
    """An error with terminal escapes."""
    s.sendto(b"\0\0\0\3" + packet[12:16] + b"no\x1b[31m\0you", src)


@scene("no answer within 15 s", kind="udp", fast=10)
def udp_short(s, t, packet, src):
    """Answers that are cut, empty, or of no known action."""
    for p in (b"", b"\0", packet[:7], b"\0\0\0\0" + packet[12:16],
              b"\0\0\0\7" + packet[12:16] + bytes(8),
              b"\xff\xff\xff\xff" + packet[12:16]):
        s.sendto(p, src)


@scene(usable=True, kind="udp")
def udp_flood(s, t, packet, src):
    """A hundred forged packets before each right one."""
    for n in range(100):
        s.sendto(struct.pack(">IIIII", n % 4, n, 1, 1, 1) + b"\x7f\0\0\1\0\7",
                 src)
    udp_answer(s, t, packet, src)


@scene(usable=True, kind="udp")
def udp_huge(s, t, packet, src):
    """An answer of 60 KB, more than fits; its first peer is good."""
    udp_answer(s, t, packet, src, peers=t.compact() + bytes(6) * 9900)


# --- one scenario

_tls_lock = threading.Lock()
_tls = []


def tls():
    with _tls_lock:
        if not _tls:
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            c.load_cert_chain(os.path.join(ROOT, "tests/data/localhost.pem"))
            _tls.append(c)
        return _tls[0]


def play(st, s):
    gate = threading.Event()
    gate.set()
    seed = st.keep(honest_seed(SMALL, gate))
    if s.kind == "udp":
        evil = st.keep(UdpTracker(s.answer))
    else:
        evil = st.keep(Tracker(s.answer, tls() if s.kind == "https" else None))
    second = st.keep(Tracker(honest))
    evil.peers = second.peers = [seed.addr]
    urls = ["-a", evil.url] + ([] if s.usable else ["-a", second.url])
    p = st.run("bt-get", "-v", "--port", "0", "--bind", US, "-d",
               st.path("copy"), *urls, *s.args,
               st.write("t.torrent", SMALL.metainfo()), fast=s.fast)
    status = p.wait(60)
    took = (time.monotonic() - p.begun) * (s.fast or 1)
    log = p.err()
    check(status == 0, "status", status)
    with open(st.path("copy", "x"), "rb") as f:
        check(f.read() == SMALL.data, "wrong content")
    check(s.says is None or re.search(s.says, log), "never said:", s.says)
    check(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log), "raw control bytes")
    check(max(map(len, log.splitlines() or [""])) < 2000, "a line too long")
    asked = [a for a in evil.asked if "=completed" not in a and
             "=stopped" not in a]
    if s.most:
        most = max(3, s.most * took / 60)
        check(len(asked) <= most, "asked", len(asked), "times in",
              int(took), "s")
    return memory(p, "bt-get")
