#include "listen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/tcp.h"

#define BACKLOG 4096 /* the kernel cuts it to somaxconn */
#define TRIES_MAX 64 /* free ports; one is free for all very soon */

static const struct bt_addr any4 = { .family = 4 };
static const struct bt_addr any6 = { .family = 6 };

static const char *const schemes[] = {
	[BT_LISTEN_HTTP] = "http",
	[BT_LISTEN_HTTPS] = "https",
	[BT_LISTEN_UDP] = "udp",
};

static int
add_place(struct bt_listen *l, enum bt_listen_kind kind,
    const struct bt_addr *addr, bool optional, const char *what,
    struct bt_err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->places[i].kind == kind && l->places[i].given == -1 &&
		    !(l->has_admin && addr->port == 0) &&
		    bt_addr_eq(&l->places[i].addr, addr))
			return bt_err_set(err, BT_EUSAGE,
			    "'%s' is listened on already", what);
	if (l->n == BT_LISTEN_MAX)
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' is one address too many: %u are served", what,
		    BT_LISTEN_MAX);
	l->places[l->n++] = (struct bt_listen_place){
		.kind = kind, .optional = optional, .addr = *addr, .given = -1
	};
	return 0;
}

/* ":PORT" and "*:PORT" are all addresses. */
static bool
is_any(struct bt_str s, uint16_t *port)
{
	uint64_t v;

	if (bt_str_starts(s, STR("*")))
		s = bt_str_sub(s, 1, s.n);
	if (!bt_str_starts(s, STR(":")) ||
	    bt_str_u64(bt_str_sub(s, 1, s.n), &v) == -1 || v > UINT16_MAX)
		return false;
	*port = (uint16_t)v;
	return true;
}

/* Take "SCHEME://" off s; which kinds it leaves, as bits. */
static unsigned
take_scheme(struct bt_str *s)
{
	struct bt_str name, slashes = STR("://");
	size_t n;

	for (unsigned kind = 0; kind <= BT_LISTEN_UDP; kind++) {
		name = bt_str_of(schemes[kind]);
		n = name.n + slashes.n;
		if (!bt_str_starts(*s, name) ||
		    !bt_str_starts(bt_str_sub(*s, name.n, s->n), slashes))
			continue;
		*s = bt_str_sub(*s, n, s->n);
		return 1u << kind;
	}
	return 1u << BT_LISTEN_HTTP | 1u << BT_LISTEN_UDP;
}

int
bt_listen_add(struct bt_listen *l, const char *what, struct bt_err *err)
{
	struct bt_str s = bt_str_of(what);
	struct bt_addr addr = any4, addr6 = any6;
	unsigned kinds = take_scheme(&s);
	bool any = is_any(s, &addr.port);

	addr6.port = addr.port;
	if (!any && bt_addr_parse(s, &addr) == -1)
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' is not [http://|https://|udp://]ADDR:PORT", what);
	for (unsigned kind = 0; kind <= BT_LISTEN_UDP; kind++) {
		if ((kinds & 1u << kind) == 0)
			continue;
		if (add_place(l, kind, &addr, any, what, err) == -1)
			return -1;
		if (any && add_place(l, kind, &addr6, any, what, err) == -1)
			return -1;
	}
	return 0;
}

int
bt_listen_adopt(struct bt_listen *l, int fd, bool is_https, struct bt_err *err)
{
	struct bt_addr addr = bt_tcp_local(fd);
	enum bt_listen_kind kind = BT_LISTEN_UDP;
	socklen_t n = sizeof(int);
	int type = 0;
	char text[BT_ADDR_TEXT_MAX];

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == -1 ||
	    addr.family == 0 || (type != SOCK_STREAM && type != SOCK_DGRAM))
		return bt_err_set(err, BT_EUSAGE,
		    "descriptor %d is not a socket of TCP or UDP", fd);
	if (type == SOCK_STREAM)
		kind = is_https ? BT_LISTEN_HTTPS : BT_LISTEN_HTTP;
	if (add_place(l, kind, &addr, false, bt_addr_text(&addr, text), err) ==
	    -1)
		return -1;
	l->places[l->n - 1].given = fd;
	return 0;
}

int
bt_listen_admin(struct bt_listen *l, const char *what, struct bt_err *err)
{
	struct bt_addr addr;

	if (l->has_admin)
		return bt_err_set(
		    err, BT_EUSAGE, "'%s' is one address too many", what);
	if (bt_addr_parse(bt_str_of(what), &addr) == -1)
		return bt_err_set(
		    err, BT_EUSAGE, "'%s' is not ADDR:PORT", what);
	/* its port 0 is one of its own, whatever else has it */
	l->has_admin = true;
	if (add_place(l, BT_LISTEN_HTTP, &addr, false, what, err) == -1)
		return -1;
	l->places[l->n - 1].admin = true;
	return 0;
}

bool
bt_listen_has(const struct bt_listen *l, enum bt_listen_kind kind)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->places[i].kind == kind)
			return true;
	return false;
}

/*
 * A reply is a few segments and never meets a window, so what a congestion
 * control does to pace it (BBR keeps a timer for each connection) is all cost.
 * Connections have their listener's; where it cannot be had theirs will do.
 */
static int
start_listening(int fd)
{
	static const char cheap[] = "reno";
	int on = 1;

	/* one that was handed over may not have it */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_CONGESTION, cheap, sizeof(cheap) - 1);
	return listen(fd, BACKLOG);
}

/* One socket; the first of its address, or one more. -1 with errno. */
static int
open_one(bool udp, const struct bt_addr *addr, bool first, bool share)
{
	int fd, code, on = 1;

	fd = bt_tcp_bound(udp ? SOCK_DGRAM : SOCK_STREAM, addr, !first);
	if (fd == -1)
		return -1;
	/* it was alone when it was bound; now others may come beside it */
	if ((!first || !share ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ==
		    0) &&
	    (udp || start_listening(fd) == 0))
		return fd;
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

/* Rule 4. All share one queue: who comes first to it takes what is there. */
static int
open_given(const struct bt_listen_place *p)
{
	int flags = fcntl(p->given, F_GETFL);

	if (flags == -1 || fcntl(p->given, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (p->kind != BT_LISTEN_UDP && start_listening(p->given) == -1))
		return -1;
	return fcntl(p->given, F_DUPFD_CLOEXEC, 0);
}

/* The sockets of all workers at one place. -1 with errno and none open. */
static int
open_place(struct bt_listen_place *p, struct bt_addr *addr, unsigned workers)
{
	int code;

	p->fds = bt_mem_array(workers, sizeof(*p->fds));
	for (unsigned w = 0; w < workers; w++) {
		p->fds[w] = p->given != -1 ? open_given(p)
					   : open_one(p->kind == BT_LISTEN_UDP,
						 addr, w == 0, workers > 1);
		if (p->fds[w] == -1) {
			code = errno;
			while (w-- > 0)
				close(p->fds[w]);
			bt_mem_free(p->fds);
			p->fds = NULL;
			errno = code;
			return -1;
		}
		if (w == 0)
			*addr = bt_tcp_local(p->fds[0]);
	}
	return 0;
}

void
bt_listen_close(struct bt_listen *l)
{
	for (size_t i = 0; i < l->n; i++) {
		for (unsigned w = 0; l->places[i].fds != NULL && w < l->workers;
		     w++)
			if (l->places[i].fds[w] != -1)
				close(l->places[i].fds[w]);
		bt_mem_free(l->places[i].fds);
		l->places[i].fds = NULL;
	}
}

static int
refuse(const struct bt_listen_place *p, int code, struct bt_err *err)
{
	char text[BT_ADDR_TEXT_MAX];

	return bt_err_code(err, BT_ENET, code, "cannot listen on '%s://%s'",
	    schemes[p->kind], bt_addr_text(&p->addr, text));
}

/*
 * Open all places. Returns how many are open, -1, or -2 when the port that
 * was free for the first of those with port 0 was not so for another.
 */
static int
try_all(struct bt_listen *l, struct bt_addr bound[], struct bt_err *err)
{
	struct bt_listen_place *p;
	uint16_t chosen[3] = { 0 }, *port;
	int open = 0;

	for (size_t i = 0; i < l->n; i++) {
		p = &l->places[i];
		bound[i] = p->addr;
		/* HTTP, HTTPS and --admin cannot be at one port */
		port = &chosen[p->admin ? 2 : p->kind == BT_LISTEN_HTTPS];
		if (p->addr.port == 0)
			bound[i].port = *port;
		if (open_place(p, &bound[i], l->workers) == 0) {
			if (p->addr.port == 0)
				*port = bound[i].port;
			open++;
		} else if (p->optional &&
			   (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
			continue;
		} else if (errno == EADDRINUSE && p->addr.port == 0) {
			return -2;
		} else
			return refuse(p, errno, err);
	}
	if (open == 0)
		return refuse(&l->places[0], EADDRNOTAVAIL, err);
	return open;
}

int
bt_listen_open(struct bt_listen *l, unsigned workers, struct bt_err *err)
{
	struct bt_addr bound[BT_LISTEN_MAX];
	size_t n = 0;
	int rc = -2;

	assert(l->n > 0);
	l->workers = workers;
	for (int i = 0; i < TRIES_MAX && rc == -2; i++) {
		rc = try_all(l, bound, err);
		if (rc < 0)
			bt_listen_close(l);
	}
	if (rc == -2)
		return refuse(&l->places[0], EADDRINUSE, err);
	if (rc == -1)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		if (l->places[i].fds == NULL)
			continue; /* a family that is not there */
		l->places[i].addr = bound[i];
		l->places[n++] = l->places[i];
	}
	l->n = n;
	return 0;
}

int
bt_listen_take(struct bt_listen *l, size_t place, unsigned worker)
{
	int fd = l->places[place].fds[worker];

	assert(fd != -1);
	l->places[place].fds[worker] = -1;
	return fd;
}

char *
bt_listen_url(const struct bt_listen_place *p, char out[BT_LISTEN_URL_MAX])
{
	static const uint8_t one4[4] = { 127, 0, 0, 1 };
	static const uint8_t one6[16] = { [15] = 1 };
	struct bt_addr addr = p->addr;
	char text[BT_ADDR_TEXT_MAX];

	if (bt_addr_is_any(&addr))
		addr = addr.family == 4 ? bt_addr_v4(one4, addr.port)
					: bt_addr_v6(one6, addr.port);
	snprintf(out, BT_LISTEN_URL_MAX, "%s://%s/%s", schemes[p->kind],
	    bt_addr_text(&addr, text), p->admin ? "stats" : "announce");
	return out;
}
