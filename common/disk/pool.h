/*
 * pool - worker threads for what blocks or burns.
 *
 * Jobs go in by one queue, results come out by another; an eventfd tells the
 * loop. Jobs that gain by it are run together: a worker takes what waits of
 * them. Where they come every few milliseconds it does not begin with one alone
 * but waits a moment for a second. Another worker takes of them only as many as
 * it can run together, since the first is soon back for fewer, or any number if
 * it is not back within a second. Jobs for one pool may finish in any order.
 * Touches: threads.
 *
 * Used by  net/client (through disk/jobs), disk/verify
 * Tests    tests/unit/test_disk_pool.c
 */
#ifndef BT_DISK_POOL_H
#define BT_DISK_POOL_H

#include <stdint.h>

#include "base/err.h"

struct bt_pool;

struct bt_pool_job {
	/*
	 * On a worker: this job and, by their next, up to together - 1 more
	 * that waited and have the same run, the oldest first.
	 */
	void (*run)(struct bt_pool_job *jobs);
	unsigned together;			/* 0 and 1: alone */
	struct bt_pool_job *next;		/* the pool's, and when it was put */
	int64_t put_at;
};

/* The processors that this process may use, 1 .. 64. */
unsigned	bt_pool_cores(void);
/* gives; threads 0: one a core (the affinity mask's, at most 64) */
struct bt_pool	*bt_pool_new(unsigned threads, struct bt_err *err);
/*
 * Waits for what runs. Jobs not given back by then are the caller's again, run
 * or not: who must know takes them all with bt_pool_wait() first.
 */
void	bt_pool_free(struct bt_pool *p);
/* Lends job until it is given back. */
void	bt_pool_put(struct bt_pool *p, struct bt_pool_job *job);
/* A job that is finished, or NULL; does not wait. Gives it back. */
struct bt_pool_job	*bt_pool_done(struct bt_pool *p);
/* The same, waiting while any job is out; NULL when none is. */
struct bt_pool_job	*bt_pool_wait(struct bt_pool *p);
/* Readable while finished jobs wait; for a loop. The pool's own. */
int	bt_pool_fd(const struct bt_pool *p);
unsigned	bt_pool_threads(const struct bt_pool *p);

#endif
