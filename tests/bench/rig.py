"""rig - what the rows share: the settings, the content, processes and what
they cost, rounds of programs in turn, a tracker that knows one answer.

Everything runs in a network namespace whose loopback has 198.18.0.0/16, so that
each program has an address of its own and ports may be fixed.
"""
import fcntl
import http.server
import os
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time

POLL = 0.005
HOLD = 60  # seconds that others may have to wait for the machine
TRIES = 3
TAKEN_MAX = 0.04  # of the time worked; more, and a turn is taken anew
LONG = 10  # seconds; what takes longer is not
SEED = "198.18.0.1"
TRACKER = "198.18.0.100"
PORT = 6881
ANNOUNCE = "http://%s:6969/announce" % TRACKER


def leech_addr(n=0):
    return "198.18.0.%d" % (2 + n)


class Missing(Exception):
    """A program that is not installed."""


class Failed(Exception):
    """A run that gave no figure."""


class Item:
    """A content and its torrent: a name of one file in a folder."""

    def __init__(self, folder, name, size, piece):
        self.folder, self.name, self.size = folder, name, size
        self.piece = piece
        self.path = os.path.join(folder, name)
        self.torrent = os.path.join(folder, name + ".torrent")


class Bench:
    def __init__(self):
        self.root = os.path.dirname(os.path.dirname(os.path.dirname(
            os.path.abspath(__file__))))
        build = os.environ.get("BUILD", "build")
        build = os.path.join(self.root, build)
        self.bin = os.path.join(build, "bin")
        self.tools = os.path.join(build, "tests/bench")
        self.quick = os.environ.get("BENCH_QUICK", "") not in ("", "0")
        self.runs = int(os.environ.get("BENCH_RUNS", 1 if self.quick else 5))
        self.cut = float(os.environ.get("BENCH_CUT",
                                        10 if self.quick else 60))
        # Who took longer twice has no third turn.
        self.slow = 20
        self.dir = os.environ.get("BENCH_DIR") or os.path.join(
            os.environ.get("TMPDIR", "/tmp"), "bt-bench")
        self.locks = [x for x in os.environ.get("BENCH_LOCKS", "").split(":")
                      if x]
        self.only = [x for x in os.environ.get("BENCH_ONLY", "").split(";")
                     if x]
        self.held, self.since = [], 0.0
        self.items = {}
        self.processes = []

    def size(self, full, quick):
        return quick if self.quick else full

    def tool(self, name):
        return os.path.join(self.tools, name)

    def bt(self, name):
        return os.path.join(self.bin, name)

    def scratch(self, name):
        """An empty folder of this name."""
        path = os.path.join(self.dir, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def item(self, name):
        """m and l are the sizes that people have published figures for."""
        if name in self.items:
            return self.items[name]
        size, piece = {
            "m": (self.size(1340000000, 67000000), "1M"),
            "l": (self.size(2910000000, 145000000), "2M"),
            "swarm": (self.size(200000000, 20000000), "256K"),
            "small": (400000, "32K"),
        }[name]
        folder = os.path.join(self.dir, "content")
        os.makedirs(folder, exist_ok=True)
        it = Item(folder, name, size, piece)
        if not (os.path.exists(it.torrent) and
                os.path.getsize(it.path) == size):
            with open(it.path, "wb") as f:
                keys = subprocess.Popen(
                    ["openssl", "enc", "-aes-128-ctr", "-pass",
                     "pass:" + name, "-nosalt", "-pbkdf2", "-in",
                     "/dev/zero"], stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL)
                head = subprocess.run(["head", "-c", str(size)],
                                      stdin=keys.stdout, stdout=f)
                keys.kill()
                keys.wait()
                if head.returncode:
                    raise Failed("no content")
            subprocess.run([self.bt("bt-make"), "-f", "-q", "-l", piece,
                            "-a", ANNOUNCE, "-o", it.torrent, it.path],
                           check=True)
        self.items[name] = it
        return it

    def warm(self, item, copies=1):
        """The content in the page cache, and memory at hand for so many copies
        of it: see warm.c. Three times as much as that was seen to be needed
        for the next program to get pages of it."""
        with open("/proc/meminfo") as f:
            free = [int(x.split()[1]) << 10 for x in f
                    if x.startswith("MemAvailable")][0]
        hold = min(3 * item.size * copies + (256 << 20), free * 6 // 10)
        subprocess.run([self.tool("warm"), str(hold), item.path], check=True)

    def lock(self):
        """The machine is ours, among those who lock the same files."""
        if not self.held:
            self.held = [open(name, "a") for name in self.locks]
            for f in self.held:
                fcntl.flock(f, fcntl.LOCK_EX)
            self.since = time.monotonic()

    def unlock(self, least=0.0):
        """Others may have it, after so many seconds."""
        if self.held and time.monotonic() - self.since >= least:
            for f in self.held:
                f.close()
            self.held = []

    def start(self, *args, **kw):
        p = Process(self, *args, **kw)
        self.processes.append(p)
        return p

    def end_all(self):
        while self.processes:
            self.processes.pop().end()


def same(a, b):
    return subprocess.run(["cmp", "-s", a, b]).returncode == 0


def free_port(addr):
    with socket.socket() as s:
        s.bind((addr, 0))
        return s.getsockname()[1]


def wait_until(seconds, what):
    """Poll until what() is true; False when the time is over."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() >= end:
            return False
        time.sleep(POLL)
    return True


def is_listening(addr, port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((addr, port)) == 0


class Process:
    """A program under tests/bench/meter, with its output in files."""

    count = 0

    def __init__(self, bench, *args, cwd=None, env=None):
        if shutil.which(args[0]) is None:
            raise Missing(args[0])
        Process.count += 1
        base = os.path.join(bench.dir, "p%d" % Process.count)
        self.bench = bench
        self.args = args
        self.files = [base + x for x in (".meter", ".out", ".err")]
        for f in self.files:
            open(f, "w").close()
        self.began = time.monotonic()
        with open(self.files[1], "w") as out, open(self.files[2], "w") as err:
            self.meter = subprocess.Popen(
                [bench.tool("meter"), self.files[0]] + list(args),
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
                env=env)
        if not wait_until(10, lambda: self.lines(0)):
            raise Failed("meter does not start")
        self.pid = int(self.lines(0)[0].split("=")[1])

    def lines(self, n=1):
        with open(self.files[n], errors="replace") as f:
            return [x[:-1] for x in f if x.endswith("\n")]

    def is_over(self):
        return self.meter.poll() is not None

    def wait_line(self, seconds, begins=""):
        """The first line of stdout that begins so."""
        found = []

        def look():
            found[:] = [x for x in self.lines() if x.startswith(begins)]
            return found or self.is_over()
        if not wait_until(seconds, look) or not found:
            raise Failed("%s: no line '%s': %s" % (
                self.args[0], begins, self.said()))
        return found[0]

    def said(self):
        return " / ".join((self.lines(2) or self.lines())[-3:])

    def wait(self, seconds):
        """Its figures when it has ended; None when the time is over."""
        try:
            self.meter.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        m = fields(self.lines(0)[-1])
        if m.get("status"):
            raise Failed("%s: status %d: %s" % (
                os.path.basename(self.args[0]), m["status"], self.said()))
        return m

    def cpu(self):
        """Seconds of processor time until now."""
        try:
            return time.clock_gettime((~self.pid << 3) | 2)
        except OSError:
            return 0.0

    def status(self, name):
        """A figure of /proc/PID/status in KiB."""
        try:
            with open("/proc/%d/status" % self.pid) as f:
                for line in f:
                    if line.startswith(name + ":"):
                        return int(line.split()[1])
        except OSError:
            pass
        return 0

    def now(self):
        return {"wall": time.monotonic() - self.began, "cpu": self.cpu(),
                "vmhwm_kib": self.status("VmHWM"),
                "rssanon_kib": self.status("RssAnon")}

    def end(self, number=signal.SIGTERM):
        if self.meter.poll() is None:
            self.meter.send_signal(number)
            try:
                self.meter.wait(10)
            except subprocess.TimeoutExpired:
                try:
                    os.kill(self.pid, signal.SIGKILL)
                except OSError:
                    pass
                self.meter.wait()
        for f in self.files:
            if os.path.exists(f):
                os.unlink(f)
        if self in self.bench.processes:
            self.bench.processes.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def fields(line):
    """key=value key=value, numbers as such."""
    out = {}
    for word in line.split():
        key, eq, value = word.partition("=")
        if eq:
            try:
                out[key] = float(value)
            except ValueError:
                out[key] = value
    return out


def tool(bench, name, *args, timeout=120):
    """The figures that one of the bench programs prints."""
    try:
        r = subprocess.run([bench.tool(name)] + [str(a) for a in args],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=timeout, text=True)
    except subprocess.TimeoutExpired as e:
        raise Failed("%s: not done in %.0f s" % (name, timeout)) from e
    if r.returncode:
        raise Failed("%s: %s" % (name, r.stderr.strip()))
    return fields(r.stdout.strip().splitlines()[-1])


def times():
    """Seconds/100 that the machine worked, and that its host took away."""
    with open("/proc/stat") as f:
        t = [int(x) for x in f.readline().split()[1:]]
    return t[0] + t[1] + t[2] + t[5] + t[6] + t[7], t[7]


def undisturbed(bench, one, p, note):
    """one(p), again if a virtual machine's host took much of it away: of up to
    three the one that lost least."""
    least, best = None, None
    for _ in range(TRIES):
        bench.end_all()
        before = times()
        f = one(p)
        worked, taken = (b - a for a, b in zip(before, times()))
        share = taken / max(worked, 1)
        if least is None or share < least:
            least, best = share, f
        if share <= TAKEN_MAX or f.get("cut") or f.get("wall", 0) > LONG:
            break
        note("%s: %.0f %% of the processor was taken away" % (p, 100 * share))
    return best


def rounds(bench, programs, one, note, once=(), often=()):
    """Each program in turn, as often as is asked, and the medians of what
    one(program) gave: {program: figures}. Who is missing, fails or is cut off
    (figures with "cut") has had its turn, and who is slow has two; `once` have
    one, and `often` three times as many as others."""
    got = {p: [] for p in programs}
    over = {p: {"note": "left out"} for p in programs
            if bench.only and p not in bench.only}
    runs = bench.runs
    for n in range(3 * runs if often and not bench.quick else runs):
        for p in programs:
            if p in over or (got[p] and p in once) or (
                    n >= runs and p not in often) or (
                    len(got[p]) > 1 and
                    min(f.get("wall", 0) for f in got[p]) > bench.slow):
                continue
            try:
                bench.lock()
                f = undisturbed(bench, one, p, note)
                if f.get("cut"):
                    over[p] = f
                else:
                    got[p].append(f)
                note("%s %d: %s" % (p, n + 1, " ".join(
                    "%s=%.3g" % (k, v) for k, v in f.items()
                    if isinstance(v, (int, float)))))
            except Missing as e:
                over[p] = {"note": "missing"}
                note("%s: missing %s" % (p, e))
            except (Failed, OSError, subprocess.SubprocessError) as e:
                over[p] = {"note": "failed: %s" % e}
                note("%s: %s" % (p, e))
            finally:
                bench.end_all()
                bench.unlock(HOLD)
    bench.unlock()
    return {p: over.get(p) or medians(got[p]) for p in programs}


def medians(runs):
    keys = {k for r in runs for k in r}
    out = {}
    for k in keys:
        v = [r[k] for r in runs if k in r]
        if all(isinstance(x, (int, float)) for x in v):
            out[k] = statistics.median(v)
        else:
            out[k] = v[-1]
    out["runs"] = len(runs)
    return out


class OneAnswer:
    """A tracker that gives the same peers to everybody, for the clients that
    take them from nobody else."""

    def __init__(self, peers):
        packed = b"".join(socket.inet_aton(a) + p.to_bytes(2, "big")
                          for a, p in peers)
        body = b"d8:intervali5e12:min intervali5e5:peers%d:%se" % (
            len(packed), packed)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer((TRACKER, 6969),
                                                      Handler)
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05})
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
