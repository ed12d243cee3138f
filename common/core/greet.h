/*
 * greet - the handshake and what follows it at once.
 *
 * Ours goes out first on a dialled connection, and on one that came as soon as
 * its info-hash is known. Then what we have, then BEP 10's handshake; and once
 * a peer told that it has next to nothing, its allowed fast set. Connections to ourselves and second ones to the same peer
 * end here: of two that crossed, both sides keep the one that the greater peer
 * id dialled.
 * Pure.
 *
 * Speaks   BEP 3 (handshake, bitfield), BEP 6 (have all, have none, allowed
 *          fast set), BEP 10 (handshake)
 * Used by  core/inbox, core/torrent
 * Tests    tests/unit/test_torrent_handshake.c, test_torrent_fast.c
 */
#ifndef BT_CORE_GREET_H
#define BT_CORE_GREET_H

#include "core/peer.h"

/*
 * Allowed fast pieces: BEP 6's 10, but no more than 512 KiB of content and an
 * eighth of the pieces; and one connection of a network alone, since its peers
 * have the same set and a seed would send the same few pieces to all of them.
 */
#define BT_GREET_FAST_MAX	10u
#define BT_GREET_FAST_BYTES	(512u << 10)
#define BT_GREET_FAST_SHARE	8u
#define BT_GREET_CROSSED_US	BT_SEC(10)	/* younger ones may have crossed */

struct bt_torrent;

/* The first n bytes of its handshake are there: do what they allow. */
void	bt_greet_on_bytes(struct bt_torrent *t, struct bt_peer *p, int64_t now);
void	bt_greet_send(struct bt_torrent *t, struct bt_peer *p);
/* It told what it has: if that is little, allow it some pieces. */
void	bt_greet_allow_fast(struct bt_torrent *t, struct bt_peer *p);
/* BEP 6's set of k pieces (k <= pieces) for an IPv4 address. */
void	bt_greet_fast_set(const uint8_t ip[4], const uint8_t info_hash[20],
	    uint32_t pieces, unsigned k, uint32_t *out);

#endif
