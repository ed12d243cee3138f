/*
 * held - what the heap takes for a block, so that a limit on memory holds.
 *
 * As the allocators of common systems do: a word beside each block, sizes in
 * steps of sixteen, and whole pages for large ones.
 * Pure.
 *
 * Used by  bt-tracker/peers.c, bt-tracker/index.c, bt-tracker/swarms.c
 * Tests    tests/unit/test_tracker_store.c
 */
#ifndef BT_TRACKER_HELD_H
#define BT_TRACKER_HELD_H

#include <stddef.h>

#define BT_HELD_WORD	8u
#define BT_HELD_STEP	16u
#define BT_HELD_LEAST	32u
#define BT_HELD_LARGE	(128u << 10)	/* whole pages from here on */
#define BT_HELD_PAGE	4096u

static inline size_t
bt_held(size_t n)
{
	size_t step = n >= BT_HELD_LARGE ? BT_HELD_PAGE : BT_HELD_STEP;

	n = (n + BT_HELD_WORD + step - 1) / step * step;
	return n < BT_HELD_LEAST ? BT_HELD_LEAST : n;
}

#endif
