/*
 * supply - how many of the peers have each piece, and the pieces in that order.
 *
 * A peer that has all is counted apart, at once; the ranks are of the others.
 * Pure.
 *
 * Used by  core/picker (what to ask for), core/advice (what to hand out)
 * Tests    tests/unit/test_picker_order.c, tests/unit/test_torrent_advice.c
 */
#ifndef BT_CORE_SUPPLY_H
#define BT_CORE_SUPPLY_H

#include "base/bits.h"
#include "core/ranks.h"

struct bt_supply {
	struct bt_ranks rare;	/* which pieces are in it is the caller's choice */
	uint32_t full;		/* peers that have all */
};

void	bt_supply_init(struct bt_supply *s, uint32_t pieces);
void	bt_supply_fini(struct bt_supply *s);
/* A peer with these came or went: by is +1 or -1. Full sets cost O(1). */
void	bt_supply_peer(struct bt_supply *s, const struct bt_bits *have, int by);
void	bt_supply_piece(struct bt_supply *s, uint32_t piece, int by);

#endif
