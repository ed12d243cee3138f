/*
 * torrent_io - what passes between a torrent and whoever runs it.
 *
 * Messages only: effects, disk jobs and results, what to send, figures.
 * Pure.
 *
 * Used by  core/torrent, net/client, tests/sim
 * Tests    tests/unit/test_torrent*.c
 */
#ifndef BT_CORE_TORRENT_IO_H
#define BT_CORE_TORRENT_IO_H

#include "base/addr.h"
#include "base/str.h"

enum bt_effect_kind {
	BT_FX_CONNECT,	/* dial addr for slot, then _on_connected or _on_closed */
	BT_FX_CLOSE,	/* close the slot's socket if there is one; why */
	BT_FX_SEND,	/* slot has something new to send: ask _tx */
	BT_FX_STORE,	/* job: hash data; write it if it is right */
	BT_FX_WRITE,	/* job: write data, no hash */
	BT_FX_VERIFY,	/* job: read the piece back and hash it */
	BT_FX_PEER,	/* slot shook hands; addr */
	BT_FX_PIECE,	/* index is verified and on disk */
	BT_FX_FILE,	/* every piece of file index is; no empty or padding */
	BT_FX_DONE,	/* every wanted piece is; once, if one was missing */
	BT_FX_BAN,	/* addr spoiled a piece and is banned; why */
	BT_FX_ANNOUNCE	/* nobody is left to dial and peers are few */
};

struct bt_disk_job {
	uint32_t id;		/* to be named in the result */
	uint32_t piece;
	uint32_t begin, length;	/* bytes in the piece; STORE and VERIFY: all */
	const uint8_t *data;	/* STORE, WRITE: stays until the result */
	bool digests;		/* say the blocks' digests even if it is right */
};

enum bt_disk_status {
	BT_DISK_OK,		/* written (STORE, WRITE), right (STORE, VERIFY) */
	BT_DISK_MISMATCH,	/* the hash differs; nothing was written */
	BT_DISK_ERROR		/* the disk failed; the shell tells the user */
};

struct bt_disk_result {
	uint32_t id;
	enum bt_disk_status status;
	/*
	 * First 8 bytes of each block's SHA-1, in order; given on a mismatch
	 * and where the job asked for it, else NULL. Borrowed for the call.
	 */
	const uint64_t *digests;
};

struct bt_effect {
	enum bt_effect_kind kind;
	uint64_t slot;
	struct bt_addr addr;
	uint32_t index;
	const char *why;	/* a sentence; never NULL for CLOSE and BAN */
	struct bt_disk_job job;
};

struct bt_place {		/* where bytes may be put */
	uint8_t *p;
	size_t n;
};

#define BT_TX_HEADER 13u	/* bytes before a block: BEP 3's piece message */

#define BT_LEND_AHEAD	16u	/* blocks foreseen: 256 KiB */
#define BT_LEND_PLACES	(2 * BT_LEND_AHEAD + 2)	/* and a rest, and scratch */

/* Where a peer's next bytes go, in this order: places[0 .. n - 1]. */
struct bt_lend {
	struct bt_place places[BT_LEND_PLACES];
	unsigned n;		/* 0: nothing is received for this slot */
	/* the core's own */
	enum bt_lend_kind { BT_LEND_BLOCK, BT_LEND_HEAD, BT_LEND_SCRATCH }
		kinds[BT_LEND_PLACES];
	unsigned nahead;	/* blocks whose heads are not here yet, */
	uint32_t pieces[BT_LEND_AHEAD];	/* of these pieces, */
	bool fresh[BT_LEND_AHEAD];	/* which had no buffer before */
	uint8_t heads[BT_LEND_AHEAD][BT_TX_HEADER];
};

#define BT_TX_BLOCKS_MAX 16u	/* a batch: 256 KiB and headers */

/*
 * In the order of sending: if the first block's skip > 0, the rest of it; then
 * head; then the other blocks. Each block goes with its 13-byte header.
 */
struct bt_tx {
	struct bt_str head;	/* whole control messages, or their rest */
	unsigned nblocks;
	struct bt_tx_block {
		uint32_t piece, begin, length;
		uint32_t skip;	/* bytes of header and block that went before */
	} blocks[BT_TX_BLOCKS_MAX];
};

struct bt_torrent_stats {
	uint64_t size_wanted;	/* bytes of wanted pieces, had or not */
	uint64_t size_have;	/* bytes of wanted pieces that are verified */
	uint64_t size_left;	/* bytes not verified, wanted or not (announce) */
	uint64_t down, up;	/* payload bytes of this run */
	uint64_t wasted;	/* payload that came twice, unasked or spoiled */
	uint64_t down_bps, up_bps;
	uint32_t peers, seeds;	/* connected and shaken hands */
	uint32_t choking, late;	/* of peers we want of: they choke us, or owe */
	uint32_t dialable;	/* known and not connected */
	uint32_t pieces_have;
	uint32_t jobs;		/* disk jobs that are out */
	size_t memory;		/* bytes of piece buffers now */
	bool is_done;		/* nothing wanted is missing */
};

struct bt_peer_info {
	uint64_t slot;
	struct bt_addr addr;
	uint8_t peer_id[20];
	struct bt_str client;	/* BEP 10's v, or empty */
	uint64_t down, up;	/* payload bytes */
	uint64_t down_bps, up_bps;
	uint32_t pieces;	/* that it has */
	bool outgoing, am_choking, am_interested, is_choking, is_interested;
};

#endif
