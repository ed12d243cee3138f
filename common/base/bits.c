#include "base/bits.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/mem.h"

#define WORD 64u /* bits */

static size_t
words(uint32_t n)
{
	return ((size_t)n + WORD - 1) / WORD;
}

/* Word w with bit 64 * w + k at 63 - k, so that leading zeros count up. */
static uint64_t
load(const uint8_t *p, size_t w)
{
	uint64_t v;

	memcpy(&v, p + w * sizeof(v), sizeof(v));
	return be64toh(v);
}

static uint8_t
mask(uint32_t i)
{
	return (uint8_t)(0x80 >> (i & 7));
}

void
bt_bits_init(struct bt_bits *b, uint32_t n)
{
	b->p = bt_mem_zero(words(n), sizeof(uint64_t));
	b->n = n;
	b->set = 0;
}

void
bt_bits_fini(struct bt_bits *b)
{
	bt_mem_free(b->p);
	*b = (struct bt_bits){ .p = NULL };
}

bool
bt_bits_has(const struct bt_bits *b, uint32_t i)
{
	assert(i < b->n);
	return (b->p[i / 8] & mask(i)) != 0;
}

bool
bt_bits_put(struct bt_bits *b, uint32_t i)
{
	if (bt_bits_has(b, i))
		return false;
	b->p[i / 8] |= mask(i);
	b->set++;
	return true;
}

bool
bt_bits_drop(struct bt_bits *b, uint32_t i)
{
	if (!bt_bits_has(b, i))
		return false;
	b->p[i / 8] &= (uint8_t)~mask(i);
	b->set--;
	return true;
}

/* The bits past the end in the last byte, of which none may be set. */
static uint8_t
spare(uint32_t n)
{
	return n % 8 == 0 ? 0 : (uint8_t)(0xff >> (n % 8));
}

void
bt_bits_fill(struct bt_bits *b, bool value)
{
	size_t n = bt_bits_bytes(b->n);

	if (n == 0)
		return;
	memset(b->p, value ? 0xff : 0, n);
	b->p[n - 1] &= (uint8_t)~spare(b->n);
	b->set = value ? b->n : 0;
}

bool
bt_bits_is_full(const struct bt_bits *b)
{
	return b->set == b->n;
}

size_t
bt_bits_bytes(uint32_t n)
{
	return ((size_t)n + 7) / 8;
}

struct bt_str
bt_bits_str(const struct bt_bits *b)
{
	return (struct bt_str){ b->p, bt_bits_bytes(b->n) };
}

/* Bits set in v, summed in parallel; needs no instruction of newer chips. */
static unsigned
count(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555u;
	v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return (unsigned)(v * 0x0101010101010101u >> 56);
}

int
bt_bits_load(struct bt_bits *b, struct bt_str wire)
{
	if (wire.n != bt_bits_bytes(b->n))
		return -1;
	if (wire.n == 0)
		return 0;
	if ((wire.p[wire.n - 1] & spare(b->n)) != 0)
		return -1;
	memcpy(b->p, wire.p, wire.n);
	b->set = 0;
	for (size_t w = 0; w < words(b->n); w++)
		b->set += count(load(b->p, w));
	return 0;
}

void
bt_bits_copy(struct bt_bits *to, const struct bt_bits *from)
{
	assert(to->n == from->n);
	memcpy(to->p, from->p, words(from->n) * sizeof(uint64_t));
	to->set = from->set;
}

/* The first i in from .. to - 1 where the bit differs from `skip`'s; or to. */
static uint32_t
next(const struct bt_bits *b, uint32_t from, uint32_t to, uint64_t skip)
{
	uint64_t v, i;

	assert(to <= b->n);
	if (from >= to)
		return to;
	v = (load(b->p, from / WORD) ^ skip) & UINT64_MAX >> from % WORD;
	for (size_t w = from / WORD;;) {
		if (v != 0) {
			i = w * WORD + (unsigned)__builtin_clzll(v);
			return i < to ? (uint32_t)i : to;
		}
		if (++w == words(to))
			return to;
		v = load(b->p, w) ^ skip;
	}
}

uint32_t
bt_bits_next(const struct bt_bits *b, uint32_t from)
{
	return next(b, from, b->n, 0);
}

uint32_t
bt_bits_next_until(const struct bt_bits *b, uint32_t from, uint32_t to)
{
	return next(b, from, to, 0);
}

uint32_t
bt_bits_next_clear(const struct bt_bits *b, uint32_t from)
{
	return next(b, from, b->n, UINT64_MAX);
}

uint32_t
bt_bits_next_clear_until(const struct bt_bits *b, uint32_t from, uint32_t to)
{
	return next(b, from, to, UINT64_MAX);
}

uint32_t
bt_bits_next_common(const struct bt_bits *a, const struct bt_bits *b,
    const struct bt_bits *c, uint32_t from)
{
	uint64_t v, ahead = UINT64_MAX >> (from % WORD);

	for (size_t w = from / WORD; w < words(a->n); w++) {
		v = load(a->p, w) & load(b->p, w) & ahead;
		if (c != NULL)
			v &= load(c->p, w);
		if (v != 0)
			return (uint32_t)(w * WORD) +
			       (uint32_t)__builtin_clzll(v);
		ahead = UINT64_MAX;
	}
	return a->n;
}

bool
bt_bits_any_not_in(const struct bt_bits *a, const struct bt_bits *b)
{
	assert(a->n == b->n);
	for (size_t w = 0; w < words(a->n); w++)
		if ((load(a->p, w) & ~load(b->p, w)) != 0)
			return true;
	return false;
}
