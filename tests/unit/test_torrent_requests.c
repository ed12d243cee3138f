/*
 * What is asked of whom, when it is asked of another, and when of nobody.
 */
#include "torrent_giver.h"

static struct rig_peer *
has(struct rig *r, unsigned i, uint32_t piece)
{
	struct rig_peer *p = rig_peer(r, i, false);

	MSG(r, p, 4, piece);
	return p;
}

static void
interest_is_told_when_a_wanted_piece_is_there_and_taken_back(void **state)
{
	struct rig *r = rig_new(2 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, false), *q = rig_peer(r, 2, false);
	struct rig_said m;

	(void)state;
	assert_false(rig_hear(r, p, &m));
	MSG(r, p, 4, 1);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 2);
	MSG(r, q, 4, 1);
	assert_true(rig_hear(r, q, &m));
	assert_int_equal(m.id, 2);
	MSG0(r, p, 1);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 6);
	rig_block(r, p, 1, 0, BLOCK, 0);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 3); /* not interested */
	assert_true(rig_hear(r, q, &m));
	assert_int_equal(m.id, 3);
	rig_free(r);
}

static void
nobody_who_has_a_piece_is_told_that_we_have_it(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = has(r, 1, 2), *q = has(r, 2, 2), *n;

	(void)state;
	n = rig_peer(r, 3, false);
	MSG0(r, p, 1);
	rig_step(r);
	rig_block(r, p, 2, 0, BLOCK, 0);
	assert_int_equal(rig_count(r, p, 4), 0);
	assert_int_equal(rig_count(r, q, 4), 0);
	assert_int_equal(rig_count(r, n, 4), 1);
	rig_free(r);
}

static void
a_piece_is_told_of_only_when_it_is_verified(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = has(r, 1, 2), *n = rig_peer(r, 3, false);

	(void)state;
	MSG0(r, p, 1);
	rig_step(r);
	r->hold_jobs = true;
	rig_block(r, p, 2, 0, BLOCK, 0);
	rig_step(r);
	assert_int_equal(rig_count(r, n, 4), 0);
	assert_int_equal(rig_logged(r, BT_FX_PIECE), 0);
	r->hold_jobs = false;
	assert_int_equal(rig_count(r, n, 4), 1);
	assert_int_equal(rig_logged(r, BT_FX_PIECE), 1);
	rig_free(r);
}

/* core/takeover: both have pieces 0 .. 3 of ten, and all are asked of the first. */
static void
who_is_idle_takes_over_the_last_block_of_who_is_slow(void **state)
{
	struct rig *r = rig_new(10 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true), *q = rig_peer(r, 2, true);
	struct rig_said m;
	unsigned cancels = 0, asks = 0;
	uint32_t last = 0, taken = 0;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		MSG(r, p, 4, i);
		MSG(r, q, 4, i);
	}
	MSG0(r, p, 1);
	while (rig_hear(r, p, &m))
		if (m.id == 6)
			last = m.index;
	MSG0(r, q, 1); /* too soon */
	assert_int_equal(rig_count(r, q, 6), 0);
	rig_wait(r, BT_MSEC(200));
	MSG0(r, q, 0);
	MSG0(r, q, 1);
	while (rig_hear(r, q, &m)) {
		asks += m.id == 6;
		taken = m.index;
	}
	assert_int_equal(asks, 1);
	assert_int_equal(taken, last);
	while (rig_hear(r, p, &m)) {
		cancels += m.id == 8;
		taken = m.index;
	}
	assert_int_equal(cancels, 1);
	assert_int_equal(taken, last);
	/* it gives nothing and comes back for more: it gets no more of them */
	MSG0(r, q, 0);
	rig_wait(r, BT_SEC(3));
	MSG(r, p, 16, last, 0, BLOCK);
	rig_wait(r, BT_MSEC(500));
	assert_int_equal(rig_count(r, p, 6), 1);
	rig_wait(r, BT_MSEC(500));
	MSG0(r, q, 1);
	rig_wait(r, BT_MSEC(500));
	assert_int_equal(rig_count(r, p, 8), 0);
	rig_free(r);
}

static void
a_dying_peers_blocks_are_asked_of_others_at_once(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, false), *q;

	(void)state;
	assert_int_equal(rig_count(r, p, 6), 4);
	q = giver(r, 2, false);
	assert_int_equal(rig_count(r, q, 6), 0);
	bt_torrent_on_closed(r->t, p->slot, r->now);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, q, 6), 4);
	rig_free(r);
}

static void
a_choking_peers_blocks_are_asked_of_others_at_once(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, false), *q;

	(void)state;
	assert_int_equal(rig_count(r, p, 6), 4);
	q = giver(r, 2, false);
	MSG0(r, p, 0);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, q, 6), 4);
	assert_int_equal(rig_count(r, p, 6), 0); /* nothing while choked */
	rig_free(r);
}

static void
a_peer_that_owes_and_does_not_give_is_snubbed(void **state)
{
	struct rig *r = rig_new(64 * BLOCK, 64 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, false), *q;
	struct rig_said first = { 0 }, m;
	unsigned n = 0;

	(void)state;
	while (rig_hear(r, p, &m))
		if (m.id == 6 && n++ == 0)
			first = m;
	rig_wait(r, BT_SEC(29));
	assert_int_equal(rig_count(r, p, 8), 0);
	rig_wait(r, BT_SEC(31));
	/* the oldest request keeps its chance */
	assert_int_equal(rig_count(r, p, 8), n - 1);
	q = giver(r, 2, false);
	assert_int_equal(rig_count(r, q, 6), 4);
	/* it gives again, and is asked again */
	rig_block(r, p, first.index, first.begin, first.length, 0);
	assert_int_not_equal(rig_count(r, p, 6), 0);
	rig_free(r);
}

static void
what_a_peer_was_told_to_leave_does_not_count_as_asked_of_it(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, true), *q;
	struct rig_said m, first = { 0 };
	unsigned n = 0;

	(void)state;
	while (rig_hear(r, p, &m))
		if (m.id == 6 && n++ == 0)
			first = m;
	assert_int_equal(n, 4);
	rig_wait(r, BT_SEC(31)); /* snubbed: all but the oldest are cancelled */
	assert_int_equal(rig_count(r, p, 8), 3);
	/* it gives the oldest, and has answered none of the cancels */
	rig_block(r, p, first.index, first.begin, first.length, 0);
	assert_int_equal(rig_count(r, p, 6), 0);
	q = giver(r, 2, false);
	assert_int_equal(rig_count(r, q, 6), 3);
	rig_free(r);
}

static void
a_request_passed_over_for_long_is_asked_of_others(void **state)
{
	struct rig *r = rig_new(64 * BLOCK, 64 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, false), *q;
	struct rig_said m;
	struct {
		uint32_t i, b;
	} ask[200];
	unsigned asked = 0, given = 1;
	bool again = false;

	(void)state;
	for (unsigned i = 0; i < 40; i++) { /* all but the first */
		while (rig_hear(r, p, &m))
			if (m.id == 6) {
				again |= asked > 0 && m.begin == ask[0].b;
				ask[asked].i = m.index;
				ask[asked++].b = m.begin;
			}
		rig_wait(r, BT_SEC(1));
		rig_block(r, p, ask[given].i, ask[given].b, BLOCK, 0);
		given++;
	}
	q = giver(r, 2, false);
	while (rig_hear(r, q, &m))
		again |= m.id == 6 && m.begin == ask[0].b;
	while (rig_hear(r, p, &m))
		again |= m.id == 6 && m.begin == ask[0].b;
	assert_true(again);
	rig_free(r);
}

static void
blocks_that_nobody_asked_for_are_wasted_and_end_it(void **state)
{
	struct rig *r = rig_new(64 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = has(r, 1, 3);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		rig_block(r, p, 5, 0, BLOCK, 0);
	rig_step(r);
	assert_false(p->closed);
	assert_int_equal(bt_torrent_stats(r->t, r->now).wasted, 3 * BLOCK);
	assert_int_equal(r->stores, 0);
	for (unsigned i = 0; i < 60 && !p->closed; i++)
		rig_block(r, p, 5, 0, BLOCK, 0);
	assert_true(p->closed);
	rig_free(r);
}

static void
a_late_block_after_a_choke_is_no_crime(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, 40 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, false);
	struct rig_said m;
	unsigned n = 0;
	struct {
		uint32_t i, b;
	} q[64];

	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		n = 0;
		while (rig_hear(r, p, &m))
			if (m.id == 6) {
				q[n].i = m.index;
				q[n++].b = m.begin;
			}
		MSG0(r, p, 0);
		for (unsigned i = 0; i < n; i++)
			rig_block(r, p, q[i].i, q[i].b, BLOCK, 0);
		MSG0(r, p, 1);
	}
	assert_false(p->closed);
	rig_free(r);
}

static void
unwanted_pieces_are_never_asked(void **state)
{
	struct rig *r = rig_new(16 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p;
	struct rig_said m;
	struct bt_bits want;
	unsigned n = 0;

	(void)state;
	bt_bits_init(&want, 16);
	bt_bits_put(&want, 3);
	bt_bits_put(&want, 9);
	bt_torrent_set_wanted(r->t, &want);
	p = giver(r, 1, false);
	while (rig_hear(r, p, &m))
		if (m.id == 6) {
			n++;
			assert_true(bt_bits_has(&want, m.index));
			rig_block(r, p, m.index, 0, BLOCK, 0);
		}
	assert_int_equal(n, 2);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_true(bt_torrent_stats(r->t, r->now).is_done);
	assert_int_equal(bt_torrent_stats(r->t, r->now).size_left, 14 * BLOCK);
	bt_bits_fini(&want);
	rig_free(r);
}

static void
nothing_beyond_the_horizon_is_asked_until_it_moves(void **state)
{
	struct rig *r = rig_new(16 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p;
	struct rig_said m;
	unsigned n = 0;

	(void)state;
	bt_torrent_set_sequential(r->t, 16);
	bt_torrent_set_horizon(r->t, 2);
	p = giver(r, 1, false);
	while (rig_hear(r, p, &m))
		if (m.id == 6) {
			assert_int_equal(m.index, n);
			n++;
		}
	assert_int_equal(n, 2);
	bt_torrent_set_horizon(r->t, 3);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, p, 6), 1);
	rig_free(r);
}

static void
a_failed_disk_ends_the_asking(void **state)
{
	struct rig *r = rig_new(64 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, false);
	struct rig_said m;
	struct bt_disk_result bad = { .status = BT_DISK_ERROR };

	(void)state;
	r->hold_jobs = true;
	while (rig_hear(r, p, &m) && m.id != 6)
		;
	rig_block(r, p, m.index, m.begin, BLOCK, 0);
	rig_count(r, p, 6);
	assert_int_equal(r->njobs, 1);
	bad.id = r->jobs[0].job.id;
	r->njobs = 0;
	bt_torrent_on_disk(r->t, &bad, r->now);
	rig_wait(r, BT_SEC(5));
	assert_int_equal(rig_count(r, p, 6), 0);
	rig_free(r);
}

/* With a window of two, who waits for the first piece is asked when it is here. */
static void
who_waits_for_the_window_is_asked_when_it_moves(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *slow, *quick;

	(void)state;
	bt_torrent_set_sequential(r->t, 2);
	slow = giver(r, 1, false);
	assert_int_equal(rig_count(r, slow, 6), 2);
	quick = giver(r, 2, false);
	r->hold_jobs = true;
	for (uint32_t i = 0; i < 2; i++)
		rig_block(r, slow, i, 0, BLOCK, 0);
	rig_wait(r, BT_SEC(1));
	rig_count(r, slow, 6);
	assert_int_equal(rig_count(r, quick, 6), 0);
	r->hold_jobs = false;
	rig_wait(r, BT_SEC(1));
	assert_int_equal(bt_torrent_stats(r->t, r->now).pieces_have, 2);
	assert_int_equal(rig_count(r, slow, 6) + rig_count(r, quick, 6), 2);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    interest_is_told_when_a_wanted_piece_is_there_and_taken_back),
		cmocka_unit_test(
		    nobody_who_has_a_piece_is_told_that_we_have_it),
		cmocka_unit_test(a_piece_is_told_of_only_when_it_is_verified),
		cmocka_unit_test(
		    who_is_idle_takes_over_the_last_block_of_who_is_slow),
		cmocka_unit_test(
		    a_dying_peers_blocks_are_asked_of_others_at_once),
		cmocka_unit_test(
		    a_choking_peers_blocks_are_asked_of_others_at_once),
		cmocka_unit_test(a_peer_that_owes_and_does_not_give_is_snubbed),
		cmocka_unit_test(
		    what_a_peer_was_told_to_leave_does_not_count_as_asked_of_it),
		cmocka_unit_test(
		    a_request_passed_over_for_long_is_asked_of_others),
		cmocka_unit_test(
		    blocks_that_nobody_asked_for_are_wasted_and_end_it),
		cmocka_unit_test(a_late_block_after_a_choke_is_no_crime),
		cmocka_unit_test(unwanted_pieces_are_never_asked),
		cmocka_unit_test(
		    nothing_beyond_the_horizon_is_asked_until_it_moves),
		cmocka_unit_test(
		    who_waits_for_the_window_is_asked_when_it_moves),
		cmocka_unit_test(a_failed_disk_ends_the_asking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
