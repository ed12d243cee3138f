/*
 * roster - the connections of a torrent: dialled, accepted, watched, closed.
 *
 * A handle is an index and a generation. Closing frees what a peer holds at
 * once and the peer itself after the step, so that no loop loses its footing.
 *
 * Some clients tell what they had when a connection began, and never what a check
 * of their files finds after. So where a download stands still, who has nothing
 * for us, wants nothing and is silent is left and dialled anew: one at a time.
 * Pure.
 *
 * Used by  core/torrent and its parts
 * Tests    tests/unit/test_torrent_roster.c
 */
#ifndef BT_CORE_ROSTER_H
#define BT_CORE_ROSTER_H

#include "core/candidates.h"
#include "core/peer.h"

#define BT_ROSTER_DIAL_US	BT_SEC(15)	/* to connect */
#define BT_ROSTER_GREET_US	BT_SEC(20)	/* to shake hands */
#define BT_ROSTER_KEEPALIVE_US	BT_SEC(110)	/* BEP 3: every two minutes, */
#define BT_ROSTER_SPREAD	32u	/* or up to so many s sooner: who came
					 * together is not told together */
#define BT_ROSTER_SILENCE_US	BT_SEC(240)	/* two keep-alives missed */
#define BT_ROSTER_ANEW_US	BT_SEC(30)	/* of silence, to be dialled anew, */
#define BT_ROSTER_ANEW_EACH_US	BT_SEC(10)	/* one this often */
#define BT_ROSTER_FEW	5u	/* fewer peers: ask for more addresses, */
#define BT_ROSTER_LONELY_US	BT_SEC(5)	/* this often */

struct bt_torrent;

/* The peer of a handle, or NULL if it is closed. */
struct bt_peer	*bt_roster_find(const struct bt_torrent *t, uint64_t slot);
/* the roster owns it; addr is copied */
struct bt_peer	*bt_roster_add(struct bt_torrent *t, const struct bt_addr *addr,
	    bool outgoing, int64_t now);
/* why: a literal, lower case, no full stop */
void	bt_roster_close(struct bt_torrent *t, struct bt_peer *p,
	    enum bt_cand_end how, const char *why, int64_t now);
/* Close it for something that it did wrong, and say so to the log. */
void	bt_roster_blame(struct bt_torrent *t, struct bt_peer *p,
	    const char *why, int64_t now);
/* Close all connections from the address and never take it again. */
void	bt_roster_ban(struct bt_torrent *t, const struct bt_addr *addr,
	    const char *why, int64_t now);
/* The end of a step: free what was closed in it. */
void	bt_roster_reap(struct bt_torrent *t);
void	bt_roster_free(struct bt_torrent *t);
/* Dial while there is room; ask for an announce when nobody is left. */
void	bt_roster_dial(struct bt_torrent *t, int64_t now);
/* When _dial has something to do again. */
int64_t	bt_roster_when(const struct bt_torrent *t, int64_t now);
/* Time-outs and keep-alives. */
void	bt_roster_sweep(struct bt_torrent *t, struct bt_peer *p, int64_t now);
/* Part from a peer if neither can ever need anything of the other. */
void	bt_roster_part_if_useless(struct bt_torrent *t, struct bt_peer *p,
	    int64_t now);

#endif
