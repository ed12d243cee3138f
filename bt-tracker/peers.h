/*
 * peers - the peers of one swarm in one address family, packed.
 *
 * One block of memory: a header, a place for what its owner keeps with it,
 * then for each peer a key (4 bytes), a stamp (1) and the address as it goes on
 * the wire (6 or 18). Leechers fill it from the front and seeders from the
 * back, so each role lies in one run and a reply is copied from a random place
 * in it:
 *
 *	| L0 L1 L2 L3 . . . . . S2 S1 S0 |
 *
 * 1. An address is there once. A key that is not 0 is there once.
 * 2. Dropping a peer moves the last of its role to its place.
 * 3. Few peers are searched one by one; many have an index, by address under
 *    a secret so that strangers cannot choose collisions, and by key, which
 *    must be a keyed hash for the same reason.
 * 4. A choice is fair: each peer is in it with the same probability.
 * 5. A stamp is seven bits that count in a circle, and one: it is paused.
 * Pure.
 *
 * Used by  bt-tracker/store.c
 * Tests    tests/unit/test_tracker_peers.c
 */
#ifndef BT_TRACKER_PEERS_H
#define BT_TRACKER_PEERS_H

#include "base/rng.h"
#include "base/str.h"

enum bt_role { BT_LEECHER = 0, BT_SEEDER = 1 };

struct bt_peers;

/* What is kept of a peer. */
struct bt_peer {
	uint32_t key;		/* a keyed hash, or 0 */
	uint8_t stamp;		/* 0 .. BT_STAMP_MASK */
	bool paused;		/* BEP 21; of leechers only */
	const uint8_t *addr;	/* 6 or 18 bytes */
};
#define BT_STAMP_MASK	0x7fu

/*
 * The place of a peer: its number in its role, twice, plus the role. It holds
 * until the next add or drop.
 */
#define BT_PEER_NONE	UINT32_MAX
#define BT_PEERS_MAX	(1u << 26)	/* in one swarm: 1.5 GB */

/* gives; family 4 or 6; head: bytes for the owner, zeroed, a multiple of 8 */
struct bt_peers	*bt_peers_new(uint8_t family, uint8_t head);
void	bt_peers_free(struct bt_peers *p);
/* The owner's place; it moves with the block. */
void	*bt_peers_head(const struct bt_peers *p);

uint32_t	bt_peers_count(const struct bt_peers *p, enum bt_role role);
uint32_t	bt_peers_paused(const struct bt_peers *p);
enum bt_role	bt_peers_role(uint32_t at);
uint32_t	bt_peers_place(enum bt_role role, uint32_t number);
/* Bytes of memory, now and when there is one peer more. */
size_t	bt_peers_size(const struct bt_peers *p);
size_t	bt_peers_size_next(const struct bt_peers *p);
/* Of a new one. */
size_t	bt_peers_size_least(uint8_t family, uint8_t head);

/* addr is 6 or 18 bytes, secret 16. BT_PEER_NONE if it is not there. */
uint32_t	bt_peers_find(const struct bt_peers *p, const uint8_t *secret,
		    const uint8_t *addr);
uint32_t	bt_peers_find_key(const struct bt_peers *p, uint32_t key);
/* The address is a view into the block. */
struct bt_peer	bt_peers_get(const struct bt_peers *p, uint32_t at);
/* All but the address. */
void	bt_peers_set(struct bt_peers *p, const uint8_t *secret, uint32_t at,
	    const struct bt_peer *peer);

/* Both may move the block: *p is its place afterwards. */
uint32_t	bt_peers_add(struct bt_peers **p, const uint8_t *secret,
		    enum bt_role role, const struct bt_peer *peer);
void	bt_peers_drop(struct bt_peers **p, const uint8_t *secret, uint32_t at);

/*
 * Look at up to *work peers of a role from number *from on, and drop those
 * whose stamp is more than `limit` behind `now`. *work is what is left of it.
 * *from moves on, and is the role's count when the end was reached. Returns
 * how many went.
 */
uint32_t	bt_peers_expire(struct bt_peers **p, const uint8_t *secret,
		    enum bt_role role, uint32_t *from, uint32_t *work,
		    uint8_t now, uint8_t limit);

/*
 * Copy up to `want` addresses of one role, without the peer at `self` (or
 * BT_PEER_NONE), to out. Returns how many.
 */
uint32_t	bt_peers_pick(const struct bt_peers *p, enum bt_role role,
		    uint32_t self, uint32_t want, struct bt_rng *rng,
		    uint8_t *out);

/* Do the rules and the index hold? For tests. */
bool	bt_peers_check(const struct bt_peers *p, const uint8_t *secret);

#endif
