#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/choker.h"

#define MAX 300u
#define START INT64_C(1000000000)
#define SEC INT64_C(1000000)
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)

/* Peers with ids 0, 1, ...; what the torrent does about verdicts. */
struct swarm {
	struct bt_choker c;
	struct bt_choke_row rows[MAX];
	size_t n;
	bool seeding;
	uint64_t limit;
	int64_t now;
};

static void
open_swarm(struct swarm *s, size_t n, unsigned slots, bool seeding)
{
	memset(s, 0, sizeof(*s));
	bt_choker_init(&s->c, slots, 1);
	s->n = n;
	s->seeding = seeding;
	s->now = START;
	for (size_t i = 0; i < n; i++) {
		s->rows[i].id = (uint32_t)i;
		s->rows[i].interested = true;
	}
}

/* Run at s->now and obey. Returns how many are unchoked. */
static size_t
run(struct swarm *s)
{
	uint64_t up_bps = 0;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		up_bps += s->rows[i].up_bps;
	bt_choker_run(
	    &s->c, s->rows, s->n, s->seeding, up_bps, s->limit, s->now);
	for (size_t i = 0; i < s->n; i++) {
		if (s->rows[i].unchoke && !s->rows[i].unchoked) {
			s->rows[i].unchoked_at = s->now;
			s->rows[i].up_since = 0;
		}
		s->rows[i].unchoked = s->rows[i].unchoke;
		n += s->rows[i].unchoke;
	}
	return n;
}

/* The next round, with what each took in it. */
static size_t
next_round(struct swarm *s)
{
	s->now += BT_CHOKE_PERIOD_US;
	for (size_t i = 0; i < s->n; i++)
		if (s->rows[i].unchoked)
			s->rows[i].up_since += 10 * s->rows[i].up_bps;
	return run(s);
}

static void
only_interested_peers_that_need_something_are_candidates(void **state)
{
	struct swarm s;

	(void)state;
	for (int seeding = 0; seeding < 2; seeding++) {
		open_swarm(&s, 4, 4, seeding);
		s.rows[1].interested = false;
		s.rows[2].dead_weight = true;
		s.rows[2].unchoked = true;
		assert_int_equal(run(&s), 2);
		assert_true(s.rows[0].unchoke);
		assert_true(s.rows[3].unchoke);
		s.rows[3].interested = false;
		assert_int_equal(run(&s), 1);
	}
}

static void
with_fewer_peers_than_slots_all_are_unchoked_at_once(void **state)
{
	struct swarm s;

	(void)state;
	for (int seeding = 0; seeding < 2; seeding++) {
		open_swarm(&s, 3, 0, seeding);
		s.limit = 4 * MIB;
		assert_int_equal(run(&s), 3);
		for (size_t i = 0; i < 3; i++)
			s.rows[i].up_bps = s.limit / 3;
		for (int i = 0; i < 100; i++)
			assert_int_equal(next_round(&s), 3);
	}
}

/* Rule 2 */
static void
leeching_the_best_givers_are_unchoked(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 20, 5, false);
	for (size_t i = 0; i < 20; i++)
		s.rows[i].down_bps = 1000 * ((i * 7) % 20);
	assert_int_equal(run(&s), 5);
	for (size_t i = 0; i < 20; i++)
		if (s.rows[i].down_bps >= 16000)
			assert_true(s.rows[i].unchoke);
	assert_true(s.rows[s.c.optimistic].down_bps < 16000);
}

static void
leeching_a_better_giver_takes_the_slot_of_the_worst(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 4, 3, false);
	for (size_t i = 0; i < 4; i++)
		s.rows[i].down_bps = 4000 - 1000 * i;
	(void)run(&s);
	assert_true(s.rows[0].unchoke && s.rows[1].unchoke);
	s.rows[3].down_bps = 3500;
	(void)next_round(&s);
	assert_true(s.rows[0].unchoke && s.rows[3].unchoke);
	assert_int_not_equal(s.c.optimistic, 0);
	assert_int_not_equal(s.c.optimistic, 3);
}

static void
leeching_equal_givers_keep_their_slots(void **state)
{
	uint32_t before[10];
	struct swarm s;
	size_t changed = 0;

	(void)state;
	open_swarm(&s, 10, 5, false);
	(void)run(&s);
	for (size_t i = 0; i < 10; i++)
		before[i] = s.rows[i].unchoked;
	(void)next_round(&s);
	for (size_t i = 0; i < 10; i++)
		changed += before[i] != s.rows[i].unchoked;
	assert_int_equal(changed, 0);
}

static void
the_optimistic_slot_rotates_each_30_seconds(void **state)
{
	bool had[10] = { false };
	uint32_t holder;
	struct swarm s;
	size_t n = 0;

	(void)state;
	open_swarm(&s, 10, 3, false);
	s.rows[8].down_bps = s.rows[9].down_bps = 1000;
	(void)run(&s);
	for (int turn = 0; turn < 60; turn++) {
		holder = s.c.optimistic;
		assert_true(holder < 8);
		assert_true(s.rows[holder].unchoked);
		had[holder] = true;
		for (int i = 0; i < 2; i++) {
			(void)next_round(&s);
			assert_int_equal(s.c.optimistic, holder);
		}
		(void)next_round(&s);
		assert_int_not_equal(s.c.optimistic, holder);
		assert_false(s.rows[holder].unchoked);
	}
	for (size_t i = 0; i < 8; i++)
		n += had[i];
	assert_int_equal(n, 8);
}

static void
new_peers_are_three_times_as_likely_to_be_optimistic(void **state)
{
	uint32_t new = 0;
	struct swarm s;

	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		open_swarm(&s, 10, 1, false);
		bt_choker_init(&s.c, 1, seed);
		for (size_t i = 0; i < 10; i++)
			s.rows[i].connected_at =
			    START - (i < 5 ? 10 : 1000) * SEC;
		assert_int_equal(run(&s), 1);
		new += s.c.optimistic < 5;
	}
	/* 3/4 of 2000 is 1500, sigma 19 */
	assert_in_range(new, 1420, 1580);
}

static void
an_optimistic_peer_that_earns_a_slot_makes_room_for_another(void **state)
{
	struct swarm s;
	uint32_t holder;

	(void)state;
	open_swarm(&s, 6, 3, false);
	(void)run(&s);
	holder = s.c.optimistic;
	s.rows[holder].down_bps = 5000;
	assert_int_equal(next_round(&s), 3);
	assert_true(s.rows[holder].unchoked);
	assert_int_not_equal(s.c.optimistic, holder);
}

/* Rule 3 */
static void
seeding_every_peer_gets_its_turn(void **state)
{
	bool had[20] = { false };
	struct swarm s;
	size_t n = 0;

	(void)state;
	open_swarm(&s, 20, 4, true);
	(void)run(&s);
	/* 5 groups of 4, each 30 s: all have had their turn after 150 s */
	for (int round = 0; round < 15; round++) {
		for (size_t i = 0; i < 20; i++)
			had[i] |= s.rows[i].unchoked;
		assert_int_equal(next_round(&s), 4);
	}
	for (size_t i = 0; i < 20; i++)
		n += had[i];
	assert_int_equal(n, 20);
}

static void
seeding_a_quantum_of_bytes_ends_a_turn_early(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 3, 2, true);
	s.rows[2].interested = false;
	(void)run(&s);
	s.rows[2].interested = true;
	s.rows[0].up_bps = 100 * KIB;
	s.rows[1].up_bps = 2 * MIB;
	(void)next_round(&s);
	assert_true(s.rows[0].unchoked);
	assert_false(s.rows[1].unchoked); /* it had 20 MiB */
	assert_true(s.rows[2].unchoked);
}

static void
seeding_nobody_leaves_while_nobody_waits(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 4, 4, true);
	for (size_t i = 0; i < 4; i++)
		s.rows[i].up_bps = 10 * MIB;
	(void)run(&s);
	for (int i = 0; i < 20; i++)
		assert_int_equal(next_round(&s), 4);
}

static void
seeding_the_fastest_takers_stay_among_those_who_had_their_turn(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 5, 4, true);
	s.rows[4].interested = false;
	(void)run(&s);
	for (size_t i = 0; i < 4; i++)
		s.rows[i].up_bps = (10 - i) * MIB;
	s.rows[4].interested = true;
	(void)next_round(&s);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(s.rows[i].unchoked, i != 3);
}

/* Rule 4 */
static void
a_peer_that_snubs_us_gets_only_the_optimistic_slot(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 6, 4, false);
	for (size_t i = 0; i < 6; i++) {
		s.rows[i].down_bps = 1000 * i;
		s.rows[i].snubbing = i >= 2;
	}
	assert_int_equal(run(&s), 3); /* 0, 1 and an optimistic one */
	assert_true(s.rows[0].unchoked && s.rows[1].unchoked);
	assert_true(s.c.optimistic >= 2);
}

/* Rule 5 */
static void
the_set_changes_each_10_seconds(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 10, 3, false);
	for (size_t i = 0; i < 10; i++)
		s.rows[i].down_bps = i < 2 ? 1000 : 0;
	(void)run(&s);
	s.rows[s.c.optimistic == 7 ? 6 : 7].down_bps = 9000;
	s.rows[0].snubbing = true;
	s.now += BT_CHOKE_PERIOD_US - 1;
	(void)run(&s);
	assert_true(s.rows[0].unchoked && s.rows[1].unchoked);
	s.now++;
	(void)run(&s);
	assert_false(s.rows[0].unchoked && s.c.optimistic != 0);
	assert_true(s.rows[s.c.optimistic == 7 ? 6 : 7].unchoked);
}

static void
between_rounds_no_turn_ends(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 3, 2, true);
	s.rows[2].interested = false;
	(void)run(&s);
	s.rows[2].interested = true;
	s.rows[0].up_since = s.rows[1].up_since = 100 * MIB;
	s.now += BT_CHOKE_PERIOD_US - 1;
	assert_int_equal(run(&s), 2);
	assert_false(s.rows[2].unchoked);
	s.now++;
	(void)run(&s);
	assert_true(s.rows[2].unchoked);
}

static void
a_free_slot_is_given_at_once(void **state)
{
	struct swarm s;
	size_t gone = 0;

	(void)state;
	for (int seeding = 0; seeding < 2; seeding++) {
		open_swarm(&s, 10, 4, seeding);
		(void)run(&s);
		for (size_t i = 0; i < 10; i++)
			if (s.rows[i].unchoked)
				gone = i;
		s.rows[gone].interested = false;
		s.now += SEC;
		assert_int_equal(run(&s), 4);
		s.rows[gone].interested = true;
		assert_int_equal(run(&s), 4);
		assert_false(s.rows[gone].unchoked);
	}
}

/* Rule 6: a link that carries link_bps, to peers that take at most take_bps. */
static unsigned
slots_after(unsigned rounds, size_t peers, uint64_t link_bps, uint64_t take_bps,
    uint64_t limit_bps)
{
	struct swarm s;
	size_t n;
	uint64_t share;

	open_swarm(&s, peers, 0, true);
	s.limit = limit_bps;
	n = run(&s);
	for (unsigned i = 0; i < rounds; i++) {
		share = link_bps / n < take_bps ? link_bps / n : take_bps;
		for (size_t k = 0; k < peers; k++)
			s.rows[k].up_bps = s.rows[k].unchoked ? share : 0;
		n = next_round(&s);
		assert_int_equal(
		    n, peers < s.c.slots_now ? peers : s.c.slots_now);
	}
	return s.c.slots_now;
}

static void
automatic_slots_grow_while_the_upload_has_room(void **state)
{
	(void)state;
	/* slow takers on a fast link, with and without a limit */
	assert_true(slots_after(60, 200, 100 * MIB, 10 * KIB, 0) >= 150);
	assert_true(slots_after(60, 200, 100 * MIB, 10 * KIB, MIB) >= 90);
	assert_true(slots_after(60, 200, 100 * MIB, 10 * KIB, MIB) <= 110);
	/* a fast link: 100 MiB/s is worth 248 slots */
	assert_true(slots_after(60, 300, 100 * MIB, 100 * MIB, 0) >= 200);
	/* 1 MiB/s is worth 25, and not 100 */
	assert_in_range(slots_after(60, 200, MIB, MIB, 0), 20, 36);
}

static void
automatic_slots_stay_when_the_limit_is_reached(void **state)
{
	(void)state;
	assert_int_equal(slots_after(60, 200, 4 * MIB, 2 * MIB, 4 * MIB),
	    BT_CHOKE_SLOTS_AUTO);
}

static void
automatic_slots_shrink_when_they_starve_each_other(void **state)
{
	(void)state;
	assert_int_equal(
	    slots_after(60, 200, 10 * KIB, MIB, 10 * KIB), BT_CHOKE_SLOTS_MIN);
	assert_int_equal(
	    slots_after(60, 200, 10 * KIB, MIB, 0), BT_CHOKE_SLOTS_MIN);
}

static void
automatic_slots_do_not_change_while_nobody_waits(void **state)
{
	(void)state;
	assert_int_equal(slots_after(60, 3, KIB, MIB, 0), BT_CHOKE_SLOTS_AUTO);
	assert_int_equal(
	    slots_after(60, 3, 100 * MIB, 100 * MIB, 0), BT_CHOKE_SLOTS_AUTO);
}

static void
automatic_slots_double_each_second_on_a_fast_link(void **state)
{
	struct bt_choker c;
	unsigned n = 0;

	(void)state;
	bt_choker_init(&c, 0, 1);
	assert_false(bt_choker_grow(&c, c.slots_now - 1, 100 * MIB, 0));
	assert_false(bt_choker_grow(&c, c.slots_now, 20 * KIB, 0));
	assert_false(bt_choker_grow(&c, c.slots_now, 100 * MIB, 100 * MIB));
	while (bt_choker_grow(&c, c.slots_now, 100 * MIB, 0))
		n++;
	/* 100 MiB/s is worth 248 */
	assert_in_range(c.slots_now, 124, 256);
	assert_in_range(n, 5, 6);
	bt_choker_init(&c, 6, 1);
	assert_false(bt_choker_grow(&c, 6, 100 * MIB, 0));
}

/* Rule 7 */
static void
who_asks_for_nothing_takes_no_slot(void **state)
{
	struct swarm s;
	size_t idle = 0, was;

	(void)state;
	for (int seeding = 0; seeding < 2; seeding++) {
		open_swarm(&s, 20, 4, seeding);
		assert_int_equal(run(&s), 4);
		for (size_t i = 0; i < s.n; i++)
			if (s.rows[i].unchoked && s.c.optimistic != i)
				idle = i;
		s.rows[idle].idle = true;
		s.now += SEC;
		assert_int_equal(run(&s), 5);
		assert_true(s.rows[idle].unchoked);
		/* it takes its own again, and nobody loses one at once */
		s.rows[idle].idle = false;
		s.now += SEC;
		assert_in_range(run(&s), 4, 5);
		for (size_t i = 0; i < s.n; i++)
			s.rows[i].idle = s.rows[i].unchoked;
		was = 0;
		for (int k = 0; k < 10; k++) {
			s.now += SEC;
			was = run(&s);
			for (size_t i = 0; i < s.n; i++)
				s.rows[i].idle = s.rows[i].unchoked;
		}
		assert_in_range(was, 7, 8); /* twice the slots, at most */
	}
}

/* Twelve take little, one has a slot and asks for nothing: nobody waits. */
static void
who_has_a_slot_and_is_idle_does_not_wait(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 13, 0, true);
	s.c.slots_now = 12;
	for (unsigned i = 0; i < 13; i++) {
		s.rows[i].unchoked = true;
		s.rows[i].unchoked_at = s.now - SEC;
		s.rows[i].up_bps = i < 12 ? KIB : 0;
		s.rows[i].idle = i == 12;
	}
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(run(&s), 13);
		s.now += BT_CHOKE_PERIOD_US;
	}
	assert_int_equal(s.c.slots_now, 12);
}

static void
fixed_slots_stay_as_they_are(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 50, 6, true);
	(void)run(&s);
	for (size_t i = 0; i < 50; i++)
		s.rows[i].up_bps = 10 * MIB;
	for (int i = 0; i < 30; i++)
		assert_int_equal(next_round(&s), 6);
}

static void
nobody_connected_is_fine(void **state)
{
	struct swarm s;

	(void)state;
	open_swarm(&s, 0, 0, false);
	assert_int_equal(run(&s), 0);
	assert_int_equal(s.c.optimistic, UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    only_interested_peers_that_need_something_are_candidates),
		cmocka_unit_test(
		    with_fewer_peers_than_slots_all_are_unchoked_at_once),
		cmocka_unit_test(leeching_the_best_givers_are_unchoked),
		cmocka_unit_test(
		    leeching_a_better_giver_takes_the_slot_of_the_worst),
		cmocka_unit_test(leeching_equal_givers_keep_their_slots),
		cmocka_unit_test(the_optimistic_slot_rotates_each_30_seconds),
		cmocka_unit_test(
		    new_peers_are_three_times_as_likely_to_be_optimistic),
		cmocka_unit_test(
		    an_optimistic_peer_that_earns_a_slot_makes_room_for_another),
		cmocka_unit_test(seeding_every_peer_gets_its_turn),
		cmocka_unit_test(seeding_a_quantum_of_bytes_ends_a_turn_early),
		cmocka_unit_test(seeding_nobody_leaves_while_nobody_waits),
		cmocka_unit_test(
		    seeding_the_fastest_takers_stay_among_those_who_had_their_turn),
		cmocka_unit_test(
		    a_peer_that_snubs_us_gets_only_the_optimistic_slot),
		cmocka_unit_test(the_set_changes_each_10_seconds),
		cmocka_unit_test(between_rounds_no_turn_ends),
		cmocka_unit_test(a_free_slot_is_given_at_once),
		cmocka_unit_test(
		    automatic_slots_grow_while_the_upload_has_room),
		cmocka_unit_test(
		    automatic_slots_stay_when_the_limit_is_reached),
		cmocka_unit_test(
		    automatic_slots_shrink_when_they_starve_each_other),
		cmocka_unit_test(
		    automatic_slots_do_not_change_while_nobody_waits),
		cmocka_unit_test(
		    automatic_slots_double_each_second_on_a_fast_link),
		cmocka_unit_test(who_asks_for_nothing_takes_no_slot),
		cmocka_unit_test(who_has_a_slot_and_is_idle_does_not_wait),
		cmocka_unit_test(fixed_slots_stay_as_they_are),
		cmocka_unit_test(nobody_connected_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
