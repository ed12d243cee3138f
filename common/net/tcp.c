#include "net/tcp.h"

#include <sys/uio.h>

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* the kernel cuts it to net.core.somaxconn */
#define BACKLOG SOMAXCONN
/* taken in a row before others get their turn */
#define ACCEPT_MAX 64
/* tries for a port that is free in both families */
#define PAIR_TRIES 32
#define PAUSE_US (BT_LOOP_SECOND / 2)

struct bt_tcp_listener {
	struct bt_tcp_listen_conf conf;
	struct bt_loop_timer *pause; /* out of descriptors, no way out */
	struct side {
		struct bt_tcp_listener *owner;
		int fd; /* -1: not listened on */
		struct bt_addr addr;
		struct bt_loop_watch *watch;
	} sides[2];
	int spare;   /* given up to drop a caller when out of descriptors */
	bool *freed; /* told when freed in a callback */
};

socklen_t
bt_tcp_sockaddr(const struct bt_addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in *in;
	struct sockaddr_in6 *in6;

	memset(out, 0, sizeof(*out));
	if (a->family == 4) {
		in = (struct sockaddr_in *)out;
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip, 4);
		return sizeof(*in);
	}
	assert(a->family == 6);
	in6 = (struct sockaddr_in6 *)out;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	memcpy(&in6->sin6_addr, a->ip, 16);
	return sizeof(*in6);
}

struct bt_addr
bt_tcp_addr(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in;
	const struct sockaddr_in6 *in6;
	uint8_t ip[16];

	if (ss->ss_family == AF_INET) {
		in = (const struct sockaddr_in *)ss;
		memcpy(ip, &in->sin_addr, 4);
		return bt_addr_v4(ip, ntohs(in->sin_port));
	}
	if (ss->ss_family == AF_INET6) {
		in6 = (const struct sockaddr_in6 *)ss;
		memcpy(ip, &in6->sin6_addr, 16);
		return bt_addr_v6(ip, ntohs(in6->sin6_port));
	}
	return (struct bt_addr){ 0 };
}

struct bt_addr
bt_tcp_local(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t n = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &n) == -1)
		return (struct bt_addr){ 0 };
	return bt_tcp_addr(&ss);
}

const char *
bt_tcp_reason(int code)
{
	switch (code) {
	case ECONNREFUSED:
		return "connection refused";
	case ECONNRESET:
		return "connection reset by the other side";
	case ETIMEDOUT:
		return "connection timed out";
	case EHOSTUNREACH:
		return "no route to host";
	case ENETUNREACH:
		return "network is unreachable";
	case EADDRINUSE:
		return "address already in use";
	case EADDRNOTAVAIL:
		return "address not available";
	case EAFNOSUPPORT:
		return "address family not supported";
	case EACCES:
		return "permission denied";
	default:
		return strerror(code);
	}
}

static int
close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static int
make_socket(int type, uint8_t family)
{
	int fd, on = 1;

	fd = socket(family == 4 ? AF_INET : AF_INET6,
	    type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (family == 6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1)
		return close_keeping_errno(fd);
	/* it only saves waiting: no harm where it cannot be had */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int
bt_tcp_bound(int type, const struct bt_addr *a, bool share)
{
	struct sockaddr_storage ss;
	socklen_t n;
	int fd, on = 1;

	fd = make_socket(type, a->family);
	if (fd == -1)
		return -1;
	/* a listener may come back while old connections fade away */
	if (type == SOCK_STREAM &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		return close_keeping_errno(fd);
	if (share &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1)
		return close_keeping_errno(fd);
	n = bt_tcp_sockaddr(a, &ss);
	if (bind(fd, (struct sockaddr *)&ss, n) == -1)
		return close_keeping_errno(fd);
	return fd;
}

int
bt_tcp_dial(const struct bt_addr *to, const struct bt_addr *from)
{
	struct sockaddr_storage ss;
	struct bt_addr source;
	socklen_t n;
	int fd, on = 1;

	fd = make_socket(SOCK_STREAM, to->family);
	if (fd == -1)
		return -1;
	if (from != NULL && from->family != 0) {
		if (from->family != to->family) {
			errno = EAFNOSUPPORT;
			return close_keeping_errno(fd);
		}
		source = *from;
		source.port = 0;
		/* the port is chosen when both ends are known */
		(void)setsockopt(
		    fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		n = bt_tcp_sockaddr(&source, &ss);
		if (bind(fd, (struct sockaddr *)&ss, n) == -1)
			return close_keeping_errno(fd);
	}
	n = bt_tcp_sockaddr(to, &ss);
	if (connect(fd, (struct sockaddr *)&ss, n) == -1 &&
	    errno != EINPROGRESS)
		return close_keeping_errno(fd);
	return fd;
}

int
bt_tcp_dial_result(int fd)
{
	socklen_t n = sizeof(int);
	int code = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) == -1)
		return errno;
	return code;
}

ssize_t
bt_tcp_recv(int fd, const struct bt_place *places, unsigned n)
{
	struct iovec iov[BT_TCP_PLACES_MAX];
	ssize_t got;

	assert(n <= BT_TCP_PLACES_MAX);
	for (unsigned i = 0; i < n; i++) {
		iov[i].iov_base = places[i].p;
		iov[i].iov_len = places[i].n;
	}
	do {
		got = readv(fd, iov, (int)n);
	} while (got == -1 && errno == EINTR);
	return got;
}

ssize_t
bt_tcp_send(int fd, const struct bt_str *parts, unsigned n)
{
	struct iovec iov[64];
	struct msghdr msg = { 0 };
	ssize_t went;

	assert(n <= 64);
	for (unsigned i = 0; i < n; i++) {
		/* sendmsg only reads it; its type cannot say so */
		iov[i].iov_base = (void *)(uintptr_t)parts[i].p;
		iov[i].iov_len = parts[i].n;
	}
	msg.msg_iov = iov;
	msg.msg_iovlen = n;
	do {
		went = sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (went == -1 && errno == EINTR);
	return went;
}

/* By the kernel's own rule: it is writable when a third of its room is free. */
size_t
bt_tcp_room(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS], all, used;
	socklen_t n = sizeof(mem);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &n) == -1 ||
	    n < (SK_MEMINFO_WMEM_QUEUED + 1) * sizeof(mem[0]))
		return SIZE_MAX;
	all = mem[SK_MEMINFO_SNDBUF];
	used = mem[SK_MEMINFO_WMEM_QUEUED];
	return used >= all || all - used < used / 2 ? 0 : all - used;
}

bool
bt_tcp_is_near(int fd)
{
	int mss;
	socklen_t n = sizeof(mss);

	return getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &n) == 0 &&
	       mss > 16384;
}

/*
 * Out of descriptors: with the spare one given up the caller can be taken and
 * dropped, so that the listener is not readable for ever. Without one it rests.
 */
static void
drop_caller(struct bt_tcp_listener *t, struct side *s)
{
	int fd;

	if (t->spare != -1) {
		close(t->spare);
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			close(fd);
		t->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd != -1)
			return;
	}
	for (int i = 0; i < 2; i++)
		if (t->sides[i].watch != NULL)
			bt_loop_watch_set(t->sides[i].watch, 0);
	bt_loop_timer_in(t->pause, PAUSE_US);
}

static void
on_pause_over(void *arg)
{
	struct bt_tcp_listener *t = arg;

	if (t->spare == -1)
		t->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 2; i++)
		if (t->sides[i].watch != NULL)
			bt_loop_watch_set(t->sides[i].watch, BT_LOOP_READ);
}

static void
on_readable(void *arg, unsigned what)
{
	struct side *s = arg;
	struct bt_tcp_listener *t = s->owner;
	struct sockaddr_storage ss;
	struct bt_addr from;
	socklen_t n;
	bool freed = false;
	int fd, on = 1;

	(void)what;
	t->freed = &freed;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		memset(&ss, 0, sizeof(ss));
		n = sizeof(ss);
		fd = accept4(s->fd, (struct sockaddr *)&ss, &n,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				drop_caller(t, s);
			break;
		}
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		from = bt_tcp_addr(&ss);
		t->conf.on_accept(t->conf.arg, fd, &from);
		if (freed)
			return;
	}
	t->freed = NULL;
}

/* Listen on one family; 0, or an errno value. */
static int
open_side(struct side *s, const struct bt_addr *a)
{
	s->fd = bt_tcp_bound(SOCK_STREAM, a, false);
	if (s->fd == -1)
		return errno;
	if (listen(s->fd, BACKLOG) == -1) {
		int code = errno;

		close(s->fd);
		s->fd = -1;
		return code;
	}
	s->addr = bt_tcp_local(s->fd);
	return 0;
}

static void
close_sides(struct bt_tcp_listener *t)
{
	for (int i = 0; i < 2; i++) {
		if (t->sides[i].fd != -1)
			close(t->sides[i].fd);
		t->sides[i].fd = -1;
	}
}

static bool
is_absent(int code)
{
	return code == EAFNOSUPPORT || code == EADDRNOTAVAIL;
}

/* All the families that are wanted, at one port; 0, or an errno value. */
static int
open_sides(struct bt_tcp_listener *t, uint16_t port)
{
	const struct bt_tcp_listen_conf *c = &t->conf;
	struct bt_addr a4 = { .family = 4, .port = port };
	struct bt_addr a6 = { .family = 6, .port = port };
	int code = 0;

	if (c->bind.family != 0) {
		a4 = c->bind;
		a4.port = port;
		return open_side(&t->sides[a4.family == 4 ? 0 : 1], &a4);
	}
	if (c->ipv4) {
		code = open_side(&t->sides[0], &a4);
		if (code != 0 && !(c->ipv6 && is_absent(code)))
			return code;
	}
	if (!c->ipv6)
		return code;
	if (t->sides[0].fd != -1)
		a6.port = t->sides[0].addr.port;
	code = open_side(&t->sides[1], &a6);
	if (code != 0 && t->sides[0].fd != -1 && is_absent(code))
		return 0;
	return code;
}

/* With the port left to us, one that is free in both families. */
static int
open_any(struct bt_tcp_listener *t)
{
	int code = 0;

	for (int i = 0; i < PAIR_TRIES; i++) {
		code = open_sides(t, 0);
		if (code != EADDRINUSE)
			return code;
		close_sides(t);
	}
	return code;
}

static int
cannot_listen(const struct bt_tcp_listen_conf *c, int code, struct bt_err *err)
{
	struct bt_addr a = c->bind;
	char text[BT_ADDR_TEXT_MAX];

	if (a.family == 0)
		return bt_err_set(err, BT_ENET, "cannot listen on port %u: %s",
		    (unsigned)c->port, bt_tcp_reason(code));
	a.port = c->port;
	return bt_err_set(err, BT_ENET, "cannot listen on '%s': %s",
	    bt_addr_text(&a, text), bt_tcp_reason(code));
}

int
bt_tcp_listen(struct bt_tcp_listener **out, struct bt_loop *l,
    const struct bt_tcp_listen_conf *conf, struct bt_err *err)
{
	struct bt_tcp_listener *t;
	int code;

	assert(conf->ipv4 || conf->ipv6);
	t = bt_mem_zero(1, sizeof(*t));
	t->conf = *conf;
	t->spare = -1;
	t->sides[0].fd = t->sides[1].fd = -1;
	code = conf->port == 0 ? open_any(t) : open_sides(t, conf->port);
	if (code == EADDRINUSE && conf->port != 0 && conf->or_any) {
		close_sides(t);
		code = open_any(t);
	}
	if (code != 0) {
		bt_tcp_listen_free(t);
		return cannot_listen(conf, code, err);
	}
	t->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	t->pause = bt_loop_timer_new(l, on_pause_over, t);
	for (int i = 0; i < 2; i++) {
		struct side *s = &t->sides[i];

		s->owner = t;
		if (s->fd == -1)
			continue;
		s->watch = bt_loop_watch_new(l, s->fd, on_readable, s);
		bt_loop_watch_set(s->watch, BT_LOOP_READ);
	}
	*out = t;
	return 0;
}

void
bt_tcp_listen_free(struct bt_tcp_listener *t)
{
	if (t == NULL)
		return;
	if (t->freed != NULL)
		*t->freed = true;
	for (int i = 0; i < 2; i++)
		bt_loop_watch_free(t->sides[i].watch);
	close_sides(t);
	bt_loop_timer_free(t->pause);
	if (t->spare != -1)
		close(t->spare);
	bt_mem_free(t);
}

uint16_t
bt_tcp_listen_port(const struct bt_tcp_listener *t)
{
	return t->sides[t->sides[0].fd != -1 ? 0 : 1].addr.port;
}

bool
bt_tcp_listen_addr(
    const struct bt_tcp_listener *t, uint8_t family, struct bt_addr *out)
{
	const struct side *s = &t->sides[family == 4 ? 0 : 1];

	if (s->fd == -1)
		return false;
	*out = s->addr;
	return true;
}
