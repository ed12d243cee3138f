/*
 * pieces - the pieces that are begun: their buffers, the ceiling, their jobs.
 *
 * The rules
 * 1. A begun piece reserves a buffer of its size; no piece is begun that the
 *    ceiling cannot hold, and beyond half of it (or four pieces) only for a
 *    peer that owes fewer than BT_ASK_FLOOR blocks: who is busy anyway leaves
 *    the rest to who would be idle. Memory is touched where blocks arrive.
 * 2. No piece is begun while the bytes being hashed and written exceed a
 *    quarter of the ceiling, or the larger of four pieces and 8 MiB; and these
 *    together with what is asked of all peers stay below 3/8 of the ceiling (or
 *    BT_PIECES_FLOW_MIN), but for BT_ASK_FLOOR blocks a peer. So memory follows
 *    what disk and hash keep up with, however many fast peers there are.
 * 3. If two pieces exceed the ceiling all are spilled: each block gets a
 *    buffer of its own, reserved when it is asked, is written when it is whole,
 *    and the piece is hashed by reading back. BT_PIECES_LOOSE_MIN bytes of such
 *    blocks are had whatever the ceiling, so that no ceiling stops a download.
 * 4. If peers wait for memory, the coldest piece that got no block for 10 s and
 *    is asked of nobody is written out as it is and goes on spilled.
 * 5. Freed buffers are kept for the next pieces, few of them.
 * 6. A place in a buffer is written for one peer at a time and only while its
 *    block is not held; any other copy of the block is a stray.
 * Pure.
 *
 * Used by  core/inbox, core/requests, core/torrent
 * Tests    tests/unit/test_torrent_memory.c, test_torrent_slicing.c
 */
#ifndef BT_CORE_PIECES_H
#define BT_CORE_PIECES_H

#include "base/addr.h"
#include "core/picker.h"
#include "core/jobs_out.h"

#define BT_PIECES_BACKLOG	(8u << 20)	/* rule 2; or four pieces */
#define BT_PIECES_FLOW_MIN	(4u << 20)	/* rule 2 */
#define BT_PIECES_LOOSE_MIN	(256u << 10)	/* rule 3 */
#define BT_PIECES_COLD_US	INT64_C(10000000)	/* rule 4 */
#define BT_PIECES_KEPT	(16u << 20)	/* rule 5: bytes, or two buffers */

struct bt_torrent;
struct bt_peer;

enum bt_piece_state { BT_PIECE_FILLING, BT_PIECE_STORING, BT_PIECE_VERIFYING };

struct bt_piece {
	uint32_t index, at;	/* at: its place in the list */
	uint32_t size, nblocks;
	enum bt_piece_state state;
	bool spilled;		/* blocks go to disk one by one */
	bool was_buffered;	/* spilled, and its buffer is being written */
	uint8_t *buf;		/* NULL until the first block, or if spilled */
	uint32_t held, asked;	/* blocks; asked: requests not freed */
	uint32_t writes;	/* WRITE jobs that are out */
	uint32_t owner;		/* on parole: the only one to give, or NOBODY */
	int64_t last_at;	/* when it was begun or last got a block */
	struct bt_addr *givers;	/* who gave blocks, each once */
	uint32_t ngivers;
	struct bt_piece_block {
		uint32_t giver;		/* of givers, when held */
		uint32_t writer;	/* peer that fills its place, or NOBODY */
		bool held;
		int64_t asked_at;	/* last */
	} blocks[];
};

struct bt_pieces {
	size_t ceiling;		/* bytes */
	size_t buf_size;	/* of every piece buffer */
	size_t reserved;	/* buffers of begun pieces and of spilled blocks */
	size_t loose;		/* of that: spilled blocks */
	size_t in_use;		/* allocated now, kept ones included */
	size_t busy;		/* bytes in jobs */
	bool spill_all;		/* rule 3 */
	int64_t starved_since;	/* peers wait for memory; 0: they do not */
	struct bt_piece **by_index;	/* NULL until the first is begun */
	struct bt_piece **list;
	uint32_t n, cap;
	uint32_t nspilled, owned;	/* of n */
	uint8_t **kept;		/* buffers for reuse; NULL: none was yet */
	uint32_t nkept, kept_max;
	struct bt_job_out *jobs;
	uint32_t njobs, jobs_out;	/* njobs: entries */
};

void	bt_pieces_init(struct bt_torrent *t);
void	bt_pieces_fini(struct bt_torrent *t);
struct bt_piece	*bt_pieces_find(const struct bt_torrent *t, uint32_t index);
/* May a new piece be begun, for a peer that is idle or one that is not? */
bool	bt_pieces_may_begin(const struct bt_torrent *t, bool idle);
/* May a peer be asked for more than the least? Rule 2. */
bool	bt_pieces_may_flow(const struct bt_torrent *t);
/* A peer has room and what we want, and may_begin says no. */
void	bt_pieces_on_starved(struct bt_torrent *t, int64_t now);
void	bt_pieces_begin(struct bt_torrent *t, uint32_t index, int64_t now);
/* Only `who` may give it; NOBODY: all may. */
void	bt_pieces_own(struct bt_torrent *t, struct bt_piece *pc, uint32_t who);
/* The picker gave a block to be asked: false if its memory cannot be had. */
bool	bt_pieces_on_asked(struct bt_torrent *t, struct bt_pick b, int64_t now);
void	bt_pieces_on_unasked(struct bt_torrent *t, struct bt_pick b);
/* A block begins to arrive that was asked of p: sets p's rx_to and stray. */
void	bt_pieces_open(struct bt_torrent *t, struct bt_peer *p);
/* Where its next bytes go, or NULL for nowhere. */
uint8_t	*bt_pieces_place(const struct bt_torrent *t, const struct bt_peer *p);
/*
 * The place of a block asked of p that has not begun to arrive, or NULL. *fresh
 * is set if the piece got a kept buffer for it: _unlend takes that back if no
 * block began to arrive after all.
 */
uint8_t	*bt_pieces_lend(struct bt_torrent *t, const struct bt_peer *p,
	    struct bt_pick b, bool *fresh);
void	bt_pieces_unlend(struct bt_torrent *t, uint32_t index);
/* It is whole. True if it was news: it is held now, and what follows began. */
bool	bt_pieces_close(struct bt_torrent *t, struct bt_peer *p, int64_t now);
/* It will not become whole: the peer dies, or another brought it first. */
void	bt_pieces_abandon(struct bt_torrent *t, struct bt_peer *p);
/* For core/jobs_out: a write ended; a block's buffer, a piece, is done with. */
void	bt_pieces_on_written(struct bt_torrent *t, struct bt_piece *pc);
void	bt_pieces_give_block(struct bt_torrent *t, uint8_t *block);
void	bt_pieces_end(struct bt_torrent *t, struct bt_piece *pc);
/* Rule 4, from time to time. */
void	bt_pieces_sweep(struct bt_torrent *t, int64_t now);
bool	bt_pieces_check(const struct bt_torrent *t);

#endif
