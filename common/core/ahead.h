/*
 * ahead - where the bytes that a peer sends next will land.
 *
 * The rules
 * 1. The rest of the block that is coming in goes to its own place. Then room
 *    for a head and the place of the next block, and so on, in the order in
 *    which blocks were asked of the peer; at last scratch. So one large receive
 *    fills many blocks where they belong.
 * 2. A place is lent only for a block that is not held and that nobody fills,
 *    in a buffer that is there or kept: lending reserves no memory.
 * 3. Where a head says something else than was foreseen, the bytes behind it
 *    are gathered and read as any others; whatever they left in the places is
 *    overwritten when those blocks come. Half as much is foreseen next time.
 * Pure.
 *
 * Used by  core/torrent
 * Tests    tests/unit/test_torrent_ahead.c, test_torrent_slicing.c
 */
#ifndef BT_CORE_AHEAD_H
#define BT_CORE_AHEAD_H

#include "core/peer.h"
#include "core/torrent_io.h"

struct bt_torrent;

/* Places for at most `most` bytes; out->n is 0 if none are taken of it. */
void	bt_ahead_lend(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_place scratch, size_t most, struct bt_lend *out);
/* n bytes came, which fill the places in order. */
void	bt_ahead_take(struct bt_torrent *t, struct bt_peer *p,
	    const struct bt_lend *lend, size_t n, int64_t now);

#endif
