/*
 * torrent_priv - the inside of a torrent, shared by its parts alone.
 *
 * Each part has its own header and acts on this one struct; nothing outside
 * core/ includes it.
 * Pure.
 *
 * Used by  core/torrent and its parts: roster, greet, inbox, messages, outbox,
 *          requests, pieces, ahead, jobs_out, spoil, harvest, upload, advice,
 *          takeover, effects, manners, crowd
 * Tests    tests/unit/test_torrent*.c
 */
#ifndef BT_CORE_TORRENT_PRIV_H
#define BT_CORE_TORRENT_PRIV_H

#include "core/choker.h"
#include "core/crowd.h"
#include "core/effects.h"
#include "core/peer.h"
#include "core/picker.h"
#include "core/pieces.h"
#include "core/spoil.h"
#include "core/supply.h"
#include "core/torrent.h"

#define BT_TORRENT_SWEEP_US	INT64_C(1000000)	/* O(peers) work */
/* The same when it is due: so much for each peer, up to a tenth of a second. */
#define BT_TORRENT_QUICK_US	INT64_C(100)
#define BT_TORRENT_QUICK_MAX_US	INT64_C(100000)

struct bt_torrent {
	struct bt_torrent_conf conf;
	const struct bt_layout *layout;
	struct bt_picker *picker;
	struct bt_choker choker;
	struct bt_candidates *cands;
	struct bt_effects fx;
	struct bt_pieces pieces;
	struct bt_spoil spoil;
	bool stopped;
	bool broken;		/* the disk failed: nothing more is asked */

	struct bt_bits have, wanted;
	struct bt_bits lost;	/* unreadable: had and not offered; n 0 none */
	struct bt_bits all, none;	/* shared by peers that have so */
	uint32_t missing;	/* pieces wanted and not had */
	uint32_t horizon;	/* no piece at or beyond it is begun */
	bool in_order;		/* sequential: a window follows what is had */
	uint32_t *file_left;	/* pieces still missing, for each file */
	uint64_t size_wanted, size_have, size_had;	/* had: wanted or not */

	/* connections: by index; a free index waits in a stack */
	struct bt_peer **peers;
	uint32_t *gens, *vacant;
	uint32_t npeers, cap, nvacant;	/* npeers: indices ever used */
	uint32_t live, dialling, ready;
	struct bt_crowd crowd;	/* the address with the most, when looked */
	int64_t crowd_until;	/* no new look before */
	uint32_t take_from;	/* where core/takeover looked last */
	uint32_t owed;		/* requests that are out and not freed */
	struct bt_bucket ask;	/* bytes that may be asked for */
	uint32_t ask_next;	/* whose turn it is to be asked */
	uint32_t *hungry;	/* those who were denied memory, in order */
	uint32_t nhungry;
	uint32_t *dead;		/* indices to be freed after this step */
	uint32_t ndead;

	uint64_t lent_slot;	/* of the last _rx_space, until the next call */

	/* time */
	int64_t next_sweep;	/* O(peers) housekeeping */
	int64_t last_quick;	/* when refill and choke ran last */
	bool rivals_stale;	/* who downloads beside us has changed */
	int64_t refill_at;	/* somebody may have room and blocks to ask */
	struct bt_supply *supply;	/* core/advice's; NULL: not counted */
	bool choke_due;		/* an upload slot may be filled */
	int64_t next_choke;
	int64_t announce_after;
	int64_t anew_after;	/* no peer is dialled anew before */
	uint32_t unchoked;	/* peers that we do not choke */
	uint32_t served;	/* of those: interested and not idle, about */
	uint32_t waiting;	/* interested peers that we choke */

	uint64_t down, up, wasted;	/* payload bytes */
	uint64_t harvested;	/* of down: in pieces that were right */
	struct bt_meter down_meter, up_meter;
};

static inline bool
bt_torrent_wants(const struct bt_torrent *t, uint32_t piece)
{
	return bt_bits_has(&t->wanted, piece) && !bt_bits_has(&t->have, piece);
}

/* What a peer has, as a set. */
static inline const struct bt_bits *
bt_torrent_peer_have(const struct bt_torrent *t, const struct bt_peer *p)
{
	if (p->own.p != NULL)
		return &p->own;
	return p->has_all ? &t->all : &t->none;
}

#endif
