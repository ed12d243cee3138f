/*
 * loop - one thread's events: timers, descriptors and signals.
 *
 * 1. Callbacks run only inside bt_loop_run(), one after the other.
 * 2. A callback may free any timer or watch, its own as well; one that was
 *    freed or switched off is not called again.
 * 3. Time is CLOCK_MONOTONIC in microseconds, read once an iteration.
 * 4. SIGINT and SIGTERM: the first one is told to the callback, with both
 *    blocked while it runs and back at the disposition that they had before, or
 *    that it gives them. SIGPIPE is ignored from bt_loop_on_signal() on: writing to a closed
 *    pipe gives EPIPE, and the tool ends itself as a filter does.
 * Touches: sockets (through libevent).
 *
 * Used by  every module of net, bt-get, bt-seed, bt-scrape
 * Tests    tests/unit/test_net_loop.c
 */
#ifndef BT_NET_LOOP_H
#define BT_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct bt_loop;
struct bt_loop_timer;
struct bt_loop_watch;

#define BT_LOOP_SECOND	INT64_C(1000000)	/* microseconds */

#define BT_LOOP_READ	1u
#define BT_LOOP_WRITE	2u

/* gives *out. 0 or -1. */
int	bt_loop_new(struct bt_loop **out, struct bt_err *err);
/* Timers and watches are freed by their owners before. */
void	bt_loop_free(struct bt_loop *l);
/* Until bt_loop_stop(), or until nothing is left to wait for. */
void	bt_loop_run(struct bt_loop *l);
/* The callbacks that are due in this iteration still run. */
void	bt_loop_stop(struct bt_loop *l);
int64_t	bt_loop_now(struct bt_loop *l);
/* Rule 4; once for a loop. */
void	bt_loop_on_signal(struct bt_loop *l, void (*on)(void *arg, int signo),
	    void *arg);

/* A timer fires once for each time it is set; new ones are not set. gives */
struct bt_loop_timer	*bt_loop_timer_new(struct bt_loop *l,
	    void (*fire)(void *arg), void *arg);
void	bt_loop_timer_free(struct bt_loop_timer *t);
/* Set or move it: at a time on this loop's clock; in the past is at once. */
void	bt_loop_timer_at(struct bt_loop_timer *t, int64_t when);
void	bt_loop_timer_in(struct bt_loop_timer *t, int64_t us);
void	bt_loop_timer_off(struct bt_loop_timer *t);

/*
 * Watch a descriptor, level-triggered and until switched off; `ready` is told
 * BT_LOOP_READ, _WRITE or both; a socket's error or end is told as whichever is
 * waited for. New watches wait for nothing. The descriptor stays the
 * caller's: free the watch, then close it. gives
 */
struct bt_loop_watch	*bt_loop_watch_new(struct bt_loop *l, int fd,
	    void (*ready)(void *arg, unsigned what), void *arg);
void	bt_loop_watch_free(struct bt_loop_watch *w);
/* Wait for exactly these; 0 for nothing. Cheap when nothing changes. */
void	bt_loop_watch_set(struct bt_loop_watch *w, unsigned what);

/* libevent's event_base, for net/dns alone. */
void	*bt_loop_base(struct bt_loop *l);

#endif
