#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/rng.h"
#include "index.h"

#define MANY 5000u

/* Number i was put under hashes[i]. */
static uint32_t
hash_of(const void *owner, uint32_t number)
{
	return ((const uint32_t *)owner)[number];
}

static bool
finds(const struct bt_index *ix, uint32_t hash, uint32_t number)
{
	uint32_t got, at = 0;

	while ((got = bt_index_next(ix, hash, &at)) != BT_INDEX_NONE)
		if (got == number)
			return true;
	return false;
}

/* Of which few bits differ, so that buckets overflow. */
static void
draw(uint32_t *hashes, uint32_t n, uint32_t mask, struct bt_rng *rng)
{
	for (uint32_t i = 0; i < n; i++)
		hashes[i] = (uint32_t)bt_rng_u64(rng) & mask;
}

static const uint32_t masks[] = { UINT32_MAX, 0xff000000, 0xffff, 0 };

static void
what_was_put_is_found_until_it_is_deleted(void **state)
{
	static uint32_t hashes[MANY];
	struct bt_index ix;
	struct bt_rng rng;

	(void)state;
	bt_rng_seed(&rng, 1);
	for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
		uint32_t n = masks[m] == 0 ? 200 : MANY;

		draw(hashes, n, masks[m], &rng);
		bt_index_init(&ix, n);
		for (uint32_t i = 0; i < n; i++) {
			assert_false(bt_index_is_full(&ix));
			bt_index_put(&ix, hashes[i], i);
		}
		assert_true(bt_index_check(&ix, hash_of, hashes));
		for (uint32_t i = 0; i < n; i++) {
			assert_true(finds(&ix, hashes[i], i));
			bt_index_del(&ix, hashes[i], i, hash_of, hashes);
			assert_false(finds(&ix, hashes[i], i));
			if (i % 50 == 0)
				assert_true(
				    bt_index_check(&ix, hash_of, hashes));
		}
		assert_int_equal(ix.n, 0);
		bt_index_fini(&ix);
	}
}

/* Random puts and deletes at three quarters full, where buckets overflow. */
static void
the_rule_holds_in_any_sequence(void **state)
{
	static uint32_t hashes[MANY];
	static bool in[MANY];
	struct bt_index ix;
	struct bt_rng rng;
	uint32_t i;

	(void)state;
	bt_rng_seed(&rng, 2);
	draw(hashes, MANY, UINT32_MAX, &rng);
	memset(in, 0, sizeof(in));
	bt_index_init(&ix, MANY / 2);
	for (int step = 0; step < 100000; step++) {
		i = bt_rng_below(&rng, MANY);
		if (in[i])
			bt_index_del(&ix, hashes[i], i, hash_of, hashes);
		else if (bt_index_is_full(&ix))
			continue;
		else
			bt_index_put(&ix, hashes[i], i);
		in[i] = !in[i];
		if (step % 1000 == 0)
			assert_true(bt_index_check(&ix, hash_of, hashes));
	}
	for (i = 0; i < MANY; i++)
		assert_int_equal(finds(&ix, hashes[i], i), in[i]);
	bt_index_fini(&ix);
}

static void
another_number_takes_the_place_of_one(void **state)
{
	struct bt_index ix;

	(void)state;
	bt_index_init(&ix, 10);
	bt_index_put(&ix, 77, 3);
	bt_index_set(&ix, 77, 3, 5);
	assert_true(finds(&ix, 77, 5));
	assert_false(finds(&ix, 77, 3));
	bt_index_fini(&ix);
}

/* A slot is four bytes, and at least half of them are used when built. */
static void
it_takes_eight_bytes_a_number_when_built(void **state)
{
	(void)state;
	assert_in_range(bt_index_bytes(1000000), 8000000, 8010000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_until_it_is_deleted),
		cmocka_unit_test(the_rule_holds_in_any_sequence),
		cmocka_unit_test(another_number_takes_the_place_of_one),
		cmocka_unit_test(it_takes_eight_bytes_a_number_when_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
