/*
 * What a tracker is asked by UDP, read and written; and the options of BEP 41.
 */
#include "codec/udptrk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/rd.h"
#include "edge.h"
#include "udptrk_bytes.h"

static struct edge edge;

#define ID "-TR3000-e12dx6b2r9dd"
#define CONNECTION "\x11\x22\x33\x44\x55\x66\x77\x88"

/* transmission-daemon 3.00 */
static const struct bt_str connect_request = LIT("\0\0\x04\x17\x27\x10\x19\x80"
						 "\0\0\0\0"
						 "\x0b\x2b\x97\xfe");
static const struct bt_str announce_request =
    LIT(CONNECTION "\0\0\0\1"
		   "\x31\xe7\xcf\x46" HASH ID "\0\0\0\0\0\0\0\0"
		   "\0\0\0\0\0\0\x9c\x40"
		   "\0\0\0\0\0\0\0\0"
		   "\0\0\0\2"
		   "\0\0\0\0"
		   "\x36\x1c\x0c\x15"
		   "\0\0\0\x50"
		   "\xed\xad");
static const struct bt_str scrape_request =
    LIT(CONNECTION "\0\0\0\2"
		   "\x52\x94\x3c\x36" HASH);

struct read {
	struct bt_udp_request q;
	uint8_t url[600];
	bool known;
	int rc;
};

static struct read *
read_request(struct bt_str in, struct read *r)
{
	memset(r, 0xaa, sizeof(*r));
	r->rc =
	    bt_udp_request_parse(in, &r->q, r->url, sizeof(r->url), &r->known);
	return r;
}

static void
assert_written(const struct bt_udp_request *q, struct bt_str want)
{
	struct bt_buf out;

	bt_buf_init(&out, 4096);
	assert_int_equal(bt_udp_request_put(&out, q), 0);
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
	bt_buf_fini(&out);
}

static void
a_real_connect_reads_and_is_written_the_same(void **state)
{
	struct read r;

	(void)state;
	assert_int_equal(read_request(connect_request, &r)->rc, 0);
	assert_int_equal(r.q.action, BT_UDP_CONNECT);
	assert_true(r.q.connection == BT_UDP_MAGIC);
	assert_int_equal(r.q.transaction, 0x0b2b97fe);
	assert_true(r.known);
	assert_written(&r.q, connect_request);
}

static void
a_real_announce_reads_and_is_written_the_same(void **state)
{
	struct read r;
	const struct bt_announce *a = &r.q.announce;

	(void)state;
	assert_int_equal(read_request(announce_request, &r)->rc, 0);
	assert_int_equal(r.q.action, BT_UDP_ANNOUNCE);
	assert_true(r.q.connection == UINT64_C(0x1122334455667788));
	assert_int_equal(r.q.transaction, 0x31e7cf46);
	assert_memory_equal(a->info_hash, HASH, 20);
	assert_memory_equal(a->peer_id, ID, 20);
	assert_true(a->left == 40000);
	assert_true(a->downloaded == 0 && a->uploaded == 0);
	assert_int_equal(a->event, BT_EVENT_STARTED);
	assert_true(a->has_key);
	assert_int_equal(a->key, 0x361c0c15);
	assert_int_equal(a->numwant, 80);
	assert_int_equal(a->port, 60845);
	assert_int_equal(a->ip.family, 0);
	assert_int_equal(r.q.url_data.n, 0);
	assert_ptr_equal(
	    bt_udp_request_hash(announce_request), announce_request.p + 16);
	assert_written(&r.q, announce_request);
}

static void
a_real_scrape_reads_and_is_written_the_same(void **state)
{
	struct read r;

	(void)state;
	assert_int_equal(read_request(scrape_request, &r)->rc, 0);
	assert_int_equal(r.q.action, BT_UDP_SCRAPE);
	assert_int_equal(r.q.nhashes, 1);
	assert_memory_equal(r.q.hashes[0], HASH, 20);
	assert_written(&r.q, scrape_request);
}

/* BEP 15 puts each at its place. */
static void
downloaded_left_and_uploaded_keep_their_places(void **state)
{
	uint8_t p[98];
	struct read r;

	(void)state;
	memcpy(p, announce_request.p, sizeof(p));
	bt_put_be64(p + 56, 1);
	bt_put_be64(p + 64, UINT64_MAX);
	bt_put_be64(p + 72, 3);
	read_request((struct bt_str){ p, sizeof(p) }, &r);
	assert_true(r.q.announce.downloaded == 1);
	assert_true(r.q.announce.left == UINT64_MAX);
	assert_true(r.q.announce.uploaded == 3);
	assert_written(&r.q, (struct bt_str){ p, sizeof(p) });
}

static void
an_announce_with_defaults_asks_for_minus_one(void **state)
{
	struct bt_udp_request q = {
		.action = BT_UDP_ANNOUNCE,
		.announce = { .numwant = -1,
		    .event = BT_EVENT_PAUSED,
		    .key = 5,
		    .port = 6881 },
	};
	struct bt_buf out;

	(void)state;
	bt_buf_init(&out, 98);
	assert_int_equal(bt_udp_request_put(&out, &q), 0);
	assert_int_equal(bt_be32(out.p + 80), 0); /* BEP 15 has no paused */
	assert_int_equal(bt_be32(out.p + 84), 0);
	assert_int_equal(bt_be32(out.p + 88), 0); /* has_key is not set */
	assert_int_equal(bt_be32(out.p + 92), 0xffffffff);
	bt_buf_fini(&out);
}

static void
each_event_has_the_value_of_bep_15(void **state)
{
	static const enum bt_event events[] = { BT_EVENT_NONE,
		BT_EVENT_COMPLETED, BT_EVENT_STARTED, BT_EVENT_STOPPED,
		BT_EVENT_NONE, BT_EVENT_NONE };
	uint8_t p[98];
	struct read r;

	(void)state;
	memcpy(p, announce_request.p, sizeof(p));
	for (uint32_t i = 0; i < 6; i++) {
		bt_put_be32(p + 80, i);
		read_request((struct bt_str){ p, sizeof(p) }, &r);
		assert_int_equal(r.rc, 0);
		assert_int_equal(r.q.announce.event, events[i]);
	}
}

static void
a_negative_num_want_is_the_default(void **state)
{
	uint8_t p[98];
	struct read r;

	(void)state;
	memcpy(p, announce_request.p, sizeof(p));
	bt_put_be32(p + 92, 0x80000000);
	assert_int_equal(
	    read_request((struct bt_str){ p, 98 }, &r)->q.announce.numwant, -1);
	bt_put_be32(p + 92, 0x7fffffff);
	assert_int_equal(
	    read_request((struct bt_str){ p, 98 }, &r)->q.announce.numwant,
	    INT32_MAX);
}

static void
an_address_in_an_announce_is_read(void **state)
{
	uint8_t p[98];
	struct read r;

	(void)state;
	memcpy(p, announce_request.p, sizeof(p));
	bt_put_be32(p + 84, 0xc0000201);
	read_request((struct bt_str){ p, 98 }, &r);
	assert_int_equal(r.q.announce.ip.family, 4);
	assert_memory_equal(r.q.announce.ip.ip, "\xc0\0\2\1", 4);
	assert_written(&r.q, (struct bt_str){ p, 98 });
}

/* Shorter is no request; whether one can answer depends on 16 bytes. */
static void
every_prefix_of_a_request_is_refused(void **state)
{
	const struct bt_str whole[] = { connect_request, announce_request };
	struct read r;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t n = 0; n < whole[i].n; n++) {
			struct bt_str in =
			    edge_put(&edge, bt_str_sub(whole[i], 0, n));

			assert_int_equal(read_request(in, &r)->rc, -1);
			assert_null(bt_udp_request_hash(in));
			assert_int_equal(r.known, n >= 16);
			if (n >= 16)
				assert_int_equal(r.q.transaction, 0x31e7cf46);
		}
}

static void
a_connect_without_the_magic_and_unknown_actions_are_refused(void **state)
{
	struct read r;
	uint8_t p[98];

	(void)state;
	memcpy(p, announce_request.p, sizeof(p));
	for (uint32_t action = 0; action < 300; action++) {
		if (action == BT_UDP_ANNOUNCE || action == BT_UDP_SCRAPE)
			continue;
		bt_put_be32(p + 8, action);
		read_request((struct bt_str){ p, sizeof(p) }, &r);
		assert_int_equal(r.rc, -1);
		assert_true(r.known);
		assert_int_equal(r.q.transaction, 0x31e7cf46);
	}
}

/* BEP 15: "Do not expect packets to be exactly of a certain size." */
static void
bytes_after_a_connect_or_a_scrape_are_passed_over(void **state)
{
	struct read r;

	(void)state;
	read_request(
	    STR("\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0\0\0\0\1abc"), &r);
	assert_int_equal(r.rc, 0);
	read_request(STR(CONNECTION "\0\0\0\2\0\0\0\1" HASH "abc"), &r);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.q.nhashes, 1);
}

static void
a_scrape_reads_up_to_74_hashes(void **state)
{
	uint8_t p[16 + 80 * 20];
	struct read r;

	(void)state;
	for (size_t i = 0; i < 80; i++)
		memset(p + 16 + 20 * i, (int)i, 20);
	memcpy(p, scrape_request.p, 16);
	read_request((struct bt_str){ p, sizeof(p) }, &r);
	assert_int_equal(r.q.nhashes, 74);
	assert_int_equal(r.q.hashes[73][19], 73);
	read_request((struct bt_str){ p, 16 }, &r);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.q.nhashes, 0);
}

static struct read *
read_options(struct bt_str options, struct read *r)
{
	struct bt_buf b;
	struct bt_str in;

	bt_buf_init(&b, 2048);
	assert_int_equal(bt_buf_add(&b, announce_request), 0);
	assert_int_equal(bt_buf_add(&b, options), 0);
	in = edge_put(&edge, bt_buf_str(&b));
	read_request(in, r);
	bt_buf_fini(&b);
	assert_int_equal(r->rc, 0);
	assert_ptr_equal(r->q.url_data.p, r->url);
	return r;
}

static void
the_examples_of_bep_41_read(void **state)
{
	struct read r;

	(void)state;
	read_options(STR("\2\14/dir?a=b&c=d"), &r);
	assert_int_equal(r.q.url_data.n, 12);
	assert_memory_equal(r.url, "/dir?a=b&c=d", 12);
	read_options(STR("\2\14/dir?a=b&c=d\1\1\0"), &r);
	assert_int_equal(r.q.url_data.n, 12);
	read_options(STR("\2\0"), &r);
	assert_int_equal(r.q.url_data.n, 0);
}

static void
url_data_is_joined_and_other_options_are_skipped(void **state)
{
	struct read r;

	(void)state;
	read_options(STR("\1\2\2ab\7\3xyz\2\0\1\2\3cde\0\2\1f"), &r);
	assert_int_equal(r.q.url_data.n, 5);
	assert_memory_equal(r.url, "abcde", 5);
}

static void
an_option_that_runs_over_the_end_ends_the_options(void **state)
{
	struct read r;

	(void)state;
	read_options(STR("\2\2ab\2\5cd"), &r);
	assert_int_equal(r.q.url_data.n, 2);
	read_options(STR("\2\2ab\2"), &r);
	assert_int_equal(r.q.url_data.n, 2);
	read_options(STR("\377"), &r);
	assert_int_equal(r.q.url_data.n, 0);
}

static void
url_data_is_cut_to_the_room_there_is(void **state)
{
	struct bt_udp_request q;
	struct bt_buf b;
	uint8_t url[3];
	bool known;

	(void)state;
	bt_buf_init(&b, 2048);
	assert_int_equal(bt_buf_add(&b, announce_request), 0);
	assert_int_equal(bt_buf_add(&b, STR("\2\2ab\2\5cdefg")), 0);
	assert_int_equal(
	    bt_udp_request_parse(bt_buf_str(&b), &q, url, sizeof(url), &known),
	    0);
	assert_int_equal(q.url_data.n, 3);
	assert_memory_equal(url, "abc", 3);
	assert_int_equal(
	    bt_udp_request_parse(bt_buf_str(&b), &q, NULL, 0, &known), 0);
	assert_int_equal(q.url_data.n, 0);
	bt_buf_fini(&b);
}

static void
long_url_data_goes_in_several_options_and_comes_back(void **state)
{
	char path[400];
	struct read r, again;
	struct bt_buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = (char)('a' + i % 26);
	read_request(announce_request, &r);
	r.q.url_data = (struct bt_str){ (uint8_t *)path, sizeof(path) };
	bt_buf_init(&out, 4096);
	assert_int_equal(bt_udp_request_put(&out, &r.q), 0);
	assert_int_equal(out.n, 98 + 2 + 255 + 2 + 145);
	assert_int_equal(out.p[98], 2);
	assert_int_equal(out.p[99], 255);
	read_request(bt_buf_str(&out), &again);
	assert_int_equal(again.q.url_data.n, sizeof(path));
	assert_memory_equal(again.url, path, sizeof(path));
	bt_buf_fini(&out);
}

static void
a_request_that_does_not_fit_is_not_written_at_all(void **state)
{
	static const uint8_t path[1500];
	struct bt_buf out;
	struct read r;

	(void)state;
	read_request(announce_request, &r);
	for (size_t max = 0; max < 98; max++) {
		bt_buf_init(&out, max);
		assert_int_equal(bt_udp_request_put(&out, &r.q), -1);
		assert_int_equal(out.n, 0);
		bt_buf_fini(&out);
	}
	r.q.url_data = (struct bt_str){ path, sizeof(path) };
	bt_buf_init(&out, 4096);
	assert_int_equal(bt_udp_request_put(&out, &r.q), -1);
	assert_int_equal(out.n, 0);
	bt_buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_connect_reads_and_is_written_the_same),
		cmocka_unit_test(a_real_announce_reads_and_is_written_the_same),
		cmocka_unit_test(a_real_scrape_reads_and_is_written_the_same),
		cmocka_unit_test(
		    downloaded_left_and_uploaded_keep_their_places),
		cmocka_unit_test(an_announce_with_defaults_asks_for_minus_one),
		cmocka_unit_test(each_event_has_the_value_of_bep_15),
		cmocka_unit_test(a_negative_num_want_is_the_default),
		cmocka_unit_test(an_address_in_an_announce_is_read),
		cmocka_unit_test(every_prefix_of_a_request_is_refused),
		cmocka_unit_test(
		    a_connect_without_the_magic_and_unknown_actions_are_refused),
		cmocka_unit_test(
		    bytes_after_a_connect_or_a_scrape_are_passed_over),
		cmocka_unit_test(a_scrape_reads_up_to_74_hashes),
		cmocka_unit_test(the_examples_of_bep_41_read),
		cmocka_unit_test(
		    url_data_is_joined_and_other_options_are_skipped),
		cmocka_unit_test(
		    an_option_that_runs_over_the_end_ends_the_options),
		cmocka_unit_test(url_data_is_cut_to_the_room_there_is),
		cmocka_unit_test(
		    long_url_data_goes_in_several_options_and_comes_back),
		cmocka_unit_test(
		    a_request_that_does_not_fit_is_not_written_at_all),
	};
	int rc;

	edge_init(&edge, 4096);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	edge_fini(&edge);
	return rc;
}
