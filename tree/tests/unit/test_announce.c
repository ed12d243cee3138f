#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "codec/announce.h"
#include "edge.h"

static struct edge edge;

#define HASH                                       \
	"\xc5\x45\x32\x29\x19\x12\xe1\x7b\x09\x1e" \
	"\xb1\x20\xcf\xd0\xe0\x87\x18\x10\xb8\x8f"

static const struct bt_announce plain = {
	.info_hash = HASH,
	.peer_id = "-XX0100-abcdefghijk~",
	.port = 6881,
	.uploaded = 1,
	.downloaded = 2,
	.left = 3,
	.numwant = -1,
	.compact = true,
};
#define PLAIN                                                                \
	"info_hash=%C5E2%29%19%12%E1%7B%09%1E%B1%20%CF%D0%E0%87%18%10%B8%8F" \
	"&peer_id=-XX0100-abcdefghijk~&port=6881&uploaded=1&downloaded=2&"   \
	"left=3"

static void
assert_text(struct bt_str s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	if (s.n > 0)
		assert_memory_equal(s.p, text, s.n);
}

static void
assert_url(const struct bt_announce *a, const char *base, const char *want)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf out;

	bt_buf_init(&out, 2048);
	assert_int_equal(bt_announce_url(&out, bt_str_of(base), a, &err), 0);
	assert_int_equal(bt_buf_putc(&out, 0), 0);
	assert_string_equal((const char *)out.p, want);
	bt_buf_fini(&out);
}

static void
the_url_carries_the_parameters_of_bep_3_in_a_fixed_order(void **state)
{
	(void)state;
	assert_url(&plain, "http://t/announce",
	    "http://t/announce?" PLAIN "&compact=1");
}

static void
each_optional_parameter_is_written_when_set(void **state)
{
	static const uint8_t ip[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct bt_announce a = plain;

	(void)state;
	a.compact = false;
	a.numwant = 0;
	a.key = 0xbeef;
	a.has_key = true;
	a.event = BT_EVENT_STARTED;
	a.trackerid = STR("a&b=\xff");
	a.no_peer_id = true;
	a.ip = bt_addr_v6(ip, 0);
	assert_url(&a, "http://t/announce",
	    "http://t/announce?" PLAIN "&compact=0&numwant=0&key=0000beef"
	    "&event=started&trackerid=a%26b%3D%FF&no_peer_id=1"
	    "&ip=2001%3Adb8%3A%3A1");
}

static void
each_event_is_named_as_bep_3_and_21_name_it(void **state)
{
	static const struct {
		enum bt_event event;
		const char *name;
	} events[] = { { BT_EVENT_STARTED, "started" },
		{ BT_EVENT_STOPPED, "stopped" },
		{ BT_EVENT_COMPLETED, "completed" },
		{ BT_EVENT_PAUSED, "paused" } };
	struct bt_announce a = plain;
	char want[300];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		a.event = events[i].event;
		snprintf(want, sizeof(want), "http://t/a?%s&compact=1&event=%s",
		    PLAIN, events[i].name);
		assert_url(&a, "http://t/a", want);
	}
}

static void
a_passkey_in_the_url_survives_byte_for_byte(void **state)
{
	(void)state;
	assert_url(&plain, "http://t/announce?pass=a%2fb",
	    "http://t/announce?pass=a%2fb&" PLAIN "&compact=1");
	assert_url(&plain, "http://t/x%20y/announce.php?a=1&b=%zz&",
	    "http://t/x%20y/announce.php?a=1&b=%zz&" PLAIN "&compact=1");
	assert_url(&plain, "http://t/announce?",
	    "http://t/announce?" PLAIN "&compact=1");
	assert_url(&plain, "http://t/announce?k=1#top",
	    "http://t/announce?k=1&" PLAIN "&compact=1");
}

static void
a_url_that_does_not_fit_is_not_written_at_all(void **state)
{
	size_t whole = strlen("http://t/a?" PLAIN "&compact=1");
	struct bt_buf out;

	(void)state;
	for (size_t max = 3; max < whole + 3; max++) {
		struct bt_err err = BT_ERR_INIT;

		bt_buf_init(&out, max);
		assert_int_equal(bt_buf_puts(&out, "abc"), 0);
		assert_int_equal(
		    bt_announce_url(&out, STR("http://t/a"), &plain, &err), -1);
		assert_int_equal(err.kind, BT_ELIMIT);
		assert_int_equal(out.n, 3);
		bt_buf_fini(&out);
	}
}

/* Replies */

static struct bt_announce_reply
parsed(struct bt_str in)
{
	struct bt_announce_reply r;
	struct bt_err err = BT_ERR_INIT;

	if (bt_announce_reply_parse(in, &r, &err) == -1)
		fail_msg("%s", err.text);
	return r;
}

static void
assert_peer(const struct bt_announce_reply *r, uint32_t i, const char *text)
{
	char got[BT_ADDR_TEXT_MAX];

	assert_true(i < r->npeers);
	assert_string_equal(bt_addr_text(&r->peers[i], got), text);
}

/* opentracker 0.0~git20210823 */
static void
a_real_reply_reads(void **state)
{
	struct bt_announce_reply r =
	    parsed(STR("d8:completei1e10:downloadedi1e10:incompletei1e"
		       "8:intervali1808e12:min intervali904e5:peers12:"
		       "\x7f\0\0\1\xed\xad\x7f\0\0\1\xed\xae"
		       "e"));

	(void)state;
	assert_int_equal(r.failure.n, 0);
	assert_int_equal(r.interval, 1808);
	assert_int_equal(r.min_interval, 904);
	assert_int_equal(r.complete, 1);
	assert_int_equal(r.incomplete, 1);
	assert_int_equal(r.npeers, 2);
	assert_peer(&r, 0, "127.0.0.1:60845");
	assert_peer(&r, 1, "127.0.0.1:60846");
	assert_int_equal(r.nnames, 0);
	assert_int_equal(r.external.family, 0);
	bt_announce_reply_fini(&r);
}

static void
the_example_of_bep_7_reads(void **state)
{
	struct bt_announce_reply r =
	    parsed(STR("d8:intervali1800e5:peers6:iiiipp6:peers618:"
		       "iiiiiiiiiiiiiiiippe"));

	(void)state;
	assert_int_equal(r.npeers, 2);
	assert_peer(&r, 0, "105.105.105.105:28784");
	assert_peer(&r, 1, "[6969:6969:6969:6969:6969:6969:6969:6969]:28784");
	bt_announce_reply_fini(&r);
}

static void
peers_in_dictionaries_are_addresses_or_names(void **state)
{
	struct bt_announce_reply r = parsed(
	    STR("d8:intervali9e5:peersl"
		"d2:ip9:192.0.2.17:peer id20:aaaaaaaaaaaaaaaaaaaa4:porti80ee"
		"d2:ip11:2001:db8::14:porti81ee"
		"d2:ip14:seed.example.x4:porti82ee"
		"ee"));

	(void)state;
	assert_int_equal(r.npeers, 2);
	assert_peer(&r, 0, "192.0.2.1:80");
	assert_peer(&r, 1, "[2001:db8::1]:81");
	assert_int_equal(r.nnames, 1);
	assert_text(r.names[0].host, "seed.example.x");
	assert_int_equal(r.names[0].port, 82);
	bt_announce_reply_fini(&r);
}

static void
dictionaries_that_name_no_peer_are_passed_over(void **state)
{
	struct bt_announce_reply r = parsed(STR("d5:peersl"
						"i5e"
						"3:abc"
						"le"
						"de"
						"d2:ip9:192.0.2.1e"
						"d4:porti80ee"
						"d2:ip9:192.0.2.14:porti0ee"
						"d2:ip9:192.0.2.14:porti-1ee"
						"d2:ip9:192.0.2.14:porti65536ee"
						"d2:ip9:192.0.2.14:port2:80e"
						"d2:ipi5e4:porti80ee"
						"d2:ip0:4:porti80ee"
						"d2:ip3:a b4:porti80ee"
						"d2:ip5:x\0y/z4:porti80ee"
						"d2:ip9:192.0.2.94:porti80ee"
						"ee"));

	(void)state;
	assert_int_equal(r.npeers, 1);
	assert_peer(&r, 0, "192.0.2.9:80");
	assert_int_equal(r.nnames, 0);
	bt_announce_reply_fini(&r);
}

static void
a_partial_peer_at_the_end_is_cut(void **state)
{
	struct bt_announce_reply r =
	    parsed(STR("d5:peers11:\1\2\3\4\0\5\1\2\3\4\0"
		       "6:peers617:"
		       "iiiiiiiiiiiiiiiip"
		       "e"));

	(void)state;
	assert_int_equal(r.npeers, 1);
	assert_peer(&r, 0, "1.2.3.4:5");
	bt_announce_reply_fini(&r);
}

static void
a_peer_with_port_0_is_left_out(void **state)
{
	struct bt_announce_reply r =
	    parsed(STR("d5:peers12:\1\2\3\4\0\0\1\2\3\4\0\5"
		       "e"));

	(void)state;
	assert_int_equal(r.npeers, 1);
	assert_peer(&r, 0, "1.2.3.4:5");
	bt_announce_reply_fini(&r);
}

static void
no_more_peers_are_taken_than_the_limit(void **state)
{
	struct bt_announce_reply r;
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, BT_ANNOUNCE_REPLY_MAX);
	assert_int_equal(bt_buf_puts(&b, "d5:peersl"), 0);
	for (unsigned i = 0; i < BT_ANNOUNCE_PEERS_MAX; i++)
		assert_int_equal(
		    bt_buf_puts(&b, i % 2 == 0 ? "d2:ip9:192.0.2.14:porti80ee"
					       : "d2:ip1:x4:porti80ee"),
		    0);
	assert_int_equal(bt_buf_puts(&b, "e6:peers636:iiiiiiiiiiiiiiiipp"
					 "iiiiiiiiiiiiiiiippe"),
	    0);
	r = parsed(bt_buf_str(&b));
	assert_int_equal(r.npeers, BT_ANNOUNCE_PEERS_MAX / 2);
	assert_int_equal(r.nnames, BT_ANNOUNCE_PEERS_MAX / 2);
	bt_announce_reply_fini(&r);
	bt_buf_fini(&b);
}

static void
intervals_beyond_reason_are_clamped(void **state)
{
	struct bt_announce_reply r;

	(void)state;
	r = parsed(STR("d8:intervali-5e12:min intervali1000000000000ee"));
	assert_int_equal(r.interval, 0);
	assert_int_equal(r.min_interval, INT32_MAX);
	r = parsed(STR("d8:intervali1000000000000ee"));
	assert_int_equal(r.interval, INT32_MAX);
}

static void
values_of_a_wrong_type_are_absent(void **state)
{
	struct bt_announce_reply r =
	    parsed(STR("d8:complete1:110:incompletei-1e11:external ip3:abc"
		       "8:interval4:18005:peersi7e6:peers6de10:tracker idi5e"
		       "15:warning messageli1eee"));

	(void)state;
	assert_int_equal(r.complete, -1);
	assert_int_equal(r.incomplete, -1);
	assert_int_equal(r.external.family, 0);
	assert_int_equal(r.interval, 0);
	assert_int_equal(r.npeers, 0);
	assert_int_equal(r.trackerid.n, 0);
	assert_int_equal(r.warning.n, 0);
	bt_announce_reply_fini(&r);
}

static void
the_external_address_has_4_or_16_bytes(void **state)
{
	struct bt_announce_reply r;
	char text[BT_ADDR_TEXT_MAX];

	(void)state;
	r = parsed(STR("d11:external ip4:\xc0\0\2\1"
		       "e"));
	assert_string_equal(bt_addr_ip_text(&r.external, text), "192.0.2.1");
	r = parsed(STR("d11:external ip16:\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"
		       "\1"
		       "e"));
	assert_string_equal(bt_addr_ip_text(&r.external, text), "2001:db8::1");
}

static void
a_warning_and_a_tracker_id_are_kept(void **state)
{
	struct bt_announce_reply r = parsed(
	    STR("d5:peers0:10:tracker id3:a\0b15:warning message4:slowe"));

	(void)state;
	assert_int_equal(r.trackerid.n, 3);
	assert_text(r.warning, "slow");
}

static void
a_failure_is_kept_with_when_to_come_back(void **state)
{
	static const struct {
		const char *body, *reason;
		int32_t retry_min;
	} cases[] = {
		/* BEP 31's two examples */
		{ "d14:failure reason10:Overloaded8:retry in1:5e", "Overloaded",
		    5 },
		{ "d14:failure reason13:Not a tracker8:retry in5:nevere",
		    "Not a tracker", -1 },
		{ "d14:failure reason1:x8:retry ini7ee", "x", 7 },
		{ "d14:failure reason1:x8:retry ini-7ee", "x", 0 },
		{ "d14:failure reason1:x8:retry in4:soone", "x", 0 },
		{ "d14:failure reason1:x8:retry ini1000000000000ee", "x",
		    INT32_MAX },
		{ "d14:failure reason1:x8:retry in12:999999999999e", "x",
		    INT32_MAX },
		{ "d14:failure reason1:x8:retry inlee", "x", 0 },
		{ "d14:failure reason1:x8:intervali5e5:peers6:aaaaaae", "x",
		    0 },
		{ "d14:failure reason0:e", "no reason given", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bt_announce_reply r = parsed(bt_str_of(cases[i].body));

		assert_text(r.failure, cases[i].reason);
		assert_int_equal(r.retry_min, cases[i].retry_min);
		assert_int_equal(r.npeers, 0);
		assert_int_equal(r.interval, 0);
	}
}

static void
unsorted_keys_and_bytes_after_the_end_are_tolerated(void **state)
{
	struct bt_announce_reply r = parsed(STR("d5:peers6:\1\2\3\4\0\5"
						"8:intervali7ee\r\n"));

	(void)state;
	assert_int_equal(r.interval, 7);
	assert_int_equal(r.npeers, 1);
	bt_announce_reply_fini(&r);
}

static void
what_is_not_bencoded_is_quoted_short_and_escaped(void **state)
{
	struct bt_announce_reply r;
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	assert_int_equal(
	    bt_announce_reply_parse(STR("<html>\n\x1b[31m\xff"), &r, &err), -1);
	assert_int_equal(err.kind, BT_ENET);
	assert_string_equal(err.text, "reply is not a bencoded dictionary: "
				      "'<html>\\x0a\\x1b[31m\\xff'");
	assert_int_equal(r.npeers, 0);
	assert_int_equal(bt_announce_reply_parse(
			     STR("0123456789012345678901234567890123456789"
				 "01234567890123456789abc"),
			     &r, &err),
	    -1);
	assert_string_equal(err.text,
	    "reply is not a bencoded dictionary: '"
	    "012345678901234567890123456789012345678901234567890123456789"
	    "...'");
	assert_int_equal(bt_announce_reply_parse(STR(""), &r, &err), -1);
	assert_string_equal(err.text, "empty reply");
	assert_int_equal(bt_announce_reply_parse(STR("i5e"), &r, &err), -1);
}

static void
no_prefix_of_a_reply_is_taken_for_one(void **state)
{
	struct bt_str whole =
	    STR("d8:completei1e8:intervali1808e5:peersld2:ip9:192.0.2.1"
		"4:porti80eee6:peers618:iiiiiiiiiiiiiiiippe");
	struct bt_announce_reply r;

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		struct bt_err err = BT_ERR_INIT;
		struct bt_str in = edge_put(&edge, bt_str_sub(whole, 0, n));

		assert_int_equal(bt_announce_reply_parse(in, &r, &err), -1);
	}
	r = parsed(whole);
	assert_int_equal(r.npeers, 2);
	bt_announce_reply_fini(&r);
}

static void
a_body_that_is_too_large_is_refused_unread(void **state)
{
	static uint8_t big[BT_ANNOUNCE_REPLY_MAX + 1] = "de";
	struct bt_announce_reply r;
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	assert_int_equal(bt_announce_reply_parse(
			     (struct bt_str){ big, sizeof(big) }, &r, &err),
	    -1);
	assert_int_equal(err.kind, BT_ELIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_url_carries_the_parameters_of_bep_3_in_a_fixed_order),
		cmocka_unit_test(each_optional_parameter_is_written_when_set),
		cmocka_unit_test(each_event_is_named_as_bep_3_and_21_name_it),
		cmocka_unit_test(a_passkey_in_the_url_survives_byte_for_byte),
		cmocka_unit_test(a_url_that_does_not_fit_is_not_written_at_all),
		cmocka_unit_test(a_real_reply_reads),
		cmocka_unit_test(the_example_of_bep_7_reads),
		cmocka_unit_test(peers_in_dictionaries_are_addresses_or_names),
		cmocka_unit_test(
		    dictionaries_that_name_no_peer_are_passed_over),
		cmocka_unit_test(a_partial_peer_at_the_end_is_cut),
		cmocka_unit_test(a_peer_with_port_0_is_left_out),
		cmocka_unit_test(no_more_peers_are_taken_than_the_limit),
		cmocka_unit_test(intervals_beyond_reason_are_clamped),
		cmocka_unit_test(values_of_a_wrong_type_are_absent),
		cmocka_unit_test(the_external_address_has_4_or_16_bytes),
		cmocka_unit_test(a_warning_and_a_tracker_id_are_kept),
		cmocka_unit_test(a_failure_is_kept_with_when_to_come_back),
		cmocka_unit_test(
		    unsorted_keys_and_bytes_after_the_end_are_tolerated),
		cmocka_unit_test(
		    what_is_not_bencoded_is_quoted_short_and_escaped),
		cmocka_unit_test(no_prefix_of_a_reply_is_taken_for_one),
		cmocka_unit_test(a_body_that_is_too_large_is_refused_unread),
	};
	int rc;

	edge_init(&edge, 4096);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	edge_fini(&edge);
	return rc;
}
