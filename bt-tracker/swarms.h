/*
 * swarms - the swarms of one shard: by info-hash, by number, by age.
 *
 * A swarm is the block of its IPv4 peers (peers.h), which carries the rest of
 * it at its head: one that has few peers lies in two cache lines. It is named
 * by a number, which holds until the next add or drop.
 *
 * 1. Numbers have no gaps: dropping a swarm gives its number to the last one.
 *    So whoever walks from the last down to 0, with adds and drops in between,
 *    meets each that was there all along.
 * 2. The oldest is the one that was touched longest ago, exactly.
 * Pure.
 *
 * Used by  bt-tracker/store.c
 * Tests    tests/unit/test_tracker_swarms.c
 */
#ifndef BT_TRACKER_SWARMS_H
#define BT_TRACKER_SWARMS_H

#include "index.h"
#include "oldest.h"
#include "peers.h"

#define BT_SWARM_NONE	UINT32_MAX

struct bt_swarm {	/* the head of a block */
	uint8_t hash[20];
	uint32_t downloaded;
	uint64_t touched;	/* the owner's time of the last announce */
	struct bt_peers *v6;	/* NULL while there is none */
};

struct bt_swarms {
	const uint8_t *secret;
	struct bt_peers **at;	/* by number; the IPv4 block, never NULL */
	uint32_t n, cap;
	struct bt_index by_hash;
	struct bt_oldest oldest;
};

/* secret: 16 bytes, borrowed for good. */
void	bt_swarms_init(struct bt_swarms *s, const uint8_t *secret);
/* Frees the swarms with their peers. */
void	bt_swarms_fini(struct bt_swarms *s);

uint32_t	bt_swarms_find(const struct bt_swarms *s,
		    const uint8_t hash[20]);
/*
 * The memory of a swarm that will be asked for, on its way: three calls for one,
 * with time for those of others in between, since each asks for what the next
 * one reads. Swarms may come and go between calls.
 */
struct bt_swarms_ahead {
	const uint8_t *hash;	/* the info-hash, borrowed */
	unsigned step;		/* begins as 0 */
	uint32_t key, number;
};
#define BT_SWARMS_FETCH_STEPS	3u
void	bt_swarms_fetch(const struct bt_swarms *s, struct bt_swarms_ahead *a);
/* One that is not there, without peers. Returns its number. */
uint32_t	bt_swarms_add(struct bt_swarms *s, const uint8_t hash[20],
		    uint64_t touched);
/* Free a swarm with its peers. */
void	bt_swarms_drop(struct bt_swarms *s, uint32_t number);
/* Valid until peers of that swarm come or go. */
struct bt_swarm	*bt_swarms_get(const struct bt_swarms *s, uint32_t number);
/* It was touched before it was added here. */
void	bt_swarms_age(struct bt_swarms *s, uint32_t number, uint64_t touched);
/* BT_SWARM_NONE when there is none. *touched is when. */
uint32_t	bt_swarms_oldest(struct bt_swarms *s, uint64_t *touched);

/* Bytes of memory without the swarms' blocks. */
size_t	bt_swarms_size(const struct bt_swarms *s);
/* What one more will take, its block included. */
size_t	bt_swarms_cost(const struct bt_swarms *s);
bool	bt_swarms_check(const struct bt_swarms *s);

#endif
