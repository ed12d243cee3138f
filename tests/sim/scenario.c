#include "scenario.h"

#include <assert.h>
#include <string.h>

#include "core/rate.h"
#include "evil.h"
#include "faults.h"
#include "shell.h"

#define START BT_SEC(1000)

static void
set_link(struct sim_host *h, uint64_t up_bps, uint64_t down_bps, int64_t us)
{
	h->up_bps = up_bps;
	h->down_bps = down_bps;
	h->latency_us = us;
	h->window = KIB(128);
	h->chunk = KIB(8);
}

static struct sim_host *
add(struct sim *s, bool seed, uint64_t up_bps, uint64_t down_bps, int64_t us)
{
	struct sim_host *h = sim_shell_new(s, seed);

	set_link(h, up_bps, down_bps, us);
	sim_world_birth(h, START);
	return h;
}

static struct sim_host *
add_evil(struct sim *s, const struct sim_trait *t, uint64_t up_bps)
{
	struct sim_host *h = sim_evil_new(s, t);

	set_link(h, up_bps, MIB(4), 20000);
	sim_world_birth(h, START);
	return h;
}

static const struct sim_trait *
trait(const char *name)
{
	unsigned i = 0;

	while (i < sim_ntraits && strcmp(sim_traits[i].name, name) != 0)
		i++;
	assert(i < sim_ntraits);
	return &sim_traits[i];
}

/* Something between half and one and a half of it. */
static uint64_t
about(struct sim *s, uint64_t x)
{
	return sim_between(s, x / 2, x + x / 2);
}

/*
 * The fluid optimum for one seed and n equal leeches (Kumar and Ross, 2006):
 * the seed must send one copy, a leech must receive one, and all uploads
 * together must carry n.
 */
static void
set_ideal(struct sim *s, uint64_t seed_bps, unsigned n, uint64_t up_bps,
    uint64_t down_bps)
{
	uint64_t size = s->content.layout->size * 1000000, best, us;

	best = size / seed_bps;
	us = size / down_bps;
	best = us > best ? us : best;
	us = size * n / (seed_bps + n * up_bps);
	best = us > best ? us : best;
	s->ideal_us = (int64_t)best;
}

static void
build_pair(struct sim *s, unsigned n)
{
	struct sim_host *h;

	(void)n;
	sim_world_content(s, 512, KIB(64), 100);
	h = add(s, true, MIB(12), MIB(12), 10000);
	h->window = MIB(1);
	h->chunk = KIB(16);
	h = add(s, false, MIB(12), MIB(12), 10000);
	set_ideal(s, MIB(12), 1, MIB(12), MIB(12));
	s->ratio_max = 120;
	s->copies_max = 101;
}

/*
 * n equal leeches that come at once, and one seed of the same link: 400 pieces,
 * 10 to 50 ms from peer to peer, 50 connections each.
 */
static void
add_equals(struct sim *s, unsigned n)
{
	uint64_t up = KIB(100), down = KIB(400);

	sim_world_content(s, 400, KIB(16), 1000);
	add(s, true, up, down, 15000);
	for (unsigned i = 0; i < n; i++)
		add(s, false, up, down, (int64_t)sim_between(s, 5000, 25000));
	set_ideal(s, up, n, up, down);
}

static void
build_swarm(struct sim *s, unsigned n)
{
	add_equals(s, n);
	s->ratio_max = s->copies_max = 125;
}

/* A fifth more, who give next to nothing. Whoever has all leaves. */
static void
build_riders(struct sim *s, unsigned n)
{
	unsigned givers = n - n / 5;
	struct sim_host *h;

	add_equals(s, givers);
	for (unsigned i = 1; i <= givers; i++)
		s->hosts[i]->shell->leaves_us = BT_SEC(10);
	for (unsigned i = givers; i < n; i++) {
		h = add(s, false, KIB(2), KIB(400), 15000);
		h->shell->rides = true;
	}
	s->ratio_max = 133; /* a tenth over what they take by themselves */
	s->riders_min = 200;
}

static void
flap(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;

	if (s->is_over)
		return;
	sim_world_death(h, true);
	sim_world_birth(h, s->now + (int64_t)sim_between(s, 0, BT_SEC(3)));
	sim_world_after(
	    s, (int64_t)sim_between(s, BT_SEC(5), BT_SEC(15)), flap, what, arg);
}

/* A fifth lose all connections every ten seconds, and come back. */
static void
build_flappers(struct sim *s, unsigned n)
{
	struct sim_host *h;

	add_equals(s, n - n / 5);
	for (unsigned i = 0; i < n / 5; i++) {
		h = add(s, false, KIB(100), KIB(400), 15000);
		h->shell->must_finish = false;
		s->unfinished--;
		sim_world_after(
		    s, (int64_t)sim_between(s, 0, BT_SEC(10)), flap, h, 0);
	}
	s->ratio_max = 138; /* 15 % over what the others take by themselves */
}

/*
 * Eight leeches on a loopback, and a seed limited to 4 MiB/s: a torrent of
 * 32 MiB, of pieces as bt-make chooses them.
 */
static void
build_eight(struct sim *s, unsigned n)
{
	struct sim_host *h;

	sim_world_content(s, 512, KIB(64), KIB(64));
	h = add(s, true, MIB(4), MIB(400), 25);
	h->chunk = KIB(16);
	h->shell->up_limit_bps = MIB(4);
	for (unsigned i = 0; i < n; i++) {
		h = add(s, false, MIB(400), MIB(400), 25);
		h->chunk = KIB(16);
		h->shell->batch = 16;
	}
	set_ideal(s, MIB(4), n, MIB(400), MIB(400));
	s->ratio_max = s->copies_max = 115;
}

/*
 * Everything that goes wrong without ill will: links of all speeds, hosts that
 * come late, die and come back or leave when they are done, connections that
 * are lost, hosts that cannot be dialled, slow disks, readers that nap.
 */
static void
roughen(struct sim *s, struct sim_host *h)
{
	struct sim_shell *sh = h->shell;

	h->up_bps = sim_between(s, KIB(20), KIB(400));
	h->down_bps = h->up_bps + about(s, KIB(400));
	h->latency_us = (int64_t)sim_between(s, 500, 150000);
	h->window = sim_between(s, KIB(16), KIB(512));
	h->chunk = sim_between(s, 500, KIB(20));
	h->listens = !sim_chance(s, 300);
	if (sim_chance(s, 100))
		h->nap_us = (int64_t)sim_between(s, 50000, 2000000);
	sh->slots = sim_chance(s, 500) ? 0 : (unsigned)sim_between(s, 2, 10);
	sh->batch = (unsigned)sim_between(s, 1, 16);
	sh->ragged = sim_chance(s, 300);
	sh->disk_us = (int64_t)sim_between(s, 0, 50000);
	sh->disk_jitter_us = (int64_t)sim_between(s, 0, 300000);
	sh->disk_bps = sim_between(s, KIB(200), MIB(50));
	sh->memory = sim_between(s, KIB(64), MIB(2));
	if (sim_chance(s, 200))
		sh->leaves_us = (int64_t)sim_between(s, 0, BT_SEC(30));
}

static void
strike(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = s->hosts[bt_rng_below(&s->rng, s->nhosts)];

	(void)what;
	if (s->is_over)
		return;
	sim_world_after(s, BT_SEC(2), strike, NULL, arg + 1);
	if (!h->up || h->id == 0)
		return;
	if (h->shell != NULL && sim_chance(s, 400) && arg < 100) {
		sim_world_death(h, sim_chance(s, 500));
		sim_world_birth(
		    h, s->now + (int64_t)sim_between(s, 0, BT_SEC(40)));
		return;
	}
	sim_net_cut_any(h);
}

static void
build_churn(struct sim *s, unsigned n)
{
	struct sim_host *h;

	sim_world_content(s, 60, KIB(48), 20000);
	add(s, true, KIB(400), KIB(400), 20000);
	for (unsigned i = 1; i < n; i++) {
		h = sim_shell_new(s, i % 20 == 0);
		set_link(h, 1, 1, 0);
		roughen(s, h);
		sim_world_birth(
		    h, START + (int64_t)sim_between(s, 0, BT_SEC(60)));
	}
	sim_world_after(s, BT_SEC(5), strike, NULL, 0);
}

/* A third of all are evil, of every kind in turn. */
static void
build_evil(struct sim *s, unsigned n)
{
	/* 63 pieces: their bitfield has a spare bit */
	sim_world_content(s, 63, KIB(32), 20000);
	add(s, true, KIB(400), MIB(1), 20000);
	for (unsigned i = 1; i < n; i++)
		if (i % 3 == 0)
			add_evil(s, &sim_traits[i / 3 % sim_ntraits], KIB(200));
		else
			add(s, false, about(s, KIB(200)), MIB(1),
			    (int64_t)sim_between(s, 500, 80000));
}

/* One kind of evil host at a time: as many as there are honest leeches. */
static void
build_trait(struct sim *s, unsigned n)
{
	const struct sim_trait *t = trait(s->name);

	if (t->must_end)
		s->linger_us = BT_SEC(90); /* to see that it ends */
	sim_world_content(s, 30, KIB(48), 20000);
	add(s, true, KIB(300), MIB(1), 20000);
	for (unsigned i = 0; i < n; i++) {
		add(s, false, about(s, KIB(200)), MIB(1), 15000);
		add_evil(s, t, i == 0 ? MIB(1) : KIB(100));
	}
}

/* Pieces larger than the memory that there is. */
static void
build_tight(struct sim *s, unsigned n)
{
	struct sim_host *h;

	sim_world_content(s, 5, MIB(4), MIB(1) + 100);
	add(s, true, MIB(4), MIB(4), 5000);
	for (unsigned i = 1; i < n; i++) {
		h = add(s, false, MIB(4), MIB(8), 5000);
		h->chunk = KIB(16);
		h->shell->memory = i % 2 == 0 ? MIB(1) : KIB(64) * i;
		h->shell->disk_jitter_us = 20000;
	}
}

/*
 * Nobody has all of it. Five peers have a fifth each and want no more; two of
 * those fifths have a piece that cannot be read, which another has too.
 */
static void
build_partial(struct sim *s, unsigned n)
{
	struct sim_host *h;

	sim_world_content(s, 50, KIB(32), KIB(32));
	for (unsigned i = 0; i < 5; i++) {
		h = sim_shell_new(s, false);
		set_link(h, KIB(200), MIB(1), 10000);
		h->shell->must_finish = false;
		s->unfinished--;
		bt_bits_fill(&h->shell->want, false);
		for (uint32_t p = i * 10; p < i * 10 + 10; p++) {
			bt_bits_put(&h->shell->disk, p);
			bt_bits_put(&h->shell->want, p);
		}
		if (i < 2)
			bt_bits_put(&h->shell->rotten, i * 10 + 3);
		if (i == 4) {
			bt_bits_put(&h->shell->disk, 3);
			bt_bits_put(&h->shell->disk, 13);
		}
		sim_world_birth(h, START);
	}
	for (unsigned i = 0; i < n; i++)
		add(s, false, KIB(200), MIB(1), 20000);
}

/* The last blocks are asked of a host that is very slow, and others have them. */
static void
build_endgame(struct sim *s, unsigned n)
{
	struct sim_host *h;

	sim_world_content(s, 16, KIB(64), KIB(64));
	for (unsigned i = 0; i < n; i++) {
		h = add(s, true, i == 0 ? KIB(2) : KIB(200), MIB(1), 10000);
		h->window = KIB(32);
	}
	(void)add(s, false, KIB(200), MIB(4), 10000);
	s->waste_max = 100;
}

static void
part(struct sim *s, void *what, uint64_t arg)
{
	(void)what;
	if (s->is_over)
		return;
	s->parted = arg % 2 == 0;
	s->heals_at = s->now + BT_SEC(60);
	sim_world_after(
	    s, s->parted ? BT_SEC(60) : BT_SEC(20), part, NULL, arg + 1);
}

/* The network falls in two and heals, again and again. */
static void
build_parted(struct sim *s, unsigned n)
{
	struct sim_host *h;

	sim_world_content(s, 64, KIB(32), 5);
	for (unsigned i = 0; i < n; i++) {
		h = add(s, i == 0, KIB(100), KIB(400), 20000);
		h->side = i % 2;
	}
	sim_world_after(s, BT_SEC(10), part, NULL, 0);
}

/*
 * Everything at once, and every number from the seed. One draw to a call: in
 * which order arguments are computed is the compiler's choice.
 */
static void
build_any(struct sim *s, unsigned n)
{
	static const unsigned lengths[] = { 16, 32, 48, 64, 256 };
	uint32_t length = (uint32_t)KIB(lengths[bt_rng_below(&s->rng, 5)]);
	unsigned evil = (unsigned)sim_between(s, 0, 400);
	const struct sim_trait *t;
	struct sim_host *h;
	uint32_t pieces;

	if (n == 0)
		n = (unsigned)sim_between(s, 2, 30);
	pieces = (uint32_t)sim_between(s, 1, MIB(2) / length);
	sim_world_content(
	    s, pieces, length, (uint32_t)sim_between(s, 1, length));
	add(s, true, about(s, KIB(300)), MIB(1), 20000);
	for (unsigned i = 0; i < n; i++) {
		if (sim_chance(s, evil)) {
			t = &sim_traits[bt_rng_below(&s->rng, sim_ntraits)];
			add_evil(s, t, about(s, KIB(100)));
			continue;
		}
		h = sim_shell_new(s, sim_chance(s, 100));
		set_link(h, 1, 1, 0);
		roughen(s, h);
		sim_world_birth(
		    h, START + (int64_t)sim_between(s, 0, BT_SEC(60)));
	}
	if (sim_chance(s, 500))
		sim_world_after(s, BT_SEC(5), strike, NULL, 0);
}

/* As soon as the eight have all of it together, the seed is killed. */
static void
orphan(struct sim *s, void *what, uint64_t arg)
{
	struct bt_bits all;

	if (s->is_over)
		return;
	sim_shell_held(s, 1, &all);
	if (bt_bits_is_full(&all))
		sim_world_death(s->hosts[0], true);
	else
		sim_world_after(s, BT_MSEC(10), orphan, what, arg);
	bt_bits_fini(&all);
}

static void
build_orphans(struct sim *s, unsigned n)
{
	build_eight(s, n);
	s->copies_max = 0;
	sim_world_after(s, 0, orphan, NULL, 0);
}

static const struct sim_scenario scenarios[] = {
	{ "crowd", "a thousand equal leeches, one seed", build_swarm, 1000,
	    BT_SEC(2000), 20000, 0, true },
	{ "pair", "one fast seed, one leech", build_pair, 2, BT_SEC(60), 1, 1,
	    true },
	{ "eight", "eight leeches, a seed limited to 4 MiB/s", build_eight, 8,
	    BT_SEC(60), 100, 2, true },
	{ "orphans", "the same; the seed is killed when they have all of it",
	    build_orphans, 8, BT_SEC(60), 100, 2, true },
	{ "swarm", "one seed, equal leeches that come at once", build_swarm,
	    100, BT_SEC(2000), 2000, 1, true },
	{ "riders", "a fifth of the leeches give nothing", build_riders, 100,
	    BT_SEC(4000), 2000, 1, true },
	{ "flappers", "a fifth drop all connections every 10 s", build_flappers,
	    100, BT_SEC(2000), 2000, 1, true },
	{ "churn", "loss of connections and of hosts, slow disks, naps",
	    build_churn, 100, BT_SEC(3000), 500, 1, true },
	{ "evil", "a third of all are evil, of every kind", build_evil, 120,
	    BT_SEC(3000), 500, 1, true },
	{ "rough", "a small churn", build_churn, 20, BT_SEC(3000), 1, 2,
	    false },
	{ "tight", "pieces larger than the memory", build_tight, 6, BT_SEC(300),
	    20, 1, false },
	{ "partial", "partial seeds, and pieces that cannot be read",
	    build_partial, 10, BT_SEC(500), 1, 1, false },
	{ "endgame", "a slow host owes the last blocks", build_endgame, 3,
	    BT_SEC(60), 1, 1, false },
	{ "parted", "the network falls in two and heals", build_parted, 20,
	    BT_SEC(3000), 10, 1, false },
	{ "any", "all of it, by chance", build_any, 0, BT_SEC(3000), 1, 20,
	    false },
	{ "faults", "faults of every sort in a random mix", sim_faults_build, 0,
	    BT_SEC(3000), 1, 150, true },
};
static const unsigned nscenarios = sizeof(scenarios) / sizeof(scenarios[0]);

bool
sim_scenario_at(unsigned i, struct sim_scenario *out)
{
	if (i < nscenarios) {
		*out = scenarios[i];
		return true;
	}
	if (i - nscenarios >= sim_ntraits)
		return false;
	*out = (struct sim_scenario){ sim_traits[i - nscenarios].name,
		sim_traits[i - nscenarios].what, build_trait, 4, BT_SEC(500), 1,
		1, false };
	return true;
}
