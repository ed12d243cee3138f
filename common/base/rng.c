#include "base/rng.h"

#include <assert.h>
#include <string.h>

static uint64_t
rotl(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

void
bt_rng_seed(struct bt_rng *r, uint64_t seed)
{
	uint64_t z;

	for (size_t i = 0; i < 4; i++) {
		z = seed += 0x9e3779b97f4a7c15;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		r->s[i] = z ^ z >> 31;
	}
}

uint64_t
bt_rng_u64(struct bt_rng *r)
{
	uint64_t *s = r->s, v = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return v;
}

/*
 * The high half of a random 32 bits times n; draws whose low half falls in
 * the uneven remainder of 2^32 by n are drawn again (Lemire, 2019).
 */
uint32_t
bt_rng_below(struct bt_rng *r, uint32_t n)
{
	uint64_t m;

	assert(n > 0);
	do {
		m = (bt_rng_u64(r) >> 32) * n;
	} while ((uint32_t)m < (uint32_t)-n % n);
	return (uint32_t)(m >> 32);
}

void
bt_rng_fill(struct bt_rng *r, void *p, size_t n)
{
	uint8_t *to = p;
	uint64_t v;

	for (size_t at = 0, k; at < n; at += k) {
		v = bt_rng_u64(r);
		k = n - at < sizeof(v) ? n - at : sizeof(v);
		memcpy(to + at, &v, k);
	}
}
