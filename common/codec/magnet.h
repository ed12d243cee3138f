/*
 * magnet - the link that names a torrent.
 *
 *	magnet:?xt=urn:btih:HASH&dn=NAME&tr=URL...&ws=URL...
 *
 * HASH is lower-case hex. A v2 torrent has xt=urn:btmh:1220HASH instead, 12 and
 * 20 being SHA-256 and its length as a multihash; a hybrid has both, v1 first.
 * Everything but unreserved characters is %XX. Trackers
 * come in the order of their tiers, each URL once.
 * Pure.
 *
 * Speaks   BEP 9 (magnet URI format), 52 (v2 in it)
 * Used by  bt-info, bt-make
 * Tests    tests/unit/test_magnet.c
 */
#ifndef BT_CODEC_MAGNET_H
#define BT_CODEC_MAGNET_H

#include "base/buf.h"
#include "codec/metainfo.h"

/* What people still paste; a torrent's lists may be a thousand times larger. */
#define BT_MAGNET_MAX	(64u << 10)	/* bytes */

/*
 * Add the link for m to out, whose room must be BT_MAGNET_MAX. What does not
 * fit is left out, the last first; the hash always fits.
 */
void	bt_magnet_put(const struct bt_meta *m, struct bt_buf *out);

#endif
