/*
 * gauge - what a swarm does over time: are its uplinks full, and if not, why.
 *
 * Prints a row for each interval: how much of all uplinks was used, how much of
 * the seeds', and what the leeches are like at its end.
 */
#ifndef SIM_GAUGE_H
#define SIM_GAUGE_H

#include "world.h"

/* A row each so many microseconds, from now on. */
void	sim_gauge_begin(struct sim *s, int64_t every_us);

#endif
