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
#define IDS "info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb"
#define LEAST IDS "&port=6881"

static void
assert_text(struct bt_str s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	if (s.n > 0)
		assert_memory_equal(s.p, text, s.n);
}

static struct bt_announce
parsed(const char *query)
{
	struct bt_str in = edge_put(&edge, bt_str_of(query));
	struct bt_err err = BT_ERR_INIT;
	struct bt_announce a;
	int rc = bt_announce_query_parse(in, &a, &err);

	a.trackerid.p = NULL; /* the page is used again */
	if (rc == -1)
		fail_msg("%s: %s", query, err.text);
	return a;
}

static void
assert_refused(const char *query, const char *why)
{
	struct bt_str in = edge_put(&edge, bt_str_of(query));
	struct bt_announce a = { .port = 77 };
	struct bt_err err = BT_ERR_INIT;

	assert_int_equal(bt_announce_query_parse(in, &a, &err), -1);
	assert_string_equal(err.text, why);
	assert_int_equal(err.kind, BT_EINPUT);
	assert_int_equal(a.port, 77);
}

/* transmission-daemon 3.00 */
static void
transmissions_announce_reads(void **state)
{
	struct bt_announce a = parsed(
	    "pass=a%2fb&info_hash="
	    "%c5E2%29%19%12%e1%7b%09%1e%b1%20%cf%d0%e0%87%18%10%b8%8f"
	    "&peer_id=-TR3000-e12dx6b2r9dd&port=60845&uploaded=0&downloaded=0"
	    "&left=40000&numwant=80&key=361c0c15&compact=1&supportcrypto=1"
	    "&event=started");

	(void)state;
	assert_memory_equal(a.info_hash, HASH, 20);
	assert_memory_equal(a.peer_id, "-TR3000-e12dx6b2r9dd", 20);
	assert_int_equal(a.port, 60845);
	assert_true(a.uploaded == 0 && a.downloaded == 0);
	assert_true(a.left == 40000);
	assert_int_equal(a.numwant, 80);
	assert_true(a.has_key);
	assert_int_equal(a.key, 0x361c0c15);
	assert_true(a.compact);
	assert_false(a.no_peer_id);
	assert_int_equal(a.event, BT_EVENT_STARTED);
	assert_int_equal(a.ip.family, 0);
}

/* aria2 1.36.0, whose key is eight bytes of its peer id and not hex */
static void
aria2s_announce_reads(void **state)
{
	struct bt_announce a = parsed(
	    "pass=a%2fb&info_hash="
	    "%C5E2%29%19%12%E1%7B%09%1E%B1%20%CF%D0%E0%87%18%10%B8%8F"
	    "&peer_id=A2-1-36-0-%7C%84%AF%BF%0D%EE%8B%C1_I&uploaded=0"
	    "&downloaded=0&left=40000&compact=1&key=%AF%BF%0D%EE%8B%C1_I"
	    "&numwant=0&no_peer_id=1&port=56865&event=stopped&supportcrypto=1");

	(void)state;
	assert_memory_equal(a.info_hash, HASH, 20);
	assert_memory_equal(
	    a.peer_id, "A2-1-36-0-|\x84\xaf\xbf\r\xee\x8b\xc1_I", 20);
	assert_true(a.has_key);
	assert_int_equal(a.numwant, 0);
	assert_true(a.no_peer_id);
	assert_int_equal(a.event, BT_EVENT_STOPPED);
}

/* BEP 23's example, with the ids that it elides */
static void
the_example_of_bep_23_reads(void **state)
{
	struct bt_announce a =
	    parsed("peer_id=aaaaaaaaaaaaaaaaaaaa"
		   "&info_hash=aaaaaaaaaaaaaaaaaaaa"
		   "&port=6881&left=0&downloaded=100&uploaded=0&compact=1");

	(void)state;
	assert_true(a.left == 0);
	assert_true(a.downloaded == 100);
}

static void
what_is_absent_has_its_default(void **state)
{
	struct bt_announce a = parsed(LEAST);

	(void)state;
	assert_true(a.left == UINT64_MAX); /* a leecher */
	assert_true(a.uploaded == 0 && a.downloaded == 0);
	assert_int_equal(a.numwant, -1);
	assert_false(a.has_key);
	assert_true(a.compact);
	assert_false(a.no_peer_id);
	assert_int_equal(a.event, BT_EVENT_NONE);
	assert_int_equal(a.trackerid.n, 0);
}

static void
ids_may_hold_any_byte(void **state)
{
	struct bt_announce a = parsed(
	    "info_hash=%00%01%02%03%04%05%06%07%08%09"
	    "%0a%0b%0C%0d%0e%0f%10%11%26%3d&peer_id=++++++++++++++++++%2b%00"
	    "&port=1");

	(void)state;
	assert_memory_equal(a.info_hash,
	    "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21&=", 20);
	assert_memory_equal(a.peer_id, "+++++++++++++++++++", 20);
}

static void
ids_that_are_not_20_bytes_are_refused(void **state)
{
	static const char *const bad[] = { "a", "aaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaa%",
		"aaaaaaaaaaaaaaaaaaa%4", "aaaaaaaaaaaaaaaaaaa%4g" };
	char query[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(query, sizeof(query),
		    "info_hash=%s&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1", bad[i]);
		assert_refused(query, "info_hash is not 20 bytes");
		snprintf(query, sizeof(query),
		    "info_hash=bbbbbbbbbbbbbbbbbbbb&peer_id=%s&port=1", bad[i]);
		assert_refused(query, "peer_id is not 20 bytes");
	}
}

static void
what_must_be_there_is_named_when_it_is_not(void **state)
{
	(void)state;
	assert_refused("", "info_hash is missing");
	assert_refused("&&=&a", "info_hash is missing");
	assert_refused("info_hash=&peer_id=bbbbbbbbbbbbbbbbbbbb&port=1",
	    "info_hash is missing");
	assert_refused(
	    "info_hash=aaaaaaaaaaaaaaaaaaaa&port=1", "peer_id is missing");
	assert_refused(IDS, "port is missing");
	assert_refused(IDS "&port=", "port is missing");
}

static void
a_port_is_a_number_from_1_to_65535(void **state)
{
	static const char *const bad[] = { "0", "65536", "-1", "+1", "1x",
		"0x1", "4294967297", "18446744073709551617", " 1", "%31" };
	char query[200];

	(void)state;
	assert_int_equal(parsed(IDS "&port=65535").port, 65535);
	assert_int_equal(parsed(IDS "&port=1").port, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(query, sizeof(query), IDS "&port=%s", bad[i]);
		assert_refused(query, "port is not a number from 1 to 65535");
	}
}

static void
byte_counts_saturate_and_take_no_sign(void **state)
{
	struct bt_announce a;

	(void)state;
	a = parsed(LEAST "&left=18446744073709551615"
			 "&downloaded=18446744073709551616"
			 "&uploaded=99999999999999999999999999999990");
	assert_true(a.left == UINT64_MAX);
	assert_true(a.downloaded == UINT64_MAX);
	assert_true(a.uploaded == UINT64_MAX);
	assert_true(parsed(LEAST "&left=0000000000000000000000000").left == 0);
	assert_true(
	    parsed(LEAST "&left=18446744073709551614").left == UINT64_MAX - 1);
	assert_refused(LEAST "&left=-1", "left is not a number");
	assert_refused(LEAST "&left=+1", "left is not a number");
	assert_refused(LEAST "&uploaded=1.5", "uploaded is not a number");
	assert_refused(LEAST "&downloaded=x", "downloaded is not a number");
}

static void
numwant_is_advice(void **state)
{
	(void)state;
	assert_int_equal(parsed(LEAST "&numwant=0").numwant, 0);
	assert_int_equal(parsed(LEAST "&numwant=200").numwant, 200);
	assert_int_equal(parsed(LEAST "&numwant=-1").numwant, -1);
	assert_int_equal(parsed(LEAST "&numwant=-99999999999").numwant, -1);
	assert_int_equal(parsed(LEAST "&numwant=many").numwant, -1);
	assert_int_equal(
	    parsed(LEAST "&numwant=99999999999").numwant, INT32_MAX);
}

static void
the_first_of_two_parameters_counts(void **state)
{
	struct bt_announce a =
	    parsed(LEAST "&left=5&left=0&port=99"
			 "&info_hash=zzzz&event=&event=stopped&event=started");

	(void)state;
	assert_true(a.left == 5);
	assert_int_equal(a.port, 6881);
	assert_int_equal(a.info_hash[0], 'a');
	assert_int_equal(a.event, BT_EVENT_STOPPED);
}

static void
names_are_whole_and_case_counts(void **state)
{
	struct bt_announce a =
	    parsed(LEAST "&LEFT=0&lef=0&leftover=0&xleft=0&left");

	(void)state;
	assert_true(a.left == UINT64_MAX);
}

static void
each_event_is_known_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(
	    parsed(LEAST "&event=started").event, BT_EVENT_STARTED);
	assert_int_equal(
	    parsed(LEAST "&event=stopped").event, BT_EVENT_STOPPED);
	assert_int_equal(
	    parsed(LEAST "&event=completed").event, BT_EVENT_COMPLETED);
	assert_int_equal(parsed(LEAST "&event=paused").event, BT_EVENT_PAUSED);
	assert_int_equal(parsed(LEAST "&event=empty").event, BT_EVENT_NONE);
	assert_int_equal(parsed(LEAST "&event=Stopped").event, BT_EVENT_NONE);
}

static void
keys_in_hex_are_numbers_and_others_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(parsed(LEAST "&key=deadBEEF").key, 0xdeadbeef);
	assert_int_equal(parsed(LEAST "&key=1").key, 1);
	assert_int_equal(parsed(LEAST "&key=0abc").key, 0xabc);
	assert_true(
	    parsed(LEAST "&key=%AF_I").key == parsed(LEAST "&key=%AF_I").key);
	assert_true(
	    parsed(LEAST "&key=%AF_I").key != parsed(LEAST "&key=%AF_J").key);
	assert_true(parsed(LEAST "&key=123456789").key !=
		    parsed(LEAST "&key=12345678").key);
	/* FNV-1a of "foobar", from its authors' test vectors */
	assert_int_equal(parsed(LEAST "&key=foobar").key, 0xbf9cf968);
}

static void
compact_is_refused_only_by_0(void **state)
{
	(void)state;
	assert_false(parsed(LEAST "&compact=0").compact);
	assert_true(parsed(LEAST "&compact=1").compact);
	assert_true(parsed(LEAST "&compact=2").compact);
	assert_true(parsed(LEAST "&no_peer_id=1").no_peer_id);
	assert_false(parsed(LEAST "&no_peer_id=0").no_peer_id);
}

static void
assert_ip(const char *query, const char *want)
{
	struct bt_announce a = parsed(query);
	char text[BT_ADDR_TEXT_MAX];

	assert_true(a.ip.family != 0);
	assert_int_equal(a.ip.port, 0);
	assert_string_equal(bt_addr_ip_text(&a.ip, text), want);
}

static void
an_address_counts_if_it_is_numeric(void **state)
{
	(void)state;
	assert_ip(LEAST "&ip=192.0.2.1", "192.0.2.1");
	assert_ip(LEAST "&ip=2001%3Adb8%3a%3a1", "2001:db8::1");
	assert_ip(LEAST "&ip=2001:db8::1", "2001:db8::1");
	assert_ip(LEAST "&ipv4=192.0.2.2", "192.0.2.2");
	assert_ip(LEAST "&ipv4=192.0.2.2&ip=192.0.2.1", "192.0.2.1");
	assert_ip(LEAST "&ip=192.0.2.1&ipv4=192.0.2.2", "192.0.2.1");
	assert_ip(LEAST "&ipv4=192.0.2.2&ip=localhost", "192.0.2.2");
	assert_int_equal(parsed(LEAST "&ip=localhost").ip.family, 0);
	assert_int_equal(parsed(LEAST "&ip=192.0.2").ip.family, 0);
	assert_int_equal(parsed(LEAST "&ip=%zz").ip.family, 0);
}

static void
a_tracker_id_is_left_escaped(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_announce a;

	(void)state;
	assert_int_equal(
	    bt_announce_query_parse(STR(LEAST "&trackerid=a%26b"), &a, &err),
	    0);
	assert_text(a.trackerid, "a%26b");
}

static void
what_our_client_writes_our_tracker_reads(void **state)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	struct bt_announce a = {
		.info_hash = HASH,
		.peer_id = "\0&=%+#? \xff-bcdefghijk",
		.port = 1, .uploaded = UINT64_MAX, .downloaded = 7, .left = 0,
		.event = BT_EVENT_PAUSED, .key = 0xabc, .has_key = true,
		.numwant = 33, .no_peer_id = true, .ip = bt_addr_v4(ip, 0),
	}, b;
	struct bt_err err = BT_ERR_INIT;
	struct bt_str query;
	struct bt_buf out;

	(void)state;
	bt_buf_init(&out, 2048);
	assert_int_equal(bt_announce_url(&out, STR("http://t/a"), &a, &err), 0);
	query = bt_str_sub(bt_buf_str(&out), strlen("http://t/a?"), out.n);
	assert_int_equal(bt_announce_query_parse(query, &b, &err), 0);
	assert_memory_equal(b.info_hash, a.info_hash, 20);
	assert_memory_equal(b.peer_id, a.peer_id, 20);
	assert_int_equal(b.port, a.port);
	assert_true(b.uploaded == a.uploaded && b.downloaded == a.downloaded);
	assert_true(b.left == a.left);
	assert_int_equal(b.event, a.event);
	assert_int_equal(b.key, a.key);
	assert_int_equal(b.numwant, a.numwant);
	assert_false(b.compact);
	assert_true(b.no_peer_id);
	assert_true(bt_addr_eq(&b.ip, &a.ip));
	bt_buf_fini(&out);
}

static struct bt_announce_reply
read_back(struct bt_str in)
{
	struct bt_announce_reply r;
	struct bt_err err = BT_ERR_INIT;

	if (bt_announce_reply_parse(in, &r, &err) == -1)
		fail_msg("%s", err.text);
	return r;
}

static void
assert_answer(const struct bt_announce_answer *a, struct bt_str want)
{
	struct bt_buf out;

	bt_buf_init(&out, 4096);
	assert_int_equal(bt_announce_answer_put(&out, a), 0);
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
	bt_buf_fini(&out);
	for (size_t max = 2; max < want.n + 2; max++) {
		bt_buf_init(&out, max);
		assert_int_equal(bt_buf_puts(&out, "ab"), 0);
		assert_int_equal(bt_announce_answer_put(&out, a), -1);
		assert_int_equal(out.n, 2);
		bt_buf_fini(&out);
	}
}

/* BEP 3: keys are sorted, and so it is the last one. */
static void
a_warning_is_the_last_key(void **state)
{
	struct bt_announce_answer a = {
		.interval = 60, .compact = true, .warning = STR("beware")
	};

	(void)state;
	assert_answer(
	    &a, STR("d8:completei0e10:downloadedi0e10:incompletei0e"
		    "8:intervali60e5:peers0:15:warning message6:bewaree"));
}

/* The same facts as in a reply of opentracker 0.0~git20210823: the same bytes. */
static void
a_compact_answer_is_what_other_trackers_write(void **state)
{
	struct bt_announce_answer a = {
		.interval = 1808,
		.min_interval = 904,
		.complete = 1,
		.incomplete = 1,
		.downloaded = 1,
		.peers4 = STR("\x7f\0\0\1\xed\xad\x7f\0\0\1\xed\xae"),
		.compact = true,
	};

	(void)state;
	assert_answer(&a,
	    STR("d8:completei1e10:downloadedi1e"
		"10:incompletei1e8:intervali1808e12:min intervali904e5:peers12:"
		"\x7f\0\0\1\xed\xad\x7f\0\0\1\xed\xae"
		"e"));
}

static void
a_compact_answer_may_carry_everything(void **state)
{
	static const uint8_t ip[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct bt_announce_answer a = {
		.interval = 5,
		.peers6 = STR("iiiiiiiiiiiiiiiipp"),
		.compact = true,
		.external = bt_addr_v6(ip, 9),
	};

	(void)state;
	assert_answer(
	    &a, STR("d8:completei0e10:downloadedi0e11:external ip16:"
		    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
		    "10:incompletei0e"
		    "8:intervali5e5:peers0:6:peers618:iiiiiiiiiiiiiiiippe"));
}

static void
an_answer_in_dictionaries_has_both_families_and_their_ids(void **state)
{
	struct bt_announce_answer a = {
		.interval = 5,
		.peers4 = STR("\xc0\0\2\1\0\x50"),
		.peers6 = STR("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x1a\xe1"),
	};

	(void)state;
	assert_answer(&a, STR("d8:completei0e10:downloadedi0e10:incompletei0e"
			      "8:intervali5e5:peersl"
			      "d2:ip9:192.0.2.14:porti80ee"
			      "d2:ip11:2001:db8::14:porti6881ee"
			      "ee"));
	a.ids = (const uint8_t *)"aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbb";
	assert_answer(&a,
	    STR("d8:completei0e10:downloadedi0e10:incompletei0e"
		"8:intervali5e5:peersl"
		"d2:ip9:192.0.2.17:peer id20:aaaaaaaaaaaaaaaaaaaa4:porti80ee"
		"d2:ip11:2001:db8::17:peer "
		"id20:bbbbbbbbbbbbbbbbbbbb4:porti6881ee"
		"ee"));
}

static void
an_answer_reads_back(void **state)
{
	struct bt_announce_answer a = {
		.interval = 1800,
		.min_interval = 60,
		.complete = 4000000000,
		.incomplete = 2,
		.peers4 = STR("\xc0\0\2\1\0\x50"),
		.peers6 = STR("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x1a\xe1"),
	};

	(void)state;
	for (int compact = 0; compact < 2; compact++) {
		struct bt_announce_reply r;
		char text[BT_ADDR_TEXT_MAX];
		struct bt_buf out;

		a.compact = compact;
		bt_buf_init(&out, 4096);
		assert_int_equal(bt_announce_answer_put(&out, &a), 0);
		r = read_back(bt_buf_str(&out));
		assert_int_equal(r.interval, 1800);
		assert_int_equal(r.min_interval, 60);
		assert_true(r.complete == 4000000000);
		assert_int_equal(r.incomplete, 2);
		assert_int_equal(r.npeers, 2);
		assert_string_equal(
		    bt_addr_text(&r.peers[0], text), "192.0.2.1:80");
		assert_string_equal(
		    bt_addr_text(&r.peers[1], text), "[2001:db8::1]:6881");
		bt_announce_reply_fini(&r);
		bt_buf_fini(&out);
	}
}

static void
a_failure_is_written_as_bep_3_and_31_say(void **state)
{
	static const struct {
		int32_t retry_min;
		const char *want;
	} cases[] = {
		{ 0, "d14:failure reason4:nopee" },
		{ 5, "d14:failure reason4:nope8:retry ini5ee" },
		{ -1, "d14:failure reason4:nope8:retry in5:nevere" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct bt_buf out;
		size_t n = strlen(cases[i].want);

		bt_buf_init(&out, n);
		assert_int_equal(bt_announce_failure_put(
				     &out, STR("nope"), cases[i].retry_min),
		    0);
		assert_text(bt_buf_str(&out), cases[i].want);
		bt_buf_fini(&out);
		bt_buf_init(&out, n - 1);
		assert_int_equal(bt_announce_failure_put(
				     &out, STR("nope"), cases[i].retry_min),
		    -1);
		assert_int_equal(out.n, 0);
		bt_buf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transmissions_announce_reads),
		cmocka_unit_test(aria2s_announce_reads),
		cmocka_unit_test(the_example_of_bep_23_reads),
		cmocka_unit_test(what_is_absent_has_its_default),
		cmocka_unit_test(ids_may_hold_any_byte),
		cmocka_unit_test(ids_that_are_not_20_bytes_are_refused),
		cmocka_unit_test(what_must_be_there_is_named_when_it_is_not),
		cmocka_unit_test(a_port_is_a_number_from_1_to_65535),
		cmocka_unit_test(byte_counts_saturate_and_take_no_sign),
		cmocka_unit_test(numwant_is_advice),
		cmocka_unit_test(the_first_of_two_parameters_counts),
		cmocka_unit_test(names_are_whole_and_case_counts),
		cmocka_unit_test(each_event_is_known_by_its_name),
		cmocka_unit_test(
		    keys_in_hex_are_numbers_and_others_are_told_apart),
		cmocka_unit_test(compact_is_refused_only_by_0),
		cmocka_unit_test(an_address_counts_if_it_is_numeric),
		cmocka_unit_test(a_tracker_id_is_left_escaped),
		cmocka_unit_test(what_our_client_writes_our_tracker_reads),
		cmocka_unit_test(a_warning_is_the_last_key),
		cmocka_unit_test(a_compact_answer_is_what_other_trackers_write),
		cmocka_unit_test(a_compact_answer_may_carry_everything),
		cmocka_unit_test(
		    an_answer_in_dictionaries_has_both_families_and_their_ids),
		cmocka_unit_test(an_answer_reads_back),
		cmocka_unit_test(a_failure_is_written_as_bep_3_and_31_say),
	};
	int rc;

	edge_init(&edge, 4096);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	edge_fini(&edge);
	return rc;
}
