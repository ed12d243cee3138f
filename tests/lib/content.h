/*
 * content - the files of a made-up content of any size.
 *
 * Used by  tests/fuzz/game.c, tests/sim/world.c
 */
#ifndef BT_TESTS_LIB_CONTENT_H
#define BT_TESTS_LIB_CONTENT_H

#include "codec/filetab.h"
#include "codec/metainfo.h"

/* A file, an empty one, padding, and a last one. */
static inline void
content_cut(struct bt_filetab *t, uint64_t size)
{
	uint64_t first = size * 3 / 8, pad = size / 8;

	bt_filetab_add(t, first, 0, STR("a"));
	bt_filetab_add(t, 0, 0, STR("b"));
	bt_filetab_add(t, pad, BT_META_PAD, STR("c"));
	bt_filetab_add(t, size - first - pad, 0, STR("d"));
}

#endif
