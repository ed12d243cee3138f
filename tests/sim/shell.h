/*
 * shell - an honest host: the real core, with a simulated disk and network.
 *
 * Its life: it is born, steps as the core wants, and ends. What it does of
 * effects is obey's, what it does with bytes talk's. From outside it is checked
 * what tap does not see: memory stays under its ceiling, counts agree, what the
 * disk holds is right, all who spoiled a piece were banned, and each file that
 * is whole was told of.
 */
#ifndef SIM_SHELL_H
#define SIM_SHELL_H

#include "tap.h"

struct sim_job;
TAILQ_HEAD(sim_jobs, sim_job);

struct sim_slot {
	uint64_t slot;
	struct sim_end *end;
	bool open;
};

struct sim_shell {
	/* to be set before its birth */
	size_t memory;
	unsigned slots;
	uint32_t peers_max, numwant;
	uint64_t up_limit_bps;
	int64_t announce_us;
	int64_t disk_us, disk_jitter_us;
	uint64_t disk_bps;
	unsigned batch;		/* blocks that it takes at a time, 1 .. 16 */
	bool ragged;		/* it takes parts of blocks */
	int64_t leaves_us;	/* so long after it is done; -1: stays */
	bool must_finish;
	bool rides;		/* it gives next to nothing: told of apart */
	uint32_t sequential;	/* window of pieces in order; 0: rarest first */
	uint64_t down_limit_bps;
	uint32_t fails_after;	/* so many disk jobs the disk fails; 0: never */
	int64_t back_us;	/* so long after that it returns; -1: it does not */
	struct bt_bits want;
	struct bt_bits rotten;	/* pieces on its disk that cannot be read */

	/* its disk outlives it */
	struct bt_bits disk;	/* pieces verified */
	uint8_t **pages;	/* pieces written in parts */

	/* one life */
	struct bt_torrent *t;
	struct sim_slot *at;	/* by a slot's lower half */
	uint32_t nat;
	struct sim_ends told;	/* the core has something to send there */
	struct sim_jobs jobs;
	unsigned njobs;
	bool disk_failed;
	int64_t disk_free;
	int64_t tick_at, ticked_at;
	unsigned ticks;		/* at one time */
	bool is_stepping, told_done;
	struct bt_bits told_files;	/* or whole from the beginning on */
	bool is_broken;		/* its disk failed for good, and it is gone */
	bool is_stranded;	/* given up: what it lacks nobody has */
	bool has_left;		/* its user stopped it, and all was well */
	struct sim_ledger ledger;
	uint64_t up, gained;
	unsigned rx_calls;

	/* for the result */
	struct bt_bits hurt, banned;	/* hosts */
	int64_t born_at, done_at;	/* 0: not yet */
	uint64_t up_all, down_all, wasted_all;
};

/* A host with nothing, or with everything. Its link and shell may be set. */
struct sim_host	*sim_shell_new(struct sim *s, bool seed);
/* Do what the core wants, until it wants nothing more. After each call on it. */
void	sim_shell_step(struct sim_host *h);
void	sim_shell_free(struct sim_host *h);
/* Its user's program ends so long after, as when a disk failed. */
void	sim_shell_leave(struct sim_host *h, int64_t after_us);
/* gives: what the living have together, from host number `from` on */
void	sim_shell_held(const struct sim *s, unsigned from, struct bt_bits *all);

#endif
