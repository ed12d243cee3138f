/*
 * metaedit - change some keys of a bencoded dictionary, and no other byte.
 *
 * What is not edited is copied as it stands, unsorted, odd or unknown as it may
 * be. A new key goes before the first one that is greater.
 * Pure.
 *
 * Speaks   BEP 3 (bencoding)
 * Used by  bt-make
 * Tests    tests/unit/test_metaedit.c
 */
#ifndef BT_CODEC_METAEDIT_H
#define BT_CODEC_METAEDIT_H

#include "codec/bencode.h"

struct bt_metaedit {
	struct bt_str key;
	struct bt_str raw;	/* the new value, bencoded; empty: remove it */
};

/* Write dict with n edits, whose keys ascend, to out. 0, or -1 at its ceiling. */
int	bt_metaedit_put(const struct bt_ben *dict, const struct bt_metaedit *e,
	    size_t n, struct bt_buf *out);

#endif
