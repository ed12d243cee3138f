/*
 * load [-b blocks] [-c N] [-f FROM] [-i] [-n] [-p pid] [-t seconds]
 *	ADDR:PORT TORRENT
 *
 * N connections (500) to one seed, on one thread, each from an address of its
 * own, from FROM (198.18.4.0) on, and each with so many requests (32) in flight
 * at a place of its own in the content. What came within so many seconds (20)
 * since all had shaken hands:
 *
 *	load served=N asked=N lost=N mbps=N min=B median=B max=B
 *	    [seed_cpu=S/GB rss_each_kib=N rss_kib=N] cpu=S/GB shaken=S
 *
 * served had a block at least; min, median and max are bytes of a connection.
 * -i only shakes hands, prints "idle N" and stays until SIGTERM; with -n those
 * say that they are interested, and ask for nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "rig.h"

#define PENDING 128u  /* connections that are begun at once */
#define PATIENCE 20.0 /* seconds for all to shake hands */
#define EVENTS 256
#define WIRE_MAX (2u << 20)

enum state { NONE, DIALING, SHAKING, OPEN, LOST };

struct conn {
	int fd;
	enum state state;
	bool is_unchoked;
	unsigned asked;
	uint64_t next, bytes;
	uint8_t head[BT_HANDSHAKE_LEN]; /* an unfinished head or handshake */
	unsigned have;
	unsigned id; /* of the message whose body comes */
	uint32_t body_left;
};

static struct load {
	struct rig_torrent t;
	struct sockaddr_in to, from;
	struct conn *conns;
	unsigned n, begun, pending, shaken, lost, window;
	bool is_idle, says_interested, is_counting;
	uint64_t blocks;
	int epoll;
	uint8_t buf[RIG_RECV];
} all = { .n = 500, .window = 32 };

static volatile sig_atomic_t is_ended;

static void
on_end(int number)
{
	(void)number;
	is_ended = 1;
}

static void
lose(struct conn *c)
{
	if (c->state == DIALING || c->state == SHAKING)
		all.pending--;
	if (c->state == OPEN)
		all.shaken--;
	close(c->fd);
	c->state = LOST;
	all.lost++;
}

static void
give(struct conn *c, const void *p, size_t n)
{
	/* Some hundred bytes at most: they fit or the connection is dead. */
	if (send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
		lose(c);
}

static void
begin_next(void)
{
	struct conn *c = &all.conns[all.begun];
	struct sockaddr_in from = all.from;
	struct epoll_event e = { .events = EPOLLOUT, .data.ptr = c };
	int on = 1;

	from.sin_addr.s_addr = htonl(ntohl(from.sin_addr.s_addr) + all.begun);
	c->next = all.blocks * all.begun / all.n;
	all.begun++;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		rig_fail("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)) == -1)
		rig_fail("bind");
	c->state = DIALING;
	all.pending++;
	if (connect(c->fd, (struct sockaddr *)&all.to, sizeof(all.to)) == -1 &&
	    errno != EINPROGRESS)
		lose(c);
	else if (epoll_ctl(all.epoll, EPOLL_CTL_ADD, c->fd, &e) == -1)
		rig_fail("epoll_ctl");
}

static void
on_connected(struct conn *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	uint8_t hello[BT_HANDSHAKE_LEN];
	socklen_t len = sizeof(int);
	int code;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &len) == -1 ||
	    code != 0) {
		lose(c);
		return;
	}
	if (epoll_ctl(all.epoll, EPOLL_CTL_MOD, c->fd, &e) == -1)
		rig_fail("epoll_ctl");
	c->state = SHAKING;
	rig_hello(&all.t, (uint32_t)(c - all.conns), hello);
	give(c, hello, sizeof(hello));
}

static void
ask(struct conn *c)
{
	uint8_t out[1024];
	size_t n = 0;

	if (all.is_idle || !c->is_unchoked)
		return;
	/* Several in one send, as a client does. */
	if (c->asked > all.window - all.window / 4)
		return;
	while (c->asked < all.window && n + 17 <= sizeof(out)) {
		n += rig_put_request(out + n, rig_block(&all.t, c->next));
		c->next = (c->next + 1) % all.blocks;
		c->asked++;
	}
	if (n > 0)
		give(c, out, n);
}

static void
on_shaken(struct conn *c)
{
	uint8_t out[5];

	all.pending--;
	all.shaken++;
	c->state = OPEN;
	if (!all.is_idle || all.says_interested)
		give(c, out, rig_put_plain(out, BT_INTERESTED));
}

static void
take_head(struct conn *c, const struct bt_wire_msg *m, uint32_t body)
{
	c->id = m->id;
	c->body_left = body;
	if (m->id == BT_UNCHOKE)
		c->is_unchoked = true;
	if (m->id == BT_CHOKE) {
		c->is_unchoked = false;
		c->asked = 0; /* BEP 3: they are dropped */
	}
	if (m->id == BT_PIECE && c->asked > 0)
		c->asked--;
}

/* Bytes of p that a head took; 0 when it wants more: all were kept. */
static size_t
take_start(struct conn *c, const uint8_t *p, size_t n)
{
	size_t want = c->state == SHAKING ? BT_HANDSHAKE_LEN : BT_WIRE_HEAD_MAX;
	unsigned had = c->have;
	struct bt_wire_msg m;
	struct bt_handshake h;
	struct bt_str in = { c->head, 0 };
	uint32_t body = 0;
	ssize_t took;

	want = want - had < n ? want - had : n;
	memcpy(c->head + had, p, want);
	c->have += (unsigned)want;
	in.n = c->have;
	took = c->state == SHAKING
		   ? bt_handshake_parse(in, &h)
		   : bt_wire_decode_head(in, WIRE_MAX, &m, &body);
	if (took == 0)
		return 0;
	c->have = 0;
	if (took < 0)
		lose(c);
	else if (c->state == SHAKING)
		on_shaken(c);
	else
		take_head(c, &m, body);
	return took < 0 ? n : (size_t)took - had;
}

static void
on_readable(struct conn *c)
{
	ssize_t did = recv(c->fd, all.buf, sizeof(all.buf), 0);
	size_t at = 0, n, some;

	if (did == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (did <= 0) {
		lose(c);
		return;
	}
	for (n = (size_t)did; at < n && c->state != LOST; at += some) {
		if (c->body_left == 0) {
			some = take_start(c, all.buf + at, n - at);
			if (some == 0)
				break;
			continue;
		}
		some = n - at < c->body_left ? n - at : c->body_left;
		c->body_left -= (uint32_t)some;
		if (c->id == BT_PIECE && all.is_counting)
			c->bytes += some;
	}
	if (c->state == OPEN)
		ask(c);
}

static void
turn(void)
{
	struct epoll_event e[EVENTS];
	struct conn *c;
	int i, n;

	while (all.pending < PENDING && all.begun < all.n)
		begin_next();
	n = epoll_wait(all.epoll, e, EVENTS, 100);
	if (n == -1 && errno != EINTR)
		rig_fail("epoll_wait");
	for (i = 0; i < n; i++) {
		c = e[i].data.ptr;
		if (c->state == DIALING)
			on_connected(c);
		else if (c->state != LOST)
			on_readable(c);
	}
}

static int
by_bytes(const void *a, const void *b)
{
	uint64_t x = ((const struct conn *)a)->bytes;
	uint64_t y = ((const struct conn *)b)->bytes;

	return (x > y) - (x < y);
}

static void
measure(pid_t pid, double seconds, double took, uint64_t rss)
{
	double began = rig_now(), cpu = rig_cpu(pid), mine = rig_cpu(0), wall;
	double looked = began, gb;
	uint64_t bytes = 0, now, most = rss;
	unsigned i, served = 0;

	all.is_counting = true;
	while (!is_ended && rig_now() - began < seconds) {
		turn();
		if (rig_now() - looked > 0.5) {
			now = rig_status(pid, "VmRSS");
			most = now > most ? now : most;
			looked = rig_now();
		}
	}
	wall = rig_now() - began;
	cpu = rig_cpu(pid) - cpu;
	mine = rig_cpu(0) - mine;
	for (i = 0; i < all.n; i++) {
		bytes += all.conns[i].bytes;
		served += all.conns[i].bytes >= BT_BLOCK_LEN;
	}
	gb = bytes > 0 ? (double)bytes / 1e9 : 1e-9;
	qsort(all.conns, all.n, sizeof(*all.conns), by_bytes);
	printf("load served=%u asked=%u lost=%u mbps=%.0f min=%llu "
	       "median=%llu max=%llu",
	    served, all.n, all.lost, (double)bytes / 1e6 / wall,
	    (unsigned long long)all.conns[0].bytes,
	    (unsigned long long)all.conns[all.n / 2].bytes,
	    (unsigned long long)all.conns[all.n - 1].bytes);
	if (pid != 0)
		printf(" seed_cpu=%.3f rss_each_kib=%.1f rss_kib=%llu",
		    cpu / gb, (double)(most - rss) / all.n,
		    (unsigned long long)most);
	printf(" cpu=%.3f shaken=%.3f\n", mine / gb, took);
}

int
main(int argc, char **argv)
{
	double began, seconds = 20;
	uint64_t rss;
	pid_t pid = 0;
	int c;

	all.from = rig_addr("198.18.4.0");
	while ((c = getopt(argc, argv, "b:c:f:inp:t:")) != -1) {
		if (c == 'b')
			all.window = (unsigned)rig_number(optarg, 4);
		else if (c == 'c')
			all.n = (unsigned)rig_number(optarg, 1);
		else if (c == 'f')
			all.from = rig_addr(optarg);
		else if (c == 'i')
			all.is_idle = true;
		else if (c == 'n')
			all.says_interested = true;
		else if (c == 'p')
			pid = (pid_t)rig_number(optarg, 1);
		else if (c == 't')
			seconds = (double)rig_number(optarg, 1);
		else
			return 2;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: load [-b blocks] [-c N] [-f FROM] "
				"[-i] [-n] [-p pid] [-t seconds] "
				"ADDR:PORT TORRENT\n");
		return 2;
	}
	all.to = rig_addr(argv[optind]);
	rig_torrent_read(&all.t, argv[optind + 1]);
	all.blocks = rig_blocks(&all.t);
	all.conns = bt_mem_zero(all.n, sizeof(*all.conns));
	rig_raise_files();
	signal(SIGTERM, on_end);
	signal(SIGINT, on_end);
	if ((all.epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		rig_fail("epoll_create1");
	rss = rig_status(pid, "VmRSS");
	began = rig_now();
	while (!is_ended && (all.begun < all.n || all.pending > 0) &&
	       rig_now() - began < PATIENCE)
		turn();
	if (!all.is_idle) {
		measure(pid, seconds, rig_now() - began, rss);
		return 0;
	}
	printf("idle %u\n", all.shaken);
	fflush(stdout);
	while (!is_ended)
		turn();
	printf("load idle=%u lost=%u\n", all.shaken, all.lost);
	return 0;
}
