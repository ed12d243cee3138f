"""clients - each program as a seed and as a leech, on an address of its own,
with plain TCP and without other sources of peers.

    seed(bench, item, addr, **how)          a Process that serves item
    leech(bench, item, addr, peer, out, **how)
                                            a Leech that takes it into out

how: tracker (announce, and no peer is told), limit (bytes a second sent),
stays (does not end when it is done), peers (so many connections).
"""
import os
import shutil
import time

from rig import (ANNOUNCE, PORT, Failed, Missing, is_listening, same,
                 wait_until)


class Leech:
    """A process that downloads, and how it is known to be done."""

    def __init__(self, process, ends=False, mark=None, line=None):
        self.process, self.ends = process, ends
        self.mark, self.line = mark, line

    def is_done(self):
        if self.mark:
            return os.path.exists(self.mark)
        return self.line in self.process.lines()

    def wait(self, seconds):
        """Figures at the time it was done, or None."""
        if self.ends:
            return self.process.wait(seconds)
        if not wait_until(seconds, lambda: self.is_done() or
                          self.process.is_over()) or not self.is_done():
            if self.process.is_over():
                raise Failed(self.process.said())
            return None
        return self.process.now()


class Bt:
    """Ours."""
    name = "bt"

    def seed(self, bench, item, addr, tracker=False, limit=0, peers=0,
             slots=0):
        p = bench.start(
            bench.bt("bt-seed"), "--no-check", "--port", str(PORT), "--bind",
            addr, "--no-progress",
            *([] if tracker else ["--no-tracker"]),
            *(["--limit-up", str(limit)] if limit else []),
            *(["--max-peers", str(peers)] if peers else []),
            *(["--slots", str(slots)] if slots else []),
            item.torrent, item.path)
        p.wait_line(60, "ready")
        return p

    def leech(self, bench, item, addr, peer, out, tracker=False,
              stays=False):
        p = bench.start(
            bench.bt("bt-get"), "--port", str(PORT), "--bind", addr, "-d",
            out, "--no-progress",
            *([] if tracker else ["--no-tracker", "--peer", peer]),
            *(["--seed"] if stays else []), item.torrent)
        return Leech(p, ends=not stays, line=os.path.join(out, item.name))


class Lt:
    """libtorrent-rasterbar, by tests/bench/lthost."""

    def __init__(self, name, *flags):
        self.name, self.flags = name, flags

    def host(self, bench):
        if not os.path.exists(bench.tool("lthost")):
            raise Missing("libtorrent-rasterbar-dev")
        return bench.tool("lthost")

    def seed(self, bench, item, addr, tracker=False, limit=0, peers=0):
        p = bench.start(
            self.host(bench), *self.flags, "-s",
            *(["-a", ANNOUNCE] if tracker else []),
            *(["-l", str(limit)] if limit else []),
            "%s:%d" % (addr, PORT), item.torrent, item.folder)
        p.wait_line(60, "done")
        return p

    def leech(self, bench, item, addr, peer, out, tracker=False,
              stays=False):
        p = bench.start(
            self.host(bench), *self.flags,
            *([] if stays else ["-e"]),
            *(["-a", ANNOUNCE] if tracker else ["-k", peer]),
            "%s:%d" % (addr, PORT), item.torrent, out)
        return Leech(p, ends=not stays, line="done")


def marker(bench, out):
    """A script that leaves a mark, for programs that call one when done."""
    mark = out.rstrip("/") + ".done"
    script = out.rstrip("/") + ".sh"
    if os.path.exists(mark):
        os.unlink(mark)
    with open(script, "w") as f:
        f.write("#!/bin/sh\n: >'%s'\n" % mark)
    os.chmod(script, 0o755)
    return script, mark


class Aria2:
    name = "aria2"

    def args(self, bench, addr, folder):
        return ["aria2c", "--no-conf", "--enable-dht=false",
                "--enable-dht6=false", "--bt-enable-lpd=false",
                "--enable-peer-exchange=false", "--disable-ipv6=true",
                "--listen-port=%d" % PORT, "--interface=" + addr,
                "--dir=" + folder, "--file-allocation=none",
                "--summary-interval=0", "--console-log-level=warn",
                "--bt-min-crypto-level=plain", "--auto-save-interval=0",
                "--allow-overwrite=true", "--disk-cache=16M",
                "--bt-request-peer-speed-limit=100M",
                "--bt-tracker-interval=5"]

    def seed(self, bench, item, addr, tracker=False, limit=0, peers=0):
        p = bench.start(*self.args(bench, addr, item.folder),
                        "--check-integrity=true", "--seed-ratio=0.0",
                        *(["--max-overall-upload-limit=%d" % limit]
                          if limit else []),
                        *(["--bt-max-peers=%d" % peers] if peers else []),
                        item.torrent)
        if not wait_until(60, lambda: is_listening(addr, PORT)):
            raise Failed("aria2 does not listen: " + p.said())
        return p

    def leech(self, bench, item, addr, peer, out, tracker=False,
              stays=False):
        script, mark = marker(bench, out)
        p = bench.start(*self.args(bench, addr, out),
                        *(["--seed-ratio=0.0"] if stays else
                          ["--seed-time=0"]),
                        "--on-bt-download-complete=" + script, item.torrent)
        return Leech(p, mark=mark)


class Transmission:
    name = "transmission"

    def args(self, bench, item, addr, folder, home, limit=0, peers=0):
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        with open(os.path.join(home, "settings.json"), "w") as f:
            f.write("""{ "dht-enabled": false, "lpd-enabled": false,
                "pex-enabled": false, "utp-enabled": false,
                "port-forwarding-enabled": false, "encryption": 0,
                "bind-address-ipv4": "%s", "peer-port": %d,
                "trash-original-torrent-files": false,
                "rename-partial-files": false, "cache-size-mb": 32,
                "ratio-limit-enabled": false,
                "speed-limit-up": %d, "speed-limit-up-enabled": %s,
                "peer-limit-global": %d, "peer-limit-per-torrent": %d,
                "upload-slots-per-torrent": %d }""" % (
                addr, PORT, limit // 1000, "true" if limit else "false",
                peers or 240, peers or 60, peers or 14))
        # What it says shall not wait in a buffer.
        return ["stdbuf", "-o0", "transmission-cli", "-M", "-p", str(PORT),
                "-g", home, "-w", folder, item.torrent]

    def seed(self, bench, item, addr, tracker=False, limit=0, peers=0):
        p = bench.start(*self.args(bench, item, addr, item.folder,
                                   bench.dir + "/tr-seed", limit, peers))
        # Its state goes to stdout, lines ended by a carriage return.
        if not wait_until(60, lambda: self.is_seeding(p)):
            raise Failed("transmission does not seed: " + p.said())
        return p

    def is_seeding(self, p):
        with open(p.files[1], "rb") as f:
            return b"Seeding" in f.read()

    def leech(self, bench, item, addr, peer, out, tracker=False,
              stays=False):
        script, mark = marker(bench, out)
        args = self.args(bench, item, addr, out, out.rstrip("/") + ".tr")
        p = bench.start(*args[:-1], "-f", script, args[-1])
        return Leech(p, mark=mark)


class Rtorrent:
    name = "rtorrent"

    def start(self, bench, item, addr, folder, home, mark=None, limit=0,
              peers=0):
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        with open(os.path.join(home, "rc"), "w") as f:
            f.write("""network.port_range.set = %d-%d
network.port_random.set = no
network.bind_address.set = %s
network.max_open_sockets.set = %d
network.max_open_files.set = 600
dht.mode.set = disable
protocol.pex.set = no
trackers.use_udp.set = no
protocol.encryption.set = none
session.path.set = %s
directory.default.set = %s
system.daemon.set = true
pieces.hash.on_completion.set = no
pieces.memory.max.set = 4096M
throttle.max_uploads.set = %d
throttle.max_uploads.global.set = 0
throttle.max_peers.normal.set = %d
throttle.max_peers.seed.set = %d
throttle.global_up.max_rate.set_kb = %d
throttle.global_down.max_rate.set_kb = 0
""" % (PORT, PORT, addr, (peers or 300) + 100, home, folder, peers or 50,
                peers or 100, peers or 100, limit // 1024))
            if mark:
                f.write("method.set_key = event.download.finished,mark,"
                        "((execute2,\"touch\",\"%s\"))\n" % mark)
            else:
                f.write("method.set_key = event.download.hash_done,mark,"
                        "((execute2,\"touch\",\"%s/checked\"))\n" % home)
            f.write("schedule2 = begin, 0, 0, ((load.start, \"%s\"))\n" %
                    item.torrent)
        if shutil.which("rtorrent") is None:
            raise Missing("rtorrent")
        return bench.start("rtorrent", "-n", "-o",
                           "import=%s/rc" % home)

    def seed(self, bench, item, addr, tracker=False, limit=0, peers=0):
        home = bench.dir + "/rt-seed"
        p = self.start(bench, item, addr, item.folder, home, None, limit,
                       peers)
        if not wait_until(60, lambda: os.path.exists(home + "/checked")):
            raise Failed("rtorrent has not checked: " + p.said())
        return p

    def leech(self, bench, item, addr, peer, out, tracker=False,
              stays=False):
        _, mark = marker(bench, out)
        return Leech(self.start(bench, item, addr, out,
                                out.rstrip("/") + ".rt", mark), mark=mark)


ALL = {c.name: c for c in (
    Bt(), Lt("libtorrent"), Lt("libtorrent posix", "-p"),
    Lt("libtorrent defaults", "-d"), Aria2(), Rtorrent(), Transmission())}


def download(bench, client, item, peer, out, addr, **how):
    """One leech from start to end: figures, with the content compared; its
    files are gone afterwards."""
    bench.warm(item)
    began = time.monotonic()
    leech = client.leech(bench, item, addr, peer, out, **how)
    f = leech.wait(bench.cut)
    if f is None:
        f = {"cut": True, "wall": time.monotonic() - began}
    leech.process.end()
    if not f.get("cut"):
        if not same(item.path, os.path.join(out, item.name)):
            raise Failed("%s: other content" % client.name)
        f["cpu_gb"] = f.pop("cpu") / (item.size / 1e9)
    shutil.rmtree(out, ignore_errors=True)
    return f
