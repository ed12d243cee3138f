#include "http.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/tcp.h"
#include "request.h"

#define LISTEN_MAX 64		    /* sockets; far more than anybody lists */
#define ACCEPT_MAX 64		    /* connections in one go: others wait too */
#define RX_MAX (2 * BT_REQUEST_MAX) /* one recv() */
#define TX_SOFT (64u << 10)	    /* replies are sent from here on */
#define IDLE_FACTOR 6		    /* rule 4 */
#define SPARE_MAX 1024		    /* connections kept for the next ones */
#define KEPT_MAX (32u << 20)	    /* rule 9 */
#define ROUNDS_MAX 16 /* receives of one TLS connection before others */

/* What a connection waits for. Each has a queue, oldest first. */
enum state {
	ST_IDLE,     /* the next request */
	ST_READING,  /* the rest of a request, or the first one */
	ST_WRITING,  /* room in the socket */
	ST_DRAINING, /* the end; a refusal was sent, the rest is unread */
	ST_COUNT
};

struct conn {
	TAILQ_ENTRY(conn) link;
	struct event ev;
	struct bt_http *h;
	struct bt_reply_asker from;
	struct bt_tls_conn *tls; /* NULL: none */
	int fd;
	enum state state;
	bool watched;	   /* ev is added */
	bool last;	   /* close after what is to be sent */
	bool full;	   /* full.h goes on with it after that */
	bool drain;	   /* and let the rest come in before */
	uint64_t since_ms; /* in this state */
	uint8_t *in;	   /* a part of a request */
	uint8_t *out;	   /* a part of a reply */
	uint32_t in_n, out_n, out_at;
};

TAILQ_HEAD(conns, conn);

struct listener {
	struct bt_http *h;
	struct event *ev;
	int fd;
	bool is_tls;
	enum bt_reply_stats stats;
};

struct bt_http {
	struct event_base *base;
	struct bt_service *service;
	struct bt_clerk *clerk;
	struct bt_http_conf conf;
	struct listener listeners[LISTEN_MAX];
	size_t nlisteners;
	bool paused; /* listeners rest until the next tick */
	size_t kept; /* bytes that connections wait with, in and out */
	struct conns in[ST_COUNT];
	struct conns spare;
	uint32_t nspare;
	struct bt_reply reply; /* what is being written, for one connection */
	uint8_t rx[RX_MAX];
};

struct bt_http *
bt_http_new(struct event_base *base, struct bt_service *s,
    struct bt_clerk *clerk, const struct bt_http_conf *conf)
{
	struct bt_http *h = bt_mem_zero(1, sizeof(*h));

	h->base = base;
	h->service = s;
	h->clerk = clerk;
	h->conf = *conf;
	for (int i = 0; i < ST_COUNT; i++)
		TAILQ_INIT(&h->in[i]);
	TAILQ_INIT(&h->spare);
	bt_reply_init(&h->reply, conf->proxy, conf->stats, conf->full);
	return h;
}

/* Forget it, but for the socket and what belongs to that. */
static void
conn_drop(struct conn *c)
{
	struct bt_http *h = c->h;

	if (c->watched)
		event_del(&c->ev);
	h->kept -= c->in_n + c->out_n;
	bt_mem_free(c->in);
	bt_mem_free(c->out);
	TAILQ_REMOVE(&h->in[c->state], c, link);
	if (h->nspare == SPARE_MAX) {
		bt_mem_free(c);
		return;
	}
	TAILQ_INSERT_HEAD(&h->spare, c, link);
	h->nspare++;
}

static void
conn_close(struct conn *c)
{
	struct bt_http *h = c->h;

	if (c->watched)
		event_del(&c->ev);
	c->watched = false;
	if (c->full)
		bt_full_release(h->conf.full);
	bt_tls_end(c->tls);
	close(c->fd);
	bt_quota_leave(h->conf.quota, &c->from.addr);
	conn_drop(c);
}

void
bt_http_free(struct bt_http *h)
{
	struct conn *c;

	if (h == NULL)
		return;
	bt_http_stop(h);
	for (int i = 0; i < ST_COUNT; i++)
		while ((c = TAILQ_FIRST(&h->in[i])) != NULL)
			conn_close(c);
	while ((c = TAILQ_FIRST(&h->spare)) != NULL) {
		TAILQ_REMOVE(&h->spare, c, link);
		bt_mem_free(c);
	}
	bt_reply_fini(&h->reply);
	bt_mem_free(h);
}

static void
set_state(struct conn *c, enum state state)
{
	TAILQ_REMOVE(&c->h->in[c->state], c, link);
	TAILQ_INSERT_TAIL(&c->h->in[state], c, link);
	c->state = state;
	c->since_ms = c->h->clerk->now_ms;
}

static void on_ready(evutil_socket_t fd, short what, void *arg);

/* TLS may have to read before it can write, and the other way round. */
static short
direction(const struct conn *c)
{
	bool writes = c->state == ST_WRITING;

	if (c->tls != NULL && c->state != ST_DRAINING)
		writes = bt_tls_wants_write(c->tls);
	return writes ? EV_WRITE : EV_READ;
}

/* Wait for what the state waits for. */
static void
watch(struct conn *c)
{
	short what = direction(c);

	if (c->watched && event_get_events(&c->ev) & what)
		return;
	if (c->watched)
		event_del(&c->ev);
	event_assign(&c->ev, c->h->base, c->fd, what | EV_PERSIST, on_ready, c);
	event_add(&c->ev, NULL);
	c->watched = true;
}

/* Keep n bytes in a block of their own, in place of what was kept. */
static void
keep(struct conn *c, uint8_t **block, uint32_t *block_n, const uint8_t *p,
    size_t n)
{
	uint8_t *to = n == 0 ? NULL : bt_mem_dup(p, n);

	c->h->kept = c->h->kept - *block_n + n;
	bt_mem_free(*block); /* p may lie in it */
	*block = to;
	*block_n = (uint32_t)n;
}

static ssize_t
conn_recv(struct conn *c, uint8_t *p, size_t n)
{
	ssize_t got;

	/* what comes after the end is only to be rid of */
	if (c->tls != NULL && c->state != ST_DRAINING)
		return bt_tls_recv(c->tls, p, n);
	do
		got = recv(c->fd, p, n, 0);
	while (got == -1 && errno == EINTR);
	return got;
}

/*
 * What is closed at once after is one segment with its end, where it would be
 * two: a third of all that such a connection costs.
 */
static ssize_t
conn_send(struct conn *c, const uint8_t *p, size_t n)
{
	int flags = MSG_NOSIGNAL | (c->last && !c->drain ? MSG_MORE : 0);
	ssize_t sent;

	if (c->tls != NULL)
		return bt_tls_send(c->tls, p, n);
	do
		sent = send(c->fd, p, n, flags);
	while (sent == -1 && errno == EINTR);
	return sent;
}

/*
 * Send p. Returns 1 when all went, 0 when a part is kept until the socket
 * takes more, -1 when the connection is dead.
 */
static int
send_out(struct conn *c, const uint8_t *p, size_t n)
{
	ssize_t sent = conn_send(c, p, n);

	if (sent == -1 && errno != EAGAIN)
		return -1;
	sent = sent == -1 ? 0 : sent;
	if ((size_t)sent == n)
		return 1;
	keep(c, &c->out, &c->out_n, p + sent, n - (size_t)sent);
	c->out_at = 0;
	return 0;
}

/*
 * Answer the whole requests in `in`, as many as replies are not yet to be
 * sent. Returns the bytes they took; c->last is set when no more will count.
 */
static size_t
answer(struct conn *c, struct bt_str in)
{
	struct bt_http *h = c->h;
	struct bt_request r;
	size_t at = 0;
	ssize_t took;

	while (at < in.n && !c->last && h->reply.out.n < TX_SOFT) {
		took = bt_request_parse(bt_str_sub(in, at, in.n), &r);
		if (took == 0)
			break;
		if (took == -1) {
			bt_reply_refuse(&h->reply, r.status);
			c->last = c->drain = true;
			return in.n;
		}
		at += (size_t)took;
		bt_reply_put(&h->reply, h->service, h->clerk, &r, &c->from);
		c->full = h->reply.is_full;
		h->reply.is_full = false;
		c->last = !r.keep || c->full;
	}
	return at;
}

/* All was sent, and it was the last. */
static void
finish(struct conn *c)
{
	if (c->full) {
		/* while the descriptor is ours: the other thread may close it */
		if (c->watched)
			event_del(&c->ev);
		c->watched = false;
		bt_full_begin(c->h->conf.full, c->fd, c->tls, &c->from.addr);
		conn_drop(c);
		return;
	}
	if (!c->drain) {
		conn_close(c);
		return;
	}
	/*
	 * Closing with bytes unread resets the connection, and the refusal
	 * may be lost: say that it is over, and wait for the other side.
	 */
	bt_tls_end(c->tls);
	c->tls = NULL;
	shutdown(c->fd, SHUT_WR);
	keep(c, &c->in, &c->in_n, NULL, 0);
	set_state(c, ST_DRAINING);
	watch(c);
}

/*
 * Answer what is in p (the scratch, or what the connection kept) and send it.
 * Afterwards the connection waits in its next state, or is closed. True when
 * it waits for more of what the other side says.
 */
static bool
serve(struct conn *c, const uint8_t *p, size_t n)
{
	struct bt_buf *out = &c->h->reply.out;
	size_t took;
	bool any = false;
	int rc;

	for (;;) {
		bt_buf_clear(out);
		took = answer(c, (struct bt_str){ p, n });
		p += took;
		n -= took;
		if (out->n == 0)
			break;
		any = true;
		rc = send_out(c, out->p, out->n);
		if (rc == -1) {
			conn_close(c);
			return false;
		}
		if (rc == 0) {
			keep(c, &c->in, &c->in_n, p, n);
			set_state(c, ST_WRITING);
			watch(c);
			return false;
		}
		if (c->last) {
			finish(c);
			return false;
		}
	}
	keep(c, &c->in, &c->in_n, p, n);
	/* the time that a request has does not begin anew with each byte */
	if (any || c->state != ST_READING)
		set_state(c, n == 0 ? ST_IDLE : ST_READING);
	return true;
}

/* Receive once. True when there may be more, and the connection is there. */
static bool
read_once(struct conn *c)
{
	struct bt_http *h = c->h;
	ssize_t got;

	/* answer() leaves less than a whole head behind */
	assert(c->in_n < BT_REQUEST_MAX);
	if (c->in_n > 0)
		memcpy(h->rx, c->in, c->in_n);
	got = conn_recv(c, h->rx + c->in_n, RX_MAX - c->in_n);
	if (got == -1 && errno == EAGAIN) {
		watch(c);
		return false;
	}
	if (got <= 0) {
		conn_close(c);
		return false;
	}
	if (c->state == ST_DRAINING)
		return false;
	return serve(c, h->rx, c->in_n + (size_t)got);
}

static void
read_more(struct conn *c)
{
	if (!read_once(c))
		return;
	/* TLS has read what the socket will not tell of again */
	for (int i = 1; c->tls != NULL; i++) {
		if (i == ROUNDS_MAX) {
			watch(c);
			event_active(&c->ev, EV_READ, 0);
			return;
		}
		if (!read_once(c))
			return;
	}
	watch(c);
}

static void
write_more(struct conn *c)
{
	uint8_t *in = c->in;
	uint32_t in_n = c->in_n;
	ssize_t sent;

	sent = conn_send(c, c->out + c->out_at, c->out_n - c->out_at);
	if (sent == -1 && errno == EAGAIN) {
		watch(c);
		return;
	}
	if (sent == -1) {
		conn_close(c);
		return;
	}
	c->out_at += (uint32_t)sent;
	if (c->out_at < c->out_n) {
		watch(c);
		return;
	}
	keep(c, &c->out, &c->out_n, NULL, 0);
	if (c->last) {
		finish(c);
		return;
	}
	/* what came before, and was not looked at while the reply waited */
	c->h->kept -= in_n;
	c->in = NULL;
	c->in_n = 0;
	if (serve(c, in, in_n))
		read_more(c);
	bt_mem_free(in);
}

/* Rule 9. Connections may be gone afterwards: no caller has one in hand. */
static void
shed(struct bt_http *h)
{
	struct conn *c;

	while (h->kept > KEPT_MAX) {
		c = TAILQ_FIRST(&h->in[ST_WRITING]);
		conn_close(
		    c != NULL ? c : TAILQ_LAST(&h->in[ST_READING], conns));
	}
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct bt_http *h = c->h;

	(void)fd;
	(void)what;
	bt_clerk_now(h->clerk);
	if (c->state == ST_WRITING)
		write_more(c);
	else
		read_more(c);
	shed(h);
}

/* Rule 7. The reply fits a fresh socket's buffer; if not, it is lost. */
static void
turn_away(struct listener *l, int fd, enum bt_quota_verdict verdict)
{
	struct bt_buf *out = &l->h->reply.out;

	bt_buf_clear(out);
	bt_reply_turn_away(&l->h->reply, verdict, l->stats);
	/* a handshake would be more than a refusal is worth */
	if (!l->is_tls)
		(void)!send(fd, out->p, out->n, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void
accept_conn(struct listener *l, int fd, const struct sockaddr_storage *ss)
{
	struct bt_http *h = l->h;
	struct bt_addr from = bt_tcp_addr(ss);
	enum bt_quota_verdict verdict;
	struct bt_tls_conn *tls = NULL;
	struct conn *c;

	verdict = bt_quota_enter(h->conf.quota, &from);
	if (verdict != BT_QUOTA_FINE) {
		turn_away(l, fd, verdict);
		return;
	}
	if (l->is_tls) {
		tls = bt_tls_accept(h->conf.tls, fd);
		if (tls == NULL) {
			bt_quota_leave(h->conf.quota, &from);
			close(fd);
			return;
		}
	}
	c = TAILQ_FIRST(&h->spare);
	if (c != NULL) {
		TAILQ_REMOVE(&h->spare, c, link);
		h->nspare--;
	} else
		c = bt_mem_alloc(sizeof(*c));
	*c = (struct conn){ .h = h, .fd = fd, .tls = tls, .state = ST_READING };
	c->from.addr = from;
	c->from.front = l->is_tls ? BT_STATS_HTTPS : BT_STATS_HTTP;
	c->from.stats = l->stats;
	c->since_ms = h->clerk->now_ms;
	TAILQ_INSERT_TAIL(&h->in[ST_READING], c, link);
	read_more(c);
	shed(h);
}

static void
pause_listeners(struct bt_http *h)
{
	h->paused = true;
	for (size_t i = 0; i < h->nlisteners; i++)
		event_del(h->listeners[i].ev);
}

static void
on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct listener *l = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	(void)what;
	bt_clerk_now(l->h->clerk);
	for (int i = 0; i < ACCEPT_MAX; i++) {
		len = sizeof(ss);
		fd = accept4(lfd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1)
			accept_conn(l, fd, &ss);
		else if (errno == EAGAIN)
			return;
		else if (errno == EMFILE || errno == ENFILE ||
			 errno == ENOBUFS || errno == ENOMEM) {
			pause_listeners(l->h);
			return;
		}
		/* else that one was given up by its other side */
	}
}

void
bt_http_listen(
    struct bt_http *h, int fd, bool is_tls, enum bt_reply_stats stats)
{
	struct listener *l = &h->listeners[h->nlisteners++];

	assert(h->nlisteners <= LISTEN_MAX);
	assert(!is_tls || h->conf.tls != NULL);
	l->h = h;
	l->fd = fd;
	l->is_tls = is_tls;
	l->stats = stats;
	l->ev = event_new(h->base, fd, EV_READ | EV_PERSIST, on_accept, l);
	assert(l->ev != NULL);
	event_add(l->ev, NULL);
}

void
bt_http_tick(struct bt_http *h)
{
	uint64_t limit, now = h->clerk->now_ms;
	struct conn *c;

	for (int i = 0; i < ST_COUNT; i++) {
		limit = h->conf.timeout_ms * (i == ST_IDLE ? IDLE_FACTOR : 1);
		while ((c = TAILQ_FIRST(&h->in[i])) != NULL &&
		       now - c->since_ms >= limit)
			conn_close(c);
	}
	if (!h->paused)
		return;
	h->paused = false;
	for (size_t i = 0; i < h->nlisteners; i++)
		event_add(h->listeners[i].ev, NULL);
}

bool
bt_http_stop(struct bt_http *h)
{
	struct conn *c;

	for (size_t i = 0; i < h->nlisteners; i++)
		on_accept(h->listeners[i].fd, 0, &h->listeners[i]);
	for (size_t i = 0; i < h->nlisteners; i++) {
		event_free(h->listeners[i].ev);
		close(h->listeners[i].fd);
	}
	h->nlisteners = 0;
	for (int i = 0; i < ST_COUNT; i++)
		while (i != ST_WRITING && (c = TAILQ_FIRST(&h->in[i])) != NULL)
			conn_close(c);
	return TAILQ_EMPTY(&h->in[ST_WRITING]);
}
