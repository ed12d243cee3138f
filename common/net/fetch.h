/*
 * fetch - the body behind an http or https URL, waiting for it.
 *
 * For URL operands, before a tool has anything else to do.
 * Touches: sockets (through net/httpc).
 *
 * Used by  main.c of tools that take URL operands, through cli/input
 * Tests    tests/e2e/bt-scrape.bats, tests/e2e/webseeds.bats
 */
#ifndef BT_NET_FETCH_H
#define BT_NET_FETCH_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"

#define BT_FETCH_TIMEOUT_US	INT64_C(60000000)	/* of a whole torrent */

struct bt_fetch_conf {
	uint8_t family;		/* 4 or 6; 0: either */
	struct bt_addr bind;	/* source address; family 0: any */
	bool insecure;		/* take any certificate */
	int64_t timeout_us;	/* 0: BT_FETCH_TIMEOUT_US */
};

/*
 * Append the body to out, whose ceiling bounds it. BT_ENET, BT_ETIMEOUT, or
 * BT_ELIMIT. SIGINT and SIGTERM keep their dispositions. 0 or -1. conf is a
 * struct bt_fetch_conf, or NULL for the defaults: this is what cli/input calls.
 */
int	bt_fetch_url(void *conf, const char *url, struct bt_buf *out,
	    struct bt_err *err);

/*
 * Append n >= 1 bytes from offset `from` of what is behind url to out, whose
 * ceiling bounds them, and wait for them. *status is HTTP's: 206 for a part, 416
 * for one that is not there, 200 where the server knows no ranges; but for 206
 * nothing is appended. Much more than n bytes are BT_ELIMIT. 0, or -1 as above,
 * with the reason alone.
 */
int	bt_fetch_range(const struct bt_fetch_conf *conf, const char *url,
	    uint64_t from, uint64_t n, struct bt_buf *out, long *status,
	    struct bt_err *err);

#endif
