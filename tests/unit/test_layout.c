#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "core/layout.h"

#define KIB 1024u

/* A torrent of files with these sizes, named f0, f1, ... in folder "T". */
static struct bt_layout *
make(const uint64_t *sizes, uint32_t n, uint32_t piece_length)
{
	static const char names[] = "f0f1f2f3f4f5f6f7f8f9";
	struct bt_meta m = { .has_v1 = true,
		.piece_length = piece_length,
		.name = STR("T"),
		.files = bt_filetab_new() };
	struct bt_layout *l;
	uint8_t *hashes;

	for (uint32_t i = 0; i < n; i++) {
		bt_filetab_add(m.files, sizes[i], 0,
		    (struct bt_str){
			(const uint8_t *)names + 2 * (i % 10), 2 });
		m.size += sizes[i];
	}
	m.pieces = (uint32_t)((m.size + piece_length - 1) / piece_length);
	hashes = bt_mem_array(m.pieces, 20);
	for (uint32_t i = 0; i < m.pieces; i++)
		memset(hashes + (size_t)20 * i, (int)(i & 0xff), 20);
	m.piece_hashes = hashes;
	l = bt_layout_new(&m);
	memset(hashes, 0xee, (size_t)20 * m.pieces); /* it has its own copy */
	bt_mem_free(hashes);
	bt_filetab_free(m.files); /* it goes on having them */
	return l;
}
#define MAKE(piece_length, ...)                                           \
	make((const uint64_t[]){ __VA_ARGS__ },                           \
	    sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), \
	    piece_length)

/* The spans of a range as "file@at+n file@at+n". */
static const char *
spans(const struct bt_layout *l, uint64_t offset, uint64_t left, char *out,
    size_t max)
{
	struct bt_layout_walk w = { .offset = offset, .left = left };
	struct bt_layout_span s;
	size_t at = 0;

	out[0] = '\0';
	while (bt_layout_next_span(l, &w, &s)) {
		at += (size_t)snprintf(out + at, max - at, "%s%u@%ju+%ju",
		    at > 0 ? " " : "", s.file, (uintmax_t)s.at, (uintmax_t)s.n);
		assert_true(at < max);
	}
	return out;
}

static void
the_last_piece_and_its_last_block_are_short(void **state)
{
	struct bt_layout *l = MAKE(40000, 100000);

	(void)state;
	assert_int_equal(l->pieces, 3);
	assert_int_equal(bt_layout_piece_size(l, 0), 40000);
	assert_int_equal(bt_layout_piece_size(l, 1), 40000);
	assert_int_equal(bt_layout_piece_size(l, 2), 20000);
	assert_int_equal(bt_layout_blocks(l, 0), 3);
	assert_int_equal(bt_layout_block_size(l, 0, 1), 16384);
	assert_int_equal(bt_layout_block_size(l, 0, 2), 40000 - 32768);
	assert_int_equal(bt_layout_blocks(l, 2), 2);
	assert_int_equal(bt_layout_block_size(l, 2, 1), 20000 - 16384);
	bt_layout_free(l);
}

static void
a_last_piece_of_one_byte_is_one_block_of_one_byte(void **state)
{
	struct bt_layout *l = MAKE(16 * KIB, 16 * KIB, 1);

	(void)state;
	assert_int_equal(l->pieces, 2);
	assert_int_equal(bt_layout_piece_size(l, 1), 1);
	assert_int_equal(bt_layout_blocks(l, 1), 1);
	assert_int_equal(bt_layout_block_size(l, 1, 0), 1);
	assert_int_equal(bt_filetab_find(l->files, 16 * KIB), 1);
	bt_layout_free(l);
}

static void
a_whole_number_of_pieces_has_no_short_one(void **state)
{
	struct bt_layout *l = MAKE(32 * KIB, 64 * KIB);

	(void)state;
	assert_int_equal(l->pieces, 2);
	assert_int_equal(bt_layout_piece_size(l, 1), 32 * KIB);
	assert_int_equal(bt_layout_blocks(l, 1), 2);
	assert_int_equal(bt_layout_block_size(l, 1, 1), 16 * KIB);
	bt_layout_free(l);
}

static void
a_piece_smaller_than_a_block_is_one_block(void **state)
{
	struct bt_layout *l = MAKE(5, 12);

	(void)state;
	assert_int_equal(l->pieces, 3);
	assert_int_equal(bt_layout_blocks(l, 0), 1);
	assert_int_equal(bt_layout_block_size(l, 0, 0), 5);
	assert_int_equal(bt_layout_block_size(l, 2, 0), 2);
	bt_layout_free(l);
}

static void
offsets_beyond_4_gib_do_not_wrap(void **state)
{
	struct bt_layout *l = MAKE(1u << 30, UINT64_C(5) << 40, 7);
	char s[64];

	(void)state;
	assert_int_equal(l->pieces, 5 * 1024 + 1);
	assert_int_equal(bt_layout_offset(l, 5 * 1024 - 1, 9),
	    (UINT64_C(5) << 40) - (1u << 30) + 9);
	assert_int_equal(bt_layout_piece_size(l, 5 * 1024), 7);
	assert_int_equal(bt_layout_last(l, 0), 5 * 1024 - 1);
	assert_string_equal(spans(l, (UINT64_C(5) << 40) - 2, 4, s, sizeof(s)),
	    "0@5497558138878+2 1@0+2");
	bt_layout_free(l);
}

static void
empty_files_at_both_ends_hold_no_byte(void **state)
{
	struct bt_layout *l = MAKE(4, 0, 0, 6, 0, 5, 0, 0);
	char s[64];

	(void)state;
	for (uint64_t at = 0; at < 11; at++)
		assert_int_equal(bt_filetab_find(l->files, at), at < 6 ? 2 : 4);
	assert_string_equal(spans(l, 0, 11, s, sizeof(s)), "2@0+6 4@0+5");
	assert_string_equal(spans(l, 5, 2, s, sizeof(s)), "2@5+1 4@0+1");
	assert_string_equal(spans(l, 10, 1, s, sizeof(s)), "4@4+1");
	bt_layout_free(l);
}

static void
a_file_that_ends_mid_piece_shares_that_piece(void **state)
{
	struct bt_layout *l = MAKE(10, 15, 5, 21);
	struct bt_bits b;

	(void)state;
	assert_int_equal(bt_layout_first(l, 0), 0);
	assert_int_equal(bt_layout_last(l, 0), 1);
	assert_int_equal(bt_layout_first(l, 1), 1);
	assert_int_equal(bt_layout_last(l, 1), 1);
	assert_int_equal(bt_layout_first(l, 2), 2);
	assert_int_equal(bt_layout_last(l, 2), 4);
	bt_bits_init(&b, l->pieces);
	bt_layout_mark_file(l, 1, &b);
	assert_int_equal(b.set, 1);
	assert_true(bt_bits_has(&b, 1));
	bt_layout_mark_file(l, 2, &b);
	assert_int_equal(b.set, 4);
	assert_false(bt_bits_has(&b, 0));
	bt_bits_fini(&b);
	bt_layout_free(l);
}

static void
an_empty_file_marks_no_piece(void **state)
{
	struct bt_layout *l = MAKE(10, 15, 0, 21);
	struct bt_bits b;

	(void)state;
	bt_bits_init(&b, l->pieces);
	bt_layout_mark_file(l, 1, &b);
	assert_int_equal(b.set, 0);
	bt_bits_fini(&b);
	bt_layout_free(l);
}

static void
one_piece_with_hundreds_of_tiny_files_is_walked_whole(void **state)
{
	enum { N = 700 };
	uint64_t sizes[N], sum = 0, at;
	struct bt_layout *l;
	struct bt_layout_walk w;
	struct bt_layout_span s;
	uint32_t file = 0;

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		sum += sizes[i] = i % 3; /* every third is empty */
	l = make(sizes, N, 1u << 20);
	assert_int_equal(l->pieces, 1);
	w = (struct bt_layout_walk){ .offset = 0, .left = sum };
	at = 0;
	while (bt_layout_next_span(l, &w, &s)) {
		while (sizes[file] == 0)
			file++;
		assert_int_equal(s.file, file);
		assert_int_equal(s.at, 0);
		assert_int_equal(s.n, sizes[file]);
		assert_int_equal(bt_filetab_find(l->files, at), file);
		at += s.n;
		file++;
	}
	assert_int_equal(at, sum);
	bt_layout_free(l);
}

static void
a_torrent_of_empty_files_has_no_piece_and_no_span(void **state)
{
	struct bt_layout *l = MAKE(16384, 0, 0, 0);
	char s[8];

	(void)state;
	assert_int_equal(l->pieces, 0);
	assert_int_equal(l->files->n, 3);
	assert_string_equal(spans(l, 0, 1, s, sizeof(s)), "");
	assert_false(bt_layout_has_range(l, 0, 0, 1));
	bt_layout_free(l);
}

static void
a_walk_ends_with_the_torrent_when_asked_for_more(void **state)
{
	struct bt_layout *l = MAKE(4, 3, 3);
	char s[64];

	(void)state;
	assert_string_equal(spans(l, 1, 100, s, sizeof(s)), "0@1+2 1@0+3");
	assert_string_equal(spans(l, 6, 1, s, sizeof(s)), "");
	assert_string_equal(spans(l, 2, 0, s, sizeof(s)), "");
	bt_layout_free(l);
}

static void
a_range_is_had_only_within_its_piece(void **state)
{
	struct bt_layout *l = MAKE(40000, 100000);

	(void)state;
	assert_true(bt_layout_has_range(l, 0, 0, 1));
	assert_true(bt_layout_has_range(l, 0, 0, 40000));
	assert_true(bt_layout_has_range(l, 0, 39999, 1));
	assert_false(bt_layout_has_range(l, 0, 39999, 2));
	assert_false(bt_layout_has_range(l, 0, 40000, 0));
	assert_false(bt_layout_has_range(l, 0, 5, 0));
	assert_true(bt_layout_has_range(l, 2, 0, 20000));
	assert_false(bt_layout_has_range(l, 2, 0, 20001));
	assert_false(bt_layout_has_range(l, 3, 0, 1));
	assert_false(bt_layout_has_range(l, 0, UINT32_MAX, 2));
	assert_false(bt_layout_has_range(l, 0, 2, UINT32_MAX));
	bt_layout_free(l);
}

static void
assert_path(const struct bt_layout *l, uint32_t file, const char *path)
{
	char *got = bt_layout_path(l, file);

	assert_string_equal(got, path);
	bt_mem_free(got);
}

static void
paths_lie_in_the_folder_of_the_torrent(void **state)
{
	struct bt_meta m = { .has_v1 = true,
		.piece_length = 16384,
		.size = 3,
		.pieces = 1,
		.piece_hashes = (const uint8_t *)"01234567890123456789",
		.name = STR("Name"),
		.files = bt_filetab_new() };
	struct bt_layout *l;

	(void)state;
	bt_filetab_add(m.files, 1, 0, STR("dir/a"));
	bt_filetab_add(m.files, 2, BT_META_PAD, STR("b"));
	l = bt_layout_new(&m);
	bt_filetab_free(m.files);
	assert_path(l, 0, "Name/dir/a");
	assert_path(l, 1, "Name/b");
	assert_int_equal(l->files->at[1].attr, BT_META_PAD);
	assert_string_equal(l->name, "Name");
	assert_memory_equal(bt_layout_hash(l, 0), "01234567890123456789", 20);
	bt_layout_free(l);
}

static void
a_single_file_lies_under_its_own_name(void **state)
{
	struct bt_meta m = { .has_v1 = true,
		.piece_length = 16384,
		.size = 3,
		.pieces = 1,
		.piece_hashes = (const uint8_t *)"01234567890123456789",
		.name = STR("one.iso"),
		.single = true,
		.private_ = true,
		.info_hash = { 1, 2, 3 },
		.files = bt_filetab_new() };
	struct bt_layout *l;

	(void)state;
	bt_filetab_add(m.files, 3, 0, STR("one.iso"));
	l = bt_layout_new(&m);
	bt_filetab_free(m.files);
	assert_path(l, 0, "one.iso");
	assert_true(l->single);
	assert_true(l->private_);
	assert_memory_equal(l->info_hash, m.info_hash, 20);
	bt_layout_free(l);
}

/* What was read of a torrent may go: the layout needs none of it. */
static void
it_outlives_the_torrent_that_it_was_made_of(void **state)
{
	static const char text[] = "d4:infod5:filesl"
				   "d6:lengthi3e4:pathl1:aee"
				   "d6:lengthi0e4:pathl3:dir4:noneee"
				   "d6:lengthi7e4:pathl3:dir1:bee"
				   "e4:name4:Name12:piece lengthi16384e"
				   "6:pieces20:01234567890123456789ee";
	char *copy = bt_mem_strdup(text);
	struct bt_err err = BT_ERR_INIT;
	struct bt_layout *l;
	struct bt_meta m;

	(void)state;
	assert_int_equal(bt_meta_parse(bt_str_of(copy), &m, &err), 0);
	l = bt_layout_new(&m);
	bt_meta_fini(&m);
	memset(copy, 'x', sizeof(text) - 1);
	bt_mem_free(copy);
	assert_int_equal(l->files->n, 3);
	assert_path(l, 0, "Name/a");
	assert_path(l, 1, "Name/dir/none");
	assert_path(l, 2, "Name/dir/b");
	assert_true(bt_filetab_size(l->files, 2) == 7);
	bt_layout_free(l);
}

static void
hashes_are_copied_in_order(void **state)
{
	struct bt_layout *l = MAKE(4, 10);

	(void)state;
	for (uint32_t i = 0; i < l->pieces; i++)
		assert_int_equal(bt_layout_hash(l, i)[19], i);
	bt_layout_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_piece_and_its_last_block_are_short),
		cmocka_unit_test(
		    a_last_piece_of_one_byte_is_one_block_of_one_byte),
		cmocka_unit_test(a_whole_number_of_pieces_has_no_short_one),
		cmocka_unit_test(a_piece_smaller_than_a_block_is_one_block),
		cmocka_unit_test(offsets_beyond_4_gib_do_not_wrap),
		cmocka_unit_test(empty_files_at_both_ends_hold_no_byte),
		cmocka_unit_test(a_file_that_ends_mid_piece_shares_that_piece),
		cmocka_unit_test(an_empty_file_marks_no_piece),
		cmocka_unit_test(
		    one_piece_with_hundreds_of_tiny_files_is_walked_whole),
		cmocka_unit_test(
		    a_torrent_of_empty_files_has_no_piece_and_no_span),
		cmocka_unit_test(
		    a_walk_ends_with_the_torrent_when_asked_for_more),
		cmocka_unit_test(a_range_is_had_only_within_its_piece),
		cmocka_unit_test(paths_lie_in_the_folder_of_the_torrent),
		cmocka_unit_test(a_single_file_lies_under_its_own_name),
		cmocka_unit_test(it_outlives_the_torrent_that_it_was_made_of),
		cmocka_unit_test(hashes_are_copied_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
