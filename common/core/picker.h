/*
 * picker - which block to ask of whom.
 *
 * The rules
 * 1. Started pieces first, the peer's own before others', the one nearest to
 *    whole first, of those the peer has; so that pieces become whole, can be
 *    checked and shared. But a peer that has a piece to begin that is rarer
 *    than another's started one begins it: a seed is not asked for what others
 *    can give. (Not before BT_PICK_RANDOM pieces are had.) Its own are those
 *    begun for it, until it gives up all of one without having given any.
 * 2. The first BT_PICK_RANDOM pieces are random (BEP 3), so that there is soon
 *    something to trade; from then on the rarest first, ties broken at random.
 * 3. Sequential order on request, within a window that the caller moves.
 * 4. A block is asked of one peer at a time until endgame.
 * 5. Endgame begins when every wanted block is asked or held (but of exclusive
 *    pieces); then a block may be asked of a second peer (at most
 *    BT_PICK_DUP_MAX), those asked fewest times first, never twice of the same.
 * 6. A pick costs O(1) amortised in the number of pieces: pieces lie in an
 *    array ordered by availability with bucket bounds; a change of availability
 *    by one is one swap. Past 1024 rarer ones that the peer lacks, it gets the
 *    rarest of 256 that it has.
 * 7. A peer that is all alone on a piece on parole (rule of torrent.h) gets all
 *    of it: an exclusive piece is given only to its owner.
 * 8. Of equally rare pieces, those that none of the rivals (the downloaders we
 *    are connected to) has a better claim to; the claim is a hash of the peer
 *    id and the piece. Rivals that reckon alike so ask a seed for different
 *    pieces, and it need not send one twice.
 * Pure.
 *
 * Speaks   BEP 3 (piece selection)
 * Used by  core/torrent
 * Tests    tests/unit/test_picker.c, test_picker_order.c; tests/sim checks
 *          bt_picker_check()
 */
#ifndef BT_CORE_PICKER_H
#define BT_CORE_PICKER_H

#include "base/bits.h"
#include "base/rng.h"
#include "core/layout.h"

#define BT_PICK_RANDOM	4u
#define BT_PICK_DUP_MAX	3u
#define BT_PICK_NOBODY	UINT32_MAX

struct bt_picker;

struct bt_pick {
	uint32_t piece, block;
};

/* gives; borrows the layout. Nothing is had or wanted at first. */
struct bt_picker	*bt_picker_new(const struct bt_layout *l, uint64_t seed);
void	bt_picker_free(struct bt_picker *p);

/* What we want (not wanted pieces are never picked), and in what order. */
void	bt_picker_want(struct bt_picker *p, uint32_t piece, bool wanted);
/* window: pieces from the first missing one; 0 turns sequential order off */
void	bt_picker_sequential(struct bt_picker *p, uint32_t window);
/* No piece at or beyond limit is begun; at first there is no limit. */
void	bt_picker_horizon(struct bt_picker *p, uint32_t limit);

/* A peer came, went, or told of a piece. bits of n = pieces. */
void	bt_picker_peer_bits(struct bt_picker *p, const struct bt_bits *have,
	    int by);	/* +1 or -1; full sets cost O(1) */
void	bt_picker_peer_have(struct bt_picker *p, uint32_t piece, int by);

/* Rule 8: our own id and theirs, any numbers that all sides know alike. */
void	bt_picker_rivals(struct bt_picker *p, uint64_t self,
	    const uint64_t *ids, uint32_t n);

/*
 * The next block to ask of peer `who` (a small number, stable while it is
 * connected) that has `have`. With may_start false only pieces already begun
 * are given. only: a set of pieces to choose from, or NULL (allowed fast).
 * dup says if the block is already asked of another (endgame). The pick is
 * recorded as asked of who.
 */
bool	bt_picker_pick(struct bt_picker *p, uint32_t who,
	    const struct bt_bits *have, const struct bt_bits *only,
	    bool may_start, struct bt_pick *out, bool *dup);
/*
 * Begin exactly this piece if it may be begun: as who's own (rule 1), or, for
 * BT_PICK_NOBODY, to be asked for next of whoever has it.
 */
bool	bt_picker_start(struct bt_picker *p, uint32_t piece, uint32_t who);
/* Is there a block to ask for of a piece that was begun for who? */
bool	bt_picker_has_own(const struct bt_picker *p, uint32_t who,
	    const struct bt_bits *have);

/* The request did not or will not bring it: choke, reject, time-out, close. */
void	bt_picker_release(struct bt_picker *p, uint32_t who,
	    struct bt_pick b);
/*
 * The block is held now. Returns true if that was news. others receives who
 * else is asked for it (at most max), so that they can be sent cancels.
 */
bool	bt_picker_got(struct bt_picker *p, uint32_t who, struct bt_pick b,
	    uint32_t *others, uint32_t max, uint32_t *nothers);
/* Can this peer still be asked anything: is there a wanted, missing piece? */
bool	bt_picker_is_useful(const struct bt_picker *p,
	    const struct bt_bits *have);

/* All blocks of piece are held (its fate is not yet known)? */
bool	bt_picker_is_whole(const struct bt_picker *p, uint32_t piece);
bool	bt_picker_is_begun(const struct bt_picker *p, uint32_t piece);
/* Verified: it is had for good. Or it failed: all its blocks are missing. */
void	bt_picker_done(struct bt_picker *p, uint32_t piece);
void	bt_picker_failed(struct bt_picker *p, uint32_t piece);
/* A begun piece is ours alone for `who` (BT_PICK_NOBODY lifts it). */
void	bt_picker_exclusive(struct bt_picker *p, uint32_t piece, uint32_t who);

uint32_t	bt_picker_begun(const struct bt_picker *p);	/* pieces */
uint32_t	bt_picker_availability(const struct bt_picker *p, uint32_t piece);
bool	bt_picker_is_endgame(const struct bt_picker *p);
/* All invariants, O(everything): for tests and the simulator. */
bool	bt_picker_check(const struct bt_picker *p);

#endif
