#include "index.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "held.h"

#define LINE 16u /* numbers in a bucket: 64 bytes */
#define LINE_BYTES (LINE * sizeof(uint32_t))
#define FILL_NEW 8u  /* of them used when built; the rest is for growing */
#define FILL_MAX 12u /* on average; a full bucket is one in six then */
#define FILL_MIN 4u

static uint32_t
buckets_for(uint32_t n)
{
	return n / FILL_NEW + 1;
}

static size_t
block_bytes(uint32_t buckets)
{
	return (size_t)buckets * LINE_BYTES + LINE_BYTES;
}

void
bt_index_init(struct bt_index *ix, uint32_t n)
{
	uintptr_t at;

	ix->buckets = buckets_for(n);
	ix->n = 0;
	ix->block = bt_mem_zero(1, block_bytes(ix->buckets));
	at = (uintptr_t)ix->block;
	ix->lines = (uint32_t *)(void *)((uint8_t *)ix->block +
					 (-at & (LINE_BYTES - 1)));
}

void
bt_index_fini(struct bt_index *ix)
{
	bt_mem_free(ix->block);
	*ix = (struct bt_index){ .n = 0 };
}

bool
bt_index_is_full(const struct bt_index *ix)
{
	return ix->n / FILL_MAX >= ix->buckets;
}

bool
bt_index_is_slack(const struct bt_index *ix)
{
	return ix->n / FILL_MIN + 1 < ix->buckets;
}

size_t
bt_index_bytes(uint32_t n)
{
	return bt_held(block_bytes(buckets_for(n)));
}

size_t
bt_index_size(const struct bt_index *ix)
{
	return ix->block == NULL ? 0 : bt_held(block_bytes(ix->buckets));
}

/*
 * A slot is the number + 1 in its low bits, 0 when empty, and low bits of the
 * hash above; the bucket is chosen by the high bits. With at most FILL_MAX in
 * a bucket, numbers below 2n + 2 are below 2 * LINE * buckets.
 */
static unsigned
number_bits(const struct bt_index *ix)
{
	return 32u - (unsigned)__builtin_clz(2 * LINE * ix->buckets);
}

static uint32_t
word(const struct bt_index *ix, uint32_t hash, uint32_t number)
{
	return hash << number_bits(ix) | (number + 1);
}

static uint32_t
home(const struct bt_index *ix, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * ix->buckets >> 32);
}

static uint32_t
after(const struct bt_index *ix, uint32_t bucket)
{
	return bucket + 1 == ix->buckets ? 0 : bucket + 1;
}

static uint32_t *
line_of(const struct bt_index *ix, uint32_t bucket)
{
	return ix->lines + (size_t)bucket * LINE;
}

/* Used slots lie in front. */
static unsigned
used(const uint32_t *line)
{
	unsigned n = 0;

	while (n < LINE && line[n] != 0)
		n++;
	return n;
}

static void
put_word(struct bt_index *ix, uint32_t hash, uint32_t w)
{
	uint32_t b, *line;

	for (b = home(ix, hash);; b = after(ix, b)) {
		line = line_of(ix, b);
		if (line[LINE - 1] == 0)
			break;
	}
	line[used(line)] = w;
}

void
bt_index_put(struct bt_index *ix, uint32_t hash, uint32_t number)
{
	assert(!bt_index_is_full(ix));
	assert(number < 2 * LINE * ix->buckets - 1);
	put_word(ix, hash, word(ix, hash, number));
	ix->n++;
}

/* The slot of what is there. */
static uint32_t *
slot_of(
    const struct bt_index *ix, uint32_t hash, uint32_t number, uint32_t *bucket)
{
	uint32_t *line, w = word(ix, hash, number);

	for (uint32_t b = home(ix, hash);; b = after(ix, b)) {
		line = line_of(ix, b);
		for (unsigned i = 0; i < LINE; i++)
			if (line[i] == w) {
				*bucket = b;
				return &line[i];
			}
		assert(line[LINE - 1] != 0);
	}
}

static uint32_t
distance(const struct bt_index *ix, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + ix->buckets - from;
}

/* Empty a slot; what is last in its bucket takes its place. */
static void
clear(uint32_t *line, unsigned i)
{
	unsigned last = used(line) - 1;

	line[i] = line[last];
	line[last] = 0;
}

/* A full bucket has room again: fetch back who passed it by for want of it. */
static void
pull_back(struct bt_index *ix, uint32_t hole, bt_index_hash *hash_of,
    const void *owner)
{
	uint32_t mask = (UINT32_C(1) << number_bits(ix)) - 1, h, *line;
	unsigned n, i;

	for (uint32_t b = after(ix, hole); b != hole; b = after(ix, b)) {
		line = line_of(ix, b);
		n = used(line);
		for (i = 0; i < n; i++) {
			h = home(ix, hash_of(owner, (line[i] & mask) - 1));
			if (distance(ix, h, b) >= distance(ix, hole, b))
				break;
		}
		if (i < n) {
			line_of(ix, hole)[used(line_of(ix, hole))] = line[i];
			clear(line, i);
			hole = b;
		}
		if (n < LINE)
			return;
	}
}

void
bt_index_del(struct bt_index *ix, uint32_t hash, uint32_t number,
    bt_index_hash *hash_of, const void *owner)
{
	uint32_t b, *slot = slot_of(ix, hash, number, &b);
	uint32_t *line = line_of(ix, b);
	bool was_full = line[LINE - 1] != 0;

	clear(line, (unsigned)(slot - line));
	ix->n--;
	if (was_full)
		pull_back(ix, b, hash_of, owner);
}

void
bt_index_set(
    struct bt_index *ix, uint32_t hash, uint32_t number, uint32_t other)
{
	uint32_t b;

	*slot_of(ix, hash, number, &b) = word(ix, hash, other);
}

uint32_t
bt_index_next(const struct bt_index *ix, uint32_t hash, uint32_t *at)
{
	unsigned bits = number_bits(ix);
	uint32_t b = home(ix, hash), w, i = *at % LINE;
	const uint32_t *line;

	/* *at counts slots from the first one of the first bucket */
	for (uint32_t k = *at / LINE; k < ix->buckets; k++, i = 0) {
		line = line_of(
		    ix, b + k < ix->buckets ? b + k : b + k - ix->buckets);
		for (; i < LINE; i++) {
			w = line[i];
			if (w == 0)
				return BT_INDEX_NONE;
			if ((w ^ hash << bits) >> bits != 0)
				continue;
			*at = k * LINE + i + 1;
			return (w & ((UINT32_C(1) << bits) - 1)) - 1;
		}
	}
	return BT_INDEX_NONE;
}

void
bt_index_fetch(const struct bt_index *ix, uint32_t hash)
{
	__builtin_prefetch(line_of(ix, home(ix, hash)));
}

bool
bt_index_check(
    const struct bt_index *ix, bt_index_hash *hash_of, const void *owner)
{
	uint32_t mask = (UINT32_C(1) << number_bits(ix)) - 1, h, *line;
	uint32_t n = 0;

	for (uint32_t b = 0; b < ix->buckets; b++) {
		line = line_of(ix, b);
		for (unsigned i = 0; i < LINE && line[i] != 0; i++) {
			h = hash_of(owner, (line[i] & mask) - 1);
			if (line[i] != word(ix, h, (line[i] & mask) - 1))
				return false;
			for (h = home(ix, h); h != b; h = after(ix, h))
				if (line_of(ix, h)[LINE - 1] == 0)
					return false;
			n++;
		}
		for (unsigned i = used(line); i < LINE; i++)
			if (line[i] != 0)
				return false;
	}
	return n == ix->n;
}
