/*
 * crowd - who gives way when all places are taken.
 *
 * 1. A place is made for a newcomer only at the cost of an address that has
 *    BT_CROWD_LEAST connections, and two more than the newcomer's own: so a
 *    crowd from one address keeps nobody out, and nobody trades places in
 *    circles.
 * 2. Of the address with the most, the connection goes that gave and took least,
 *    and among those the youngest. IPv6 addresses of one /64 count as one.
 * 3. Which address has the most is looked up at most once in BT_CROWD_LOOK_US:
 *    it sorts all peers, and connections may come in floods. Between two looks
 *    one more costs a pass over the peers where there is such an address, and
 *    nothing where there is none.
 * Pure.
 *
 * Used by  core/torrent, core/roster, net/conn
 * Tests    tests/unit/test_torrent_crowd.c, tests/evil
 */
#ifndef BT_CORE_CROWD_H
#define BT_CORE_CROWD_H

#include "base/addr.h"
#include "core/rate.h"

/* A peer has two for a moment, when both ends dialled; some share an address. */
#define BT_CROWD_LEAST	4u
#define BT_CROWD_LOOK_US	BT_MSEC(100)

/* Where connections come from. */
struct bt_crowd {
	uint64_t net;		/* an IPv4 address, or the /64 of an IPv6 one */
	uint8_t family;		/* 4 or 6; 0: none */
};

struct bt_torrent;

/* Close one connection for who comes from there; false: none gives way. */
bool	bt_crowd_make_room(struct bt_torrent *t, const struct bt_addr *from,
	    int64_t now);
/*
 * Would one from there be taken? It runs, has not banned the address, and has a
 * place or somebody who gives way. Nothing is closed.
 */
bool	bt_crowd_would_accept(struct bt_torrent *t, const struct bt_addr *from,
	    int64_t now);
/* Are all places of the torrent taken? */
bool	bt_crowd_is_full(const struct bt_torrent *t);
/* Connections of a torrent, whatever their state. */
uint32_t	bt_crowd_size(const struct bt_torrent *t);

#endif
