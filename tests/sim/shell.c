#include "shell.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "disk.h"
#include "obey.h"
#include "talk.h"

#define TICKS_MAX 100000u

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
			sim_obey(h, &fx);
		when = bt_torrent_tick(sh->t, s->now);
		again = bt_torrent_next_effect(sh->t, &fx);
		if (again) {
			sim_obey(h, &fx);
			continue;
		}
		for (e = TAILQ_FIRST(&sh->told); e != NULL; e = next) {
			next = TAILQ_NEXT(e, told);
			sim_talk_flush(e);
		}
		again = bt_torrent_next_effect(sh->t, &fx);
		if (again)
			sim_obey(h, &fx);
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
	sh->told_done = sh->disk_failed = sh->has_left = false;
	bt_bits_fill(&sh->told_files, false);
	for (uint32_t i = 0; i < sh->told_files.n; i++)
		if (sim_obey_has_file(h, i))
			bt_bits_put(&sh->told_files, i);
	if (sh->born_at == 0)
		sh->born_at = s->now;
	sim_obey_have(h);
	if (sh->hurt.n == 0) {
		bt_bits_init(&sh->hurt, s->nhosts);
		bt_bits_init(&sh->banned, s->nhosts);
	}
	bt_bits_fill(&sh->banned, false);
	bt_bits_fill(&sh->hurt, false);
	sim_tap_open(h);
	sim_obey_announces(h);
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
		sim_obey(h, &fx);
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
	h->shell->has_left = !h->shell->disk_failed;
	sim_world_death(h, true);
	if (!h->shell->disk_failed)
		return;
	if (h->shell->back_us >= 0)
		sim_world_birth(h, s->now + h->shell->back_us);
	else if (h->shell->must_finish && h->shell->done_at == 0) {
		h->shell->is_broken = true;
		s->broken++;
		s->unfinished--;
	}
}

void
sim_shell_leave(struct sim_host *h, int64_t after_us)
{
	sim_world_after(h->sim, after_us, on_left, h, h->life);
}

void
sim_shell_held(const struct sim *s, unsigned from, struct bt_bits *all)
{
	const struct sim_host *h;

	bt_bits_init(all, s->content.layout->pieces);
	for (unsigned i = from; i < s->nhosts; i++) {
		h = s->hosts[i];
		for (uint32_t p = 0; h->shell != NULL && p < all->n; p++)
			if (h->up && bt_bits_has(&h->shell->disk, p))
				bt_bits_put(all, p);
	}
}

/* All that can be said of a host when its time is over. */
static void
judge(struct sim_host *h)
{
	struct sim_shell *sh = h->shell;
	struct bt_torrent_stats st = bt_torrent_stats(sh->t, h->sim->now);

	check(h);
	for (uint32_t i = 0; i < sh->told_files.n; i++)
		if (sim_obey_has_file(h, i) && !bt_bits_has(&sh->told_files, i))
			sim_fail(
			    h->sim, h, "does not say that file %u is here", i);
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
			sim_obey(h, &fx);
	}
	if (h->sim->is_judging || sh->has_left)
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
	.connected = sim_talk_connected,
	.bytes = sim_talk_bytes,
	.closed = sim_talk_closed,
	.pull = sim_talk_pull,
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
	bt_bits_init(&sh->told_files, s->content.layout->files->n);
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
	bt_bits_fini(&sh->told_files);
	bt_bits_fini(&sh->hurt);
	bt_bits_fini(&sh->banned);
	bt_mem_free(sh);
}
