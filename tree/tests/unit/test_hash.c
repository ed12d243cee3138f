#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/hash.h"
#include "base/mem.h"

static void
assert_hex(const uint8_t *p, size_t n, const char *want)
{
	char got[2 * BT_SHA256_LEN + 1];

	bt_str_hex((struct bt_str){ p, n }, got);
	assert_string_equal(got, want);
}

/* NIST's examples for FIPS 180-4. */
static void
sha1_gives_the_examples_of_fips_180(void **state)
{
	uint8_t d[BT_SHA1_LEN];

	(void)state;
	bt_hash_sha1(STR("abc"), d);
	assert_hex(d, sizeof(d), "a9993e364706816aba3e25717850c26c9cd0d89d");
	bt_hash_sha1(
	    STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), d);
	assert_hex(d, sizeof(d), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	bt_hash_sha1((struct bt_str){ NULL, 0 }, d);
	assert_hex(d, sizeof(d), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

static void
sha256_gives_the_examples_of_fips_180(void **state)
{
	uint8_t d[BT_SHA256_LEN];

	(void)state;
	bt_hash_sha256(STR("abc"), d);
	assert_hex(d, sizeof(d),
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	bt_hash_sha256((struct bt_str){ NULL, 0 }, d);
	assert_hex(d, sizeof(d),
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
}

static void
a_million_letters_in_uneven_parts_give_the_example(void **state)
{
	struct bt_hash *h = bt_hash_new(BT_HASH_SHA1);
	uint8_t d[BT_SHA1_LEN], letters[997];
	size_t left = 1000000, n;

	(void)state;
	memset(letters, 'a', sizeof(letters));
	for (size_t part = 0; left > 0; left -= n) {
		part = (part + 61) % sizeof(letters);
		n = part < left ? part : left;
		bt_hash_add(h, letters, n);
	}
	bt_hash_end(h, d);
	assert_hex(d, sizeof(d), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	bt_hash_free(h);
}

static void
a_digest_begins_anew_after_its_end(void **state)
{
	struct bt_hash *h = bt_hash_new(BT_HASH_SHA256);
	uint8_t d[BT_SHA256_LEN];

	(void)state;
	bt_hash_add(h, "something else", 14);
	bt_hash_end(h, d);
	for (int i = 0; i < 2; i++) {
		bt_hash_add(h, "a", 1);
		bt_hash_add(h, NULL, 0);
		bt_hash_add(h, "bc", 2);
		bt_hash_end(h, d);
		assert_hex(d, sizeof(d),
		    "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad");
	}
	bt_hash_free(h);
	bt_hash_free(NULL);
}

/* "SipHash: a fast short-input PRF", appendix A, and its reference vectors. */
static void
siphash_gives_the_vectors_of_its_paper(void **state)
{
	uint8_t key[16], in[15];

	(void)state;
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		in[i] = i;
	assert_true(
	    bt_hash_sip(key, (struct bt_str){ in, 15 }) == 0xa129ca6149be45e5);
	assert_true(
	    bt_hash_sip(key, (struct bt_str){ NULL, 0 }) == 0x726fdb47dd0e0e31);
	assert_true(
	    bt_hash_sip(key, (struct bt_str){ in, 1 }) == 0x74f839c593dc67fd);
	assert_true(
	    bt_hash_sip(key, (struct bt_str){ in, 8 }) == 0x93f5f5799a932462);
}

static uint64_t
openssl_sip(EVP_MAC_CTX *ctx, const uint8_t key[16], struct bt_str in)
{
	size_t size = 8, n;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	uint8_t out[8];
	uint64_t v = 0;

	assert_int_equal(EVP_MAC_init(ctx, key, 16, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, in.p, in.n), 1);
	assert_int_equal(EVP_MAC_final(ctx, out, &n, sizeof(out)), 1);
	assert_int_equal(n, 8);
	for (size_t i = 8; i > 0; i--)
		v = v << 8 | out[i - 1];
	return v;
}

static void
siphash_agrees_with_openssl_for_every_length(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	uint8_t key[16], in[300];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 151 + 7);
	for (size_t n = 0; n <= sizeof(in); n++) {
		memset(key, (int)(n * 31), sizeof(key));
		key[n % 16] ^= 0x5a;
		assert_true(bt_hash_sip(key, (struct bt_str){ in, n }) ==
			    openssl_sip(ctx, key, (struct bt_str){ in, n }));
	}
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha1_gives_the_examples_of_fips_180),
		cmocka_unit_test(sha256_gives_the_examples_of_fips_180),
		cmocka_unit_test(
		    a_million_letters_in_uneven_parts_give_the_example),
		cmocka_unit_test(a_digest_begins_anew_after_its_end),
		cmocka_unit_test(siphash_gives_the_vectors_of_its_paper),
		cmocka_unit_test(siphash_agrees_with_openssl_for_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
