/* What is wrong with file trees, piece layers and hybrids, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/bencode.h"
#include "codec/metafiles.h"
#include "codec/metainfo.h"
#include "codec/metatree.h"

#define R32 "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
#define H20 "aaaaaaaaaaaaaaaaaaaa"
#define PL "12:piece lengthi16384e"
#define V2 "12:meta versioni2e"
#define ROOT "11:pieces root32:" R32
#define PROPS(length) "d0:d6:lengthi" #length "e" ROOT "ee"
#define EMPTY "d0:d6:lengthi0eee"
/* A v2-only torrent called "d" of this tree. */
#define TREE(tree) "d9:file treed" tree "e" V2 "4:name1:d" PL "e"
/* A hybrid of these v1 files, and so many pieces. */
#define BOTH(tree, files, pieces)                                    \
	"d9:file treed" tree "e5:filesl" files "e" V2 "4:name1:d" PL \
	"6:pieces" pieces "e"
#define FILE5(name) "d6:lengthi5e4:pathl" name "ee"
#define PAD(length) "d4:attr1:p6:lengthi" #length "e4:pathl1:pee"
#define P1 "20:" H20
#define P2 "40:" H20 H20

static struct bt_buf text;

static int
parse(const char *info, struct bt_str layers, struct bt_meta *m,
    struct bt_err *err)
{
	bt_buf_fini(&text);
	bt_buf_init(&text, 1 << 24);
	bt_buf_printf(&text, "d4:info%s", info);
	if (layers.n > 0) {
		bt_buf_puts(&text, "12:piece layers");
		bt_buf_add(&text, layers);
	}
	bt_buf_puts(&text, "e");
	*err = (struct bt_err)BT_ERR_INIT;
	return bt_meta_parse(bt_buf_str(&text), m, err);
}

static void
assert_bad_with(const char *info, struct bt_str layers, const char *words)
{
	struct bt_err err;
	struct bt_meta m;

	if (parse(info, layers, &m, &err) != -1)
		fail_msg("'%s' passes", info);
	if (err.kind != BT_EINPUT || strstr(err.text, words) == NULL)
		fail_msg("'%s': %d, '%s'", info, err.kind, err.text);
}

static void
assert_bad(const char *info, const char *words)
{
	assert_bad_with(info, STR("de"), words);
}

static struct bt_meta
parsed(const char *info)
{
	struct bt_err err;
	struct bt_meta m;

	if (parse(info, STR("de"), &m, &err) == -1)
		fail_msg("'%s': '%s'", info, err.text);
	return m;
}

static void
assert_str(struct bt_str got, const char *want)
{
	if (!bt_str_eq(got, bt_str_of(want)))
		fail_msg("'%.*s', not '%s'", (int)got.n, got.p, want);
}

static void
a_tree_of_one_file_is_a_torrent_of_one_file(void **state)
{
	struct bt_meta m = parsed(TREE("1:f" PROPS(5)));

	(void)state;
	assert_true(m.single);
	assert_str(m.name, "f"); /* libtorrent calls it so too */
	assert_str(bt_filetab_get(m.files, 0).path, "f");
	assert_int_equal(m.pieces, 1);
	assert_memory_equal(m.roots[0].root, R32, 32);
	assert_null(m.roots[0].layer);
	bt_meta_fini(&m);
	m = parsed(TREE("1:ad1:f" PROPS(5) "e"));
	assert_false(m.single);
	assert_str(m.name, "d");
	assert_str(bt_filetab_get(m.files, 0).path, "a/f");
	bt_meta_fini(&m);
	/* an empty folder behind the file is no file */
	m = parsed(TREE("1:f" PROPS(5) "1:gde"));
	assert_true(m.single);
	assert_str(m.name, "f");
	bt_meta_fini(&m);
	m = parsed(TREE("1:f" PROPS(5) "1:gd1:hdee"));
	assert_true(m.single);
	assert_str(m.name, "f");
	bt_meta_fini(&m);
	m = parsed(TREE("1:ad1:f" PROPS(5) "e1:gde"));
	assert_false(m.single);
	assert_str(m.name, "d");
	bt_meta_fini(&m);
}

static void
each_file_with_bytes_begins_a_piece(void **state)
{
	struct bt_meta m = parsed(TREE("1:a" PROPS(
	    5) "1:b" EMPTY "1:cd1:x" PROPS(16384) "1:y" PROPS(1) "e1:dde"));

	(void)state;
	assert_int_equal(m.files->n, 5);
	assert_int_equal(m.pieces, 3);
	assert_true(m.files->at[0].offset == 0);
	assert_str(bt_filetab_get(m.files, 1).path, "b");
	assert_true(m.files->at[1].offset == 5);
	assert_int_equal(m.files->at[2].attr, BT_META_PAD);
	assert_true(bt_filetab_size(m.files, 2) == 16379);
	assert_int_equal(bt_filetab_get(m.files, 2).path.n, 0);
	assert_str(bt_filetab_get(m.files, 3).path, "c/x");
	assert_true(m.files->at[3].offset == 16384);
	assert_str(bt_filetab_get(m.files, 4).path, "c/y");
	assert_true(m.files->at[4].offset == 32768);
	assert_true(m.size == 32769);
	bt_meta_fini(&m);
}

static void
what_is_no_tree_of_files_is_refused(void **state)
{
	(void)state;
	assert_bad("d" V2 "4:name1:d" PL "e", "no file tree");
	assert_bad(TREE(""), "file tree is empty");
	assert_bad(TREE("1:ade"), "file tree is empty");
	assert_bad(TREE("0:d6:lengthi5e" ROOT "e"), "component ''");
	assert_bad(TREE("1:ai5e"), "'a' is not a dictionary");
	assert_bad(TREE("1:ad0:i5ee"), "described by what is not");
	assert_bad(TREE("1:ad0:d6:lengthi5e" ROOT "e1:b" EMPTY "e"),
	    "'a' is both a file and a folder");
	assert_bad(TREE("1:ad1:b" EMPTY "0:d6:lengthi5e" ROOT "ee"),
	    "both a file and a folder");
	assert_bad(TREE("1:ad0:d" ROOT "ee"), "length that is missing");
	assert_bad(TREE("1:a" PROPS(-1)), "length that is missing, negative");
	assert_bad(TREE("1:ad0:d6:lengthi5eee"), "'a' has no pieces root");
	assert_bad(TREE("1:ad0:d6:lengthi5e11:pieces root3:abcee"),
	    "a pieces root that is not 32 bytes");
	assert_bad(TREE("1:ad0:d4:attr1:p6:lengthi5e" ROOT "ee"), "padding");
	assert_bad(TREE("2:.." PROPS(5)), "unsafe path component '..'");
	assert_bad(TREE("1:ad3:x/y" PROPS(5) "e"), "component 'x/y'");
	assert_bad(
	    TREE("1:a" PROPS(5) "1:a" PROPS(5)), "two files have the path 'a'");
}

static void
the_version_and_the_piece_length_are_those_of_v2(void **state)
{
	(void)state;
	assert_bad("d9:file treed1:a" PROPS(5) "e12:meta versioni3e4:name1:d" PL
					       "e",
	    "meta version 3");
	assert_bad("d9:file treed1:a" PROPS(
		       5) "e" V2 "4:name1:d12:piece lengthi8192ee",
	    "power of two");
	assert_bad("d9:file treed1:a" PROPS(
		       5) "e" V2 "4:name1:d12:piece lengthi24576ee",
	    "power of two");
}

static void
paths_have_the_limits_of_v1(void **state)
{
	struct bt_err err;
	struct bt_meta m;
	struct bt_buf b;
	int rc;

	(void)state;
	for (unsigned depth = 127; depth <= 128; depth++) {
		bt_buf_init(&b, 100000);
		bt_buf_puts(&b, "d9:file treed");
		for (unsigned i = 0; i < depth; i++)
			bt_buf_puts(&b, "1:xd");
		bt_buf_puts(&b, "1:f" PROPS(5));
		for (unsigned i = 0; i < depth; i++)
			bt_buf_puts(&b, "e");
		bt_buf_puts(&b, "e" V2 "4:name1:d" PL "e");
		bt_buf_putc(&b, '\0');
		rc = parse((char *)b.p, STR("de"), &m, &err);
		assert_int_equal(rc, depth == 127 ? 0 : -1);
		if (rc == 0) {
			assert_int_equal(
			    bt_filetab_get(m.files, 0).path.n, 2 * 127 + 1);
			bt_meta_fini(&m);
		} else {
			assert_int_equal(err.kind, BT_ELIMIT);
		}
		bt_buf_fini(&b);
	}
}

/* 20,000 files, each at the end of 4,000 bytes that the tree has once. */
static void
paths_far_larger_than_their_tree_are_refused(void **state)
{
	struct bt_err err;
	struct bt_meta m;
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 1 << 24);
	bt_buf_puts(&b, "d9:file treed");
	for (unsigned i = 0; i < 20; i++)
		bt_buf_printf(&b, "200:%0200ud", i);
	for (unsigned i = 0; i < 20000; i++)
		bt_buf_printf(&b, "6:%06u" EMPTY, i);
	for (unsigned i = 0; i < 20; i++)
		bt_buf_puts(&b, "e");
	bt_buf_puts(&b, "e" V2 "4:name1:d" PL "e");
	bt_buf_putc(&b, '\0');
	assert_int_equal(parse((char *)b.p, STR("de"), &m, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	assert_non_null(strstr(err.text, "all paths together"));
	bt_buf_fini(&b);
}

/* A layer of n hashes, and the root of two or three of them. */
struct layers {
	uint8_t hashes[4][32], root[32];
	struct bt_buf dict;
};

static void
make_layer(struct layers *l, size_t n)
{
	uint8_t pair[2][32];

	memset(l->hashes, 0, sizeof(l->hashes));
	for (size_t i = 0; i < n; i++)
		memset(l->hashes[i], (int)('A' + i), 32);
	SHA256(l->hashes[0], 64, pair[0]);
	SHA256(l->hashes[2], 64, pair[1]);
	if (n == 2)
		memcpy(l->root, pair[0], 32);
	else
		SHA256(pair[0], 64, l->root);
	bt_buf_init(&l->dict, 10000);
	bt_buf_puts(&l->dict, "d32:");
	bt_buf_add(&l->dict, (struct bt_str){ l->root, 32 });
	bt_buf_printf(&l->dict, "%zu:", 32 * n);
	bt_buf_add(&l->dict, (struct bt_str){ l->hashes[0], 32 * n });
	bt_buf_puts(&l->dict, "e");
}

/* The info dictionary of a file so long, in such pieces, with the root of l. */
static char *
with_pieces(const struct layers *l, unsigned piece_length, unsigned length)
{
	static char info[200];
	int n = snprintf(info, sizeof(info),
	    "d9:file treed1:fd0:d6:lengthi%ue11:pieces root32:%.32seee" V2
	    "4:name1:d12:piece lengthi%uee",
	    length, (const char *)l->root, piece_length);

	assert_in_range(n, 1, sizeof(info) - 1);
	return info;
}

static char *
with_root(const struct layers *l, unsigned length)
{
	return with_pieces(l, 16384, length);
}

static bool
has_nul(const struct layers *l)
{
	return memchr(l->root, 0, 32) != NULL;
}

static void
a_layer_is_as_long_as_the_file_and_of_its_root(void **state)
{
	struct layers l;
	struct bt_err err;
	struct bt_meta m;
	uint32_t bytes;
	unsigned height;

	(void)state;
	make_layer(&l, 3);
	assert_false(has_nul(&l)); /* with_root() prints it */
	assert_int_equal(
	    parse(with_root(&l, 40000), bt_buf_str(&l.dict), &m, &err), 0);
	assert_memory_equal(m.roots[0].layer, l.hashes, 96);
	assert_memory_equal(
	    bt_meta_piece_root(&m, 2, &bytes, &height), l.hashes[2], 32);
	assert_int_equal(bytes, 40000 - 32768);
	assert_int_equal(height, 0);
	bt_meta_fini(&m);
	assert_bad_with(with_root(&l, 50000), bt_buf_str(&l.dict),
	    "has not as many hashes");
	assert_bad_with(with_root(&l, 32768), bt_buf_str(&l.dict),
	    "has not as many hashes");
	l.dict.p[l.dict.n - 2] ^= 1;
	assert_bad_with(with_root(&l, 40000), bt_buf_str(&l.dict),
	    "does not match its root");
	l.dict.p[5] ^= 1;
	assert_bad_with(with_root(&l, 40000), bt_buf_str(&l.dict),
	    "piece layer of 'f' is missing");
	assert_bad_with(with_root(&l, 40000), STR("de"), "is missing");
	assert_bad_with(with_root(&l, 40000), STR(""), "is missing");
	assert_bad_with(
	    with_root(&l, 40000), STR("d1:x32:" R32 "e"), "what is no layer");
	assert_bad_with(
	    with_root(&l, 40000), STR("d32:" R32 "i1ee"), "what is no layer");
	assert_bad_with(
	    with_root(&l, 40000), STR("d32:" R32 "31:" R32 "e"), "malformed");
	bt_buf_fini(&l.dict);
}

static void
a_file_of_one_piece_needs_no_layer_and_a_spare_one_is_no_matter(void **state)
{
	struct layers l;
	struct bt_err err;
	struct bt_meta m;

	(void)state;
	make_layer(&l, 2);
	assert_false(has_nul(&l));
	assert_int_equal(
	    parse(with_root(&l, 16384), bt_buf_str(&l.dict), &m, &err), 0);
	assert_null(m.roots[0].layer);
	bt_meta_fini(&m);
	assert_int_equal(parse(with_root(&l, 16384), STR(""), &m, &err), 0);
	bt_meta_fini(&m);
	bt_buf_fini(&l.dict);
}

static void
assert_height(const char *info, struct bt_str layers, unsigned want)
{
	struct bt_err err;
	struct bt_meta m;
	unsigned height;

	assert_int_equal(parse(info, layers, &m, &err), 0);
	bt_meta_piece_root(&m, m.pieces - 1, NULL, &height);
	assert_int_equal(height, want);
	bt_meta_fini(&m);
}

/*
 * BEP 52: a layer is of hashes over whole pieces, of the last one too, and a file
 * that fits in one piece has a tree over its own blocks of 16 KiB.
 */
static void
a_piece_has_a_tree_as_high_as_its_blocks_need(void **state)
{
	struct layers l;

	(void)state;
	make_layer(&l, 2);
	assert_false(has_nul(&l));
	assert_height(with_pieces(&l, 65536, 65537), bt_buf_str(&l.dict), 2);
	assert_height(with_pieces(&l, 65536, 131072), bt_buf_str(&l.dict), 2);
	assert_height(with_pieces(&l, 65536, 65536), STR("de"), 2);
	assert_height(with_pieces(&l, 65536, 32769), STR("de"), 2);
	assert_height(with_pieces(&l, 65536, 32768), STR("de"), 1);
	assert_height(with_pieces(&l, 65536, 16385), STR("de"), 1);
	assert_height(with_pieces(&l, 65536, 16384), STR("de"), 0);
	assert_height(with_pieces(&l, 65536, 1), STR("de"), 0);
	bt_buf_fini(&l.dict);
}

/* Each of these libtorrent 2.0.8 reads, or refuses, as we do. */
static void
the_halves_of_a_hybrid_agree(void **state)
{
	struct bt_meta m;

	(void)state;
	m = parsed(BOTH("1:a" PROPS(5) "1:b" PROPS(5),
	    FILE5("1:a") PAD(16379) FILE5("1:b"), P2));
	assert_memory_equal(m.roots[2].root, R32, 32);
	bt_meta_fini(&m);
	m = parsed(BOTH("1:a" PROPS(5) "1:b" PROPS(5),
	    FILE5("1:a") PAD(16379) FILE5("1:b") PAD(16379), P2));
	bt_meta_fini(&m);
	m = parsed(BOTH("1:a" PROPS(5), FILE5("1:a"), P1));
	assert_false(m.single);
	bt_meta_fini(&m);
	m = parsed("d9:file treed1:d" PROPS(5) "e6:lengthi5e" V2 "4:name1:d" PL
					       "6:pieces" P1 "e");
	assert_true(m.single);
	assert_memory_equal(m.roots[0].root, R32, 32);
	bt_meta_fini(&m);
}

static void
hybrids_whose_halves_differ_are_refused(void **state)
{
	(void)state;
	assert_bad(
	    BOTH("1:a" PROPS(5) "1:b" PROPS(5), FILE5("1:a") FILE5("1:b"), P1),
	    "'b' does not begin at the next piece");
	assert_bad(BOTH("1:a" PROPS(5) "1:b" PROPS(5),
		       FILE5("1:a") PAD(32763) FILE5("1:b"), "60:" H20 H20 H20),
	    "'b' does not begin at the next piece");
	assert_bad(BOTH("1:a" PROPS(5) "1:b" PROPS(5),
		       FILE5("1:b") PAD(16379) FILE5("1:a"), P2),
	    "'b' is elsewhere in the v2 half");
	assert_bad(BOTH("1:a" PROPS(6), FILE5("1:a"), P1), "'a' has two sizes");
	assert_bad(BOTH("1:a" PROPS(5) "1:b" EMPTY, FILE5("1:a"), P1),
	    "'b' is in the v2 half only");
	assert_bad(
	    BOTH("1:a" PROPS(5), FILE5("1:a") "d6:lengthi0e4:pathl1:bee", P1),
	    "'b' is in the v1 half only");
	assert_bad(BOTH("1:a" PROPS(5), FILE5("1:a") PAD(16380), P2),
	    "more padding at the end");
	assert_bad("d9:file treed1:e" PROPS(5) "e6:lengthi5e" V2 "4:name1:d" PL
					       "6:pieces" P1 "e",
	    "'d' is elsewhere");
}

static void
without_its_version_a_file_tree_is_nothing(void **state)
{
	struct bt_meta m = parsed("d9:file treed1:e" PROPS(
	    5) "e6:lengthi5e4:name1:d" PL "6:pieces" P1 "e");

	(void)state;
	assert_true(m.has_v1);
	assert_false(m.has_v2);
	bt_meta_fini(&m);
}

/* Who asks for the parts alone may not have looked at the name. */
static void
a_name_longer_than_a_path_leaves_no_room(void **state)
{
	struct bt_ben tree = bt_ben_at(STR("d1:f" PROPS(5) "e"));
	struct bt_ben list = bt_ben_at(STR("l" FILE5("1:f") "e"));
	struct bt_meta m = { .piece_length = 16384, .name = { NULL, 5000 } };
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	assert_int_equal(bt_metatree_parse(&m, &tree, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	bt_meta_fini(&m);
	m.name.n = 5000;
	err = (struct bt_err)BT_ERR_INIT;
	assert_int_equal(bt_metafiles_parse(&m, &list, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	bt_meta_fini(&m);
}

/* Files may share a layer, so that a small torrent has any number of them. */
static void
as_many_pieces_as_of_v1_are_enough(void **state)
{
	const char *const sizes[] = { "85899345921", "70368744177664",
		"4611686018427387904" };
	char info[512];
	struct bt_err err;
	struct bt_meta m;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(info, sizeof(info),
		    TREE("1:ad0:d6:lengthi%se" ROOT "ee"), sizes[i]);
		assert_int_equal(parse(info, STR("de"), &m, &err), -1);
		assert_int_equal(err.kind, BT_ELIMIT);
		assert_string_equal(err.text, "more than 5242880 pieces");
	}
	assert_bad(TREE("1:a" PROPS(85899345920)), "is missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_of_one_file_is_a_torrent_of_one_file),
		cmocka_unit_test(each_file_with_bytes_begins_a_piece),
		cmocka_unit_test(what_is_no_tree_of_files_is_refused),
		cmocka_unit_test(
		    the_version_and_the_piece_length_are_those_of_v2),
		cmocka_unit_test(paths_have_the_limits_of_v1),
		cmocka_unit_test(paths_far_larger_than_their_tree_are_refused),
		cmocka_unit_test(
		    a_layer_is_as_long_as_the_file_and_of_its_root),
		cmocka_unit_test(
		    a_file_of_one_piece_needs_no_layer_and_a_spare_one_is_no_matter),
		cmocka_unit_test(a_piece_has_a_tree_as_high_as_its_blocks_need),
		cmocka_unit_test(the_halves_of_a_hybrid_agree),
		cmocka_unit_test(hybrids_whose_halves_differ_are_refused),
		cmocka_unit_test(a_name_longer_than_a_path_leaves_no_room),
		cmocka_unit_test(as_many_pieces_as_of_v1_are_enough),
		cmocka_unit_test(without_its_version_a_file_tree_is_nothing),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	bt_buf_fini(&text);
	return rc;
}
