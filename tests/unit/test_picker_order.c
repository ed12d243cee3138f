/*
 * In which order pieces are begun: rules 2, 3, 6 and 8 of picker.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "picker_rig.h"

/* Rule 2 */
static void
the_first_pieces_are_random_and_not_the_rarest(void **state)
{
	uint32_t rarest = 0;
	struct swarm s;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		draw_swarm(&s, "1 5 5 5 5 5 5 5 5 5", seed);
		rarest += pick(&s, SEED).piece == 0;
		close_swarm(&s);
	}
	assert_in_range(rarest, 5, 45); /* 20 expected, sigma 4.2 */
}

static void
from_the_fifth_piece_on_the_rarest_is_first(void **state)
{
	struct swarm s;

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		draw_swarm(&s, "x x 5 5 3 5 5 2 5 5 5 5 5 5", seed);
		/* two are had: two more are random */
		for (uint32_t k = 0; k < 2 * BLOCKS; k++)
			(void)pick(&s, SEED);
		assert_true(bt_picker_is_begun(s.p, pick(&s, SEED).piece));
		assert_true(bt_picker_is_begun(s.p, 7));
		for (uint32_t k = 1; k <= BLOCKS; k++)
			(void)pick(&s, SEED);
		assert_true(bt_picker_is_begun(s.p, 4));
		close_swarm(&s);
	}
}

/*
 * How far from even are n ties beside `had` pieces that we have, when every
 * second run asks a peer that has only the even ones: chi-squared with n - 1
 * degrees of freedom.
 */
static double
unevenness(uint32_t n, uint32_t had, uint32_t runs)
{
	uint32_t count[100] = { 0 };
	struct bt_bits half;
	struct swarm s;
	struct bt_pick b;
	double chi2 = 0, due;
	bool dup;

	bt_bits_init(&half, n + had);
	for (uint32_t i = 0; i < n + had; i += i < n ? 2 : 1)
		(void)bt_bits_put(&half, i);
	for (uint32_t seed = 0; seed < runs; seed++) {
		open_swarm(&s, n + had, 1, seed);
		for (uint32_t i = 0; i < had; i++)
			bt_picker_done(s.p, n + i);
		assert_true(bt_picker_pick(
		    s.p, 0, seed % 2 ? &s.all : &half, NULL, true, &b, &dup));
		count[b.piece]++;
		close_swarm(&s);
	}
	for (uint32_t i = 0; i < n; i++) {
		due = 0.5 * runs / n + (i % 2 ? 0 : 1.0 * runs / n);
		chi2 += (count[i] - due) * (count[i] - due) / due;
	}
	bt_bits_fini(&half);
	return chi2;
}

static void
ties_among_the_rarest_are_broken_evenly(void **state)
{
	(void)state;
	/* a peer with few pieces, then one with many: it is searched anew */
	for (uint32_t had = 4; had < 1000; had += 300) {
		assert_true(unevenness(100, had, 4000) < 150); /* p = 0.0007 */
		assert_true(unevenness(20, had, 4000) < 46);   /* p = 0.0005 */
	}
}

static void
leeches_that_start_together_pick_different_pieces(void **state)
{
	bool taken[256] = { false };
	uint32_t distinct = 0, piece;
	struct swarm s;

	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		open_swarm(&s, 256, 1, seed);
		bt_picker_peer_bits(s.p, &s.all, 1);
		for (int k = 0; k < 8; k++) {
			piece = pick(&s, SEED).piece;
			distinct += !taken[piece];
			taken[piece] = true;
		}
		close_swarm(&s);
	}
	/* 64 draws of 256: 56.7 distinct expected, sigma 2.3 */
	assert_true(distinct >= 48);
}

static void
availability_counts_who_came_and_who_went(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "3 1 1 0", 1);
	assert_int_equal(bt_picker_availability(s.p, 0), 3);
	assert_int_equal(bt_picker_availability(s.p, 3), 0);
	bt_picker_peer_bits(s.p, &s.all, 1);
	assert_int_equal(bt_picker_availability(s.p, 0), 4);
	assert_int_equal(bt_picker_availability(s.p, 3), 1);
	bt_picker_peer_have(s.p, 3, 1);
	assert_int_equal(bt_picker_availability(s.p, 3), 2);
	bt_picker_peer_bits(s.p, &s.peer[0], -1);
	assert_int_equal(bt_picker_availability(s.p, 0), 3);
	assert_int_equal(bt_picker_availability(s.p, 1), 1);
	bt_picker_peer_bits(s.p, &s.all, -1);
	bt_picker_peer_have(s.p, 3, -1);
	assert_int_equal(bt_picker_availability(s.p, 3), 0);
	close_swarm(&s);
}

static void
a_peer_that_became_full_piece_by_piece_leaves_as_a_full_one(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "2 0 1", 1);
	for (uint32_t i = 0; i < 3; i++)
		bt_picker_peer_have(s.p, i, 1);
	bt_picker_peer_bits(s.p, &s.all, -1);
	assert_int_equal(bt_picker_availability(s.p, 0), 2);
	assert_int_equal(bt_picker_availability(s.p, 1), 0);
	assert_int_equal(bt_picker_availability(s.p, 2), 1);
	close_swarm(&s);
}

/* Rule 3 */
static void
sequential_order_is_kept_within_the_window(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "1 1 1 1 1 1", 1);
	bt_picker_sequential(s.p, 3);
	for (uint32_t i = 0; i < 3; i++)
		for (uint32_t k = 0; k < BLOCKS; k++) {
			b = pick(&s, 0);
			assert_int_equal(b.piece, i);
			assert_int_equal(b.block, k);
		}
	assert_false(try_pick(&s, 0, &s.all, &b));
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_true(got(&s, 0, (struct bt_pick){ 1, k }));
	bt_picker_done(s.p, 1); /* the first missing one is still 0 */
	assert_false(try_pick(&s, 0, &s.all, &b));
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_true(got(&s, 0, (struct bt_pick){ 0, k }));
	bt_picker_done(s.p, 0);
	assert_int_equal(pick(&s, 0).piece, 3); /* 2, 3, 4 are the window */
	close_swarm(&s);
}

static void
sequential_order_goes_back_for_a_piece_that_failed(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "1 1 1 1 1 1", 1);
	bt_picker_sequential(s.p, 4);
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_true(got(&s, 0, pick(&s, 0)));
	assert_true(bt_picker_is_whole(s.p, 0));
	assert_int_equal(pick(&s, 0).piece, 1);
	bt_picker_failed(s.p, 0);
	assert_int_equal(pick(&s, 0).piece, 0);
	close_swarm(&s);
}

static void
sequential_order_starts_at_what_is_wanted(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "1 1 1 1 1 1", 1);
	bt_picker_sequential(s.p, 2);
	bt_picker_want(s.p, 0, false);
	bt_picker_want(s.p, 1, false);
	bt_picker_want(s.p, 2, false);
	assert_int_equal(pick(&s, 0).piece, 3);
	bt_picker_want(s.p, 1, true);
	assert_int_equal(pick(&s, 0).piece, 1);
	close_swarm(&s);
}

static void
no_piece_at_or_beyond_the_horizon_is_begun(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "1 1 1 1", 1);
	bt_picker_horizon(s.p, 2);
	assert_false(bt_picker_start(s.p, 2, BT_PICK_NOBODY));
	for (uint32_t k = 0; k < 2 * BLOCKS; k++)
		assert_true(pick(&s, 0).piece < 2);
	assert_false(try_pick(&s, 0, &s.all, &b));
	assert_false(try_pick(&s, 1, &s.all, &b)); /* and no endgame */
	bt_picker_horizon(s.p, 3);
	assert_int_equal(pick(&s, 0).piece, 2);
	bt_picker_horizon(s.p, UINT32_MAX);
	for (uint32_t k = 1; k < BLOCKS; k++)
		assert_int_equal(pick(&s, 0).piece, 2);
	assert_int_equal(pick(&s, 0).piece, 3);
	close_swarm(&s);
}

static void
a_piece_that_is_not_wanted_is_never_picked(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "1 1 1 1", 1);
	bt_picker_want(s.p, 1, false);
	bt_picker_want(s.p, 3, false);
	for (uint32_t k = 0; k < 2 * BLOCKS; k++)
		assert_int_equal(pick(&s, 0).piece % 2, 0);
	assert_false(try_pick(&s, 0, &s.all, &b));
	assert_false(bt_picker_start(s.p, 1, BT_PICK_NOBODY));
	close_swarm(&s);
}

/* Rule 6 */
static double
seconds_of_picks(const struct bt_bits *have, struct swarm *s, uint32_t n)
{
	struct timespec from, to;
	struct bt_pick b;
	bool dup;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(
		    bt_picker_pick(s->p, 0, have, NULL, true, &b, &dup));
		bt_picker_peer_have(s->p, b.piece, 1);
		bt_picker_peer_have(s->p, b.piece, -1);
		bt_picker_failed(s->p, b.piece);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) +
	       (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* The best of five runs over pieces of which the peer has every other. */
static double
cost(uint32_t pieces)
{
	struct swarm s;
	struct bt_bits some;
	double best = 1e9, t;

	open_swarm(&s, pieces, 1, 1);
	bt_bits_init(&some, pieces);
	for (uint32_t i = 0; i < pieces; i += 2)
		(void)bt_bits_put(&some, i);
	bt_picker_peer_bits(s.p, &some, 1);
	bt_picker_peer_bits(s.p, &s.all, 1);
	for (uint32_t i = 0; i < 4; i++)
		bt_picker_done(s.p, 2 * i + 1);
	for (int run = 0; run < 5; run++) {
		t = seconds_of_picks(run % 2 ? &s.all : &some, &s, 20000);
		if (t < best)
			best = t;
	}
	close_swarm(&s);
	bt_bits_fini(&some);
	return best;
}

static void
the_cost_of_a_pick_does_not_grow_with_the_number_of_pieces(void **state)
{
	double small, large;

	(void)state;
	small = cost(1000);
	large = cost(1000000);
	/* memory is further away, but 1000 times as many pieces it is not */
	assert_true(large < 10 * small);
}

static void
a_peer_without_the_rarest_gets_a_rare_one_of_its_own(void **state)
{
	struct swarm s;
	struct bt_bits common;
	struct bt_pick b;

	(void)state;
	/* 5000 rare pieces that it lacks, then 300 common, one less so */
	open_swarm(&s, 5304, 1, 1);
	for (uint32_t i = 0; i < 4; i++)
		bt_picker_done(s.p, i);
	bt_bits_init(&common, 5304);
	for (uint32_t i = 5004; i < 5304; i++)
		(void)bt_bits_put(&common, i);
	bt_picker_peer_bits(s.p, &common, 1);
	bt_picker_peer_bits(s.p, &common, 1);
	bt_picker_peer_have(s.p, 5100, -1);
	for (uint32_t i = 0; i < 300; i++) {
		assert_true(try_pick(&s, 0, &common, &b));
		assert_true(b.piece >= 5004);
	}
	assert_true(bt_picker_is_begun(s.p, 5100));
	assert_false(try_pick(&s, 0, &common, &b));
	bt_bits_fini(&common);
	close_swarm(&s);
}

/* Rule 8: 8 leeches who know each other begin 8 times 4 of 256 pieces. */
static void
rivals_ask_a_seed_for_different_pieces(void **state)
{
	struct swarm s[8];
	uint64_t id[8], others[7];
	uint32_t taken[256] = { 0 }, n, piece;

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		id[i] = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
	for (uint32_t i = 0; i < 8; i++) {
		open_swarm(&s[i], 256, 1, i);
		bt_picker_peer_bits(s[i].p, &s[i].all, 1);
		n = 0;
		for (uint32_t j = 0; j < 8; j++)
			if (j != i)
				others[n++] = id[j];
		bt_picker_rivals(s[i].p, id[i], others, n);
		for (uint32_t k = 0; k < 16; k++) {
			piece = pick(&s[i], SEED).piece;
			assert_int_equal(taken[piece]++, 0);
			bt_picker_done(s[i].p, piece);
		}
	}
	for (uint32_t i = 0; i < 8; i++)
		close_swarm(&s[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rivals_ask_a_seed_for_different_pieces),
		cmocka_unit_test(
		    the_first_pieces_are_random_and_not_the_rarest),
		cmocka_unit_test(from_the_fifth_piece_on_the_rarest_is_first),
		cmocka_unit_test(ties_among_the_rarest_are_broken_evenly),
		cmocka_unit_test(
		    leeches_that_start_together_pick_different_pieces),
		cmocka_unit_test(availability_counts_who_came_and_who_went),
		cmocka_unit_test(
		    a_peer_that_became_full_piece_by_piece_leaves_as_a_full_one),
		cmocka_unit_test(sequential_order_is_kept_within_the_window),
		cmocka_unit_test(
		    sequential_order_goes_back_for_a_piece_that_failed),
		cmocka_unit_test(sequential_order_starts_at_what_is_wanted),
		cmocka_unit_test(no_piece_at_or_beyond_the_horizon_is_begun),
		cmocka_unit_test(a_piece_that_is_not_wanted_is_never_picked),
		cmocka_unit_test(
		    the_cost_of_a_pick_does_not_grow_with_the_number_of_pieces),
		cmocka_unit_test(
		    a_peer_without_the_rarest_gets_a_rare_one_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
