/*
 * takeover - blocks that wait at a slow peer go to one that is idle.
 *
 * The rules
 * 1. A peer that could give and has nothing left to be asked for gets the last
 *    block of one that has several and will not come to it for
 *    BT_TAKEOVER_WAIT_US, so that the slow hold up nobody.
 * 2. A seed gets only what would wait for BT_TAKEOVER_SEED_US: its link is for
 *    what others lack.
 * 3. Who gave nothing since it got such a block gets no other.
 * 4. In endgame nothing is moved: blocks are asked of several then.
 * A choice looks at BT_TAKEOVER_LOOKS peers, the next ones each time.
 * Pure.
 *
 * Used by  core/requests
 * Tests    tests/unit/test_torrent_requests.c, tests/sim
 */
#ifndef BT_CORE_TAKEOVER_H
#define BT_CORE_TAKEOVER_H

#include "core/peer.h"

#define BT_TAKEOVER_WAIT_US	BT_MSEC(500)
#define BT_TAKEOVER_SEED_US	BT_SEC(4)
#define BT_TAKEOVER_AGE_US	BT_MSEC(100)	/* asked so long ago at least */
#define BT_TAKEOVER_LOOKS	64u

struct bt_torrent;

/* All that p has is asked of others: is a block of it free for p now? */
bool	bt_takeover_free(struct bt_torrent *t, struct bt_peer *p, int64_t now);

#endif
