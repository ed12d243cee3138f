/*
 * announcer - keeps one torrent known to its trackers, and peers coming.
 *
 * The rules
 * 1. One tracker is talked to at a time (BEP 12): the first that answers, found
 *    by core/tiers. After a failure the next is asked at once; a tracker that
 *    is silent for 15 s lets the next be asked while it is tried on.
 * 2. Each family that we listen on gets its own announce.
 * 3. `started` first, then at the tracker's interval; `completed` once, and
 *    only for a download that began incomplete; `stopped` at the end to whom
 *    `started` reached, done after 3 s at most, answered or not.
 * 4. bt_announcer_want_peers() brings the next announce forward: 5, 10, 20, 40
 *    ... s after the last, and never sooner than its `min interval`. The steps
 *    begin anew once nobody asked for a minute longer than the last step.
 * 5. `retry in` is kept to; a warning or failure is logged when it changes.
 * 6. Host names in peer lists are resolved and given like other addresses.
 * 7. Programs of a swarm are often begun together, the tracker among them: until
 *    a tracker has answered all are tried again after 1, 2, 4, 8 s.
 * 8. One of a crowd announces up to half an interval sooner at first, and then
 *    up to a sixteenth (never sooner than `min interval`), so that thousands
 *    that began together spread over the interval.
 * All announcers of a process share one asker.
 * Touches: sockets (through net/asker).
 *
 * Speaks   BEP 3, 7, 12, 15, 23, 31
 * Used by  net/client
 * Tests    tests/e2e/announce.bats
 */
#ifndef BT_NET_ANNOUNCER_H
#define BT_NET_ANNOUNCER_H

#include "net/asker.h"

#define BT_ANNOUNCER_STOP_US	(3 * BT_LOOP_SECOND)	/* cli.md */
#define BT_ANNOUNCER_NUMWANT	200	/* BEP 3 gives 50 by default */

struct bt_announcer;

struct bt_announcer_figures {
	uint64_t uploaded, downloaded, left;	/* bytes of this run; to go */
	bool peers_suffice;	/* ask for none */
};

struct bt_announcer_conf {
	struct bt_asker *asker;		/* borrowed for life, shared */
	struct bt_loop *loop;		/* borrowed for life */
	uint8_t info_hash[20];
	uint8_t peer_id[20];
	uint16_t port;			/* where we listen */
	bool crowd;			/* rule 8 */
	const struct bt_log *log;	/* may be NULL; borrowed */
	/* Called from the loop, never from within a call of ours. */
	void (*figures)(void *arg, struct bt_announcer_figures *out);
	void (*on_peers)(void *arg, const struct bt_addr *a, size_t n);
	void (*on_stopped)(void *arg);	/* may free the announcer */
	void *arg;
};

/* gives */
struct bt_announcer	*bt_announcer_new(
	    const struct bt_announcer_conf *conf);
/* At any time; says nothing to a tracker. */
void	bt_announcer_free(struct bt_announcer *a);
/* Before the start: copies url. False if it is known or cannot be asked. */
bool	bt_announcer_add(struct bt_announcer *a, struct bt_str url,
	    uint32_t tier);
/* Announce `started` in the loop's next iteration. */
void	bt_announcer_start(struct bt_announcer *a);
/* Rule 4. As often as one likes. */
void	bt_announcer_want_peers(struct bt_announcer *a);
/* The last wanted piece came: `completed`, if it began incomplete. */
void	bt_announcer_completed(struct bt_announcer *a);
/*
 * Say `stopped`. True: nobody had to be told, it is done. False: on_stopped
 * comes within BT_ANNOUNCER_STOP_US.
 */
bool	bt_announcer_stop(struct bt_announcer *a);

struct bt_announcer_state {
	unsigned trackers;	/* known */
	bool answered;		/* the last round was */
	int64_t next;		/* when the next announce is due; 0: none */
	int64_t seeds, leechers;	/* as last told; -1 unknown */
	struct bt_err err;	/* why the last one failed, or BT_ENONE */
};
void	bt_announcer_state(const struct bt_announcer *a,
	    struct bt_announcer_state *out);

#endif
