/*
 * talk - an honest host's connections: bytes into its core, and out of it.
 */
#ifndef SIM_TALK_H
#define SIM_TALK_H

#include "shell.h"

/* As sim_ops say. */
void	sim_talk_connected(struct sim_end *e);
void	sim_talk_bytes(struct sim_end *e, struct bt_str in);
void	sim_talk_closed(struct sim_end *e);
void	sim_talk_pull(struct sim_end *e);
/* Control messages go into the socket at once, so that the tap sees them. */
void	sim_talk_flush(struct sim_end *e);

#endif
