#include "net.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/rate.h"

struct chunk {
	struct sim_end *from;
	uint32_t n; /* 0: the end of the stream */
	uint8_t bytes[];
};

/* The network between them is broken, for a while. */
static bool
is_parted(const struct sim_host *a, const struct sim_host *b)
{
	return a->sim->parted && a->side != b->side;
}

int64_t
sim_net_heard(const struct sim_end *e, int64_t said)
{
	const struct sim *s = e->host->sim;

	if (e->host->side == e->peer->host->side || said > s->heals_at)
		return said;
	return s->parted ? s->now : s->heals_at;
}

static int64_t
latency(const struct sim_end *e)
{
	return e->host->latency_us + e->peer->host->latency_us;
}

/* How long n bytes take; what is less than a microsecond is carried on. */
static int64_t
span(uint64_t n, uint64_t bps, uint64_t *carry)
{
	uint64_t us = n * 1000000 + *carry;

	assert(bps > 0);
	*carry = us % bps;
	return (int64_t)(us / bps);
}

static void deliver(struct sim *s, void *what, uint64_t arg);

/* The downlink takes what arrives one after the other. */
static void
arrive(struct sim *s, void *what, uint64_t arg)
{
	struct chunk *c = what;
	struct sim_host *h = c->from->peer->host;
	int64_t start = h->down_free, at;

	if (c->n > 0 && !c->from->host->up)
		c->from->is_torn = true;
	if (s->is_over || !h->up || (c->n > 0 && c->from->is_torn)) {
		bt_mem_free(c);
		return;
	}
	if (is_parted(c->from->host, h)) { /* sent again until it comes */
		sim_heap_put(&s->heap, s->heals_at, arrive, c, arg);
		return;
	}
	if (start < s->now)
		start = s->now;
	at = start + span(c->n, h->down_bps, &h->down_carry);
	if (at == s->now && h->down_free < s->now && h->nap_us == 0) {
		deliver(s, what, arg);
		return;
	}
	h->down_free = at;
	if (h->nap_us > 0)
		at = (at + h->nap_us - 1) / h->nap_us * h->nap_us;
	sim_heap_put(&s->heap, at, deliver, c, arg);
}

/* The other side is to hear that this one has ended. */
static void
tell_end(struct sim_end *e, int64_t at)
{
	struct chunk *c = bt_mem_zero(1, sizeof(*c));

	c->from = e;
	sim_heap_put(&e->host->sim->heap, at, arrive, c, 0);
}

static void
deliver(struct sim *s, void *what, uint64_t arg)
{
	struct chunk *c = what;
	struct sim_end *from = c->from, *e = from->peer;

	(void)arg;
	if (s->is_over || e->state == SIM_CLOSED) {
		if (!s->is_over && c->n > 0 && from->state == SIM_OPEN)
			tell_end(e, s->now + latency(e)); /* a reset */
		bt_mem_free(c);
		return;
	}
	sim_log(s, NULL, "bytes", (uint64_t)from->host->id << 32 | e->host->id,
	    c->n);
	if (c->n == 0) {
		e->host->ops->closed(e);
	} else if (!e->is_deaf) {
		from->in_flight -= c->n;
		sim_net_line(from);
		e->host->ops->bytes(e, (struct bt_str){ c->bytes, c->n });
	}
	bt_mem_free(c);
}

/* Send a chunk of what lies in the buffer. */
static void
send_chunk(struct sim *s, struct sim_end *e, size_t n)
{
	struct sim_host *h = e->host;
	struct chunk *c = bt_mem_alloc(sizeof(*c) + n);
	int64_t start = h->up_free < s->now ? s->now : h->up_free;

	c->from = e;
	c->n = (uint32_t)n;
	memcpy(c->bytes, e->out + e->out_from, n);
	e->out_from += n;
	e->out_n -= n;
	if (e->out_n == 0) { /* thousands are idle, and caches are small */
		e->out_from = e->out_cap = 0;
		bt_mem_free(e->out);
		e->out = NULL;
	}
	e->in_flight += n;
	h->sent += n;
	h->up_free = start + span(n, h->up_bps, &h->up_carry);
	sim_heap_put(&s->heap, h->up_free + latency(e), arrive, c, 0);
}

static void turn(struct sim *s, void *what, uint64_t arg);

static void
set_turn(struct sim_host *h)
{
	struct sim *s = h->sim;
	int64_t at = h->up_free < s->now ? s->now : h->up_free;

	if (h->turn_set || TAILQ_EMPTY(&h->line))
		return;
	h->turn_set = true;
	sim_heap_put(&s->heap, at, turn, h, h->life);
}

static bool
can_send(const struct sim_end *e)
{
	return (e->state == SIM_OPEN || e->state == SIM_STRANGER) &&
	       e->in_flight < e->host->window && (e->out_n > 0 || e->has_more);
}

void
sim_net_line(struct sim_end *e)
{
	if (e->in_line || !can_send(e))
		return;
	e->in_line = true;
	TAILQ_INSERT_TAIL(&e->host->line, e, waits);
	set_turn(e->host);
}

/* The uplink is free: who waits longest sends a chunk. */
static void
turn(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;
	struct sim_end *e;
	size_t n;

	if (s->is_over || h->life != arg)
		return;
	h->turn_set = false;
	while ((e = TAILQ_FIRST(&h->line)) != NULL) {
		TAILQ_REMOVE(&h->line, e, waits);
		e->in_line = false;
		if (can_send(e) && e->out_n == 0)
			h->ops->pull(e);
		if (!can_send(e) || e->out_n == 0)
			continue;
		n = h->window - e->in_flight;
		n = n < h->chunk ? n : h->chunk;
		n = n < e->out_n ? n : e->out_n;
		send_chunk(s, e, n);
		sim_net_line(e);
		break;
	}
	set_turn(h);
}

void
sim_net_put(struct sim_end *e, const void *p, size_t n)
{
	if (e->state == SIM_CLOSED || n == 0)
		return;
	if (e->out_from + e->out_n + n > e->out_cap) {
		if (e->out_from > 0)
			memmove(e->out, e->out + e->out_from, e->out_n);
		e->out_from = 0;
		while (e->out_n + n > e->out_cap)
			e->out_cap = e->out_cap == 0 ? 512 : e->out_cap * 2;
		e->out = bt_mem_resize(e->out, e->out_cap, 1);
	}
	memcpy(e->out + e->out_from + e->out_n, p, n);
	e->out_n += n;
	sim_net_line(e);
}

static void
init_end(struct sim_end *e, struct sim_host *h, struct sim_end *peer)
{
	e->host = h;
	e->peer = peer;
	e->from = h->addr;
	e->state = SIM_DIALLING;
	e->since = h->sim->now;
}

/* The answer to a dial is back: arg says if somebody was there. */
static void
answered(struct sim *s, void *what, uint64_t arg)
{
	struct sim_end *e = what;

	if (s->is_over || e->state != SIM_DIALLING)
		return;
	if (arg == 0) {
		e->host->ops->closed(e);
		return;
	}
	e->state = SIM_OPEN;
	e->since = s->now;
	e->host->ops->connected(e);
}

static void
knock(struct sim *s, void *what, uint64_t arg)
{
	struct sim_end *e = what, *p = e->peer;
	bool there;

	(void)arg;
	if (s->is_over || e->state != SIM_DIALLING)
		return;
	if (is_parted(e->host, p->host))
		return; /* the core waits long enough */
	there = p->host->up && p->host->listens;
	if (there) {
		p->state = SIM_STRANGER;
		p->since = s->now;
		TAILQ_INSERT_TAIL(&p->host->ends, p, all);
	} else if (!p->host->up && !sim_chance(s, 500))
		return; /* nobody says no */
	sim_heap_put(&s->heap, s->now + latency(e), answered, e, there);
}

struct sim_end *
sim_net_dial(struct sim_host *h, const struct bt_addr *to)
{
	struct sim *s = h->sim;
	struct sim_host *other = sim_world_at(s, to);
	struct sim_conn *c = bt_mem_zero(1, sizeof(*c));

	c->next = s->conns;
	s->conns = c;
	init_end(&c->ends[0], h, &c->ends[1]);
	init_end(&c->ends[1], other, &c->ends[0]);
	c->ends[0].from.port = (uint16_t)(20000 + h->port_next++ % 40000);
	c->ends[1].state = SIM_CLOSED; /* until the knock is heard */
	TAILQ_INSERT_TAIL(&h->ends, &c->ends[0], all);
	sim_heap_put(
	    &s->heap, s->now + latency(&c->ends[0]), knock, &c->ends[0], 0);
	return &c->ends[0];
}

static void
shut(struct sim_end *e)
{
	if (e->in_line)
		TAILQ_REMOVE(&e->host->line, e, waits);
	e->in_line = false;
	TAILQ_REMOVE(&e->host->ends, e, all);
	e->state = SIM_CLOSED;
	bt_mem_free(e->out);
	e->out = NULL;
	e->out_n = e->out_from = e->out_cap = 0;
}

void
sim_net_close(struct sim_end *e)
{
	struct sim *s = e->host->sim;
	int64_t at = e->host->up_free < s->now ? s->now : e->host->up_free;

	if (e->state == SIM_CLOSED)
		return;
	shut(e);
	if (e->peer->state != SIM_CLOSED && !s->is_over)
		tell_end(e, at + latency(e));
}

void
sim_net_cut(struct sim_end *e)
{
	struct sim_end *both[2] = { e, e->peer };

	for (int i = 0; i < 2; i++)
		if (both[i]->state == SIM_OPEN ||
		    both[i]->state == SIM_STRANGER)
			both[i]->host->ops->closed(both[i]);
}

void
sim_net_cut_any(struct sim_host *h)
{
	unsigned n = bt_rng_below(&h->sim->rng, 20);
	struct sim_end *e;

	TAILQ_FOREACH(e, &h->ends, all)
	if (n-- == 0)
		break;
	if (e != NULL)
		sim_net_cut(e);
}

void
sim_net_drop_all(struct sim_host *h, bool loud)
{
	struct sim_end *e;

	while ((e = TAILQ_FIRST(&h->ends)) != NULL) {
		shut(e);
		if (loud && e->peer->state != SIM_CLOSED && !h->sim->is_over)
			tell_end(e, h->sim->now + latency(e));
	}
	h->turn_set = false;
}

void
sim_net_free(struct sim *s)
{
	struct sim_conn *c;

	while ((c = s->conns) != NULL) {
		s->conns = c->next;
		bt_mem_free(c->ends[0].out);
		bt_mem_free(c->ends[1].out);
		bt_mem_free(c);
	}
}
