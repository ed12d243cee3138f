/*
 * game - one torrent among scripted peers, and what is checked of it.
 *
 * The peers, the sockets, the disk and the clock around a torrent's core, and
 * what it says, held against them after each step:
 *  1. a slot is opened once and never named after its close;
 *  2. what it sends is well formed, and of content that it has; it claims no
 *     piece that it lacks and asks for none that it has;
 *  3. a piece, a file and the whole are told when they are on the disk, once;
 *  4. memory keeps its ceiling;
 *  5. who said nothing of its own making is not banned;
 *  6. time asks to be called later, not again and again.
 *
 * Used by  tests/fuzz/fuzz_torrent.c, which says what happens
 */
#ifndef BT_TESTS_GAME_H
#define BT_TESTS_GAME_H

#include "base/buf.h"
#include "base/rd.h"
#include "core/torrent.h"

#define GAME_PEERS	16u	/* at once; the torrent allows fewer */
#define GAME_ASKS	64u	/* of one peer that are remembered */
#define GAME_JOBS	64u	/* out at once */
#define GAME_FILES	4u
#define GAME_PIECES	17u	/* at most */

struct ask {
	uint32_t piece, begin, length;
};

struct peer {
	uint64_t slot;		/* 0: nobody */
	unsigned addr;
	bool dialling, is_shaken;
	struct ask asks[GAME_ASKS];
	unsigned nasks;
	struct bt_buf out;	/* what came and is no whole message yet */
	/* bytes to it but those of blocks: came, in whole messages, and */
	uint64_t came, heard;
	uint64_t until[GAME_PIECES];	/* were said when a piece was had */
};

struct game {
	struct bt_torrent *t;
	const struct bt_layout *layout;
	const uint8_t *bytes;	/* the content */
	size_t memory;		/* the ceiling; 0: the default */
	uint8_t *disk;
	struct bt_bits had;	/* pieces right on the disk */
	int64_t now;
	struct peer peers[GAME_PEERS];
	struct bt_effect jobs[GAME_JOBS];
	unsigned njobs;
	bool dirty[256];	/* addresses that may have lied */
	bool disk_failed, stopped;
	bool done, told[GAME_FILES];	/* said, or so from the beginning on */
};

struct bt_addr	game_address(unsigned i);
/* b: which content, what of it is on the disk, and the settings. */
void	game_begin(struct game *g, uint8_t b);
/* The torrent stops; what must be true then. Frees all but g. */
void	game_end(struct game *g);
/* gives a place in g for a peer of that slot. */
struct peer	*game_open(struct game *g, uint64_t slot, unsigned addr,
	    bool dialling);
/* Until nothing more is wanted at this moment. */
void	game_step(struct game *g);
/* The socket takes at most n bytes of what is to be sent. */
void	game_take(struct game *g, struct peer *p, size_t n);
/* Do the job numbered i, or fail it; or all, one after the other. */
void	game_end_job(struct game *g, unsigned i, bool fail);
void	game_end_jobs(struct game *g);

#endif
