/*
 * immintrin - the few AVX-512 instructions of base/lanes, in plain C.
 *
 * Found in place of the compiler's header by tests/unit/test_lanes_x16.c, so
 * that the kernel's own source runs on any processor. Each follows Intel's
 * "Software Developer's Manual", volume 2, of the instruction it names.
 */
#ifndef BT_TESTS_UNIT_EMULATED_IMMINTRIN_H
#define BT_TESTS_UNIT_EMULATED_IMMINTRIN_H

#include <stdint.h>
#include <string.h>

#define __builtin_cpu_supports(name) 1

#define EMULATED static __attribute__((noinline, unused))

struct emulated {
	uint32_t w[16];
};
typedef struct emulated __m512i;

/* result word i, from operands' words i */
#define EMULATED_EACH(expr) \
	do { \
		__m512i r_; \
		for (unsigned i = 0; i < 16; i++) \
			r_.w[i] = (expr); \
		return r_; \
	} while (0)

EMULATED __m512i
_mm512_loadu_si512(const void *p)
{
	__m512i v;

	memcpy(&v, p, sizeof(v));
	return v;
}

EMULATED void
_mm512_storeu_si512(void *p, __m512i v)
{
	memcpy(p, &v, sizeof(v));
}

EMULATED __m512i
_mm512_set1_epi32(int k)
{
	EMULATED_EACH((uint32_t)k);
}

EMULATED __m512i
_mm512_set4_epi32(int d, int c, int b, int a)
{
	const int v[4] = { a, b, c, d };

	EMULATED_EACH((uint32_t)v[i % 4]);
}

EMULATED __m512i
_mm512_add_epi32(__m512i a, __m512i b)
{
	EMULATED_EACH(a.w[i] + b.w[i]);
}

EMULATED __m512i
_mm512_xor_si512(__m512i a, __m512i b)
{
	EMULATED_EACH(a.w[i] ^ b.w[i]);
}

EMULATED __m512i
_mm512_rol_epi32(__m512i a, int by)
{
	EMULATED_EACH(a.w[i] << by % 32 | a.w[i] >> (32 - by % 32) % 32);
}

EMULATED __m512i
_mm512_srli_epi32(__m512i a, unsigned by)
{
	EMULATED_EACH(by > 31 ? 0 : a.w[i] >> by);
}

/* Bit 4 * a + 2 * b + c of the table, for each bit. */
static inline uint32_t
emulated_logic(uint32_t a, uint32_t b, uint32_t c, int table)
{
	uint32_t r = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((table >> i & 1) != 0)
			r |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) &
			    ((i & 1) != 0 ? c : ~c);
	return r;
}

EMULATED __m512i
_mm512_ternarylogic_epi32(__m512i a, __m512i b, __m512i c, int table)
{
	EMULATED_EACH(emulated_logic(a.w[i], b.w[i], c.w[i], table));
}

EMULATED __m512i
_mm512_unpacklo_epi32(__m512i a, __m512i b)
{
	EMULATED_EACH((i & 1 ? &b : &a)->w[i / 4 * 4 + i % 4 / 2]);
}

EMULATED __m512i
_mm512_unpackhi_epi32(__m512i a, __m512i b)
{
	EMULATED_EACH((i & 1 ? &b : &a)->w[i / 4 * 4 + 2 + i % 4 / 2]);
}

EMULATED __m512i
_mm512_unpacklo_epi64(__m512i a, __m512i b)
{
	EMULATED_EACH((i & 2 ? &b : &a)->w[i / 4 * 4 + i % 2]);
}

EMULATED __m512i
_mm512_unpackhi_epi64(__m512i a, __m512i b)
{
	EMULATED_EACH((i & 2 ? &b : &a)->w[i / 4 * 4 + 2 + i % 2]);
}

/* Two quarters of a, then two of b. */
EMULATED __m512i
_mm512_shuffle_i32x4(__m512i a, __m512i b, int which)
{
	EMULATED_EACH((i < 8 ? &a : &b)->w[
	    4 * (unsigned)(which >> i / 4 * 2 & 3) + i % 4]);
}

/* Bytes within each 128-bit quarter; an index with its top bit set is zero. */
EMULATED __m512i
_mm512_shuffle_epi8(__m512i a, __m512i index)
{
	uint8_t from[64], at[64], to[64];
	__m512i r;

	memcpy(from, &a, 64);
	memcpy(at, &index, 64);
	for (unsigned i = 0; i < 64; i++)
		to[i] = (at[i] & 0x80) != 0 ? 0 : from[i / 16 * 16 + at[i] % 16];
	memcpy(&r, to, 64);
	return r;
}

#endif
