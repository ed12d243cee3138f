#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/rng.h"

/* Reference outputs of splitmix64.c for the seed 1234567. */
static void
seeding_gives_the_reference_sequence_of_splitmix64(void **state)
{
	struct bt_rng r;

	(void)state;
	bt_rng_seed(&r, 1234567);
	assert_true(r.s[0] == 6457827717110365317u);
	assert_true(r.s[1] == 3203168211198807973u);
	assert_true(r.s[2] == 9817491932198370423u);
	assert_true(r.s[3] == 4593380528125082431u);
}

/* Reference outputs of xoshiro256starstar.c for the state 1, 2, 3, 4. */
static void
numbers_are_the_reference_sequence_of_xoshiro256(void **state)
{
	const uint64_t want[] = { 11520u, 0u, 1509978240u, 1215971899390074240u,
		1216172134540287360u, 607988272756665600u,
		16172922978634559625u, 8476171486693032832u,
		10595114339597558777u, 2904607092377533576u };
	struct bt_rng r = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_true(bt_rng_u64(&r) == want[i]);
}

static void
the_same_seed_gives_the_same_run(void **state)
{
	struct bt_rng a, b, c;
	uint64_t v;
	int same = 0;

	(void)state;
	bt_rng_seed(&a, 7);
	bt_rng_seed(&b, 7);
	bt_rng_seed(&c, 8);
	for (int i = 0; i < 100; i++) {
		v = bt_rng_u64(&a);
		assert_true(v == bt_rng_u64(&b));
		same += v == bt_rng_u64(&c);
	}
	assert_int_equal(same, 0);
}

/*
 * With n = 3 * 2^30 an unmended modulus would draw the lowest third twice as
 * often as the others, and an unmended product every third number.
 */
static void
numbers_below_a_bound_are_even(void **state)
{
	const uint32_t n = 3u << 30;
	unsigned third[3] = { 0 }, rest[3] = { 0 };
	struct bt_rng r;
	uint32_t v;

	(void)state;
	bt_rng_seed(&r, 1);
	for (int i = 0; i < 30000; i++) {
		v = bt_rng_below(&r, n);
		assert_true(v < n);
		third[v >> 30]++;
		rest[v % 3]++;
	}
	for (int i = 0; i < 3; i++) {
		assert_in_range(third[i], 9600, 10400);
		assert_in_range(rest[i], 9600, 10400);
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(bt_rng_below(&r, 1), 0);
}

static void
filling_writes_every_byte_and_no_other(void **state)
{
	uint8_t p[40], or [40];
	struct bt_rng r;

	(void)state;
	bt_rng_seed(&r, 1);
	for (size_t n = 0; n < 32; n++) {
		memset(or, 0, sizeof(or));
		for (int round = 0; round < 20; round++) {
			memset(p, 0, sizeof(p));
			bt_rng_fill(&r, p, n);
			for (size_t i = 0; i < sizeof(p); i++)
				or [i] |= p[i];
		}
		for (size_t i = 0; i < sizeof(p); i++)
			assert_int_equal(or [i] != 0, i < n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    seeding_gives_the_reference_sequence_of_splitmix64),
		cmocka_unit_test(
		    numbers_are_the_reference_sequence_of_xoshiro256),
		cmocka_unit_test(the_same_seed_gives_the_same_run),
		cmocka_unit_test(numbers_below_a_bound_are_even),
		cmocka_unit_test(filling_writes_every_byte_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
