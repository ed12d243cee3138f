#include <cpuid.h>
#include <immintrin.h>

#include "base/lanes_priv.h"

/*
 * The SHA instructions make four rounds (SHA-1) or two (SHA-256), and their
 * result comes some cycles after the next could begin. So streams woven into
 * each other cost little more than one, until registers run out.
 */
#define TARGET LANES_TARGET("sha,ssse3,sse4.1")

static bool
is_here(void)
{
	unsigned a, b = 0, c, d;

	return __builtin_cpu_supports("ssse3") != 0 &&
	       __builtin_cpu_supports("sse4.1") != 0 &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
	       (b & bit_SHA) != 0;
}

LANES_INLINE TARGET __m128i
get(const void *p)
{
	return _mm_loadu_si128(p);
}

LANES_INLINE TARGET void
put(void *p, __m128i v)
{
	_mm_storeu_si128(p, v);
}

/* w[i % 4] are the words of four rounds, or, from i - 4 on, of those before. */
struct sha1 {
	const uint8_t *p;
	__m128i w[4];
	__m128i abcd, abcd_before, e_sum, abcd_sum;
};

LANES_INLINE TARGET void
sha1_load(struct sha1 *s, const uint32_t *h, const uint8_t *p)
{
	s->p = p;
	s->abcd_sum = _mm_shuffle_epi32(get(h), 0x1b);
	s->e_sum = _mm_set_epi32((int)h[4], 0, 0, 0);
}

LANES_INLINE TARGET void
sha1_store(const struct sha1 *s, uint32_t *h)
{
	put(h, _mm_shuffle_epi32(s->abcd_sum, 0x1b));
	h[4] = (uint32_t)_mm_extract_epi32(s->e_sum, 3);
}

LANES_INLINE TARGET __m128i
sha1_words(const struct sha1 *s, unsigned i)
{
	const __m128i *w = s->w;
	__m128i v;

	if (i < 4)
		return _mm_shuffle_epi8(get(s->p + (size_t)16 * i),
		    _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f));
	v = _mm_sha1msg1_epu32(w[i % 4], w[(i + 1) % 4]);
	v = _mm_xor_si128(v, w[(i + 2) % 4]);
	return _mm_sha1msg2_epu32(v, w[(i + 3) % 4]);
}

/* Rounds 4 * i to 4 * i + 3. */
LANES_INLINE TARGET void
sha1_rounds(struct sha1 *s, unsigned i)
{
	__m128i was = i == 0 ? s->abcd_sum : s->abcd, e;

	s->w[i % 4] = sha1_words(s, i);
	e = i == 0 ? _mm_add_epi32(s->e_sum, s->w[0])
		   : _mm_sha1nexte_epu32(s->abcd_before, s->w[i % 4]);
	s->abcd_before = was;
	switch (i / 5) {
	case 0:
		s->abcd = _mm_sha1rnds4_epu32(was, e, 0);
		break;
	case 1:
		s->abcd = _mm_sha1rnds4_epu32(was, e, 1);
		break;
	case 2:
		s->abcd = _mm_sha1rnds4_epu32(was, e, 2);
		break;
	default:
		s->abcd = _mm_sha1rnds4_epu32(was, e, 3);
		break;
	}
	if (i == 19) {
		s->e_sum = _mm_sha1nexte_epu32(s->abcd_before, s->e_sum);
		s->abcd_sum = _mm_add_epi32(s->abcd, s->abcd_sum);
		s->p += 64;
	}
}

/* Of every stream; n is a constant, and written out nothing has to unroll. */
LANES_INLINE TARGET void
sha1_step(struct sha1 *s, unsigned n, unsigned i)
{
	sha1_rounds(&s[0], i);
	if (n > 1)
		sha1_rounds(&s[1], i);
	if (n > 2)
		sha1_rounds(&s[2], i);
	if (n > 3)
		sha1_rounds(&s[3], i);
}

LANES_INLINE TARGET void
sha1_steps(struct sha1 *s, unsigned n, unsigned i)
{
	sha1_step(s, n, i);
	sha1_step(s, n, i + 1);
	sha1_step(s, n, i + 2);
	sha1_step(s, n, i + 3);
	sha1_step(s, n, i + 4);
}

LANES_INLINE TARGET void
sha1(
    unsigned n, uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	struct sha1 s[4];

	for (unsigned k = 0; k < n; k++)
		sha1_load(&s[k], h[k], from[k]);
	for (; blocks > 0; blocks--) {
		sha1_steps(s, n, 0);
		sha1_steps(s, n, 5);
		sha1_steps(s, n, 10);
		sha1_steps(s, n, 15);
	}
	for (unsigned k = 0; k < n; k++)
		sha1_store(&s[k], h[k]);
}

static TARGET void
sha1_x1(uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	sha1(1, h, from, blocks);
}

static TARGET void
sha1_x2(uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	sha1(2, h, from, blocks);
}

static TARGET void
sha1_x4(uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	sha1(4, h, from, blocks);
}

/* The instructions want the state as ABEF and CDGH. */
struct sha256 {
	const uint8_t *p;
	__m128i w[4];
	__m128i abef, cdgh, abef_sum, cdgh_sum;
};

LANES_INLINE TARGET void
sha256_load(struct sha256 *s, const uint32_t *h, const uint8_t *p)
{
	__m128i badc = _mm_shuffle_epi32(get(h), 0xb1);
	__m128i hgfe = _mm_shuffle_epi32(get(h + 4), 0x1b);

	s->p = p;
	s->abef_sum = _mm_alignr_epi8(badc, hgfe, 8);
	s->cdgh_sum = _mm_blend_epi16(hgfe, badc, 0xf0);
}

LANES_INLINE TARGET void
sha256_store(const struct sha256 *s, uint32_t *h)
{
	__m128i feba = _mm_shuffle_epi32(s->abef_sum, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(s->cdgh_sum, 0xb1);

	put(h, _mm_blend_epi16(feba, dchg, 0xf0));
	put(h + 4, _mm_alignr_epi8(dchg, feba, 8));
}

LANES_INLINE TARGET __m128i
sha256_words(const struct sha256 *s, unsigned i)
{
	const __m128i *w = s->w;
	__m128i v;

	if (i < 4)
		return _mm_shuffle_epi8(get(s->p + (size_t)16 * i),
		    _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
	v = _mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]);
	v = _mm_add_epi32(
	    v, _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));
	return _mm_sha256msg2_epu32(v, w[(i + 3) % 4]);
}

LANES_INLINE TARGET void
sha256_rounds(struct sha256 *s, unsigned i)
{
	__m128i k;

	if (i == 0) {
		s->abef = s->abef_sum;
		s->cdgh = s->cdgh_sum;
	}
	s->w[i % 4] = sha256_words(s, i);
	k = _mm_add_epi32(s->w[i % 4], get(&bt_lanes_sha256_k[4 * (size_t)i]));
	s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, k);
	k = _mm_shuffle_epi32(k, 0x0e);
	s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, k);
	if (i == 15) {
		s->abef_sum = _mm_add_epi32(s->abef, s->abef_sum);
		s->cdgh_sum = _mm_add_epi32(s->cdgh, s->cdgh_sum);
		s->p += 64;
	}
}

LANES_INLINE TARGET void
sha256_step(struct sha256 *s, unsigned n, unsigned i)
{
	sha256_rounds(&s[0], i);
	if (n > 1)
		sha256_rounds(&s[1], i);
}

LANES_INLINE TARGET void
sha256_steps(struct sha256 *s, unsigned n, unsigned i)
{
	sha256_step(s, n, i);
	sha256_step(s, n, i + 1);
	sha256_step(s, n, i + 2);
	sha256_step(s, n, i + 3);
}

LANES_INLINE TARGET void
sha256(
    unsigned n, uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	struct sha256 s[2];

	for (unsigned k = 0; k < n; k++)
		sha256_load(&s[k], h[k], from[k]);
	for (; blocks > 0; blocks--) {
		sha256_steps(s, n, 0);
		sha256_steps(s, n, 4);
		sha256_steps(s, n, 8);
		sha256_steps(s, n, 12);
	}
	for (unsigned k = 0; k < n; k++)
		sha256_store(&s[k], h[k]);
}

static TARGET void
sha256_x1(uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	sha256(1, h, from, blocks);
}

static TARGET void
sha256_x2(uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	sha256(2, h, from, blocks);
}

/* SHA-256 fills the unit with two streams; SHA-1 needs more. */
const struct bt_lanes_kernel bt_lanes_shani[] = {
	{ "sha-ni x1", BT_HASH_SHA1, 1, 120, is_here, sha1_x1 },
	{ "sha-ni x2", BT_HASH_SHA1, 2, 134, is_here, sha1_x2 },
	{ "sha-ni x4", BT_HASH_SHA1, 4, 190, is_here, sha1_x4 },
	{ "sha-ni x1", BT_HASH_SHA256, 1, 128, is_here, sha256_x1 },
	{ "sha-ni x2", BT_HASH_SHA256, 2, 130, is_here, sha256_x2 },
};
