#!/usr/bin/python3
"""A peer of libtorrent's: downloads or seeds one torrent on loopback.

    lt.py [--peer ADDR:PORT]... [--port N] [--tracker URL] TORRENT DIR

Prints "listening PORT" first, "done" when all of it is there and verified, and
serves until it is ended. Sources of peers besides the tracker and --peer are
off, and so are encryption and uTP: what is tested is plain TCP.
"""
import argparse
import sys
import threading

import libtorrent as lt

args = argparse.ArgumentParser()
args.add_argument("--peer", action="append", default=[])
args.add_argument("--port", default="0")
args.add_argument("--listen", default="127.0.0.1")
args.add_argument("--no-trackers", action="store_true")
args.add_argument("torrent")
args.add_argument("dir")
o = args.parse_args()

host = "[%s]" % o.listen if ":" in o.listen else o.listen
session = lt.session({
    "listen_interfaces": "%s:%s" % (host, o.port),
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
    "enable_natpmp": False, "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "in_enc_policy": int(lt.enc_policy.pe_disabled),
    "out_enc_policy": int(lt.enc_policy.pe_disabled),
    "allow_multiple_connections_per_ip": True,
    "alert_mask": lt.alert.category_t.all_categories,
    "min_reconnect_time": 1, "urlseed_wait_retry": 1,
    "min_announce_interval": 1,
})
info = lt.torrent_info(o.torrent)
params = {"ti": info, "save_path": o.dir}
torrent = session.add_torrent(params)
if o.no_trackers:
    torrent.replace_trackers([])
# wait_for_alert() hands out an alert that another thread may free meanwhile:
# seen to crash. So the queue is looked at 20 times a second.
tick = threading.Event()
port = 0
done = False
while True:
    tick.wait(0.05)
    for a in session.pop_alerts():
        if isinstance(a, lt.listen_succeeded_alert) and port == 0 and a.port:
            port = a.port
            print("listening", port, flush=True)
        if isinstance(a, (lt.torrent_error_alert, lt.file_error_alert)):
            print("error", a, file=sys.stderr, flush=True)
            sys.exit(1)
        if isinstance(a, lt.torrent_checked_alert):
            for p in o.peer:
                h, _, n = p.rpartition(":")
                torrent.connect_peer((h.strip("[]"), int(n)))
    if not done and torrent.status().is_seeding:
        done = True
        print("done", flush=True)
