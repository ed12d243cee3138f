/*
 * disk - an honest host's disk: jobs that end later, and not in order.
 *
 * It hashes for real, when the job ends, and keeps what was written in parts.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "shell.h"

/* The core hands out a job; its result comes by and by, with a step. */
void	sim_disk_put(struct sim_host *h, const struct bt_effect *fx);
/* All results now, without a step. */
void	sim_disk_end_all(struct sim_host *h);
void	sim_disk_free(struct sim_host *h);

#endif
