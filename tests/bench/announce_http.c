#include "announce.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "rig.h"

#define RX 65536u

struct conn {
	int fd;
	uint32_t source;
	double sent;
	size_t have; /* of a reply that is not whole */
	uint8_t *part;
};

static struct {
	bool keep;
	int epoll;
	struct conn *conns;
	uint8_t rx[RX];
} h;

static void
ask(struct announce *a, struct conn *c)
{
	uint32_t peer = announce_pick_peer(a, c->source);
	const struct announce_peer *p = &a->peers[peer];
	char text[512];
	int n;

	n = snprintf(text, sizeof(text),
	    "GET /announce?info_hash=%s&peer_id=-BQ0100-%012u&port=%u"
	    "&uploaded=0&downloaded=0&left=%u&key=%08X&numwant=%u&compact=1"
	    " HTTP/1.1\r\nHost: tracker.example\r\nUser-Agent: bench/1\r\n"
	    "Accept-Encoding: gzip\r\nConnection: %s\r\n\r\n",
	    a->escaped[p->torrent], peer, p->port, p->seed ? 0 : 1u << 20,
	    peer * 2654435761u | 1, ANNOUNCE_WANT,
	    h.keep ? "keep-alive" : "close");
	c->sent = rig_now();
	if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
		rig_fail("cannot send a request");
}

static void
dial(struct announce *a, struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN,
		.data.u32 = (uint32_t)(c - h.conns) };
	int on = 1;

	c->have = 0;
	if (!h.keep)
		c->source = bt_rng_below(&a->rng, a->nsources);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd == -1 ||
	    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		sizeof(on)) == -1 ||
	    bind(c->fd, (struct sockaddr *)&a->sources[c->source].addr,
		sizeof(struct sockaddr_in)) == -1 ||
	    connect(c->fd, (struct sockaddr *)&a->to, sizeof(a->to)) == -1 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ==
		-1 ||
	    epoll_ctl(h.epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		rig_fail("cannot connect to the tracker");
	ask(a, c);
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
is_good_body(struct announce *a, struct bt_str body)
{
	size_t peers = number_after(body, "5:peers");
	size_t complete = number_after(body, "8:completei");
	size_t incomplete = number_after(body, "10:incompletei");

	if (peers == SIZE_MAX || complete == SIZE_MAX ||
	    incomplete == SIZE_MAX || complete + incomplete == 0 ||
	    peers % 6 != 0 || peers > 6 * ANNOUNCE_WANT || body.n < peers ||
	    body.p[0] != 'd' || body.p[body.n - 1] != 'e')
		return false;
	a->told += peers / 6;
	return true;
}

/* The bytes of a whole reply, or 0; *ends: the tracker closes after it. */
static size_t
look_at(struct announce *a, struct bt_str in, bool *ends)
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
	    !is_good_body(a, body))
		a->bad++;
	*ends = memmem(head.p, head.n, "keep-alive", 10) == NULL;
	return head.n + length;
}

static void
on_reply(struct announce *a, struct conn *c)
{
	bool ends = false;
	ssize_t got;
	size_t took;

	if (c->have > 0)
		memcpy(h.rx, c->part, c->have);
	got = recv(c->fd, h.rx + c->have, RX - c->have, MSG_DONTWAIT);
	if (got == -1 && errno == EAGAIN)
		return;
	if (got <= 0) {
		a->lost++; /* closed instead of a reply */
		close(c->fd);
		dial(a, c);
		return;
	}
	c->have += (size_t)got;
	took = look_at(a, (struct bt_str){ h.rx, c->have }, &ends);
	if (took == 0) {
		if (c->part == NULL)
			c->part = bt_mem_alloc(RX);
		memcpy(c->part, h.rx, c->have);
		return;
	}
	if (took != c->have)
		rig_fail("more than a reply");
	announce_count_time(rig_now() - c->sent);
	a->replies++;
	c->have = 0;
	if (!ends) {
		ask(a, c);
		return;
	}
	close(c->fd);
	dial(a, c);
}

void
announce_http_run(struct announce *a, bool keep, double end)
{
	struct epoll_event evs[ANNOUNCE_EVENTS];
	int n;

	h.keep = keep;
	h.epoll = epoll_create1(EPOLL_CLOEXEC);
	h.conns = bt_mem_zero(a->window, sizeof(*h.conns));
	for (uint32_t i = 0; i < a->window; i++) {
		h.conns[i].source = i % a->nsources;
		dial(a, &h.conns[i]);
	}
	while (rig_now() < end) {
		n = epoll_wait(h.epoll, evs, ANNOUNCE_EVENTS, 100);
		for (int i = 0; i < n; i++)
			on_reply(a, &h.conns[evs[i].data.u32]);
	}
}
