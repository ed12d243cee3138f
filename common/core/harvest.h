/*
 * harvest - a piece is verified and on disk: count it, and tell everyone.
 *
 * HAVE goes to whoever lacks the piece. When nothing wanted is missing any
 * more, that is told too (BEP 21), and who needs nothing of us is left.
 * Pure.
 *
 * Speaks   BEP 3 (have), BEP 21 (upload_only, within BEP 10)
 * Used by  core/jobs_out, core/torrent
 * Tests    tests/unit/test_torrent_requests.c
 */
#ifndef BT_CORE_HARVEST_H
#define BT_CORE_HARVEST_H

#include <stdint.h>

struct bt_torrent;

/* O(peers + files of the piece). */
void	bt_harvest_piece(struct bt_torrent *t, uint32_t piece, int64_t now);
/* Count anew what is had, wanted and missing: before the first peer. */
void	bt_harvest_count(struct bt_torrent *t);

#endif
