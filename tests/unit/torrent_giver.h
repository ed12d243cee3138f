/*
 * torrent_giver - a peer of the rig that has every piece and has unchoked us.
 *
 * Used by  tests/unit/test_torrent_requests.c, tests/unit/test_torrent_window.c
 */
#ifndef BT_TESTS_TORRENT_GIVER_H
#define BT_TESTS_TORRENT_GIVER_H

#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN

/* Its bitfield tells what it has: of nine pieces or more. */
static inline struct rig_peer *
giver(struct rig *r, unsigned i, bool fast)
{
	struct rig_peer *p = rig_peer(r, i, fast);
	uint8_t b[256] = { 0 };
	uint32_t n = r->l->pieces, bytes = (n + 7) / 8;

	bt_put_be32(b, 1 + bytes);
	b[4] = 5;
	for (uint32_t j = 0; j < n; j++)
		b[5 + j / 8] |= (uint8_t)(0x80 >> j % 8);
	rig_raw(r, p, b, 5 + bytes);
	MSG0(r, p, 1);
	return p;
}

#endif
