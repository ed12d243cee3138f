#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static struct bt_str
bytes(const void *p, size_t n)
{
	return (struct bt_str){ p, n };
}

static void
a_part_of_a_part_views_the_same_bytes(void **state)
{
	struct bt_str s = STR("abcdef"), part;

	(void)state;
	part = bt_str_sub(bt_str_sub(s, 1, 5), 1, 3);
	assert_int_equal(part.n, 2);
	assert_ptr_equal(part.p, s.p + 2);
	assert_int_equal(bt_str_sub(s, 6, 6).n, 0);
	assert_int_equal(bt_str_sub(bytes(NULL, 0), 0, 0).n, 0);
}

static void
strings_are_ordered_as_bytes_and_then_by_length(void **state)
{
	const struct bt_str order[] = { STR(""), STR("a"), STR("a\0"),
		STR("a\0b"), STR("ab"), STR("b"), STR("\x7f"), STR("\xff") };
	const int n = sizeof(order) / sizeof(order[0]);
	int c;

	(void)state;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			c = bt_str_cmp(order[i], order[j]);
			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
			assert_int_equal(bt_str_eq(order[i], order[j]), i == j);
		}
	assert_true(bt_str_eq(bytes(NULL, 0), STR("")));
}

static void
every_string_starts_with_nothing_and_with_itself(void **state)
{
	(void)state;
	assert_true(bt_str_starts(STR("abc"), STR("")));
	assert_true(bt_str_starts(bytes(NULL, 0), bytes(NULL, 0)));
	assert_true(bt_str_starts(STR("abc"), STR("abc")));
	assert_false(bt_str_starts(STR("ab"), STR("abc")));
	assert_false(bt_str_starts(STR("abd"), STR("abc")));
}

static void
find_gives_the_first_place_or_the_length(void **state)
{
	(void)state;
	assert_int_equal(bt_str_find(STR("a/b/c"), '/'), 1);
	assert_int_equal(bt_str_find(STR("a\0b"), '\0'), 1);
	assert_int_equal(bt_str_find(STR("abc"), '/'), 3);
	assert_int_equal(bt_str_find(bytes(NULL, 0), '/'), 0);
}

/*
 * The Unicode standard has 1920 characters of two bytes, 61440 of three (the
 * 2048 surrogates left out) and 1048576 of four. Counting which of all byte
 * strings are accepted finds any that is wrongly let in or kept out.
 */
static void
utf8_has_exactly_the_characters_of_unicode(void **state)
{
	unsigned two = 0, three = 0, four = 0;
	uint8_t p[4];

	(void)state;
	for (unsigned a = 0x80; a < 0x100; a++)
		for (unsigned b = 0; b < 0x100; b++) {
			p[0] = (uint8_t)a;
			p[1] = (uint8_t)b;
			two += bt_str_is_utf8(bytes(p, 2));
			if (a < 0xe0)
				continue;
			for (unsigned c = 0; c < 0x100; c++) {
				p[2] = (uint8_t)c;
				three += bt_str_is_utf8(bytes(p, 3));
				for (unsigned d = 0x7f; d < 0xc1; d++) {
					p[3] = (uint8_t)d;
					if (a < 0xf0 || (c - 0x70) > 0x60)
						continue;
					four += bt_str_is_utf8(bytes(p, 4));
				}
			}
		}
	assert_int_equal(two, 1920);
	assert_int_equal(three, 61440);
	assert_int_equal(four, 1048576);
}

static void
utf8_that_is_cut_is_not_utf8(void **state)
{
	struct bt_str s = STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5");
	const char whole[] = "11010010001";

	(void)state;
	for (size_t n = 0; n <= s.n; n++)
		assert_int_equal(
		    bt_str_is_utf8(bt_str_sub(s, 0, n)), whole[n] == '1');
}

static void
control_bytes_and_broken_utf8_become_hexadecimal(void **state)
{
	char out[64];

	(void)state;
	bt_str_printable(STR("a\x1b[2J\n\x7f\0b"), out, sizeof(out));
	assert_string_equal(out, "a\\x1b[2J\\x0a\\x7f\\x00b");
	bt_str_printable(STR("\xc3\xa9\xe9 \xc2\x9b!"), out, sizeof(out));
	assert_string_equal(out, "\xc3\xa9\\xe9 \\xc2\\x9b!");
	assert_int_equal(bt_str_printable(STR(""), out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

static void
printable_text_is_cut_between_characters(void **state)
{
	const struct {
		size_t max;
		const char *text;
	} cuts[] = { { 1, "" }, { 2, "a" }, { 3, "a" }, { 4, "a\xc3\xa9" },
		{ 7, "a\xc3\xa9" }, { 8, "a\xc3\xa9\\x00" },
		{ 9, "a\xc3\xa9\\x00z" } };
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		memset(out, '#', sizeof(out));
		assert_int_equal(
		    bt_str_printable(STR("a\xc3\xa9\0z"), out, cuts[i].max),
		    strlen(cuts[i].text));
		assert_string_equal(out, cuts[i].text);
		assert_int_equal(out[cuts[i].max], '#');
	}
}

static void
a_duplicate_ends_in_nul(void **state)
{
	char *s = bt_str_dup(bt_str_sub(STR("spammer"), 0, 4));

	(void)state;
	assert_string_equal(s, "spam");
	bt_mem_free(s);
	s = bt_str_dup(bytes(NULL, 0));
	assert_string_equal(s, "");
	bt_mem_free(s);
}

static void
decimals_are_read_up_to_64_bits_and_no_further(void **state)
{
	uint64_t v = 42;

	(void)state;
	assert_int_equal(bt_str_u64(STR("18446744073709551615"), &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(bt_str_u64(STR("00000000000000000007"), &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(bt_str_u64(STR("18446744073709551616"), &v), -1);
	assert_int_equal(bt_str_u64(STR("99999999999999999999"), &v), -1);
	assert_int_equal(bt_str_u64(STR("000000000000000000001"), &v), -1);
	assert_int_equal(bt_str_u64(STR(""), &v), -1);
	assert_int_equal(bt_str_u64(STR("-1"), &v), -1);
	assert_int_equal(bt_str_u64(STR("+1"), &v), -1);
	assert_int_equal(bt_str_u64(STR("1 "), &v), -1);
	assert_int_equal(bt_str_u64(STR("1:"), &v), -1);
	assert_int_equal(v, 7);
}

static void
hexadecimal_comes_back_in_either_case(void **state)
{
	uint8_t all[256], back[256];
	char hex[513];

	(void)state;
	for (size_t i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	bt_str_hex(bytes(all, 256), hex);
	assert_memory_equal(hex, "000102030405060708090a0b", 24);
	assert_int_equal(strlen(hex), 512);
	assert_int_equal(bt_str_unhex(bytes(hex, 512), back, 256), 0);
	assert_memory_equal(back, all, 256);
	assert_int_equal(bt_str_unhex(STR("aBCdeF"), back, 3), 0);
	assert_memory_equal(back, "\xab\xcd\xef", 3);
}

static void
hexadecimal_of_another_length_or_with_other_characters_is_refused(void **state)
{
	uint8_t out[4];

	(void)state;
	assert_int_equal(bt_str_unhex(STR("abc"), out, 1), -1);
	assert_int_equal(bt_str_unhex(STR("abcd"), out, 1), -1);
	assert_int_equal(bt_str_unhex(STR("ab"), out, 2), -1);
	assert_int_equal(bt_str_unhex(STR("0g"), out, 1), -1);
	assert_int_equal(bt_str_unhex(STR("/0"), out, 1), -1);
	assert_int_equal(bt_str_unhex(STR(":0"), out, 1), -1);
	assert_int_equal(bt_str_unhex(STR("@0"), out, 1), -1);
	assert_int_equal(bt_str_unhex(STR("`0"), out, 1), -1);
	assert_int_equal(bt_str_unhex(STR(""), out, 0), 0);
}

static void
spaces_and_tabs_are_trimmed_at_both_ends_alone(void **state)
{
	(void)state;
	assert_true(bt_str_eq(bt_str_trim(STR(" \t a b\t ")), STR("a b")));
	assert_true(bt_str_eq(bt_str_trim(STR("a\n")), STR("a\n")));
	assert_int_equal(bt_str_trim(STR(" \t ")).n, 0);
	assert_int_equal(bt_str_trim(STR("")).n, 0);
}

static void
expect_folder(const char *path, const char *folder, const char *leaf)
{
	char *got = bt_str_folder(path);

	assert_string_equal(got, folder);
	assert_string_equal(bt_str_leaf(path), leaf);
	bt_mem_free(got);
}

static void
a_path_is_a_leaf_in_a_folder(void **state)
{
	(void)state;
	expect_folder("a/b/c", "a/b", "c");
	expect_folder("/a", "/", "a");
	expect_folder("a", ".", "a");
	expect_folder("a/", "a", "");
	expect_folder("", ".", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    spaces_and_tabs_are_trimmed_at_both_ends_alone),
		cmocka_unit_test(a_part_of_a_part_views_the_same_bytes),
		cmocka_unit_test(
		    strings_are_ordered_as_bytes_and_then_by_length),
		cmocka_unit_test(
		    every_string_starts_with_nothing_and_with_itself),
		cmocka_unit_test(find_gives_the_first_place_or_the_length),
		cmocka_unit_test(utf8_has_exactly_the_characters_of_unicode),
		cmocka_unit_test(utf8_that_is_cut_is_not_utf8),
		cmocka_unit_test(
		    control_bytes_and_broken_utf8_become_hexadecimal),
		cmocka_unit_test(printable_text_is_cut_between_characters),
		cmocka_unit_test(a_duplicate_ends_in_nul),
		cmocka_unit_test(
		    decimals_are_read_up_to_64_bits_and_no_further),
		cmocka_unit_test(hexadecimal_comes_back_in_either_case),
		cmocka_unit_test(
		    hexadecimal_of_another_length_or_with_other_characters_is_refused),
		cmocka_unit_test(a_path_is_a_leaf_in_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
