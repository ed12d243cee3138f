/*
 * scenario - the worlds that are simulated: who is in them, and what must come
 * of it.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

struct sim_scenario {
	const char *name;
	const char *what;	/* for a person */
	void (*build)(struct sim *s, unsigned n);
	unsigned n;		/* peers, unless asked for otherwise */
	int64_t limit_us;	/* all must have finished by then */
	uint32_t check_every;	/* steps */
	unsigned seeds;		/* how many are run, unless asked otherwise; */
				/* 0: one, and only if named or with -r */
	bool big;		/* too long for a build with sanitizers */
};

/* The i-th, or false past the last. Each kind of evil host is one, too. */
bool	sim_scenario_at(unsigned i, struct sim_scenario *out);

#endif
