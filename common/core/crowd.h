/*
 * crowd - who gives way when all places are taken.
 *
 * 1. A place is made for a newcomer only at the cost of an address that has
 *    BT_CROWD_LEAST connections, and two more than the newcomer's own: so a
 *    crowd from one address keeps nobody out, and nobody trades places in
 *    circles.
 * 2. Of the address with the most, the connection goes that gave and took least,
 *    and among those the youngest. IPv6 addresses of one /64 count as one.
 * Pure.
 *
 * Used by  core/torrent, core/roster, net/conn
 * Tests    tests/unit/test_torrent_crowd.c, tests/evil
 */
#ifndef BT_CORE_CROWD_H
#define BT_CORE_CROWD_H

#include "base/addr.h"

/* A peer has two for a moment, when both ends dialled; some share an address. */
#define BT_CROWD_LEAST	4u

struct bt_torrent;

/* Close one connection for who comes from there; false: none gives way. */
bool	bt_crowd_make_room(struct bt_torrent *t, const struct bt_addr *from,
	    int64_t now);
/* Connections of a torrent, whatever their state. */
uint32_t	bt_crowd_size(const struct bt_torrent *t);

#endif
