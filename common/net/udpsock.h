/*
 * udpsock - a UDP socket on the loop: packets out, packets and ICMP errors in.
 *
 * Each is of one family. What the kernel learns by ICMP about a packet that we
 * sent is told with the packet's beginning, so that one socket serves many.
 * Touches: sockets.
 *
 * Used by  net/udp
 * Tests    tests/unit/test_net_udp.c
 */
#ifndef BT_NET_UDPSOCK_H
#define BT_NET_UDPSOCK_H

#include "base/addr.h"
#include "net/loop.h"

#define BT_UDPSOCK_PACKET_MAX	2048u	/* bytes; what is longer is cut */

struct bt_udpsock;

struct bt_udpsock_calls {
	/* Neither may free the socket. */
	void (*on_packet)(void *arg, struct bt_str in,
	    const struct bt_addr *from);
	/* sent may be cut, and empty; code is an errno value. */
	void (*on_error)(void *arg, struct bt_str sent,
	    const struct bt_addr *to, int code);
	void *arg;
};

/* gives, bound to a (port 0: any); NULL with errno. */
struct bt_udpsock	*bt_udpsock_new(struct bt_loop *l,
	    const struct bt_addr *a, const struct bt_udpsock_calls *calls);
void	bt_udpsock_free(struct bt_udpsock *s);
/*
 * 0, or an errno value. A full buffer loses packets as a network does, and is
 * no error.
 */
int	bt_udpsock_send(struct bt_udpsock *s, struct bt_str packet,
	    const struct bt_addr *to);

#endif
