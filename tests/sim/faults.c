#include "faults.h"

#include "core/rate.h"
#include "evil.h"
#include "shell.h"

#define STEPS 15u /* of a log scale */
#define GRACE BT_SEC(120)
#define TIMES 12 /* of the fluid optimum, from the last fault on */

/* From 3 to 60 and from 8 to 400 in fifteen equal factors. */
static const unsigned hosts_at[STEPS + 1] = { 3, 4, 5, 6, 7, 8, 10, 12, 15, 18,
	22, 27, 33, 40, 49, 60 };
static const unsigned pieces_at[STEPS + 1] = { 8, 10, 13, 17, 23, 29, 38, 50,
	64, 84, 109, 141, 183, 237, 308, 400 };

static unsigned
draw(struct sim *s, const unsigned *at)
{
	unsigned i = bt_rng_below(&s->rng, STEPS);

	return (unsigned)sim_between(s, at[i], at[i + 1]);
}

static void
kill_for_a_while(struct sim *s, struct sim_host *h)
{
	int64_t back;

	sim_world_death(h, sim_chance(s, 500));
	back = s->now + (int64_t)sim_between(s, 0, BT_SEC(40));
	sim_world_birth(h, back < s->quiet_at ? back : s->quiet_at);
}

static void
strike(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = s->hosts[bt_rng_below(&s->rng, s->nhosts)];

	(void)what;
	if (s->is_over || s->now >= s->quiet_at)
		return;
	sim_world_after(s, (int64_t)arg, strike, NULL, arg);
	if (!h->up)
		return;
	if (h->shell != NULL && sim_chance(s, 300))
		kill_for_a_while(s, h);
	else
		sim_net_cut_any(h);
}

static void
heal(struct sim *s, void *what, uint64_t arg)
{
	(void)what;
	(void)arg;
	s->parted = false;
}

static void
part(struct sim *s, void *what, uint64_t arg)
{
	(void)what;
	(void)arg;
	if (s->is_over || s->parted || s->now >= s->quiet_at)
		return;
	s->parted = true;
	s->heals_at = s->now + (int64_t)sim_between(s, BT_SEC(1), BT_SEC(90));
	if (s->heals_at > s->quiet_at)
		s->heals_at = s->quiet_at;
	sim_world_after(s, s->heals_at - s->now, heal, NULL, 0);
	sim_world_after(s, s->heals_at - s->now + BT_SEC(20), part, NULL, 0);
}

static bool
is_living_leech(const struct sim_host *h)
{
	return h->shell != NULL && h->up && h->shell->must_finish;
}

/* Dead, and it comes back with what is on its disk. */
static bool
is_to_return(const struct sim_host *h)
{
	return h->shell != NULL && !h->up && h->shell->must_finish &&
	       !h->shell->has_left && !h->shell->is_broken;
}

/*
 * The seed is gone and no fault comes any more. Once all who return are back and
 * each has what all living have together, those who lack something have failed
 * as they should.
 */
static void
look(struct sim *s, void *what, uint64_t arg)
{
	struct bt_bits all;
	bool is_even = true;

	(void)what;
	(void)arg;
	if (s->is_over || s->unfinished == 0)
		return;
	sim_world_after(s, BT_SEC(5), look, NULL, 0);
	sim_shell_held(s, 0, &all);
	for (unsigned i = 0; i < s->nhosts; i++)
		is_even =
		    is_even && !is_to_return(s->hosts[i]) &&
		    (!is_living_leech(s->hosts[i]) ||
			!bt_bits_any_not_in(&all, &s->hosts[i]->shell->disk));
	for (unsigned i = 0; is_even && i < s->nhosts; i++)
		if (is_living_leech(s->hosts[i]) &&
		    s->hosts[i]->shell->done_at == 0 &&
		    !s->hosts[i]->shell->is_stranded) {
			s->hosts[i]->shell->is_stranded = true;
			s->stranded++;
			s->unfinished--;
		}
	bt_bits_fini(&all);
}

static void
kill_seed(struct sim *s, void *what, uint64_t arg)
{
	(void)arg;
	if (s->is_over)
		return;
	sim_world_death(what, sim_chance(s, 500));
	s->orphaned = true;
	sim_world_after(s, s->quiet_at - s->now + BT_SEC(5), look, NULL, 0);
}

static void
draw_disk(struct sim *s, struct sim_shell *sh)
{
	sh->disk_us = (int64_t)sim_between(s, 0, 50000);
	sh->disk_jitter_us = (int64_t)sim_between(s, 0, 1000000);
	sh->disk_bps = sim_between(s, KIB(200), MIB(50));
	if (!sh->must_finish || !sim_chance(s, 60))
		return;
	sh->fails_after =
	    (uint32_t)sim_between(s, 1, s->content.layout->pieces * 2);
	if (sim_chance(s, 500))
		sh->back_us = (int64_t)sim_between(s, 0, BT_SEC(20));
}

static void
draw_host(struct sim *s, struct sim_host *h, bool is_meagre)
{
	struct sim_shell *sh = h->shell;

	h->up_bps = sim_between(s, KIB(50), KIB(400));
	h->down_bps = h->up_bps + sim_between(s, KIB(100), KIB(600));
	h->latency_us = (int64_t)sim_between(s, 500, 150000);
	h->window = sim_between(s, KIB(32), KIB(512));
	h->chunk = sim_between(s, 500, KIB(20));
	h->side = bt_rng_below(&s->rng, 2);
	h->listens = is_meagre || !sim_chance(s, 300);
	if (sim_chance(s, 100))
		h->nap_us = (int64_t)sim_between(s, 50000, 1000000);
	sh->slots = sim_chance(s, 500) ? 0 : (unsigned)sim_between(s, 2, 10);
	sh->peers_max = (uint32_t)sim_between(s, 40, 60);
	sh->numwant = (uint32_t)sim_between(s, 5, 50);
	sh->announce_us = (int64_t)sim_between(s, BT_SEC(30), BT_SEC(300));
	sh->batch = (unsigned)sim_between(s, 1, 16);
	sh->ragged = sim_chance(s, 300);
	sh->memory = sim_between(s, KIB(64), MIB(2));
	/*
	 * In order, a piece that nobody has holds up those after it; and a
	 * window of few pieces waits for the disk at each.
	 */
	if (!is_meagre && sim_chance(s, 150))
		sh->sequential = (uint32_t)sim_between(s, 16, 100);
	if (sim_chance(s, 150))
		sh->up_limit_bps = h->up_bps;
	if (sim_chance(s, 100))
		sh->down_limit_bps = sim_between(s, KIB(100), KIB(500));
	if (!is_meagre && sim_chance(s, 200))
		sh->leaves_us = (int64_t)sim_between(s, 0, BT_SEC(30));
	draw_disk(s, sh);
}

static void
add_one(struct sim *s, bool is_meagre, unsigned evil)
{
	const struct sim_trait *t;
	struct sim_host *h;
	bool seed;

	if (sim_chance(s, evil)) {
		t = &sim_traits[bt_rng_below(&s->rng, sim_ntraits)];
		h = sim_evil_new(s, t);
		h->up_bps = sim_between(s, KIB(20), KIB(300));
		h->down_bps = MIB(1);
		h->latency_us = 20000;
		h->window = KIB(128);
		h->chunk = KIB(8);
	} else {
		seed = !is_meagre && sim_chance(s, 50);
		h = sim_shell_new(s, seed);
		draw_host(s, h, is_meagre);
	}
	sim_world_birth(h, s->now + (int64_t)sim_between(s, 0, BT_SEC(60)));
}

/* The fluid optimum, from the slowest link and the honest uplinks. */
static int64_t
optimum(const struct sim *s)
{
	uint64_t size = s->content.layout->size * 1000000, sum = 0, best, us;
	uint64_t slowest = s->hosts[0]->up_bps, down, n = 0;

	for (unsigned i = 0; i < s->nhosts; i++) {
		const struct sim_host *h = s->hosts[i];

		if (h->shell == NULL)
			continue;
		n++;
		sum += h->up_bps;
		down = h->down_bps;
		if (h->shell->down_limit_bps != 0 &&
		    h->shell->down_limit_bps < down)
			down = h->shell->down_limit_bps;
		slowest = down < slowest ? down : slowest;
		if (h->shell->disk_bps < slowest)
			slowest = h->shell->disk_bps;
	}
	best = size / slowest;
	us = size * n / sum;
	return (int64_t)(us > best ? us : best);
}

void
sim_faults_build(struct sim *s, unsigned n)
{
	static const uint32_t lengths[] = { 16, 16, 32, 48 };
	uint32_t length = (uint32_t)KIB(lengths[bt_rng_below(&s->rng, 4)]);
	unsigned pieces = draw(s, pieces_at), evil;
	bool is_meagre = sim_chance(s, 125);
	struct sim_host *seed;
	int64_t at;

	if (n == 0)
		n = draw(s, hosts_at);
	evil = (unsigned)sim_between(s, 0, 400);
	s->quiet_at = s->now + (int64_t)sim_between(s, BT_SEC(60), BT_SEC(300));
	sim_world_content(
	    s, pieces, length, (uint32_t)sim_between(s, 1, length));
	seed = sim_shell_new(s, true);
	draw_host(s, seed, true);
	sim_world_birth(seed, s->now);
	while (s->nhosts < n)
		add_one(s, is_meagre, evil);
	at = (int64_t)sim_between(s, BT_SEC(1), BT_SEC(10));
	if (sim_chance(s, 700))
		sim_world_after(s, BT_SEC(5), strike, NULL, (uint64_t)at);
	at = (int64_t)sim_between(s, BT_SEC(1), BT_SEC(60));
	if (sim_chance(s, 300))
		sim_world_after(s, at, part, NULL, 0);
	at = (int64_t)sim_between(s, 0, (uint64_t)optimum(s) * 2);
	if (is_meagre && at < s->quiet_at - s->now)
		sim_world_after(s, at, kill_seed, seed, 0);
	s->check_every = 1 + s->nhosts * s->content.blocks / 500;
	s->limit_us = s->quiet_at - s->now + GRACE + TIMES * optimum(s);
}
