/*
 * reply - what is said to an HTTP request, bytes for bytes.
 *
 * Replies are added to `out` one after the other, as pipelined requests ask.
 * Rules 5 and 6 of http.h are kept here.
 * Touches: locks (through the service).
 *
 * Speaks   BEP 3, 7, 23, 24, 48 (replies); RFC 9112
 * Used by  bt-tracker/http.c
 * Tests    tests/e2e/bt-tracker.bats, tests/e2e/bt-tracker-http.bats
 */
#ifndef BT_TRACKER_REPLY_H
#define BT_TRACKER_REPLY_H

#include "base/buf.h"
#include "full.h"
#include "request.h"
#include "service.h"
#include "stats.h"

/* Torrents in one scrape: as many as a request holds, hashes unescaped. */
#define BT_REPLY_SCRAPE_MAX	(BT_REQUEST_MAX / 31)

/* Who may see /stats, /stats.json and /metrics at a listener. */
enum bt_reply_stats {
	BT_REPLY_STATS_NOBODY,
	BT_REPLY_STATS_HOST,	/* loopback clients that nobody forwards */
	BT_REPLY_STATS_ADMIN	/* all, and it has nothing else */
};

struct bt_reply_asker {
	struct bt_addr addr;	/* where the bytes come from */
	enum bt_stats_front front;
	enum bt_reply_stats stats;
};

struct bt_reply {
	struct bt_buf out;	/* whole replies, heads and bodies */
	struct bt_buf body;	/* scratch */
	const struct bt_proxy *proxy;
	struct bt_stats *stats;
	struct bt_full *full;	/* NULL: full scrapes are refused */
	bool is_full;		/* the last one put is a head that full.h is to
				   go on from, once all went out; the caller's
				   to clear */
	struct bt_announce announce;	/* scratch */
	uint8_t hashes[BT_REPLY_SCRAPE_MAX][20];	/* scratch */
	struct bt_scrape_row rows[BT_REPLY_SCRAPE_MAX];	/* scratch */
};

/* borrows all; full may be NULL */
void	bt_reply_init(struct bt_reply *r, const struct bt_proxy *proxy,
	    struct bt_stats *stats, struct bt_full *full);
void	bt_reply_fini(struct bt_reply *r);
/* Answer one request. */
void	bt_reply_put(struct bt_reply *r, struct bt_service *s,
	    struct bt_clerk *clerk, const struct bt_request *q,
	    const struct bt_reply_asker *from);
/*
 * What one connection too many is told, whatever it wants: as a refused
 * announce, or by status where statistics are served.
 */
void	bt_reply_turn_away(struct bt_reply *r, enum bt_quota_verdict verdict,
	    enum bt_reply_stats stats);
/* A reply with this status, after which the connection closes. */
void	bt_reply_refuse(struct bt_reply *r, int status);

#endif
