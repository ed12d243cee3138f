#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "core/rivals.h"

#define PEERS 8u
#define PIECES 4000u

/* Rivals of each: all the others. */
static void
make(struct bt_rivals r[PEERS], uint64_t seed)
{
	struct bt_rng rng;
	uint64_t id[PEERS], others[PEERS];

	bt_rng_seed(&rng, seed);
	for (uint32_t i = 0; i < PEERS; i++)
		id[i] = bt_rng_u64(&rng);
	for (uint32_t i = 0; i < PEERS; i++) {
		uint32_t n = 0;

		for (uint32_t j = 0; j < PEERS; j++)
			if (j != i)
				others[n++] = id[j];
		bt_rivals_set(&r[i], id[i], others, n);
	}
}

static void
each_piece_is_claimed_by_exactly_one_of_those_who_know_each_other(void **state)
{
	struct bt_rivals r[PEERS];
	uint32_t owners;

	(void)state;
	make(r, 1);
	for (uint32_t piece = 0; piece < PIECES; piece++) {
		owners = 0;
		for (uint32_t i = 0; i < PEERS; i++)
			owners += bt_rivals_is_ours(&r[i], piece);
		assert_int_equal(owners, 1);
	}
}

/* Binomial: 500 expected, deviation 21; six of them are 126. */
static void
claims_are_shared_evenly(void **state)
{
	struct bt_rivals r[PEERS];
	uint32_t owned;

	(void)state;
	make(r, 2);
	for (uint32_t i = 0; i < PEERS; i++) {
		owned = 0;
		for (uint32_t piece = 0; piece < PIECES; piece++)
			owned += bt_rivals_is_ours(&r[i], piece);
		assert_in_range(owned, 500 - 126, 500 + 126);
	}
}

static void
without_rivals_everything_is_ours(void **state)
{
	struct bt_rivals r = { .n = 0 };

	(void)state;
	for (uint32_t piece = 0; piece < 100; piece++)
		assert_true(bt_rivals_is_ours(&r, piece));
}

static void
more_rivals_than_are_looked_at_are_no_harm(void **state)
{
	uint64_t ids[BT_RIVALS_MAX + 10] = { 0 };
	struct bt_rivals r;

	(void)state;
	bt_rivals_set(&r, 1, ids, BT_RIVALS_MAX + 10);
	assert_int_equal(r.n, BT_RIVALS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    each_piece_is_claimed_by_exactly_one_of_those_who_know_each_other),
		cmocka_unit_test(claims_are_shared_evenly),
		cmocka_unit_test(without_rivals_everything_is_ours),
		cmocka_unit_test(more_rivals_than_are_looked_at_are_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
