#!/usr/bin/env python3
"""Announces a tracker answers, beside opentracker: CPU time for a reply.

usage: tracker.py [-w] [-r RUNS] [-t SECONDS] [-n TORRENTS] [-P PEERS] [MODE...]

One worker and the generator (announce.c) have a core each; the trackers take
turns. A line for each run goes to stderr, the medians to stdout: the mode, our
microseconds of CPU time for a reply, opentracker's, theirs divided by ours, and
the 99th percentiles of both in microseconds. MODE is close, keep or udp.
-w has two workers of ours in opentracker's place, on both cores with the
generator: what sharing costs.
BUILD names the folder of the programs (build).
"""
import getopt
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

from rig import is_listening, wait_until

BUILD = os.environ.get("BUILD", "build")
ANNOUNCE = os.path.join(BUILD, "tests/bench/announce")
OURS = os.path.join(BUILD, "bin/bt-tracker")
MODES = ("close", "keep", "udp")
ALIVE = []


def start(*command, cores="0", **more):
    p = subprocess.Popen(["taskset", "-c", cores, *command], **more)
    ALIVE.append(p)
    return p


def stop(p):
    p.send_signal(signal.SIGTERM)
    p.wait()
    p.stdout and p.stdout.close()
    ALIVE.remove(p)


def ours(_, workers="1", cores="0"):
    p = start(OURS, "-l", "127.0.0.1:0", "--workers", workers,
              cores=cores, stdout=subprocess.PIPE, text=True)
    return p, p.stdout.readline().split("/")[2]


def two_workers(folder):
    return ours(folder, "2", "0,1")


def free_port():
    """Free for TCP and UDP alike."""
    while True:
        with socket.socket() as tcp, \
                socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


def opentracker(folder):
    port = str(free_port())
    p = start("opentracker", "-i", "127.0.0.1", "-p", port, "-P", port,
              "-d", folder, "-w", "whitelist", cwd=folder,
              stderr=subprocess.DEVNULL)
    wait_until(10, lambda: is_listening("127.0.0.1", int(port)))
    return p, "127.0.0.1:" + port


def measure(tracker, folder, mode, options):
    p, where = tracker(folder)
    try:
        line = subprocess.run(
            ["taskset", "-c", "1", ANNOUNCE, "-p", str(p.pid), *options,
             mode, where], check=True, stdout=subprocess.PIPE,
            text=True).stdout.strip()
    finally:
        stop(p)
    print("%-11s %s" % (tracker.__name__, line), file=sys.stderr, flush=True)
    return {k: v if k == "mode" else float(v)
            for k, v in (word.split("=") for word in line.split())}


def main():
    flags, modes = getopt.getopt(sys.argv[1:], "wr:t:n:P:")
    flags = dict(flags)
    other = opentracker if flags.pop("-w", None) is None else two_workers
    runs = int(flags.pop("-r", 5))
    options = [word for flag in flags.items() for word in flag]
    # it gives up root, and must still read its whitelist
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    try:
        with open(os.path.join(folder, "whitelist"), "wb") as f:
            subprocess.run([ANNOUNCE, *options, "hashes", ""], check=True,
                           stdout=f)
        for mode in modes or MODES:
            got = {tracker: [] for tracker in (ours, other)}
            for _ in range(runs):
                for tracker, figures in got.items():
                    figures.append(measure(tracker, folder, mode, options))
            mid = {(tracker.__name__, key):
                   statistics.median(f[key] for f in figures)
                   for tracker, figures in got.items()
                   for key in ("server_us", "p99_us")}
            us, them = (mid[name, "server_us"]
                        for name in ("ours", other.__name__))
            print("%-5s us %.2f theirs %.2f ratio %.2f p99 %d theirs %d" %
                  (mode, us, them, them / us, mid["ours", "p99_us"],
                   mid[other.__name__, "p99_us"]), flush=True)
    finally:
        for p in list(ALIVE):
            stop(p)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
