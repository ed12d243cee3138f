#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "request.h"

static ssize_t
parse(const char *text, struct bt_request *r)
{
	memset(r, 0, sizeof(*r));
	return bt_request_parse(bt_str_of(text), r);
}

static void
assert_refused(const char *text, int status)
{
	struct bt_request r;

	assert_int_equal(parse(text, &r), -1);
	assert_int_equal(r.status, status);
}

static void
assert_str(struct bt_str s, const char *want)
{
	assert_true(bt_str_eq(s, bt_str_of(want)));
}

static void
a_request_is_taken_apart(void **state)
{
	static const char text[] = "GET /announce?a=1&b=?%00 HTTP/1.1\r\n"
				   "Host: x\r\nAccept: */*\r\n\r\nGET /next";
	struct bt_request r;

	(void)state;
	assert_int_equal(parse(text, &r), strlen(text) - 9);
	assert_int_equal(r.method, BT_METHOD_GET);
	assert_str(r.path, "/announce");
	assert_str(r.query, "a=1&b=?%00");
	assert_true(r.keep);
	assert_true(parse("HEAD /x HTTP/1.1\n\n", &r) > 0);
	assert_int_equal(r.method, BT_METHOD_HEAD);
	assert_str(r.query, "");
	assert_true(parse("get /x HTTP/1.1\n\n", &r) > 0);
	assert_int_equal(r.method, BT_METHOD_OTHER);
}

static void
every_prefix_of_a_good_request_asks_for_more(void **state)
{
	static const char text[] = "\r\nGET /scrape?info_hash=x HTTP/1.0\r\n"
				   "Connection: keep-alive\r\n\r\n";
	struct bt_request r;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(
		    bt_request_parse(
			(struct bt_str){ (const uint8_t *)text, n }, &r),
		    0);
	assert_int_equal(parse(text, &r), sizeof(text) - 1);
	assert_true(r.keep);
}

static void
the_version_and_the_connection_header_say_if_it_stays_open(void **state)
{
	static const struct {
		const char *text;
		bool keep;
	} table[] = {
		{ "GET / HTTP/1.1\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nconnection:Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nCONNECTION: \tTE ,\tClose \r\n\r\n",
		    false },
		{ "GET / HTTP/1.1\r\nConnection: close, keep-alive\r\n\r\n",
		    false },
		{ "GET / HTTP/1.1\r\nConnection: closet\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nX-Connection: close\r\n\r\n", true },
	};
	struct bt_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_true(parse(table[i].text, &r) > 0);
		assert_int_equal(r.keep, table[i].keep);
	}
}

static void
the_form_that_proxies_get_is_taken(void **state)
{
	struct bt_request r;

	(void)state;
	assert_true(
	    parse("GET HTTP://a.b:1/announce?x HTTP/1.1\r\n\r\n", &r) > 0);
	assert_str(r.path, "/announce");
	assert_str(r.query, "x");
	assert_refused("GET http://a.b HTTP/1.1\r\n\r\n", 400);
}

static void
what_could_be_read_in_two_ways_is_refused(void **state)
{
	(void)state;
	assert_refused("GET /a\r\n", 400);
	assert_refused("GET  /a HTTP/1.1\r\n", 400);
	assert_refused("GET /a b HTTP/1.1\r\n", 400);
	assert_refused("GET /a\x01 HTTP/1.1\r\n", 400);
	assert_refused("GET a HTTP/1.1\r\n", 400);
	assert_refused(" GET /a HTTP/1.1\r\n", 400);
	assert_refused("GET /a HTTP/1.1 \r\n", 400);
	assert_refused("GET /a HTTP/1.x\r\n", 400);
	assert_refused("GET /a ICY/1.1\r\n", 400);
	assert_refused("GET /a HTTP/2.0\r\n", 505);
	assert_refused("GET /a HTTP/1.1\r\nno colon\r\n", 400);
	assert_refused("GET /a HTTP/1.1\r\n: x\r\n", 400);
	assert_refused("GET /a HTTP/1.1\r\nA: b\r\n folded: c\r\n", 400);
	assert_refused("GET /a HTTP/1.1\r\nConnection : close\r\n", 400);
}

static void
what_proxies_add_is_kept(void **state)
{
	static const char mark[] = "GET / HTTP/1.1\r\nVIA: x\r\n\r\n";
	static const char lines[] =
	    "GET / HTTP/1.1\r\nX-Forwarded-For: a, b \r\nAccept: c\r\n"
	    "forwarded:for=d\r\nX-Forwarded-Fo: e\r\n\r\n";
	char many[1024];
	struct bt_request r;
	size_t n;

	(void)state;
	assert_true(parse("GET / HTTP/1.1\r\nX-Y: x\r\n\r\n", &r) > 0);
	assert_false(r.forwarded);
	assert_true(parse(mark, &r) > 0);
	assert_true(r.forwarded);
	assert_int_equal(r.nvia, 0);
	assert_true(parse(lines, &r) > 0);
	assert_true(r.forwarded);
	assert_int_equal(r.nvia, 2);
	assert_false(r.via[0].standard);
	assert_str(r.via[0].value, "a, b");
	assert_true(r.via[1].standard);
	assert_str(r.via[1].value, "for=d");
	n = (size_t)snprintf(many, sizeof(many), "GET / HTTP/1.1\r\n");
	for (int i = 0; i < 8; i++)
		n += (size_t)snprintf(
		    many + n, sizeof(many) - n, "Forwarded: for=a\r\n");
	assert_int_equal(parse(many, &r), 0);
	snprintf(many + n, sizeof(many) - n, "Forwarded: for=a\r\n");
	assert_refused(many, 431);
}

/* However it is cut, and whatever is in it, it is read as when it is whole. */
static void
each_cut_asks_for_more_and_then_reads_the_same(void **state)
{
	static const char text[] =
	    "\r\nGET /announce?port=1 HTTP/1.1\r\nHost: x\r\n"
	    "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n"
	    "Connection: close\r\nContent-Length: 0\r\n\r\nGET /";
	size_t whole = strlen(text) - 5;
	struct bt_str in = { (const uint8_t *)text, 0 };
	struct bt_request r;

	(void)state;
	for (in.n = 0; in.n < whole; in.n++)
		assert_int_equal(bt_request_parse(in, &r), 0);
	for (; in.n <= strlen(text); in.n++) {
		assert_int_equal(bt_request_parse(in, &r), whole);
		assert_str(r.path, "/announce");
		assert_str(r.query, "port=1");
		assert_int_equal(r.nvia, 2);
		assert_false(r.keep);
	}
}

static void
an_odd_byte_is_seen_anywhere_in_a_target(void **state)
{
	char text[64];
	struct bt_request r;
	ssize_t rc;
	size_t n;

	(void)state;
	for (unsigned byte = 1; byte < 256; byte++)
		for (size_t at = 5; at < 24; at++) {
			n = (size_t)snprintf(text, sizeof(text),
			    "GET /%19s HTTP/1.1\r\n\r\n",
			    "aaaaaaaaaaaaaaaaaaa");
			if (byte == ' ' || byte == '\n')
				continue;
			text[at] = (char)byte;
			rc = bt_request_parse(
			    (struct bt_str){ (uint8_t *)text, n }, &r);
			if (byte < ' ' || byte == 0x7f)
				assert_int_equal(rc, -1);
			else
				assert_int_equal(rc, n);
		}
}

static void
a_body_is_refused_but_none_of_no_length(void **state)
{
	struct bt_request r;

	(void)state;
	assert_refused("GET /a HTTP/1.1\r\nContent-Length: 5\r\n", 413);
	assert_refused(
	    "GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", 413);
	assert_refused("POST /a HTTP/1.1\r\nContent-Length: 5\r\n", 405);
	assert_true(
	    parse("GET /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n", &r) > 0);
}

static void
a_head_longer_than_the_limit_is_refused(void **state)
{
	char *text = bt_mem_alloc(BT_REQUEST_MAX + 100);
	struct bt_str in = { (const uint8_t *)text, BT_REQUEST_MAX };
	struct bt_request r;

	(void)state;
	memset(text, 'a', BT_REQUEST_MAX + 100);
	memcpy(text, "GET /", 5);
	in.n--;
	assert_int_equal(bt_request_parse(in, &r), 0);
	in.n++;
	assert_int_equal(bt_request_parse(in, &r), -1);
	assert_int_equal(r.status, 431);
	/* exactly as long is fine */
	memcpy(text + BT_REQUEST_MAX - 13, " HTTP/1.1\r\n\r\n", 13);
	assert_int_equal(bt_request_parse(in, &r), BT_REQUEST_MAX);
	/* and what comes after it does not count */
	in.n += 100;
	assert_int_equal(bt_request_parse(in, &r), BT_REQUEST_MAX);
	bt_mem_free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(every_prefix_of_a_good_request_asks_for_more),
		cmocka_unit_test(
		    the_version_and_the_connection_header_say_if_it_stays_open),
		cmocka_unit_test(the_form_that_proxies_get_is_taken),
		cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(what_proxies_add_is_kept),
		cmocka_unit_test(
		    each_cut_asks_for_more_and_then_reads_the_same),
		cmocka_unit_test(an_odd_byte_is_seen_anywhere_in_a_target),
		cmocka_unit_test(a_body_is_refused_but_none_of_no_length),
		cmocka_unit_test(a_head_longer_than_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
