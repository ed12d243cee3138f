#!/usr/bin/env python3
"""bench.py [ROW]... - measure these tools beside the programs that are
installed, on the same content, and write what was found.

Rows: see ROWS; without any, all of them. BENCH_RUNS=5 is how often each
program has its turn, BENCH_QUICK=1 takes small content, BENCH_CUT=60 is after
how many seconds a download is cut off, BENCH_DIR is where the content goes
(some 8 GB). BENCH_LOCKS=FILE[:FILE] are locked for a minute of turns at a time, for a machine
that is shared with others who lock them.

results.json keeps the last figures of each row; RESULTS.md and results.svg are
made of them (`bench.py --report` does only that).
"""
import importlib
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import time

import chart
import report
from rig import Bench

HERE = os.path.dirname(os.path.abspath(__file__))
# The name of a row, and the function of a module here that measures it.
ROWS = {"one-to-one": ("pair", "run"), "seed-cost": ("cost", "seeds"),
        "leech-cost": ("cost", "leeches"), "small": ("small", "run"),
        "digest": ("digest", "run"), "swarm": ("swarm", "run"),
        "load": ("load", "run"), "idle": ("load", "run_idle"),
        "many": ("many", "run")}


def enter_namespace():
    """Again, with a network that nobody else has."""
    if os.environ.get("BENCH_INSIDE"):
        subprocess.run("ip link set lo up && "
                       "ip addr add 198.18.0.1/16 dev lo",
                       shell=True, check=True)
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        return
    flags = ["-n"] if os.geteuid() == 0 else ["-rn"]
    os.environ["BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare"] + flags + [
        sys.executable, "-u", os.path.abspath(__file__)] + sys.argv[1:])


def machine():
    model = "unknown"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
    with open("/proc/cpuinfo") as f:
        flags = f.read().split()
    return {"cpu": model, "cores": os.cpu_count(),
            "kernel": platform.release().split("-")[0],
            "simd": [x for x in ("avx2", "avx512f", "sha_ni")
                     if x in flags]}


def main():
    path = os.path.join(os.environ.get("BENCH_OUT", HERE), "results.json")
    names = [a for a in sys.argv[1:] if a != "--report"]
    unknown = [n for n in names if n not in ROWS]
    if unknown:
        sys.exit("no such row: %s; there are %s" % (
            " ".join(unknown), " ".join(ROWS)))
    results = {"rows": {}}
    if os.path.exists(path):
        with open(path) as f:
            results = json.load(f)
    if "--report" not in sys.argv:
        enter_namespace()
        # What was begun is ended, whoever ends this.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        bench = Bench()
        os.makedirs(bench.dir, exist_ok=True)
        for name in names or ROWS:
            began = time.monotonic()
            module, function = ROWS[name]
            row = getattr(importlib.import_module(module), function)

            def note(s):
                print("%s: %s" % (name, s), file=sys.stderr, flush=True)
            try:
                got = row(bench, note)
            finally:
                bench.end_all()
            got.update(runs=bench.runs, quick=bench.quick, machine=machine(),
                       seconds=round(time.monotonic() - began))
            results["rows"][name] = got
            results["rows"] = {n: results["rows"][n] for n in ROWS
                               if n in results["rows"]}
            with open(path + ".new", "w") as f:
                json.dump(results, f, indent=1)
                f.write("\n")
            os.rename(path + ".new", path)
    report.write(results, os.path.dirname(path))
    chart.write(results, os.path.dirname(path))


if __name__ == "__main__":
    main()
