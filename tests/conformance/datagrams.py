"""datagrams.py - BEP 15 and 41: the tracker by UDP."""
import struct

from client import MAGIC, SILENCE, Udp, need
from rule import crowd, rule


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
