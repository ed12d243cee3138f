/*
 * stats - what the tracker did and what it holds, counted and summed.
 *
 * 1. Each worker counts in its own tally, which nobody else writes; who reads
 *    sums them. So counting costs a worker one addition.
 * 2. Rates are those of the last ten seconds, or since the start.
 * 3. The top torrents are found when somebody asks. One look is bounded; where
 *    there are more torrents the next one goes on from there, and what was
 *    among the top is counted again.
 * Touches: clock, locks, /proc/self/statm.
 *
 * Used by  bt-tracker/main.c, bt-tracker/worker.c, bt-tracker/reply.c,
 *          bt-tracker/udp.c, bt-tracker/stats_page.c
 * Tests    tests/e2e/bt-tracker-stats.bats
 */
#ifndef BT_TRACKER_STATS_H
#define BT_TRACKER_STATS_H

#include <stdatomic.h>

#include "service.h"

enum bt_stats_front {
	BT_STATS_HTTP,
	BT_STATS_HTTPS,
	BT_STATS_UDP,
	BT_STATS_FRONTS
};

/* REFUSED: an announce or scrape that was told why not. */
enum bt_stats_kind {
	BT_STATS_ANNOUNCE,
	BT_STATS_SCRAPE,
	BT_STATS_REFUSED,
	BT_STATS_KINDS
};

#define BT_STATS_TOP	20u

/* By front, by family that it came over (IPv4, IPv6), by kind. */
struct bt_stats_tally {
	_Atomic uint64_t n[BT_STATS_FRONTS][2][BT_STATS_KINDS];
	uint8_t apart[112];	/* two workers share no cache line */
};

/* Only the worker whose tally it is calls it. */
static inline void
bt_stats_count(struct bt_stats_tally *t, enum bt_stats_front front,
    unsigned family, enum bt_stats_kind kind)
{
	_Atomic uint64_t *n = &t->n[front][family == 6][kind];

	atomic_store_explicit(n,
	    atomic_load_explicit(n, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

/* All of it at one moment. */
struct bt_stats_now {
	const char *version;
	int64_t started;	/* seconds since the epoch */
	uint64_t uptime_s;
	unsigned workers;
	uint32_t swarms, swarms_max;
	uint64_t peers[2][2];	/* IPv4, IPv6: leechers, seeders */
	uint64_t bytes, bytes_max;	/* of torrents and peers */
	uint64_t resident;	/* bytes of the process; 0: not known */
	uint64_t n[BT_STATS_FRONTS][2][BT_STATS_KINDS];
	double rate[BT_STATS_FRONTS][2][BT_STATS_KINDS];	/* a second */
	struct bt_scrape_row top[BT_STATS_TOP];	/* most peers first */
	size_t ntop;
	uint32_t looked;	/* at so many torrents for it, this time */
};

struct bt_stats;

/* gives; borrows both, which outlive it. */
struct bt_stats	*bt_stats_new(struct bt_service *s, unsigned workers,
		    const char *version);
void	bt_stats_free(struct bt_stats *st);
struct bt_stats_tally	*bt_stats_tally_of(struct bt_stats *st,
			    unsigned worker);
/* Keep a sample now and then; one worker calls it, some times a second. */
void	bt_stats_tick(struct bt_stats *st, uint64_t now_ms);
/* Any thread. with_top: look for the top torrents, which costs most. */
void	bt_stats_read(struct bt_stats *st, bool with_top,
	    struct bt_stats_now *now);

#endif
