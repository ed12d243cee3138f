/*
 * udp - the UDP front: packets in, packets out, nothing kept of anybody.
 *
 * The rules
 * 1. A socket is emptied before the loop goes on, some packets at a time: they
 *    are read in one system call and answered in one.
 * 2. Nothing but `connect` is answered without a good connection id; a bad one
 *    gets an error only when that is shorter than the request, so nobody is
 *    worth being pretended to be.
 * 3. A reply has peers of the family that the packet came by, and fits an
 *    Ethernet frame.
 * One for each worker; one thread calls it.
 * Touches: sockets.
 *
 * Speaks   BEP 15; BEP 41 (its path has the key, else passed over)
 * Used by  bt-tracker/worker.c
 * Tests    tests/e2e/bt-tracker-udp.bats
 */
#ifndef BT_TRACKER_UDP_H
#define BT_TRACKER_UDP_H

#include "proxy.h"
#include "service.h"

struct event_base;
struct bt_udp;

/* gives; borrows the rest, which outlives it. secret: for connection ids. */
struct bt_udp	*bt_udp_new(struct event_base *base, struct bt_service *s,
		    struct bt_clerk *clerk, const struct bt_proxy *proxy,
		    const uint8_t secret[16]);
/* Answers what came already, and closes what is open. */
void	bt_udp_free(struct bt_udp *u);
/* Takes fd, which is bound and non-blocking. */
void	bt_udp_listen(struct bt_udp *u, int fd);

#endif
