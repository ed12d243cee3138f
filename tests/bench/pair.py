"""pair - one seed, one leech: the time from exec to the end, what each side
took, and the floor under it. Items 1 and 3."""
import os

import clients
from rig import PORT, SEED, Failed, OneAnswer, leech_addr, rounds, same, tool

TITLE = "One seed, one leech"
# Each is measured as often as a pair is, and the best median is the floor.
FLOORS = {
    "floor, one thread": ("-t", 1),
    "floor, two threads": ("-t", 2),
    "floor, two threads and two that write": ("-t", 2, "-w", 2),
}
PAIRS = {
    "bt-seed to bt-get": ("bt", "bt"),
    "libtorrent to libtorrent": ("libtorrent", "libtorrent"),
    "libtorrent to libtorrent, posix I/O": ("libtorrent posix",
                                            "libtorrent posix"),
    "libtorrent to libtorrent, defaults": ("libtorrent defaults",
                                           "libtorrent defaults"),
    "libtorrent to bt-get": ("libtorrent", "bt"),
    "libtorrent to aria2": ("libtorrent", "aria2"),
    "libtorrent to rtorrent": ("libtorrent", "rtorrent"),
    "libtorrent to transmission": ("libtorrent", "transmission"),
}
# Of the large content, those that this is about: the others take minutes.
LARGE = ("bt-seed to bt-get", "libtorrent to libtorrent",
         "libtorrent to libtorrent, posix I/O", "libtorrent to bt-get",
         "libtorrent to aria2")
OPENSSL = "floor, two threads, OpenSSL"


def floor(bench, item, *how):
    copy = os.path.join(bench.scratch("out"), item.name)
    bench.warm(item)
    f = tool(bench, "floor", *how, item.torrent, item.path, copy)
    if not same(item.path, copy):
        raise Failed("the floor wrote other content")
    os.unlink(copy)
    return {"wall": f["wall"], "leech_cpu": f["recv_cpu"],
            "seed_cpu": f["send_cpu"], "leech_vmhwm_kib": f["vmhwm_kib"]}


def one_pair(bench, item, name):
    seeder, leecher = (clients.ALL[c] for c in PAIRS[name])
    out = bench.scratch("out")
    seed = seeder.seed(bench, item, SEED)
    before = seed.cpu()
    with OneAnswer([(SEED, PORT)]):
        f = clients.download(bench, leecher, item, "%s:%d" % (SEED, PORT),
                             out, leech_addr())
    if f.get("cut"):
        return f
    return {"wall": f["wall"], "leech_cpu": f["cpu_gb"],
            "seed_cpu": (seed.cpu() - before) / (item.size / 1e9),
            "leech_vmhwm_kib": f["vmhwm_kib"],
            "leech_rssanon_kib": f["rssanon_kib"],
            "seed_vmhwm_kib": seed.status("VmHWM"),
            "seed_rssanon_kib": seed.status("RssAnon")}


def run(bench, note):
    records, checks, charts = [], [], []
    for name in ("m", "l"):
        item = bench.item(name)
        gb = "%.2f GB" % (item.size / 1e9)

        def one(p):
            if p in PAIRS:
                return one_pair(bench, item, p)
            if p == OPENSSL:
                return floor(bench, item, "-t", 2, "-h", "openssl")
            return floor(bench, item, *FLOORS[p])
        programs = list(FLOORS) + [OPENSSL] + list(PAIRS)
        if name == "l":
            programs = list(FLOORS) + list(LARGE)
        got = rounds(bench, programs, one,
                     lambda s: note("%s, %s" % (gb, s)), once=(OPENSSL,))
        for p, f in got.items():
            records.append(dict(f, size=gb, program=p))
        judge(gb, got, checks)
        charts.append({"title": "One seed, one leech, " + gb, "unit": "s",
                       "bars": [[p, f.get("wall"), f.get("cut", False)]
                                for p, f in got.items()]})
    return {"title": TITLE, "records": records, "checks": checks,
            "charts": charts,
            "columns": [
                ["size", "size", ""], ["program", "program", ""],
                ["wall", "wall, s", ".2f"],
                ["leech_cpu", "leech CPU, s/GB", ".2f"],
                ["seed_cpu", "seed CPU, s/GB", ".2f"],
                ["leech_vmhwm_kib", "leech VmHWM, MiB", "mib"],
                ["leech_rssanon_kib", "its own, MiB", "mib"],
                ["seed_vmhwm_kib", "seed VmHWM, MiB", "mib"]]}


def judge(gb, got, checks):
    ours = got["bt-seed to bt-get"]
    theirs = [f["wall"] for p, f in got.items() if "wall" in f and
              p.startswith("libtorrent to libtorrent")]
    if "wall" not in ours:
        return
    if theirs:
        checks.append({"item": 1, "what": "time, of libtorrent's best, " + gb,
                       "figure": ours["wall"] / min(theirs), "most": 0.55})
    floors = [got[p]["wall"] for p in FLOORS if "wall" in got[p]]
    if floors:
        checks.append({"item": 1, "what": "time, of the floor, " + gb,
                       "figure": ours["wall"] / min(floors),
                       "most": 1.35})
    checks.append({"item": 3, "what": "bt-get VmHWM, MiB, " + gb,
                   "figure": ours["leech_vmhwm_kib"] / 1024, "most": 40})
    checks.append({"item": 3, "what": "bt-seed VmHWM, MiB, " + gb,
                   "figure": ours["seed_vmhwm_kib"] / 1024, "most": 32})
