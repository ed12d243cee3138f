/*
 * messages - what a peer's message means.
 *
 * Each acts at once, so that first requests wait for no timer. May close p.
 * Pure.
 *
 * Speaks   BEP 3, 6, 10 (and 21's and 54's messages within it)
 * Used by  core/inbox
 * Tests    tests/unit/test_torrent_fast.c, test_torrent_choke.c
 */
#ifndef BT_CORE_MESSAGES_H
#define BT_CORE_MESSAGES_H

#include "core/peer.h"

/* Where the ids that we name in our extension handshake lead. */
#define BT_EXT_ID_UPLOAD_ONLY	3u
#define BT_EXT_ID_DONTHAVE	4u

struct bt_torrent;

/* A message without a body, by its head alone. */
void	bt_messages_on_plain(struct bt_torrent *t, struct bt_peer *p,
	    const struct bt_wire_msg *m, int64_t now);
void	bt_messages_on_bitfield(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_str bits, int64_t now);
/* The payload of BT_EXTENDED, its id first; n > 0. */
void	bt_messages_on_extended(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_str body, int64_t now);
/* We lack the piece no longer: count it off, and lose interest if need be. */
void	bt_messages_on_our_piece(struct bt_torrent *t, struct bt_peer *p,
	    uint32_t piece, int64_t now);

#endif
