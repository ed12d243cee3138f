#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/url.h"
#include "edge.h"

static struct bt_url
parsed(const char *text)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;

	if (bt_url_parse(bt_str_of(text), &u, &err) == -1)
		fail_msg("%s", err.text);
	return u;
}

static void
assert_parts(const char *text, enum bt_url_scheme scheme, const char *host,
    uint16_t port, const char *path, const char *query)
{
	struct bt_url u = parsed(text);

	assert_int_equal(u.scheme, scheme);
	assert_true(bt_str_eq(u.host, bt_str_of(host)));
	assert_int_equal(u.port, port);
	assert_true(bt_str_eq(u.path, bt_str_of(path)));
	assert_true(bt_str_eq(u.query, bt_str_of(query)));
}

static void
a_url_is_taken_apart(void **state)
{
	(void)state;
	assert_parts("http://example.com/announce", BT_URL_HTTP, "example.com",
	    80, "/announce", "");
	assert_parts("https://t.example:8443/x/announce.php?passkey=1&y=/?#f",
	    BT_URL_HTTPS, "t.example", 8443, "/x/announce.php",
	    "passkey=1&y=/?");
	assert_parts("udp://tracker:80", BT_URL_UDP, "tracker", 80, "", "");
	assert_parts("udp://tracker:6969/announce", BT_URL_UDP, "tracker", 6969,
	    "/announce", "");
	assert_parts("HTTP://UPPER_case.Example", BT_URL_HTTP,
	    "UPPER_case.Example", 80, "", "");
	assert_parts("https://h?q", BT_URL_HTTPS, "h", 443, "", "q");
	assert_parts("http://h#f?q", BT_URL_HTTP, "h", 80, "", "");
	assert_parts("http://h:/p", BT_URL_HTTP, "h", 80, "/p", "");
	assert_parts("http://h:00080/", BT_URL_HTTP, "h", 80, "/", "");
	assert_parts("http://h/a@b:c", BT_URL_HTTP, "h", 80, "/a@b:c", "");
}

static void
an_ipv6_literal_loses_its_brackets(void **state)
{
	(void)state;
	assert_parts(
	    "http://[2001:db8::1]/a", BT_URL_HTTP, "2001:db8::1", 80, "/a", "");
	assert_parts("udp://[::ffff:1.2.3.4]:80", BT_URL_UDP, "::ffff:1.2.3.4",
	    80, "", "");
}

static void
what_is_no_url_of_ours_is_refused_and_quoted(void **state)
{
	const char *const bad[][2] = {
		{ "", "none of" },
		{ "ftp://h/", "none of" },
		{ "http:/h/", "none of" },
		{ "//h/", "none of" },
		{ "http://", "no host" },
		{ "http:///path", "no host" },
		{ "http://:80/", "no host" },
		{ "udp://h", "needs a port" },
		{ "udp://h:", "needs a port" },
		{ "http://h:0/", "port from 1" },
		{ "http://h:65536/", "port from 1" },
		{ "http://h:+80/", "port from 1" },
		{ "http://h:80x/", "port from 1" },
		{ "http://h:99999999999999999999999/", "port from 1" },
		{ "http://user@h/", "user name" },
		{ "http://user:secret@h/", "user name" },
		{ "http://[::1", "without its ']'" },
		{ "http://[::1]x/", "port from 1" },
		{ "http://[::1]x80/", "port from 1" },
		{ "http://[1.2.3.4]/", "not an IPv6" },
		{ "http://[h]/", "not an IPv6" },
		{ "http://[]/", "not an IPv6" },
		{ "http://[[::1]]/", "not an IPv6" },
		{ "http://[fe80::1%25eth0]/", "not an IPv6" },
		{ "http://::1/", "no host" },
		{ "http://2001:db8::1/", "port from 1" },
		{ "http://h%41/", "strange character" },
		{ "http://h\\x/", "strange character" },
		{ "http://h\xc3\xa9/", "strange character" },
		{ "http://h/a b", "space or control" },
		{ " http://h/", "space or control" },
		{ "http://h/\r\nHost: x", "space or control" },
		{ "http://h/\x7f", "space or control" },
	};
	struct bt_err err;
	struct bt_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct bt_err)BT_ERR_INIT;
		if (bt_url_parse(bt_str_of(bad[i][0]), &u, &err) != -1)
			fail_msg("'%s' parses", bad[i][0]);
		assert_int_equal(err.kind, BT_EINPUT);
		if (strstr(err.text, bad[i][1]) == NULL)
			fail_msg("%s", err.text);
		assert_null(strchr(err.text, '\n'));
	}
	assert_int_equal(bt_url_parse(STR("http://h/\0"), &u, &err), -1);
}

static void
lengths_end_at_their_limits(void **state)
{
	char text[BT_URL_MAX + 2];
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "http://h/", 9);
	text[BT_URL_MAX] = '\0';
	assert_int_equal(parsed(text).path.n, BT_URL_MAX - 8);
	assert_int_equal(
	    bt_url_parse(
		(struct bt_str){ (uint8_t *)text, BT_URL_MAX + 1 }, &u, &err),
	    -1);
	assert_non_null(strstr(err.text, "too long"));
	memset(text, 'x', sizeof(text));
	memcpy(text, "http://", 7);
	text[7 + 253] = '\0';
	assert_int_equal(parsed(text).host.n, 253);
	text[7 + 253] = 'x';
	text[7 + 254] = '\0';
	assert_int_equal(bt_url_parse(bt_str_of(text), &u, &err), -1);
}

/* Every part of a good URL, cut anywhere, ends at memory not to be read. */
static void
no_prefix_is_read_past_its_end(void **state)
{
	const struct bt_str whole =
	    STR("https://[2001:db8::1]:8443/announce?a=%20&b#f");
	struct bt_err err = BT_ERR_INIT;
	struct bt_str s, name, value;
	struct bt_buf out;
	struct bt_url u;
	struct edge e;

	(void)state;
	edge_init(&e, 4096);
	bt_buf_init(&out, 4096);
	for (size_t n = 0; n <= whole.n; n++) {
		s = edge_put(&e, bt_str_sub(whole, 0, n));
		assert_int_equal(bt_url_parse(s, &u, &err), n < 21 ? -1 : 0);
		if (n < 21)
			continue;
		bt_url_scrape(s, &out);
		while (bt_url_next_param(&u.query, &name, &value))
			assert_int_equal(name.n, 1);
	}
	bt_buf_fini(&out);
	edge_fini(&e);
}

/* The first six are the examples that BEP 48's convention has always had. */
static void
the_scrape_address_follows_bep_48(void **state)
{
	const char *const pairs[][2] = {
		{ "http://example.com/announce", "http://example.com/scrape" },
		{ "http://example.com/x/announce",
		    "http://example.com/x/scrape" },
		{ "http://example.com/announce.php",
		    "http://example.com/scrape.php" },
		{ "http://example.com/a", NULL },
		{ "http://example.com/announce?x2%0644",
		    "http://example.com/scrape?x2%0644" },
		{ "http://example.com/x%064announce", NULL },
		{ "http://example.com/announce/x", NULL },
		{ "http://example.com/xannounce", NULL },
		{ "http://announce", NULL },
		{ "http://example.com/?x=/announce", NULL },
		{ "http://e/announce?k=a/b", "http://e/scrape?k=a/b" },
		{ "http://e/announce#f", "http://e/scrape" },
		{ "https://[::1]:8443/announce", "https://[::1]:8443/scrape" },
		{ "udp://tracker:80/announce", "udp://tracker:80/announce" },
		{ "udp://tracker:80", "udp://tracker:80" },
		{ "udp://tracker", NULL },
		{ "announce", NULL },
	};
	struct bt_buf out;
	int rc;

	(void)state;
	bt_buf_init(&out, 100);
	bt_buf_puts(&out, "what was there before");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		rc = bt_url_scrape(bt_str_of(pairs[i][0]), &out);
		assert_int_equal(rc, pairs[i][1] == NULL ? -1 : 0);
		if (rc == -1)
			continue;
		assert_string_equal((char *)out.p, pairs[i][1]);
		assert_int_equal(out.n, strlen(pairs[i][1]));
	}
	bt_buf_fini(&out);
}

static void
a_scrape_address_that_does_not_fit_is_refused(void **state)
{
	const struct bt_str in = STR("http://h/announce?k=v");
	const size_t n = sizeof("http://h/scrape?k=v");
	struct bt_buf out;

	(void)state;
	for (size_t max = 0; max < n + 2; max++) {
		bt_buf_init(&out, max);
		assert_int_equal(bt_url_scrape(in, &out), max < n ? -1 : 0);
		bt_buf_fini(&out);
	}
}

/* RFC 3986, 2.3: the unreserved characters, and no others, stay. */
static void
only_unreserved_characters_stay_unescaped(void **state)
{
	const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	struct bt_buf b;
	char want[4];
	uint8_t c;

	(void)state;
	bt_buf_init(&b, 3);
	for (int i = 0; i < 256; i++) {
		c = (uint8_t)i;
		if (i != 0 && strchr(unreserved, i) != NULL)
			snprintf(want, sizeof(want), "%c", i);
		else
			snprintf(want, sizeof(want), "%%%02X", (unsigned)i);
		bt_buf_clear(&b);
		assert_int_equal(
		    bt_url_escape(&b, (struct bt_str){ &c, 1 }), 0);
		assert_true(bt_str_eq(bt_buf_str(&b), bt_str_of(want)));
	}
	bt_buf_clear(&b);
	assert_int_equal(bt_url_escape(&b, STR("a%")), -1);
	assert_int_equal(b.n, 0);
	bt_buf_fini(&b);
}

static void
escapes_are_decoded_and_plus_is_a_plus(void **state)
{
	uint8_t out[8];
	size_t n = 99;

	(void)state;
	assert_int_equal(
	    bt_url_unescape(STR("a%00%fF+%2B"), out, sizeof(out), &n), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(out, "a\0\xff++", 5);
	assert_int_equal(bt_url_unescape(STR(""), out, 0, &n), 0);
	assert_int_equal(n, 0);
}

static void
bad_escapes_and_small_rooms_are_refused(void **state)
{
	const char *const bad[] = { "%", "%4", "a%", "%4g", "%g4", "%%41",
		"% 1", "%-1" };
	uint8_t out[4];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    bt_url_unescape(bt_str_of(bad[i]), out, 4, &n), -1);
	assert_int_equal(bt_url_unescape(STR("%41%41%41%41"), out, 4, &n), 0);
	assert_int_equal(bt_url_unescape(STR("%41%41%41%41"), out, 3, &n), -1);
	assert_int_equal(bt_url_unescape(STR("abcde"), out, 4, &n), -1);
}

static void
parameters_are_walked_in_order_and_stay_escaped(void **state)
{
	struct bt_str q = STR("&info_hash=%00a=b&&compact&=v&x="), name, value;
	const char *const want[][2] = { { "info_hash", "%00a=b" },
		{ "compact", "" }, { "", "v" }, { "x", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(bt_url_next_param(&q, &name, &value));
		assert_true(bt_str_eq(name, bt_str_of(want[i][0])));
		assert_true(bt_str_eq(value, bt_str_of(want[i][1])));
	}
	assert_false(bt_url_next_param(&q, &name, &value));
	q = (struct bt_str){ NULL, 0 };
	assert_false(bt_url_next_param(&q, &name, &value));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_is_taken_apart),
		cmocka_unit_test(an_ipv6_literal_loses_its_brackets),
		cmocka_unit_test(what_is_no_url_of_ours_is_refused_and_quoted),
		cmocka_unit_test(lengths_end_at_their_limits),
		cmocka_unit_test(no_prefix_is_read_past_its_end),
		cmocka_unit_test(the_scrape_address_follows_bep_48),
		cmocka_unit_test(a_scrape_address_that_does_not_fit_is_refused),
		cmocka_unit_test(only_unreserved_characters_stay_unescaped),
		cmocka_unit_test(escapes_are_decoded_and_plus_is_a_plus),
		cmocka_unit_test(bad_escapes_and_small_rooms_are_refused),
		cmocka_unit_test(
		    parameters_are_walked_in_order_and_stay_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
