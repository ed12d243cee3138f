/*
 * net - connections between hosts: what is sent comes later, in order, or not.
 *
 * A host's uplink sends a chunk at a time, round robin over its connections;
 * its downlink takes what arrives in order of arrival. Between them lies the
 * latency of both. At most a window of bytes is in flight on a connection, and
 * bytes that a reader does not take stay in flight.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "world.h"

enum sim_state {
	SIM_DIALLING,
	SIM_STRANGER,		/* accepted, its handshake not read */
	SIM_OPEN,
	SIM_CLOSED
};

struct sim_end {
	struct sim_host *host;
	struct sim_end *peer;
	struct bt_addr from;	/* how it looks from the other side */
	enum sim_state state;
	int64_t since;
	uint8_t *out;		/* the socket's send buffer */
	size_t out_from, out_n, out_cap;
	size_t in_flight;
	bool is_deaf;		/* takes nothing that arrives */
	bool is_torn;		/* what it sent was lost, and so is the rest */
	bool in_line, has_more;	/* has_more: pull has something */
	void *own;		/* the host's, for this connection */
	TAILQ_ENTRY(sim_end) waits, all, told;
};

struct sim_conn {
	struct sim_end ends[2];	/* who dialled, who was dialled */
	struct sim_conn *next;
};

/* Dial; the end hears ->connected or ->closed later. */
struct sim_end	*sim_net_dial(struct sim_host *h, const struct bt_addr *to);
/* Append to the send buffer. */
void	sim_net_put(struct sim_end *e, const void *p, size_t n);
/* There is something to send: wait for the uplink. */
void	sim_net_line(struct sim_end *e);
/* When what e said then was heard at the earliest: after a partition. */
int64_t	sim_net_heard(const struct sim_end *e, int64_t said);
/* This side ends it; the other hears of it after what is in flight. */
void	sim_net_close(struct sim_end *e);
/* The network ends it: both sides hear of it at once. */
void	sim_net_cut(struct sim_end *e);
/* One of a host's connections, or, by chance, none. */
void	sim_net_cut_any(struct sim_host *h);
/* Every connection of a host that died. */
void	sim_net_drop_all(struct sim_host *h, bool loud);
/* Nothing of it is left. */
void	sim_net_free(struct sim *s);

#endif
