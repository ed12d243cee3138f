#include <immintrin.h>

#include "base/lanes_priv.h"

/*
 * Eight streams, one in each 32-bit place of a vector: plain FIPS 180-4 with
 * vectors for words.
 */
#define TARGET LANES_TARGET("avx2")
#define W 8u

typedef __m256i vec;

static bool
is_here(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

LANES_INLINE TARGET vec
add(vec a, vec b)
{
	return _mm256_add_epi32(a, b);
}

LANES_INLINE TARGET vec xor (vec a, vec b) { return _mm256_xor_si256(a, b); }

    LANES_INLINE TARGET vec rol(vec v, int by)
{
	return _mm256_or_si256(
	    _mm256_slli_epi32(v, by), _mm256_srli_epi32(v, 32 - by));
}

LANES_INLINE TARGET vec
shr(vec v, int by)
{
	return _mm256_srli_epi32(v, by);
}

LANES_INLINE TARGET vec
word(uint32_t k)
{
	return _mm256_set1_epi32((int)k);
}

/* b where a has ones, c where it has none */
LANES_INLINE TARGET vec
ch(vec a, vec b, vec c)
{
	return xor(c, _mm256_and_si256(a, xor(b, c)));
}

LANES_INLINE TARGET vec
maj(vec a, vec b, vec c)
{
	return xor(b, _mm256_and_si256(xor(a, b), xor(b, c)));
}

LANES_INLINE TARGET vec
xor3(vec a, vec b, vec c)
{
	return xor(xor(a, b), c);
}

/* Word i of each stream's state; and back. */
LANES_INLINE TARGET vec
gather(uint32_t *const h[], unsigned i)
{
	return _mm256_setr_epi32((int)h[0][i], (int)h[1][i], (int)h[2][i],
	    (int)h[3][i], (int)h[4][i], (int)h[5][i], (int)h[6][i],
	    (int)h[7][i]);
}

LANES_INLINE TARGET void
scatter(uint32_t *const h[], unsigned i, vec v)
{
	uint32_t out[W];

	_mm256_storeu_si256((void *)out, v);
	for (unsigned k = 0; k < W; k++)
		h[k][i] = out[k];
}

/* Eight words of each stream: w[i] becomes the i-th of all, in host order. */
static TARGET void
load8(vec w[8], const uint8_t *const p[], size_t at)
{
	const vec flip = _mm256_broadcastsi128_si256(
	    _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
	vec r[8], t[8];

	for (unsigned k = 0; k < 8; k++)
		r[k] = _mm256_shuffle_epi8(
		    _mm256_loadu_si256((const void *)(p[k] + at)), flip);
	for (unsigned k = 0; k < 8; k += 2) {
		t[k] = _mm256_unpacklo_epi32(r[k], r[k + 1]);
		t[k + 1] = _mm256_unpackhi_epi32(r[k], r[k + 1]);
	}
	for (unsigned k = 0; k < 8; k += 4) {
		r[k] = _mm256_unpacklo_epi64(t[k], t[k + 2]);
		r[k + 1] = _mm256_unpackhi_epi64(t[k], t[k + 2]);
		r[k + 2] = _mm256_unpacklo_epi64(t[k + 1], t[k + 3]);
		r[k + 3] = _mm256_unpackhi_epi64(t[k + 1], t[k + 3]);
	}
	for (unsigned k = 0; k < 4; k++) {
		w[k] = _mm256_permute2x128_si256(r[k], r[k + 4], 0x20);
		w[k + 4] = _mm256_permute2x128_si256(r[k], r[k + 4], 0x31);
	}
}

LANES_INLINE TARGET void
load(vec w[16], const uint8_t *const p[], size_t at)
{
	load8(w, p, at);
	load8(w + 8, p, at + 32);
}

#include "base/lanes_sha1_priv.h"
#include "base/lanes_sha256_priv.h"

const struct bt_lanes_kernel bt_lanes_avx2[] = {
	{ "avx2 x8", BT_HASH_SHA1, W, 430, is_here, sha1 },
	{ "avx2 x8", BT_HASH_SHA256, W, 970, is_here, sha256 },
};
