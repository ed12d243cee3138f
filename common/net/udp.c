#include "net/udp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/htab.h"
#include "base/mem.h"
#include "base/rd.h"
#include "net/coin.h"
#include "net/tcp.h"
#include "net/udpsock.h"

#define CONNECTION_US (60 * BT_LOOP_SECOND) /* BEP 15: one minute */
#define FIRST_WAIT_US (15 * BT_LOOP_SECOND) /* BEP 15: 15 * 2 ^ n seconds */
#define RESENDS_MAX 8			    /* BEP 15: n up to 8 */
#define FRESH_MAX 64u /* a burst that a socket's buffer holds */
#define NAME_US (300 * BT_LOOP_SECOND) /* a name is looked up again after */

/* Who waits for a packet with a certain transaction id. */
struct party {
	uint32_t id; /* 0: none, is not in the table */
	struct tracker *tracker;
	struct bt_udp_query *query; /* NULL: the tracker's connect */
};

struct bt_udp_query {
	struct bt_udp_query *next, **link; /* in its tracker */
	struct party party;
	struct bt_udp_request request;
	uint8_t *url_data;
	uint8_t (*hashes)[20];
	struct bt_loop_timer *timer;
	int64_t asked_at;
	unsigned resends;
	bool out;	/* sent; else it waits for a connection id */
	bool reconnect; /* a connection id was refused once already */
	bool doomed;	/* of those that a failure takes along */
	void (*done)(
	    void *arg, const struct bt_udp_reply *r, const struct bt_err *err);
	void *arg;
};

struct tracker {
	struct tracker *next;
	struct bt_udp *udp;
	char *host;
	uint16_t port;
	uint8_t family;
	struct bt_addr addrs[BT_DNS_ADDRS_MAX];
	size_t naddrs, at;
	int64_t named_at;
	struct bt_dns_query *dns;

	uint64_t connection;
	bool has_connection;
	int64_t connected_at;
	struct party party; /* a connect is out while it has an id */
	unsigned resends;
	int64_t sent_at;
	struct bt_loop_timer *timer; /* for the connect, or to step */

	struct bt_udp_query *queries, **tail;
	unsigned fresh; /* out, and never sent again */
};

struct bt_udp {
	struct bt_loop *loop;
	struct bt_dns *dns;
	struct bt_addr bind;
	struct line {
		struct bt_udp *udp;
		uint8_t family;
		struct bt_udpsock *sock; /* NULL until it is needed */
	} lines[2];
	struct tracker *trackers;
	struct bt_htab *parties; /* by transaction id */
};

static void step(struct tracker *t);
static void on_packet(void *arg, struct bt_str in, const struct bt_addr *from);
static void on_error(
    void *arg, struct bt_str sent, const struct bt_addr *to, int code);

static int64_t
wait_us(unsigned resends)
{
	return FIRST_WAIT_US << resends;
}

static void
leave(struct party *p)
{
	if (p->id != 0)
		bt_htab_del(p->tracker->udp->parties, &p->id);
	p->id = 0;
}

static void
join(struct party *p)
{
	struct bt_htab *parties = p->tracker->udp->parties;

	leave(p);
	do {
		p->id = bt_coin_u32();
	} while (p->id == 0 || bt_htab_get(parties, &p->id) != NULL);
	bt_htab_put(parties, &p->id, p);
}

/* Take a query out of everything; its memory stays. */
static void
unlink_query(struct bt_udp_query *q)
{
	struct tracker *t = q->party.tracker;

	if (q->out && q->resends == 0)
		t->fresh--;
	leave(&q->party);
	*q->link = q->next;
	if (q->next != NULL)
		q->next->link = q->link;
	else
		t->tail = q->link;
}

static void
free_query(struct bt_udp_query *q)
{
	bt_loop_timer_free(q->timer);
	bt_mem_free(q->url_data);
	bt_mem_free(q->hashes);
	bt_mem_free(q);
}

static void
finish(struct bt_udp_query *q, const struct bt_udp_reply *r,
    const struct bt_err *err)
{
	unlink_query(q);
	q->done(q->arg, r, err);
	free_query(q);
}

void
bt_udp_cancel(struct bt_udp_query *q)
{
	struct tracker *t;

	if (q == NULL)
		return;
	t = q->party.tracker;
	unlink_query(q);
	free_query(q);
	/* another may go in its place, or nothing is left to wait for */
	bt_loop_timer_in(t->timer, 0);
}

/*
 * Every question that waits now fails. A callback may cancel any of them and
 * ask anew: the mark tells the old ones from the new.
 */
static void
fail_waiting(struct tracker *t, const struct bt_err *err)
{
	struct bt_udp_query *q;

	leave(&t->party);
	for (q = t->queries; q != NULL; q = q->next)
		q->doomed = !q->out;
	for (;;) {
		for (q = t->queries; q != NULL && !q->doomed; q = q->next)
			;
		if (q == NULL)
			break;
		finish(q, NULL, err);
	}
	bt_loop_timer_in(t->timer, 0);
}

static struct line *
line_of(struct tracker *t)
{
	return &t->udp->lines[t->family == 4 ? 0 : 1];
}

/* 0, or an errno value. */
static int
send_packet(struct tracker *t, struct bt_udp_request *request)
{
	struct bt_buf packet;
	int code = EMSGSIZE;

	bt_buf_init(&packet, BT_UDP_REQUEST_MAX);
	if (bt_udp_request_put(&packet, request) == -1)
		/* its URLData is too long: without it then */
		request->url_data = (struct bt_str){ NULL, 0 };
	if (packet.n > 0 || bt_udp_request_put(&packet, request) == 0)
		code = bt_udpsock_send(
		    line_of(t)->sock, bt_buf_str(&packet), &t->addrs[t->at]);
	bt_buf_fini(&packet);
	return code;
}

static void
send_failed(struct tracker *t, int code)
{
	struct bt_err err = BT_ERR_INIT;

	bt_err_set(&err, BT_ENET, "%s", bt_tcp_reason(code));
	fail_waiting(t, &err);
}

static void
send_connect(struct tracker *t)
{
	struct bt_udp_request request = { .action = BT_UDP_CONNECT,
		.connection = BT_UDP_MAGIC };
	int code;

	join(&t->party);
	request.transaction = t->party.id;
	t->sent_at = bt_loop_now(t->udp->loop);
	bt_loop_timer_in(t->timer, wait_us(t->resends));
	code = send_packet(t, &request);
	if (code != 0)
		send_failed(t, code);
}

static bool
send_query(struct bt_udp_query *q)
{
	struct tracker *t = q->party.tracker;
	int code;

	join(&q->party);
	q->request.transaction = q->party.id;
	q->request.connection = t->connection;
	code = send_packet(t, &q->request);
	if (code != 0) {
		send_failed(t, code);
		return false;
	}
	q->out = true;
	if (q->resends == 0)
		t->fresh++;
	bt_loop_timer_in(q->timer, wait_us(q->resends));
	return true;
}

static void
on_named(void *arg, const struct bt_addr *a, size_t n, const char *why)
{
	struct tracker *t = arg;
	struct bt_err err = BT_ERR_INIT;

	t->dns = NULL;
	if (n == 0) {
		bt_err_set(&err, BT_ENET, "%s", why);
		fail_waiting(t, &err);
		return;
	}
	memcpy(t->addrs, a, n * sizeof(*a));
	t->naddrs = n;
	t->at = 0;
	t->named_at = bt_loop_now(t->udp->loop);
	step(t);
}

/* The least often sent of those that wait; RESENDS_MAX + 1 if none does. */
static unsigned
least_resends(const struct tracker *t)
{
	unsigned least = RESENDS_MAX + 1;

	for (struct bt_udp_query *q = t->queries; q != NULL; q = q->next)
		if (!q->out && q->resends < least)
			least = q->resends;
	return least;
}

static void
send_waiting(struct tracker *t)
{
	struct bt_udp_query *q, *next;

	for (q = t->queries; q != NULL && t->fresh < FRESH_MAX; q = next) {
		next = q->next;
		if (!q->out && !send_query(q))
			return;
	}
}

/* The socket is opened when the first question needs it. */
static bool
open_line(struct line *line)
{
	struct bt_udpsock_calls calls = { on_packet, on_error, line };
	struct bt_addr any = { .family = line->family };

	if (line->udp->bind.family == line->family)
		any = line->udp->bind;
	if (line->sock == NULL)
		line->sock = bt_udpsock_new(line->udp->loop, &any, &calls);
	return line->sock != NULL;
}

/* Do what this tracker's questions need next. */
static void
step(struct tracker *t)
{
	int64_t now = bt_loop_now(t->udp->loop);
	unsigned least = least_resends(t);

	if (least > RESENDS_MAX || t->dns != NULL)
		return;
	if (!open_line(line_of(t))) {
		send_failed(t, errno);
		return;
	}
	if (t->naddrs == 0 ||
	    (t->party.id == 0 && now - t->named_at > NAME_US)) {
		t->dns = bt_dns_resolve(t->udp->dns, bt_str_of(t->host),
		    t->port, t->family, on_named, t);
		return;
	}
	if (t->has_connection && now - t->connected_at < CONNECTION_US) {
		send_waiting(t);
		return;
	}
	t->has_connection = false;
	if (t->party.id == 0) {
		t->resends = least;
		send_connect(t);
	} else if (least == 0 && now - t->sent_at > FIRST_WAIT_US) {
		/* somebody new need not wait for an hour's silence */
		t->resends = 0;
		send_connect(t);
	}
}

/* A connect is not answered; or something was put off. */
static void
on_tracker_timer(void *arg)
{
	struct tracker *t = arg;
	struct bt_err err = BT_ERR_INIT;
	int64_t now = bt_loop_now(t->udp->loop);

	if (t->party.id == 0) {
		step(t);
		return;
	}
	if (least_resends(t) > RESENDS_MAX) {
		leave(&t->party);
		return;
	}
	if (now - t->sent_at < wait_us(t->resends)) {
		bt_loop_timer_at(t->timer, t->sent_at + wait_us(t->resends));
		step(t);
		return;
	}
	if (t->resends == RESENDS_MAX) {
		bt_err_set(&err, BT_ETIMEOUT, "no answer");
		fail_waiting(t, &err);
		return;
	}
	t->resends++;
	for (struct bt_udp_query *q = t->queries; q != NULL; q = q->next)
		if (!q->out && q->resends < t->resends)
			q->resends = t->resends;
	t->at = (t->at + 1) % t->naddrs;
	send_connect(t);
}

static void
on_query_timer(void *arg)
{
	struct bt_udp_query *q = arg;
	struct tracker *t = q->party.tracker;
	struct bt_err err = BT_ERR_INIT;

	if (q->resends == RESENDS_MAX) {
		bt_err_set(&err, BT_ETIMEOUT, "no answer");
		finish(q, NULL, &err);
		bt_loop_timer_in(t->timer, 0);
		return;
	}
	if (q->resends == 0)
		t->fresh--;
	leave(&q->party);
	q->out = false;
	q->resends++;
	step(t);
}

static bool
is_address_of(const struct tracker *t, const struct bt_addr *from)
{
	for (size_t i = 0; i < t->naddrs; i++)
		if (bt_addr_eq(&t->addrs[i], from))
			return true;
	return false;
}

static void
on_refused(struct party *p, const struct bt_udp_reply *r)
{
	struct tracker *t = p->tracker;
	struct bt_udp_query *q = p->query;
	struct bt_err err = BT_ERR_INIT;
	char text[BT_ERR_TEXT_MAX];

	/* our connection id may be one of a tracker that began anew */
	if (q != NULL && !q->reconnect && t->connected_at <= q->asked_at) {
		q->reconnect = true;
		t->has_connection = false;
		if (q->resends == 0)
			t->fresh--;
		leave(&q->party);
		bt_loop_timer_off(q->timer);
		q->out = false;
		step(t);
		return;
	}
	bt_str_printable(r->error, text, sizeof(text));
	bt_err_set(&err, BT_EREFUSED, "%s",
	    r->error.n == 0 ? "no reason given" : text);
	if (q == NULL) {
		fail_waiting(t, &err);
		return;
	}
	finish(q, NULL, &err);
	bt_loop_timer_in(t->timer, 0);
}

static void
on_packet(void *arg, struct bt_str in, const struct bt_addr *from)
{
	struct line *line = arg;
	struct bt_udp_reply r;
	struct bt_udp_query *q;
	struct tracker *t;
	struct party *p;

	if (bt_udp_reply_parse(in, line->family, &r) == -1)
		return;
	p = bt_htab_get(line->udp->parties, &r.transaction);
	if (p == NULL || !is_address_of(p->tracker, from))
		return;
	t = p->tracker;
	q = p->query;
	if (r.action == BT_UDP_ERROR)
		on_refused(p, &r);
	else if (q == NULL && r.action == BT_UDP_CONNECT) {
		leave(p);
		t->connection = r.connection;
		t->has_connection = true;
		t->connected_at = bt_loop_now(line->udp->loop);
		step(t);
	} else if (q != NULL && r.action == q->request.action) {
		finish(q, &r, NULL);
		bt_loop_timer_in(t->timer, 0);
	}
}

/*
 * By ICMP a packet of ours did not arrive: the transaction id in it tells
 * whose it was.
 */
static void
on_error(void *arg, struct bt_str sent, const struct bt_addr *to, int code)
{
	struct line *line = arg;
	struct bt_err err = BT_ERR_INIT;
	struct tracker *t;
	struct party *p;
	uint32_t id;

	if (sent.n < 16)
		return;
	id = bt_be32(sent.p + 12); /* BEP 15: after connection id, action */
	p = bt_htab_get(line->udp->parties, &id);
	if (p == NULL || !is_address_of(p->tracker, to))
		return;
	t = p->tracker;
	bt_err_set(&err, BT_ENET, "%s", bt_tcp_reason(code));
	t->has_connection = false;
	if (p->query == NULL) {
		fail_waiting(t, &err);
		return;
	}
	finish(p->query, NULL, &err);
	bt_loop_timer_in(t->timer, 0);
}

static void
free_tracker(struct tracker *t)
{
	while (t->queries != NULL)
		bt_udp_cancel(t->queries);
	leave(&t->party);
	bt_dns_cancel(t->dns);
	bt_loop_timer_free(t->timer);
	bt_mem_free(t->host);
	bt_mem_free(t);
}

struct bt_udp *
bt_udp_new(struct bt_loop *l, struct bt_dns *dns, const struct bt_addr *bind)
{
	struct bt_udp *u;
	uint8_t key[16];

	bt_coin_fill(key, sizeof(key));
	u = bt_mem_zero(1, sizeof(*u));
	u->loop = l;
	u->dns = dns;
	u->bind = *bind;
	u->bind.port = 0;
	u->parties = bt_htab_new(sizeof(uint32_t), key);
	for (int i = 0; i < 2; i++) {
		u->lines[i].udp = u;
		u->lines[i].family = i == 0 ? 4 : 6;
	}
	return u;
}

void
bt_udp_free(struct bt_udp *u)
{
	struct tracker *t;

	if (u == NULL)
		return;
	while (u->trackers != NULL) {
		t = u->trackers;
		u->trackers = t->next;
		free_tracker(t);
	}
	for (int i = 0; i < 2; i++)
		bt_udpsock_free(u->lines[i].sock);
	bt_htab_free(u->parties);
	bt_mem_free(u);
}

static struct tracker *
tracker_of(struct bt_udp *u, struct bt_str host, uint16_t port, uint8_t family)
{
	struct tracker *t;

	for (t = u->trackers; t != NULL; t = t->next)
		if (t->port == port && t->family == family &&
		    bt_str_eq(bt_str_of(t->host), host))
			return t;
	t = bt_mem_zero(1, sizeof(*t));
	t->udp = u;
	t->host = bt_str_dup(host);
	t->port = port;
	t->family = family;
	t->party.tracker = t;
	t->tail = &t->queries;
	t->timer = bt_loop_timer_new(u->loop, on_tracker_timer, t);
	t->next = u->trackers;
	u->trackers = t;
	return t;
}

struct bt_udp_query *
bt_udp_ask(struct bt_udp *u, struct bt_str host, uint16_t port, uint8_t family,
    const struct bt_udp_request *request,
    void (*done)(
	void *arg, const struct bt_udp_reply *r, const struct bt_err *err),
    void *arg)
{
	struct bt_udp_query *q;
	struct tracker *t;

	assert(family == 4 || family == 6);
	t = tracker_of(u, host, port, family);
	q = bt_mem_zero(1, sizeof(*q));
	q->party.tracker = t;
	q->party.query = q;
	q->request = *request;
	q->request.announce.trackerid = (struct bt_str){ NULL, 0 };
	q->url_data = bt_mem_dup(request->url_data.p, request->url_data.n);
	q->request.url_data.p = q->url_data;
	q->hashes = bt_mem_dup(request->hashes, request->nhashes * 20);
	q->request.hashes = (const uint8_t(*)[20])(uintptr_t)q->hashes;
	q->asked_at = bt_loop_now(u->loop);
	q->timer = bt_loop_timer_new(u->loop, on_query_timer, q);
	q->done = done;
	q->arg = arg;
	q->link = t->tail;
	*t->tail = q;
	t->tail = &q->next;
	bt_loop_timer_in(t->timer, 0);
	return q;
}
