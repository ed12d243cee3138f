/*
 * requests - how much to have out at each peer, and when to give up on it.
 *
 * The rules
 * 1. The window begins at BT_ASK_FLOOR and grows by a block for each that comes
 *    until the rate stops growing, or one waited for BT_ASK_AHEAD_US; from then
 *    on it holds the measured rate for the measured latency and that time more,
 *    and BT_ASK_LEAST blocks: what is asked of a slow peer nobody else is asked
 *    for. Never above the peer's reqq.
 * 2. A peer that sends no payload for 30 s while it owes some is snubbed: its
 *    blocks are free for others, and it is asked one at a time until it gives.
 * 3. A request passed over while later ones were served for long is lost; one
 *    that waits for two minutes may be asked of others too, and of a snubbed
 *    peer it is forgotten.
 * 4. Blocks of a choking or dying peer are free at once. With the fast
 *    extension a choke is followed by rejects; those that did not come in 2 s
 *    are taken as said.
 * 5. A block is asked twice only in endgame, when its last request is half a
 *    second old, of a peer that is not late itself, at most BT_ASK_DUPS at a
 *    time; the losers get cancels.
 * 6. Nothing is asked of a peer that chokes us, but allowed fast pieces.
 * 7. Under a limit no more is asked for than may come: what was asked lies in
 *    the kernel's buffers else, having come faster than allowed. Then peers are
 *    asked for a block each, in turn.
 * Pure.
 *
 * Used by  core/messages, core/torrent, core/roster
 * Tests    tests/unit/test_torrent_requests.c, test_torrent_window.c,
 *          test_torrent_endgame.c
 */
#ifndef BT_CORE_REQUESTS_H
#define BT_CORE_REQUESTS_H

#include "core/peer.h"
#include "core/picker.h"

#define BT_ASK_FLOOR	4u
#define BT_ASK_LEAST	2u
#define BT_ASK_AHEAD_US	BT_SEC(1)
#define BT_ASK_DUPS	8u
#define BT_ASK_DUP_AGE_US	BT_MSEC(500)
#define BT_ASK_LATE_US	BT_SEC(2)
#define BT_ASK_SNUB_US	BT_SEC(30)
#define BT_ASK_LOST_US	BT_SEC(30)
#define BT_ASK_OLD_US	BT_SEC(120)
#define BT_ASK_OLD_READ_US	BT_SEC(20)	/* if a reader waits for it */
#define BT_ASK_CHOKE_GRACE_US	BT_SEC(2)
#define BT_ASK_REFUSED_US	BT_SEC(1)
#define BT_ASK_REFUSED_MAX	8u	/* rejects in a row: it will not give */
#define BT_ASK_SAMPLE_US	BT_MSEC(250)	/* rates are compared over this, */
#define BT_ASK_SAMPLE_MAX_US	BT_SEC(2)	/* or two latencies up to this */

struct bt_torrent;

/* Ask for as much as the window has room for; under a limit, soon. */
void	bt_requests_fill(struct bt_torrent *t, struct bt_peer *p, int64_t now);
/* The same for every peer: blocks were freed. */
void	bt_requests_fill_all(struct bt_torrent *t, int64_t now);
/* Blocks were freed, or will be by then: fill all soon. */
void	bt_requests_wake(struct bt_torrent *t, int64_t at);
/* Memory came free: those who were denied it may ask, in turn. */
void	bt_requests_feed(struct bt_torrent *t, int64_t now);
/* p waits for memory no more. */
void	bt_requests_unqueue(struct bt_torrent *t, struct bt_peer *p);
/* The request that matches, or NULL. */
struct bt_request	*bt_requests_find(const struct bt_peer *p,
	    struct bt_pick b);
/* The picker may ask others; the request stays until it is answered. */
void	bt_requests_free(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_request *r);
/* It is answered with its block; or it is given up. */
void	bt_requests_answered(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_request *r);
void	bt_requests_drop(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_request *r);
void	bt_requests_drop_all(struct bt_torrent *t, struct bt_peer *p);
/* Its peer chokes us: rule 4. */
void	bt_requests_on_choke(struct bt_torrent *t, struct bt_peer *p,
	    int64_t now);
/* It rejected a request unprovoked. True if it never gives. */
bool	bt_requests_on_refused(struct bt_torrent *t, struct bt_peer *p,
	    int64_t now);
/* Payload came; a whole block came (which is still among the requests). */
void	bt_requests_on_payload(struct bt_peer *p, int64_t now);
void	bt_requests_on_block(struct bt_peer *p, const struct bt_request *r,
	    uint32_t bytes, int64_t now);
/* Say that it is no longer needed. True if the request is gone. */
bool	bt_requests_take_back(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_request *r);
/* Another peer brought the block: take it back from p. */
void	bt_requests_cancel(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_pick b, int64_t now);
void	bt_requests_sweep(struct bt_torrent *t, struct bt_peer *p,
	    int64_t now);

#endif
