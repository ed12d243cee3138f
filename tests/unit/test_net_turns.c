/* turns: who may ask now, who waits, who need not try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "net/turns.h"

#define N 200u
#define PATIENCE_US (BT_LOOP_SECOND / 20)

struct asker {
	struct fixture *f;
	struct bt_turn turn;
	unsigned went, lost; /* the nth to, from 1; 0: not */
};

struct fixture {
	struct bt_loop *loop;
	struct bt_turns *turns;
	struct bt_loop_timer *end;
	struct asker a[N];
	unsigned went, lost;
};

static void
on_go(void *arg)
{
	struct asker *a = arg;

	a->went = ++a->f->went;
}

static void
on_lost(void *arg)
{
	struct asker *a = arg;

	a->lost = ++a->f->lost;
}

static void
on_end(void *arg)
{
	struct fixture *f = arg;

	bt_loop_stop(f->loop);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bt_err err;

	assert_non_null(f);
	assert_int_equal(bt_loop_new(&f->loop, &err), 0);
	f->turns = bt_turns_new(f->loop, PATIENCE_US);
	f->end = bt_loop_timer_new(f->loop, on_end, f);
	for (unsigned i = 0; i < N; i++) {
		f->a[i].f = f;
		f->a[i].turn.go = on_go;
		f->a[i].turn.lost = on_lost;
		f->a[i].turn.arg = &f->a[i];
	}
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < N; i++)
		bt_turns_cancel(f->turns, &f->a[i].turn);
	bt_turns_free(f->turns);
	bt_loop_timer_free(f->end);
	bt_loop_free(f->loop);
	free(f);
	return 0;
}

static void
run_for(struct fixture *f, int64_t us)
{
	bt_loop_timer_in(f->end, us);
	bt_loop_run(f->loop);
}

/* How many of n, from the first one on, may go at once. */
static unsigned
take(struct fixture *f, unsigned first, unsigned n, const char *place)
{
	unsigned now = 0;

	for (unsigned i = first; i < first + n; i++)
		now += bt_turns_take(f->turns, &f->a[i].turn, place, 8);
	return now;
}

static void
the_first_go_at_once_and_the_others_wait(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, 0, 1, "one"), 1);
	assert_int_equal(take(f, 1, 20, "one"), 7);
	run_for(f, 0);
	assert_int_equal(f->went, 0);
	assert_int_equal(f->lost, 0);
}

static void
each_end_lets_the_next_go_in_order(void **state)
{
	struct fixture *f = *state;

	take(f, 0, 20, "one");
	bt_turns_end(f->turns, &f->a[3].turn, true);
	bt_turns_end(f->turns, &f->a[0].turn, true);
	assert_int_equal(f->went, 0); /* from the loop alone */
	run_for(f, 0);
	assert_int_equal(f->went, 2);
	assert_int_equal(f->a[8].went, 1);
	assert_int_equal(f->a[9].went, 2);
	bt_turns_cancel(f->turns, &f->a[10].turn);
	bt_turns_cancel(f->turns, &f->a[1].turn);
	run_for(f, 0);
	assert_int_equal(f->a[10].went, 0);
	assert_int_equal(f->a[11].went, 3);
}

static void
a_full_place_keeps_no_other_place_waiting(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, 0, 50, "one"), 8);
	assert_int_equal(take(f, 50, 20, "two"), 8);
}

static void
all_places_together_have_a_bound(void **state)
{
	struct fixture *f = *state;
	unsigned now = 0;
	char place[8];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(place, sizeof(place), "%u", i);
		now += take(f, i * 10, 10, place);
	}
	assert_int_equal(now, BT_TURNS_ALL);
	/* the room that one leaves is for those who wait at any place */
	bt_turns_end(f->turns, &f->a[0].turn, true);
	bt_turns_end(f->turns, &f->a[1].turn, true);
	run_for(f, 0);
	assert_int_equal(f->went, 2);
}

static void
a_place_that_fails_lets_those_down_who_wait_for_it_alone(void **state)
{
	struct fixture *f = *state;

	take(f, 0, 20, "one");
	take(f, 20, 20, "two");
	bt_turns_end(f->turns, &f->a[5].turn, false);
	assert_int_equal(f->lost, 0); /* from the loop alone */
	run_for(f, 0);
	assert_int_equal(f->lost, 12);
	assert_int_equal(f->a[8].lost, 1);
	assert_int_equal(f->a[19].lost, 12);
	assert_int_equal(f->went, 0);
	/* and who comes later tries again */
	assert_int_equal(take(f, 40, 2, "one"), 1);
}

static void
one_failure_among_answers_lets_nobody_down(void **state)
{
	struct fixture *f = *state;

	take(f, 0, 20, "one");
	bt_turns_end(f->turns, &f->a[2].turn, true);
	bt_turns_end(f->turns, &f->a[3].turn, false);
	run_for(f, 0);
	assert_int_equal(f->lost, 0);
	assert_int_equal(f->went, 2);
}

static void
the_lost_may_be_cancelled_before_they_are_told(void **state)
{
	struct fixture *f = *state;

	take(f, 0, 10, "one");
	bt_turns_end(f->turns, &f->a[0].turn, false);
	bt_turns_cancel(f->turns, &f->a[8].turn);
	for (unsigned i = 1; i < 8; i++)
		bt_turns_cancel(f->turns, &f->a[i].turn);
	run_for(f, 0);
	assert_int_equal(f->a[8].lost, 0);
	assert_int_equal(f->a[9].lost, 1);
}

static void
silence_counts_no_more_after_a_while(void **state)
{
	struct fixture *f = *state;

	take(f, 0, 10, "one");
	run_for(f, PATIENCE_US / 4);
	assert_int_equal(f->lost, 0);
	run_for(f, 2 * PATIENCE_US);
	assert_int_equal(f->lost, 2);
	assert_int_equal(take(f, 10, 9, "one"), 8);
	/* the end of one that was given up is nothing new */
	bt_turns_end(f->turns, &f->a[0].turn, false);
	run_for(f, 0);
	assert_int_equal(f->lost, 2);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(the_first_go_at_once_and_the_others_wait),
		T(each_end_lets_the_next_go_in_order),
		T(a_full_place_keeps_no_other_place_waiting),
		T(all_places_together_have_a_bound),
		T(a_place_that_fails_lets_those_down_who_wait_for_it_alone),
		T(one_failure_among_answers_lets_nobody_down),
		T(the_lost_may_be_cancelled_before_they_are_told),
		T(silence_counts_no_more_after_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
