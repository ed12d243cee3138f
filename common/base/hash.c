#define OPENSSL_SUPPRESS_DEPRECATED /* SHA1_Update(): see bt_hash_blocks() */
#include "base/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/mem.h"

struct bt_hash {
	EVP_MD *md; /* fetched once: a fetch costs more than a block */
	EVP_MD_CTX *ctx;
};

/*
 * OpenSSL refuses a digest for want of memory or in an installation without
 * its default provider. Neither can be mended here, so the program ends.
 */
static void
one_shot(const EVP_MD *md, struct bt_str in, uint8_t *out)
{
	int ok = EVP_Digest(in.p, in.n, out, NULL, md, NULL);

	assert(ok == 1);
}

void
bt_hash_sha1(struct bt_str in, uint8_t out[BT_SHA1_LEN])
{
	one_shot(EVP_sha1(), in, out);
}

void
bt_hash_sha256(struct bt_str in, uint8_t out[BT_SHA256_LEN])
{
	one_shot(EVP_sha256(), in, out);
}

struct bt_hash *
bt_hash_new(enum bt_hash_kind kind)
{
	struct bt_hash *h = bt_mem_alloc(sizeof(*h));
	int ok;

	h->md =
	    EVP_MD_fetch(NULL, kind == BT_HASH_SHA1 ? "SHA1" : "SHA256", NULL);
	h->ctx = EVP_MD_CTX_new();
	assert(h->md != NULL);
	assert(h->ctx != NULL);
	ok = EVP_DigestInit_ex2(h->ctx, h->md, NULL);
	assert(ok == 1);
	return h;
}

void
bt_hash_free(struct bt_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	bt_mem_free(h);
}

void
bt_hash_add(struct bt_hash *h, const void *p, size_t n)
{
	int ok = EVP_DigestUpdate(h->ctx, p, n);

	assert(ok == 1);
}

void
bt_hash_end(struct bt_hash *h, uint8_t *out)
{
	int ok = EVP_DigestFinal_ex(h->ctx, out, NULL);

	assert(ok == 1);
	ok = EVP_DigestInit_ex2(h->ctx, h->md, NULL);
	assert(ok == 1);
}

/*
 * EVP's contexts live on the heap and hide their state. The functions that OpenSSL
 * has below it, deprecated for the general user, take both from the caller, and
 * whole blocks go straight to the same kernels.
 */
static void
sha1_blocks(uint32_t h[5], const uint8_t *p, size_t n)
{
	SHA_CTX c = {
		.h0 = h[0], .h1 = h[1], .h2 = h[2], .h3 = h[3], .h4 = h[4]
	};
	int ok = SHA1_Update(&c, p, n);

	assert(ok == 1);
	h[0] = c.h0;
	h[1] = c.h1;
	h[2] = c.h2;
	h[3] = c.h3;
	h[4] = c.h4;
}

static void
sha256_blocks(uint32_t h[8], const uint8_t *p, size_t n)
{
	SHA256_CTX c = { .md_len = BT_SHA256_LEN };
	int ok;

	memcpy(c.h, h, sizeof(c.h));
	ok = SHA256_Update(&c, p, n);
	assert(ok == 1);
	memcpy(h, c.h, sizeof(c.h));
}

void
bt_hash_blocks(
    enum bt_hash_kind kind, uint32_t state[], const uint8_t *p, size_t blocks)
{
	if (kind == BT_HASH_SHA1)
		sha1_blocks(state, p, 64 * blocks);
	else
		sha256_blocks(state, p, 64 * blocks);
}

/*
 * SipHash-2-4 after Aumasson and Bernstein, "SipHash: a fast short-input PRF"
 * (2012), section 2.
 */
static uint64_t
le64(const uint8_t *p)
{
	/* spelled out, since a compiler makes one load of it then */
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	       (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	       (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	       (uint64_t)p[7] << 56;
}

static uint64_t
rotl(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

struct sip {
	uint64_t a, b, c, d;
};

/* By value: the four stay in registers. */
static inline struct sip
step(struct sip s)
{
	s.a += s.b;
	s.c += s.d;
	s.b = rotl(s.b, 13) ^ s.a;
	s.d = rotl(s.d, 16) ^ s.c;
	s.a = rotl(s.a, 32);
	s.c += s.b;
	s.a += s.d;
	s.b = rotl(s.b, 17) ^ s.c;
	s.d = rotl(s.d, 21) ^ s.a;
	s.c = rotl(s.c, 32);
	return s;
}

static inline struct sip
take(struct sip s, uint64_t m)
{
	s.d ^= m;
	s = step(step(s));
	s.a ^= m;
	return s;
}

uint64_t
bt_hash_sip(const uint8_t key[16], struct bt_str in)
{
	uint64_t k0 = le64(key), k1 = le64(key + 8);
	struct sip s = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
	uint64_t last = (uint64_t)in.n << 56;
	size_t at = 0;

	for (; in.n - at >= 8; at += 8)
		s = take(s, le64(in.p + at));
	for (unsigned i = 0; at < in.n; at++, i += 8)
		last |= (uint64_t)in.p[at] << i;
	s = take(s, last);
	s.c ^= 0xff;
	s = step(step(step(step(s))));
	return s.a ^ s.b ^ s.c ^ s.d;
}
