/*
 * merkle - the tree of hashes over a file, by which v2 torrents name it.
 *
 * A leaf is the SHA-256 of 16 KiB of the file, the last of what is left. Each
 * node above is the SHA-256 of its two children, and leaves that are missing
 * beyond the file's end are 32 zero bytes. Pairs are hashed side by side.
 * Pure.
 *
 * Speaks   BEP 52 (pieces root, piece layers)
 * Used by  codec/metatree, disk/author, bt-make, bt-info
 * Tests    tests/unit/test_merkle.c
 */
#ifndef BT_CODEC_MERKLE_H
#define BT_CODEC_MERKLE_H

#include "base/lanes.h"

#define BT_MERKLE_BLOCK	16384u		/* BEP 52: bytes under a leaf */
#define BT_MERKLE_LEVELS_MAX	50u	/* 2^49 leaves: 8 EiB in a file */

/* What all trees share. Open, no owner; once a thread, costs microseconds. */
struct bt_merkle {
	struct bt_lanes lanes;
	/* the root of 2^level missing leaves */
	uint8_t zero[BT_MERKLE_LEVELS_MAX][BT_SHA256_LEN];
};

void	bt_merkle_init(struct bt_merkle *k);

/* How many levels are above n nodes: the least h with n <= 2^h. */
unsigned	bt_merkle_height(uint64_t n);

/*
 * The node `height` levels above n nodes of one level, 1 <= n <= 2^height, that
 * stand next to each other at the left; level 0 are leaves. With a height of
 * bt_merkle_height(n) it is the root. hashes and out may not overlap.
 */
void	bt_merkle_up(const struct bt_merkle *k, const uint8_t *hashes,
	    size_t n, unsigned level, unsigned height,
	    uint8_t out[BT_SHA256_LEN]);

/* A node over leaves that come bit by bit, in 16 KiB whatever it is over. */
#define BT_MERKLE_SUM	256u
struct bt_merkle_sum {
	uint32_t nleaves, ntops;
	uint8_t leaves[BT_MERKLE_SUM][BT_SHA256_LEN];
	uint8_t tops[BT_MERKLE_SUM][BT_SHA256_LEN];	/* each over 256 */
};

void	bt_merkle_sum_begin(struct bt_merkle_sum *s);
/* At most 65536 in all: 1 GiB. */
void	bt_merkle_sum_add(const struct bt_merkle *k, struct bt_merkle_sum *s,
	    const uint8_t *leaves, size_t n);
/* The node `height` levels above them; at least one has come. */
void	bt_merkle_sum_end(const struct bt_merkle *k, struct bt_merkle_sum *s,
	    unsigned height, uint8_t out[BT_SHA256_LEN]);

#endif
