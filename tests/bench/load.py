"""load - many connections to one seed: all fetching, or idle beside one that
works. Item 7."""
import resource

import clients
from rig import PORT, SEED, Failed, leech_addr, medians, rounds, tool

AT = "%s:%d" % (SEED, PORT)
DEFAULTS = "bt, defaults"
PROGRAMS = ["bt", DEFAULTS] + [c for c in clients.ALL if c != "bt"]
NAMES = {"bt": "bt-seed --slots N", DEFAULTS: "bt-seed"}
# Who serves few of so many is shown once.
ONCE = (DEFAULTS, "aria2", "transmission", "libtorrent defaults", "libtorrent posix")


def one(bench, item, name, n):
    how = {"slots": n} if name == "bt" else {}
    client = clients.ALL["bt" if name == DEFAULTS else name]
    seed = client.seed(bench, item, SEED, peers=n + 100, **how)
    bench.warm(item, 0)
    f = tool(bench, "load", "-c", n, "-p", seed.pid, "-t",
             bench.size(20 if name in ONCE else 10, 2), AT, item.torrent)
    f["share"] = f["min"] / f["median"] if f["median"] else 0.0
    for k in ("min", "median", "max"):
        f[k] /= 1e6
    return f


def label(name, f, n):
    if f.get("served", n) >= n:
        return name
    return "%s, serves %d" % (name, f["served"])


def run(bench, note):
    item = bench.item("swarm")
    records, checks, charts = [], [], []
    for n in (bench.size(500, 50), bench.size(1000, 100)):
        got = rounds(bench, PROGRAMS, lambda p: one(bench, item, p, n),
                     lambda s: note("%d, %s" % (n, s)), ONCE)
        named = {p: NAMES.get(p, p) for p in got}
        records += [dict(f, asked=n, program=named[p])
                    for p, f in got.items()]
        charts.append({"title": "%d connections fetching from one seed" % n,
                       "unit": "MB/s", "more": True,
                       "bars": [[label(named[p], f, n), f.get("mbps"), False]
                                for p, f in got.items()]})
        if "mbps" in got["bt"]:
            judge(n, got, checks)
    return {"title": "Many connections fetching from one seed",
            "records": records, "checks": checks, "charts": charts,
            "columns": [["asked", "connections", ""],
                        ["program", "seed", ""], ["served", "served", ".0f"],
                        ["lost", "closed", ".0f"], ["mbps", "MB/s", ".0f"],
                        ["seed_cpu", "seed CPU, s/GB", ".2f"],
                        ["rss_each_kib", "KiB each", ".1f"],
                        ["min", "least, MB", ".2f"],
                        ["median", "median, MB", ".2f"],
                        ["max", "most, MB", ".2f"]]}


def judge(n, got, checks):
    ours = got["bt"]
    # The best seed is one that serves them all.
    able = [f for p, f in got.items() if p not in ("bt", DEFAULTS) and
            f.get("served", 0) >= 0.9 * n]
    if able:
        best = max(able, key=lambda f: f["mbps"])
        checks.append({"item": 7, "what": "%d connections: throughput, of "
                       "the best seed's" % n,
                       "figure": ours["mbps"] / best["mbps"], "least": 1})
        checks.append({"item": 7, "what": "%d connections: CPU per GB, of "
                       "that seed's" % n,
                       "figure": ours["seed_cpu"] / best["seed_cpu"],
                       "most": 0.7})
    checks.append({"item": 7, "what": "%d connections: served" % n,
                   "figure": ours["served"], "least": n})
    if "served" in got[DEFAULTS]:
        checks.append({"item": 7, "what": "%d connections: served, bt-seed's "
                       "defaults" % n, "figure": got[DEFAULTS]["served"],
                       "least": n})
    checks.append({"item": 7, "what": "%d connections: KiB each" % n,
                   "figure": ours["rss_each_kib"], "most": 32})


def idle(bench, item, name, n):
    """One that works, beside n that do not, and alone before and after that:
    the machine itself changes within seconds by more than what is judged."""
    seed = clients.ALL[name].seed(bench, item, SEED, peers=n + 100)
    args = ("-f", leech_addr(), "-p", seed.pid, AT, item.torrent)
    bench.warm(item, 0)
    tool(bench, "drain", *args)  # the first has what no later one has
    alone, beside, before = [], [], seed.status("VmRSS")

    def drain(to, turns):
        to += [tool(bench, "drain", *args) for _ in range(turns)]

    for _ in range(1 if bench.quick else 3):
        drain(alone, 2)
        crowd = bench.start(bench.tool("load"), "-i", "-c", str(n), AT,
                            item.torrent)
        shaken = int(crowd.wait_line(30, "idle").split()[1])
        if shaken < n:
            raise Failed("only %d of %d connected" % (shaken, n))
        drain(beside, 4)
        rss = seed.status("VmRSS")
        crowd.meter.terminate()
        crowd.meter.wait(20)
        drain(alone, 2)
    alone, beside = medians(alone), medians(beside)
    return {"alone": alone["mbps"], "mbps": beside["mbps"],
            "kept": beside["mbps"] / alone["mbps"], "rss_kib": rss,
            "each_kib": (rss - before) / n,
            "alone_cpu": alone["seed_cpu"], "seed_cpu": beside["seed_cpu"]}


def run_idle(bench, note):
    item = bench.item("m")
    n = bench.size(10000, 1000)
    # bt-seed gives half of its descriptors to peers, one of which works.
    n = min(n, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 100)
    got = rounds(bench, ("bt", "libtorrent"),
                 lambda p: idle(bench, item, p, n), note, ("libtorrent",))
    checks = []
    if "kept" in got["bt"]:
        checks = [{"item": 7, "what": "%d idle: memory in all, MiB" % n,
                   "figure": got["bt"]["rss_kib"] / 1024, "most": 40},
                  {"item": 7, "what": "%d idle: throughput beside them" % n,
                   "figure": got["bt"]["kept"], "least": 0.95}]
    return {"title": "%d idle connections and one that works" % n,
            "checks": checks, "charts": [],
            "records": [dict(f, program={"bt": "bt-seed"}.get(p, p))
                        for p, f in got.items()],
            "columns": [["program", "seed", ""],
                        ["alone", "MB/s alone", ".0f"],
                        ["mbps", "MB/s beside them", ".0f"],
                        ["kept", "ratio", ".3f"],
                        ["alone_cpu", "CPU alone, s/GB", ".2f"],
                        ["seed_cpu", "CPU beside them, s/GB", ".2f"],
                        ["rss_kib", "RSS in all, MiB", "mib"],
                        ["each_kib", "KiB each", ".1f"]]}
