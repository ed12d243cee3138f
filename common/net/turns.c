#include "net/turns.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

TAILQ_HEAD(turn_list, bt_turn);

struct bt_turns_place {
	TAILQ_ENTRY(bt_turns_place) next;
	char *name;
	unsigned going, most;
	int64_t heard_at; /* or INT64_MIN */
	struct turn_list waiting;
};

/*
 * Places are few, and there only as long as they have a turn: those that may
 * let the next one go are in front, so that none is passed over.
 */
struct bt_turns {
	struct bt_loop *loop;
	int64_t patience_us;
	struct bt_loop_timer *clock, *work;
	TAILQ_HEAD(, bt_turns_place) places;
	struct turn_list going;	 /* oldest first */
	struct turn_list doomed; /* to be told that they are lost */
	unsigned ngoing;
};

static void
give_up_oldest(void *arg)
{
	struct bt_turns *s = arg;
	struct bt_turn *t;
	int64_t now = bt_loop_now(s->loop);

	while ((t = TAILQ_FIRST(&s->going)) != NULL &&
	       t->since + s->patience_us <= now)
		bt_turns_end(s, t, false);
	if (t != NULL)
		bt_loop_timer_at(s->clock, t->since + s->patience_us);
}

static void
begin(struct bt_turns *s, struct bt_turn *t)
{
	t->state = BT_TURN_GOES;
	t->since = bt_loop_now(s->loop);
	t->place->going++;
	if (s->ngoing++ == 0)
		bt_loop_timer_in(s->clock, s->patience_us);
	TAILQ_INSERT_TAIL(&s->going, t, next);
}

/* The place whose turn it is to let one go. */
static struct bt_turns_place *
place_with_room(struct bt_turns *s)
{
	struct bt_turns_place *p;

	if (s->ngoing >= BT_TURNS_ALL)
		return NULL;
	TAILQ_FOREACH(p, &s->places, next)
	if (p->going < p->most && !TAILQ_EMPTY(&p->waiting))
		return p;
	return NULL;
}

static void
free_if_empty(struct bt_turns *s, struct bt_turns_place *p)
{
	if (p->going > 0 || !TAILQ_EMPTY(&p->waiting))
		return;
	TAILQ_REMOVE(&s->places, p, next);
	bt_mem_free(p->name);
	bt_mem_free(p);
}

/* Nothing is told from within a call of the one who is told. */
static void
on_work(void *arg)
{
	struct bt_turns *s = arg;
	struct bt_turns_place *p;
	struct bt_turn *t;

	while ((t = TAILQ_FIRST(&s->doomed)) != NULL) {
		TAILQ_REMOVE(&s->doomed, t, next);
		t->state = BT_TURN_NONE;
		t->lost(t->arg);
	}
	while ((p = place_with_room(s)) != NULL) {
		t = TAILQ_FIRST(&p->waiting);
		TAILQ_REMOVE(&p->waiting, t, next);
		TAILQ_REMOVE(&s->places, p, next);
		TAILQ_INSERT_TAIL(&s->places, p, next);
		begin(s, t);
		t->go(t->arg);
	}
}

struct bt_turns *
bt_turns_new(struct bt_loop *l, int64_t patience_us)
{
	struct bt_turns *s = bt_mem_zero(1, sizeof(*s));

	s->loop = l;
	s->patience_us = patience_us;
	s->clock = bt_loop_timer_new(l, give_up_oldest, s);
	s->work = bt_loop_timer_new(l, on_work, s);
	TAILQ_INIT(&s->places);
	TAILQ_INIT(&s->going);
	TAILQ_INIT(&s->doomed);
	return s;
}

void
bt_turns_free(struct bt_turns *s)
{
	if (s == NULL)
		return;
	assert(TAILQ_EMPTY(&s->places));
	assert(TAILQ_EMPTY(&s->doomed));
	bt_loop_timer_free(s->clock);
	bt_loop_timer_free(s->work);
	bt_mem_free(s);
}

static struct bt_turns_place *
find_place(struct bt_turns *s, const char *name, unsigned most)
{
	struct bt_turns_place *p;

	TAILQ_FOREACH(p, &s->places, next)
	if (strcmp(p->name, name) == 0)
		return p;
	p = bt_mem_zero(1, sizeof(*p));
	p->name = bt_mem_strdup(name);
	p->most = most;
	p->heard_at = INT64_MIN;
	TAILQ_INIT(&p->waiting);
	TAILQ_INSERT_TAIL(&s->places, p, next);
	return p;
}

bool
bt_turns_take(
    struct bt_turns *s, struct bt_turn *t, const char *place, unsigned most)
{
	struct bt_turns_place *p = find_place(s, place, most);

	assert(t->state == BT_TURN_NONE);
	t->place = p;
	if (p->going < p->most && s->ngoing < BT_TURNS_ALL &&
	    TAILQ_EMPTY(&p->waiting)) {
		begin(s, t);
		return true;
	}
	t->state = BT_TURN_WAITS;
	TAILQ_INSERT_TAIL(&p->waiting, t, next);
	return false;
}

static void
doom(struct bt_turns *s, struct bt_turns_place *p)
{
	struct bt_turn *t;

	while ((t = TAILQ_FIRST(&p->waiting)) != NULL) {
		TAILQ_REMOVE(&p->waiting, t, next);
		t->state = BT_TURN_DOOMED;
		TAILQ_INSERT_TAIL(&s->doomed, t, next);
	}
}

/* It goes or waits no more. */
static void
leave(struct bt_turns *s, struct bt_turn *t)
{
	switch (t->state) {
	case BT_TURN_NONE:
		return;
	case BT_TURN_DOOMED:
		TAILQ_REMOVE(&s->doomed, t, next);
		t->state = BT_TURN_NONE;
		return; /* its place may be gone */
	case BT_TURN_WAITS:
		TAILQ_REMOVE(&t->place->waiting, t, next);
		break;
	case BT_TURN_GOES:
		TAILQ_REMOVE(&s->going, t, next);
		t->place->going--;
		if (--s->ngoing == 0)
			bt_loop_timer_off(s->clock);
		break;
	}
	t->state = BT_TURN_NONE;
	free_if_empty(s, t->place);
	if (!TAILQ_EMPTY(&s->doomed) || place_with_room(s) != NULL)
		bt_loop_timer_in(s->work, 0);
}

void
bt_turns_end(struct bt_turns *s, struct bt_turn *t, bool heard)
{
	if (t->state == BT_TURN_GOES && heard)
		t->place->heard_at = bt_loop_now(s->loop);
	else if (t->state == BT_TURN_GOES && t->place->heard_at < t->since)
		doom(s, t->place);
	leave(s, t);
}

void
bt_turns_cancel(struct bt_turns *s, struct bt_turn *t)
{
	leave(s, t);
}
