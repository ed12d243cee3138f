/*
 * choker - whom to upload to.
 *
 * The rules
 * 1. Only interested peers that need something of us are candidates.
 * 2. Leeching: the best by what they gave us over the last 20 s are unchoked,
 *    all slots but one; that one is optimistic and rotates each 30 s, peers
 *    that are new being three times as likely.
 * 3. Seeding: slots go round: a peer that has had its quantum (16 MiB or 30 s)
 *    goes to the end of the line when others wait; the fastest takers first
 *    among equals.
 * 4. A peer that snubs us gets nothing but the optimistic slot.
 * 5. A change of the set happens each 10 s, and at once when a slot is free.
 * 6. With slots 0 the number follows the link: it grows while the upload has
 *    room, doubling each second on a fast one, and shrinks when the slots starve
 *    each other. It begins low: a piece that is given to few is whole sooner,
 *    and they give it on.
 * 7. Who is unchoked and asks for nothing keeps that and takes no slot, nor does
 *    it wait for one: it has what it can use, and the link is for others
 *    meanwhile. As many as there are slots, at most.
 * Pure: a function of its input rows and its own small state.
 *
 * Speaks   BEP 3 (choking)
 * Used by  core/torrent
 * Tests    tests/unit/test_choker.c
 */
#ifndef BT_CORE_CHOKER_H
#define BT_CORE_CHOKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define BT_CHOKE_PERIOD_US	INT64_C(10000000)
#define BT_CHOKE_OPTIMISTIC_US	INT64_C(30000000)
#define BT_CHOKE_SLOTS_MIN	3u
#define BT_CHOKE_SLOTS_AUTO	3u	/* where automatic slots begin */
#define BT_CHOKE_IDLE_US	INT64_C(1000000)	/* rule 7 */
#define BT_CHOKE_SLOTS_MAX	1024u

struct bt_choker {
	unsigned slots;		/* fixed, or 0 */
	unsigned slots_now;	/* in force */
	uint32_t optimistic;	/* id, or UINT32_MAX */
	int64_t optimistic_since;
	int64_t round_at;	/* of the last round of rule 5 */
	uint64_t last_up_bps;
	bool grew;		/* in the last round: slots are being tried */
	struct bt_rng rng;
};

/* A row for each connected peer; the choker sets unchoke. */
struct bt_choke_row {
	uint32_t id;
	bool interested;	/* it is interested in us */
	bool unchoked;		/* it is unchoked now */
	bool snubbing;		/* it owes us blocks and sends none */
	bool idle;		/* unchoked, and asks for nothing */
	bool dead_weight;	/* needs nothing of us (a seed, upload only) */
	uint64_t down_bps;	/* what it gives us */
	uint64_t up_bps;	/* what it takes */
	uint64_t up_since;	/* bytes sent since it was unchoked */
	int64_t unchoked_at;	/* when it was last unchoked; 0 never */
	int64_t connected_at;
	bool unchoke;		/* out: the verdict */
};

void	bt_choker_init(struct bt_choker *c, unsigned slots, uint64_t seed);
/*
 * Decide, at any time: a call less than a period after the last round fills
 * free slots and takes none from a candidate. seeding: we need nothing. up_bps:
 * what all slots take together; up_limit_bps: the limit on it, 0 for none.
 * O(n log n).
 */
void	bt_choker_run(struct bt_choker *c, struct bt_choke_row *rows, size_t n,
	    bool seeding, uint64_t up_bps, uint64_t up_limit_bps, int64_t now);
/* Each second while somebody waits: true if there are more slots at once. */
bool	bt_choker_grow(struct bt_choker *c, size_t unchoked, uint64_t up_bps,
	    uint64_t up_limit_bps);

#endif
