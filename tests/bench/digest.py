"""digest - making a torrent and verifying content, from the page cache, beside
the other programs and beside the kernel alone. Item 5."""
import os
import re
import subprocess

import clients
from rig import SEED, Missing, OneAnswer, rounds, wait_until

THREADS = "2"


def timed(bench, *args):
    bench.scratch("out")
    p = bench.start(*args)
    f = p.wait(bench.cut)
    p.end()
    if f is None:
        return {"cut": True, "wall": bench.cut}
    return f


def makers(bench, item):
    out = os.path.join(bench.dir, "out/x.torrent")
    bits = {"1M": "20", "2M": "21"}[item.piece]
    ours = [bench.bt("bt-make"), "-q", "-l", item.piece, "-o", out, item.path]
    return {
        "bt-make": ours,
        "bt-make --v2": ours + ["--v2"],
        "bt-make --hybrid": ours + ["--hybrid"],
        "mktorrent -t 2": ["mktorrent", "-t", THREADS, "-l", bits, "-a",
                           "http://a.example/", "-o", out, item.path],
        "transmission-create": ["transmission-create", "-s",
                                str(int(item.piece[:-1]) << 10), "-o", out,
                                item.path],
    }


def aria2_check(bench, item):
    """It has no end of its own after a check of a whole file but seeding."""
    return clients.ALL["aria2"].args(bench, SEED, item.folder) + [
        "--check-integrity=true", "--hash-check-only=true", item.torrent]


def transmission_check(bench, item):
    """It checks when it begins; its state is on stdout."""
    home = bench.dir + "/tr-check"
    p = bench.start(*clients.ALL["transmission"].args(
        bench, item, SEED, item.folder, home))
    if not wait_until(bench.cut, lambda: clients.ALL[
            "transmission"].is_seeding(p)):
        return {"cut": True, "wall": bench.cut}
    return p.now()


def checkers(bench, item):
    lthost = bench.tool("lthost")
    return {
        "bt-info --check": [bench.bt("bt-info"), "-q", "--check", item.path,
                            item.torrent],
        "aria2 --hash-check-only": aria2_check(bench, item),
        "libtorrent": [lthost, "-c", SEED + ":6881", item.torrent,
                       item.folder],
        "libtorrent, posix I/O": [lthost, "-c", "-p", SEED + ":6881",
                                  item.torrent, item.folder],
    }


def openssl(bench):
    """`openssl speed` as the issue names it, as the time for the content."""
    r = subprocess.run(
        ["openssl", "speed", "-seconds", "2", "-evp", "sha1", "-multi",
         THREADS, "-bytes", "16384"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    m = re.search(r"^(?:sha1|evp)\s+([0-9.]+)k", r.stdout, re.M | re.I)
    if not m:
        raise Missing("openssl speed")
    return float(m.group(1)) * 1000


def one(bench, item, name, commands):
    if name == "openssl speed":
        rate = openssl(bench)
        return {"wall": item.size / rate, "gbps": rate / 1e9}
    bench.warm(item, 0)
    if name == "hashfloor":
        if not os.path.exists(bench.tool("hashfloor")):
            raise Missing("hashfloor")
        # "S s, N GB/s: ..."; mapping or not, whichever is faster.
        wall = min(float(subprocess.run(
            [bench.tool("hashfloor"), "-t", THREADS, "-p",
             str(int(item.piece[:-1]) << 10), *how, item.path], check=True,
            stdout=subprocess.PIPE, text=True).stdout.split()[0])
            for how in ([], ["-m"]))
        return {"wall": wall, "gbps": item.size / 1e9 / wall}
    if name == "transmission":
        f = transmission_check(bench, item)
    else:
        if commands[name][0].endswith("lthost") and not os.path.exists(
                commands[name][0]):
            raise Missing("libtorrent-rasterbar-dev")
        f = timed(bench, *commands[name])
    if not f.get("cut"):
        f["gbps"] = item.size / 1e9 / f["wall"]
    f.pop("status", None)
    return f


def run(bench, note):
    item = bench.item("l")
    make, check = makers(bench, item), checkers(bench, item)
    both = dict(make, **check)
    names = list(make) + list(check) + ["transmission", "hashfloor",
                                        "openssl speed"]
    with OneAnswer([]):
        got = rounds(bench, names, lambda p: one(bench, item, p, both), note)
    wall = {p: f["wall"] for p, f in got.items()
            if "wall" in f and not f.get("cut")}
    checks = []
    judge(wall, got, checks)
    gb = "%.2f GB" % (item.size / 1e9)
    return {"title": "Making and verifying a torrent of %s, page-cached" % gb,
            "checks": checks,
            "records": [dict(f, program=p) for p, f in got.items()],
            "charts": [{"title": "Making and verifying a torrent of " + gb,
                        "unit": "s", "bars": [
                            [p, f.get("wall"), f.get("cut", False)]
                            for p, f in got.items()]}],
            "columns": [["program", "program", ""],
                        ["wall", "wall, s", ".2f"], ["gbps", "GB/s", ".2f"],
                        ["cpu", "CPU, s", ".2f"],
                        ["vmhwm_kib", "VmHWM, MiB", "mib"]]}


def has_avx512():
    with open("/proc/cpuinfo") as f:
        return "avx512f" in f.read().split()


def judge(wall, got, checks):
    def add(what, a, b, **bound):
        if a in wall and b in wall:
            checks.append(dict(bound, item=5, what=what,
                               figure=wall[b] / wall[a]))
    v1, v2, both = "bt-make", "bt-make --v2", "bt-make --hybrid"
    if all(p in wall for p in (v1, v2, both)):
        checks.append(dict(
            item=5, most=0.95,
            what="bt-make --hybrid, of --v1 and --v2 one after the other",
            figure=wall[both] / (wall[v1] + wall[v2])))
    for p in (v1, v2, both):
        if "vmhwm_kib" in got.get(p, {}):
            checks.append(dict(item=5, most=48, what=p + ", VmHWM in MiB",
                               figure=got[p]["vmhwm_kib"] / 1024))
    verifiers = [p for p in ("aria2 --hash-check-only", "libtorrent",
                             "libtorrent, posix I/O", "transmission")
                 if p in wall]
    if has_avx512():
        add("bt-make, times as fast as mktorrent -t 2", "bt-make",
            "mktorrent -t 2", least=2.2)
        if verifiers:
            add("--check, times as fast as the best verifier",
                "bt-info --check", min(verifiers, key=wall.get), least=4.5)
        add("bt-make's time, of hashfloor", "hashfloor", "bt-make", most=1.2)
        add("--check's time, of hashfloor", "hashfloor", "bt-info --check",
            most=1.2)
    else:
        add("bt-make's rate, of openssl speed", "bt-make", "openssl speed",
            least=0.8)
        add("--check's rate, of openssl speed", "bt-info --check",
            "openssl speed", least=0.8)
    for p in ("bt-make", "bt-info --check"):
        if "vmhwm_kib" in got[p]:
            checks.append({"item": 5, "what": p + " VmHWM, MiB",
                           "figure": got[p]["vmhwm_kib"] / 1024, "most": 48})
