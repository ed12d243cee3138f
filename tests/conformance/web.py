"""web.py - HTTP itself, and BEP 48: scrapes."""
from client import Broken, decode, escape, need, request
from rule import rule


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
