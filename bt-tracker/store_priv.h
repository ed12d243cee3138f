/*
 * store_priv - what the parts of the store share.
 *
 * Pure.
 *
 * Used by  bt-tracker/store*.c
 * Tests    tests/unit/test_tracker_store.c
 */
#ifndef BT_TRACKER_STORE_PRIV_H
#define BT_TRACKER_STORE_PRIV_H

#include "store.h"
#include "swarms.h"

struct bt_store {
	uint8_t secret[16];
	uint8_t key_secret[16];
	struct bt_store_limits *limits;
	uint64_t tick_ms;	/* the unit of stamps */
	uint64_t expire_ms;
	uint64_t now_ms;	/* the latest time that was given */
	uint8_t ticks_max;	/* a stamp further behind is too old */
	struct bt_swarms swarms;
	uint32_t peers;		/* in this shard */
	uint32_t of[2][2];	/* of them, by family and role */

	uint64_t swept_ms;	/* when the sweep last ran */
	uint32_t at;		/* the swarm it is at */
	unsigned part;		/* family and role there */
	uint32_t peer;		/* number in that role */
	uint64_t round;		/* what there was to look at when it began */
};

/* Take the time; gives it as a stamp. */
uint8_t	bt_store_stamp(struct bt_store *s, uint64_t now_ms);
/* And as what swarms are touched at. */
uint64_t	bt_store_time(const struct bt_store *s);

/* Where a swarm keeps its peers of a family: 0 IPv4, 1 IPv6. */
struct bt_peers	**bt_store_block(struct bt_store *s, uint32_t swarm, int f);
/* BT_SWARM_NONE where there is no room. */
uint32_t	bt_store_swarm_add(struct bt_store *s, const uint8_t hash[20],
		    uint64_t touched);
void	bt_store_swarm_drop(struct bt_store *s, uint32_t swarm);
/* BT_PEER_NONE where there is no room. */
uint32_t	bt_store_peer_add(struct bt_store *s, uint32_t swarm, int f,
		    enum bt_role role, const struct bt_peer *peer);
void	bt_store_peer_drop(struct bt_store *s, uint32_t swarm, int f,
	    uint32_t at);
/* Bytes of a block that changed on its own. */
void	bt_store_resized(struct bt_store *s, size_t before, size_t after);

#endif
