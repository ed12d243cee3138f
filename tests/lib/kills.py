"""kills.py TOOL COUNT SEED - kill -9 a tool under load COUNT times.

	get	a download of 24 MiB in pieces of 64 KiB, killed at random
		moments and begun again until all is whole, again and again: the
		content is right each time, and what is downloaded twice is within
		the pieces in flight at the kills.
	seed	the seed of such a download is killed and begun again: the
		download ends right.
	tracker	a tracker with --state under announces is killed and begun again:
		each is answered, what was saved is there each time after, and
		nothing else is.

Prints one line of figures. Run in an empty folder, with the tools in PATH.
"""

import atexit
import hashlib
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

PIECE = 65536
SIZE = 24 << 20
MEMORY = 4 << 20  # of bt-get's buffers: what is in flight is within it
LOCAL = ["--port", "0", "--bind", "127.0.0.1", "--no-tracker"]

tool, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)


running = []


@atexit.register
def end_all():
    """Nothing outlives this, however it ends."""
    for p in running:
        if p.poll() is None:
            p.kill()
            p.wait()


signal.signal(signal.SIGTERM, lambda n, frame: sys.exit(128 + n))


def begin(*args, stdout=subprocess.PIPE):
    p = subprocess.Popen(args, stdout=stdout)
    p.rest = b""  # of its stdout, read and not given out yet
    running.append(p)
    return p


def lines(p, seconds):
    """Lines of p's stdout until it ends or that time is over."""
    end = time.monotonic() + seconds
    while True:
        while b"\n" in p.rest:
            line, p.rest = p.rest.split(b"\n", 1)
            yield line
        wait = end - time.monotonic()
        if wait <= 0 or not select.select([p.stdout], [], [], wait)[0]:
            return
        data = os.read(p.stdout.fileno(), 65536)
        if not data:
            return
        p.rest += data


def kill(p):
    """What it had said and nobody had read."""
    p.send_signal(signal.SIGKILL)
    said = list(lines(p, 60))
    p.wait()
    p.stdout.close()
    return said


def first(p):
    for line in lines(p, 60):
        return line.decode()
    sys.exit(f"{p.args[0]} says nothing")


def make():
    with open("x", "wb") as f:
        f.write(rng.randbytes(SIZE))
    subprocess.run(["bt-make", "-l", "64K", "-o", "x.torrent", "x"], check=True)


def begin_seed(port="0"):
    args = LOCAL[:1] + [port] + LOCAL[2:]
    p = begin("bt-seed", *args, "--limit-up", "12M", "x.torrent")
    return p, first(p).split("\t")[2]


def begin_get(peer):
    return begin("bt-get", "--json", *LOCAL, "--peer", peer,
                 "--memory", str(MEMORY), "-d", "copy", "x.torrent")


def is_right():
    with open("x", "rb") as a, open("copy/x", "rb") as b:
        return a.read() == b.read()


class Life:
    """One run of bt-get: what it had, which pieces it said came."""

    def __init__(self):
        self.had, self.said, self.down, self.done = None, set(), 0, False

    def hear(self, line):
        e = json.loads(line)
        if e["event"] == "start":
            self.had = e["have"]
        elif e["event"] == "piece":
            self.said.add(e["index"] if "index" in e else e["piece"])
        elif e["event"] == "progress":
            self.down = e["down"]
        elif e["event"] == "done":
            self.done = True


def begin_counting_seed():
    """A seed that tells how much it sent; and where it is."""
    with open("seed.out", "wb") as out:
        p = begin("bt-seed", "--json", *LOCAL, "--limit-up", "12M",
                  "x.torrent", stdout=out)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for e in told("seed.out"):
            if e["event"] == "ready":
                return p, e["address"]
        select.select([], [], [], 0.02)
    sys.exit("bt-seed says nothing")


def told(name):
    with open(name) as f:
        return [json.loads(x) for x in f if x.endswith("\n")]


def sent_at_rest(bound):
    """What the seed sent, when it sends no more."""
    end = time.monotonic() + bound
    while time.monotonic() < end:
        ups = [e["up"] for e in told("seed.out") if e["event"] == "progress"]
        if len(ups) > 2 and ups[-1] == ups[-2] == ups[-3]:
            return ups[-1]
        select.select([], [], [], 0.1)
    sys.exit("the seed does not come to rest")


def kill_get():
    make()
    s, peer = begin_counting_seed()
    killed = rounds = again = 0
    lost_most = 0
    while killed < count:
        shutil.rmtree("copy", ignore_errors=True)
        rounds += 1
        said = set()
        while True:
            g = begin_get(peer)
            life = Life()
            for line in lines(g, rng.uniform(0.05, 1.2)):
                life.hear(line)
            if not life.done and killed < count:
                for line in kill(g):
                    life.hear(line)
                killed += 1
            else:
                for line in lines(g, 120):
                    life.hear(line)
                if g.wait() != 0:
                    sys.exit(f"bt-get ended with {g.returncode}")
                g.stdout.close()
            if life.had is not None:
                # it has all that was told of: nothing verified is lost
                lost = len(said) - life.had
                lost_most = max(lost_most, lost)
                if lost > 0:
                    sys.exit(f"{lost} pieces that were whole are lost")
                again += len(said & life.said)
            said |= life.said
            if life.done:
                break
        if not is_right():
            sys.exit("the content is wrong")
    waste = (sent_at_rest(30) - rounds * SIZE) / killed
    s.kill()
    s.wait()
    if again > 0:
        sys.exit(f"{again} pieces came twice")
    if waste > MEMORY:
        sys.exit(f"{waste / PIECE:.1f} pieces a kill are wasted")
    print(f"bt-get: {killed} kills in {rounds} downloads; content right each "
          f"time; pieces told of and lost {lost_most}, come twice {again}; "
          f"wasted {waste / PIECE:.2f} pieces a kill, {MEMORY // PIECE} may be "
          "in flight")


def kill_seed():
    make()
    killed = rounds = wasted = 0
    s, peer = begin_seed()
    port = peer.rsplit(":", 1)[1]
    while killed < count:
        shutil.rmtree("copy", ignore_errors=True)
        rounds += 1
        g = begin_get(peer)
        life = Life()
        while not life.done:
            for line in lines(g, rng.uniform(0.1, 1.0)):
                life.hear(line)
                if life.done:
                    break
            if g.poll() is not None and not life.done:
                sys.exit(f"bt-get ended with {g.returncode}")
            if not life.done and killed < count:
                kill(s)
                killed += 1
                s, peer = begin_seed(port)
        g.stdout.read()
        if g.wait() != 0 or not is_right():
            sys.exit("the content is wrong")
        g.stdout.close()
    kill(s)
    print(f"bt-seed: {killed} kills in {rounds} downloads; content right each "
          "time")


# Each life of the tracker has swarms of its own, so many.
SWARMS = 50
TRACKER = ["bt-tracker", "-l", "http://127.0.0.1:0", "--state", "state",
           "--interval", "600", "--state-every", "1s"]


def info_hash(swarm):
    return "info_hash=" + "".join(
        f"%{b:02x}" for b in hashlib.sha1(b"kills %d" % swarm).digest())


def seeds(scrape, first, n):
    """How many seeds each of n swarms has, by what the tracker says."""
    q = "?" + "&".join(info_hash(i) for i in range(first, first + n))
    with urllib.request.urlopen(scrape + q, timeout=30) as r:
        body = r.read()
    said = dict(re.findall(rb"20:(.{20})d8:completei(\d+)e", body, re.S))
    return {i: int(said.get(hashlib.sha1(b"kills %d" % i).digest(), 0))
            for i in range(first, first + n)}


def announce(url, swarm, i):
    q = (f"?{info_hash(swarm)}&peer_id=-XX0001-{i:012d}"
         f"&port={1000 + i % 60000}&uploaded=0&downloaded=0&left=0&compact=1")
    with urllib.request.urlopen(url + q, timeout=30) as r:
        body = r.read()
    if not body.startswith(b"d") or b"8:intervali" not in body:
        sys.exit(f"an announce is answered with {body!r}")


def state_file():
    """Which save this is: each is a file of its own."""
    try:
        s = os.stat("state")
    except FileNotFoundError:
        return None
    return s.st_ino, s.st_mtime_ns


class TrackerLife:
    """One run of bt-tracker: what it was told, which of it must outlive it."""

    def __init__(self, number):
        self.first = number * SWARMS
        self.sent = 0
        self.told = dict.fromkeys(range(self.first, self.first + SWARMS), 0)
        self.p = begin(*TRACKER)
        self.url = first(self.p).strip()
        self.scrape = self.url.replace("/announce", "/scrape")

    def announce(self):
        swarm = self.first + self.sent % SWARMS
        announce(self.url, swarm, self.sent)
        self.sent += 1
        self.told[swarm] += 1

    def announce_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.announce()

    def announce_until_saved(self):
        """The second save from here on began after it, and has all before it."""
        seen, end = state_file(), time.monotonic() + 60
        for _ in range(2):
            while (now := state_file()) == seen:
                if time.monotonic() > end:
                    sys.exit("it does not save")
                self.announce()
            seen = now

    def look(self, known):
        """known: of each swarm the least and the most that it may have."""
        for at in range(0, self.first, SWARMS):
            for i, n in seeds(self.scrape, at, SWARMS).items():
                least, most = known[i]
                if not least <= n <= most:
                    sys.exit(f"swarm {i} has {n} seeds, and not {least} to "
                             f"{most}: life {self.first // SWARMS}")
                known[i] = n, n


def kill_tracker():
    """By turns: killed at random, killed after a save, killed, and ended."""
    known, sent, saved = {}, 0, 0
    for number in range(count):
        t = TrackerLife(number)
        t.look(known)
        t.announce()
        t.announce_for(rng.uniform(0.05, 1.4))
        least = dict.fromkeys(t.told, 0)
        if number % 4 == 1:
            least = dict(t.told)
            t.announce_until_saved()
            kill(t.p)
        elif number % 4 == 3:
            least = t.told
            t.p.send_signal(signal.SIGTERM)
            if t.p.wait(60) != -signal.SIGTERM: # 143 to a shell
                sys.exit(f"bt-tracker ended with {t.p.returncode}")
            t.p.stdout.close()
        else:
            kill(t.p)
        known.update((i, (least[i], t.told[i])) for i in least)
        sent += t.sent
        saved += sum(least.values())
    last = TrackerLife(count)
    last.look(known)
    kill(last.p)
    print(f"bt-tracker: {count} ends, three of four by kill -9, {sent} "
          f"announces; the {saved} that were saved are there each time")


{"get": kill_get, "seed": kill_seed, "tracker": kill_tracker}[tool]()
