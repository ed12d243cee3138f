/*
 * udp - questions to UDP trackers, over one socket for each family.
 *
 * The rules
 * 1. Every question and every connect has a random transaction id; a packet
 *    counts only if it comes from an address of the tracker that was asked, with
 *    that id and the action that was asked for, or an error.
 * 2. A connection id serves all questions to its tracker for 60 s. A tracker
 *    that refuses one that it gave earlier is asked for another, once.
 * 3. What is not answered is sent again after 15 * 2^n s, n up to 8, over a
 *    new connection id where the old one is too old; then it is BT_ETIMEOUT.
 * 4. At most 64 fresh questions are out at one tracker.
 * 5. An ICMP "port unreachable" ends a question at once: BT_ENET.
 * Each question is answered by exactly one callback, never before the asking
 * call returned; none after a cancel. Errors hold the reason alone.
 * Touches: sockets.
 *
 * Speaks   BEP 15, 41
 * Used by  net/asker
 * Tests    tests/unit/test_net_udp.c, tests/e2e/announce.bats
 */
#ifndef BT_NET_UDP_H
#define BT_NET_UDP_H

#include "codec/udptrk.h"
#include "net/dns.h"

/* It remembers every tracker that it was asked about: some 300 bytes each. */
struct bt_udp;
struct bt_udp_query;

/* bind: source address, or family 0. Borrows l and dns for life. gives */
struct bt_udp	*bt_udp_new(struct bt_loop *l, struct bt_dns *dns,
	    const struct bt_addr *bind);
/* Not from within one of its callbacks. Open questions get no answer. */
void	bt_udp_free(struct bt_udp *u);

/*
 * Ask host:port over family 4 or 6. Copies of q: action, announce (without its
 * trackerid), url_data and hashes; ids are our own. r is NULL on failure and
 * borrowed for the call.
 */
struct bt_udp_query	*bt_udp_ask(struct bt_udp *u, struct bt_str host,
	    uint16_t port, uint8_t family, const struct bt_udp_request *q,
	    void (*done)(void *arg, const struct bt_udp_reply *r,
	    const struct bt_err *err), void *arg);
void	bt_udp_cancel(struct bt_udp_query *q);	/* NULL is fine */

#endif
