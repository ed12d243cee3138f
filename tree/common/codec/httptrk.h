/*
 * httptrk - what announces and scrapes over HTTP have in common.
 *
 * Pure. Views point into the input.
 *
 * Speaks   BEP 3 (tracker replies)
 * Used by  codec/announce, codec/scrape
 * Tests    tests/unit/test_announce.c, tests/unit/test_scrape.c
 */
#ifndef BT_CODEC_HTTPTRK_H
#define BT_CODEC_HTTPTRK_H

#include "base/buf.h"
#include "base/err.h"
#include "codec/bencode.h"

/*
 * Append a tracker's URL so that parameters may follow: its own query (a
 * passkey) stays byte for byte, '?' or '&' is added where it is needed, and a
 * fragment, which is never sent, is left out. 0, or -1 at out's ceiling.
 */
int	bt_httptrk_put_base(struct bt_buf *out, struct bt_str base);
/*
 * A reply's body as the dictionary it must be, of at most max bytes. What real
 * trackers get wrong inside (order of keys, bytes after the end) is tolerated.
 * BT_ENET with the first bytes quoted, or BT_ELIMIT.
 */
int	bt_httptrk_dict(struct bt_str body, size_t max, struct bt_ben *dict,
	    struct bt_err *err);
/*
 * The text of `failure reason`, which is never empty; false if there is none.
 * Where the tracker gave an empty one the text is our own.
 */
bool	bt_httptrk_failure(const struct bt_ben *dict, struct bt_str *reason);

#endif
