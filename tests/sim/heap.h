/*
 * heap - what is to happen, in order of virtual time.
 *
 * Events of the same microsecond happen in the order in which they were put, so
 * that a run depends on its seed alone.
 */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;

typedef void sim_act(struct sim *s, void *what, uint64_t arg);

struct sim_event {
	int64_t at;		/* microseconds */
	uint64_t seq;
	sim_act *act;
	void *what;
	uint64_t arg;
};

struct sim_heap {
	struct sim_event *e;
	size_t n, cap;
	uint64_t seq;
};

void	sim_heap_put(struct sim_heap *h, int64_t at, sim_act *act, void *what,
	    uint64_t arg);
/* The first event, taken out; false when there is none. */
bool	sim_heap_take(struct sim_heap *h, struct sim_event *out);
void	sim_heap_fini(struct sim_heap *h);

#endif
