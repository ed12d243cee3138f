/*
 * obey - what an honest host does of its core's effects.
 *
 * A slot is opened, named and closed once; no honest host is blamed or banned
 * for what it did not do; what is said to be here is on the disk, and a file is
 * said to be once.
 */
#ifndef SIM_OBEY_H
#define SIM_OBEY_H

#include "shell.h"

void	sim_obey(struct sim_host *h, const struct bt_effect *fx);
/* The core has named a slot for that end. */
void	sim_obey_open(struct sim_host *h, uint64_t slot, struct sim_end *e,
	    bool accepted);
/* The core has something to send there, or no longer. */
void	sim_obey_told(struct sim_end *e, bool told);
/* The end is no more; the core knows, or is told. */
void	sim_obey_end(struct sim_end *e);
/* Its disk has more: the first time that it is all, that is noted. */
void	sim_obey_have(struct sim_host *h);
/* Is file i of those that are told of, and all of it on the disk? */
bool	sim_obey_has_file(const struct sim_host *h, uint32_t i);
/* The tracker is asked soon, and then every announce_us. */
void	sim_obey_announces(struct sim_host *h);

#endif
