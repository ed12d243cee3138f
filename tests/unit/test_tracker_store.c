#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "store_rig.h"

static void
a_peer_is_in_a_swarm_once(void **state)
{
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	join(&f, 'a', false);
	assert_counts(&f, 0, 1, 0);
	assert_int_equal(ask(&f, who6('a', BT_EVENT_STARTED, false)), 0);
	assert_counts(&f, 0, 2, 0); /* another family is another peer */
	assert_int_equal(ask(&f, who('a', BT_EVENT_NONE, true)), 0);
	assert_counts(&f, 1, 1, 0);
	assert_string_equal(all(&f, s), "aA");
	end(&f);
}

static void
the_counts_include_the_asker_and_are_those_of_the_scrape(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	join(&f, 'b', true);
	join(&f, 'c', true);
	assert_int_equal(f.got.complete, 2);
	assert_int_equal(f.got.incomplete, 1);
	assert_counts(&f, 2, 1, 0);
	end(&f);
}

static void
a_scrape_of_an_unknown_swarm_is_zeros(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10);
	assert_counts(&f, 0, 0, 0);
	assert_int_equal(f.limits.swarms, 0);
	end(&f);
}

static void
stopped_removes_the_peer_and_is_told_of_nobody(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	join(&f, 'b', false);
	assert_int_equal(ask(&f, who('a', BT_EVENT_STOPPED, false)), 0);
	assert_int_equal(f.got.n[0] + f.got.n[1], 0);
	assert_int_equal(f.got.incomplete, 1);
	assert_counts(&f, 0, 1, 0);
	end(&f);
}

static void
stopped_makes_no_swarm(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10);
	assert_int_equal(ask(&f, who('a', BT_EVENT_STOPPED, false)), 0);
	assert_int_equal(f.limits.swarms, 0);
	assert_int_equal(bt_store_swarms(f.store), 0);
	end(&f);
}

static void
the_same_id_and_key_from_another_address_has_moved(void **state)
{
	struct bt_store_ask q = who('m', BT_EVENT_NONE, false);
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	join(&f, 'b', false);
	memset(q.peer_id, 'a', 20);
	q.key = 'a';
	assert_int_equal(ask(&f, q), 0);
	assert_string_equal(told(&f, s), "b");
	assert_string_equal(all(&f, s), "bm");
	end(&f);
}

/* Either alone is no proof: ids are known to the swarm, keys may be equal. */
static void
an_id_or_a_key_alone_moves_nobody(void **state)
{
	struct bt_store_ask q;
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	q = who('m', BT_EVENT_NONE, false);
	memset(q.peer_id, 'a', 20);
	assert_int_equal(ask(&f, q), 0);
	q = who('n', BT_EVENT_NONE, false);
	q.key = 'a';
	assert_int_equal(ask(&f, q), 0);
	assert_string_equal(all(&f, s), "amn");
	end(&f);
}

static void
a_key_of_zero_is_no_key(void **state)
{
	struct bt_store_ask q;
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	q = who('a', BT_EVENT_STARTED, false);
	q.key = 0;
	assert_int_equal(ask(&f, q), 0);
	q = who('m', BT_EVENT_STARTED, false);
	memset(q.peer_id, 'a', 20);
	q.key = 0;
	assert_int_equal(ask(&f, q), 0);
	assert_string_equal(all(&f, s), "am");
	end(&f);
}

static void
moving_to_an_address_that_is_taken_leaves_one_peer_there(void **state)
{
	struct bt_store_ask q = who('b', BT_EVENT_STARTED, false);
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	join(&f, 'b', false);
	memset(q.peer_id, 'a', 20);
	q.key = 'a';
	assert_int_equal(ask(&f, q), 0);
	assert_string_equal(all(&f, s), "b");
	assert_int_equal(f.limits.peers, 1);
	end(&f);
}

static void
nobody_else_can_remove_a_peer(void **state)
{
	struct bt_store_ask q = who('m', BT_EVENT_STOPPED, false);
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	memset(q.peer_id, 'a', 20); /* its id, but not its key */
	assert_int_equal(ask(&f, q), 0);
	q.key = 0;
	assert_int_equal(ask(&f, q), 0);
	q.peer.port = 'a'; /* its port, but not its address */
	assert_int_equal(ask(&f, q), 0);
	assert_string_equal(all(&f, s), "a");
	q = who('m', BT_EVENT_STOPPED, false);
	memset(q.peer_id, 'a', 20);
	q.key = 'a'; /* the peer itself, elsewhere */
	assert_int_equal(ask(&f, q), 0);
	assert_string_equal(all(&f, s), "");
	end(&f);
}

static void
stopped_without_a_key_removes_the_addresss_own_peer(void **state)
{
	struct bt_store_ask q = who('a', BT_EVENT_STOPPED, false);
	struct fixture f;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	q.key = 0;
	assert_int_equal(ask(&f, q), 0);
	assert_counts(&f, 0, 0, 0);
	end(&f);
}

static void
another_program_at_its_address_does_not_undo_a_seeder(void **state)
{
	struct bt_store_ask q = who('a', BT_EVENT_NONE, false);
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', true);
	join(&f, 'b', false);
	q.key = 77;
	assert_int_equal(ask(&f, q), 0);
	assert_true(f.got.outdone);
	assert_string_equal(told(&f, s), "ab");
	assert_counts(&f, 1, 1, 0);
	q.event = BT_EVENT_STOPPED;
	assert_int_equal(ask(&f, q), 0);
	assert_false(f.got.outdone);
	assert_counts(&f, 1, 1, 0);
	end(&f);
}

/* Began anew under another key, it is a leecher again when it says so. */
static void
started_replaces_whoever_was_at_the_address(void **state)
{
	struct bt_store_ask q = who('a', BT_EVENT_STARTED, false);
	struct fixture f;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', true);
	q.key = 77;
	assert_int_equal(ask(&f, q), 0);
	assert_counts(&f, 0, 1, 0);
	q.event = BT_EVENT_STOPPED;
	assert_int_equal(ask(&f, q), 0);
	assert_counts(&f, 0, 0, 0);
	end(&f);
}

static void
seeders_are_told_of_leechers_only(void **state)
{
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', true);
	join(&f, 'b', false);
	join(&f, 'c', true);
	assert_string_equal(told(&f, s), "b");
	join(&f, 'd', false);
	assert_string_equal(told(&f, s), "abc");
	end(&f);
}

static void
nobody_is_told_of_itself(void **state)
{
	struct fixture f;
	char s[402];

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	assert_string_equal(told(&f, s), "");
	join(&f, 'b', false);
	for (int i = 0; i < 50; i++) {
		join(&f, 'a', false);
		assert_string_equal(told(&f, s), "b");
	}
	end(&f);
}

static void
the_own_family_comes_first_and_the_other_fills_up(void **state)
{
	struct bt_store_ask q;
	struct fixture f;

	(void)state;
	begin(&f, 10);
	for (char c = 'a'; c < 'h'; c++) {
		join(&f, c, false);
		assert_int_equal(ask(&f, who6(c, BT_EVENT_STARTED, false)), 0);
	}
	q = who('z', BT_EVENT_NONE, false);
	q.want = 10;
	assert_int_equal(ask(&f, q), 0);
	assert_int_equal(f.got.n[0], 7);
	assert_int_equal(f.got.n[1], 3);
	q = who6('z', BT_EVENT_NONE, false);
	q.want = 10;
	assert_int_equal(ask(&f, q), 0);
	assert_int_equal(f.got.n[0], 3);
	assert_int_equal(f.got.n[1], 7);
	q.both = false;
	assert_int_equal(ask(&f, q), 0);
	assert_int_equal(f.got.n[0], 0);
	assert_int_equal(f.got.n[1], 7);
	q.want = 0;
	assert_int_equal(ask(&f, q), 0);
	assert_int_equal(f.got.n[0] + f.got.n[1], 0);
	end(&f);
}

/*
 * 20 leechers and 10 seeders: of 3 wished for, each of the 29 others is one
 * in 10.34 % of 30,000 answers: 3,103, give or take 5 standard deviations
 * (52.8). The seed is fixed.
 */
static void
each_of_the_others_is_chosen_equally_often(void **state)
{
	struct bt_store_ask q;
	struct fixture f;
	uint32_t times[256] = { 0 };

	(void)state;
	begin(&f, 10);
	for (int i = 0; i < 30; i++)
		join(&f, (char)('A' + i), i >= 20);
	q = who('A', BT_EVENT_NONE, false);
	q.want = 3;
	for (int i = 0; i < 30000; i++) {
		assert_int_equal(ask(&f, q), 0);
		assert_int_equal(f.got.n[0], 3);
		for (int k = 0; k < 3; k++)
			times[f.room4[6 * k + 3]]++;
	}
	assert_int_equal(times['A'], 0);
	for (int i = 1; i < 30; i++)
		assert_in_range(times['A' + i], 3103 - 264, 3103 + 264);
	end(&f);
}

static void
completed_counts_once_for_one_who_was_a_leecher(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	assert_int_equal(ask(&f, who('a', BT_EVENT_COMPLETED, false)), 0);
	assert_counts(&f, 0, 1, 0); /* it says itself that it is not */
	assert_int_equal(ask(&f, who('a', BT_EVENT_COMPLETED, true)), 0);
	assert_counts(&f, 1, 0, 1);
	assert_int_equal(ask(&f, who('a', BT_EVENT_COMPLETED, true)), 0);
	assert_counts(&f, 1, 0, 1);
	assert_int_equal(ask(&f, who('b', BT_EVENT_COMPLETED, true)), 0);
	assert_counts(&f, 2, 0, 1); /* was never a leecher here */
	end(&f);
}

static void
one_who_is_paused_is_no_downloader(void **state)
{
	struct bt_scrape_row row;
	struct fixture f;

	(void)state;
	begin(&f, 10);
	memset(row.info_hash, 1, 20);
	join(&f, 'a', false);
	join(&f, 'b', true);
	assert_int_equal(ask(&f, who('c', BT_EVENT_PAUSED, false)), 0);
	assert_int_equal(ask(&f, who('b', BT_EVENT_PAUSED, true)), 0);
	bt_store_scrape(f.store, &row);
	assert_int_equal(row.complete, 1);
	assert_int_equal(row.incomplete, 2);
	assert_int_equal(row.downloaders, 1);
	assert_int_equal(f.got.downloaders, 1);
	assert_int_equal(ask(&f, who('c', BT_EVENT_NONE, false)), 0);
	assert_int_equal(f.got.downloaders, 2);
	assert_int_equal(ask(&f, who('c', BT_EVENT_PAUSED, false)), 0);
	assert_int_equal(ask(&f, who('c', BT_EVENT_STOPPED, false)), 0);
	bt_store_scrape(f.store, &row);
	assert_int_equal(row.downloaders, 1);
	end(&f);
}

/*
 * The account is what is asserted: a peer of a big swarm, with its place in
 * both indices and what is left for growing, and a swarm of one peer.
 */
static void
a_peer_takes_few_bytes(void **state)
{
	struct bt_store_ask q = who('a', BT_EVENT_STARTED, false);
	struct fixture f;
	uint64_t before;

	(void)state;
	begin(&f, 200000);
	q.want = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		bt_put_be32(q.peer.ip, 0x0a000000 | i);
		q.key = i + 1;
		assert_int_equal(ask(&f, q), 0);
		assert_true(f.limits.bytes <= 4000 + 30 * (uint64_t)(i + 1));
	}
	before = f.limits.bytes;
	for (uint32_t i = 0; i < 100000; i++) {
		bt_put_be32(q.info_hash, i);
		assert_int_equal(ask(&f, q), 0);
	}
	assert_true(f.limits.bytes - before <= 125 * UINT64_C(100000));
	end(&f);
}

static void
many_swarms_are_each_their_own(void **state)
{
	struct bt_store_ask q = who('a', BT_EVENT_STARTED, false);
	struct bt_scrape_row row;
	struct fixture f;

	(void)state;
	begin(&f, 100000);
	for (uint32_t i = 0; i < 30000; i++) {
		bt_put_be32(q.info_hash, i);
		q.seeder = i % 2 == 0;
		assert_int_equal(ask(&f, q), 0);
		assert_int_equal(f.got.complete + f.got.incomplete, 1);
	}
	memcpy(row.info_hash, q.info_hash, 20);
	for (uint32_t i = 0; i < 30000; i++) {
		bt_put_be32(row.info_hash, i);
		bt_store_scrape(f.store, &row);
		assert_int_equal(row.complete, i % 2 == 0);
		assert_int_equal(row.incomplete, i % 2);
	}
	end(&f);
}

/* Swarms come and go between the calls; those that stay are met. */
static void
a_look_meets_each_swarm_that_stays(void **state)
{
	struct bt_store_ask q = who('a', BT_EVENT_STARTED, true);
	struct bt_scrape_row rows[7];
	bool met[1000] = { false };
	uint32_t left = UINT32_MAX, more = 1000, number;
	struct fixture f;
	size_t n;

	(void)state;
	begin(&f, 100000);
	for (uint32_t i = 0; i < 1000; i++) {
		f.now_ms++; /* number 0 is the oldest */
		bt_put_be32(q.info_hash, i);
		assert_int_equal(ask(&f, q), 0);
	}
	while ((n = bt_store_look(f.store, &left, rows, 7)) > 0) {
		for (size_t i = 0; i < n; i++) {
			number = bt_be32(rows[i].info_hash);
			assert_int_equal(rows[i].complete, 1);
			assert_int_equal(rows[i].incomplete, 0);
			if (number < 1000)
				met[number] = true;
		}
		assert_true(bt_store_evict(f.store, NULL, UINT64_MAX));
		f.now_ms++;
		bt_put_be32(q.info_hash, more++);
		assert_int_equal(ask(&f, q), 0);
	}
	/* one went for each that came */
	for (uint32_t i = more - 1000; i < 1000; i++)
		assert_true(met[i]);
	end(&f);
}

static void
peers_are_counted_by_family_and_role(void **state)
{
	uint64_t of[2][2] = { { 0 } };
	struct fixture f;

	(void)state;
	begin(&f, 10);
	join(&f, 'a', false);
	join(&f, 'b', false);
	join(&f, 'c', true);
	assert_int_equal(ask(&f, who6('d', BT_EVENT_STARTED, true)), 0);
	assert_int_equal(ask(&f, who('a', BT_EVENT_COMPLETED, true)), 0);
	assert_int_equal(ask(&f, who('b', BT_EVENT_STOPPED, false)), 0);
	bt_store_peers(f.store, of);
	assert_int_equal(of[0][0], 0);
	assert_int_equal(of[0][1], 2);
	assert_int_equal(of[1][0], 0);
	assert_int_equal(of[1][1], 1);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_is_in_a_swarm_once),
		cmocka_unit_test(
		    the_counts_include_the_asker_and_are_those_of_the_scrape),
		cmocka_unit_test(a_scrape_of_an_unknown_swarm_is_zeros),
		cmocka_unit_test(
		    stopped_removes_the_peer_and_is_told_of_nobody),
		cmocka_unit_test(stopped_makes_no_swarm),
		cmocka_unit_test(
		    the_same_id_and_key_from_another_address_has_moved),
		cmocka_unit_test(an_id_or_a_key_alone_moves_nobody),
		cmocka_unit_test(a_key_of_zero_is_no_key),
		cmocka_unit_test(
		    moving_to_an_address_that_is_taken_leaves_one_peer_there),
		cmocka_unit_test(nobody_else_can_remove_a_peer),
		cmocka_unit_test(
		    stopped_without_a_key_removes_the_addresss_own_peer),
		cmocka_unit_test(
		    another_program_at_its_address_does_not_undo_a_seeder),
		cmocka_unit_test(started_replaces_whoever_was_at_the_address),
		cmocka_unit_test(seeders_are_told_of_leechers_only),
		cmocka_unit_test(nobody_is_told_of_itself),
		cmocka_unit_test(
		    the_own_family_comes_first_and_the_other_fills_up),
		cmocka_unit_test(each_of_the_others_is_chosen_equally_often),
		cmocka_unit_test(
		    completed_counts_once_for_one_who_was_a_leecher),
		cmocka_unit_test(one_who_is_paused_is_no_downloader),
		cmocka_unit_test(a_peer_takes_few_bytes),
		cmocka_unit_test(many_swarms_are_each_their_own),
		cmocka_unit_test(a_look_meets_each_swarm_that_stays),
		cmocka_unit_test(peers_are_counted_by_family_and_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
