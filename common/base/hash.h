/*
 * hash - SHA-1, SHA-256, and a keyed hash for tables.
 *
 * The digests are OpenSSL's; this is the one door through which it enters the
 * library. SipHash-2-4 keeps strangers from choosing colliding keys.
 * Pure: no clock, no file, no coin.
 *
 * Used by  disk/pool, disk/verify, codec/metainfo, base/htab, base/lanes
 * Tests    tests/unit/test_hash.c (FIPS 180 and SipHash paper vectors)
 */
#ifndef BT_BASE_HASH_H
#define BT_BASE_HASH_H

#include "base/str.h"

#define BT_SHA1_LEN	20
#define BT_SHA256_LEN	32

enum bt_hash_kind { BT_HASH_SHA1, BT_HASH_SHA256 };

/* One whole input. out holds BT_SHA1_LEN or BT_SHA256_LEN bytes. */
void	bt_hash_sha1(struct bt_str in, uint8_t out[BT_SHA1_LEN]);
void	bt_hash_sha256(struct bt_str in, uint8_t out[BT_SHA256_LEN]);

/* A digest over parts. Reusable after bt_hash_end(), which starts anew. */
struct bt_hash;
struct bt_hash	*bt_hash_new(enum bt_hash_kind kind);	/* gives */
void	bt_hash_free(struct bt_hash *h);
void	bt_hash_add(struct bt_hash *h, const void *p, size_t n);
void	bt_hash_end(struct bt_hash *h, uint8_t *out);

/*
 * The state, 5 or 8 words, after some more blocks of 64 bytes; beginning and
 * padding are the caller's (base/lanes).
 */
void	bt_hash_blocks(enum bt_hash_kind kind, uint32_t state[],
	    const uint8_t *p, size_t blocks);

/* SipHash-2-4 of in under a 16-byte key. */
uint64_t	bt_hash_sip(const uint8_t key[16], struct bt_str in);

#endif
