#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/casefold.h"

static bool
same(const char *a, const char *b)
{
	return bt_casefold_cmp_paths(bt_str_of(a), bt_str_of(b)) == 0;
}

/* Pairs of Unicode's CaseFolding.txt, status C and S. */
static void
letters_of_both_cases_are_one(void **state)
{
	(void)state;
	assert_true(same("AZaz09", "azAZ09"));
	assert_true(same("\xc3\x80\xc3\x9e", "\xc3\xa0\xc3\xbe")); /* À Þ */
	assert_true(same("\xc4\x80", "\xc4\x81"));		   /* Ā */
	assert_true(same("\xce\xa3", "\xcf\x82"));		   /* Σ ς */
	assert_true(same("\xd0\x96", "\xd0\xb6"));		   /* Ж */
	assert_true(same("\xef\xbc\xa1", "\xef\xbd\x81"));	   /* Ａ */
	assert_true(same("\xf0\x90\x90\x80", "\xf0\x90\x90\xa8")); /* 𐐀 */
	assert_true(same("\xe1\xba\x9e", "\xc3\x9f"));		   /* ẞ */
	assert_false(same("\xc4\x80", "\xc4\x82"));		   /* Ā Ă */
	assert_false(same("\xc3\x97", "\xc3\xb7"));		   /* × ÷ */
	assert_false(same("a", "b"));
	assert_false(same("@", "`"));
	assert_false(same("[", "{"));
}

static void
what_is_no_utf8_is_compared_as_bytes(void **state)
{
	(void)state;
	assert_true(same("a\xff", "A\xff"));
	assert_false(same("\xff", "\xfe"));
	assert_false(same("\xc3", "\xe3"));
	assert_false(same("\xed\xa0\x80", "\xed\xa0\x81"));
	assert_false(same("\xc0\x80", "\xc0\x81"));
}

static void
a_folder_is_followed_by_what_is_in_it(void **state)
{
	struct bt_str a = STR("A"), in = STR("a/b"), dot = STR("a.b");

	(void)state;
	assert_true(bt_casefold_cmp_paths(a, in) < 0);
	assert_true(bt_casefold_cmp_paths(in, dot) < 0);
	assert_true(bt_casefold_cmp_paths(dot, a) > 0);
	assert_true(bt_casefold_cmp_paths(STR(""), a) < 0);
}

/* Folding twice changes nothing, whatever the character. */
static void
what_is_folded_stays(void **state)
{
	uint8_t b[4];
	uint32_t c, f, again;
	size_t n, at;

	(void)state;
	for (c = 0x80; c < 0x110000; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		f = c;
		for (int turn = 0; turn < 2; turn++) {
			n = f < 0x80 ? 1 : f < 0x800 ? 2 : f < 0x10000 ? 3 : 4;
			for (size_t i = n; i-- > 1;)
				b[i] = (uint8_t)(0x80 |
						 ((f >> 6 * (n - 1 - i)) & 63));
			b[0] = (uint8_t)(n == 1	  ? f
					 : n == 2 ? 0xc0 | f >> 6
					 : n == 3 ? 0xe0 | f >> 12
						  : 0xf0 | f >> 18);
			at = 0;
			again = bt_casefold_next((struct bt_str){ b, n }, &at);
			assert_int_equal(at, n);
			if (turn == 1)
				assert_int_equal(again, f);
			f = again;
		}
	}
}

/* The order from code point to code point, from the first on. */
static int
order_of(struct bt_str a, struct bt_str b)
{
	size_t i = 0, k = 0;
	uint32_t x, y;

	while (i < a.n && k < b.n) {
		x = bt_casefold_next(a, &i);
		y = bt_casefold_next(b, &k);
		if (x != y && (x == '/' || y == '/'))
			return x == '/' ? -1 : 1;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (i < a.n) - (k < b.n);
}

static void
what_is_alike_at_the_beginning_does_not_count(void **state)
{
	/* letters, and parts of longer code points, whole and torn */
	static const char bytes[] = "aA/\xc3\x89\xa9\xe2\x82\xac\xf0\x9f\xff";
	uint8_t a[40], b[40];
	uint32_t r = 1;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		size_t shared = round % 36;
		struct bt_str x = { a, 36 + round % 5 };
		struct bt_str y = { b, 36 + round % 3 };

		for (size_t i = 0; i < sizeof(a); i++) {
			r = r * 1664525 + 1013904223;
			a[i] = (uint8_t)bytes[(r >> 8) % (sizeof(bytes) - 1)];
			b[i] = (uint8_t)bytes[(r >> 16) % (sizeof(bytes) - 1)];
			if (i < shared)
				b[i] = a[i];
		}
		assert_int_equal(bt_casefold_cmp_paths(x, y), order_of(x, y));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_of_both_cases_are_one),
		cmocka_unit_test(what_is_no_utf8_is_compared_as_bytes),
		cmocka_unit_test(a_folder_is_followed_by_what_is_in_it),
		cmocka_unit_test(what_is_folded_stays),
		cmocka_unit_test(what_is_alike_at_the_beginning_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
