/*
 * trackers - the trackers of one torrent, and what each knows of us.
 *
 * A tracker is asked over IPv4 and IPv6 apart: each is a leg. The order in which
 * trackers are asked is core/tiers', when is net/announcer's.
 * Touches: sockets (through net/asker).
 *
 * Speaks   BEP 3, 7, 31
 * Used by  net/announcer
 * Tests    tests/e2e/announce.bats
 */
#ifndef BT_NET_TRACKERS_H
#define BT_NET_TRACKERS_H

#include "core/tiers.h"
#include "net/asker.h"

struct bt_tracker_leg {
	struct bt_tracker *tracker;
	uint8_t family;			/* 4 or 6 */
	struct bt_asker_question *question;	/* NULL: not being asked */
	enum bt_event event;		/* that was asked last */
	bool heard;			/* it knows of us */
	bool completed_due;		/* it is to hear `completed` */
	bool told;			/* it was told `stopped` */
};

struct bt_tracker {
	void *owner;			/* the caller's */
	char *url;
	uint32_t tier;
	struct bt_tracker_leg legs[2];
	char *trackerid;		/* or NULL */
	int64_t hold;			/* not to be asked before */
	unsigned refusals;		/* in a row */
	char *complaint;		/* what was logged of it last, or NULL */
};

struct bt_trackers {
	struct bt_tiers *tiers;
	uint64_t seed;
	struct bt_tracker **list;
	size_t n;
};

void	bt_trackers_init(struct bt_trackers *s);
/* Questions still open are cancelled. */
void	bt_trackers_fini(struct bt_trackers *s);
/* Copies url, which must parse. NULL if it is there already. */
struct bt_tracker	*bt_trackers_add(struct bt_trackers *s,
	    struct bt_str url, uint32_t tier, void *owner);
/* Forget which trackers failed lately. */
void	bt_trackers_forget(struct bt_trackers *s);
/* core/tiers, in terms of trackers; NULL: all failed lately, see when. */
struct bt_tracker	*bt_trackers_pick(struct bt_trackers *s, int64_t now,
	    int64_t *when);
void	bt_trackers_ok(struct bt_trackers *s, const struct bt_tracker *t);
void	bt_trackers_failed(struct bt_trackers *s, const struct bt_tracker *t,
	    int64_t now);
/* All legs, flat; NULL past the last. */
struct bt_tracker_leg	*bt_trackers_leg(const struct bt_trackers *s,
	    size_t i);

/* Say it if it is not what was said of t last. */
void	bt_trackers_complain(struct bt_tracker *t, const struct bt_log *log,
	    const char *text);
/* All is well again. */
void	bt_trackers_praise(struct bt_tracker *t);
/*
 * t refused us: hold it off as `retry in` says (r may be NULL), or for
 * 15 * 2^n s.
 */
void	bt_trackers_hold(struct bt_tracker *t,
	    const struct bt_announce_reply *r, int64_t now);
/* What this leg is to hear at a regular time. */
enum bt_event	bt_trackers_event(const struct bt_tracker_leg *leg);

#endif
