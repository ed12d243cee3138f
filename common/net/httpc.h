/*
 * httpc - GET over HTTP and HTTPS on the loop, for whoever asks a tracker.
 *
 * The rules
 * 1. libcurl is loaded when the first GET needs it: it brings 33 libraries and
 *    12 MB, which a program that asks nobody should not pay for. Where it is
 *    missing every GET fails and says so.
 * 2. A body larger than its ceiling, more than 5 redirects, a redirect to
 *    another scheme than http and https, and a GET that takes too long are ends.
 * 3. Nothing personal is sent: no .netrc, no cookies, no user of a URL. Proxies
 *    are those of the environment, but never for this machine itself.
 * 4. Each GET is answered by exactly one callback, never before the asking call
 *    returned; none after a cancel.
 * Errors hold the reason alone ("connection refused"): BT_ENET, BT_ETIMEOUT, or
 * BT_ELIMIT for a body that is too large.
 * Touches: sockets (through libcurl).
 *
 * Used by  net/asker, net/fetch (web seeds by range)
 * Tests    tests/e2e/bt-scrape.bats, tests/e2e/announce.bats
 */
#ifndef BT_NET_HTTPC_H
#define BT_NET_HTTPC_H

#include "base/addr.h"
#include "base/buf.h"
#include "net/loop.h"

#define BT_HTTPC_AGENT		"bt-tools/0.1.0"
#define BT_HTTPC_REDIRECTS	5L
#define BT_HTTPC_TOTAL_MAX	64L	/* connections at once */
#define BT_HTTPC_HOST_MAX	8L	/* of them to one host */

struct bt_httpc;
struct bt_httpc_get;

struct bt_httpc_conf {
	const char *url;	/* http or https; borrowed for the call */
	const char *range;	/* bytes "0-15" alone (206), or NULL; borrowed too */
	uint8_t family;		/* 4 or 6, or 0: whichever connects */
	struct bt_addr bind;	/* source address, or family 0 */
	bool insecure;		/* take any certificate */
	size_t body_max;	/* bytes, decoded */
	int64_t timeout_us;	/* for all of it */
	/* status 200.. and body, borrowed; or err, and neither counts */
	void (*done)(void *arg, long status, struct bt_str body,
	    const struct bt_err *err);
	void *arg;
};

struct bt_httpc	*bt_httpc_new(struct bt_loop *l);	/* gives; borrows l */
/* Not from within one of its callbacks. Open GETs get no answer. */
void	bt_httpc_free(struct bt_httpc *h);
/* Copies what it needs of conf. */
struct bt_httpc_get	*bt_httpc_get(struct bt_httpc *h,
	    const struct bt_httpc_conf *conf);
void	bt_httpc_cancel(struct bt_httpc_get *g);	/* NULL is fine */

#endif
