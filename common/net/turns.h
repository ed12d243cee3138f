/*
 * turns - few questions at a time to one tracker, however many torrents ask.
 *
 * 1. Of one place (a tracker's host, port and family) at most `most` are under
 *    way, and BT_TURNS_ALL in all. Who finds room goes at once, with no timer;
 *    the others wait, in the order in which they came.
 * 2. A turn without a word for longer than patience counts no more, though its
 *    question goes on; so does one that failed.
 * 3. A place that lets a turn down, and was not heard of since that began, lets
 *    all down that wait for it now: they are told so and need not try.
 * Touches: nothing but the loop's timers.
 *
 * Used by  net/asker
 * Tests    tests/unit/test_net_turns.c, tests/e2e/announce.bats
 */
#ifndef BT_NET_TURNS_H
#define BT_NET_TURNS_H

#include <sys/queue.h>

#include "net/loop.h"

#define BT_TURNS_ALL	64u

struct bt_turns;
struct bt_turns_place;

enum bt_turn_state { BT_TURN_NONE, BT_TURN_WAITS, BT_TURN_DOOMED, BT_TURN_GOES };

struct bt_turn {		/* the caller's; zero is a valid start */
	enum bt_turn_state state;
	int64_t since;		/* GOES: when it began */
	/* Both may end this turn and take others. */
	void (*go)(void *arg);	/* not from within bt_turns_take() */
	void (*lost)(void *arg);	/* rule 3; the turn is over */
	void *arg;
	struct bt_turns_place *place;
	TAILQ_ENTRY(bt_turn) next;
};

/* gives */
struct bt_turns	*bt_turns_new(struct bt_loop *l, int64_t patience_us);
/* All turns were ended. */
void	bt_turns_free(struct bt_turns *s);

/* True: go now. False: ->go or ->lost comes later. */
bool	bt_turns_take(struct bt_turns *s, struct bt_turn *t, const char *place,
	    unsigned most);
/* It is over, or not wanted any more. heard: the place answered. */
void	bt_turns_end(struct bt_turns *s, struct bt_turn *t, bool heard);
void	bt_turns_cancel(struct bt_turns *s, struct bt_turn *t);

#endif
