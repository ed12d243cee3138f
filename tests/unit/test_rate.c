#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/rng.h"
#include "core/rate.h"

#define START BT_SEC(1000)

static void
a_steady_flow_is_measured_within_one_percent(void **state)
{
	struct bt_meter m;
	int64_t now = START;
	uint64_t bps;

	(void)state;
	bt_meter_init(&m, BT_SEC(20), now);
	for (int i = 0; i < 6000; i++) {
		now += BT_MSEC(10);
		bt_meter_add(&m, 5000, now);
		bps = bt_meter_bps(&m, now);
		if (i > 200)
			assert_in_range(bps, 495000, 505000);
	}
	assert_int_equal(m.total, 6000 * 5000);
}

static void
a_new_meter_divides_by_the_time_since_it_began(void **state)
{
	struct bt_meter m;

	(void)state;
	bt_meter_init(&m, BT_SEC(20), START);
	bt_meter_add(&m, 30000, START + BT_MSEC(500));
	assert_int_equal(bt_meter_bps(&m, START + BT_SEC(3)), 10000);
}

static void
a_first_packet_is_not_taken_for_an_enormous_rate(void **state)
{
	struct bt_meter m;

	(void)state;
	bt_meter_init(&m, BT_SEC(20), START);
	bt_meter_add(&m, 16384, START + 1);
	assert_in_range(bt_meter_bps(&m, START + 2), 1, 16384);
}

static void
what_left_the_window_is_forgotten(void **state)
{
	struct bt_meter m;

	(void)state;
	bt_meter_init(&m, BT_SEC(20), START);
	bt_meter_add(&m, 1000000, START);
	assert_int_not_equal(bt_meter_bps(&m, START + BT_SEC(18)), 0);
	assert_int_equal(bt_meter_bps(&m, START + BT_SEC(21)), 0);
	bt_meter_add(&m, 200, START + BT_SEC(3600));
	assert_in_range(bt_meter_bps(&m, START + BT_SEC(3600)), 1, 200);
	assert_int_equal(m.total, 1000200);
}

static void
a_zeroed_meter_is_a_valid_start(void **state)
{
	struct bt_meter m = { .total = 0 };

	(void)state;
	assert_int_equal(bt_meter_bps(&m, START), 0);
	bt_meter_add(&m, 4000, START + BT_SEC(1));
	assert_int_equal(bt_meter_bps(&m, START + BT_SEC(4)), 1000);
}

static void
a_clock_that_steps_back_does_no_harm(void **state)
{
	struct bt_meter m;

	(void)state;
	bt_meter_init(&m, BT_SEC(20), START);
	bt_meter_add(&m, 1000, START + BT_SEC(30));
	bt_meter_add(&m, 1000, START + BT_SEC(1));
	assert_in_range(bt_meter_bps(&m, START + BT_SEC(1)), 1, 2000);
	assert_int_equal(m.sum, 2000);
}

static void
ten_gigabytes_a_second_do_not_overflow_a_meter(void **state)
{
	struct bt_meter m;
	int64_t now = START;

	(void)state;
	bt_meter_init(&m, BT_SEC(20), now);
	for (int i = 0; i < 4000; i++) {
		now += BT_MSEC(10);
		bt_meter_add(&m, 100000000, now);
	}
	assert_in_range(
	    bt_meter_bps(&m, now), UINT64_C(9900000000), UINT64_C(10100000000));
}

/* Take all that may go at odd times; the sum must follow the limit. */
static void
drain(uint64_t limit, uint64_t seed, int64_t step_max)
{
	struct bt_bucket b;
	struct bt_rng rng;
	int64_t now = START, window = START, left;
	uint64_t may, sum = 0, in_window = 0, due;

	bt_rng_seed(&rng, seed);
	bt_bucket_init(&b, limit, now);
	while (now < START + BT_SEC(60)) {
		now += 1 + bt_rng_below(&rng, (uint32_t)step_max);
		may = bt_bucket_may(&b, now);
		bt_bucket_take(&b, may);
		sum += may;
		in_window += may;
		left = now - window;
		if (left >= BT_SEC(1)) {
			due = limit / 1000 * (uint64_t)left / 1000;
			assert_in_range(in_window, due - due / 100 - 1,
			    due + due / 100 + 1);
			window = now;
			in_window = 0;
		}
	}
	due = (uint64_t)(now - START) / 1000 * (limit / 1000);
	assert_in_range(sum, due - due / 10000, due + due / 10000);
}

static void
a_bucket_is_exact_within_one_percent_over_any_second(void **state)
{
	(void)state;
	drain(20000, 1, BT_MSEC(3));
	drain(4194304, 2, BT_MSEC(7));
	drain(4194304, 3, 17);
	drain(UINT64_C(10000000000), 4, BT_MSEC(9));
}

static void
a_caller_at_odd_times_makes_no_bucket_drift(void **state)
{
	struct bt_bucket b;
	int64_t now = START;
	uint64_t sum = 0, may;

	(void)state;
	/* 7 bytes a second, asked each 3 us: each gain is a tiny fraction */
	bt_bucket_init(&b, 7, now);
	while (now < START + BT_SEC(10)) {
		now += 3;
		may = bt_bucket_may(&b, now);
		bt_bucket_take(&b, may);
		sum += may;
	}
	assert_int_equal(sum, 70);
}

static void
an_idle_bucket_holds_no_more_than_a_burst(void **state)
{
	struct bt_bucket b;

	(void)state;
	bt_bucket_init(&b, 1000000, START);
	assert_int_equal(bt_bucket_may(&b, START), 0);
	assert_int_equal(bt_bucket_may(&b, START + BT_SEC(3600)), 50000);
	assert_int_equal(bt_bucket_may(&b, INT64_MAX - 1), 50000);
	bt_bucket_init(&b, 1000, START);
	assert_int_equal(bt_bucket_may(&b, START + BT_SEC(3600)), 16384 + 13);
}

static void
an_overdraft_is_paid_back_before_more_may_go(void **state)
{
	struct bt_bucket b;

	(void)state;
	bt_bucket_init(&b, 100000, START);
	bt_bucket_take(&b, 300000);
	assert_int_equal(bt_bucket_may(&b, START + BT_SEC(2)), 0);
	assert_int_equal(bt_bucket_may(&b, START + BT_SEC(3)), 0);
	assert_int_equal(bt_bucket_may(&b, START + BT_MSEC(3100)), 10000);
}

static void
when_is_the_first_moment_at_which_it_may(void **state)
{
	static const uint64_t limits[] = { 1, 7, 1000, 16384, 4194304,
		UINT64_C(10000000000), UINT64_MAX };
	struct bt_bucket b, c;
	struct bt_rng rng;
	int64_t now, when;
	uint64_t want;

	(void)state;
	bt_rng_seed(&rng, 5);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		now = START;
		bt_bucket_init(&b, limits[i], now);
		for (int k = 0; k < 200; k++) {
			now += bt_rng_below(&rng, 70000);
			(void)bt_bucket_may(&b, now);
			bt_bucket_take(&b, bt_rng_below(&rng, 40000));
			want = 1 + bt_rng_below(&rng, 20000);
			if (want > b.burst)
				want = b.burst;
			when = bt_bucket_when(&b, want, now);
			assert_true(when >= now);
			c = b;
			assert_true(bt_bucket_may(&c, when) >= want);
			c = b;
			if (when > now)
				assert_true(bt_bucket_may(&c, when - 1) < want);
		}
	}
}

static void
wanting_more_than_the_burst_waits_for_the_burst(void **state)
{
	struct bt_bucket b;

	(void)state;
	bt_bucket_init(&b, 1000000, START);
	assert_int_equal(
	    bt_bucket_when(&b, UINT64_MAX, START), START + BT_MSEC(50));
}

static void
without_a_limit_all_may_go_at_once(void **state)
{
	struct bt_bucket b;

	(void)state;
	bt_bucket_init(&b, 0, START);
	bt_bucket_take(&b, UINT64_MAX);
	assert_true(bt_bucket_may(&b, START) == UINT64_MAX);
	assert_int_equal(bt_bucket_when(&b, 1u << 30, START), START);
}

/*
 * Ten seconds of one who takes turns whenever they are due, woken as late as a
 * busy machine with a coarse timer does it. The first ten seconds count.
 */
static void
take_turns(uint64_t limit, uint64_t seed, uint32_t late_us)
{
	struct bt_bucket b;
	struct bt_rng rng;
	int64_t now = START, when;
	uint64_t sum = 0, due = limit * 10;

	bt_rng_seed(&rng, seed);
	bt_bucket_init(&b, limit, now - BT_SEC(60)); /* idle until now */
	while (now < START + BT_SEC(10)) {
		while (bt_bucket_may(&b, now) >= bt_bucket_turn(&b)) {
			bt_bucket_take(&b, bt_bucket_turn(&b));
			sum += bt_bucket_turn(&b);
		}
		when = bt_bucket_wait(&b, bt_bucket_turn(&b), now);
		assert_true(when > now);
		now = when + 1 + bt_rng_below(&rng, late_us);
	}
	assert_in_range(sum, due - due / 100, due + due / 100);
}

static void
turns_are_exact_within_one_percent_over_ten_seconds(void **state)
{
	static const uint64_t limits[] = { 524288, 1000000, 5242880, 20000000,
		104857600, UINT64_C(1000000000) };

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		take_turns(limits[i], i, 1);
		take_turns(limits[i], i, 1500);
		take_turns(limits[i], i, (uint32_t)BT_MSEC(120));
	}
}

static void
who_waited_makes_up_for_coming_late_but_not_for_a_second(void **state)
{
	struct bt_bucket b;

	(void)state;
	bt_bucket_init(&b, 1000000, START);
	(void)bt_bucket_wait(&b, bt_bucket_turn(&b), START);
	assert_int_equal(bt_bucket_may(&b, START + BT_MSEC(200)), 200000);
	(void)bt_bucket_wait(&b, 250000, START + BT_MSEC(200));
	assert_int_equal(bt_bucket_may(&b, START + BT_SEC(2)), 250000);
	/* it did not wait this time: what is beyond a burst is gone */
	assert_int_equal(bt_bucket_may(&b, START + BT_SEC(2) + 1), 50000);
}

static void
a_turn_is_some_milliseconds_but_no_trifle_and_no_more_than_a_read(void **state)
{
	struct bt_bucket b;

	(void)state;
	bt_bucket_init(&b, 1024, START);
	assert_int_equal(bt_bucket_turn(&b), 4096);
	bt_bucket_init(&b, 12800000, START);
	assert_int_equal(bt_bucket_turn(&b), 100000);
	bt_bucket_init(&b, UINT64_C(1) << 40, START);
	assert_int_equal(bt_bucket_turn(&b), 262144);
	bt_bucket_init(&b, 0, START);
	assert_true(bt_bucket_turn(&b) == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_flow_is_measured_within_one_percent),
		cmocka_unit_test(
		    a_new_meter_divides_by_the_time_since_it_began),
		cmocka_unit_test(
		    a_first_packet_is_not_taken_for_an_enormous_rate),
		cmocka_unit_test(what_left_the_window_is_forgotten),
		cmocka_unit_test(a_zeroed_meter_is_a_valid_start),
		cmocka_unit_test(a_clock_that_steps_back_does_no_harm),
		cmocka_unit_test(
		    ten_gigabytes_a_second_do_not_overflow_a_meter),
		cmocka_unit_test(
		    a_bucket_is_exact_within_one_percent_over_any_second),
		cmocka_unit_test(a_caller_at_odd_times_makes_no_bucket_drift),
		cmocka_unit_test(an_idle_bucket_holds_no_more_than_a_burst),
		cmocka_unit_test(an_overdraft_is_paid_back_before_more_may_go),
		cmocka_unit_test(when_is_the_first_moment_at_which_it_may),
		cmocka_unit_test(
		    wanting_more_than_the_burst_waits_for_the_burst),
		cmocka_unit_test(without_a_limit_all_may_go_at_once),
		cmocka_unit_test(
		    turns_are_exact_within_one_percent_over_ten_seconds),
		cmocka_unit_test(
		    who_waited_makes_up_for_coming_late_but_not_for_a_second),
		cmocka_unit_test(
		    a_turn_is_some_milliseconds_but_no_trifle_and_no_more_than_a_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
