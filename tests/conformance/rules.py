#!/usr/bin/env python3
"""What a tracker is to do, a rule a function, written from the BEPs alone.

usage: rules.py names
       rules.py hashes                 every info-hash that the rules use
       rules.py check HTTP UDP         each is ADDR:PORT, IPv4; the same ports
                                       of ::1 are asked, too

check prints a line for each rule: "kept NAME", or "broken NAME: WHY".
"""
import hashlib
import struct
import sys

from client import (MAGIC, SILENCE, Broken, Tracker, Udp, decode, escape, need,
                    request)

RULES = {}
HASHES = 80


def rule(f):
    RULES[f.__name__] = f
    return f


def swarm(name, n=0):
    return hashlib.sha1(b"%s %d" % (name.encode(), n)).digest()


# BEP 3: announces by HTTP

@rule
def reply_is_a_dictionary(t, s):
    got = t.announce(s())
    need(isinstance(got[b"interval"], int) and got[b"interval"] > 0,
         "interval %r" % got[b"interval"])


@rule
def peers_are_told_of_each_other(t, s):
    t.told(s(), source="127.0.0.2", port=1001)
    t.told(s(), source="127.0.0.3", port=258)
    got = t.told(s(), source="127.0.0.4", port=1003)
    need(sorted(got.peers) == [("127.0.0.2", 1001), ("127.0.0.3", 258)],
         "told of %r" % got.peers)


@rule
def swarms_are_apart(t, s):
    t.told(s(0), port=1001)
    need(t.told(s(1), source="127.0.0.2").peers == [], "told of another's")


@rule
def own_address_is_left_out(t, s):
    t.told(s(), source="127.0.0.2", port=1001)
    t.told(s(), port=1002)
    got = t.told(s(), port=1002)
    need(not got.itself and got.ports == [1001], "told of itself")


@rule
def seeds_are_not_told_of_seeds(t, s):
    t.told(s(), source="127.0.0.2", port=1001, left=0)
    t.told(s(), source="127.0.0.3", port=1002, left=5)
    got = t.told(s(), source="127.0.0.4", port=1003, left=0)
    need(got.ports == [1002], "told of %r" % got.peers)


@rule
def leeches_are_told_of_seeds(t, s):
    t.told(s(), source="127.0.0.2", port=1001, left=0)
    got = t.told(s(), source="127.0.0.3", port=1002)
    need(got.ports == [1001], "told of %r" % got.peers)


@rule
def replies_have_counts(t, s):
    t.told(s(), source="127.0.0.2", port=1001, left=0)
    t.told(s(), source="127.0.0.3", port=1002)
    got = t.told(s(), source="127.0.0.4", port=1003)
    need((got.complete, got.incomplete) == (1, 2), "counts %r %r" %
         (got.complete, got.incomplete))


def crowd(t, s, n):
    conn = t.udp()
    for i in range(n):
        conn.peers(s(), port=2000 + i, key=i, want=0,
                   peer=b"crowd-%05d" % i)
    conn.close()


@rule
def numwant_is_kept_to(t, s):
    crowd(t, s, 30)
    for want in (1, 3, 29):
        got = t.told(s(), source="127.0.0.2", port=3000, numwant=want)
        n = len(got.peers) + got.itself
        need(n == want, "%d of %d" % (n, want))
        need(len(set(got.peers)) == len(got.peers), "one is told of twice")


@rule
def numwant_of_0_is_none(t, s):
    crowd(t, s, 3)
    got = t.told(s(), source="127.0.0.2", numwant=0)
    need(got.peers == [], "told of %d" % len(got.peers))


@rule
def fifty_unless_it_is_said(t, s):
    crowd(t, s, 60)
    got = t.told(s(), source="127.0.0.2", port=3000)
    need(len(got.peers) in (49, 50), "told of %d" % len(got.peers))


@rule
def a_numwant_that_is_no_number_is_no_advice(t, s):
    crowd(t, s, 60)
    for want in ("many", -1, "-1x"):
        got = t.told(s(), source="127.0.0.2", numwant=want)
        need(len(got.peers) == 50, "%d for %r" % (len(got.peers), want))


@rule
def the_choice_is_fair(t, s):
    seen = {}
    crowd(t, s, 100)
    asker = t.udp("127.0.0.2")
    for _ in range(300):
        for peer in asker.peers(s(), want=10, port=3000).peers:
            seen[peer] = seen.get(peer, 0) + 1
    asker.close()
    # 30 each; none is 5 standard deviations (5.2) off
    need(len(seen) == 100, "only %d of 100 were ever told of" % len(seen))
    need(min(seen.values()) >= 5 and max(seen.values()) <= 60,
         "told of from %d to %d times" %
         (min(seen.values()), max(seen.values())))


@rule
def a_peer_is_there_once(t, s):
    for _ in range(3):
        t.told(s(), port=1001, event="started")
    need(t.counts(s()) == (0, 0, 1), "counts %r" % (t.counts(s()),))


@rule
def two_ports_are_two_peers(t, s):
    t.told(s(), peer=b"a", port=1001)
    t.told(s(), peer=b"b", port=1002)
    need(t.counts(s()) == (0, 0, 2), "counts %r" % (t.counts(s()),))


@rule
def completed_makes_a_seed(t, s):
    t.told(s(), left=5, event="started")
    t.told(s(), left=0, event="completed")
    need(t.counts(s()) == (1, 1, 0), "counts %r" % (t.counts(s()),))


@rule
def completed_counts_once(t, s):
    t.told(s(), left=5, event="started")
    for _ in range(3):
        t.told(s(), left=0, event="completed")
    need(t.counts(s()) == (1, 1, 0), "counts %r" % (t.counts(s()),))


@rule
def stopped_is_gone(t, s):
    t.told(s(), port=1001)
    t.told(s(), source="127.0.0.2", port=1002)
    t.told(s(), port=1001, event="stopped")
    need(t.counts(s()) == (0, 0, 1), "counts %r" % (t.counts(s()),))
    got = t.told(s(), source="127.0.0.3")
    need(got.ports == [1002], "told of %r" % got.peers)


@rule
def stopped_is_told_of_nobody(t, s):
    t.told(s(), port=1001)
    t.told(s(), source="127.0.0.2", port=1002)
    got = t.told(s(), port=1001, event="stopped")
    need(got.peers == [], "told of %r" % got.peers)


@rule
def nobody_else_can_stop_a_peer(t, s):
    t.told(s(), peer=b"a", port=1001, key="1234abcd")
    t.told(s(), source="127.0.0.2", peer=b"a", port=1001, key="99",
           event="stopped")
    need(t.counts(s()) == (0, 0, 1), "counts %r" % (t.counts(s()),))


@rule
def id_and_key_move_a_peer(t, s):
    t.told(s(), peer=b"a", port=1001, key="1234abcd")
    t.told(s(), source="127.0.0.2", peer=b"a", port=1009, key="1234abcd")
    got = t.told(s(), source="127.0.0.3", peer=b"b")
    need(got.peers == [("127.0.0.2", 1009)], "told of %r" % got.peers)


@rule
def id_and_key_stop_a_peer(t, s):
    t.told(s(), peer=b"a", port=1001, key="1234abcd")
    t.told(s(), source="127.0.0.2", peer=b"a", port=1001, key="1234abcd",
           event="stopped")
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def hashes_are_read_escaped_or_not(t, s):
    plain = b"~conformance-._0Aa~z"
    hexed = "".join("%%%02X" % b for b in plain)
    t.get("/announce?info_hash=%s&peer_id=%s&port=7&left=1" %
          (hexed, "a" * 20))
    for form in (escape(plain), plain.decode(), hexed[:30] +
                 plain[10:].decode()):
        got = t.fetch("/scrape?info_hash=" + form)
        need(got.get(b"files", {}).get(plain, {}).get(b"incomplete") == 1,
             "%s: %.80r" % (form, got))


@rule
def what_is_unknown_is_ignored(t, s):
    t.told(s(), port=1001, corrupt=0, redundant=0, supportcrypto=1, x="%00",
           azudp=6881)
    got = t.fetch(t.query(s(), port=1002) + "&&=&lonely&a=b=c")
    need(b"failure reason" not in got, "refused: %r" % got)
    need(t.counts(s()) == (0, 0, 2), "counts %r" % (t.counts(s()),))


@rule
def left_of_0_alone_is_a_seed(t, s):
    t.told(s(), port=1001, left=0)
    t.told(s(), port=1002, left=1)
    t.told(s(), port=1003, left=2**64 - 1)
    need(t.counts(s()) == (1, 0, 2), "counts %r" % (t.counts(s()),))


@rule
def left_that_overflows_is_no_seed(t, s):
    t.told(s(), port=1001, left=2**64)
    t.told(s(), port=1002, left=10**30)
    need(t.counts(s()) == (0, 0, 2), "counts %r" % (t.counts(s()),))


# refusals, and nothing is kept of the request

@rule
def a_refusal_is_a_200_with_its_reason(t, s):
    for target in ("/announce", "/announce?info_hash=short&port=1",
                   t.query(s(), port=0), t.query(s(), port=65536),
                   t.query(s(), left="-1"), t.query(s(), port=None),
                   "/scrape?info_hash=short"):
        reply = t.refused(target)
        need(reply.status == 200, "status %d: %s" % (reply.status, target))
        need(decode(reply.body)[b"failure reason"].decode().strip(),
             "no reason given")


@rule
def a_missing_hash_is_refused(t, s):
    t.refused("/announce?peer_id=%s&port=1&left=1" % ("a" * 20))
    t.refused("/announce")


@rule
def a_hash_of_another_length_is_refused(t, s):
    for bad in (escape(s()[:19]), escape(s()) + "x", ""):
        t.refused("/announce?info_hash=%s&peer_id=%s&port=1&left=1" %
                  (bad, "a" * 20))


@rule
def a_bad_escape_is_refused(t, s):
    t.refused("/announce?info_hash=%s%%zz&peer_id=%s&port=1&left=1" %
              (escape(s()[:19]), "a" * 20))


@rule
def a_missing_port_is_refused(t, s):
    t.refused(t.query(s(), port=None))


@rule
def a_missing_id_is_refused(t, s):
    t.refused("/announce?info_hash=%s&port=1&left=1" % escape(s()))


def refuses_ports(t, s, *ports):
    for port in ports:
        t.refused(t.query(s(), port=port))
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def port_0_is_refused(t, s):
    refuses_ports(t, s, 0, "0000")


@rule
def a_port_that_overflows_is_refused(t, s):
    refuses_ports(t, s, 65536, 65537, 2**32 + 80, 2**64 + 80)


@rule
def signs_of_ports_are_refused(t, s):
    refuses_ports(t, s, "+80", "-80", "%2b80", "%2d80")


@rule
def a_port_that_is_no_number_is_refused(t, s):
    refuses_ports(t, s, "http", "80x", "0x50", "8%200")


@rule
def signs_of_counts_are_refused(t, s):
    for name in ("left", "uploaded", "downloaded"):
        for bad in ("-1", "+1", "-0"):
            t.refused(t.query(s(), **{name: bad}))
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def paths_are_exact(t, s):
    query = t.query(s()).partition("?")[2]
    for path in ("/announcer", "/announce/", "//announce", "/Announce",
                 "/x/announce", "/announce/x", "/ann", "/"):
        reply = t.get(path + "?" + query)
        need(reply.status == 404, "%s: status %d" % (path, reply.status))
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def the_path_of_a_scrape_is_exact(t, s):
    for path in ("/scraper", "/scrape/", "/Scrape", "/x/scrape"):
        reply = t.get("%s?info_hash=%s" % (path, escape(s())))
        need(reply.status == 404, "%s: status %d" % (path, reply.status))


@rule
def retry_in_is_minutes_or_never(t, s):
    reply = t.refused("/announce?info_hash=short&port=1")
    got = decode(reply.body) if reply.status == 200 else {}
    if b"retry in" in got:
        retry = got[b"retry in"]
        need(retry == b"never" or (isinstance(retry, int) and retry > 0) or
             (isinstance(retry, bytes) and retry.isdigit() and
              int(retry) > 0), "retry in %r" % retry)


# HTTP itself

@rule
def a_reply_says_whether_it_closes(t, s):
    conn = t.http()
    conn.send(request(t.query(s())))
    reply = conn.reply()
    need("content-length" in reply.headers, "no Content-Length")
    if reply.keeps:
        conn.send(request(t.query(s(), port=2)))
        need(conn.reply().status == 200, "kept open and not served")
    else:
        need(conn.is_closed(), "said that it closes, and does not")
    conn.close()


@rule
def a_client_that_closes_is_closed(t, s):
    for more, version in (("Connection: close\r\n", "1.1"), ("", "1.0"),
                          ("connection: x, CLOSE\r\n", "1.1")):
        conn = t.http()
        conn.send(request(t.query(s()), more, version=version))
        need(conn.reply().status == 200, "no reply")
        need(conn.is_closed(), "left open: HTTP/%s %s" % (version, more))
        conn.close()


@rule
def a_connection_serves_many(t, s):
    conn = t.http()
    for port in range(1001, 1006):
        conn.send(request(t.query(s(), port=port)))
        reply = conn.reply()
        need(reply.status == 200 and reply.keeps, "closed after one")
    conn.close()


@rule
def pipelined_requests_are_answered_in_turn(t, s):
    conn = t.http()
    conn.send(b"".join(request("/scrape?info_hash=" + escape(s(i)))
                       for i in range(20)))
    for i in range(20):
        files = decode(conn.reply().body).get(b"files", {})
        need(list(files) in ([s(i)], []), "out of turn")
    conn.close()


@rule
def a_request_may_come_in_parts(t, s):
    whole = request(t.query(s()))
    for at in (1, 4, 30, len(whole) - 1):
        conn, other = t.http(), t.http()
        conn.send(whole[:at])
        # one that is answered after the first part was read
        other.send(request("/x"))
        other.reply()
        conn.send(whole[at:])
        need(b"peers" in decode(conn.reply().body), "no reply")
        conn.close()
        other.close()


@rule
def other_methods_announce_nothing(t, s):
    for method in ("HEAD", "POST", "PUT"):
        conn = t.http()
        conn.send(request(t.query(s()), method=method))
        try:
            conn.reply(body=False)
        except Broken:
            pass # closed without a word
        conn.close()
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def rubbish_is_no_200(t, s):
    for bad in (b"rubbish\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n"):
        conn = t.http()
        conn.send(bad)
        try:
            need(conn.reply().status >= 400, "served: %r" % bad)
        except Broken as e:
            need("no HTTP reply" in str(e), str(e))
        conn.close()


@rule
def a_refusal_ends_no_connection(t, s):
    conn = t.http()
    for _ in range(3):
        conn.send(request("/announce?port=0"))
        reply = conn.reply()
        need(reply.status == 200 and reply.keeps, "closed after a refusal")
    conn.send(request(t.query(s())))
    need(b"peers" in decode(conn.reply().body), "not served after refusals")
    conn.close()


# BEP 48: scrapes by HTTP

@rule
def a_scrape_counts(t, s):
    t.told(s(), port=1001, left=0)
    t.told(s(), port=1002)
    t.told(s(), port=1003)
    row = t.files(s())[s()]
    need((row[b"complete"], row[b"downloaded"], row[b"incomplete"]) ==
         (1, 0, 2), "counts %r" % row)


@rule
def a_scrape_changes_nothing(t, s):
    t.told(s(), port=1001)
    for _ in range(3):
        need(t.counts(s()) == (0, 0, 1), "counts %r" % (t.counts(s()),))
    need(t.told(s(), source="127.0.0.2").ports == [1001], "a peer is gone")


@rule
def scraped_keys_are_sorted_and_there_once(t, s):
    asked = [s(i) for i in (3, 0, 2, 1, 0, 3)]
    for i in range(4):
        t.told(s(i), port=1001 + i)
    # the decoder asserts the order, and that each is there once
    need(list(t.files(*asked)) == sorted(set(asked)), "other keys")


@rule
def a_scrape_of_the_unknown_is_no_error(t, s):
    for row in t.files(s()).values():
        need(row[b"complete"] == row[b"incomplete"] == 0, "counts %r" % row)


@rule
def a_scrape_of_no_hash_is_refused(t, s):
    t.refused("/scrape?info_hash=short")


@rule
def a_full_scrape_is_refused(t, s):
    t.refused("/scrape")


@rule
def paused_is_no_downloader(t, s):  # BEP 21
    t.told(s(), port=1001)
    t.told(s(), port=1002, event="paused")
    row = t.files(s())[s()]
    need(row[b"incomplete"] == 2, "paused is incomplete: %r" % row)
    need(row.get(b"downloaders") == 1, "downloaders: %r" % row)


# BEP 23, 7, 24

@rule
def compact_unless_it_is_said(t, s):
    t.told(s(), source="127.0.0.2", port=258)
    for more in ({}, {"compact": 1}):
        got = t.announce(s(), **more)[b"peers"]
        need(isinstance(got, bytes) and len(got) % 6 == 0 and
             b"\x7f\0\0\2\1\2" in got, "peers %r" % got)


@rule
def dictionaries_if_asked(t, s):
    t.told(s(), source="127.0.0.2", port=258)
    got = t.announce(s(), compact=0)
    need(isinstance(got[b"peers"], list), "peers %r" % got[b"peers"])
    need(got[b"peers"][0][b"ip"] == b"127.0.0.2" and
         got[b"peers"][0][b"port"] == 258, "peers %r" % got[b"peers"])


@rule
def ipv6_peers_are_peers6(t, s):
    t.told(s(), family=6, port=258)
    got = t.announce(s(), family=6, port=259, peer=b"b")
    need(got.get(b"peers6") == bytes(15) + b"\1\1\2",
         "peers6 %r" % got.get(b"peers6"))


@rule
def each_family_is_told_of_both(t, s):
    t.told(s(), family=6, port=1001, peer=b"a")
    t.told(s(), family=4, port=1002, peer=b"b")
    for family in (4, 6):
        got = t.told(s(), family=family, port=1003, peer=b"c%d" % family)
        need({("::1", 1001), ("127.0.0.1", 1002)} <= set(got.peers),
             "IPv%d is told of %r" % (family, got.peers))


@rule
def one_peer_may_have_both_families(t, s):
    for family in (4, 6):
        t.told(s(), family=family, port=1001, peer=b"a", key="77")
    got = t.told(s(), port=1002, peer=b"b")
    need({("::1", 1001), ("127.0.0.1", 1001)} == set(got.peers),
         "told of %r" % got.peers)


@rule
def the_external_ip_is_said(t, s):
    got = t.announce(s(), source="127.0.0.9")
    need(got.get(b"external ip") == b"\x7f\0\0\x09",
         "external ip %r" % got.get(b"external ip"))


@rule
def the_external_ip_of_ipv6_is_16_bytes(t, s):
    got = t.announce(s(), family=6)
    need(got.get(b"external ip") == bytes(15) + b"\1",
         "external ip %r" % got.get(b"external ip"))


@rule
def loopback_may_say_another_address(t, s):
    t.told(s(), port=1001, ip="192.0.2.7")
    got = t.told(s(), source="127.0.0.2", peer=b"b")
    need(got.peers == [("192.0.2.7", 1001)], "told of %r" % got.peers)


# BEP 15, and 41

@rule
def udp_connects(t, s):
    for source in ("127.0.0.1", "127.0.0.2"):
        got = t.udp(source).id
        need(got not in (0, MAGIC), "an id to guess: %x" % got)


@rule
def udp_connect_needs_the_magic(t, s):
    conn = Udp(t.at["udp", 4])
    got = conn.ask(0, connection=MAGIC + 1, seconds=SILENCE)
    need(got is None or got[0] == 3, "an id for who did not ask for one")


@rule
def udp_announces(t, s):
    t.udp("127.0.0.2").peers(s(), port=1001, left=0)
    t.udp("127.0.0.3").peers(s(), port=258)
    got = t.udp("127.0.0.4").peers(s(), port=1003)
    need(sorted(got.peers) == [("127.0.0.2", 1001), ("127.0.0.3", 258)],
         "told of %r" % got.peers)
    need((got.complete, got.incomplete) == (1, 2), "counts %r %r" %
         (got.complete, got.incomplete))


@rule
def udp_leaves_the_asker_out(t, s):
    conn = t.udp()
    conn.peers(s(), port=1001)
    need(not conn.peers(s(), port=1001).itself, "told of itself")


@rule
def udp_tells_seeds_of_no_seeds(t, s):
    t.udp("127.0.0.2").peers(s(), port=1001, left=0)
    got = t.udp().peers(s(), port=1002, left=0)
    need(got.peers == [], "told of %r" % got.peers)


@rule
def udp_keeps_to_num_want(t, s):
    crowd(t, s, 60)
    conn = t.udp("127.0.0.2")
    for want, got in ((1, 1), (7, 7), (20, 20)):
        told = conn.peers(s(), want=want)
        n = len(told.peers) + told.itself
        need(n == got, "%d for %d" % (n, want))


@rule
def udp_tells_of_fifty_unless_it_is_said(t, s):
    crowd(t, s, 60)
    got = t.udp("127.0.0.2").peers(s())
    need(len(got.peers) in (49, 50), "told of %d" % len(got.peers))


@rule
def udp_num_want_of_0_is_none(t, s):
    crowd(t, s, 3)
    got = t.udp("127.0.0.2").peers(s(), want=0)
    need(got.peers == [], "told of %d" % len(got.peers))


@rule
def udp_knows_the_events(t, s):
    conn = t.udp()
    conn.peers(s(), left=5, event=2)
    need(conn.scrape(s()) == [(0, 0, 1)], "after started")
    conn.peers(s(), left=0, event=1)
    need(conn.scrape(s()) == [(1, 1, 0)], "after completed")
    conn.announce(s(), left=0, event=3)
    need(conn.scrape(s())[0][0] == 0, "after stopped")


@rule
def udp_scrapes_in_the_order_asked(t, s):
    conn = t.udp()
    for i in range(74):
        conn.peers(s(i), port=1 + i, left=i % 2, want=0)
    rows = conn.scrape(*(s(i) for i in range(74)))
    need(rows == [(1 - i % 2, 0, i % 2) for i in range(74)], "other counts")
    need(conn.scrape(s(1), s(0), s(1)) == [(0, 0, 1), (1, 0, 0), (0, 0, 1)],
         "other order")


@rule
def udp_and_http_are_one(t, s):
    t.told(s(), source="127.0.0.2", port=1001)
    got = t.udp().peers(s(), port=1002)
    need(got.ports == [1001], "told of %r" % got.peers)
    got = t.told(s(), source="127.0.0.3", port=1003)
    need(got.ports == [1001, 1002], "told of %r" % got.peers)


@rule
def udp_refuses_port_0(t, s):
    got = t.udp().announce(s(), port=0)
    need(got is not None and got[0] == 3, "not refused: %r" % (got,))
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def udp_ids_serve_more_than_once(t, s):
    conn = t.udp()
    for port in range(1001, 1021):
        conn.peers(s(), port=port)
    conn.scrape(s())


@rule
def udp_ids_that_were_not_given_are_not_served(t, s):
    good = t.udp().id
    conn = Udp(t.at["udp", 4])
    for bad in (0, MAGIC, good ^ 1 << 40, good ^ 1 << 20):
        got = conn.announce(s(), SILENCE, connection=bad)
        need(got is None or got[0] == 3, "served: %x" % bad)
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def udp_ids_of_another_address_are_not_served(t, s):
    other = Udp(t.at["udp", 4], "127.0.0.2")
    got = other.announce(s(), SILENCE, connection=t.udp().id)
    need(got is None or got[0] == 3, "served")
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def udp_bad_ids_are_told_so(t, s):
    conn = Udp(t.at["udp", 4])
    got = conn.announce(s(), connection=1)
    need(got is not None and got[0] == 3, "no error packet: %r" % (got,))


@rule
def udp_amplifies_nothing(t, s):
    # who has not shown that it gets what is sent to it gets no more than it sent
    conn = Udp(t.at["udp", 4])
    for packet in (struct.pack(">QII", MAGIC, 0, 7),
                   struct.pack(">QII", 0, 1, 7) + bytes(82),
                   struct.pack(">QII", 0, 2, 7) + bytes(20),
                   struct.pack(">QII", 0, 9, 7), b"\0" * 15, b"\0"):
        got = conn.raw(packet, SILENCE)
        need(got is None or len(got) <= len(packet),
             "%d bytes for %d" % (len(got or b""), len(packet)))


@rule
def udp_what_is_short_is_not_served(t, s):
    conn = t.udp()
    for n in (16, 40, 97):
        whole = struct.pack(">QII20s20sQQQIIIiH", conn.id, 1, 7, s(),
                            b"p" * 20, 0, 1, 0, 0, 0, 0, -1, 1)
        got = conn.raw(whole[:n], SILENCE)
        need(got is None or got[:4] == b"\0\0\0\3", "served at %d" % n)
    need(t.counts(s()) == (0, 0, 0), "counts %r" % (t.counts(s()),))


@rule
def udp_other_actions_are_not_served(t, s):
    conn = t.udp()
    for action in (4, 0xffffffff):
        got = conn.ask(action, bytes(82), seconds=SILENCE)
        need(got is None or got[0] == 3, "action %d is %r" % (action, got))


@rule
def udp_packets_may_be_longer(t, s):
    conn = Udp(t.at["udp", 4]).connect(more=b"more")
    got = conn.peers(s(), extra=bytes(8))
    need(got.incomplete == 1, "counts %r" % got.incomplete)


@rule
def udp_options_are_skipped(t, s):  # BEP 41's own examples, and odd ones
    conn = t.udp()
    for i, extra in enumerate((
            b"\x02\x0c/dir?a=b&c=d", b"\x02\x0c/dir?a=b&c=d\1\1\0", b"\2\0",
            b"\1\1\1", b"\0\2\xff", b"\x77\3abc\2\1/", b"\2\xffcut")):
        conn.peers(s(), port=1001 + i, extra=extra)
    need(conn.scrape(s()) == [(0, 0, 7)], "not all were announced")


@rule
def udp_of_ipv6_has_18_bytes_a_peer(t, s):
    t.udp(family=6).peers(s(), port=258)
    got = t.udp(family=6).peers(s(), port=259, peer=b"b")
    need(got.peers == [("::1", 258)], "told of %r" % got.peers)


@rule
def udp_of_ipv4_is_told_of_ipv4_alone(t, s):
    t.udp(family=6).peers(s(), port=258)
    got = t.udp(family=4).peers(s(), port=259, peer=b"b")
    need(got.peers == [] and got.incomplete == 2, "told of %r" % got.peers)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def check(http, udp):
    tracker = Tracker(address(http), address(udp))
    for name, f in RULES.items():
        try:
            f(tracker, lambda n=0, name=name: swarm(name, n))
            print("kept", name, flush=True)
        except (Broken, KeyError, IndexError, ValueError) as e:
            print("broken %s: %s" % (name, " ".join(
                (str(e) if isinstance(e, Broken) else repr(e)).split())),
                flush=True)


def main():
    if sys.argv[1:] == ["names"]:
        print(*RULES, sep="\n")
    elif sys.argv[1:] == ["hashes"]:
        print(b"~conformance-._0Aa~z".hex())
        for name in RULES:
            for n in range(HASHES):
                print(swarm(name, n).hex())
    elif sys.argv[1] == "check":
        check(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)


main()
