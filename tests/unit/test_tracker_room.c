#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store_rig.h"

static void
the_silent_are_forgotten_and_the_others_are_not(void **state)
{
	struct fixture f;
	char s[402];
	uint64_t last_ms;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	join(&f, 'b', true);
	last_ms = f.now_ms;
	while (f.now_ms - last_ms < EXPIRE_MS) {
		assert_counts(&f, 1, 1, 0);
		f.now_ms += 100;
		assert_int_equal(ask(&f, who('b', BT_EVENT_NONE, true)), 0);
		bt_store_sweep(f.store, f.now_ms);
	}
	while (f.now_ms - last_ms < EXPIRE_MS + EXPIRE_MS / 5) {
		f.now_ms += 100;
		bt_store_sweep(f.store, f.now_ms);
	}
	assert_string_equal(all(&f, s), "b");
	end(&f);
}

/* Half of them in one swarm, half in a thousand; all go silent at once. */
static void
no_call_of_the_sweep_looks_at_everything(void **state)
{
	struct bt_store_ask q = who('a', BT_EVENT_STARTED, false);
	struct fixture f;
	uint32_t gone, sum = 0;

	(void)state;
	begin(&f, 2000);
	q.want = 0;
	bt_store_sweep(f.store, f.now_ms);
	for (uint32_t i = 0; i < 10000; i++) {
		bt_put_be32(q.info_hash, i % 2 == 0 ? 5000 : i % 1000);
		bt_put_be32(q.peer.ip, 0x0a000000 | i);
		q.key = i + 1;
		q.seeder = i % 3 == 0;
		assert_int_equal(ask(&f, q), 0);
	}
	/* steps of a 1,000th of expire, so a 62nd of a round */
	while (sum < 10000) {
		f.now_ms += EXPIRE_MS / 1000;
		assert_true(f.now_ms - START_MS < EXPIRE_MS + EXPIRE_MS / 5);
		gone = bt_store_sweep(f.store, f.now_ms);
		assert_true(gone < 10000 / 40);
		assert_true(gone == 0 || f.now_ms - START_MS >= EXPIRE_MS);
		sum += gone;
	}
	for (int i = 0; i < 100; i++)
		bt_store_sweep(f.store, f.now_ms += EXPIRE_MS / 1000);
	assert_int_equal(f.limits.peers, 0);
	assert_int_equal(f.limits.swarms, 0);
	end(&f);
}

static void
an_empty_swarm_is_dropped_but_completions_are_remembered(void **state)
{
	struct fixture f;
	uint64_t last_ms;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	assert_int_equal(ask(&f, who('a', BT_EVENT_COMPLETED, true)), 0);
	assert_int_equal(ask(&f, who('a', BT_EVENT_STOPPED, true)), 0);
	last_ms = f.now_ms;
	while (f.now_ms - last_ms < EXPIRE_MS) {
		assert_counts(&f, 0, 0, 1);
		f.now_ms += 500;
		bt_store_sweep(f.store, f.now_ms);
	}
	while (f.now_ms - last_ms < EXPIRE_MS + EXPIRE_MS / 5) {
		f.now_ms += 500;
		bt_store_sweep(f.store, f.now_ms);
	}
	assert_int_equal(f.limits.swarms, 0);
	end(&f);
}

/* A caller may have read the clock before it waited for the lock. */
static void
a_clock_that_lags_makes_nobody_old(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10);
	f.now_ms += 2 * EXPIRE_MS / 100;
	join(&f, 'a', false);
	bt_store_sweep(f.store, f.now_ms - 2 * EXPIRE_MS / 100);
	assert_counts(&f, 0, 1, 0);
	end(&f);
}

static void
beyond_the_limits_nothing_new_is_taken_in(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 2);
	assert_int_equal(ask(&f, in(1, 'a')), 0);
	assert_int_equal(ask(&f, in(2, 'a')), 0);
	assert_int_equal(ask(&f, in(3, 'a')), -1);
	assert_int_equal(f.err.kind, BT_ELIMIT);
	assert_string_equal(
	    f.err.text, "this tracker has no room for another torrent");
	f.limits.bytes_max = f.limits.bytes;
	for (char c = 'b'; ask(&f, in(1, c)) == 0; c++)
		assert_true(c < 'f'); /* what is there has some room left */
	assert_string_equal(
	    f.err.text, "this tracker has no room for another peer");
	assert_int_equal(f.limits.bytes, f.limits.bytes_max);
	assert_int_equal(ask(&f, in(2, 'a')), 0); /* who is there is served */
	f.limits.swarms_max = 3;
	assert_int_equal(ask(&f, in(3, 'a')), -1); /* the bytes forbid it */
	assert_false(has(&f, 3));
	end(&f);
}

static void
the_swarm_that_was_announced_longest_ago_goes_first(void **state)
{
	struct bt_rng rng;
	struct fixture f;
	uint64_t when[200];
	uint8_t keep[20];
	int oldest;

	(void)state;
	begin(&f, 1000);
	bt_rng_seed(&rng, 3);
	for (int i = 0; i < 200; i++) {
		f.now_ms += 100;
		when[i] = f.now_ms;
		assert_int_equal(ask(&f, in((uint8_t)(i + 1), 'a')), 0);
	}
	for (int left = 200; left > 0; left--) {
		for (int k = 0; k < 5; k++) {
			oldest = (int)bt_rng_below(&rng, 200);
			if (when[oldest] == UINT64_MAX)
				continue;
			f.now_ms += 100;
			when[oldest] = f.now_ms;
			ask(&f, in((uint8_t)(oldest + 1), 'b'));
		}
		oldest = 0;
		for (int i = 1; i < 200; i++)
			if (when[i] < when[oldest])
				oldest = i;
		assert_true(has(&f, (uint8_t)(oldest + 1)));
		assert_true(bt_store_evict(f.store, NULL, UINT64_MAX));
		assert_false(has(&f, (uint8_t)(oldest + 1)));
		when[oldest] = UINT64_MAX;
		assert_int_equal(f.limits.swarms, left - 1);
		assert_int_equal(f.limits.bytes, bt_store_bytes(f.store));
	}
	assert_false(bt_store_evict(f.store, NULL, UINT64_MAX));
	/* never the one that room is made for, even if nothing tells them */
	for (uint8_t i = 1; i <= 3; i++)
		assert_int_equal(ask(&f, in(i, 'a')), 0);
	memset(keep, 2, 20);
	assert_true(bt_store_evict(f.store, keep, UINT64_MAX));
	assert_true(bt_store_evict(f.store, keep, UINT64_MAX));
	assert_false(bt_store_evict(f.store, keep, UINT64_MAX));
	assert_true(has(&f, 2));
	end(&f);
}

/* As after SIGSTOP, or a night of the machine's: stamps go round at 128. */
static void
who_slept_longer_than_peers_are_kept_knows_nobody(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', true);
	bt_store_sweep(f.store, f.now_ms);
	f.now_ms += 128 * (EXPIRE_MS / 50);
	assert_int_equal(ask(&f, who('b', BT_EVENT_STARTED, false)), 0);
	assert_int_equal(f.got.n[0], 0);
	assert_counts(&f, 0, 1, 0);
	f.now_ms += 128 * (EXPIRE_MS / 50);
	assert_int_equal(bt_store_sweep(f.store, f.now_ms), 1);
	assert_int_equal(f.limits.peers, 0);
	end(&f);
}

static void
only_who_was_announced_before_goes(void **state)
{
	uint8_t keep[20];
	struct fixture f;
	uint64_t second;

	(void)state;
	begin(&f, 10);
	for (uint8_t i = 1; i <= 3; i++) {
		f.now_ms += 1000;
		assert_int_equal(ask(&f, in(i, 'a')), 0);
	}
	assert_true(bt_store_evict(f.store, NULL, UINT64_MAX));
	assert_true(bt_store_oldest(f.store, &second));
	assert_false(bt_store_evict(f.store, NULL, second));
	/* the second is the oldest, and is to stay: no younger one goes */
	memset(keep, 2, 20);
	assert_false(bt_store_evict(f.store, keep, second + 1));
	assert_true(has(&f, 2) && has(&f, 3));
	assert_true(bt_store_evict(f.store, NULL, second + 1));
	assert_false(has(&f, 2));
	assert_true(has(&f, 3));
	end(&f);
}

/* What no room would help is not to cost the others theirs. */
static void
a_swarm_may_grow_while_it_fits_alone(void **state)
{
	struct bt_store_ask q = in(1, 'a');
	struct fixture f;
	uint32_t n = 0;

	(void)state;
	begin(&f, 10);
	f.limits.bytes_max = 200000;
	assert_int_equal(ask(&f, in(2, 'b')), 0);
	assert_true(bt_store_may_grow(f.store, q.info_hash, 4));
	do {
		bt_put_be32(q.peer.ip, 0x0a000000 | ++n);
		q.key = n;
	} while (ask(&f, q) == 0);
	assert_false(bt_store_may_grow(f.store, q.info_hash, 4));
	assert_true(bt_store_may_grow(f.store, in(2, 'b').info_hash, 4));
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_silent_are_forgotten_and_the_others_are_not),
		cmocka_unit_test(no_call_of_the_sweep_looks_at_everything),
		cmocka_unit_test(
		    an_empty_swarm_is_dropped_but_completions_are_remembered),
		cmocka_unit_test(a_clock_that_lags_makes_nobody_old),
		cmocka_unit_test(beyond_the_limits_nothing_new_is_taken_in),
		cmocka_unit_test(
		    the_swarm_that_was_announced_longest_ago_goes_first),
		cmocka_unit_test(
		    who_slept_longer_than_peers_are_kept_knows_nobody),
		cmocka_unit_test(only_who_was_announced_before_goes),
		cmocka_unit_test(a_swarm_may_grow_while_it_fits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
