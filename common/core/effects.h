/*
 * effects - what a torrent wants done, in order, until the caller takes it.
 *
 * A queue that grows with need and lets its memory go when it is empty. Its
 * length is bounded by the steps between two drains.
 * Pure.
 *
 * Used by  core/torrent and its parts
 * Tests    tests/unit/test_torrent*.c
 */
#ifndef BT_CORE_EFFECTS_H
#define BT_CORE_EFFECTS_H

#include "core/torrent_io.h"

struct bt_effects {		/* zero is a valid start */
	struct bt_effect *q;
	size_t from, n, cap;
};

void	bt_effects_fini(struct bt_effects *e);
void	bt_effects_push(struct bt_effects *e, const struct bt_effect *fx);
bool	bt_effects_pop(struct bt_effects *e, struct bt_effect *fx);

#endif
