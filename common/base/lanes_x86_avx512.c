#include <immintrin.h>

#include "base/lanes_priv.h"

/*
 * Sixteen streams, one in each 32-bit place of a vector. Rotations and logic of
 * three operands are one instruction each, and the block and the state of all
 * streams fit into the 32 registers.
 */
#define TARGET LANES_TARGET("avx512f,avx512bw")
#define W 16u

typedef __m512i vec;

static bool
is_here(void)
{
	return __builtin_cpu_supports("avx512f") != 0 &&
	       __builtin_cpu_supports("avx512bw") != 0;
}

/* The count is part of the instruction, also where nothing is inlined. */
#define rol(v, by) _mm512_rol_epi32(v, by)
#define shr(v, by) _mm512_srli_epi32(v, by)

LANES_INLINE TARGET vec
add(vec a, vec b)
{
	return _mm512_add_epi32(a, b);
}

LANES_INLINE TARGET vec xor (vec a, vec b) { return _mm512_xor_si512(a, b); }

    LANES_INLINE TARGET vec word(uint32_t k)
{
	return _mm512_set1_epi32((int)k);
}

/* The last operand is the truth table of a, b, c: bit 4 * a + 2 * b + c. */
LANES_INLINE TARGET vec
ch(vec a, vec b, vec c)
{
	return _mm512_ternarylogic_epi32(a, b, c, 0xca);
}

LANES_INLINE TARGET vec
maj(vec a, vec b, vec c)
{
	return _mm512_ternarylogic_epi32(a, b, c, 0xe8);
}

LANES_INLINE TARGET vec
xor3(vec a, vec b, vec c)
{
	return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

/* Word i of each stream's state; and back. */
static TARGET vec
gather(uint32_t *const h[], unsigned i)
{
	uint32_t in[W];

	for (unsigned k = 0; k < W; k++)
		in[k] = h[k][i];
	return _mm512_loadu_si512(in);
}

static TARGET void
scatter(uint32_t *const h[], unsigned i, vec v)
{
	uint32_t out[W];

	_mm512_storeu_si512(out, v);
	for (unsigned k = 0; k < W; k++)
		h[k][i] = out[k];
}

/* Four rows become four columns, in each 128-bit quarter. */
LANES_INLINE TARGET void
turn4(vec r[4])
{
	vec t0 = _mm512_unpacklo_epi32(r[0], r[1]);
	vec t1 = _mm512_unpackhi_epi32(r[0], r[1]);
	vec t2 = _mm512_unpacklo_epi32(r[2], r[3]);
	vec t3 = _mm512_unpackhi_epi32(r[2], r[3]);

	r[0] = _mm512_unpacklo_epi64(t0, t2);
	r[1] = _mm512_unpackhi_epi64(t0, t2);
	r[2] = _mm512_unpacklo_epi64(t1, t3);
	r[3] = _mm512_unpackhi_epi64(t1, t3);
}

/* The quarters of four vectors, likewise. */
LANES_INLINE TARGET void
turn_quarters(vec *a, vec *b, vec *c, vec *d)
{
	vec t0 = _mm512_shuffle_i32x4(*a, *b, 0x44);
	vec t1 = _mm512_shuffle_i32x4(*a, *b, 0xee);
	vec t2 = _mm512_shuffle_i32x4(*c, *d, 0x44);
	vec t3 = _mm512_shuffle_i32x4(*c, *d, 0xee);

	*a = _mm512_shuffle_i32x4(t0, t2, 0x88);
	*b = _mm512_shuffle_i32x4(t0, t2, 0xdd);
	*c = _mm512_shuffle_i32x4(t1, t3, 0x88);
	*d = _mm512_shuffle_i32x4(t1, t3, 0xdd);
}

LANES_INLINE TARGET vec
block(const uint8_t *p)
{
	const vec flip =
	    _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);

	return _mm512_shuffle_epi8(_mm512_loadu_si512(p), flip);
}

/* A block of each stream: w[i] becomes word i of all, in host order. */
LANES_INLINE TARGET void
load(vec w[16], const uint8_t *const p[], size_t at)
{
	for (unsigned k = 0; k < W; k++)
		w[k] = block(p[k] + at);
	turn4(w);
	turn4(w + 4);
	turn4(w + 8);
	turn4(w + 12);
	turn_quarters(&w[0], &w[4], &w[8], &w[12]);
	turn_quarters(&w[1], &w[5], &w[9], &w[13]);
	turn_quarters(&w[2], &w[6], &w[10], &w[14]);
	turn_quarters(&w[3], &w[7], &w[11], &w[15]);
}

#include "base/lanes_sha1_priv.h"
#include "base/lanes_sha256_priv.h"

const struct bt_lanes_kernel bt_lanes_avx512[] = {
	{ "avx512 x16", BT_HASH_SHA1, W, 560, is_here, sha1 },
	{ "avx512 x16", BT_HASH_SHA256, W, 1100, is_here, sha256 },
};
