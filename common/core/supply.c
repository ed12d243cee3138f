#include "core/supply.h"

#include <assert.h>

void
bt_supply_init(struct bt_supply *s, uint32_t pieces)
{
	bt_ranks_init(&s->rare, pieces);
	s->full = 0;
}

void
bt_supply_fini(struct bt_supply *s)
{
	bt_ranks_fini(&s->rare);
}

/*
 * A peer that came piece by piece may leave as a full one. If no full one is
 * counted then, it was counted in every rank.
 */
void
bt_supply_peer(struct bt_supply *s, const struct bt_bits *have, int by)
{
	assert(by == 1 || by == -1);
	assert(have->n == s->rare.nids);
	if (have->n > 0 && bt_bits_is_full(have)) {
		if (by > 0)
			s->full++;
		else if (s->full > 0)
			s->full--;
		else
			bt_ranks_all_down(&s->rare);
		return;
	}
	for (uint32_t i = bt_bits_next(have, 0); i < have->n;
	     i = bt_bits_next(have, i + 1))
		bt_supply_piece(s, i, by);
}

void
bt_supply_piece(struct bt_supply *s, uint32_t piece, int by)
{
	assert(by == 1 || by == -1);
	if (by > 0)
		bt_ranks_up(&s->rare, piece);
	else
		bt_ranks_down(&s->rare, piece);
}
