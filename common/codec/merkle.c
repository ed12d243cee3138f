#include "codec/merkle.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#define LEN BT_SHA256_LEN
#define SOME_LEVELS 9u /* gone up at once, in a place on the stack */
#define SOME (1u << SOME_LEVELS)
#define TOP_LEVEL 8u /* of a sum: BT_MERKLE_SUM leaves */

void
bt_merkle_init(struct bt_merkle *k)
{
	uint8_t pair[2 * LEN];

	bt_lanes_init(&k->lanes);
	memset(k->zero[0], 0, LEN);
	for (unsigned i = 1; i < BT_MERKLE_LEVELS_MAX; i++) {
		memcpy(pair, k->zero[i - 1], LEN);
		memcpy(pair + LEN, k->zero[i - 1], LEN);
		bt_hash_sha256(
		    (struct bt_str){ pair, sizeof(pair) }, k->zero[i]);
	}
}

unsigned
bt_merkle_height(uint64_t n)
{
	unsigned h = 0;

	while (h < 63 && ((uint64_t)1 << h) < n)
		h++;
	return h;
}

/* Up by `height` levels in place; the node is then at the start of it. */
static void
climb(const struct bt_merkle *k, uint8_t *at, size_t n, unsigned level,
    unsigned height)
{
	struct bt_str pairs[SOME / 2];

	for (; height > 0; height--, level++) {
		if (n % 2 != 0)
			memcpy(at + n++ * LEN, k->zero[level], LEN);
		n /= 2;
		for (size_t i = 0; i < n; i++)
			pairs[i] = (struct bt_str){ at + i * 2 * LEN, 2 * LEN };
		/* lanes write no digest before they have read what is there */
		bt_lanes_whole(&k->lanes, BT_HASH_SHA256, pairs, n, at);
	}
}

/* One step of at most SOME_LEVELS; how many nodes came out of it. */
static size_t
step(const struct bt_merkle *k, const uint8_t *hashes, size_t n, unsigned level,
    unsigned height, uint8_t *out)
{
	uint8_t place[SOME * LEN];
	size_t some, made = 0, width = (size_t)1 << height;

	for (; n > 0; n -= some, hashes += some * LEN, made++) {
		some = n < width ? n : width;
		memcpy(place, hashes, some * LEN);
		climb(k, place, some, level, height);
		memcpy(out + made * LEN, place, LEN);
	}
	return made;
}

void
bt_merkle_up(const struct bt_merkle *k, const uint8_t *hashes, size_t n,
    unsigned level, unsigned height, uint8_t out[BT_SHA256_LEN])
{
	uint8_t *made = NULL;
	unsigned some;

	assert(n > 0 && (height >= 63 || n <= (uint64_t)1 << height));
	assert(height < BT_MERKLE_LEVELS_MAX - level);
	if (height > SOME_LEVELS && n > 1)
		made = bt_mem_array(n / SOME + 1, LEN);
	for (; height > SOME_LEVELS && n > 1; height -= some, level += some) {
		some = SOME_LEVELS;
		n = step(k, hashes, n, level, some, made);
		hashes = made;
	}
	if (height > SOME_LEVELS) { /* one node, and nothing beside it */
		uint8_t pair[2 * LEN];

		memcpy(pair, hashes, LEN);
		for (; height > 0; height--, level++) {
			memcpy(pair + LEN, k->zero[level], LEN);
			bt_hash_sha256(
			    (struct bt_str){ pair, sizeof(pair) }, pair);
		}
		memcpy(out, pair, LEN);
	} else {
		step(k, hashes, n, level, height, out);
	}
	bt_mem_free(made);
}

void
bt_merkle_sum_begin(struct bt_merkle_sum *s)
{
	s->nleaves = s->ntops = 0;
}

static void
close_leaves(const struct bt_merkle *k, struct bt_merkle_sum *s)
{
	assert(s->ntops < BT_MERKLE_SUM);
	bt_merkle_up(
	    k, s->leaves[0], s->nleaves, 0, TOP_LEVEL, s->tops[s->ntops++]);
	s->nleaves = 0;
}

void
bt_merkle_sum_add(const struct bt_merkle *k, struct bt_merkle_sum *s,
    const uint8_t *leaves, size_t n)
{
	size_t some;

	for (; n > 0; n -= some, leaves += some * LEN) {
		if (s->nleaves == BT_MERKLE_SUM)
			close_leaves(k, s);
		some = BT_MERKLE_SUM - s->nleaves;
		if (some > n)
			some = n;
		memcpy(s->leaves[s->nleaves], leaves, some * LEN);
		s->nleaves += (uint32_t)some;
	}
}

void
bt_merkle_sum_end(const struct bt_merkle *k, struct bt_merkle_sum *s,
    unsigned height, uint8_t out[BT_SHA256_LEN])
{
	if (s->ntops == 0) {
		bt_merkle_up(k, s->leaves[0], s->nleaves, 0, height, out);
		return;
	}
	close_leaves(k, s);
	bt_merkle_up(
	    k, s->tops[0], s->ntops, TOP_LEVEL, height - TOP_LEVEL, out);
}
