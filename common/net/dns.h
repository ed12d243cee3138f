/*
 * dns - host names to addresses, without stopping the loop.
 *
 * 1. A numeric address, and localhost with all beneath it (RFC 6761), ask no
 *    name server; /etc/hosts is looked into first.
 * 2. Each question is answered by exactly one callback, never before the asking
 *    call returned, within BT_DNS_TIMEOUT_US; none after a cancel.
 * Made at once; the name servers are read when the first name needs them.
 * Touches: sockets, /etc/resolv.conf, /etc/hosts (through libevent's evdns).
 *
 * Used by  net/udp, net/asker, net/announcer
 * Tests    tests/unit/test_net_dns.c
 */
#ifndef BT_NET_DNS_H
#define BT_NET_DNS_H

#include "base/addr.h"
#include "net/loop.h"

#define BT_DNS_TIMEOUT_US	(8 * BT_LOOP_SECOND)
#define BT_DNS_ADDRS_MAX	8u	/* given of one name */

struct bt_dns;
struct bt_dns_query;

struct bt_dns	*bt_dns_new(struct bt_loop *l);	/* gives */
/* Questions still open get no answer. */
void	bt_dns_free(struct bt_dns *d);

/*
 * Look up host, for family 4, 6 or 0 for both; the addresses get this port. n
 * is 0 if there are none, and why then says it ("host not found"). The query
 * is the resolver's and over once the callback was called.
 */
struct bt_dns_query	*bt_dns_resolve(struct bt_dns *d, struct bt_str host,
	    uint16_t port, uint8_t family, void (*done)(void *arg,
	    const struct bt_addr *a, size_t n, const char *why), void *arg);
void	bt_dns_cancel(struct bt_dns_query *q);	/* NULL is fine */

#endif
