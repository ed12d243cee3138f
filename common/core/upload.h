/*
 * upload - whom we serve, and whether a request is served.
 *
 * Feeds core/choker and carries out its verdicts.
 * Pure.
 *
 * Speaks   BEP 3 (choking, request), BEP 6 (reject, allowed fast)
 * Used by  core/messages, core/torrent
 * Tests    tests/unit/test_torrent_choke.c
 */
#ifndef BT_CORE_UPLOAD_H
#define BT_CORE_UPLOAD_H

#include "core/peer.h"

#define BT_UPLOAD_NONSENSE_MAX	1000u	/* in vain, beyond what it took */

struct bt_torrent;

void	bt_upload_on_request(struct bt_torrent *t, struct bt_peer *p,
	    const struct bt_ask *a, int64_t now);
void	bt_upload_on_cancel(struct bt_torrent *t, struct bt_peer *p,
	    const struct bt_ask *a, int64_t now);
/* Is it allowed to ask for the piece while choked? */
bool	bt_upload_is_fast(const struct bt_torrent *t, const struct bt_peer *p,
	    uint32_t piece);
/* Its interest changed: a slot may be filled. */
void	bt_upload_on_interest(struct bt_torrent *t, struct bt_peer *p);
/* A slot that is not used is given to another. */
void	bt_upload_sweep(struct bt_torrent *t, int64_t now);
/* Let the choker decide. */
void	bt_upload_choke(struct bt_torrent *t, int64_t now);
/*
 * A piece is offered no more: say so (BEP 54's lt_donthave, to who takes it) and
 * refuse what is queued of it. Whoever got the first half of a block of it is
 * closed.
 */
void	bt_upload_on_lost(struct bt_torrent *t, uint32_t piece, int64_t now);

#endif
