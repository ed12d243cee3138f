/*
 * world - one simulated world: its clock, its hosts, what they share.
 *
 * Everything random comes from one generator, everything in time from one heap,
 * and all that happens goes into one digest: two runs of a seed are equal if
 * their digests are.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <sys/queue.h>

#include "base/hash.h"
#include "base/rng.h"
#include "core/torrent.h"
#include "heap.h"

#define KIB(n)	((uint64_t)(n) << 10)
#define MIB(n)	((uint64_t)(n) << 20)

struct sim_end;
struct sim_host;
struct sim_shell;
struct sim_evil;
TAILQ_HEAD(sim_ends, sim_end);

struct sim_content {
	struct bt_layout *layout;
	uint8_t *bytes;
	uint32_t *block_at;	/* of each piece, its first block's number */
	uint32_t blocks;
};

/* What a host does; of the honest in shell.c, of the others in evil.c. */
struct sim_ops {
	void (*born)(struct sim_host *h);
	void (*connected)(struct sim_end *e);
	void (*bytes)(struct sim_end *e, struct bt_str in);
	void (*closed)(struct sim_end *e);
	/* the link is free and e->out empty: put something there, if there is */
	void (*pull)(struct sim_end *e);
	void (*died)(struct sim_host *h);
};

struct sim_host {
	struct sim *sim;
	unsigned id;
	struct bt_addr addr;
	const struct sim_ops *ops;
	struct sim_shell *shell;	/* of an honest one, or NULL */
	struct sim_evil *evil;		/* of another, or NULL */
	bool up;
	uint64_t life;		/* counts its births */
	bool listens;		/* can be dialled */
	unsigned side;		/* of a partition */

	/* its link */
	uint64_t up_bps, down_bps;
	int64_t latency_us;	/* one way, added to the other end's */
	size_t window;		/* bytes in flight on one connection */
	size_t chunk;		/* bytes that it sends at a time */
	int64_t nap_us;		/* it reads only each so often; 0: at once */
	int64_t up_free, down_free;
	uint64_t up_carry, down_carry;
	uint64_t sent;		/* bytes, since the gauge looked */
	bool turn_set;
	struct sim_ends line;	/* who waits to send */
	struct sim_ends ends;	/* all that are not closed */
	uint16_t port_next;	/* of those that it dials from */
};

struct sim {
	uint64_t seed;
	const char *name;
	struct bt_rng rng;
	int64_t now;
	struct sim_heap heap;
	struct sim_content content;
	struct sim_host **hosts;
	unsigned nhosts;
	struct sim_host **listed;	/* by the tracker */
	unsigned nlisted;
	struct sim_conn *conns;		/* all that ever were */
	unsigned unfinished;		/* honest ones that are to finish */
	uint32_t steps, check_every;	/* bt_torrent_check each so many */
	bool parted;			/* sides do not reach each other */
	int64_t heals_at;
	bool is_judging;	/* the run is over, and hosts die one by one */
	bool is_over, failed, verbose;
	struct bt_hash *digest;
	uint64_t events;
	int64_t linger_us;		/* how long it goes on after that */
	int64_t quiet_at;	/* tests/sim/faults: none comes any more */
	int64_t limit_us;	/* of this world; 0: the scenario's */
	bool orphaned;		/* its seed died for good */
	unsigned stranded;	/* leeches that could not finish, */
	unsigned broken;	/* and those whose disk failed for good */
	int64_t began, finished;	/* finished: when the last one was done */

	/* what the scenario expects; 0: nothing */
	int64_t ideal_us;	/* of the fluid optimum */
	unsigned ratio_max;	/* the last finishes by so many % of ideal */
	unsigned copies_max;	/* seeds send at most so many %, together */
	unsigned riders_min;	/* the last rider takes so many % of the others */
	unsigned waste_max;	/* of 1000 bytes that came, wasted */
};

/* gives */
struct sim	*sim_world_new(const char *name, uint64_t seed, bool verbose);
void	sim_world_free(struct sim *s);
void	sim_world_content(struct sim *s, uint32_t pieces,
	    uint32_t piece_length, uint32_t last_length);
/* A host that is not up yet. Its link is to be set by the caller. */
struct sim_host	*sim_world_host(struct sim *s, const struct sim_ops *ops);
struct sim_host	*sim_world_at(struct sim *s, const struct bt_addr *addr);
void	sim_world_birth(struct sim_host *h, int64_t at);
/* loud: its peers are told, as when a process is killed; else they are not. */
void	sim_world_death(struct sim_host *h, bool loud);
/* Until all have finished, or the world's end. True if all is well. */
bool	sim_world_run(struct sim *s, int64_t limit_us);
void	sim_world_after(struct sim *s, int64_t us, sim_act *act, void *what,
	    uint64_t arg);

/* Announce h to the tracker; n others (random) are given to out. */
unsigned	sim_world_announce(struct sim_host *h, struct bt_addr *out,
	    unsigned n);

/* Put into the digest what happened to h (may be NULL); and say it. */
void	sim_log(struct sim *s, const struct sim_host *h, const char *what,
	    uint64_t a, uint64_t b);
/* The run has failed: says why, with time and host. The first one counts. */
void	sim_fail(struct sim *s, const struct sim_host *h, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* Uniform in low .. high. */
uint64_t	sim_between(struct sim *s, uint64_t low, uint64_t high);
bool	sim_chance(struct sim *s, unsigned permille);

#endif
