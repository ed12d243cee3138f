#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/candidates.h"
#include "core/rate.h"

#define NOW BT_SEC(1000)

/* 10.0.x.y:6881 */
static struct bt_addr
host(uint32_t n)
{
	uint8_t ip[4] = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };

	return bt_addr_v4(ip, 6881);
}

static bool
add(struct bt_candidates *c, uint32_t n, bool by_hand)
{
	struct bt_addr a = host(n);

	return bt_candidates_add(c, &a, by_hand);
}

static void
end(struct bt_candidates *c, uint32_t n, enum bt_cand_end how, int64_t now)
{
	struct bt_addr a = host(n);

	bt_candidates_end(c, &a, how, now);
}

/* The number of the next host to dial, or -1. */
static int
next(struct bt_candidates *c, int64_t now)
{
	struct bt_addr a;

	if (!bt_candidates_next(c, now, &a))
		return -1;
	return a.ip[1] << 16 | a.ip[2] << 8 | a.ip[3];
}

static void
an_address_is_known_once(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);

	(void)state;
	assert_true(add(c, 1, false));
	assert_false(add(c, 1, false));
	assert_int_equal(bt_candidates_count(c), 1);
	assert_int_equal(next(c, NOW), 1);
	assert_false(add(c, 1, false)); /* not while it is connected either */
	assert_int_equal(next(c, NOW), -1);
	assert_int_equal(bt_candidates_count(c), 0);
	bt_candidates_free(c);
}

static void
one_host_with_two_ports_is_two_addresses(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);
	struct bt_addr a = host(1);

	(void)state;
	assert_true(bt_candidates_add(c, &a, false));
	a.port++;
	assert_true(bt_candidates_add(c, &a, false));
	assert_int_equal(bt_candidates_count(c), 2);
	bt_candidates_free(c);
}

static void
when_full_the_newcomer_is_dropped(void **state)
{
	struct bt_candidates *c = bt_candidates_new(3, 1);

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_true(add(c, i, false));
	assert_false(add(c, 3, false));
	assert_int_equal(bt_candidates_count(c), 3);
	bt_candidates_free(c);
}

static void
when_full_failed_ones_go_first_and_then_useless_ones(void **state)
{
	struct bt_candidates *c = bt_candidates_new(3, 1);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(add(c, i, false));
		assert_int_equal(next(c, NOW), (int)i);
	}
	end(c, 2, BT_CAND_USELESS, NOW);
	end(c, 1, BT_CAND_FAILED, NOW);
	assert_true(add(c, 10, false));	 /* for 1 */
	assert_true(add(c, 11, false));	 /* for 2 */
	assert_false(add(c, 12, false)); /* 0 is connected */
	end(c, 0, BT_CAND_FAILED, NOW);
	assert_true(add(c, 12, false));
	for (uint32_t i = 0; i < 3; i++)
		assert_true(next(c, NOW + BT_SEC(3600)) >= 10);
	bt_candidates_free(c);
}

static void
peers_given_by_hand_come_first(void **state)
{
	struct bt_candidates *c = bt_candidates_new(100, 1);

	(void)state;
	for (uint32_t i = 0; i < 50; i++)
		assert_true(add(c, i, false));
	assert_true(add(c, 77, true));
	assert_false(add(c, 7, true)); /* known, and now by hand */
	assert_int_equal(next(c, NOW) + next(c, NOW), 84);
	bt_candidates_free(c);
}

static void
peers_given_by_hand_are_never_forgotten(void **state)
{
	struct bt_candidates *c = bt_candidates_new(2, 1);

	(void)state;
	assert_true(add(c, 1, true));
	assert_int_equal(next(c, NOW), 1);
	end(c, 1, BT_CAND_FAILED, NOW);
	assert_true(add(c, 2, false));
	assert_false(add(c, 3, false));
	assert_true(add(c, 4, true)); /* 2 goes */
	assert_false(add(c, 5, true));
	assert_int_equal(next(c, NOW), 4);
	assert_int_equal(next(c, NOW), -1);
	assert_int_equal(next(c, NOW + BT_SEC(5)), 1);
	bt_candidates_free(c);
}

static void
whoever_failed_waits_twice_as_long_each_time(void **state)
{
	static const int waits[] = { 5, 10, 20, 40, 80, 160, 320, 600, 600,
		600 };
	struct bt_candidates *c = bt_candidates_new(10, 1);
	int64_t now = NOW;

	(void)state;
	assert_true(add(c, 1, false));
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		assert_int_equal(next(c, now), 1);
		end(c, 1, BT_CAND_FAILED, now);
		assert_int_equal(next(c, now + BT_SEC(waits[i]) - 1), -1);
		now += BT_SEC(waits[i]);
		assert_int_equal(bt_candidates_when(c), now);
	}
	bt_candidates_free(c);
}

static void
whoever_leaves_at_once_waits_like_one_that_failed(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);

	(void)state;
	assert_true(add(c, 1, false));
	assert_int_equal(next(c, NOW), 1);
	end(c, 1, BT_CAND_CLOSED, NOW + BT_SEC(1));
	assert_int_equal(next(c, NOW + BT_SEC(6)), 1);
	end(c, 1, BT_CAND_CLOSED, NOW + BT_SEC(7));
	assert_int_equal(bt_candidates_when(c), NOW + BT_SEC(17));
	assert_int_equal(next(c, NOW + BT_SEC(17)), 1);
	end(c, 1, BT_CAND_CLOSED, NOW + BT_SEC(77)); /* it stayed a minute */
	assert_int_equal(bt_candidates_when(c), NOW + BT_SEC(82));
	bt_candidates_free(c);
}

static void
whom_we_left_to_hear_it_anew_is_ready_at_once(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);

	(void)state;
	assert_true(add(c, 1, false));
	assert_int_equal(next(c, NOW), 1);
	end(c, 1, BT_CAND_FAILED, NOW);
	assert_int_equal(next(c, NOW + BT_SEC(5)), 1);
	end(c, 1, BT_CAND_ANEW, NOW + BT_SEC(6));
	assert_int_equal(next(c, NOW + BT_SEC(6)), 1);
	end(c, 1, BT_CAND_FAILED, NOW + BT_SEC(7)); /* the second time */
	assert_int_equal(bt_candidates_when(c), NOW + BT_SEC(17));
	bt_candidates_free(c);
}

static void
a_banned_ip_is_never_given_whatever_its_port(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);
	struct bt_addr a = host(1), b = host(1);

	(void)state;
	b.port = 1234;
	assert_true(bt_candidates_add(c, &a, false));
	assert_true(bt_candidates_add(c, &b, true));
	assert_true(add(c, 2, false));
	b.port = 0;
	bt_candidates_ban(c, &b);
	assert_true(bt_candidates_is_banned(c, &a));
	assert_int_equal(next(c, NOW), 2);
	assert_int_equal(next(c, NOW), -1);
	assert_false(bt_candidates_add(c, &a, true));
	bt_candidates_connected(c, &a);
	bt_candidates_end(c, &a, BT_CAND_CLOSED, NOW);
	assert_int_equal(bt_candidates_count(c), 0);
	bt_candidates_free(c);
}

static void
a_peer_banned_while_connected_is_not_dialled_after_its_end(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);
	struct bt_addr a = host(1);

	(void)state;
	assert_true(add(c, 1, false));
	assert_int_equal(next(c, NOW), 1);
	bt_candidates_ban(c, &a);
	bt_candidates_end(c, &a, BT_CAND_CLOSED, NOW);
	assert_int_equal(bt_candidates_when(c), BT_NEVER);
	bt_candidates_free(c);
}

static void
the_oldest_ban_is_lifted_when_there_are_too_many(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);
	struct bt_addr a;

	(void)state;
	for (uint32_t i = 0; i < BT_CAND_BANS_MAX + 2; i++) {
		a = host(i);
		bt_candidates_ban(c, &a);
		bt_candidates_ban(c, &a);
	}
	for (uint32_t i = 0; i < BT_CAND_BANS_MAX + 2; i++) {
		a = host(i);
		assert_int_equal(bt_candidates_is_banned(c, &a), i >= 2);
	}
	bt_candidates_free(c);
}

static void
ourselves_are_never_given_again(void **state)
{
	struct bt_candidates *c = bt_candidates_new(2, 1);
	struct bt_addr a = host(9);

	(void)state;
	assert_true(add(c, 1, true));
	assert_int_equal(next(c, NOW), 1);
	end(c, 1, BT_CAND_SELF, NOW);
	assert_false(add(c, 1, true));
	bt_candidates_connected(
	    c, &(struct bt_addr){
		   .family = 4, .ip = { 10, 0, 0, 1 }, .port = 6881 });
	end(c, 1, BT_CAND_CLOSED, NOW);
	bt_candidates_end(c, &a, BT_CAND_SELF, NOW); /* never heard of before */
	assert_false(add(c, 9, false));
	assert_int_equal(next(c, INT64_MAX - 1), -1);
	bt_candidates_free(c);
}

static void
a_useless_peer_is_not_dialled_again(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);

	(void)state;
	assert_true(add(c, 1, false));
	assert_int_equal(next(c, NOW), 1);
	end(c, 1, BT_CAND_USELESS, NOW);
	assert_false(add(c, 1, false));
	assert_int_equal(next(c, NOW + BT_SEC(86400)), -1);
	bt_candidates_free(c);
}

static void
a_peer_that_dialled_us_is_not_dialled_too(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);
	struct bt_addr a = host(1), b = host(2);

	(void)state;
	assert_true(add(c, 1, false));
	bt_candidates_connected(c, &a);
	bt_candidates_connected(c, &b); /* now it is known */
	assert_int_equal(next(c, NOW), -1);
	assert_false(add(c, 2, false));
	bt_candidates_end(c, &b, BT_CAND_CLOSED, NOW);
	assert_int_equal(next(c, NOW + BT_SEC(5)), 2);
	bt_candidates_free(c);
}

static void
two_connections_to_one_peer_must_both_end(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);
	struct bt_addr a = host(1);

	(void)state;
	assert_true(add(c, 1, false));
	assert_int_equal(next(c, NOW), 1);
	bt_candidates_connected(c, &a); /* the two dials crossed */
	end(c, 1, BT_CAND_FAILED, NOW); /* one is closed as a twin */
	assert_int_equal(next(c, NOW + BT_SEC(600)), -1);
	end(c, 1, BT_CAND_CLOSED, NOW + BT_SEC(600));
	assert_int_equal(next(c, NOW + BT_SEC(605)), 1);
	bt_candidates_free(c);
}

static void
undialable_addresses_are_refused(void **state)
{
	static const struct bt_addr bad[] = {
		{ .family = 4, .ip = { 1, 2, 3, 4 }, .port = 0 },
		{ .family = 4, .ip = { 0 }, .port = 80 },
		{ .family = 4, .ip = { 224, 0, 0, 1 }, .port = 80 },
		{ .family = 4, .ip = { 255, 255, 255, 255 }, .port = 80 },
		{ .family = 6, .ip = { 0 }, .port = 80 },
		{ .family = 6, .ip = { 0xff, 2 }, .port = 80 },
		{ .family = 0, .port = 80 },
	};
	struct bt_candidates *c = bt_candidates_new(10, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(bt_candidates_add(c, &bad[i], true));
		bt_candidates_connected(c, &bad[i]);
		bt_candidates_end(c, &bad[i], BT_CAND_CLOSED, NOW);
	}
	assert_int_equal(bt_candidates_count(c), 0);
	bt_candidates_free(c);
}

static void
when_tells_of_the_first_that_is_ready(void **state)
{
	struct bt_candidates *c = bt_candidates_new(10, 1);

	(void)state;
	assert_true(bt_candidates_when(c) == BT_NEVER);
	assert_true(add(c, 1, false));
	assert_true(bt_candidates_when(c) <= NOW);
	assert_int_equal(next(c, NOW), 1);
	assert_true(add(c, 2, true));
	assert_int_equal(next(c, NOW), 2);
	end(c, 2, BT_CAND_FAILED, NOW + BT_SEC(2));
	end(c, 1, BT_CAND_FAILED, NOW);
	assert_int_equal(bt_candidates_when(c), NOW + BT_SEC(5));
	bt_candidates_free(c);
}

static void
two_seeds_dial_in_different_orders(void **state)
{
	struct bt_candidates *a = bt_candidates_new(100, 1);
	struct bt_candidates *b = bt_candidates_new(100, 2);
	int same = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_true(add(a, i, false));
		assert_true(add(b, i, false));
	}
	for (uint32_t i = 0; i < 100; i++)
		same += next(a, NOW) == next(b, NOW);
	assert_true(same < 10);
	bt_candidates_free(a);
	bt_candidates_free(b);
}

static void
the_order_agrees_with_a_plain_array_of_moments(void **state)
{
	enum { N = 100 };
	int64_t now = NOW, ready[N], soonest; /* -1: not to be dialled */
	struct bt_candidates *c = bt_candidates_new(N, 4);
	struct bt_rng rng;
	struct bt_addr a;
	uint32_t i;
	int n;

	(void)state;
	bt_rng_seed(&rng, 10);
	for (i = 0; i < N; i++) {
		assert_true(add(c, i, i % 9 == 0));
		ready[i] = 0;
	}
	for (int step = 0; step < 20000; step++) {
		now += bt_rng_below(&rng, (uint32_t)BT_SEC(1));
		i = bt_rng_below(&rng, N);
		a = host(i);
		if (step % 5 == 0) {
			n = next(c, now);
			if (n >= 0) {
				assert_in_range(ready[n], 0, now);
				ready[n] = -1;
			}
		} else if (step % 5 == 1 && ready[i] >= 0) {
			bt_candidates_connected(c, &a);
			ready[i] = -1;
		} else if (ready[i] == -1) {
			end(c, i, BT_CAND_CLOSED, now - BT_SEC(step % 9));
			/* how long it waits is the business of other tests */
			ready[i] = now - BT_SEC(step % 9) + BT_SEC(5);
			bt_candidates_connected(c, &a);
			end(c, i, BT_CAND_CLOSED, now - BT_SEC(step % 9));
		}
		soonest = BT_NEVER;
		for (uint32_t k = 0; k < N; k++)
			if (ready[k] >= 0 && ready[k] < soonest)
				soonest = ready[k];
		assert_true(bt_candidates_when(c) == soonest);
	}
	bt_candidates_free(c);
}

/* Every address is in one place at a time, whatever happens to it. */
static void
whatever_happens_none_is_given_early_or_twice(void **state)
{
	enum { N = 60, MAX = 40 };
	bool out[N] = { false }, banned[N] = { false }, self[N] = { false };
	int64_t now = NOW, not_before[N] = { 0 };
	struct bt_candidates *c = bt_candidates_new(MAX, 3);
	struct bt_rng rng;
	struct bt_addr a;
	uint32_t i;
	bool due;
	int n;

	(void)state;
	bt_rng_seed(&rng, 9);
	for (int step = 0; step < 40000; step++) {
		i = bt_rng_below(&rng, N);
		a = host(i);
		now += bt_rng_below(&rng, (uint32_t)BT_SEC(1));
		switch (bt_rng_below(&rng, 8)) {
		case 0:
		case 1:
			if (add(c, i, bt_rng_below(&rng, 9) == 0)) {
				assert_false(banned[i]);
				assert_false(self[i]);
				assert_false(out[i]);
				not_before[i] = 0;
			}
			break;
		case 2:
		case 3:
		case 4:
			due = bt_candidates_when(c) <= now;
			n = next(c, now);
			assert_int_equal(n >= 0, due);
			if (n < 0)
				break;
			assert_false(out[n]);
			assert_false(banned[n]);
			assert_false(self[n]);
			assert_true(now >= not_before[n]);
			out[n] = true;
			break;
		case 5:
		case 6:
			if (!out[i])
				break;
			out[i] = false;
			end(c, i, step % 2 ? BT_CAND_FAILED : BT_CAND_CLOSED,
			    now);
			not_before[i] = now + BT_SEC(5);
			break;
		default:
			if (step % 40 == 0 && i % 10 == 0) {
				bt_candidates_ban(c, &a);
				banned[i] = true;
			} else if (step % 40 == 1 && i % 10 == 1) {
				end(c, i, BT_CAND_SELF, now);
				self[i] = true;
				out[i] = false;
			}
		}
		assert_true(bt_candidates_count(c) <= MAX);
	}
	bt_candidates_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_known_once),
		cmocka_unit_test(one_host_with_two_ports_is_two_addresses),
		cmocka_unit_test(when_full_the_newcomer_is_dropped),
		cmocka_unit_test(
		    when_full_failed_ones_go_first_and_then_useless_ones),
		cmocka_unit_test(peers_given_by_hand_come_first),
		cmocka_unit_test(peers_given_by_hand_are_never_forgotten),
		cmocka_unit_test(whoever_failed_waits_twice_as_long_each_time),
		cmocka_unit_test(
		    whoever_leaves_at_once_waits_like_one_that_failed),
		cmocka_unit_test(whom_we_left_to_hear_it_anew_is_ready_at_once),
		cmocka_unit_test(a_banned_ip_is_never_given_whatever_its_port),
		cmocka_unit_test(
		    a_peer_banned_while_connected_is_not_dialled_after_its_end),
		cmocka_unit_test(
		    the_oldest_ban_is_lifted_when_there_are_too_many),
		cmocka_unit_test(ourselves_are_never_given_again),
		cmocka_unit_test(a_useless_peer_is_not_dialled_again),
		cmocka_unit_test(a_peer_that_dialled_us_is_not_dialled_too),
		cmocka_unit_test(two_connections_to_one_peer_must_both_end),
		cmocka_unit_test(undialable_addresses_are_refused),
		cmocka_unit_test(when_tells_of_the_first_that_is_ready),
		cmocka_unit_test(two_seeds_dial_in_different_orders),
		cmocka_unit_test(
		    the_order_agrees_with_a_plain_array_of_moments),
		cmocka_unit_test(whatever_happens_none_is_given_early_or_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
