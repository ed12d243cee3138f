#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/metainfo.h"
#include "codec/metawrite.h"

#define HASH "aaaaaaaaaaaaaaaaaaaa"

static const struct bt_metawrite_file one = { { NULL, 0 }, 5 };

static struct bt_metawrite
single(void)
{
	return (struct bt_metawrite){
		.name = STR("x"),
		.files = &one,
		.nfiles = 1,
		.single = true,
		.piece_length = 16384,
		.piece_hashes = STR(HASH),
		.creation_date = -1,
	};
}

static void
assert_written(const struct bt_metawrite *w, const char *want)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;

	bt_buf_init(&b, 4096);
	assert_int_equal(bt_metawrite_put(w, &b, &err), 0);
	bt_buf_putc(&b, 0);
	assert_string_equal((char *)b.p, want);
	bt_buf_fini(&b);
}

static void
a_file_without_options_is_the_four_keys_of_bep_3(void **state)
{
	struct bt_metawrite w = single();

	(void)state;
	assert_written(&w, "d4:infod6:lengthi5e4:name1:x12:piece lengthi16384e"
			   "6:pieces20:" HASH "ee");
}

static void
every_key_is_in_its_place(void **state)
{
	static const struct bt_metawrite_file files[] = {
		{ { (const uint8_t *)"a/b/c", 5 }, 0 },
		{ { (const uint8_t *)"d", 1 }, 5 },
	};
	static const struct bt_metawrite_tracker trackers[] = {
		{ { (const uint8_t *)"http://a", 8 }, 0 },
		{ { (const uint8_t *)"http://b", 8 }, 0 },
		{ { (const uint8_t *)"udp://c:1", 9 }, 1 },
	};
	static const struct bt_str seeds[] = {
		{ (const uint8_t *)"http://w/", 9 },
	};
	struct bt_metawrite w = single();

	(void)state;
	w.files = files;
	w.nfiles = 2;
	w.single = false;
	w.trackers = trackers;
	w.ntrackers = 3;
	w.web_seeds = seeds;
	w.nweb_seeds = 1;
	w.private_ = true;
	w.source = STR("S");
	w.comment = STR("hi");
	w.created_by = STR("me");
	w.creation_date = 0;
	assert_written(&w,
	    "d8:announce8:http://a13:announce-list"
	    "ll8:http://a8:http://bel9:udp://c:1ee7:comment2:hi"
	    "10:created by2:me13:creation datei0e4:infod5:files"
	    "ld6:lengthi0e4:pathl1:a1:b1:ceed6:lengthi5e4:pathl1:deee"
	    "4:name1:x12:piece lengthi16384e6:pieces20:" HASH
	    "7:privatei1e6:source1:Se8:url-listl9:http://w/ee");
}

static void
one_tracker_needs_no_list(void **state)
{
	static const struct bt_metawrite_tracker t = {
		{ (const uint8_t *)"http://a", 8 }, 0
	};
	struct bt_metawrite w = single();

	(void)state;
	w.trackers = &t;
	w.ntrackers = 1;
	assert_written(&w, "d8:announce8:http://a4:infod6:lengthi5e4:name1:x"
			   "12:piece lengthi16384e6:pieces20:" HASH "ee");
}

static void
what_is_written_reads_back_without_an_oddity(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_metawrite w = single();
	struct bt_meta m;
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 4096);
	assert_int_equal(bt_metawrite_put(&w, &b, &err), 0);
	assert_int_equal(bt_meta_parse(bt_buf_str(&b), &m, &err), 0);
	assert_int_equal(m.oddities, 0);
	assert_int_equal(m.size, 5);
	assert_int_equal(m.pieces, 1);
	assert_false(m.private_);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

static void
a_torrent_over_the_ceiling_is_an_error(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_metawrite w = single();
	struct bt_buf b;
	size_t whole;

	(void)state;
	bt_buf_init(&b, 4096);
	assert_int_equal(bt_metawrite_put(&w, &b, &err), 0);
	whole = b.n;
	bt_buf_fini(&b);
	for (size_t max = 0; max < whole; max++) {
		err.kind = BT_ENONE;
		bt_buf_init(&b, max);
		assert_int_equal(bt_metawrite_put(&w, &b, &err), -1);
		assert_int_equal(err.kind, BT_ELIMIT);
		bt_buf_fini(&b);
	}
}

/* The table of bt-make(1), at both sides of each step. Frozen. */
static void
the_piece_length_for_a_size_never_changes(void **state)
{
	static const struct {
		uint64_t size;
		uint32_t piece;
	} table[] = {
		{ (uint64_t)512 << 10, 16u << 10 },
		{ (uint64_t)2 << 20, 32u << 10 },
		{ (uint64_t)8 << 20, 64u << 10 },
		{ (uint64_t)32 << 20, 128u << 10 },
		{ (uint64_t)128 << 20, 256u << 10 },
		{ (uint64_t)512 << 20, 512u << 10 },
		{ (uint64_t)2 << 30, 1u << 20 },
		{ (uint64_t)8 << 30, 2u << 20 },
		{ (uint64_t)32 << 30, 4u << 20 },
		{ (uint64_t)128 << 30, 8u << 20 },
	};

	(void)state;
	assert_int_equal(bt_metawrite_piece_length(0), 16384);
	assert_int_equal(bt_metawrite_piece_length(1), 16384);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(
		    bt_metawrite_piece_length(table[i].size), table[i].piece);
		assert_int_equal(bt_metawrite_piece_length(table[i].size + 1),
		    2 * table[i].piece);
	}
	assert_int_equal(bt_metawrite_piece_length(UINT64_MAX), 16u << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_file_without_options_is_the_four_keys_of_bep_3),
		cmocka_unit_test(every_key_is_in_its_place),
		cmocka_unit_test(one_tracker_needs_no_list),
		cmocka_unit_test(what_is_written_reads_back_without_an_oddity),
		cmocka_unit_test(a_torrent_over_the_ceiling_is_an_error),
		cmocka_unit_test(the_piece_length_for_a_size_never_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
