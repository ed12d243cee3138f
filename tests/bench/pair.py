"""pair - one seed, one leech: the time from exec to the end, what each side
took, and the floor under it. Items 1 and 3."""
import os

import clients
from rig import PORT, SEED, Failed, OneAnswer, leech_addr, rounds, same, tool

TITLE = "One seed, one leech"
FLOORS = (("-t", 1), ("-t", 2), ("-t", 2, "-w", 2))
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
FLOOR = "floor, best kernel"
OPENSSL = "floor, OpenSSL"


def floor(bench, item, kernel):
    """The best of one thread and two."""
    best = None
    copy = os.path.join(bench.scratch("out"), item.name)
    for how in FLOORS:
        bench.warm(item)
        f = tool(bench, "floor", *how, *kernel, item.torrent, item.path, copy)
        if not same(item.path, copy):
            raise Failed("the floor wrote other content")
        os.unlink(copy)
        if best is None or f["wall"] < best["wall"]:
            best = f
    return {"wall": best["wall"], "leech_cpu": best["recv_cpu"],
            "seed_cpu": best["send_cpu"],
            "leech_vmhwm_kib": best["vmhwm_kib"]}


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
            return floor(bench, item,
                         ("-h", "openssl") if p == OPENSSL else ())
        programs = [FLOOR, OPENSSL] + list(PAIRS)
        if name == "l":
            programs = [FLOOR] + list(LARGE)
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
    if "wall" in got[FLOOR]:
        checks.append({"item": 1, "what": "time, of the floor, " + gb,
                       "figure": ours["wall"] / got[FLOOR]["wall"],
                       "most": 1.35})
    checks.append({"item": 3, "what": "bt-get VmHWM, MiB, " + gb,
                   "figure": ours["leech_vmhwm_kib"] / 1024, "most": 40})
    checks.append({"item": 3, "what": "bt-seed VmHWM, MiB, " + gb,
                   "figure": ours["seed_vmhwm_kib"] / 1024, "most": 32})
