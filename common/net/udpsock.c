#include "net/udpsock.h"

#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/tcp.h"

/* taken in a row before others get their turn */
#define RECV_MAX 64
/* an old error of another destination is told to whoever sends next */
#define SEND_TRIES 3

struct bt_udpsock {
	int fd;
	struct bt_loop_watch *watch;
	struct bt_udpsock_calls calls;
};

/* What the kernel says about a packet of ours; 0 if it says nothing. */
static int
error_of(struct msghdr *msg)
{
	struct sock_extended_err ee;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		if (!(c->cmsg_level == IPPROTO_IP &&
			c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 &&
			c->cmsg_type == IPV6_RECVERR))
			continue;
		if (c->cmsg_len < CMSG_LEN(sizeof(ee)))
			continue;
		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		return (int)ee.ee_errno;
	}
	return 0;
}

/* One packet, or one error with flags MSG_ERRQUEUE; false: there is none. */
static bool
recv_one(struct bt_udpsock *s, int flags)
{
	uint8_t data[BT_UDPSOCK_PACKET_MAX];
	_Alignas(struct cmsghdr) uint8_t control[512];
	struct sockaddr_storage ss;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { 0 };
	struct bt_addr peer;
	struct bt_str in;
	ssize_t n;
	int code;

	memset(&ss, 0, sizeof(ss));
	msg.msg_name = &ss;
	msg.msg_namelen = sizeof(ss);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	n = recvmsg(s->fd, &msg, flags);
	if (n == -1)
		/* reading clears a pending error: the packets come after it */
		return flags == 0 && errno != EAGAIN && errno != EWOULDBLOCK;
	peer = bt_tcp_addr(&ss);
	in = (struct bt_str){ data, (size_t)n };
	if (flags == 0) {
		s->calls.on_packet(s->calls.arg, in, &peer);
		return true;
	}
	code = error_of(&msg);
	if (code != 0)
		s->calls.on_error(s->calls.arg, in, &peer, code);
	return true;
}

static void
on_ready(void *arg, unsigned what)
{
	struct bt_udpsock *s = arg;

	(void)what;
	for (int i = 0; i < RECV_MAX; i++)
		if (!recv_one(s, MSG_ERRQUEUE))
			break;
	for (int i = 0; i < RECV_MAX; i++)
		if (!recv_one(s, 0))
			break;
}

struct bt_udpsock *
bt_udpsock_new(struct bt_loop *l, const struct bt_addr *a,
    const struct bt_udpsock_calls *calls)
{
	struct bt_udpsock *s;
	int fd, on = 1;

	fd = bt_tcp_bound(SOCK_DGRAM, a, false);
	if (fd == -1)
		return NULL;
	/* without it errors are not told, and waiting for an answer ends */
	if (a->family == 4)
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	s = bt_mem_zero(1, sizeof(*s));
	s->fd = fd;
	s->calls = *calls;
	s->watch = bt_loop_watch_new(l, fd, on_ready, s);
	bt_loop_watch_set(s->watch, BT_LOOP_READ);
	return s;
}

void
bt_udpsock_free(struct bt_udpsock *s)
{
	if (s == NULL)
		return;
	bt_loop_watch_free(s->watch);
	close(s->fd);
	bt_mem_free(s);
}

int
bt_udpsock_send(
    struct bt_udpsock *s, struct bt_str packet, const struct bt_addr *to)
{
	struct sockaddr_storage ss;
	socklen_t n;
	int code = 0;

	n = bt_tcp_sockaddr(to, &ss);
	for (int i = 0; i < SEND_TRIES; i++) {
		if (sendto(s->fd, packet.p, packet.n, MSG_NOSIGNAL,
			(struct sockaddr *)&ss, n) != -1)
			return 0;
		code = errno;
		if (code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS)
			return 0;
	}
	return code;
}
