/*
 * tap - listens to an honest host's connections and holds it to the rules.
 *
 * It sees only bytes and times, both ways, and reads them with codec/wire:
 *  1. no block is asked twice of one peer at the same time;
 *  2. none is asked of two before endgame, unless the first has owed it for
 *     long, chokes, or was told to leave it;
 *  3. nothing is asked of a choker but allowed fast pieces, nor of a peer that
 *     lacks the piece, nor what is had;
 *  4. a piece is announced only when it is verified and on disk;
 *  5. a block is sent only to who asked for it, once for each request;
 *  6. payload bytes are counted once (sim_shell compares).
 */
#ifndef SIM_TAP_H
#define SIM_TAP_H

#include "base/buf.h"
#include "net.h"
#include "reader.h"

#define SIM_TAP_FAST_MAX 64u

struct sim_ask {
	uint32_t piece, begin, length;
	int64_t at;
	bool cancelled, was_held;
	bool stale;		/* it may be forgotten: not to be relied on */
};

struct sim_asks {
	struct sim_ask *a;
	unsigned n, cap;
};

struct sim_tap {
	struct sim_reader in, out;
	uint64_t slot;		/* the core's, 0 none */
	bool told;		/* the core has something to send */
	bool accepted;		/* not dialled */
	struct bt_buf hello;	/* of a stranger */
	bool fast;		/* both speak BEP 6 */
	bool choking, am_choking;	/* it, and we as we said */
	bool flooded;		/* it asked more than is remembered */
	bool is_bad;		/* it sent what is no message */
	int64_t choked_at, paid_at;	/* its last payload */
	struct sim_asks ours, theirs;
	struct bt_bits has;
	uint32_t allowed[SIM_TAP_FAST_MAX];
	unsigned nallowed;
};

/* What the taps of one host know together. */
struct sim_ledger {
	uint8_t *asked;		/* of each block: of how many */
	struct bt_bits held;	/* blocks */
	struct bt_bits doubted;	/* pieces that failed: out of rule 2 */
	uint32_t nfree;		/* wanted blocks neither held nor asked */
	bool was_endgame;	/* nfree was 0 at the end of the last step */
	uint32_t dup_piece, dup_block;	/* asked twice in this step, */
	struct sim_end *dup_end;	/* the second time of this one */
	bool dup;
	uint64_t down;		/* payload bytes whose block ended */
};

struct sim_tap	*sim_tap_new(struct sim_end *e);
void	sim_tap_free(struct sim_tap *tap);
/* The connection ends. */
void	sim_tap_end(struct sim_end *e);
/* Bytes are about to be given to the core: returns how many may be now. */
size_t	sim_tap_in(struct sim_end *e, struct bt_str in);
/* Control bytes leave the core; a block does. */
void	sim_tap_out(struct sim_end *e, struct bt_str out);
void	sim_tap_block(struct sim_end *e, uint32_t piece, uint32_t begin,
	    uint32_t length);

/* Blocks of a piece: none is held any more. */
void	sim_tap_lost(struct sim_host *h, uint32_t piece);
/* A piece is verified. */
void	sim_tap_verified(struct sim_host *h, uint32_t piece);
/* A step of the core has ended and all that it says was heard. */
void	sim_tap_step(struct sim_host *h);
void	sim_tap_open(struct sim_host *h);	/* a ledger, as h->shell says */
void	sim_tap_shut(struct sim_host *h);

#endif
