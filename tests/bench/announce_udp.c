#include "announce.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/rd.h"
#include "rig.h"

#define CONNECT_LEN 16u
#define PATIENCE 1.0 /* seconds until a datagram is sent again */
#define RENEW 45.0   /* BEP 15: an id is good for a minute */

static struct {
	int epoll;
	uint32_t sequence, in_flight;
	double lull; /* when datagrams were last looked for that are lost */
} u;

void
announce_udp_open(struct announce *a)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct announce_source *s;

	u.epoll = epoll_create1(EPOLL_CLOEXEC);
	a->sources = bt_mem_zero(a->nsources, sizeof(*a->sources));
	for (uint32_t i = 0; i < a->nsources; i++) {
		s = &a->sources[i];
		s->addr.sin_family = AF_INET;
		s->addr.sin_addr.s_addr =
		    htonl(0x7f010000 + (i / 250 << 8) + i % 250 + 1);
		s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (s->fd == -1 ||
		    bind(s->fd, (struct sockaddr *)&s->addr, sizeof(s->addr)) ==
			-1 ||
		    connect(s->fd, (struct sockaddr *)&a->to, sizeof(a->to)) ==
			-1)
			rig_fail("cannot make a UDP socket");
		ev.data.u32 = i;
		if (epoll_ctl(u.epoll, EPOLL_CTL_ADD, s->fd, &ev) == -1)
			rig_fail("cannot watch a socket");
	}
}

static bool
must_connect(const struct announce_source *s)
{
	return s->connection == 0 || rig_now() - s->since > RENEW;
}

/* A connect, or an announce. */
static void
put_datagram(const struct announce *a, struct announce_source *s,
    struct announce_slot *t, bool connects)
{
	const struct announce_peer *peer = &a->peers[t->peer];
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
	memcpy(p + 16, a->hashes[peer->torrent], 20);
	memcpy(p + 36, "-BQ0100-", 8);
	bt_put_be32(p + 44, t->peer);
	bt_put_be64(p + 64, peer->seed ? 0 : 1 << 20);
	bt_put_be32(p + 80, a->filling ? 2 : 0);
	bt_put_be32(p + 88, t->peer * 2654435761u | 1);
	bt_put_be32(p + 92, a->filling ? 0 : ANNOUNCE_WANT);
	bt_put_be16(p + 96, peer->port);
	t->n = sizeof(t->packet);
}

/* Say something new in a free slot, if there is anything to say. */
static bool
begin_ask(
    struct announce *a, struct announce_source *s, struct announce_slot *t)
{
	uint32_t source = (uint32_t)(s - a->sources);
	bool connects = must_connect(s);
	uint64_t peer;

	if (!a->filling) {
		t->peer = announce_pick_peer(a, source);
	} else if (!connects) {
		peer = source + (uint64_t)a->nsources * s->next_fill;
		if (peer >= a->npeers)
			return false;
		t->peer = (uint32_t)peer;
		s->next_fill++;
	}
	t->transaction = u.sequence++ << 8 | (uint32_t)(t - s->slots);
	put_datagram(a, s, t, connects);
	t->sent = rig_now();
	u.in_flight++;
	return true;
}

static void
send_slots(
    struct announce_source *s, struct announce_slot *const slots[], unsigned n)
{
	struct mmsghdr m[ANNOUNCE_SLOTS] = { 0 };
	struct iovec iov[ANNOUNCE_SLOTS];

	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ slots[i]->packet, slots[i]->n };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	/* what the socket does not take is sent again as lost */
	(void)!sendmmsg(s->fd, m, n, 0);
}

static bool
is_good_datagram(const struct announce_slot *t, const uint8_t *p, size_t n)
{
	if (t->n == CONNECT_LEN)
		return n == 16 && bt_be32(p) == 0 && bt_be64(p + 8) != 0;
	return n >= 20 && (n - 20) % 6 == 0 && bt_be32(p) == 1 &&
	       (n - 20) / 6 <= ANNOUNCE_WANT &&
	       bt_be32(p + 12) + bt_be32(p + 16) > 0;
}

static struct announce_slot *
take_datagram(
    struct announce *a, struct announce_source *s, const uint8_t *p, size_t n)
{
	struct announce_slot *t = &s->slots[n < 8 ? 0 : p[7] % ANNOUNCE_SLOTS];

	if (n < 8 || t->sent == 0 || bt_be32(p + 4) != t->transaction)
		return NULL; /* one that was said to be lost */
	if (!is_good_datagram(t, p, n)) {
		a->bad++;
	} else if (t->n == CONNECT_LEN) {
		s->connection = bt_be64(p + 8);
		s->since = rig_now();
	} else {
		announce_count_time(rig_now() - t->sent);
		a->told += (n - 20) / 6;
		a->replies++;
	}
	t->sent = 0;
	u.in_flight--;
	return t;
}

static void
on_datagrams(struct announce *a, struct announce_source *s)
{
	static uint8_t rx[ANNOUNCE_SLOTS][1500];
	struct mmsghdr m[ANNOUNCE_SLOTS] = { 0 };
	struct iovec iov[ANNOUNCE_SLOTS];
	struct announce_slot *free[ANNOUNCE_SLOTS], *t;
	bool connecting = s->connection == 0;
	unsigned nfree = 0;
	int n;

	for (unsigned i = 0; i < ANNOUNCE_SLOTS; i++) {
		iov[i] = (struct iovec){ rx[i], sizeof(rx[i]) };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(s->fd, m, a->window, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		t = take_datagram(a, s, rx[i], m[i].msg_len);
		if (t != NULL && begin_ask(a, s, t))
			free[nfree++] = t;
	}
	/* one slot asked for the id; now the others may begin */
	for (unsigned i = 1; connecting && i < a->window; i++)
		if (s->slots[i].sent == 0 && begin_ask(a, s, &s->slots[i]))
			free[nfree++] = &s->slots[i];
	send_slots(s, free, nfree);
}

static void
send_again(struct announce *a)
{
	double now = rig_now();
	struct announce_slot *t;

	if (now - u.lull < PATIENCE / 4)
		return;
	u.lull = now;
	for (uint32_t i = 0; i < a->nsources; i++)
		for (unsigned j = 0; j < a->window; j++) {
			t = &a->sources[i].slots[j];
			if (t->sent == 0 || now - t->sent < PATIENCE)
				continue;
			a->lost++;
			t->sent = now;
			send_slots(&a->sources[i], &t, 1);
		}
}

void
announce_udp_run(struct announce *a, double end)
{
	struct epoll_event evs[ANNOUNCE_EVENTS];
	struct announce_slot *first;
	int n;

	for (uint32_t i = 0; i < a->nsources; i++)
		for (unsigned j = 0; j < a->window; j++) {
			first = &a->sources[i].slots[j];
			if (a->sources[i].connection == 0 && j > 0)
				break;
			if (first->sent == 0 &&
			    begin_ask(a, &a->sources[i], first))
				send_slots(&a->sources[i], &first, 1);
		}
	while (a->filling ? u.in_flight > 0 : rig_now() < end) {
		n = epoll_wait(u.epoll, evs, ANNOUNCE_EVENTS, 100);
		for (int i = 0; i < n; i++)
			on_datagrams(a, &a->sources[evs[i].data.u32]);
		send_again(a);
	}
}
