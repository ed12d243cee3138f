/*
 * peers - the peers of one swarm in one address family, packed.
 *
 * One block of memory: a header, then for each peer a key (4 bytes), a stamp
 * (1) and the address as it goes on the wire (6 or 18). Leechers fill it from
 * the front and seeders from the back, so each role lies in one run and a
 * reply is copied from a random place in it:
 *
 *	| L0 L1 L2 L3 . . . . . S2 S1 S0 |
 *
 * 1. An address is there once. A key that is not 0 is there once.
 * 2. Dropping a peer moves the last of its role to its place.
 * 3. Few peers are searched one by one; many have an index, by address under
 *    a secret so that strangers cannot choose collisions, and by key, which
 *    must be a keyed hash for the same reason.
 * 4. A choice is fair: each peer is in it with the same probability.
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

/*
 * The place of a peer: its number in its role, twice, plus the role. It holds
 * until the next add or drop.
 */
#define BT_PEER_NONE	UINT32_MAX
#define BT_PEERS_MAX	(1u << 30)	/* in one swarm; a place fits 32 bits */

struct bt_peers	*bt_peers_new(uint8_t family);	/* gives; family 4 or 6 */
void	bt_peers_free(struct bt_peers *p);

uint32_t	bt_peers_count(const struct bt_peers *p, enum bt_role role);
enum bt_role	bt_peers_role(uint32_t at);
/* addr is 6 or 18 bytes, secret 16. BT_PEER_NONE if it is not there. */
uint32_t	bt_peers_find(const struct bt_peers *p, const uint8_t *secret,
		    const uint8_t *addr);
uint32_t	bt_peers_find_key(const struct bt_peers *p, uint32_t key);
uint32_t	bt_peers_key(const struct bt_peers *p, uint32_t at);
void	bt_peers_set_key(struct bt_peers *p, uint32_t at, uint32_t key);
void	bt_peers_set_stamp(struct bt_peers *p, uint32_t at, uint8_t stamp);

/* Both may move the block: *p is its place afterwards. */
uint32_t	bt_peers_add(struct bt_peers **p, const uint8_t *secret,
		    enum bt_role role, const uint8_t *addr, uint32_t key,
		    uint8_t stamp);
void	bt_peers_drop(struct bt_peers **p, const uint8_t *secret, uint32_t at);

/*
 * Look at up to *work peers of a role from number *from on, and drop those
 * whose stamp is more than `limit` behind `now` (modulo 256). *work is what is
 * left of it. *from moves on, and is the role's count when the end was reached.
 * Returns how many went.
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
