/*
 * spoil - who spoiled a piece.
 *
 * The rules
 * 1. A piece that failed with one giver: the giver is banned at once.
 * 2. With several, who gave each block and the blocks' digests are kept, and
 *    the piece is next asked of one peer alone, its owner: of those that may
 *    give it the one that gave us most; if none ever gave, the first that asks.
 *    When the owner chokes, stalls or goes, the next one owns it; once it has
 *    given some of it, all may give the rest.
 * 3. When the piece is right, whoever gave a block that differs is banned.
 * 4. At most BT_SPOIL_MAX records and BT_SPOIL_BYTES are kept, the oldest goes.
 * 5. What a banned peer gave of other pieces stays: if it is bad too, those
 *    pieces fail and the same rules find out.
 * Pure.
 *
 * Used by  core/pieces, core/requests
 * Tests    tests/unit/test_torrent_spoil.c
 */
#ifndef BT_CORE_SPOIL_H
#define BT_CORE_SPOIL_H

#include "base/addr.h"

#define BT_SPOIL_MAX	64u
#define BT_SPOIL_BYTES	(1u << 20)

struct bt_torrent;
struct bt_peer;
struct bt_piece;

struct bt_spoil_record {
	uint32_t piece, nblocks;
	bool waiting;		/* for a peer that is asked alone */
	uint64_t *digests;
	uint32_t *giver;	/* of each block, in givers */
	struct bt_addr *givers;
	uint32_t ngivers;
};

struct bt_spoil {
	struct bt_spoil_record *rec;	/* oldest first; NULL: none yet */
	uint32_t n;
	uint32_t waiting;	/* records that wait */
	size_t bytes;
};

void	bt_spoil_fini(struct bt_spoil *s);
/* Is there a record of it, so that its digests are needed? */
bool	bt_spoil_has(const struct bt_spoil *s, uint32_t piece);
/* The piece's hash is wrong; digests may be NULL. */
void	bt_spoil_on_bad(struct bt_torrent *t, const struct bt_piece *pc,
	    const uint64_t *digests, int64_t now);
/* It is to be had anew: find its owner. */
void	bt_spoil_assign(struct bt_torrent *t, uint32_t piece, int64_t now);
/* The piece is right; digests may be NULL. Its records go. */
void	bt_spoil_on_good(struct bt_torrent *t, uint32_t piece,
	    const uint64_t *digests, int64_t now);
/* p is about to be asked: make it the owner of a piece that waits for one. */
void	bt_spoil_offer(struct bt_torrent *t, struct bt_peer *p, int64_t now);
/* p gives no more: what it owned is open to all. */
void	bt_spoil_disown(struct bt_torrent *t, const struct bt_peer *p);

#endif
