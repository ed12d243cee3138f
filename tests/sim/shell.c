#include "shell.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "disk.h"

#define SCRATCH KIB(64)
#define OUT_MAX KIB(256) /* of a send buffer: then the socket is full */
#define TICKS_MAX 100000u
#define REPLY_US BT_MSEC(100) /* of the tracker */

static void on_left(struct sim *s, void *what, uint64_t arg);

static struct sim_slot *
slot_at(struct sim_host *h, uint64_t slot, const char *what)
{
	struct sim_shell *sh = h->shell;
	uint32_t i = (uint32_t)slot;

	if (i < sh->nat && sh->at[i].open && sh->at[i].slot == slot)
		return &sh->at[i];
	sim_fail(h->sim, h, "%s names slot %llx, which is not open", what,
	    (unsigned long long)slot);
	return NULL;
}

static void
open_slot(struct sim_host *h, uint64_t slot, struct sim_end *e, bool accepted)
{
	struct sim_shell *sh = h->shell;
	uint32_t i = (uint32_t)slot, n = sh->nat;
	struct sim_tap *tap = e->own;

	if (i >= n) {
		sh->nat = i + 16;
		sh->at = bt_mem_resize(sh->at, sh->nat, sizeof(*sh->at));
		memset(sh->at + n, 0, (sh->nat - n) * sizeof(*sh->at));
	}
	if (sh->at[i].open || sh->at[i].slot == slot)
		sim_fail(h->sim, h, "slot %llx is opened twice",
		    (unsigned long long)slot);
	sh->at[i] = (struct sim_slot){ slot, e, true };
	if (tap == NULL)
		tap = e->own = sim_tap_new(e);
	tap->slot = slot;
	tap->accepted = accepted;
}

/* Between two honest hosts no fault is found but these. */
static bool
is_fair(const char *why)
{
	static const char *const fair[] = { ("neither needs anything of the "
					     "other"),
		"the connection ended", "it could not be reached",
		"connecting timed out", "it is connected already",
		"it is ourselves", "the torrent is stopped",
		"no handshake came in time", "it has been silent for too long",
		"it has taken nothing for too long",
		"its rest of a block cannot be read" };

	for (size_t i = 0; i < sizeof(fair) / sizeof(fair[0]); i++)
		if (strcmp(why, fair[i]) == 0)
			return true;
	return false;
}

static void
set_told(struct sim_end *e, bool told)
{
	struct sim_tap *tap = e->own;

	if (tap->told == told)
		return;
	tap->told = told;
	if (told)
		TAILQ_INSERT_TAIL(&e->host->shell->told, e, told);
	else
		TAILQ_REMOVE(&e->host->shell->told, e, told);
}

/* The end is no more; the core knows, or is told. */
static void
end_of(struct sim_end *e)
{
	set_told(e, false);
	sim_tap_end(e);
	sim_tap_free(e->own);
	e->own = NULL;
	sim_net_close(e);
}

static void
obey_close(struct sim_host *h, const struct bt_effect *fx)
{
	struct sim_slot *at = slot_at(h, fx->slot, "a close");
	struct sim_end *e;

	if (at == NULL)
		return;
	e = at->end;
	at->open = false;
	sim_log(h->sim, h, fx->why, fx->slot, e->peer->host->id);
	if (e->peer->host->shell != NULL && !is_fair(fx->why))
		sim_fail(h->sim, h, "blames host %u, which is honest: %s",
		    e->peer->host->id, fx->why);
	end_of(e);
}

static void
obey_ban(struct sim_host *h, const struct bt_effect *fx)
{
	struct sim_host *who = sim_world_at(h->sim, &fx->addr);

	sim_log(h->sim, h, "bans", who->id, 0);
	if (!bt_bits_has(&h->shell->hurt, who->id))
		sim_fail(h->sim, h, "bans host %u, which spoiled nothing of it",
		    who->id);
	bt_bits_put(&h->shell->banned, who->id);
}

/* The first time that it has all that it wants. */
static void
note_done(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;

	if (sh->done_at != 0 || bt_bits_any_not_in(&sh->want, &sh->disk))
		return;
	sh->done_at = h->sim->now;
	h->sim->unfinished -= sh->must_finish;
}

static void
obey_done(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct sim *s = h->sim;

	sim_log(s, h, "done", sh->disk.set, 0);
	if (sh->told_done)
		sim_fail(s, h, "is done twice");
	sh->told_done = true;
	if (bt_bits_any_not_in(&sh->want, &sh->disk))
		sim_fail(s, h, "is done and lacks what it wants");
	note_done(h);
	if (sh->leaves_us >= 0)
		sim_world_after(s, sh->leaves_us, on_left, h, h->life);
}

static void
on_reply(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;
	struct bt_addr got[200];
	unsigned n;

	if (s->is_over || !h->up || h->life != arg)
		return;
	n = sim_world_announce(h, got, h->shell->numwant);
	sim_log(s, h, "peers", n, 0);
	bt_torrent_add_peers(h->shell->t, got, n, false, s->now);
	sim_shell_step(h);
}

static void
on_interval(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;

	if (s->is_over || !h->up || h->life != arg)
		return;
	on_reply(s, what, arg);
	sim_world_after(s, h->shell->announce_us, on_interval, h, h->life);
}

static void
obey(struct sim_host *h, const struct bt_effect *fx)
{
	struct sim_slot *at;
	struct sim *s = h->sim;

	switch (fx->kind) {
	case BT_FX_CONNECT:
		open_slot(h, fx->slot, sim_net_dial(h, &fx->addr), false);
		break;
	case BT_FX_CLOSE:
		obey_close(h, fx);
		break;
	case BT_FX_SEND:
		at = slot_at(h, fx->slot, "a send");
		if (at != NULL)
			set_told(at->end, true);
		break;
	case BT_FX_STORE:
	case BT_FX_WRITE:
	case BT_FX_VERIFY:
		sim_disk_put(h, fx);
		break;
	case BT_FX_PEER:
		(void)slot_at(h, fx->slot, "a handshake");
		break;
	case BT_FX_PIECE:
		sim_log(s, h, "piece", fx->index, 0);
		if (!bt_bits_has(&h->shell->disk, fx->index))
			sim_fail(s, h, "says piece %u is here", fx->index);
		break;
	case BT_FX_FILE:
		break;
	case BT_FX_DONE:
		obey_done(h);
		break;
	case BT_FX_BAN:
		obey_ban(h, fx);
		break;
	case BT_FX_ANNOUNCE:
		sim_world_after(s, REPLY_US, on_reply, h, h->life);
		break;
	}
}

/* What of block b goes after its first `skip` bytes, at most `most` bytes. */
static size_t
put_block(struct sim_end *e, const struct bt_tx_block *b, size_t most)
{
	struct bt_wire_msg m = {
		.id = BT_PIECE, .index = b->piece, .begin = b->begin
	};
	const struct sim_content *c = &e->host->sim->content;
	struct sim_shell *sh = e->host->shell;
	uint8_t head[BT_WIRE_HEAD_MAX];
	size_t n = 0, rest, skip = b->skip;

	if (!bt_bits_has(&sh->disk, b->piece))
		sim_fail(e->host->sim, e->host,
		    "sends of piece %u, which it "
		    "lacks",
		    b->piece);
	if (skip == 0)
		sim_tap_block(e, b->piece, b->begin, b->length);
	if (skip < BT_TX_HEADER) {
		(void)bt_wire_encode_head(head, &m, b->length);
		n = BT_TX_HEADER - skip;
		n = n < most ? n : most;
		sim_net_put(e, head + skip, n);
		skip += n;
	}
	if (n == most)
		return n;
	rest = BT_TX_HEADER + b->length - skip;
	rest = rest < most - n ? rest : most - n;
	sim_net_put(e,
	    c->bytes + bt_layout_offset(c->layout, b->piece, b->begin) +
		(skip - BT_TX_HEADER),
	    rest);
	sh->up += rest;
	return n + rest;
}

/* Control messages go into the socket at once, so that the tap sees them. */
static void
flush(struct sim_end *e)
{
	struct sim_host *h = e->host;
	struct bt_torrent *t = h->shell->t;
	struct sim_tap *tap = e->own;
	struct bt_tx tx;
	size_t n, room;

	for (;;) {
		e->has_more = false;
		if (!bt_torrent_tx(t, tap->slot, &tx, h->sim->now)) {
			set_told(e, false);
			return;
		}
		e->has_more = tx.nblocks > 0;
		room = e->out_n < OUT_MAX ? OUT_MAX - e->out_n : 0;
		if (tx.head.n == 0 || room == 0)
			break;
		n = 0;
		if (tx.nblocks > 0 && tx.blocks[0].skip > 0)
			n = put_block(e, &tx.blocks[0], SIZE_MAX);
		tx.head.n = tx.head.n < room ? tx.head.n : room;
		sim_tap_out(e, tx.head);
		sim_net_put(e, tx.head.p, tx.head.n);
		bt_torrent_tx_done(t, tap->slot, n + tx.head.n, h->sim->now);
	}
	bt_torrent_tx_done(t, tap->slot, 0, h->sim->now);
	sim_net_line(e);
}

static void
on_tick(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;

	if (s->is_over || !h->up || h->shell->tick_at != s->now ||
	    h->life != arg)
		return;
	h->shell->tick_at = BT_NEVER;
	if (h->shell->ticked_at != s->now)
		h->shell->ticks = 0;
	h->shell->ticked_at = s->now;
	if (++h->shell->ticks > TICKS_MAX)
		sim_fail(s, h, "wants to be called again and again");
	sim_shell_step(h);
}

static uint32_t
first_not_in(const struct bt_bits *a, const struct bt_bits *b)
{
	uint32_t i = bt_bits_next(a, 0);

	while (i < a->n && bt_bits_has(b, i))
		i = bt_bits_next(a, i + 1);
	return i;
}

static void
check(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct sim *s = h->sim;
	struct bt_torrent_stats st = bt_torrent_stats(sh->t, s->now);
	uint64_t down = sh->ledger.down;
	struct sim_end *e;
	struct sim_tap *tap;

	TAILQ_FOREACH(e, &h->ends, all)
	{
		tap = e->own;
		if (tap != NULL)
			down += sim_reader_partial(&tap->in);
	}
	if (!bt_torrent_check(sh->t))
		sim_fail(s, h, "bt_torrent_check() finds a fault");
	if (st.down != down || st.up != sh->up)
		sim_fail(s, h,
		    "counts %llu bytes down, %llu up; came %llu, "
		    "went %llu",
		    (unsigned long long)st.down, (unsigned long long)st.up,
		    (unsigned long long)down, (unsigned long long)sh->up);
	if (st.jobs != sh->njobs || st.pieces_have != sh->disk.set)
		sim_fail(s, h, "miscounts its jobs or its pieces");
	if (st.memory > (sh->memory > KIB(256) ? sh->memory : KIB(256)) +
			    st.peers * BT_BLOCK_LEN)
		sim_fail(s, h, "holds %zu bytes", st.memory);
}

/* As net/swarm does: effects, then who has something to send, then time. */
void
sim_shell_step(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct sim *s = h->sim;
	struct bt_effect fx;
	struct sim_end *e, *next;
	int64_t when = 0;
	bool again = true;

	assert(!sh->is_stepping);
	sh->is_stepping = true;
	while (again) {
		while (bt_torrent_next_effect(sh->t, &fx))
			obey(h, &fx);
		when = bt_torrent_tick(sh->t, s->now);
		again = bt_torrent_next_effect(sh->t, &fx);
		if (again) {
			obey(h, &fx);
			continue;
		}
		for (e = TAILQ_FIRST(&sh->told); e != NULL; e = next) {
			next = TAILQ_NEXT(e, told);
			flush(e);
		}
		again = bt_torrent_next_effect(sh->t, &fx);
		if (again)
			obey(h, &fx);
	}
	sh->is_stepping = false;
	sim_tap_step(h);
	if (when < s->now)
		when = s->now;
	if (when < sh->tick_at || sh->tick_at < s->now) {
		sh->tick_at = when;
		if (when != BT_NEVER)
			sim_heap_put(&s->heap, when, on_tick, h, h->life);
	}
	if (++s->steps % s->check_every == 0)
		check(h);
}

/* Give the core n bytes, now where it wants them, now from elsewhere. */
static void
give(struct sim_end *e, struct bt_str in)
{
	struct sim_host *h = e->host;
	struct sim_shell *sh = h->shell;
	struct sim_tap *tap = e->own;
	uint8_t scratch[SCRATCH];
	struct bt_lend to;
	uint64_t slot = tap->slot;
	size_t n, k;

	if (sh->rx_calls++ % 7 == 0 || !tap->in.shaken) {
		bt_torrent_rx_bytes(sh->t, slot, in, h->sim->now);
		return;
	}
	while (in.n > 0) {
		bt_torrent_rx_space(sh->t, slot,
		    (struct bt_place){ scratch, sizeof(scratch) },
		    sizeof(scratch), &to);
		n = 0;
		for (unsigned i = 0; i < to.n && n < in.n; i++) {
			k = in.n - n < to.places[i].n ? in.n - n
						      : to.places[i].n;
			memcpy(to.places[i].p, in.p + n, k);
			n += k;
		}
		if (n == 0)
			return; /* the core has closed it */
		bt_torrent_rx(sh->t, slot, &to, n, h->sim->now);
		in = bt_str_sub(in, n, in.n);
	}
}

/* Nothing but bytes of a block, which is not whole: nothing is decided. */
static bool
is_mid_block(const struct sim_reader *r, size_t n)
{
	return r->shaken && r->in_body && r->msg.id == BT_PIECE &&
	       sim_reader_partial(r) >= n;
}

static void
feed(struct sim_end *e, struct bt_str in)
{
	struct sim_tap *tap;
	bool was_bad;
	size_t n;

	while (in.n > 0 && e->state != SIM_CLOSED && !e->host->sim->failed) {
		tap = e->own;
		n = sim_tap_in(e, in);
		was_bad = tap->is_bad;
		give(e, bt_str_sub(in, 0, n));
		if (!is_mid_block(&tap->in, n))
			sim_shell_step(e->host);
		in = bt_str_sub(in, n, in.n);
		if (was_bad && e->state != SIM_CLOSED)
			sim_fail(e->host->sim, e->host,
			    "goes on with host %u, "
			    "which sent no message",
			    e->peer->host->id);
	}
}

/* As net/conn does: who calls is heard until its info-hash is there. */
static void
on_hello(struct sim_end *e, struct bt_str in)
{
	struct sim_host *h = e->host;
	struct sim_tap *tap = e->own;
	struct bt_str all;
	struct bt_buf hello;
	uint64_t slot;

	if (tap == NULL)
		tap = e->own = sim_tap_new(e);
	if (bt_buf_add(&tap->hello, in) == -1) {
		end_of(e);
		return;
	}
	all = bt_buf_str(&tap->hello);
	if (all.n < 48)
		return;
	slot = bt_torrent_on_accepted(h->shell->t, &e->peer->from, h->sim->now);
	if (slot == 0) {
		end_of(e);
		return;
	}
	e->state = SIM_OPEN;
	open_slot(h, slot, e, true);
	hello = tap->hello;
	tap->hello = (struct bt_buf){ 0 };
	feed(e, all);
	bt_buf_fini(&hello);
}

static void
on_bytes(struct sim_end *e, struct bt_str in)
{
	if (e->state == SIM_STRANGER)
		on_hello(e, in);
	else
		feed(e, in);
}

static void
on_connected(struct sim_end *e)
{
	struct sim_tap *tap = e->own;

	bt_torrent_on_connected(
	    e->host->shell->t, tap->slot, e->host->sim->now);
	sim_shell_step(e->host);
}

static void
on_closed(struct sim_end *e)
{
	struct sim_tap *tap = e->own;

	if (tap == NULL) {
		sim_net_close(e);
		return;
	}
	if (tap->slot == 0) {
		end_of(e);
		return;
	}
	bt_torrent_on_closed(e->host->shell->t, tap->slot, e->host->sim->now);
	sim_shell_step(e->host);
	if (e->state != SIM_CLOSED)
		sim_fail(e->host->sim, e->host,
		    "does not close a slot that "
		    "ended");
}

/* A piece that rotted is found out when it is to be sent. */
static bool
is_rotten(struct sim_end *e, const struct bt_tx_block *b)
{
	struct sim_shell *sh = e->host->shell;
	struct sim_tap *tap = e->own;

	if (!bt_bits_has(&sh->rotten, b->piece))
		return false;
	bt_torrent_tx_done(sh->t, tap->slot, 0, e->host->sim->now);
	bt_torrent_on_unreadable(sh->t, b->piece, e->host->sim->now);
	sim_shell_step(e->host);
	return true;
}

static void
pull(struct sim_end *e)
{
	struct sim_host *h = e->host;
	struct sim_shell *sh = h->shell;
	struct sim_tap *tap = e->own;
	struct bt_tx tx;
	size_t n = 0, most;
	unsigned batch;

	e->has_more = false;
	if (!bt_torrent_tx(sh->t, tap->slot, &tx, h->sim->now))
		return;
	if (tx.head.n > 0) {
		flush(e);
		return;
	}
	batch = sh->batch < tx.nblocks ? sh->batch : tx.nblocks;
	for (unsigned i = 0; i < batch; i++) {
		if (is_rotten(e, &tx.blocks[i]))
			return;
		most = SIZE_MAX;
		if (sh->ragged && i + 1 == batch)
			most = sim_between(h->sim, 1, BT_BLOCK_LEN);
		n += put_block(e, &tx.blocks[i], most);
	}
	bt_torrent_tx_done(sh->t, tap->slot, n, h->sim->now);
	sim_shell_step(h);
}

static void
on_born(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct sim *s = h->sim;
	struct bt_torrent_conf conf = { .layout = s->content.layout,
		.seed = bt_rng_u64(&s->rng),
		.memory = sh->memory,
		.peers_max = sh->peers_max,
		.dials_max = 30,
		.slots = sh->slots,
		.up_limit_bps = sh->up_limit_bps,
		.down_limit_bps = sh->down_limit_bps,
		.port = h->listens ? h->addr.port : 0,
		.client = "sim" };

	bt_rng_fill(&s->rng, conf.peer_id, sizeof(conf.peer_id));
	sh->t = bt_torrent_new(&conf, s->now);
	bt_torrent_set_wanted(sh->t, &sh->want);
	bt_torrent_set_have(sh->t, &sh->disk);
	if (sh->sequential > 0)
		bt_torrent_set_sequential(sh->t, sh->sequential);
	sh->tick_at = BT_NEVER;
	sh->up = sh->gained = 0;
	sh->told_done = sh->disk_failed = false;
	if (sh->born_at == 0)
		sh->born_at = s->now;
	note_done(h);
	if (sh->hurt.n == 0) {
		bt_bits_init(&sh->hurt, s->nhosts);
		bt_bits_init(&sh->banned, s->nhosts);
	}
	bt_bits_fill(&sh->banned, false);
	bt_bits_fill(&sh->hurt, false);
	sim_tap_open(h);
	sim_world_after(s, REPLY_US, on_interval, h, h->life);
	sim_shell_step(h);
}

/* As a user stops it: all slots are closed, each once. */
static void
stop(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct bt_effect fx;

	bt_torrent_stop(sh->t, h->sim->now);
	while (bt_torrent_next_effect(sh->t, &fx))
		obey(h, &fx);
	for (uint32_t i = 0; i < sh->nat; i++)
		if (sh->at[i].open)
			sim_fail(h->sim, h, "stopped, slot %llx is open still",
			    (unsigned long long)sh->at[i].slot);
}

static void
on_left(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;

	if (s->is_over || !h->up || h->life != arg)
		return;
	stop(h);
	sim_world_death(h, true);
	if (!h->shell->disk_failed)
		return;
	if (h->shell->back_us >= 0)
		sim_world_birth(h, s->now + h->shell->back_us);
	else if (h->shell->must_finish && h->shell->done_at == 0) {
		s->broken++;
		s->unfinished--;
	}
}

void
sim_shell_leave(struct sim_host *h)
{
	sim_world_after(h->sim, 0, on_left, h, h->life);
}

/* All that can be said of a host when its time is over. */
static void
judge(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct bt_torrent_stats st = bt_torrent_stats(sh->t, h->sim->now);

	check(h);
	if (!st.is_done || st.jobs > 0)
		return;
	if (st.down != st.wasted + sh->gained)
		sim_fail(h->sim, h,
		    "came %llu, of that wasted %llu, but "
		    "gained %llu",
		    (unsigned long long)st.down, (unsigned long long)st.wasted,
		    (unsigned long long)sh->gained);
	if (bt_bits_any_not_in(&sh->hurt, &sh->banned))
		sim_fail(h->sim, h,
		    "did not ban host %u, which spoiled a "
		    "piece of it",
		    first_not_in(&sh->hurt, &sh->banned));
}

/* The last of it, however it ends. */
static void
on_died(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct bt_torrent_stats st;
	struct bt_effect fx;
	struct sim_end *e;

	if (h->sim->is_judging)
		stop(h);
	while (sh->njobs > 0) {
		sim_disk_end_all(h);
		while (bt_torrent_next_effect(sh->t, &fx))
			obey(h, &fx);
	}
	if (h->sim->is_judging)
		judge(h);
	TAILQ_FOREACH(e, &h->ends, all)
	{
		if (e->own != NULL)
			sim_tap_free(e->own);
		e->own = NULL;
	}
	TAILQ_INIT(&sh->told);
	bt_mem_free(sh->at);
	sh->at = NULL;
	sh->nat = 0;
	st = bt_torrent_stats(sh->t, h->sim->now);
	sh->up_all += st.up;
	sh->down_all += st.down;
	sh->wasted_all += st.wasted;
	bt_torrent_free(sh->t);
	sh->t = NULL;
	sim_tap_shut(h);
}

static const struct sim_ops shell_ops = { .born = on_born,
	.connected = on_connected,
	.bytes = on_bytes,
	.closed = on_closed,
	.pull = pull,
	.died = on_died };

struct sim_host *
sim_shell_new(struct sim *s, bool seed)
{
	struct sim_host *h = sim_world_host(s, &shell_ops);
	struct sim_shell *sh = bt_mem_zero(1, sizeof(*sh));

	h->shell = sh;
	sh->memory = MIB(4);
	sh->peers_max = 50;
	sh->numwant = 50;
	sh->announce_us = BT_SEC(300);
	sh->disk_us = 500;
	sh->disk_bps = MIB(200);
	sh->batch = 1;
	sh->leaves_us = sh->back_us = -1;
	sh->must_finish = !seed;
	bt_bits_init(&sh->want, s->content.layout->pieces);
	bt_bits_init(&sh->disk, s->content.layout->pieces);
	bt_bits_init(&sh->rotten, s->content.layout->pieces);
	bt_bits_fill(&sh->want, true);
	bt_bits_fill(&sh->disk, seed);
	sh->pages = bt_mem_zero(s->content.layout->pieces, sizeof(*sh->pages));
	TAILQ_INIT(&sh->jobs);
	TAILQ_INIT(&sh->told);
	s->unfinished += sh->must_finish;
	return h;
}

void
sim_shell_free(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;

	sim_disk_free(h);
	bt_bits_fini(&sh->want);
	bt_bits_fini(&sh->disk);
	bt_bits_fini(&sh->rotten);
	bt_bits_fini(&sh->hurt);
	bt_bits_fini(&sh->banned);
	bt_mem_free(sh);
}
