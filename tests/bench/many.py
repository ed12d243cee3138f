"""many - 5,000 torrents in one bt-seed: memory, the cost of doing nothing, and
how its announces are spread. Item 8."""
import collections
import glob
import hashlib
import http.server
import os
import sys
import threading
import time

from rig import ANNOUNCE, PORT, SEED, TRACKER, Failed, rounds, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../lib"))
from bencode import bencode

SIZE = 20000  # bytes of each content


class Counter:
    """A tracker that counts who announced when, and knows no peers."""

    def __init__(self):
        self.times = []
        times = self.times

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                times.append(time.monotonic())
                body = b"d8:intervali1800e5:peers0:e"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            request_queue_size = 1024
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who closes early has had its answer
        self.server = Server((TRACKER, 6969), Handler)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def busiest(self):
        """Announces in the second that had most of them."""
        if not self.times:
            return 0
        each = collections.Counter(int(t - self.times[0])
                                   for t in self.times)
        return max(each.values())


def content(bench, n):
    """n files with a torrent each."""
    folder = os.path.join(bench.dir, "many%d" % n)
    if os.path.exists(os.path.join(folder, "ready")):
        return folder
    os.makedirs(folder, exist_ok=True)
    for i in range(n):
        data = hashlib.shake_128(b"%d" % i).digest(SIZE)
        name = "file%05d" % i
        info = {b"length": SIZE, b"name": name.encode(),
                b"piece length": 16384,
                b"pieces": b"".join(
                    hashlib.sha1(data[at:at + 16384]).digest()
                    for at in range(0, SIZE, 16384))}
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
        with open(os.path.join(folder, name + ".torrent"), "wb") as f:
            f.write(bencode({b"announce": ANNOUNCE.encode(),
                              b"info": info}))
    open(os.path.join(folder, "ready"), "w").close()
    return folder


def one(bench, n, seconds):
    folder = content(bench, n)
    torrents = sorted(glob.glob(os.path.join(folder, "*.torrent")))
    metainfo = sum(os.path.getsize(t) for t in torrents)
    tracker = Counter()
    try:
        p = bench.start(bench.bt("bt-seed"), "--no-progress", "--port",
                        str(PORT), "--bind", SEED, "-d", folder, *torrents)
        if not wait_until(120, lambda: p.is_over() or len(
                [x for x in p.lines() if x.startswith("ready")]) == n):
            raise Failed("not all are ready")
        if p.is_over():
            raise Failed(p.said())
        ready = time.monotonic() - p.began
        # Whatever their spread, all have announced or this ends.
        announced = wait_until(bench.size(90, 30),
                               lambda: len(tracker.times) >= n)
        spread = (tracker.times[-1] - tracker.times[0]
                  if tracker.times else 0.0)
        began, cpu = time.monotonic(), p.cpu()
        wait_until(seconds, p.is_over)
        cpu = (p.cpu() - cpu) / (time.monotonic() - began)
        return {"ready": ready, "rss_kib": p.status("VmRSS"),
                "vmhwm_kib": p.status("VmHWM"),
                "metainfo_kib": metainfo / 1024, "cpu_percent": cpu * 100,
                "announces": len(tracker.times), "spread": spread,
                "all_announced": float(announced),
                "busiest": tracker.busiest()}
    finally:
        bench.end_all()
        tracker.end()


def run(bench, note):
    n = bench.size(5000, 500)
    got = rounds(bench, ("bt-seed",),
                 lambda p: one(bench, n, bench.size(30, 3)), note,
                 ("bt-seed",))
    f = got["bt-seed"]
    checks = []
    if "rss_kib" in f:
        checks = [{"item": 8, "what": "%d torrents: RSS less metainfo, MiB" %
                   n, "figure": (f["vmhwm_kib"] - f["metainfo_kib"]) / 1024,
                   "most": 64},
                  {"item": 8, "what": "%d torrents: CPU of doing nothing, %%"
                   % n, "figure": f["cpu_percent"], "most": 1}]
    return {"title": "%d torrents in one bt-seed" % n, "checks": checks,
            "charts": [], "records": [dict(f, program="bt-seed")],
            "columns": [["program", "program", ""],
                        ["ready", "all ready, s", ".1f"],
                        ["vmhwm_kib", "VmHWM, MiB", "mib"],
                        ["metainfo_kib", "metainfo, MiB", "mib"],
                        ["cpu_percent", "CPU of doing nothing, %", ".2f"],
                        ["announces", "announces", ".0f"],
                        ["spread", "over, s", ".1f"],
                        ["busiest", "in the busiest second", ".0f"]]}
