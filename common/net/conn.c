#include "net/client_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/crowd.h"

static void on_ready(void *arg, unsigned what);

static struct bt_conn *
conn_new(struct bt_client *c, int fd, const struct bt_addr *addr,
    enum conn_state state)
{
	struct bt_conn *conn = bt_mem_zero(1, sizeof(*conn));

	conn->client = c;
	conn->fd = fd;
	conn->addr = *addr;
	conn->state = state;
	conn->batch = BATCH_LEN;
	conn->since = bt_loop_now(c->conf.loop);
	conn->watch = bt_loop_watch_new(c->conf.loop, fd, on_ready, conn);
	if (state != CONN_STRANGER)
		c->nconns++;
	return conn;
}

static void
leave_down_line(struct bt_conn *conn)
{
	conn->in_down = false;
	conn->client->ndown--;
	TAILQ_REMOVE(&conn->client->down_line, conn, down);
}

static void
leave_strangers(struct bt_conn *conn)
{
	conn->client->nstrangers--;
	TAILQ_REMOVE(&conn->client->strangers, conn, stranger);
}

void
bt_conn_free(struct bt_conn *conn)
{
	struct bt_client *c = conn->client;

	if (conn->in_up) {
		TAILQ_REMOVE(&c->up_line, conn, up);
		c->nup--;
	}
	if (conn->in_down)
		leave_down_line(conn);
	if (conn->state == CONN_STRANGER)
		leave_strangers(conn);
	else
		c->nconns--;
	if (conn->wants_send)
		TAILQ_REMOVE(&conn->swarm->senders, conn, sender);
	if (conn->swarm != NULL)
		conn->swarm->conns[(uint32_t)conn->slot] = NULL;
	/* A job that is out belongs to its worker; bt_send_on_cold frees it. */
	bt_send_drop(conn);
	bt_loop_watch_free(conn->watch);
	close(conn->fd);
	bt_mem_free(conn);
}

void
bt_conn_watch(struct bt_conn *conn, unsigned add, unsigned remove)
{
	unsigned waits = (conn->waits | add) & ~remove;

	if (waits == conn->waits)
		return;
	conn->waits = waits;
	bt_loop_watch_set(conn->watch, waits);
}

/* A stranger that is not taken. */
static void
dismiss(struct bt_conn *conn, const char *why)
{
	char text[BT_ADDR_TEXT_MAX];

	bt_log_put(conn->client->conf.log, BT_LOG_INFO, "closed %s: %s",
	    bt_addr_text(&conn->addr, text), why);
	bt_conn_free(conn);
}

/*
 * The oldest stranger makes room for the newest, so that a crowd of idle
 * connections never shuts the next peer out.
 */
void
bt_conn_accept(struct bt_client *c, int fd, const struct bt_addr *from)
{
	struct bt_conn *conn;

	if (c->nstrangers >= c->strangers_max)
		dismiss(TAILQ_FIRST(&c->strangers),
		    "it makes room for others, without a handshake yet");
	conn = conn_new(c, fd, from, CONN_STRANGER);
	TAILQ_INSERT_TAIL(&c->strangers, conn, stranger);
	if (c->nstrangers++ == 0)
		bt_loop_timer_in(c->stranger_timer, BT_CLIENT_STRANGER_US);
	bt_conn_watch(conn, BT_LOOP_READ, 0);
}

void
bt_conn_expire(struct bt_client *c)
{
	struct bt_conn *conn;
	int64_t now = bt_loop_now(c->conf.loop);

	while ((conn = TAILQ_FIRST(&c->strangers)) != NULL &&
	       conn->since + BT_CLIENT_STRANGER_US <= now)
		dismiss(conn, "no handshake came in time");
	if (conn != NULL)
		bt_loop_timer_at(
		    c->stranger_timer, conn->since + BT_CLIENT_STRANGER_US);
}

void
bt_conn_dial(struct bt_swarm *s, uint64_t slot, const struct bt_addr *to)
{
	struct bt_client *c = s->client;
	struct bt_conn *conn;
	bool off =
	    (to->family == 4 && !c->conf.ipv4) ||
	    (to->family == 6 && !c->conf.ipv6) ||
	    (c->conf.bind.family != 0 && c->conf.bind.family != to->family);
	int fd = -1;

	if (!off && c->nconns < c->peers_max)
		fd = bt_tcp_dial(to, &c->conf.bind);
	if (fd == -1) {
		bt_torrent_on_closed(
		    s->torrent, slot, bt_loop_now(c->conf.loop));
		return;
	}
	conn = conn_new(c, fd, to, CONN_DIALLING);
	conn->slot = slot;
	bt_swarm_link(s, conn);
	bt_conn_watch(conn, BT_LOOP_WRITE, 0);
}

static void
on_dialled(struct bt_conn *conn)
{
	struct bt_swarm *s = conn->swarm;
	char text[BT_ADDR_TEXT_MAX];
	int64_t now = bt_loop_now(conn->client->conf.loop);
	int code = bt_tcp_dial_result(conn->fd);

	if (code != 0) {
		bt_log_put(conn->client->conf.log, BT_LOG_INFO,
		    "cannot reach %s: %s", bt_addr_text(&conn->addr, text),
		    strerror(code));
		bt_torrent_on_closed(s->torrent, conn->slot, now);
	} else {
		conn->state = CONN_PEER;
		bt_conn_watch(conn, BT_LOOP_READ, BT_LOOP_WRITE);
		bt_torrent_on_connected(s->torrent, conn->slot, now);
	}
	bt_swarm_step(s);
}

/*
 * Nobody goes for who is not taken. A torrent that is full makes room itself;
 * of a process that is full, the one with the most peers does. That one closes
 * in its next step, so that it does not dial into the place.
 */
static bool
has_place(struct bt_swarm *s, const struct bt_addr *from, int64_t now)
{
	struct bt_client *c = s->client;
	struct bt_swarm *most = s, *other;
	const void *key;
	void *value;
	size_t at = 0;

	if (!bt_crowd_would_accept(s->torrent, from, now))
		return false;
	if (c->nconns < c->peers_max || bt_crowd_is_full(s->torrent))
		return true;
	while (bt_htab_next(c->swarms, &at, &key, &value)) {
		other = value;
		if (bt_crowd_size(other->torrent) >
		    bt_crowd_size(most->torrent))
			most = other;
	}
	if (!bt_crowd_make_room(most->torrent, from, now))
		return false;
	bt_loop_timer_in(most->tick, 0);
	return true;
}

/*
 * Who calls names the torrent in the first 48 bytes of its handshake. What came
 * is given to that torrent, which reads it again as any other bytes.
 */
static void
on_hello(struct bt_conn *conn)
{
	struct bt_place place = { conn->hello + conn->nhello,
		sizeof(conn->hello) - conn->nhello };
	struct bt_handshake h;
	struct bt_swarm *s = NULL;
	ssize_t n = bt_tcp_recv(conn->fd, &place, 1);
	int64_t now = bt_loop_now(conn->client->conf.loop);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n > 0) {
		conn->nhello += (size_t)n;
		if (bt_handshake_parse(
			(struct bt_str){ conn->hello, conn->nhello }, &h) < 0) {
			dismiss(conn, "it does not speak BitTorrent");
			return;
		}
		/* The peer id may lag behind; the hash is enough to go on. */
		if (conn->nhello < 48)
			return;
		s = bt_htab_get(conn->client->swarms, conn->hello + 28);
	}
	if (n <= 0) {
		bt_conn_free(conn); /* it went */
		return;
	}
	if (s == NULL || !s->is_running) {
		dismiss(conn, s == NULL ? "it wants a torrent that is not here"
					: "its torrent is not running here");
		return;
	}
	if (has_place(s, &conn->addr, now))
		conn->slot =
		    bt_torrent_on_accepted(s->torrent, &conn->addr, now);
	if (conn->slot == 0) {
		dismiss(conn, "it is banned, or there is no place for it");
		return;
	}
	leave_strangers(conn);
	conn->client->nconns++;
	conn->state = CONN_PEER;
	bt_swarm_link(s, conn);
	bt_torrent_rx_bytes(s->torrent, conn->slot,
	    (struct bt_str){ conn->hello, conn->nhello }, now);
	bt_swarm_step(s);
}

uint64_t
bt_conn_turn(const struct bt_bucket *all, const struct bt_bucket *own)
{
	uint64_t a = bt_bucket_turn(all), b = bt_bucket_turn(own);

	return a < b ? a : b;
}

/* Receive at most `most` bytes. Returns bytes, or 0 when it is to stop. */
static size_t
receive(struct bt_conn *conn, uint64_t most)
{
	struct bt_client *c = conn->client;
	struct bt_torrent *t = conn->swarm->torrent;
	struct bt_place scratch = { c->scratch, SCRATCH_LEN };
	struct bt_lend lend;
	ssize_t got;
	int64_t now = bt_loop_now(c->conf.loop);

	if (most > SCRATCH_LEN)
		most = SCRATCH_LEN;
	bt_torrent_rx_space(t, conn->slot, scratch, most, &lend);
	if (lend.n == 0)
		return 0;
	got = bt_tcp_recv(conn->fd, lend.places, lend.n);
	if (got == -1 && errno == EAGAIN) {
		bt_torrent_rx(t, conn->slot, &lend, 0, now);
		return 0;
	}
	if (got <= 0) {
		bt_torrent_on_closed(t, conn->slot, now);
		return 0;
	}
	bt_bucket_take(&c->down, (uint64_t)got);
	bt_bucket_take(&conn->swarm->down, (uint64_t)got);
	bt_torrent_rx(t, conn->slot, &lend, (size_t)got, now);
	/* A short read emptied the socket: level triggering tells of more. */
	return (size_t)got < most ? 0 : (size_t)got;
}

static bool
is_limited(const struct bt_conn *conn)
{
	return conn->client->down.limit_bps != 0 ||
	       conn->swarm->down.limit_bps != 0;
}

static void
wait_for_turn(struct bt_conn *conn)
{
	if (conn->in_down)
		return;
	conn->in_down = true;
	conn->client->ndown++;
	TAILQ_INSERT_TAIL(&conn->client->down_line, conn, down);
	bt_conn_watch(conn, 0, BT_LOOP_READ);
}

static void
on_readable(struct bt_conn *conn)
{
	struct bt_swarm *s = conn->swarm;
	size_t sum = 0, n;

	if (is_limited(conn)) {
		wait_for_turn(conn);
		bt_conn_pump_down(conn->client);
		return;
	}
	do {
		n = receive(conn, SCRATCH_LEN);
		sum += n;
	} while (n > 0 && sum < EVENT_BYTES);
	bt_swarm_step(s);
}

/*
 * By turns: who waits longest reads next and, when its socket has more, waits
 * again behind the others. A turn begins when all of it may be read: reading
 * the little that has become due since the last look would never end. One whose
 * own torrent may not read now goes to the end of the line.
 */
void
bt_conn_pump_down(struct bt_client *c)
{
	struct bt_conn *conn;
	struct bt_swarm *s;
	int64_t now = bt_loop_now(c->conf.loop), when, first = BT_NEVER;
	uint64_t turn;
	unsigned idle = 0;

	while (idle < c->ndown && (conn = TAILQ_FIRST(&c->down_line)) != NULL) {
		s = conn->swarm;
		turn = bt_conn_turn(&c->down, &s->down);
		if (bt_bucket_may(&c->down, now) < turn) {
			first = bt_bucket_wait(&c->down, turn, now);
			break;
		}
		leave_down_line(conn);
		if (bt_bucket_may(&s->down, now) < turn) {
			wait_for_turn(conn);
			idle++;
			when = bt_bucket_wait(&s->down, turn, now);
			if (when < first)
				first = when;
			continue;
		}
		if (receive(conn, turn) > 0)
			wait_for_turn(conn);
		else
			bt_conn_watch(conn, BT_LOOP_READ, 0);
		bt_swarm_step(s);
		idle = 0;
	}
	if (first != BT_NEVER)
		bt_loop_timer_at(c->down_timer, first);
}

static void
on_ready(void *arg, unsigned what)
{
	struct bt_conn *conn = arg;

	if (conn->state == CONN_DIALLING) {
		on_dialled(conn);
		return;
	}
	if (conn->state == CONN_STRANGER) {
		on_hello(conn);
		return;
	}
	if (what & BT_LOOP_WRITE) {
		struct bt_swarm *s = conn->swarm;
		uint64_t slot = conn->slot;

		conn->blocked = false;
		bt_conn_watch(conn, 0, BT_LOOP_WRITE);
		bt_send_run(conn);
		bt_swarm_step(s);
		if (bt_swarm_conn(s, slot) != conn)
			return;
	}
	if (what & BT_LOOP_READ)
		on_readable(conn);
}
