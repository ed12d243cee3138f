#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "core/ranks.h"

#define IDS 40u

/* A rank's ids as a sum of powers of two: any order will do. */
static uint64_t
members(const struct bt_ranks *r, uint32_t rank)
{
	uint32_t from, to;
	uint64_t set = 0;

	bt_ranks_span(r, rank, &from, &to);
	for (uint32_t i = from; i < to; i++)
		set |= UINT64_C(1) << r->order[i];
	return set;
}

static void
ids_of_a_rank_lie_together(void **state)
{
	struct bt_ranks r;

	(void)state;
	bt_ranks_init(&r, 6);
	for (uint32_t id = 0; id < 6; id++) {
		bt_ranks_set(&r, id, id % 3);
		bt_ranks_add(&r, id);
	}
	assert_int_equal(members(&r, 0), 1 << 0 | 1 << 3);
	assert_int_equal(members(&r, 1), 1 << 1 | 1 << 4);
	assert_int_equal(members(&r, 2), 1 << 2 | 1 << 5);
	bt_ranks_up(&r, 5);
	bt_ranks_down(&r, 1);
	bt_ranks_drop(&r, 0);
	assert_int_equal(members(&r, 0), 1 << 1 | 1 << 3);
	assert_int_equal(members(&r, 1), 1 << 4);
	assert_int_equal(members(&r, 2), 1 << 2);
	assert_int_equal(members(&r, 3), 1 << 5);
	assert_true(bt_ranks_check(&r));
	bt_ranks_fini(&r);
}

static void
an_absent_id_keeps_its_rank_and_may_change_it(void **state)
{
	struct bt_ranks r;

	(void)state;
	bt_ranks_init(&r, 3);
	bt_ranks_up(&r, 1);
	bt_ranks_up(&r, 1);
	bt_ranks_down(&r, 1);
	bt_ranks_add(&r, 1);
	bt_ranks_add(&r, 2);
	assert_int_equal(members(&r, 1), 1 << 1);
	bt_ranks_drop(&r, 1);
	assert_int_equal(r.rank[1], 1);
	assert_int_equal(r.n, 1);
	bt_ranks_fini(&r);
}

static void
all_go_down_together(void **state)
{
	struct bt_ranks r;

	(void)state;
	bt_ranks_init(&r, 3);
	for (uint32_t id = 0; id < 3; id++)
		bt_ranks_set(&r, id, id + 1);
	bt_ranks_add(&r, 0);
	bt_ranks_add(&r, 2);
	bt_ranks_all_down(&r);
	assert_true(bt_ranks_check(&r));
	assert_int_equal(members(&r, 0), 1 << 0);
	assert_int_equal(members(&r, 2), 1 << 2);
	assert_int_equal(r.rank[1], 1);
	bt_ranks_fini(&r);
}

static void
ids_are_kept_when_there_come_to_be_more(void **state)
{
	struct bt_ranks r;

	(void)state;
	bt_ranks_init(&r, 0);
	for (uint32_t id = 0; id < IDS; id++) {
		bt_ranks_grow(&r, id + 1);
		bt_ranks_set(&r, id, (id * 7) % 5);
		bt_ranks_add(&r, id);
		assert_true(bt_ranks_check(&r));
	}
	for (uint32_t id = 0; id < IDS; id++)
		assert_true(members(&r, (id * 7) % 5) >> id & 1);
	bt_ranks_fini(&r);
}

static void
whatever_happens_the_order_agrees_with_a_plain_array(void **state)
{
	uint32_t rank[IDS] = { 0 }, id;
	bool present[IDS] = { false };
	struct bt_ranks r;
	struct bt_rng rng;
	uint64_t set;

	(void)state;
	bt_rng_seed(&rng, 11);
	bt_ranks_init(&r, IDS);
	for (int step = 0; step < 20000; step++) {
		id = bt_rng_below(&rng, IDS);
		switch (bt_rng_below(&rng, 4)) {
		case 0:
			if (present[id])
				bt_ranks_drop(&r, id);
			else
				bt_ranks_add(&r, id);
			present[id] = !present[id];
			break;
		case 1:
			if (rank[id] > 0) {
				bt_ranks_down(&r, id);
				rank[id]--;
				break;
			}
			/* FALLTHROUGH */
		default:
			if (rank[id] == 12)
				break;
			bt_ranks_up(&r, id);
			rank[id]++;
		}
		assert_true(bt_ranks_check(&r));
		for (uint32_t k = 0; k <= r.top; k++) {
			set = 0;
			for (uint32_t i = 0; i < IDS; i++)
				if (present[i] && rank[i] == k)
					set |= UINT64_C(1) << i;
			assert_int_equal(members(&r, k), set);
		}
	}
	bt_ranks_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_of_a_rank_lie_together),
		cmocka_unit_test(an_absent_id_keeps_its_rank_and_may_change_it),
		cmocka_unit_test(all_go_down_together),
		cmocka_unit_test(ids_are_kept_when_there_come_to_be_more),
		cmocka_unit_test(
		    whatever_happens_the_order_agrees_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
