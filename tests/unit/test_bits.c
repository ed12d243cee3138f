#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/bits.h"
#include "base/rng.h"

static const uint32_t sizes[] = { 0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 130,
	1000 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* BEP 3: "The high bit in the first byte corresponds to piece index 0." */
static void
bit_0_is_the_high_bit_of_the_first_byte(void **state)
{
	struct bt_bits b;

	(void)state;
	bt_bits_init(&b, 10);
	assert_true(bt_bits_put(&b, 0));
	assert_true(bt_bits_put(&b, 9));
	assert_int_equal(bt_bits_str(&b).n, 2);
	assert_memory_equal(bt_bits_str(&b).p, "\x80\x40", 2);
	bt_bits_fini(&b);
}

static void
putting_and_dropping_tell_whether_it_changed(void **state)
{
	struct bt_bits b;

	(void)state;
	bt_bits_init(&b, 100);
	assert_true(bt_bits_put(&b, 77));
	assert_false(bt_bits_put(&b, 77));
	assert_int_equal(b.set, 1);
	assert_true(bt_bits_has(&b, 77));
	assert_false(bt_bits_has(&b, 76));
	assert_true(bt_bits_drop(&b, 77));
	assert_false(bt_bits_drop(&b, 77));
	assert_int_equal(b.set, 0);
	bt_bits_fini(&b);
}

static void
filling_leaves_the_spare_bits_zero(void **state)
{
	struct bt_bits b;
	struct bt_str s;

	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		bt_bits_init(&b, sizes[i]);
		bt_bits_fill(&b, true);
		s = bt_bits_str(&b);
		assert_true(bt_bits_is_full(&b));
		assert_int_equal(b.set, sizes[i]);
		assert_int_equal(s.n, (sizes[i] + 7) / 8);
		if (sizes[i] % 8 != 0)
			assert_int_equal(
			    s.p[s.n - 1], (0xff00 >> sizes[i] % 8) & 0xff);
		assert_int_equal(bt_bits_next_clear(&b, 0), sizes[i]);
		bt_bits_fill(&b, false);
		assert_int_equal(b.set, 0);
		assert_int_equal(bt_bits_next(&b, 0), sizes[i]);
		bt_bits_fini(&b);
	}
}

static void
a_bitfield_of_another_length_changes_nothing(void **state)
{
	struct bt_bits b;

	(void)state;
	bt_bits_init(&b, 12);
	bt_bits_put(&b, 3);
	assert_int_equal(bt_bits_load(&b, STR("\xff")), -1);
	assert_int_equal(bt_bits_load(&b, STR("\xff\xf0\0")), -1);
	assert_int_equal(bt_bits_load(&b, STR("")), -1);
	assert_int_equal(b.set, 1);
	assert_memory_equal(bt_bits_str(&b).p, "\x10\0", 2);
	bt_bits_fini(&b);
}

static void
a_bitfield_with_a_spare_bit_set_changes_nothing(void **state)
{
	struct bt_bits b;

	(void)state;
	bt_bits_init(&b, 12);
	bt_bits_put(&b, 3);
	for (int bit = 0; bit < 4; bit++) {
		uint8_t wire[2] = { 0, (uint8_t)(1 << bit) };

		assert_int_equal(
		    bt_bits_load(&b, (struct bt_str){ wire, 2 }), -1);
		assert_memory_equal(bt_bits_str(&b).p, "\x10\0", 2);
	}
	assert_int_equal(bt_bits_load(&b, STR("\xff\xf0")), 0);
	assert_true(bt_bits_is_full(&b));
	bt_bits_fini(&b);
}

/* Each from and to, against bits that are looked at one by one. */
static void
a_search_has_an_end(void **state)
{
	struct bt_rng rng;
	struct bt_bits b;
	uint32_t set, clear;

	(void)state;
	bt_rng_seed(&rng, 3);
	for (unsigned k = 0; k < 20; k++) {
		bt_bits_init(&b, 140);
		for (unsigned i = 0; i < k * 10; i++)
			bt_bits_put(&b, bt_rng_below(&rng, 140));
		for (uint32_t to = 0; to <= 140; to++) {
			set = clear = to;
			for (uint32_t from = to; from-- > 0;) {
				if (bt_bits_has(&b, from))
					set = from;
				else
					clear = from;
				assert_int_equal(
				    bt_bits_next_until(&b, from, to), set);
				assert_int_equal(
				    bt_bits_next_clear_until(&b, from, to),
				    clear);
			}
			assert_int_equal(bt_bits_next_until(&b, to, to), to);
		}
		bt_bits_fini(&b);
	}
}

static void
an_empty_set_is_full_and_has_no_bytes(void **state)
{
	struct bt_bits b, c;

	(void)state;
	bt_bits_init(&b, 0);
	bt_bits_init(&c, 0);
	assert_true(bt_bits_is_full(&b));
	assert_int_equal(bt_bits_load(&b, STR("")), 0);
	assert_int_equal(bt_bits_next(&b, 0), 0);
	assert_int_equal(bt_bits_next_clear(&b, 0), 0);
	assert_false(bt_bits_any_not_in(&b, &c));
	bt_bits_copy(&b, &c);
	bt_bits_fini(&b);
	bt_bits_fini(&c);
}

static uint32_t
next_by_hand(const bool *v, uint32_t n, uint32_t from, bool want)
{
	while (from < n && v[from] != want)
		from++;
	return from < n ? from : n;
}

static void
random_sets_agree_with_an_array_of_truths(void **state)
{
	bool va[1000], vb[1000], vab[1000], extra;
	struct bt_bits a, b, back;
	struct bt_rng r;
	uint32_t n, set, density;

	(void)state;
	bt_rng_seed(&r, 1);
	for (int round = 0; round < 300; round++) {
		n = sizes[bt_rng_below(&r, SIZES)];
		density = 1 + bt_rng_below(&r, 60);
		bt_bits_init(&a, n);
		bt_bits_init(&b, n);
		bt_bits_init(&back, n);
		set = 0;
		extra = false;
		for (uint32_t i = 0; i < n; i++) {
			va[i] = bt_rng_below(&r, density) == 0;
			vb[i] = va[i] ? bt_rng_below(&r, 200) != 0 : false;
			if (va[i])
				bt_bits_put(&a, i);
			if (vb[i])
				bt_bits_put(&b, i);
			set += va[i];
			extra |= va[i] && !vb[i];
		}
		assert_int_equal(a.set, set);
		assert_int_equal(bt_bits_any_not_in(&a, &b), extra);
		assert_false(bt_bits_any_not_in(&b, &a));
		assert_int_equal(bt_bits_load(&back, bt_bits_str(&a)), 0);
		assert_int_equal(back.set, set);
		bt_bits_copy(&b, &a);
		for (uint32_t i = 0; i <= n; i++) {
			assert_int_equal(
			    bt_bits_next(&b, i), next_by_hand(va, n, i, true));
			assert_int_equal(bt_bits_next_clear(&back, i),
			    next_by_hand(va, n, i, false));
		}
		bt_bits_fill(&b, false);
		for (uint32_t i = 0; i < n; i++) {
			if (vb[i])
				bt_bits_put(&b, i);
			vab[i] = va[i] && vb[i];
		}
		for (uint32_t i = 0; i <= n; i++) {
			assert_int_equal(bt_bits_next_common(&a, &b, NULL, i),
			    next_by_hand(vab, n, i, true));
			assert_int_equal(bt_bits_next_common(&a, &back, &b, i),
			    next_by_hand(vab, n, i, true));
		}
		bt_bits_fini(&a);
		bt_bits_fini(&b);
		bt_bits_fini(&back);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bit_0_is_the_high_bit_of_the_first_byte),
		cmocka_unit_test(putting_and_dropping_tell_whether_it_changed),
		cmocka_unit_test(filling_leaves_the_spare_bits_zero),
		cmocka_unit_test(a_bitfield_of_another_length_changes_nothing),
		cmocka_unit_test(
		    a_bitfield_with_a_spare_bit_set_changes_nothing),
		cmocka_unit_test(a_search_has_an_end),
		cmocka_unit_test(an_empty_set_is_full_and_has_no_bytes),
		cmocka_unit_test(random_sets_agree_with_an_array_of_truths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
