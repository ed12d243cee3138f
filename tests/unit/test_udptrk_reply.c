/*
 * What a tracker answers by UDP, read and written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "edge.h"
#include "udptrk_bytes.h"

static struct edge edge;

/* opentracker 0.0~git20210823 */
static const struct bt_str connect_reply =
    LIT("\0\0\0\0"
	"\x0b\x2b\x97\xfe"
	"\xa6\xb5\x8c\xc9\xf9\x36\x4f\x54");
static const struct bt_str announce_reply = LIT("\0\0\0\1"
						"\0\0\0\7"
						"\0\0\6\x97"
						"\0\0\0\2"
						"\0\0\0\1"
						"\x7f\0\0\1\x1a\xe1"
						"\x7f\0\0\1\xed\xad"
						"\x7f\0\0\1\xed\xae");
static const struct bt_str scrape_reply = LIT("\0\0\0\2"
					      "\0\0\0\x08"
					      "\0\0\0\1"
					      "\0\0\0\1"
					      "\0\0\0\2");
static const struct bt_str error_reply = LIT("\0\0\0\3"
					     "\0\0\0\x08"
					     "Connection ID missmatch.\0");

static void
assert_reply_written(const struct bt_udp_reply *r, struct bt_str want)
{
	struct bt_buf out;

	bt_buf_init(&out, 4096);
	assert_int_equal(bt_udp_reply_put(&out, r), 0);
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
	bt_buf_fini(&out);
}

static void
real_replies_read_and_are_written_the_same(void **state)
{
	struct bt_udp_reply r;

	(void)state;
	assert_int_equal(bt_udp_reply_parse(connect_reply, 4, &r), 0);
	assert_int_equal(r.action, BT_UDP_CONNECT);
	assert_int_equal(r.transaction, 0x0b2b97fe);
	assert_true(r.connection == UINT64_C(0xa6b58cc9f9364f54));
	assert_reply_written(&r, connect_reply);

	assert_int_equal(bt_udp_reply_parse(announce_reply, 4, &r), 0);
	assert_int_equal(r.action, BT_UDP_ANNOUNCE);
	assert_int_equal(r.interval, 0x697);
	assert_int_equal(r.incomplete, 2);
	assert_int_equal(r.complete, 1);
	assert_int_equal(r.peers.n, 18);
	assert_ptr_equal(r.peers.p, announce_reply.p + 20);
	assert_reply_written(&r, announce_reply);

	assert_int_equal(bt_udp_reply_parse(scrape_reply, 4, &r), 0);
	assert_int_equal(r.action, BT_UDP_SCRAPE);
	assert_int_equal(r.nrows, 1);
	assert_reply_written(&r, scrape_reply);
}

/* BEP 15: seeders, completed, leechers */
static void
a_scrapes_row_is_in_the_order_of_bep_15(void **state)
{
	struct bt_scrape_row row = { .info_hash = HASH };
	struct bt_udp_reply r;

	(void)state;
	assert_int_equal(bt_udp_reply_parse(STR("\0\0\0\2\0\0\0\1"
						"\0\0\0\1\0\0\0\2\0\0\0\3"
						"\0\0\0\4\0\0\0\5\0\0\0\6"
						"\0\0\0"),
			     4, &r),
	    0);
	assert_int_equal(r.nrows, 2);
	bt_udp_reply_row(&r, 1, &row);
	assert_int_equal(row.complete, 4);
	assert_int_equal(row.downloaded, 5);
	assert_int_equal(row.incomplete, 6);
	assert_memory_equal(row.info_hash, HASH, 20);
}

static void
an_errors_sentence_ends_before_its_nul(void **state)
{
	struct bt_udp_reply r;

	(void)state;
	assert_int_equal(bt_udp_reply_parse(error_reply, 4, &r), 0);
	assert_int_equal(r.action, BT_UDP_ERROR);
	assert_int_equal(r.error.n, 24);
	assert_memory_equal(r.error.p, "Connection ID missmatch.", 24);
	assert_int_equal(bt_udp_reply_parse(STR("\0\0\0\3\0\0\0\1"), 4, &r), 0);
	assert_int_equal(r.error.n, 0);
}

static void
peers_are_cut_to_whole_ones_by_family(void **state)
{
	uint8_t p[20 + 40] = { 0, 0, 0, 1 };
	struct bt_udp_reply r;

	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		struct bt_str in = { p, 20 + n };

		assert_int_equal(bt_udp_reply_parse(in, 4, &r), 0);
		assert_int_equal(r.peers.n, n / 6 * 6);
		assert_int_equal(bt_udp_reply_parse(in, 6, &r), 0);
		assert_int_equal(r.peers.n, n / 18 * 18);
	}
}

static void
a_negative_interval_is_none(void **state)
{
	struct bt_udp_reply r;

	(void)state;
	assert_int_equal(bt_udp_reply_parse(STR("\0\0\0\1\0\0\0\1"
						"\xff\xff\xff\xff"
						"\0\0\0\0\0\0\0\0"),
			     4, &r),
	    0);
	assert_int_equal(r.interval, 0);
}

static void
a_reply_that_is_too_short_or_unknown_is_refused(void **state)
{
	struct bt_udp_reply r;

	(void)state;
	for (size_t n = 0; n < 20; n++) {
		struct bt_str in =
		    edge_put(&edge, bt_str_sub(announce_reply, 0, n));

		assert_int_equal(bt_udp_reply_parse(in, 4, &r), -1);
	}
	for (size_t n = 0; n < 16; n++) {
		struct bt_str in =
		    edge_put(&edge, bt_str_sub(connect_reply, 0, n));

		assert_int_equal(bt_udp_reply_parse(in, 4, &r), -1);
	}
	assert_int_equal(
	    bt_udp_reply_parse(STR("\0\0\0\4\0\0\0\1abcdefghi"), 4, &r), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_replies_read_and_are_written_the_same),
		cmocka_unit_test(a_scrapes_row_is_in_the_order_of_bep_15),
		cmocka_unit_test(an_errors_sentence_ends_before_its_nul),
		cmocka_unit_test(peers_are_cut_to_whole_ones_by_family),
		cmocka_unit_test(a_negative_interval_is_none),
		cmocka_unit_test(
		    a_reply_that_is_too_short_or_unknown_is_refused),
	};
	int rc;

	edge_init(&edge, 4096);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	edge_fini(&edge);
	return rc;
}
