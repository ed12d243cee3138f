"""kills.py TOOL COUNT SEED - kill -9 a tool under load COUNT times.

	get	a download of 24 MiB in pieces of 64 KiB, killed at random
		moments and begun again until all is whole, again and again: the
		content is right each time, and what is downloaded twice is within
		the pieces in flight at the kills.
	seed	the seed of such a download is killed and begun again: the
		download ends right.
	tracker	a tracker with --state under announces is killed and begun again:
		each answers, and what was saved is there.

Prints one line of figures. Run in an empty folder, with the tools in PATH.
"""

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


def lines(p, seconds):
    """Lines of p's stdout until it ends or that time is over."""
    end = time.monotonic() + seconds
    left = b""
    while True:
        wait = end - time.monotonic()
        if wait <= 0 or not select.select([p.stdout], [], [], wait)[0]:
            return
        data = os.read(p.stdout.fileno(), 65536)
        if not data:
            return
        *whole, left = (left + data).split(b"\n")
        yield from whole


def begin(*args):
    return subprocess.Popen(args, stdout=subprocess.PIPE)


def kill(p):
    p.send_signal(signal.SIGKILL)
    p.stdout.read()
    p.wait()
    p.stdout.close()


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
        p = subprocess.Popen(["bt-seed", "--json", *LOCAL, "--limit-up", "12M",
                              "x.torrent"], stdout=out)
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
                kill(g)
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


TORRENTS = 200


def info_hash(i):
    return "info_hash=" + f"%{i % TORRENTS:02x}" * 20


def seeded(scrape):
    """How many torrents have a seed, by what the tracker says."""
    n = 0
    for i in range(0, TORRENTS, 50):
        q = "?" + "&".join(info_hash(k) for k in range(i, i + 50))
        with urllib.request.urlopen(scrape + q, timeout=30) as r:
            n += len(re.findall(rb"8:completei[1-9][0-9]*e", r.read()))
    return n


def announce(url, i):
    q = (f"?{info_hash(i)}&peer_id=-XX0001-{i:012d}"
         f"&port={1000 + i}&uploaded=0&downloaded=0&left=0&compact=1")
    with urllib.request.urlopen(url + q, timeout=30) as r:
        return r.read()


def kill_tracker():
    killed = sent = 0
    known = 0
    while killed < count:
        t = begin("bt-tracker", "-l", "http://127.0.0.1:0", "--state", "state",
                  "--interval", "600", "--state-every", "1s")
        url = first(t).strip()
        scrape = url.replace("/announce", "/scrape")
        there = seeded(scrape)
        if there < known:
            sys.exit(f"{there} torrents are there of {known} that were saved")
        end = time.monotonic() + rng.uniform(0.05, 1.4)
        while time.monotonic() < end:
            announce(url, sent)
            sent += 1
        if killed % 4 == 3:
            known = seeded(scrape)
            t.send_signal(signal.SIGTERM)
            t.wait()
            t.stdout.close()
        else:
            kill(t)
        killed += 1
    print(f"bt-tracker: {killed} ends, three of four by kill -9, {sent} "
          f"announces; what was saved is there each time ({known} torrents)")


{"get": kill_get, "seed": kill_seed, "tracker": kill_tracker}[tool]()
