/*
 * The known roots and layers are those of tests/lib/bep52.py, which has them
 * from Python's hashlib by the text of BEP 52, and of libtorrent's torrents in
 * tests/data/torrents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/merkle.h"

#define LEN 32
#define SEQ_N 60894 /* bytes that `seq 1 12000` writes */

static struct bt_merkle k;

static int
set_up(void **state)
{
	(void)state;
	bt_merkle_init(&k);
	return 0;
}

static void
assert_hash(const uint8_t *got, const char *want)
{
	char hex[2 * LEN + 1];

	bt_str_hex((struct bt_str){ got, LEN }, hex);
	assert_string_equal(hex, want);
}

/* Leaves of what `seq 1 12000` writes: 4, the last of 11742 bytes. */
static size_t
leaves_of_seq(uint8_t *to)
{
	char *text = malloc(SEQ_N + 1);
	size_t n = 0, i;

	for (unsigned v = 1; v <= 12000; v++)
		n += (size_t)sprintf(text + n, "%u\n", v);
	assert_int_equal(n, SEQ_N);
	for (i = 0; i * BT_MERKLE_BLOCK < n; i++)
		SHA256((uint8_t *)text + i * BT_MERKLE_BLOCK,
		    n - i * BT_MERKLE_BLOCK < BT_MERKLE_BLOCK
			? n - i * BT_MERKLE_BLOCK
			: BT_MERKLE_BLOCK,
		    to + i * LEN);
	free(text);
	return i;
}

static void
the_root_of_a_file_is_what_others_say(void **state)
{
	uint8_t leaves[4 * LEN], root[LEN];

	(void)state;
	assert_int_equal(leaves_of_seq(leaves), 4);
	assert_hash(leaves,
	    "3e3919efec61528963cb268b48bf26d7704350951b0433a6a49578d5e019a356");
	bt_merkle_up(&k, leaves, 4, 0, 2, root);
	assert_hash(root,
	    "dabe1aa5a9a37e7f1f9d1b17d7372f46526836a5b76d0d17874336a7b5872d0a");
}

/* The root of the first 33893 bytes' three leaves, as of a file of them. */
static void
leaves_beyond_the_end_are_zero(void **state)
{
	uint8_t leaves[4 * LEN], pair[2 * LEN], two[2 * LEN], want[LEN];
	uint8_t root[LEN];

	(void)state;
	leaves_of_seq(leaves);
	SHA256(leaves, sizeof(pair), two);
	memcpy(pair, leaves + 2 * LEN, LEN);
	memset(pair + LEN, 0, LEN);
	SHA256(pair, sizeof(pair), two + LEN);
	SHA256(two, sizeof(two), want);
	bt_merkle_up(&k, leaves, 3, 0, 2, root);
	assert_memory_equal(root, want, LEN);
}

/* Built out to the full width and hashed pair by pair: slow and plain. */
static void
plain(const uint8_t *hashes, size_t n, unsigned level, unsigned height,
    uint8_t *out)
{
	size_t width = (size_t)1 << height;
	uint8_t *all = malloc(width * LEN), missing[2 * LEN] = { 0 };

	for (unsigned i = 0; i < level; i++) {
		memcpy(missing + LEN, missing, LEN);
		SHA256(missing, sizeof(missing), missing);
	}
	for (size_t i = 0; i < width; i++)
		memcpy(all + i * LEN, i < n ? hashes + i * LEN : missing, LEN);
	for (; width > 1; width /= 2)
		for (size_t i = 0; i < width / 2; i++)
			SHA256(all + i * 2 * LEN, 2 * LEN, all + i * LEN);
	memcpy(out, all, LEN);
	free(all);
}

static void
any_count_at_any_level_is_as_the_plain_tree_has_it(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 5, 8, 31, 64, 511, 512, 513,
		1023, 1025, 3000, 8193 };
	uint8_t *hashes = malloc(8193 * LEN), got[LEN], want[LEN];
	unsigned least;

	(void)state;
	for (size_t i = 0; i < 8193; i++)
		SHA256((uint8_t *)&i, sizeof(i), hashes + i * LEN);
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		least = bt_merkle_height(counts[c]);
		for (unsigned more = 0; more < 3; more++)
			for (unsigned level = 0; level < 8; level += 3) {
				plain(hashes, counts[c], level, least + more,
				    want);
				bt_merkle_up(&k, hashes, counts[c], level,
				    least + more, got);
				assert_memory_equal(got, want, LEN);
			}
	}
	plain(hashes, 1, 2, 14, want); /* far above its only node */
	bt_merkle_up(&k, hashes, 1, 2, 14, got);
	assert_memory_equal(got, want, LEN);
	free(hashes);
}

static void
the_height_is_the_least_that_holds_them(void **state)
{
	(void)state;
	assert_int_equal(bt_merkle_height(1), 0);
	assert_int_equal(bt_merkle_height(2), 1);
	assert_int_equal(bt_merkle_height(3), 2);
	assert_int_equal(bt_merkle_height(1024), 10);
	assert_int_equal(bt_merkle_height(1025), 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_of_a_file_is_what_others_say),
		cmocka_unit_test(leaves_beyond_the_end_are_zero),
		cmocka_unit_test(
		    any_count_at_any_level_is_as_the_plain_tree_has_it),
		cmocka_unit_test(the_height_is_the_least_that_holds_them),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
