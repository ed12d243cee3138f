#!/usr/bin/env python3
"""Peers that come, go on, complete, move, stop and fall silent, by HTTP, HTTPS
and UDP and from both families, with a book of who ought to be there.

usage: churn.py PORT HTTPS-PORT SECONDS EXPIRE PEERS SWARMS PID

The tracker is at 127.0.0.1 and ::1. PEERS are there at any time, in so
many SWARMS, and a peer that falls silent is to be forgotten EXPIRE (and a fifth
more) after it last said anything. SECONDS long; then all who are there announce
once more, and when the silent ones must be gone each swarm's scrape is compared
with the book, and what the statistics say of all with its sum. Meanwhile the
resident memory of process PID is read. The last line is

    announces=N swarms=N peers=N sure=N differ=N rss_early=KIB rss_late=KIB

sure is in how many swarms completions were compared too: where nobody was for
long they are forgotten. rss_early is the most in the second quarter of the
time, rss_late the most in the second half. A reply that is none ends it at
once.
"""
import hashlib
import json
import os
import random
import socket
import struct
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import anytls

MAGIC = 0x41727101980
BATCH = 64
PATIENCE = 30
SEED = 1


class Peer:
    def __init__(self, swarm, where, port, number):
        self.swarm, self.where, self.port = swarm, where, port
        self.id = b"-CH0001-%012d" % number
        self.key = number * 2654435761 % 2**32 | 1
        self.seed = False
        self.last = 0.0


class Swarm:
    def __init__(self, number):
        self.hash = hashlib.sha1(b"churn %d" % number).digest()
        self.escaped = "".join("%%%02x" % b for b in self.hash)
        self.downloaded = 0
        self.last = time.monotonic()
        self.sure = True  # it was never silent for long: completions stand


class Http:
    """A connection of one address; requests go out together."""

    def __init__(self, where, port, https):
        host = "::1" if ":" in where else "127.0.0.1"
        s = socket.create_connection((host, https or port), PATIENCE,
                                     (where, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if https:
            s = anytls.context().wrap_socket(s)
        self.sock, self.stream = s, s.makefile("rb")

    def announce(self, asks):
        self.sock.sendall("".join(
            "GET /announce?info_hash=%s&peer_id=%s&port=%d&left=%d&key=%x"
            "&event=%s&numwant=20 HTTP/1.1\r\nHost: x\r\n\r\n" % (
                p.swarm.escaped, p.id.decode(), p.port, left, p.key,
                ("", "completed", "started", "stopped")[event])
            for p, left, event in asks).encode())
        for _ in asks:
            body = self.reply()
            assert b"8:intervali" in body and body[-1:] == b"e", body

    def reply(self):
        assert self.stream.readline().startswith(b"HTTP/1.1 200 "), "status"
        for line in iter(self.stream.readline, b"\r\n"):
            if line.startswith(b"Content-Length:"):
                length = int(line.split()[1])
        body = self.stream.read(length)
        assert len(body) == length, "cut"
        return body

    def scrape(self, swarms):
        self.sock.sendall(("GET /scrape?%s HTTP/1.1\r\nHost: x\r\n\r\n" %
                           "&".join("info_hash=" + s.escaped for s in swarms)
                           ).encode())
        return self.reply()


class Udp:
    """A socket of one address; what is not answered is sent again."""

    def __init__(self, where, port):
        v6 = ":" in where
        self.sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET,
                                  socket.SOCK_DGRAM)
        self.sock.bind((where, 0))
        self.sock.connect(("::1" if v6 else "127.0.0.1", port))
        self.sock.settimeout(1)
        self.id, self.since, self.transaction = 0, -1e9, 0

    def connect(self):
        (reply,) = self.exchange([struct.pack(">QI", MAGIC, 0)])
        self.id, = struct.unpack(">Q", reply[8:16])
        self.since = time.monotonic()

    def exchange(self, packets):
        """Each gets a transaction id after its first 12 bytes."""
        first = self.transaction
        self.transaction = (first + len(packets)) % 2**31
        waiting = {first + i: p[:12] + struct.pack(">I", first + i) + p[12:]
                   for i, p in enumerate(packets)}
        replies = {}
        deadline = time.monotonic() + PATIENCE
        while waiting:
            assert time.monotonic() < deadline, "no answer by UDP"
            for packet in waiting.values():
                self.sock.send(packet)
            try:
                while waiting:
                    reply = self.sock.recv(4096)
                    action, transaction = struct.unpack_from(">II", reply)
                    if waiting.pop(transaction, None) is not None:
                        assert action != 3, reply
                        replies[transaction] = reply
            except TimeoutError:
                pass
        return [replies[t] for t in sorted(replies)]

    def announce(self, asks):
        if time.monotonic() - self.since > 45:
            self.connect()
        self.exchange([struct.pack(
            ">QI20s20sQQQIIIiH", self.id, 1, p.swarm.hash, p.id, 0, left, 0,
            event, 0, p.key, 20, p.port) for p, left, event in asks])


class Churn:
    def __init__(self, port, https, expire, target, nswarms):
        self.rng = random.Random(SEED)
        self.expire, self.target = expire, target
        self.swarms = [Swarm(i) for i in range(nswarms)]
        self.fronts = []
        for i in range(8):
            where = "::1" if i % 4 == 3 else "127.2.0.%d" % (i + 1)
            self.fronts.append((where, [Http(where, port, 0), Udp(where, port)]
                                + [Http(where, port, https)] * (i < 4)))
        self.by_where = dict()
        for where, lanes in self.fronts:
            self.by_where.setdefault(where, []).extend(lanes)
        self.peers = []       # who is there
        self.taken = set()    # endpoints that are, or may be, in use
        self.silent_until = 0.0
        self.number = self.announces = 0

    def say(self, asks):
        """asks: of one address. (peer, left, event) each."""
        if not asks:
            return
        lanes = self.by_where[asks[0][0].where]
        self.rng.choice(lanes).announce(asks)
        now = time.monotonic()
        self.announces += len(asks)
        for p, left, event in asks:
            if now - p.swarm.last > self.expire * 0.7:
                p.swarm.sure = False
            p.swarm.last = p.last = now
            if event == 1 and not p.seed:
                p.swarm.downloaded += 1
            p.seed = left == 0

    def joining(self, where, n):
        asks = []
        while len(asks) < n:
            swarm = self.swarms[min(self.rng.randrange(len(self.swarms)),
                                    self.rng.randrange(len(self.swarms)))]
            port = self.rng.randrange(1024, 65536)
            if (swarm, where, port) in self.taken:
                continue
            self.taken.add((swarm, where, port))
            self.number += 1
            p = Peer(swarm, where, port, self.number)
            self.peers.append(p)
            asks.append((p, 0 if self.rng.randrange(4) == 0 else 1, 2))
        return asks

    def take(self, where, n):
        """n who are there, at this address, or fewer."""
        out = []
        for _ in range(4 * n):
            if len(out) == n or not self.peers:
                break
            i = self.rng.randrange(len(self.peers))
            if self.peers[i].where == where:
                out.append(self.peers[i])
                self.peers[i] = self.peers[-1]
                self.peers.pop()
        return out

    def step(self):
        where = self.rng.choice(self.fronts)[0]
        asks = []
        lack = self.target - len(self.peers)
        if lack > 0:
            asks += self.joining(where, min(lack, BATCH))
        else:
            for p in self.take(where, 4):
                asks.append((p, 0 if p.seed else 1, 3))
                self.taken.discard((p.swarm, p.where, p.port))
            for p in self.take(where, 3):  # says nothing more
                self.silent_until = max(self.silent_until,
                                        p.last + self.expire * 1.2)
        busy = {a[0] for a in asks}
        for p in self.take(where, BATCH // 4):
            self.peers.append(p)
            if p in busy:
                continue
            busy.add(p)
            fresh = time.monotonic() - p.last < self.expire / 2
            done = not p.seed and fresh and self.rng.randrange(3) == 0
            asks.append((p, 0 if p.seed or done else 1, 1 if done else 0))
        self.say(asks)
        self.move(where)

    def move(self, where):
        """One goes to another port, which its id and key say."""
        for p in self.take(where, 1):
            self.peers.append(p)
            port = self.rng.randrange(1024, 65536)
            if (p.swarm, where, port) in self.taken or \
                    time.monotonic() - p.last > self.expire / 2:
                return
            self.taken.discard((p.swarm, where, p.port))
            self.taken.add((p.swarm, where, port))
            p.port = port
            self.say([(p, 0 if p.seed else 1, 0)])

    def all_again(self, older_than):
        """Who said nothing for so long announces again."""
        now = time.monotonic()
        for where in self.by_where:
            late = [p for p in self.peers
                    if p.where == where and now - p.last >= older_than]
            for i in range(0, len(late), BATCH):
                self.say([(p, 0 if p.seed else 1, 0)
                          for p in late[i:i + BATCH]])

    def wait_for_late(self, older_than, until):
        """Until all_again() finds somebody, or until then."""
        due = min((p.last for p in self.peers), default=until) + older_than
        threading.Event().wait(max(0, min(due, until) - time.monotonic()))

    def is_sure(self, swarm):
        return swarm.sure and \
            time.monotonic() - swarm.last < self.expire * 0.7

    def recount(self):
        want = {s: [0, s.downloaded, 0] for s in self.swarms}
        for p in self.peers:
            want[p.swarm][0 if p.seed else 2] += 1
        differ = 0
        lane = self.fronts[0][1][0]
        for i in range(0, len(self.swarms), 20):
            some = self.swarms[i:i + 20]
            body = lane.scrape(some)
            for s in some:
                at = body.index(b"20:" + s.hash) + 23
                got = [int(body[body.index(n, at) + len(n):].split(b"e")[0])
                       for n in (b"8:completei", b"10:downloadedi",
                                 b"10:incompletei")]
                if not self.is_sure(s):
                    got[1] = want[s][1]
                if got != want[s]:
                    differ += 1
                    print("swarm %s: %r, not %r" % (s.hash.hex(), got,
                                                    want[s]))
        return differ


def statistics(port):
    with urllib.request.urlopen("http://127.0.0.1:%d/stats.json" % port,
                                timeout=PATIENCE) as f:
        return json.load(f)


def resident(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise ProcessLookupError(pid)


def main():
    port, https, seconds, expire, peers, nswarms, pid = (
        int(word) for word in sys.argv[1:])
    c = Churn(port, https, expire, peers, nswarms)
    begun = time.monotonic()
    rss, next_look, next_pass = [], 0.0, expire / 4
    while (now := time.monotonic() - begun) < seconds:
        c.step()
        if now > next_look:
            next_look = now + 0.25
            rss.append((now / seconds, resident(pid)))
            statistics(port)
        if now > next_pass:
            next_pass = now + expire / 8
            c.all_again(expire / 4)
    print("under load until here", flush=True)
    sys.stdin.readline()  # until the other load is over, too
    deadline = max(c.silent_until, time.monotonic() + expire * 1.2) + 1
    while time.monotonic() < deadline:
        c.all_again(expire / 4)
        c.wait_for_late(expire / 4, deadline)
    c.all_again(0)
    differ = c.recount()
    said, seeds = statistics(port), sum(p.seed for p in c.peers)
    if (said["peers"]["seeds"], said["peers"]["leeches"]) != (
            seeds, len(c.peers) - seeds):
        differ += 1
        print("%r are said to be, not %d seeds of %d" % (
            said["peers"], seeds, len(c.peers)))
    if not len({p.swarm for p in c.peers}) <= said["torrents"] <= nswarms:
        differ += 1
        print("%r torrents are said to be" % said["torrents"])
    print("announces=%d swarms=%d peers=%d sure=%d differ=%d rss_early=%d "
          "rss_late=%d" % (
              c.announces, nswarms, len(c.peers),
              sum(c.is_sure(s) for s in c.swarms), differ,
              max(r for at, r in rss if 0.25 <= at < 0.5),
              max(r for at, r in rss if at >= 0.5)))


main()
