/*
 * Which block of what is begun is asked of whom: rules 1, 4, 5 and 7 of picker.h.
 */
#include "core/picker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "picker_rig.h"

/* Rule 1 */
static void
started_pieces_first_the_nearest_to_whole_first(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "x x x x 1 1 1 1", 1);
	assert_true(bt_picker_start(s.p, 5, BT_PICK_NOBODY));
	assert_true(bt_picker_start(s.p, 6, BT_PICK_NOBODY));
	assert_true(bt_picker_start(s.p, 4, BT_PICK_NOBODY));
	/* 6 gets two blocks, 5 one; the last started has a first say */
	b = pick(&s, SEED);
	assert_int_equal(b.piece, 4);
	for (uint32_t k = 0; k < 2; k++)
		assert_true(got(&s, 2, (struct bt_pick){ 6, k }));
	assert_true(got(&s, 1, (struct bt_pick){ 5, 0 }));
	for (uint32_t k = 1; k < BLOCKS; k++)
		assert_int_equal(pick(&s, SEED).piece, 4);
	for (uint32_t k = 2; k < BLOCKS; k++)
		assert_int_equal(pick(&s, SEED).piece, 6);
	for (uint32_t k = 1; k < BLOCKS; k++)
		assert_int_equal(pick(&s, SEED).piece, 5);
	assert_int_equal(pick(&s, SEED).piece, 7); /* all else is asked */
	close_swarm(&s);
}

static void
a_piece_begun_for_a_peer_is_its_own(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "x x x x 1 1 1", 2);
	assert_true(bt_picker_start(s.p, 5, 1));
	assert_false(bt_picker_has_own(s.p, 0, &s.all));
	assert_true(bt_picker_start(s.p, 6, 0));
	assert_true(bt_picker_has_own(s.p, 0, &s.all));
	assert_true(bt_picker_has_own(s.p, 1, &s.all));
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_int_equal(pick(&s, 0).piece, 6);
	assert_false(bt_picker_has_own(s.p, 0, &s.all));
	close_swarm(&s);
}

static void
a_piece_begun_in_vain_is_nobodys_own(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "x x x x 1 1", 2);
	assert_true(bt_picker_start(s.p, 5, 0));
	b = pick(&s, 0);
	assert_int_equal(b.piece, 5);
	bt_picker_release(s.p, 0, b);
	assert_false(bt_picker_has_own(s.p, 0, &s.all));
	assert_true(bt_picker_start(s.p, 4, 0));
	b = pick(&s, 0);
	assert_int_equal(b.piece, 4);
	assert_true(got(&s, 0, b));
	b = pick(&s, 0);
	bt_picker_release(s.p, 0, b); /* one block of it is held */
	assert_true(bt_picker_has_own(s.p, 0, &s.all));
	close_swarm(&s);
}

static void
a_started_piece_that_the_peer_lacks_is_passed_over(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "x x x x 1 2", 1);
	assert_true(bt_picker_start(s.p, 4, BT_PICK_NOBODY));
	assert_int_equal(pick(&s, 1).piece, 5);
	assert_int_equal(pick(&s, 0).piece, 4);
	close_swarm(&s);
}

static void
blocks_of_a_piece_are_asked_in_order(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "1 1", 1);
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t k = 0; k < BLOCKS; k++) {
			b = pick(&s, 0);
			assert_int_equal(b.block, k);
		}
	}
	close_swarm(&s);
}

static void
without_leave_to_start_only_begun_pieces_are_given(void **state)
{
	struct swarm s;
	struct bt_pick b;
	bool dup;

	(void)state;
	draw_swarm(&s, "1 1", 1);
	assert_false(bt_picker_pick(s.p, 0, &s.all, NULL, false, &b, &dup));
	assert_int_equal(bt_picker_begun(s.p), 0);
	assert_true(bt_picker_start(s.p, 1, BT_PICK_NOBODY));
	assert_true(bt_picker_pick(s.p, 0, &s.all, NULL, false, &b, &dup));
	assert_int_equal(b.piece, 1);
	close_swarm(&s);
}

/* Rule 4 */
static void
a_block_is_asked_of_one_peer_at_a_time(void **state)
{
	bool asked[3][BLOCKS] = { { false } };
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "3 3 3", 1);
	for (uint32_t k = 0; k < 3 * BLOCKS; k++) {
		b = pick(&s, k % 3);
		assert_false(asked[b.piece][b.block]);
		asked[b.piece][b.block] = true;
	}
	close_swarm(&s);
}

static void
a_released_block_is_asked_again(void **state)
{
	struct swarm s;
	struct bt_pick b, c;

	(void)state;
	draw_swarm(&s, "2 2", 1);
	(void)pick(&s, 0);
	b = pick(&s, 0);
	(void)pick(&s, 0);
	bt_picker_release(s.p, 1, b); /* not asked of 1: nothing happens */
	assert_int_equal(pick(&s, 1).block, 3);
	bt_picker_release(s.p, 0, b);
	c = pick(&s, 1);
	assert_int_equal(c.piece, b.piece);
	assert_int_equal(c.block, b.block);
	close_swarm(&s);
}

static void
a_block_that_comes_late_is_taken_once(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "2 2", 1);
	b = pick(&s, 0);
	bt_picker_release(s.p, 0, b);
	assert_true(got(&s, 0, b));
	assert_false(got(&s, 0, b));
	for (uint32_t k = 1; k < BLOCKS; k++)
		assert_int_equal(pick(&s, 1).block, k);
	bt_picker_done(s.p, b.piece);
	assert_false(got(&s, 0, b));
	close_swarm(&s);
}

/* Rule 5 */
static void
endgame_begins_when_every_wanted_block_is_asked_or_held(void **state)
{
	struct swarm s;
	struct bt_pick b;
	bool dup;

	(void)state;
	draw_swarm(&s, "x 1 1 x", 1);
	for (uint32_t k = 0; k < 2 * BLOCKS; k++) {
		assert_false(bt_picker_is_endgame(s.p));
		b = pick(&s, 0);
		if (k == 2)
			assert_true(got(&s, 0, b));
	}
	assert_true(bt_picker_is_endgame(s.p));
	assert_true(bt_picker_pick(s.p, 1, &s.all, NULL, false, &b, &dup));
	assert_true(dup);
	bt_picker_release(s.p, 0, b); /* 1 is still asked */
	assert_true(bt_picker_is_endgame(s.p));
	bt_picker_release(s.p, 1, b);
	assert_false(bt_picker_is_endgame(s.p));
	close_swarm(&s);
}

static void
in_endgame_blocks_asked_of_the_fewest_come_first(void **state)
{
	uint32_t asked[BLOCKS] = { 0 };
	struct swarm s;
	struct bt_pick b;
	bool dup;

	(void)state;
	draw_swarm(&s, "1", 1);
	for (uint32_t k = 0; k < BLOCKS; k++)
		(void)pick(&s, 0);
	for (uint32_t times = 1; times < BT_PICK_DUP_MAX; times++)
		for (uint32_t k = 0; k < BLOCKS; k++) {
			assert_true(bt_picker_pick(s.p, 1 + k % 2 + 2 * times,
			    &s.all, NULL, true, &b, &dup));
			assert_true(dup);
			assert_int_equal(++asked[b.block], times);
		}
	assert_false(try_pick(&s, 9, &s.all, &b)); /* all are asked of three */
	close_swarm(&s);
}

static void
in_endgame_no_peer_is_asked_twice(void **state)
{
	struct swarm s;
	struct bt_pick b;
	bool dup;

	(void)state;
	draw_swarm(&s, "1", 1);
	for (uint32_t k = 0; k < BLOCKS; k++)
		(void)pick(&s, 0);
	assert_false(try_pick(&s, 0, &s.all, &b));
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_true(
		    bt_picker_pick(s.p, 1, &s.all, NULL, true, &b, &dup));
	assert_false(try_pick(&s, 1, &s.all, &b));
	close_swarm(&s);
}

static void
who_else_was_asked_is_told_so_that_it_can_be_cancelled(void **state)
{
	uint32_t others[BT_PICK_DUP_MAX], n;
	struct swarm s;
	struct bt_pick b;
	bool dup;

	(void)state;
	open_swarm(&s, 1, 1, 1);
	b = pick(&s, SEED);
	assert_true(bt_picker_pick(s.p, 6, &s.all, NULL, true, &b, &dup));
	assert_true(bt_picker_pick(s.p, 8, &s.all, NULL, true, &b, &dup));
	assert_true(bt_picker_got(s.p, 6, b, others, BT_PICK_DUP_MAX, &n));
	assert_int_equal(n, 2);
	assert_int_equal(others[0] + others[1], SEED + 8);
	assert_false(bt_picker_got(s.p, 8, b, others, BT_PICK_DUP_MAX, &n));
	assert_int_equal(n, 0);
	close_swarm(&s);
}

/* Rule 7 */
static void
an_exclusive_piece_is_given_only_to_its_owner(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "2 2", 1);
	assert_true(bt_picker_start(s.p, 1, BT_PICK_NOBODY));
	bt_picker_exclusive(s.p, 1, 0);
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_int_equal(pick(&s, 1).piece, 0);
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_int_equal(pick(&s, 0).piece, 1);
	bt_picker_release(s.p, 0, (struct bt_pick){ 1, 2 });
	while (try_pick(&s, SEED, &s.all, &b))
		assert_int_equal(b.piece, 0); /* endgame, but not there */
	bt_picker_exclusive(s.p, 1, BT_PICK_NOBODY);
	b = pick(&s, SEED);
	assert_int_equal(b.piece, 1);
	assert_int_equal(b.block, 2);
	close_swarm(&s);
}

static void
a_choked_peer_is_asked_only_for_what_it_allowed(void **state)
{
	struct swarm s;
	struct bt_bits only;
	struct bt_pick b;
	bool dup;

	(void)state;
	draw_swarm(&s, "1 1 1 1", 1);
	bt_bits_init(&only, 4);
	(void)bt_bits_put(&only, 2);
	assert_true(bt_picker_start(s.p, 1, BT_PICK_NOBODY));
	for (uint32_t k = 0; k < BLOCKS; k++) {
		assert_true(
		    bt_picker_pick(s.p, 0, &s.all, &only, true, &b, &dup));
		assert_int_equal(b.piece, 2);
	}
	assert_false(bt_picker_pick(s.p, 0, &s.all, &only, true, &b, &dup));
	bt_bits_fini(&only);
	close_swarm(&s);
}

static void
a_piece_is_whole_when_all_its_blocks_are_held(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "1", 1);
	for (uint32_t k = 0; k < BLOCKS; k++) {
		assert_false(bt_picker_is_whole(s.p, 0));
		assert_true(got(&s, 0, pick(&s, 0)));
	}
	assert_true(bt_picker_is_whole(s.p, 0));
	assert_true(bt_picker_is_begun(s.p, 0));
	bt_picker_failed(s.p, 0);
	assert_false(bt_picker_is_begun(s.p, 0));
	assert_true(bt_picker_is_useful(s.p, &s.all));
	assert_int_equal(pick(&s, 0).block, 0);
	bt_picker_done(s.p, 0);
	assert_int_equal(bt_picker_begun(s.p), 0);
	assert_false(bt_picker_is_useful(s.p, &s.all));
	close_swarm(&s);
}

static void
a_peer_is_useful_while_it_has_a_wanted_missing_piece(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "x 1 2 2", 1);
	assert_true(bt_picker_is_useful(s.p, &s.peer[1]));
	assert_false(bt_picker_is_useful(s.p, &s.peer[2]));
	bt_picker_want(s.p, 2, false);
	bt_picker_done(s.p, 3);
	assert_false(bt_picker_is_useful(s.p, &s.peer[1]));
	assert_true(bt_picker_is_useful(s.p, &s.peer[0]));
	close_swarm(&s);
}

static void
a_torrent_without_pieces_has_nothing_to_pick(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	open_swarm(&s, 0, 1, 1);
	bt_picker_peer_bits(s.p, &s.all, 1);
	assert_false(try_pick(&s, 0, &s.all, &b));
	assert_false(bt_picker_is_endgame(s.p));
	assert_false(bt_picker_is_useful(s.p, &s.all));
	bt_picker_peer_bits(s.p, &s.all, -1);
	close_swarm(&s);
}

/* Rule 1 */
static void
a_peer_finishes_its_own_pieces_before_those_of_others(void **state)
{
	struct swarm s;
	struct bt_pick b;

	(void)state;
	draw_swarm(&s, "x x x x 1 1", 1);
	b = pick(&s, 0);
	assert_int_equal(b.block, 0);
	assert_true(got(&s, 0, b));
	/* the other one is begun for SEED: equally rare, but no rarer */
	assert_int_equal(pick(&s, SEED).piece, b.piece);
	for (uint32_t k = 2; k < BLOCKS; k++)
		assert_int_equal(pick(&s, 0).piece, b.piece);
	assert_int_not_equal(pick(&s, SEED).piece, b.piece);
	close_swarm(&s);
}

/* Rule 1: piece 5 is had by peer 0 too; piece 4 by the seed alone. */
static void
a_seed_is_asked_for_what_others_lack_before_it_joins_in(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "x x x x 0 1", 1);
	assert_int_equal(pick(&s, 0).piece, 5);
	assert_int_equal(pick(&s, SEED).piece, 4);
	for (uint32_t k = 1; k < BLOCKS; k++)
		assert_int_equal(pick(&s, SEED).piece, 4);
	assert_int_equal(pick(&s, SEED).piece, 5);
	close_swarm(&s);
}

static void
until_there_is_something_to_trade_started_pieces_are_joined(void **state)
{
	struct swarm s;

	(void)state;
	draw_swarm(&s, "x x x 0 1", 1);
	assert_int_equal(pick(&s, 0).piece, 4);
	assert_int_equal(pick(&s, SEED).piece, 4);
	close_swarm(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    started_pieces_first_the_nearest_to_whole_first),
		cmocka_unit_test(
		    a_peer_finishes_its_own_pieces_before_those_of_others),
		cmocka_unit_test(
		    a_seed_is_asked_for_what_others_lack_before_it_joins_in),
		cmocka_unit_test(
		    until_there_is_something_to_trade_started_pieces_are_joined),
		cmocka_unit_test(a_piece_begun_for_a_peer_is_its_own),
		cmocka_unit_test(a_piece_begun_in_vain_is_nobodys_own),
		cmocka_unit_test(
		    a_started_piece_that_the_peer_lacks_is_passed_over),
		cmocka_unit_test(blocks_of_a_piece_are_asked_in_order),
		cmocka_unit_test(
		    without_leave_to_start_only_begun_pieces_are_given),
		cmocka_unit_test(a_block_is_asked_of_one_peer_at_a_time),
		cmocka_unit_test(a_released_block_is_asked_again),
		cmocka_unit_test(a_block_that_comes_late_is_taken_once),
		cmocka_unit_test(
		    endgame_begins_when_every_wanted_block_is_asked_or_held),
		cmocka_unit_test(
		    in_endgame_blocks_asked_of_the_fewest_come_first),
		cmocka_unit_test(in_endgame_no_peer_is_asked_twice),
		cmocka_unit_test(
		    who_else_was_asked_is_told_so_that_it_can_be_cancelled),
		cmocka_unit_test(an_exclusive_piece_is_given_only_to_its_owner),
		cmocka_unit_test(
		    a_choked_peer_is_asked_only_for_what_it_allowed),
		cmocka_unit_test(a_piece_is_whole_when_all_its_blocks_are_held),
		cmocka_unit_test(
		    a_peer_is_useful_while_it_has_a_wanted_missing_piece),
		cmocka_unit_test(a_torrent_without_pieces_has_nothing_to_pick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
