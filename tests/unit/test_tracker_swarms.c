#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/rd.h"
#include "swarms.h"

#define NAMES 300u

static const uint8_t secret[16] = "sixteen bytes...";

static const uint8_t *
hash(uint32_t i, uint8_t out[20])
{
	memset(out, 0, 20);
	bt_put_be32(out, i);
	return out;
}

static uint32_t
name_of(const struct bt_swarms *s, uint32_t number)
{
	return bt_be32(bt_swarms_get(s, number)->hash);
}

static void
a_swarm_is_found_until_it_is_dropped(void **state)
{
	struct bt_swarms s;
	uint8_t h[20];

	(void)state;
	bt_swarms_init(&s, secret);
	assert_int_equal(bt_swarms_find(&s, hash(1, h)), BT_SWARM_NONE);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(bt_swarms_add(&s, hash(i, h), i), i);
	assert_true(bt_swarms_check(&s));
	for (uint32_t i = 0; i < 1000; i++) {
		bt_swarms_drop(&s, bt_swarms_find(&s, hash(i, h)));
		assert_int_equal(bt_swarms_find(&s, h), BT_SWARM_NONE);
		assert_int_equal(s.n, 999 - i);
		if (i % 100 == 0)
			assert_true(bt_swarms_check(&s));
	}
	bt_swarms_fini(&s);
}

/*
 * Adds, drops and touches between the steps of a walk: whoever was there all
 * along is met.
 */
static void
a_walk_downwards_meets_all_that_stay(void **state)
{
	bool stays[NAMES], met[NAMES] = { false };
	struct bt_swarms s;
	struct bt_rng rng;
	uint8_t h[20];
	uint32_t i, at;

	(void)state;
	bt_rng_seed(&rng, 1);
	bt_swarms_init(&s, secret);
	for (i = 0; i < NAMES; i++) {
		stays[i] = true;
		bt_swarms_add(&s, hash(i, h), 1);
	}
	for (at = s.n; at-- > 0;) {
		if (at >= s.n)
			continue;
		if (name_of(&s, at) < NAMES)
			met[name_of(&s, at)] = true;
		if (bt_rng_below(&rng, 2) == 0)
			bt_swarms_add(&s, hash(1000 + at, h), 1);
		i = bt_rng_below(&rng, s.n);
		if (name_of(&s, i) < NAMES)
			stays[name_of(&s, i)] = false;
		bt_swarms_drop(&s, i);
	}
	for (i = 0; i < NAMES; i++)
		assert_true(met[i] || !stays[i]);
	bt_swarms_fini(&s);
}

/* Beside a list that is searched through each time. */
static void
the_oldest_is_who_was_touched_longest_ago(void **state)
{
	uint64_t when[NAMES], now = 1, least, touched;
	uint32_t i, number;
	struct bt_swarms s;
	struct bt_rng rng;
	uint8_t h[20];

	(void)state;
	bt_rng_seed(&rng, 5);
	bt_swarms_init(&s, secret);
	assert_int_equal(bt_swarms_oldest(&s, &touched), BT_SWARM_NONE);
	memset(when, 0, sizeof(when));
	for (int step = 0; step < 20000; step++) {
		i = bt_rng_below(&rng, NAMES);
		number = bt_swarms_find(&s, hash(i, h));
		now += bt_rng_below(&rng, 3) + 1;
		if (number == BT_SWARM_NONE)
			bt_swarms_add(&s, h, when[i] = now);
		else if (step % 10 == 0) {
			bt_swarms_drop(&s, number);
			when[i] = 0;
		} else if (step % 10 == 1) /* one from a file */
			bt_swarms_age(&s, number, when[i] = now / 2);
		else
			bt_swarms_get(&s, number)->touched = when[i] = now;
		least = UINT64_MAX;
		for (i = 0; i < NAMES; i++)
			if (when[i] != 0 && when[i] < least)
				least = when[i];
		number = bt_swarms_oldest(&s, &touched);
		if (least == UINT64_MAX)
			continue;
		assert_int_equal(touched, least);
		assert_int_equal(when[name_of(&s, number)], least);
	}
	bt_swarms_fini(&s);
}

/* A look ahead is a hint: who comes and goes between its steps is none of it. */
static void
a_look_ahead_outlives_what_it_saw(void **state)
{
	struct bt_swarms_ahead a[NAMES];
	uint8_t h[NAMES][20];
	struct bt_swarms s;

	(void)state;
	bt_swarms_init(&s, secret);
	for (uint32_t i = 0; i < NAMES; i++) {
		a[i] = (struct bt_swarms_ahead){ .hash = hash(i, h[i]) };
		bt_swarms_fetch(&s, &a[i]);
	}
	for (uint32_t i = 0; i < NAMES; i++)
		bt_swarms_add(&s, h[i], 1);
	for (uint32_t i = 0; i < NAMES; i++) {
		bt_swarms_fetch(&s, &a[i]);
		if (i % 3 != 0)
			bt_swarms_drop(&s, bt_swarms_find(&s, h[i]));
	}
	for (uint32_t i = 0; i < NAMES; i++)
		bt_swarms_fetch(&s, &a[i]);
	assert_int_equal(a[0].step, BT_SWARMS_FETCH_STEPS);
	assert_int_equal(s.n, NAMES / 3);
	assert_true(bt_swarms_check(&s));
	bt_swarms_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_swarm_is_found_until_it_is_dropped),
		cmocka_unit_test(a_walk_downwards_meets_all_that_stay),
		cmocka_unit_test(the_oldest_is_who_was_touched_longest_ago),
		cmocka_unit_test(a_look_ahead_outlives_what_it_saw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
