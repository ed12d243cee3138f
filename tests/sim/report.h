/*
 * report - what came of a run: times, copies, waste, digest.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "world.h"

struct sim_report {
	unsigned peers, finished;
	int64_t first, median, last;	/* from each one's birth, us */
	int64_t riders;			/* the last of those who give nothing */
	int64_t end;			/* from the beginning, us */
	uint64_t seeded;		/* payload sent by seeds */
	uint64_t down, wasted;
	char digest[2 * BT_SHA1_LEN + 1];
	double wall;			/* real seconds, of this process */
};

void	sim_report_take(struct sim *s, struct sim_report *r);
/* Does it keep what the scenario promises? Says so if not. */
bool	sim_report_judge(struct sim *s, const struct sim_report *r);
void	sim_report_print(const struct sim *s, const struct sim_report *r);

#endif
