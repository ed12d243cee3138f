"""cost - processor time per GB of one side, with a counterpart that is the same
for all: seeds into `drain`, leeches from `source`. Item 2."""

import clients
from rig import PORT, SEED, OneAnswer, fields, leech_addr, rounds, tool

# Who moves so little that a part of the content tells it as well.
SLOW = {"transmission": 100000000}
# One drain is short, and what is judged is near its bound.
OFTEN = ("bt", "libtorrent", "libtorrent posix", "libtorrent defaults")
# What answers the same requests and does nothing else: the floor by each way in
# which blocks of a file may come to a socket, headers before them.
BARE = {"floor, %s" % w: w for w in ("copy", "sendfile", "splice", "map")}


class Bare:
    def __init__(self, way):
        self.way = way

    def seed(self, bench, item, addr):
        p = bench.start(bench.tool("source"), "-w", self.way,
                        "%s:%d" % (addr, PORT), item.torrent, item.path)
        p.wait_line(10, "listening")
        return p


def one_seed(bench, item, name):
    seed = (Bare(BARE[name]) if name in BARE else clients.ALL[name]).seed(
        bench, item, SEED)
    bench.warm(item, 0)
    most = min(SLOW.get(name, item.size), item.size)
    f = tool(bench, "drain", "-f", leech_addr(), "-p", seed.pid, "-n", most,
             "%s:%d" % (SEED, PORT), item.torrent, timeout=bench.cut * 2)
    return {k: f[k] for k in ("wall", "mbps", "seed_cpu", "cpu",
                              "vmhwm_kib", "rssanon_kib")}


def one_leech(bench, item, name):
    out = bench.scratch("out")
    source = bench.start(bench.tool("source"), "%s:%d" % (SEED, PORT),
                         item.torrent, item.path)
    source.wait_line(10, "listening")
    with OneAnswer([(SEED, PORT)]):
        f = clients.download(bench, clients.ALL[name], item,
                             "%s:%d" % (SEED, PORT), out, leech_addr())
    if f.get("cut"):
        return f
    source.meter.terminate()
    source.meter.wait(10)
    s = fields(source.lines()[-1])
    return {"wall": f["wall"], "mbps": item.size / 1e6 / f["wall"],
            "leech_cpu": f["cpu_gb"], "source_cpu": s["cpu"],
            "vmhwm_kib": f["vmhwm_kib"], "rssanon_kib": f["rssanon_kib"]}


def best(got, key):
    return min((f[key] for p, f in got.items() if p != "bt" and key in f),
               default=None)


def ours(name):
    return {"bt": "bt-seed"}.get(name, name)


def seeds(bench, note):
    item = bench.item("m")
    got = rounds(bench, [*clients.ALL, *BARE],
                 lambda p: one_seed(bench, item, p), note, often=OFTEN)
    checks = []
    lt = min((f["seed_cpu"] for p, f in got.items()
              if p.startswith("libtorrent") and "seed_cpu" in f),
             default=None)
    if lt and "seed_cpu" in got["bt"]:
        checks.append({"item": 2, "what": "bt-seed's CPU, of libtorrent's "
                       "best, into one drain",
                       "figure": got["bt"]["seed_cpu"] / lt, "most": 0.5})
    return {"title": "What a seed costs: %.2f GB into one fixed drain" % (
                item.size / 1e9), "checks": checks,
            "records": [dict(f, program=ours(p)) for p, f in got.items()],
            "charts": [{"title": "Seed into a fixed drain: CPU", "unit":
                        "s/GB", "bars": [[ours(p), f.get("seed_cpu"), False]
                                         for p, f in got.items()]}],
            "columns": [["program", "program", ""],
                        ["seed_cpu", "seed CPU, s/GB", ".2f"],
                        ["cpu", "drain CPU, s/GB", ".2f"],
                        ["mbps", "MB/s", ".0f"], ["wall", "wall, s", ".2f"],
                        ["vmhwm_kib", "VmHWM, MiB", "mib"],
                        ["rssanon_kib", "its own, MiB", "mib"]]}


def leeches(bench, note):
    item = bench.item("m")
    got = rounds(bench, clients.ALL, lambda p: one_leech(bench, item, p),
                 note)
    peer = best(got, "leech_cpu")
    checks = []
    if peer and "leech_cpu" in got["bt"]:
        checks.append({"item": 2, "what": "bt-get's CPU, of the best peer's, "
                       "from one source",
                       "figure": got["bt"]["leech_cpu"] / peer,
                       "most": 0.65})
    return {"title": "What a leech costs: %.2f GB from one fixed source" % (
                item.size / 1e9), "checks": checks,
            "records": [dict(f, program={"bt": "bt-get"}.get(p, p))
                        for p, f in got.items()],
            "charts": [{"title": "Leech from a fixed source: CPU", "unit":
                        "s/GB", "bars": [
                            [{"bt": "bt-get"}.get(p, p), f.get("leech_cpu"),
                             False] for p, f in got.items()]}],
            "columns": [["program", "program", ""],
                        ["leech_cpu", "leech CPU, s/GB", ".2f"],
                        ["source_cpu", "source CPU, s/GB", ".2f"],
                        ["mbps", "MB/s", ".0f"], ["wall", "wall, s", ".2f"],
                        ["vmhwm_kib", "VmHWM, MiB", "mib"],
                        ["rssanon_kib", "its own, MiB", "mib"]]}
