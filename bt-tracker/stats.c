#include "stats.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define SAMPLES 11u /* one a second: the oldest is ten seconds old */
#define SAMPLE_MS 1000u
#define LOOK_EACH 256u	     /* torrents in one turn of a lock */
#define LOOK_MAX (64u << 10) /* in one look: some milliseconds */

struct sample {
	uint64_t at_ms;
	uint64_t n[BT_STATS_FRONTS][2][BT_STATS_KINDS];
};

struct bt_stats {
	struct bt_service *service;
	const char *version;
	int64_t started;
	uint64_t began_ms;
	unsigned workers;
	struct bt_stats_tally *each;

	pthread_mutex_t lock; /* for all below */
	struct sample samples[SAMPLES];
	unsigned nsamples, oldest;
	struct bt_service_tour tour;
	struct bt_scrape_row top[BT_STATS_TOP];
	size_t ntop;
	struct bt_scrape_row rows[LOOK_EACH]; /* scratch */
};

struct bt_stats *
bt_stats_new(struct bt_service *s, unsigned workers, const char *version)
{
	struct bt_stats *st = bt_mem_zero(1, sizeof(*st));

	st->service = s;
	st->version = version;
	st->started = (int64_t)time(NULL);
	st->began_ms = bt_service_now_ms();
	st->workers = workers;
	st->each = bt_mem_zero(workers, sizeof(*st->each));
	pthread_mutex_init(&st->lock, NULL);
	st->samples[0].at_ms = st->began_ms;
	st->nsamples = 1;
	return st;
}

void
bt_stats_free(struct bt_stats *st)
{
	if (st == NULL)
		return;
	pthread_mutex_destroy(&st->lock);
	bt_mem_free(st->each);
	bt_mem_free(st);
}

struct bt_stats_tally *
bt_stats_tally_of(struct bt_stats *st, unsigned worker)
{
	return &st->each[worker];
}

static void
sum(const struct bt_stats *st, uint64_t n[BT_STATS_FRONTS][2][BT_STATS_KINDS])
{
	memset(n, 0, sizeof(st->samples[0].n));
	for (unsigned w = 0; w < st->workers; w++)
		for (int front = 0; front < BT_STATS_FRONTS; front++)
			for (int f = 0; f < 2; f++)
				for (int k = 0; k < BT_STATS_KINDS; k++)
					n[front][f][k] += atomic_load_explicit(
					    &st->each[w].n[front][f][k],
					    memory_order_relaxed);
}

void
bt_stats_tick(struct bt_stats *st, uint64_t now_ms)
{
	struct sample *to;
	unsigned newest;

	/* a reader has it for some milliseconds at most: the next one does */
	if (pthread_mutex_trylock(&st->lock) != 0)
		return;
	newest = (st->oldest + st->nsamples - 1) % SAMPLES;
	if (now_ms >= st->samples[newest].at_ms + SAMPLE_MS) {
		if (st->nsamples == SAMPLES)
			st->oldest = (st->oldest + 1) % SAMPLES;
		else
			st->nsamples++;
		to = &st->samples[(newest + 1) % SAMPLES];
		to->at_ms = now_ms;
		sum(st, to->n);
	}
	pthread_mutex_unlock(&st->lock);
}

static void
reckon_rates(const struct bt_stats *st, uint64_t now_ms, struct bt_stats_now *o)
{
	const struct sample *was = &st->samples[st->oldest];
	double span_s = (double)(now_ms - was->at_ms) / 1000;

	/* who has just begun does not boast with one request in a moment */
	if (span_s < 1)
		span_s = 1;
	for (int front = 0; front < BT_STATS_FRONTS; front++)
		for (int f = 0; f < 2; f++)
			for (int k = 0; k < BT_STATS_KINDS; k++)
				o->rate[front][f][k] =
				    (double)(o->n[front][f][k] -
					     was->n[front][f][k]) /
				    span_s;
}

static uint64_t
peers_in(const struct bt_scrape_row *row)
{
	return (uint64_t)row->complete + row->incomplete;
}

/* Put it among the top where it belongs there. */
static void
consider(struct bt_stats *st, const struct bt_scrape_row *row)
{
	uint64_t peers = peers_in(row);
	size_t at;

	if (peers == 0 || (st->ntop == BT_STATS_TOP &&
			      peers <= peers_in(&st->top[st->ntop - 1])))
		return;
	for (size_t i = 0; i < st->ntop; i++)
		if (memcmp(st->top[i].info_hash, row->info_hash, 20) == 0)
			return;
	if (st->ntop < BT_STATS_TOP)
		st->ntop++;
	for (at = st->ntop - 1; at > 0 && peers > peers_in(&st->top[at - 1]);
	     at--)
		st->top[at] = st->top[at - 1];
	st->top[at] = *row;
}

/* Rule 3. Returns at how many it looked. */
static uint32_t
look(struct bt_stats *st)
{
	struct bt_scrape_row was[BT_STATS_TOP];
	size_t nwas = st->ntop, n;
	uint32_t looked = 0;

	memcpy(was, st->top, sizeof(was));
	bt_service_counts(st->service, was, nwas);
	st->ntop = 0;
	for (size_t i = 0; i < nwas; i++)
		consider(st, &was[i]);
	while (looked < LOOK_MAX) {
		n = bt_service_look(
		    st->service, &st->tour, st->rows, LOOK_EACH);
		if (n == 0) {
			st->tour = (struct bt_service_tour){ .shard = 0 };
			break;
		}
		for (size_t i = 0; i < n; i++)
			consider(st, &st->rows[i]);
		looked += (uint32_t)n;
	}
	return looked;
}

/* The second number of statm is pages. */
static uint64_t
resident(void)
{
	unsigned long long all, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &all, &pages) != 2)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
bt_stats_read(struct bt_stats *st, bool with_top, struct bt_stats_now *now)
{
	const struct bt_service_conf *conf = bt_service_conf_of(st->service);
	uint64_t now_ms = bt_service_now_ms();
	uint32_t peers;

	memset(now, 0, sizeof(*now));
	now->version = st->version;
	now->started = st->started;
	now->uptime_s = (now_ms - st->began_ms) / 1000;
	now->workers = st->workers;
	bt_service_count(st->service, &now->swarms, &peers);
	now->swarms_max = conf->swarms_max;
	bt_service_peers(st->service, now->peers);
	now->bytes = bt_service_bytes(st->service);
	now->bytes_max = conf->bytes_max;
	now->resident = resident();
	pthread_mutex_lock(&st->lock);
	sum(st, now->n);
	reckon_rates(st, now_ms, now);
	if (with_top) {
		now->looked = look(st);
		memcpy(now->top, st->top, sizeof(now->top));
		now->ntop = st->ntop;
	}
	pthread_mutex_unlock(&st->lock);
}
