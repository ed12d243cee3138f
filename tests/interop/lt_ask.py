#!/usr/bin/python3
"""libtorrent at a tracker: announces a torrent as a seed and scrapes it.

    lt_ask.py TORRENT DIR URL

Prints "announced", "scraped SEEDS", and the tracker's errors, and goes on until
it is ended; it says so to the tracker.
"""
import signal
import sys
import threading

import libtorrent as lt

session = lt.session({
    "listen_interfaces": "127.0.0.1:0,[::1]:0", "enable_dht": False,
    "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "alert_mask": lt.alert.category_t.all_categories,
    "stop_tracker_timeout": 3,
    "ssrf_mitigation": False,  # of loopback it asks /announce alone
})
info = lt.torrent_info(sys.argv[1])
torrent = session.add_torrent({
    "ti": info, "save_path": sys.argv[2],
    "flags": lt.torrent_flags.seed_mode | lt.torrent_flags.default_flags})
torrent.replace_trackers([{"url": sys.argv[3], "tier": 0}])
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
scraping = False
while not ended.wait(0.05):
    for a in session.pop_alerts():
        if isinstance(a, lt.tracker_reply_alert) and not scraping:
            print("announced", flush=True)
            scraping = True
            torrent.scrape_tracker()
        elif isinstance(a, lt.scrape_reply_alert):
            print("scraped", a.complete, flush=True)
        elif isinstance(a, (lt.tracker_error_alert, lt.scrape_failed_alert)):
            print(a, file=sys.stderr, flush=True)
