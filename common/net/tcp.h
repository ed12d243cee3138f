/*
 * tcp - listening, dialling, and bytes over a non-blocking socket.
 *
 * 1. Every descriptor is non-blocking and close-on-exec, with TCP_NODELAY.
 * 2. A listener asked for both families has the same port in both. A family
 *    that this machine does not have is left out if the other one is there.
 * 3. Out of descriptors, a listener drops who waits and goes on; it never spins.
 * 4. Nothing raises SIGPIPE.
 * Touches: sockets.
 *
 * Used by  net/client, net/udp, bt-tracker
 * Tests    tests/unit/test_net_tcp.c
 */
#ifndef BT_NET_TCP_H
#define BT_NET_TCP_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/addr.h"
#include "core/torrent_io.h"
#include "net/loop.h"

struct bt_tcp_listener;

struct bt_tcp_listen_conf {
	bool ipv4, ipv6;	/* families wanted; at least one */
	struct bt_addr bind;	/* family 0: any; else this one alone */
	uint16_t port;		/* 0: any free one */
	bool or_any;		/* where port is taken, any free one */
	/*
	 * Takes fd (gives it to the callback's owner). May free the listener.
	 */
	void (*on_accept)(void *arg, int fd, const struct bt_addr *from);
	void *arg;
};

/* gives *out. BT_ENET "cannot listen on '…': …". 0 or -1. */
int	bt_tcp_listen(struct bt_tcp_listener **out, struct bt_loop *l,
	    const struct bt_tcp_listen_conf *conf, struct bt_err *err);
void	bt_tcp_listen_free(struct bt_tcp_listener *t);
uint16_t	bt_tcp_listen_port(const struct bt_tcp_listener *t);
/* The bound address of a family (4 or 6); false if it is not listened on. */
bool	bt_tcp_listen_addr(const struct bt_tcp_listener *t, uint8_t family,
	    struct bt_addr *out);

/*
 * Begin to connect; from (or NULL, or family 0) is the source address, its port
 * is not used. Returns the descriptor, writable when it is decided, or -1 with
 * errno.
 */
int	bt_tcp_dial(const struct bt_addr *to, const struct bt_addr *from);
/* What became of it: 0, or an errno value. */
int	bt_tcp_dial_result(int fd);

/*
 * Fill places in order with what is there. Bytes, 0 at the end of the stream,
 * or -1 with errno (EAGAIN: nothing now). n <= BT_TCP_PLACES_MAX.
 */
#define BT_TCP_PLACES_MAX 64u
ssize_t	bt_tcp_recv(int fd, const struct bt_place *places, unsigned n);
/* Send parts in order; bytes that went, or -1 with errno. n <= 64. */
ssize_t	bt_tcp_send(int fd, const struct bt_str *parts, unsigned n);
/*
 * About how many bytes the socket takes now; 0: it is not writable, and watching
 * for that ends when it is. Where the system does not say: SIZE_MAX.
 */
size_t	bt_tcp_room(int fd);
/* Does it stay on this machine? Segments over 16 KiB are loopback's. */
bool	bt_tcp_is_near(int fd);

/* An errno value as the reason of a sentence: "connection refused". */
const char	*bt_tcp_reason(int code);

/* To and from the kernel's form. */
socklen_t	bt_tcp_sockaddr(const struct bt_addr *a,
	    struct sockaddr_storage *out);
/* Family 0 for what is not an IP address. */
struct bt_addr	bt_tcp_addr(const struct sockaddr_storage *ss);
/* A socket's own address; family 0 if it has none. */
struct bt_addr	bt_tcp_local(int fd);
/*
 * Make a socket of type SOCK_STREAM or SOCK_DGRAM bound to a; IPv6 sockets are
 * IPv6 only. share: SO_REUSEPORT. -1 with errno.
 */
int	bt_tcp_bound(int type, const struct bt_addr *a, bool share);

#endif
