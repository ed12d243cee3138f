#include "disk/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void
expect_hidden(const char *name, const char *want)
{
	struct bt_layout l = { .info_hash = { 0xab, 0xcd, 0xef, 0x01 } };
	char *got;

	l.name = bt_mem_strdup(name);
	got = bt_names_hidden(&l, NULL, "bt");
	assert_string_equal(got, want);
	bt_mem_free(got);
	bt_mem_free(l.name);
}

static void
a_hidden_name_holds_the_torrent_s_and_its_hash(void **state)
{
	(void)state;
	expect_hidden("album", ".album.abcdef01.bt");
	expect_hidden("../a/b", "..._a_b.abcdef01.bt");
}

static void
the_lock_of_an_output_is_the_same_for_every_torrent(void **state)
{
	struct bt_layout l = { .name = NULL, .info_hash = { 0xab } };
	char *got = bt_names_lock(&l, "album");

	(void)state;
	assert_string_equal(got, ".album.lock");
	bt_mem_free(got);
	got = bt_names_hidden(&l, "album", "bt");
	assert_string_equal(got, ".album.ab000000.bt");
	bt_mem_free(got);
}

static void
a_long_name_is_cut_between_characters_to_fit(void **state)
{
	char name[301], want[300];

	(void)state;
	memset(name, 'n', 300);
	name[300] = '\0';
	/* 255 - 2 dots and ".bt" - 8 of hash = 242 */
	snprintf(want, sizeof(want), ".%.242s.abcdef01.bt", name);
	assert_int_equal(strlen(want), 255);
	expect_hidden(name, want);
	memcpy(name + 240, "\xe2\x82\xac", 3); /* would be cut in the middle */
	snprintf(want, sizeof(want), ".%.240s.abcdef01.bt", name);
	expect_hidden(name, want);
}

static void
expect_part(const char *path, bool numbered, const char *want)
{
	char *got = bt_names_part(path, 0x2a, numbered);

	assert_string_equal(got, want);
	bt_mem_free(got);
}

static void
a_part_has_its_file_s_name_and_folder(void **state)
{
	(void)state;
	expect_part("a/b.c", false, "a/b.c.part");
	expect_part("b", false, "b.part");
	expect_part("a/b", true, "a/b.0000002a.part");
}

static void
a_part_of_a_long_name_is_cut_and_numbered(void **state)
{
	char path[302] = "d/", want[320];

	(void)state;
	memset(path + 2, 'n', 250);
	snprintf(want, sizeof(want), "%s.part", path);
	expect_part(path, false, want);
	path[252] = 'n'; /* 251 and ".part" are one too many */
	snprintf(want, sizeof(want), "%.*s.0000002a.part", 2 + 241, path);
	expect_part(path, false, want);
	assert_int_equal(strlen(want), 2 + 255);
}

static void
what_may_be_a_part_or_have_a_numbered_one_is_known(void **state)
{
	(void)state;
	assert_true(bt_names_is_like_part("a/b.part"));
	assert_true(bt_names_is_like_part("b.0000002a"));
	assert_true(bt_names_is_like_part("b.123456789a"));
	assert_false(bt_names_is_like_part("a.part/b"));
	assert_false(bt_names_is_like_part("part"));
	assert_false(bt_names_is_like_part("b.000002a"));
	assert_false(bt_names_is_like_part("0000002a"));
	assert_false(bt_names_is_like_part("b.0000002A"));
	assert_false(bt_names_is_like_part(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_hidden_name_holds_the_torrent_s_and_its_hash),
		cmocka_unit_test(
		    the_lock_of_an_output_is_the_same_for_every_torrent),
		cmocka_unit_test(a_long_name_is_cut_between_characters_to_fit),
		cmocka_unit_test(a_part_has_its_file_s_name_and_folder),
		cmocka_unit_test(a_part_of_a_long_name_is_cut_and_numbered),
		cmocka_unit_test(
		    what_may_be_a_part_or_have_a_numbered_one_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
