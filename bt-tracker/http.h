/*
 * http - the HTTP front: connections in, announces and scrapes answered.
 *
 * The rules
 *  1. What is there is read and answered at once: a connection that brings its
 *     request along and is closed after it costs no event.
 *  2. HTTP/1.0 and 1.1, keep-alive, pipelining, requests split at any byte.
 *  3. A connection holds memory only for a request that is not whole and for a
 *     reply that the socket did not take; no more is read before that went.
 *  4. A request must be whole, and a reply taken, within the time-out; a
 *     connection may be idle six times as long. Then it is cut.
 *  5. Paths are /announce and /scrape exactly. Every refusal of those is a 200
 *     with `failure reason`, since that is what clients show.
 *     With --keys they begin with /KEY; one that is not known is refused so.
 *     /stats, /stats.json and /metrics are at the listeners that have them.
 *     A scrape of all torrents leaves the worker: full.h goes on with it.
 *  6. HEAD gets the head of a reply and announces nothing.
 *  7. At the limit of connections, or that of its address, a new one is told so
 *     as by a refused announce (BEP 31: try in 5 minutes), and at --admin by
 *     503 or 429. Out of descriptors, nothing is accepted until the next tick.
 *  8. TLS is between the socket and these rules: a handshake is a part of the
 *     first request, and must be over in the time that this has.
 *  9. What they wait with is 32 MiB in all; beyond that the connection goes whose
 *     reply has waited longest for its socket to take it, or where none waits,
 *     who began a request last.
 * Peers are told of both families. Peer ids are not kept, so dictionary
 * replies come without them. One for each worker; one thread calls it.
 * Touches: sockets.
 *
 * Speaks   BEP 3, 7, 23, 24, 31, 48 (replies); RFC 9112
 * Used by  bt-tracker/worker.c
 * Tests    tests/e2e/bt-tracker-http.bats, tests/e2e/bt-tracker-fronts.bats,
 *          tests/e2e/bt-tracker-stats.bats
 */
#ifndef BT_TRACKER_HTTP_H
#define BT_TRACKER_HTTP_H

#include "quota.h"
#include "reply.h"
#include "service.h"
#include "tls.h"

struct event_base;
struct bt_http;

/* One for all workers; what it points to is shared, and outlives them. */
struct bt_http_conf {
	uint64_t timeout_ms;
	const struct bt_proxy *proxy;
	struct bt_quota *quota;
	struct bt_tls *tls;	/* NULL: no HTTPS */
	struct bt_stats *stats;
	struct bt_record *record;	/* NULL: no log */
	struct bt_full *full;	/* NULL: full scrapes are refused */
};

/* gives; borrows the rest, which outlives it. */
struct bt_http	*bt_http_new(struct event_base *base, struct bt_service *s,
		    struct bt_clerk *clerk, const struct bt_http_conf *conf);
/* Closes what is open. */
void	bt_http_free(struct bt_http *h);
/*
 * Takes fd, which listens and is non-blocking; is_tls: it is for HTTPS. stats:
 * who may see them there.
 */
void	bt_http_listen(struct bt_http *h, int fd, bool is_tls,
	    enum bt_reply_stats stats);
/* Cut who is too slow; several times in each time-out. */
void	bt_http_tick(struct bt_http *h);
/*
 * Answer who came already, accept no more, close who waits for nothing. True
 * when nobody is left who is still to take a reply.
 */
bool	bt_http_stop(struct bt_http *h);

#endif
