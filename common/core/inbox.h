/*
 * inbox - a peer's bytes, cut into messages.
 *
 * The outcome does not depend on how the network slices them. Lengths are
 * bounded before anything is kept: a block by BEP 3's 2^17, a bitfield by the
 * torrent's, an extended message by 64 KiB; unknown messages of up to 1 MiB are
 * read past; anything longer closes the connection at its first bytes.
 * Pure.
 *
 * Used by  core/torrent, core/ahead
 * Tests    tests/unit/test_torrent_slicing.c, test_torrent_handshake.c
 */
#ifndef BT_CORE_INBOX_H
#define BT_CORE_INBOX_H

#include "core/peer.h"
#include "core/torrent_io.h"

#define BT_INBOX_UNKNOWN_MAX	(1u << 20)
#define BT_INBOX_UNASKED_MAX	16u	/* blocks that nobody asked for */

struct bt_torrent;

/* n bytes of the block that is coming in are where bt_pieces_place() says. */
void	bt_inbox_placed(struct bt_torrent *t, struct bt_peer *p, size_t n,
	    int64_t now);
/* Bytes that lie elsewhere. */
void	bt_inbox_feed(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_str in, int64_t now);

#endif
