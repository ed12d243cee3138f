/*
 * store - who is in which swarm: one shard of what the tracker knows.
 *
 * The rules:
 *  1. A peer is a family, an address and a port, and is in a swarm once.
 *  2. The counts are exact: how many there are with nothing left, and others.
 *  3. `stopped` removes the peer; it is told of nobody, and makes no swarm.
 *  4. Who announces the same peer id and key from another address of the same
 *     family has moved: the old address goes. A key of 0 is no key.
 *  5. Only the address itself or the keyed peer can remove a peer.
 *  6. Two programs behind one address may say the same port. One that has
 *     another key, something left and does not say `started` does not undo a
 *     seeder that is there: it is told of it, and is not kept itself.
 *  7. Seeders are told of leechers only, and nobody is told of itself.
 *  8. A choice is fair and mixed: leechers and seeders as they are in the
 *     swarm, each with equal probability. The asker's family comes first and
 *     what is left of its wish goes to the other one, if it takes both.
 *  9. `completed` counts once for a peer that was there as a leecher.
 * 10. Who does not announce for `expire` goes within a fifth more: the sweep
 *     looks at a few peers at a time. An empty swarm that was ever completed
 *     is remembered as long.
 * 11. Beyond the limits nothing new is taken in, and nothing changes. To make
 *     room the swarm that was announced longest ago goes, exactly, and never
 *     the one that room is made for.
 * 12. BEP 21: `paused` is said anew in each announce. One who has something
 *     left and says it is no downloader.
 * Pure: the caller gives time and randomness, and holds the shard's lock.
 *
 * Used by  bt-tracker/service.c
 * Tests    tests/unit/test_tracker_store.c
 */
#ifndef BT_TRACKER_STORE_H
#define BT_TRACKER_STORE_H

#include <stdatomic.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/rng.h"
#include "codec/announce.h"
#include "codec/scrape.h"

#define BT_STORE_SWARMS_DEFAULT	1000000u
#define BT_STORE_BYTES_DEFAULT	(512u << 20)	/* some 20 million peers */
#define BT_STORE_SWARMS_MAX	100000000u	/* numbers are 32 bits */

/* One for all shards of a tracker; they count in it. */
struct bt_store_limits {
	uint32_t swarms_max;
	uint64_t bytes_max;
	_Atomic uint32_t swarms, peers;	/* how many there are */
	_Atomic uint64_t bytes;		/* what they take */
};

struct bt_store_ask {
	uint8_t info_hash[20];
	uint8_t peer_id[20];
	uint32_t key;		/* 0: none */
	struct bt_addr peer;	/* where it listens */
	enum bt_event event;
	bool seeder;		/* it has nothing left to get */
	bool both;		/* it takes peers of the other family too */
	uint32_t want;		/* peers at most, of both families together */
};

struct bt_store_answer {
	uint32_t complete, incomplete, downloaded;	/* the asker included */
	uint32_t downloaders;	/* of the incomplete: BEP 21 */
	bool outdone;		/* rule 6: it is not kept */
	uint32_t n[2];		/* peers written: IPv4, IPv6 */
	uint8_t *peers[2];	/* the caller's room for want * 6, want * 18 */
};

struct bt_store;

/*
 * gives; borrows limits, which outlives it. Both secrets are 16 random bytes:
 * for its tables, and for keys, which must stay the same where saved swarms are
 * to be taken in.
 */
struct bt_store	*bt_store_new(uint64_t expire_ms,
		    struct bt_store_limits *limits, const uint8_t *secret,
		    const uint8_t *key_secret);
void	bt_store_free(struct bt_store *s);

/*
 * BT_ELIMIT where rule 11 refuses. 0 or -1. The clock never goes back: of the
 * times that several callers read, the latest counts.
 */
int	bt_store_announce(struct bt_store *s, const struct bt_store_ask *ask,
	    uint64_t now_ms, struct bt_rng *rng, struct bt_store_answer *answer,
	    struct bt_err *err);
struct bt_swarms_ahead;	/* what an announce will read, on its way */
void	bt_store_fetch(const struct bt_store *s, struct bt_swarms_ahead *a);
/* Fill in the counts of row->info_hash: zeros for a swarm that is not there. */
void	bt_store_scrape(struct bt_store *s, struct bt_scrape_row *row);
/* Add how many peers there are, by family (IPv4, IPv6): leechers, seeders. */
void	bt_store_peers(const struct bt_store *s, uint64_t of[2][2]);
/*
 * Counts of up to n swarms, from the last down: *left begins as UINT32_MAX and
 * is how many are left; those that stay are met. Returns how many rows.
 */
size_t	bt_store_look(struct bt_store *s, uint32_t *left,
	    struct bt_scrape_row *rows, size_t n);
/*
 * Drop some of what is too old. The work is in proportion to the time since
 * the last call, so any rhythm does: several calls a second are cheap, and a
 * call is due at least each tenth of `expire`. Returns how many peers went.
 */
uint32_t	bt_store_sweep(struct bt_store *s, uint64_t now_ms);

/* Is there room for one peer more of a swarm when all other swarms are gone? */
bool	bt_store_may_grow(const struct bt_store *s, const uint8_t info_hash[20],
	    uint8_t family);
/*
 * Rule 11: *touched is when the oldest swarm was last announced, by a clock
 * that all shards share. False when there is none.
 */
bool	bt_store_oldest(struct bt_store *s, uint64_t *touched);
/* Drop the oldest swarm from before then; never `keep`. False: there is none. */
bool	bt_store_evict(struct bt_store *s, const uint8_t *keep,
	    uint64_t before);

/* Do rules 1 and 2 hold in each swarm, and the tables? For tests. */
bool	bt_store_check(const struct bt_store *s);
/* In this shard; bytes by a recount. */
uint32_t	bt_store_swarms(const struct bt_store *s);
uint64_t	bt_store_bytes(const struct bt_store *s);

#endif
