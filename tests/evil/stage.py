"""stage.py - what every hostile scenario stands on: a torrent, the wire, honest
peers, and a program under test with its log, its status and its memory.

Addresses say who is who: the program is 127.0.0.1, honest peers are 127.0.0.5
and on, hostile ones 127.0.0.66, so that a ban of one is seen not to hit others.
Nothing here or in the scenarios uses the programs' own code: what is right is
what the BEPs say.
"""
import hashlib
import os
import queue
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
BIN = os.path.abspath(os.environ.get("BT_BIN", os.path.join(BUILD, "bin")))
FAST = os.path.join(BUILD, "tests/evil/fastclock.so")

sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
from bencode import bencode
from peerwire import handshake, message

HONEST, LEECH, EVIL, US = "127.0.0.5", "127.0.0.9", "127.0.0.66", "127.0.0.1"
BLOCK = 16384
MIB = 1 << 20
MEMORY = 64 * MIB      # above the base: what any scenario may cost

(CHOKE, UNCHOKE, INTERESTED, UNINTERESTED, HAVE, BITFIELD, REQUEST, PIECE,
 CANCEL, PORT) = range(10)
SUGGEST, HAVE_ALL, HAVE_NONE, REJECT, ALLOWED, EXTENDED = 13, 14, 15, 16, 17, 20
FASTEXT, LTEP = 0x04, 0x10


class Torrent:
    """One file of random bytes and its metainfo."""

    def __init__(self, size, piece_length, name="x", seed=6):
        self.name = name
        self.size = size
        self.length = piece_length
        self.data = random.Random(seed).randbytes(size)
        self.pieces = -(-size // piece_length)
        self.info = {
            "length": size, "name": name, "piece length": piece_length,
            "pieces": b"".join(
                hashlib.sha1(self.data[i:i + piece_length]).digest()
                for i in range(0, size, piece_length))}
        self.hash = hashlib.sha1(bencode(self.info)).digest()

    def metainfo(self, tiers=()):
        d = {"info": self.info}
        if tiers:
            d["announce"] = tiers[0]
            d["announce-list"] = [[t] for t in tiers]
        return bencode(d)

    def piece_size(self, i):
        return min(self.length, self.size - i * self.length)

    def blocks(self):
        for i in range(self.pieces):
            for at in range(0, self.piece_size(i), BLOCK):
                yield i, at, min(BLOCK, self.piece_size(i) - at)

    def bytes(self, i, begin, n):
        return self.data[i * self.length + begin:][:n]

    def bits(self, n=None):
        """The bitfield of a seed."""
        b = bytearray(-(-self.pieces // 8))
        for i in range(self.pieces if n is None else n):
            b[i // 8] |= 0x80 >> i % 8
        return bytes(b)


# 33 pieces of two blocks: there are spare bits, and a last piece of 5 bytes
SMALL = Torrent(MIB + 5, 2 * BLOCK)


class Wire:
    """One connection to the program under test."""

    def __init__(self, sock, torrent, dialled=False):
        self.s = sock
        self.t = torrent
        self.dialled = dialled  # by us
        self.side = "seed" if dialled else "get" # what the other end is
        self.got = b""
        self.theirs = None      # their handshake
        self.ended = False      # the other end closed
        self.begin_honest = lambda: None # told when the worst is done
        self.patience = 10
        self.lock = threading.Lock()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data, wait=None):
        """False when the other end is gone or takes nothing for so long."""
        self.s.settimeout(wait or self.patience)
        try:
            with self.lock:
                self.s.sendall(data)
            return True
        except socket.timeout:
            return False
        except OSError:
            self.ended = True
            return False

    def msg(self, ident, *words, body=b""):
        return self.send(message(ident, *words, body=body))

    def shake(self, flags=0, info_hash=None, peer_id=None, more=b""):
        r = bytearray(8)
        r[7] |= flags & FASTEXT
        r[5] |= flags & LTEP
        return self.send(
            handshake(info_hash or self.t.hash, peer_id, bytes(r)) + more)

    def _fill(self, n, until):
        while len(self.got) < n:
            left = until - time.monotonic()
            if left <= 0:
                raise socket.timeout
            self.s.settimeout(left)
            b = self.s.recv(1 << 16)
            if not b:
                raise ConnectionResetError
            self.got += b

    def read(self, wait=None):
        """The next message as (id, body), None when nothing comes or it ended.
        The first thing to come is the handshake: ("shake", bytes)."""
        until = time.monotonic() + (self.patience if wait is None else wait)
        try:
            if self.theirs is None:
                self._fill(68, until)
                self.theirs, self.got = self.got[:68], self.got[68:]
                return "shake", self.theirs
            self._fill(4, until)
            n = struct.unpack(">I", self.got[:4])[0]
            self._fill(4 + n, until)
            body, self.got = self.got[4:4 + n], self.got[4 + n:]
            return (body[0], body[1:]) if n else (None, b"")
        except socket.timeout:
            return None
        except OSError:
            self.ended = True
            return None

    def wait_for(self, ident, wait=None):
        until = time.monotonic() + (self.patience if wait is None else wait)
        while (left := until - time.monotonic()) > 0:
            m = self.read(left)
            if m is None:
                return None
            if m[0] == ident:
                return m[1]
        return None

    def requests(self, wait=None):
        while (b := self.wait_for(REQUEST, wait)) is not None:
            yield struct.unpack(">III", b)

    def give(self, i, begin, n, spoil=False):
        data = self.t.bytes(i, begin, n)
        if spoil:
            data = bytes([data[0] ^ 1]) + data[1:]
        return self.msg(PIECE, i, begin, body=data)

    def serve(self, spoil=False):
        """Answer requests until the other end goes."""
        for r in self.requests(60):
            if not self.give(*r, spoil=spoil):
                return

    def _pass_over(self, b):
        """Nobody reads what came, but for their handshake."""
        if self.theirs is None:
            self.got += b
            if len(self.got) >= 68:
                self.theirs, self.got = self.got[:68], b""

    def until_closed(self, wait=None):
        """Read on; True when the other end closes. What came before is read
        also where send() has found that out."""
        until = time.monotonic() + (self.patience if wait is None else wait)
        b = b"more"
        while b and (left := until - time.monotonic()) > 0:
            self.s.settimeout(left)
            try:
                b = self.s.recv(1 << 16)
                self.ended = self.ended or not b
                self._pass_over(b)
            except socket.timeout:
                break
            except OSError:
                self.ended = True
                break
        return self.ended

    def flood(self, data, wait=None, reading=True):
        """Send data again and again until the other end closes."""
        until = time.monotonic() + (self.patience if wait is None else wait)
        if reading:
            threading.Thread(target=self.until_closed, args=(wait,),
                             daemon=True).start()
        while time.monotonic() < until and not self.ended:
            if not self.send(data, until - time.monotonic()):
                break
        return self.ended

    def close(self):
        try:
            self.s.close()
        except OSError:
            pass


def listener(host):
    s = socket.socket()
    s.bind((host, 0))
    s.listen(1024)
    return s


def dial(port, host, patience=10):
    """From host to the program under test."""
    s = socket.socket()
    s.settimeout(patience)
    s.bind((host, 0))
    s.connect((US, port))
    return s


class Listens:
    """A peer that waits to be dialled: play(wire) for each connection."""

    def __init__(self, torrent, host, play):
        self.s = listener(host)
        self.at = "%s:%d" % (host, self.s.getsockname()[1])
        self.addr = (host, self.s.getsockname()[1])
        self.wires = []
        self.play = play
        self.torrent = torrent
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            w = Wire(c, self.torrent)
            self.wires.append(w)
            threading.Thread(target=self._one, args=(w,), daemon=True).start()

    def _one(self, w):
        try:
            self.play(w)
        except (OSError, ValueError):
            pass

    def close(self):
        self.s.close()
        for w in self.wires:
            w.close()


def honest_seed(torrent, gate, host=HONEST):
    """It unchokes once the gate is open, so that others come first."""
    def play(w):
        w.wait_for("shake")
        w.shake()
        w.msg(BITFIELD, body=torrent.bits())
        while not gate.wait(0.5) and w.send(bytes(4)):
            pass # minutes may pass for a clock that runs fast
        w.msg(UNCHOKE)
        w.serve()
    return Listens(torrent, host, play)


def honest_leech(torrent, port, wait=20, host=LEECH):
    """Take all of it from who listens on port. What went wrong, or None."""
    until = time.monotonic() + wait
    try:
        w = Wire(dial(port, host, wait), torrent, True)
    except OSError as e:
        return "cannot connect: %s" % e
    try:
        return _take(w, torrent, until)
    finally:
        w.close()


def _take(w, torrent, until):
    w.shake()
    w.msg(INTERESTED)
    while True:
        m = w.read(until - time.monotonic())
        if m is None:
            return "never unchoked" if not w.ended else "closed"
        if m[0] == UNCHOKE:
            break
    for b in torrent.blocks():
        w.msg(REQUEST, *b)
    missing = set(torrent.blocks())
    while missing:
        b = w.wait_for(PIECE, until - time.monotonic())
        if b is None:
            return "%d blocks never came%s" % (
                len(missing), ", closed" if w.ended else "")
        i, at = struct.unpack(">II", b[:8])
        if b[8:] != torrent.bytes(i, at, len(b) - 8):
            return "wrong bytes"
        missing.discard((i, at, len(b) - 8))
    return None


def within(seconds, look):
    """What look() says: once that is true, or when the time is over."""
    end = time.monotonic() + seconds
    tick = threading.Event()
    while not (x := look()) and time.monotonic() < end:
        tick.wait(0.02)
    return x


class Failed(Exception):
    pass


def check(ok, *what):
    if not ok:
        raise Failed(" ".join(str(w) for w in what))


class Program:
    """A process with its output in files, its peak of memory in the end."""

    def __init__(self, argv, where, fast=0, env=None):
        self.dir = where
        self.is_other = False
        env = dict(env or os.environ, LC_ALL="C.UTF-8")
        for k in ("http_proxy", "https_proxy", "all_proxy"):
            env.pop(k, None)
        self.peak_file = os.path.join(where, "peak")
        self.err_file = os.path.join(where, "err")
        self.out_file = os.path.join(where, "out")
        run = [sys.executable, os.path.join(ROOT, "tests/lib/maxrss.py"),
               self.peak_file]
        if fast:
            run += ["/usr/bin/env", "LD_PRELOAD=" + FAST,
                    "FASTCLOCK=%d" % fast]
        self.begun = time.monotonic()
        self.p = subprocess.Popen(
            run + argv, cwd=where, env=env, stdin=subprocess.DEVNULL,
            stdout=open(self.out_file, "wb"), stderr=open(self.err_file, "wb"))

    def pid(self):
        """Of the program itself, which maxrss.py waits for."""
        with open("/proc/%d/task/%d/children" % (self.p.pid, self.p.pid)) as f:
            return int(f.read().split()[0])

    def err(self):
        with open(self.err_file, "rb") as f:
            return f.read().decode("utf-8", "backslashreplace")

    def out(self):
        with open(self.out_file, "rb") as f:
            return f.read().decode("utf-8", "backslashreplace")

    def last_words(self):
        return (self.out() + self.err()).splitlines()[-12:]

    def wait(self, seconds):
        try:
            return self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed("not over after %d s" % seconds)

    def until(self, what, seconds, look):
        """Wait until look() is true, or fail."""
        end = time.monotonic() + seconds
        tick = threading.Event()
        while not (x := look()):
            if self.p.poll() is not None and not (x := look()):
                raise Failed("%s: it ended with %d" % (what, self.p.poll()))
            if time.monotonic() > end:
                raise Failed("%s: not within %d s" % (what, seconds))
            tick.wait(0.02)
        return x

    def says(self, pattern, seconds=10):
        return self.until("says /%s/" % pattern, seconds,
                          lambda: re.search(pattern, self.err(), re.M))

    def stop(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
            try:
                self.p.wait(10)
            except subprocess.TimeoutExpired:
                self._kill()
        return self.p.returncode

    def _kill(self):
        try:
            os.kill(self.pid(), signal.SIGKILL)
        except (OSError, IndexError):
            pass # it is gone, and maxrss.py with it in a moment
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()

    def peak(self):
        """Bytes of its resident set at their most."""
        with open(self.peak_file) as f:
            return int(f.read()) * 1024


class Stage:
    """One scenario's folder, programs and peers; all gone at the end."""

    playing = set()

    def __init__(self, name):
        Stage.playing.add(self)
        self.dir = tempfile.mkdtemp(prefix="evil-")
        self.name = name
        self.closing = []
        self.programs = []

    def path(self, *p):
        return os.path.join(self.dir, *p)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def keep(self, thing):
        self.closing.append(thing)
        return thing

    def run(self, tool, *args, fast=0, where=None):
        if where is None:
            where = self.path("run%d" % len(self.programs))
            os.mkdir(where)
        p = Program([os.path.join(BIN, tool)] + list(args), where, fast)
        self.programs.append(p)
        return p

    def end(self):
        """All of it, whatever of it fails; the first failure is raised then."""
        bad = []
        for stop in [p.stop for p in self.programs] + [
                c.close for c in self.closing]:
            try:
                stop()
            except Exception as e:
                bad.append(e)
        Stage.playing.discard(self)
        if bad:
            raise bad[0]

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def side_by_side(line, n, play):
    """Play what the queue has in n threads. A signal takes the rest out of it
    and the programs from the scenarios that play, so that they end; raises
    KeyboardInterrupt then."""
    def worker():
        while True:
            try:
                play(line.get_nowait())
            except queue.Empty:
                return

    def leave():
        while not line.empty():
            line.get()
        here = list(Stage.playing)
        for _ in range(20):
            for st in here:
                try:
                    st.end()
                except Exception:
                    pass # its own thread tells of it
            for t in threads:
                t.join(0.1)
        for st in here:
            st.remove()

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(n)]
    for s in signal.SIGINT, signal.SIGTERM:
        signal.signal(s, signal.default_int_handler)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    except KeyboardInterrupt:
        leave()
        raise


# The harness itself opens hundreds of sockets.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(_hard, 65536), _hard))
