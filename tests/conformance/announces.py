"""announces.py - BEP 3, 7, 23 and 24: who is told of whom, and what is refused."""
from client import decode, escape, need
from rule import crowd, rule


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
