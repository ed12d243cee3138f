/*
 * announce [-c N] [-n torrents] [-P peers] [-p pid] [-s sources] [-t seconds]
 *	MODE ADDR:PORT
 *
 * Announces to a tracker at loopback, on one thread, as fast as it answers.
 * MODE is `close` (a connection for each, N at once, 64), `keep` (N that stay
 * open; one that the tracker closes is made anew) or `udp` (a socket for each
 * source, N announces of it in flight, 6). `hashes` prints the info-hashes, for
 * a tracker that wants to be told of them.
 *
 * Peers (10,000) are in torrents (1,000) by Zipf's law with exponent 0.8, 30 %
 * of them seeds, from so many (32) addresses 127.1.x.y. Each announces once by
 * UDP; then, for so many seconds (3), peers chosen at random want 50 others.
 * Each reply is looked at: status, form, length, and that it has counts.
 *
 *	mode=M replies=N bad=N lost=N peers=N per_s=N p50_us=N p99_us=N own_us=F
 *	    [server_us=F rss_kib=N]
 *
 * peers is the mean of a reply; server_us is pid's CPU time for a reply.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rd.h"
#include "base/rng.h"
#include "base/str.h"
#include "rig.h"

#define WANT 50u
#define CONNECT_LEN 16u
#define SEEDS 30u /* percent */
#define ZIPF 0.8
#define EVENTS 256
#define RX 65536u
#define SLOTS 64u    /* at most, in flight of a source */
#define PATIENCE 1.0 /* seconds until a datagram is sent again */
#define RENEW 45.0   /* BEP 15: an id is good for a minute */
#define TIMES 4096u  /* 64 for each power of two of microseconds */

enum mode { CLOSE, KEEP, UDP };

struct peer {
	uint32_t torrent;
	uint16_t port;
	bool seed;
};

struct slot {
	double sent; /* 0: free */
	uint32_t transaction;
	uint32_t peer;
	size_t n;
	uint8_t packet[98];
};

struct source { /* and its UDP socket */
	struct sockaddr_in addr;
	int fd;
	uint64_t connection;
	double since;	    /* it was given */
	uint32_t next_fill; /* how many of its peers announced */
	struct slot slots[SLOTS];
};

struct conn {
	int fd;
	uint32_t source;
	double sent;
	size_t have; /* of a reply that is not whole */
	uint8_t *part;
};

static struct bench {
	enum mode mode;
	uint32_t ntorrents, npeers, nsources, window;
	double seconds;
	pid_t pid;
	struct sockaddr_in to;
	struct bt_rng rng;
	uint8_t (*hashes)[20];
	char (*escaped)[61];
	struct peer *peers;
	struct source *sources;
	struct conn *conns;
	int epoll;
	bool filling;
	uint32_t sequence, in_flight;
	double lull; /* when datagrams were last looked for that are lost */
	uint64_t replies, bad, lost, told;
	uint64_t times[TIMES];
	uint8_t rx[RX];
} b = { .ntorrents = 1000, .npeers = 10000, .nsources = 32, .seconds = 3 };

static void
count_time(double seconds)
{
	uint64_t us = (uint64_t)(seconds * 1e6), at = us;
	unsigned shift = 0;

	while (at >= 128) {
		at >>= 1;
		shift++;
	}
	at += 64 * shift;
	b.times[at < TIMES ? at : TIMES - 1]++;
}

static uint64_t
quantile(double part)
{
	uint64_t sum = 0, at;
	unsigned shift;

	for (at = 0; at < TIMES - 1; at++) {
		sum += b.times[at];
		if ((double)sum >= part * (double)b.replies)
			break;
	}
	shift = at < 128 ? 0 : (unsigned)(at / 64 - 1);
	return (at - 64 * shift) << shift;
}

static void
make_torrents(void)
{
	struct bt_rng rng;

	bt_rng_seed(&rng, 1);
	b.hashes = bt_mem_array(b.ntorrents, sizeof(*b.hashes));
	b.escaped = bt_mem_array(b.ntorrents, sizeof(*b.escaped));
	for (uint32_t i = 0; i < b.ntorrents; i++)
		for (unsigned j = 0; j < 20; j++) {
			b.hashes[i][j] = (uint8_t)bt_rng_u64(&rng);
			snprintf(
			    b.escaped[i] + 3 * j, 4, "%%%02x", b.hashes[i][j]);
		}
}

/* The first torrent whose share, with those before, is above v. */
static uint32_t
torrent_at(const double *sums, double v)
{
	uint32_t from = 0, to = b.ntorrents - 1, at;

	while (from < to) {
		at = from + (to - from) / 2;
		if (sums[at] < v)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

static void
make_peers(void)
{
	double *sums = bt_mem_array(b.ntorrents, sizeof(*sums)), sum = 0;

	bt_rng_seed(&b.rng, 2);
	for (uint32_t i = 0; i < b.ntorrents; i++)
		sums[i] = sum += pow(i + 1, -ZIPF);
	b.peers = bt_mem_array(b.npeers, sizeof(*b.peers));
	for (uint32_t i = 0; i < b.npeers; i++)
		b.peers[i] = (struct peer){
			.torrent = torrent_at(sums,
			    sum * (double)(bt_rng_u64(&b.rng) >> 11) * 0x1p-53),
			/* peer i is at source i % nsources */
			.port = (uint16_t)(1024 + i / b.nsources % 60000),
			.seed = bt_rng_below(&b.rng, 100) < SEEDS,
		};
	bt_mem_free(sums);
}

static void
make_sources(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct source *s;

	b.sources = bt_mem_zero(b.nsources, sizeof(*b.sources));
	for (uint32_t i = 0; i < b.nsources; i++) {
		s = &b.sources[i];
		s->addr.sin_family = AF_INET;
		s->addr.sin_addr.s_addr =
		    htonl(0x7f010000 + (i / 250 << 8) + i % 250 + 1);
		s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (s->fd == -1 ||
		    bind(s->fd, (struct sockaddr *)&s->addr, sizeof(s->addr)) ==
			-1 ||
		    connect(s->fd, (struct sockaddr *)&b.to, sizeof(b.to)) ==
			-1)
			rig_fail("cannot make a UDP socket");
		ev.data.u32 = i;
		if (epoll_ctl(b.epoll, EPOLL_CTL_ADD, s->fd, &ev) == -1)
			rig_fail("cannot watch a socket");
	}
}

static uint32_t
pick_peer(uint32_t source)
{
	uint32_t n = (b.npeers - source + b.nsources - 1) / b.nsources;

	return source + b.nsources * (uint32_t)bt_rng_below(&b.rng, n);
}

static bool
must_connect(const struct source *s)
{
	return s->connection == 0 || rig_now() - s->since > RENEW;
}

/* A connect, or an announce. */
static void
put_datagram(struct source *s, struct slot *t, bool connects)
{
	const struct peer *peer = &b.peers[t->peer];
	uint8_t *p = t->packet;

	memset(p, 0, sizeof(t->packet));
	bt_put_be32(p + 12, t->transaction);
	if (connects) {
		bt_put_be64(p, UINT64_C(0x41727101980));
		t->n = CONNECT_LEN;
		return;
	}
	bt_put_be64(p, s->connection);
	bt_put_be32(p + 8, 1);
	memcpy(p + 16, b.hashes[peer->torrent], 20);
	memcpy(p + 36, "-BQ0100-", 8);
	bt_put_be32(p + 44, t->peer);
	bt_put_be64(p + 64, peer->seed ? 0 : 1 << 20);
	bt_put_be32(p + 80, b.filling ? 2 : 0);
	bt_put_be32(p + 88, t->peer * 2654435761u | 1);
	bt_put_be32(p + 92, b.filling ? 0 : WANT);
	bt_put_be16(p + 96, peer->port);
	t->n = sizeof(t->packet);
}

/* Say something new in a free slot, if there is anything to say. */
static bool
begin_ask(struct source *s, struct slot *t)
{
	uint32_t source = (uint32_t)(s - b.sources);
	bool connects = must_connect(s);
	uint64_t peer;

	if (!b.filling) {
		t->peer = pick_peer(source);
	} else if (!connects) {
		peer = source + (uint64_t)b.nsources * s->next_fill;
		if (peer >= b.npeers)
			return false;
		t->peer = (uint32_t)peer;
		s->next_fill++;
	}
	t->transaction = b.sequence++ << 8 | (uint32_t)(t - s->slots);
	put_datagram(s, t, connects);
	t->sent = rig_now();
	b.in_flight++;
	return true;
}

static void
send_slots(struct source *s, struct slot *const slots[], unsigned n)
{
	struct mmsghdr m[SLOTS] = { 0 };
	struct iovec iov[SLOTS];

	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ slots[i]->packet, slots[i]->n };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	/* what the socket does not take is sent again as lost */
	(void)!sendmmsg(s->fd, m, n, 0);
}

static bool
is_good_datagram(const struct slot *t, const uint8_t *p, size_t n)
{
	if (t->n == CONNECT_LEN)
		return n == 16 && bt_be32(p) == 0 && bt_be64(p + 8) != 0;
	return n >= 20 && (n - 20) % 6 == 0 && bt_be32(p) == 1 &&
	       (n - 20) / 6 <= WANT && bt_be32(p + 12) + bt_be32(p + 16) > 0;
}

static struct slot *
take_datagram(struct source *s, const uint8_t *p, size_t n)
{
	struct slot *t = &s->slots[n < 8 ? 0 : p[7] % SLOTS];

	if (n < 8 || t->sent == 0 || bt_be32(p + 4) != t->transaction)
		return NULL; /* one that was said to be lost */
	if (!is_good_datagram(t, p, n)) {
		b.bad++;
	} else if (t->n == CONNECT_LEN) {
		s->connection = bt_be64(p + 8);
		s->since = rig_now();
	} else {
		count_time(rig_now() - t->sent);
		b.told += (n - 20) / 6;
		b.replies++;
	}
	t->sent = 0;
	b.in_flight--;
	return t;
}

static void
on_datagrams(struct source *s)
{
	static uint8_t rx[SLOTS][1500];
	struct mmsghdr m[SLOTS] = { 0 };
	struct iovec iov[SLOTS];
	struct slot *free[SLOTS], *t;
	bool connecting = s->connection == 0;
	unsigned nfree = 0;
	int n;

	for (unsigned i = 0; i < SLOTS; i++) {
		iov[i] = (struct iovec){ rx[i], sizeof(rx[i]) };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(s->fd, m, b.window, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		t = take_datagram(s, rx[i], m[i].msg_len);
		if (t != NULL && begin_ask(s, t))
			free[nfree++] = t;
	}
	/* one slot asked for the id; now the others may begin */
	for (unsigned i = 1; connecting && i < b.window; i++)
		if (s->slots[i].sent == 0 && begin_ask(s, &s->slots[i]))
			free[nfree++] = &s->slots[i];
	send_slots(s, free, nfree);
}

static void
send_again(void)
{
	double now = rig_now();
	struct slot *t;

	if (now - b.lull < PATIENCE / 4)
		return;
	b.lull = now;
	for (uint32_t i = 0; i < b.nsources; i++)
		for (unsigned j = 0; j < b.window; j++) {
			t = &b.sources[i].slots[j];
			if (t->sent == 0 || now - t->sent < PATIENCE)
				continue;
			b.lost++;
			t->sent = now;
			send_slots(&b.sources[i], &t, 1);
		}
}

/* Until `end`, or while filling until each peer has announced. */
static void
run_udp(double end)
{
	struct epoll_event evs[EVENTS];
	struct slot *first;
	int n;

	for (uint32_t i = 0; i < b.nsources; i++)
		for (unsigned j = 0; j < b.window; j++) {
			first = &b.sources[i].slots[j];
			if (b.sources[i].connection == 0 && j > 0)
				break;
			if (first->sent == 0 && begin_ask(&b.sources[i], first))
				send_slots(&b.sources[i], &first, 1);
		}
	while (b.filling ? b.in_flight > 0 : rig_now() < end) {
		n = epoll_wait(b.epoll, evs, EVENTS, 100);
		for (int i = 0; i < n; i++)
			on_datagrams(&b.sources[evs[i].data.u32]);
		send_again();
	}
}

/* HTTP */

static void
ask(struct conn *c)
{
	uint32_t peer = pick_peer(c->source);
	const struct peer *p = &b.peers[peer];
	char text[512];
	int n;

	n = snprintf(text, sizeof(text),
	    "GET /announce?info_hash=%s&peer_id=-BQ0100-%012u&port=%u"
	    "&uploaded=0&downloaded=0&left=%u&key=%08X&numwant=%u&compact=1"
	    " HTTP/1.1\r\nHost: tracker.example\r\nUser-Agent: bench/1\r\n"
	    "Accept-Encoding: gzip\r\nConnection: %s\r\n\r\n",
	    b.escaped[p->torrent], peer, p->port, p->seed ? 0 : 1u << 20,
	    peer * 2654435761u | 1, WANT,
	    b.mode == KEEP ? "keep-alive" : "close");
	c->sent = rig_now();
	if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
		rig_fail("cannot send a request");
}

static void
dial(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN,
		.data.u32 = (uint32_t)(c - b.conns) };
	int on = 1;

	c->have = 0;
	if (b.mode == CLOSE)
		c->source = bt_rng_below(&b.rng, b.nsources);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd == -1 ||
	    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		sizeof(on)) == -1 ||
	    bind(c->fd, (struct sockaddr *)&b.sources[c->source].addr,
		sizeof(struct sockaddr_in)) == -1 ||
	    connect(c->fd, (struct sockaddr *)&b.to, sizeof(b.to)) == -1 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ==
		-1 ||
	    epoll_ctl(b.epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		rig_fail("cannot connect to the tracker");
	ask(c);
}

static size_t
number_after(struct bt_str s, const char *name)
{
	const uint8_t *p = memmem(s.p, s.n, name, strlen(name));
	size_t v = 0;

	if (p == NULL)
		return SIZE_MAX;
	for (p += strlen(name); p < s.p + s.n && *p >= '0' && *p <= '9'; p++)
		v = v * 10 + *p - '0';
	return v;
}

/* A body: its counts, its peers. */
static bool
is_good_body(struct bt_str body)
{
	size_t peers = number_after(body, "5:peers");
	size_t complete = number_after(body, "8:completei");
	size_t incomplete = number_after(body, "10:incompletei");

	if (peers == SIZE_MAX || complete == SIZE_MAX ||
	    incomplete == SIZE_MAX || complete + incomplete == 0 ||
	    peers % 6 != 0 || peers > 6 * WANT || body.n < peers ||
	    body.p[0] != 'd' || body.p[body.n - 1] != 'e')
		return false;
	b.told += peers / 6;
	return true;
}

/* The bytes of a whole reply, or 0; *ends: the tracker closes after it. */
static size_t
look_at(struct bt_str in, bool *ends)
{
	const uint8_t *end = memmem(in.p, in.n, "\r\n\r\n", 4);
	struct bt_str head, body;
	size_t length;

	if (end == NULL)
		return 0;
	head = (struct bt_str){ in.p, (size_t)(end + 4 - in.p) };
	length = number_after(head, "Content-Length: ");
	if (length == SIZE_MAX)
		rig_fail("a reply without its length");
	if (in.n - head.n < length)
		return 0;
	body = bt_str_sub(in, head.n, head.n + length);
	if (head.n < 12 || memcmp(head.p + 8, " 200", 4) != 0 || body.n == 0 ||
	    !is_good_body(body))
		b.bad++;
	*ends = memmem(head.p, head.n, "keep-alive", 10) == NULL;
	return head.n + length;
}

static void
on_reply(struct conn *c)
{
	bool ends = false;
	ssize_t got;
	size_t took;

	if (c->have > 0)
		memcpy(b.rx, c->part, c->have);
	got = recv(c->fd, b.rx + c->have, RX - c->have, MSG_DONTWAIT);
	if (got == -1 && errno == EAGAIN)
		return;
	if (got <= 0) {
		b.lost++; /* closed instead of a reply */
		close(c->fd);
		dial(c);
		return;
	}
	c->have += (size_t)got;
	took = look_at((struct bt_str){ b.rx, c->have }, &ends);
	if (took == 0) {
		if (c->part == NULL)
			c->part = bt_mem_alloc(RX);
		memcpy(c->part, b.rx, c->have);
		return;
	}
	if (took != c->have)
		rig_fail("more than a reply");
	count_time(rig_now() - c->sent);
	b.replies++;
	c->have = 0;
	if (!ends) {
		ask(c);
		return;
	}
	close(c->fd);
	dial(c);
}

static void
run_http(double end)
{
	struct epoll_event evs[EVENTS];
	int n;

	close(b.epoll);
	b.epoll = epoll_create1(EPOLL_CLOEXEC);
	b.conns = bt_mem_zero(b.window, sizeof(*b.conns));
	for (uint32_t i = 0; i < b.window; i++) {
		b.conns[i].source = i % b.nsources;
		dial(&b.conns[i]);
	}
	while (rig_now() < end) {
		n = epoll_wait(b.epoll, evs, EVENTS, 100);
		for (int i = 0; i < n; i++)
			on_reply(&b.conns[evs[i].data.u32]);
	}
}

static void
fill(void)
{
	uint32_t window = b.window;

	b.filling = true;
	if (b.mode != UDP)
		b.window = 6;
	run_udp(0);
	b.filling = false;
	b.window = window;
	if (b.bad > 0 || b.replies < b.npeers)
		rig_fail("the tracker refuses announces");
	memset(b.times, 0, sizeof(b.times));
	b.replies = b.lost = b.told = 0;
}

static void
measure(const char *mode)
{
	double began, own, server, took;

	began = rig_now();
	own = rig_cpu(0);
	server = rig_cpu(b.pid);
	if (b.mode == UDP)
		run_udp(began + b.seconds);
	else
		run_http(began + b.seconds);
	took = rig_now() - began;
	own = rig_cpu(0) - own;
	if (b.replies == 0)
		rig_fail("no replies");
	printf("mode=%s replies=%llu bad=%llu lost=%llu peers=%.1f "
	       "per_s=%.0f p50_us=%llu p99_us=%llu own_us=%.2f",
	    mode, (unsigned long long)b.replies, (unsigned long long)b.bad,
	    (unsigned long long)b.lost, (double)b.told / (double)b.replies,
	    (double)b.replies / took, (unsigned long long)quantile(0.5),
	    (unsigned long long)quantile(0.99), own * 1e6 / (double)b.replies);
	if (b.pid != 0)
		printf(" server_us=%.2f rss_kib=%llu",
		    (rig_cpu(b.pid) - server) * 1e6 / (double)b.replies,
		    (unsigned long long)rig_status(b.pid, "VmRSS"));
	printf("\n");
}

static int
print_hashes(void)
{
	for (uint32_t i = 0; i < b.ntorrents; i++) {
		for (unsigned j = 0; j < 20; j++)
			printf("%02x", b.hashes[i][j]);
		printf("\n");
	}
	return 0;
}

static void
take_option(int ch, const char *arg)
{
	switch (ch) {
	case 'c':
		b.window = (uint32_t)rig_number(arg, 1);
		break;
	case 'n':
		b.ntorrents = (uint32_t)rig_number(arg, 1);
		break;
	case 'P':
		b.npeers = (uint32_t)rig_number(arg, 1);
		break;
	case 'p':
		b.pid = (pid_t)rig_number(arg, 1);
		break;
	case 's':
		b.nsources = (uint32_t)rig_number(arg, 1);
		break;
	case 't':
		b.seconds = (double)rig_number(arg, 1);
		break;
	default:
		rig_fail("usage: announce [-c N] [-n torrents] [-P peers] "
			 "[-p pid] [-s sources] [-t seconds] MODE ADDR:PORT");
	}
}

int
main(int argc, char **argv)
{
	static const char *const modes[] = { "close", "keep", "udp" };
	const char *mode;
	int ch;

	while ((ch = getopt(argc, argv, "c:n:P:p:s:t:")) != -1)
		take_option(ch, optarg);
	mode = optind < argc ? argv[optind] : "";
	make_torrents();
	if (strcmp(mode, "hashes") == 0)
		return print_hashes();
	for (ch = 0; ch < 3 && strcmp(mode, modes[ch]) != 0; ch++)
		continue;
	if (ch == 3 || optind + 2 != argc)
		take_option('?', NULL);
	b.mode = (enum mode)ch;
	if (b.window == 0)
		b.window = b.mode == UDP ? 6 : 64;
	if (b.mode == UDP && b.window > SLOTS)
		b.window = SLOTS;
	if (b.nsources > b.npeers || b.npeers / b.nsources > 60000)
		rig_fail("too few peers or sources");
	b.to = rig_addr(argv[optind + 1]);
	rig_raise_files();
	b.epoll = epoll_create1(EPOLL_CLOEXEC);
	make_peers();
	make_sources();
	fill();
	measure(mode);
	return 0;
}
