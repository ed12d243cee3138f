/*
 * clerk - what a worker brings along to the service: its time, coin and room.
 *
 * One for each worker, whose thread alone touches it.
 * Touches: the clock, locks (through the gate).
 *
 * Used by  bt-tracker/service.c, the fronts
 * Tests    tests/e2e/bt-tracker.bats
 */
#ifndef BT_TRACKER_CLERK_H
#define BT_TRACKER_CLERK_H

#include "base/rng.h"
#include "gate.h"
#include "pace.h"

struct bt_stats_tally;
struct bt_record;

struct bt_clerk {
	struct bt_rng rng;
	struct bt_stats_tally *tally;	/* where it counts (stats.h) */
	struct bt_record *record;	/* NULL: no log */
	uint64_t now_ms;	/* CLOCK_MONOTONIC, kept by the worker */
	uint8_t *peers[2];	/* of an answer: IPv4, IPv6 */
	struct bt_gate_pass pass;
	struct bt_pace *pace;
};

/* Room for answers of `most` peers; gate may be NULL. */
void	bt_clerk_init(struct bt_clerk *c, uint32_t most, struct bt_gate *gate,
	    uint64_t seed);
void	bt_clerk_fini(struct bt_clerk *c);
/* Read the clock again, and hold the lists that hold now. */
uint64_t	bt_clerk_now(struct bt_clerk *c);

#endif
