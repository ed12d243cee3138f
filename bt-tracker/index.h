/*
 * index - numbers found by a hash, in one cache line.
 *
 * Buckets of sixteen numbers, a line each. A number lies in the bucket of its
 * hash or, where that is full, in the next one that is not; beside it lie as
 * many bits of the hash as 32 bits have room for, so that few others are ever
 * looked at. What a number stands for is the caller's, who also compares.
 *
 * 1. No bucket that lies before a number, from its hash on, has room: a search
 *    ends at the first one that does.
 * 2. At most three quarters are used, at least one quarter when built anew.
 * Hashes are keyed by the caller, so that strangers cannot choose collisions.
 * Pure.
 *
 * Used by  bt-tracker/peers.c, bt-tracker/swarms.c
 * Tests    tests/unit/test_tracker_index.c
 */
#ifndef BT_TRACKER_INDEX_H
#define BT_TRACKER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_INDEX_NONE	UINT32_MAX

struct bt_index {
	uint32_t *lines;	/* begins a cache line */
	void *block;		/* what was allocated for it */
	uint32_t buckets;
	uint32_t n;		/* numbers in it */
};

/* The hash of a number that is in it: what the caller put it under. */
typedef uint32_t bt_index_hash(const void *owner, uint32_t number);

/* Empty, with room for n numbers and some more; numbers are below 2n + 2. */
void	bt_index_init(struct bt_index *ix, uint32_t n);
void	bt_index_fini(struct bt_index *ix);
/* Is it to be built anew before one more is put, or to give memory back? */
bool	bt_index_is_full(const struct bt_index *ix);
bool	bt_index_is_slack(const struct bt_index *ix);
/* Bytes that one with room for n takes. */
size_t	bt_index_bytes(uint32_t n);
size_t	bt_index_size(const struct bt_index *ix);

void	bt_index_put(struct bt_index *ix, uint32_t hash, uint32_t number);
/* The number is in it. */
void	bt_index_del(struct bt_index *ix, uint32_t hash, uint32_t number,
	    bt_index_hash *hash_of, const void *owner);
/* Another number for what lies under the same hash. */
void	bt_index_set(struct bt_index *ix, uint32_t hash, uint32_t number,
	    uint32_t other);

/*
 * Walk through those who may have that hash; start with *at = 0.
 * BT_INDEX_NONE at the end.
 */
uint32_t	bt_index_next(const struct bt_index *ix, uint32_t hash,
		    uint32_t *at);
/* Have the line of a hash on its way: a walk will come to it. */
void	bt_index_fetch(const struct bt_index *ix, uint32_t hash);
/* Does rule 1 hold, and n? For tests. */
bool	bt_index_check(const struct bt_index *ix, bt_index_hash *hash_of,
	    const void *owner);

#endif
