/*
 * The names, paths and attributes of a torrent's files.
 */
#include "codec/metafiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "codec/bencode.h"
#include "metainfo_rig.h"

static void
unsafe_names_are_refused(void **state)
{
	(void)state;
	assert_bad("d6:lengthi5e4:name0:" PL P2 "e", BT_EINPUT, "name ''");
	assert_bad("d6:lengthi5e4:name1:." PL P2 "e", BT_EINPUT, "name '.'");
	assert_bad("d6:lengthi5e4:name2:.." PL P2 "e", BT_EINPUT, "name '..'");
	assert_bad("d6:lengthi5e4:name2:/a" PL P2 "e", BT_EINPUT, "name '/a'");
	assert_bad(
	    "d6:lengthi5e4:name3:a/b" PL P2 "e", BT_EINPUT, "name 'a/b'");
	assert_bad("d6:lengthi5e4:name2:a/" PL P2 "e", BT_EINPUT, "name 'a/'");
	assert_bad("d6:lengthi5e4:namei1e" PL P2 "e", BT_EINPUT, "no name");
	assert_bad("d6:lengthi5e" PL P2 "e", BT_EINPUT, "no name");
}

static void
unsafe_path_components_are_refused_and_quoted(void **state)
{
	(void)state;
	assert_bad(MANY(FILE8("2:..")), BT_EINPUT,
	    "file 1: unsafe path component '..'");
	assert_bad(MANY(FILE4("1:a") FILE4("1:b2:..1:c")), BT_EINPUT,
	    "file 2: unsafe path component '..'");
	assert_bad(MANY(FILE8("1:.")), BT_EINPUT, "component '.'");
	assert_bad(MANY(FILE8("0:1:a")), BT_EINPUT, "component ''");
	assert_bad(MANY(FILE8("1:a0:")), BT_EINPUT, "component ''");
	assert_bad(MANY(FILE8("4:/etc")), BT_EINPUT, "component '/etc'");
	assert_bad(MANY(FILE8("3:a/b")), BT_EINPUT, "component 'a/b'");
	assert_bad(
	    MANY(FILE8("3:\n/\x1b")), BT_EINPUT, "component '\\x0a/\\x1b'");
	assert_bad(MANY(FILE8("")), BT_EINPUT, "path is empty");
	assert_bad(MANY(FILE8("i1e")), BT_EINPUT, "not a string");
	assert_bad(MANY("d6:lengthi8ee"), BT_EINPUT, "path is missing");
	assert_bad(MANY("d6:lengthi8e4:path1:ae"), BT_EINPUT, "not a list");
	assert_bad(MANY("i1e"), BT_EINPUT, "not a dictionary");
}

static void
only_names_that_can_be_one_component_are_safe(void **state)
{
	char name[BT_META_NAME_MAX + 1];

	(void)state;
	assert_true(bt_meta_is_safe_name(STR("a")));
	assert_true(bt_meta_is_safe_name(STR("...")));
	assert_true(bt_meta_is_safe_name(STR("..a")));
	assert_true(bt_meta_is_safe_name(STR(" \\\n\xff")));
	assert_false(bt_meta_is_safe_name(STR("")));
	assert_false(bt_meta_is_safe_name(STR("a\0")));
	assert_false(bt_meta_is_safe_name(STR("/")));
	memset(name, 'x', sizeof(name));
	assert_true(bt_meta_is_safe_name(
	    (struct bt_str){ (uint8_t *)name, BT_META_NAME_MAX }));
	assert_false(bt_meta_is_safe_name(
	    (struct bt_str){ (uint8_t *)name, BT_META_NAME_MAX + 1 }));
}

/* A file whose name has last_n bytes, so deep in a torrent named "d". */
static int
parse_deep(
    unsigned folders, const char *folder, unsigned last_n, struct bt_err *err)
{
	struct bt_meta m;
	struct bt_buf b;
	int rc;

	bt_buf_init(&b, 100000);
	bt_buf_puts(&b, "d4:infod5:filesld6:lengthi8e4:pathl");
	for (unsigned i = 0; i < folders; i++)
		bt_ben_put_cstr(&b, folder);
	bt_buf_printf(&b, "%u:%0*u", last_n, (int)last_n, 0);
	bt_buf_puts(&b, "eee4:name1:d" PL P2 "ee");
	rc = bt_meta_parse(bt_buf_str(&b), &m, err);
	if (rc == 0)
		bt_meta_fini(&m);
	bt_buf_fini(&b);
	return rc;
}

/* "d/" and 127 times 32 bytes are 4066: 29 more fit in 4095. */
static void
a_path_has_4095_bytes_and_128_components_at_most(void **state)
{
	const char *const long_name = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	assert_int_equal(strlen(long_name), 31);
	assert_int_equal(parse_deep(127, long_name, 29, &err), 0);
	assert_int_equal(parse_deep(127, long_name, 30, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	assert_non_null(strstr(err.text, "longer than"));
	err = (struct bt_err)BT_ERR_INIT;
	assert_int_equal(parse_deep(128, "x", 1, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
}

static void
utf8_variants_win_where_they_are_valid(void **state)
{
	struct bt_meta m;

	(void)state;
	m = with_info(
	    "", "d6:lengthi5e4:name1:a10:name.utf-82:\xc3\xa9" PL P2 "e");
	assert_str(m.name, "\xc3\xa9");
	assert_file(&m, 0, "\xc3\xa9", 5, 0, 0);
	bt_meta_fini(&m);
	m = with_info("", "d6:lengthi5e4:name1:a10:name.utf-81:\xe9" PL P2 "e");
	assert_str(m.name, "a");
	bt_meta_fini(&m);
	m = with_info("", "d6:lengthi5e4:name1:a10:name.utf-82:.." PL P2 "e");
	assert_str(m.name, "a");
	bt_meta_fini(&m);
	m = with_info(
	    "", MANY("d6:lengthi4e4:pathl1:xe10:path.utf-8l1:d2:\xc3\xa9"
		     "ee"
		     "d6:lengthi4e4:pathl1:ye10:path.utf-8l1:d1:\xe9"
		     "ee"));
	assert_file(&m, 0, "d/\xc3\xa9", 4, 0, 0);
	assert_file(&m, 1, "y", 4, 4, 0);
	bt_meta_fini(&m);
	m = with_info("", MANY("d6:lengthi4e4:pathl1:xe10:path.utf-8l2:..ee"
			       "d6:lengthi4e4:pathl1:ye10:path.utf-8lee"));
	assert_file(&m, 0, "x", 4, 0, 0);
	assert_file(&m, 1, "y", 4, 4, 0);
	bt_meta_fini(&m);
	assert_bad(MANY("d6:lengthi8e4:pathl2:..e10:path.utf-8l1:\xff"
			"ee"),
	    BT_EINPUT, "component '..'");
}

static void
two_files_may_not_have_one_path(void **state)
{
	struct bt_meta m;

	(void)state;
	assert_bad(MANY(FILE4("1:x1:y") FILE4("1:x1:y")), BT_EINPUT,
	    "two files have the path 'x/y'");
	assert_bad("d5:filesl" FILE4("1:c") FILE4("1:b")
		       FILE4("1:c") "e4:name1:d" PL P3 "e",
	    BT_EINPUT, "the path 'c'");
	m = with_info("", MANY(FILE4("1:x1:y") FILE4("2:xy")));
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE4("1:A") FILE4("1:a"))); /* case */
	bt_meta_fini(&m);
}

/* "a-b" and "a.b" lie between "a" and "a/b" in the order of their bytes. */
static void
a_file_may_not_be_the_folder_of_another(void **state)
{
	const char *const clash = "'a' is both a file and a folder";
	struct bt_meta m;

	(void)state;
	assert_bad(MANY(FILE4("1:a") FILE4("1:a1:b")), BT_EINPUT, clash);
	assert_bad(MANY(FILE4("1:a1:b") FILE4("1:a")), BT_EINPUT, clash);
	assert_bad("d5:filesl" FILE4("1:a") FILE4("3:a-b")
		       FILE4("1:a1:b1:c") "e4:name1:d" PL P3 "e",
	    BT_EINPUT, clash);
	assert_bad("d5:filesl" FILE4("1:a1:b") FILE4("3:a\1b")
		       FILE4("1:a") "e4:name1:d" PL P3 "e",
	    BT_EINPUT, clash);
	m = with_info("", MANY(FILE4("1:a1:b") FILE4("2:ab")));
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE4("1:a") FILE4("2:ab")));
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE4("3:a.b") FILE4("1:a1:b")));
	bt_meta_fini(&m);
}

/* BEP 47. A symlink may leave its length out; padding may leave out its path. */
static void
attributes_are_marked_and_padding_may_repeat_its_path(void **state)
{
	struct bt_meta m =
	    with_info("", "d5:filesl"
			  "d4:attr3:xh?6:lengthi2e4:pathl1:aee"
			  "d4:attr1:p6:lengthi2e4:pathl4:.pad1:2ee"
			  "d6:lengthi2e4:pathl1:bee"
			  "d4:attr1:p6:lengthi2e4:pathl4:.pad1:2ee"
			  "d4:attr1:p6:lengthi3ee"
			  "d4:attr1:l4:pathl1:ce12:symlink pathl1:aee"
			  "e4:name1:d" PL P3 "e");

	(void)state;
	assert_int_equal(m.files->n, 6);
	assert_file(&m, 0, "a", 2, 0, BT_META_EXEC | BT_META_HIDDEN);
	assert_file(&m, 1, ".pad/2", 2, 2, BT_META_PAD);
	assert_file(&m, 3, ".pad/2", 2, 6, BT_META_PAD);
	assert_file(&m, 4, "", 3, 8, BT_META_PAD);
	assert_file(&m, 5, "c", 0, 11, BT_META_LINK);
	assert_true(m.size == 11);
	assert_true(bt_meta_payload(&m) == 4);
	bt_meta_fini(&m);
	assert_bad(MANY("d4:attr1:p6:lengthi8e4:pathl2:..ee"), BT_EINPUT,
	    "component '..'");
	m = with_info(
	    "", "d4:attr1:x6:lengthi5e6:md5sum3:abc4:name1:a" PL P2 "e");
	assert_int_equal(m.files->at[0].attr, BT_META_EXEC);
	bt_meta_fini(&m);
}

/* Anything quadratic in the number of files would take minutes here. */
static void
a_hundred_thousand_files_in_reverse_order_are_read(void **state)
{
	const unsigned n = 100000;
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;
	struct bt_buf b;
	char path[16];

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		bt_buf_init(&b, 100 * (size_t)n);
		bt_buf_puts(&b, "d4:infod5:filesl");
		for (unsigned i = n; i > 0; i--)
			bt_buf_printf(&b, "d6:lengthi0e4:pathl1:f6:%06uee", i);
		if (twice)
			bt_buf_puts(&b, FILE8("1:f6:050000"));
		else
			bt_buf_puts(&b, FILE8("1:f6:000000"));
		bt_buf_puts(&b, "e4:name1:d" PL P2 "ee");
		if (twice) {
			assert_int_equal(
			    bt_meta_parse(bt_buf_str(&b), &m, &err), -1);
			assert_string_equal(
			    err.text, "two files have the path 'f/050000'");
			bt_buf_fini(&b);
			continue;
		}
		m = parsed(bt_buf_str(&b));
		assert_int_equal(m.files->n, n + 1);
		for (unsigned i = 0; i <= n; i++) {
			snprintf(path, sizeof(path), "f/%06u", n - i);
			assert_str(bt_filetab_get(m.files, i).path, path);
		}
		bt_meta_fini(&m);
		bt_buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsafe_names_are_refused),
		cmocka_unit_test(unsafe_path_components_are_refused_and_quoted),
		cmocka_unit_test(only_names_that_can_be_one_component_are_safe),
		cmocka_unit_test(
		    a_path_has_4095_bytes_and_128_components_at_most),
		cmocka_unit_test(utf8_variants_win_where_they_are_valid),
		cmocka_unit_test(two_files_may_not_have_one_path),
		cmocka_unit_test(a_file_may_not_be_the_folder_of_another),
		cmocka_unit_test(
		    attributes_are_marked_and_padding_may_repeat_its_path),
		cmocka_unit_test(
		    a_hundred_thousand_files_in_reverse_order_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
