#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <errno.h>

#include "base/err.h"
#include "base/str.h"

static void
setting_returns_minus_one_and_keeps_kind_and_text(void **state)
{
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	assert_int_equal(err.kind, BT_ENONE);
	assert_int_equal(
	    bt_err_set(&err, BT_EUSAGE, "bad '%s' number %d", "x", 7), -1);
	assert_int_equal(err.kind, BT_EUSAGE);
	assert_string_equal(err.text, "bad 'x' number 7");
}

static void
a_system_error_is_spelled_after_a_colon(void **state)
{
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(bt_err_sys(&err, "cannot open '%s'", "x"), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_string_equal(
	    err.text, "cannot open 'x': No such file or directory");
	assert_int_equal(
	    bt_err_code(&err, BT_ENET, ECONNREFUSED, "cannot reach '%s'", "y"),
	    -1);
	assert_int_equal(err.kind, BT_ENET);
	assert_string_equal(err.text, "cannot reach 'y': Connection refused");
}

static void
a_prefix_goes_before_and_the_kind_stays(void **state)
{
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	bt_err_set(&err, BT_EINPUT, "no name");
	assert_int_equal(bt_err_prefix(&err, "file %d", 3), -1);
	assert_int_equal(err.kind, BT_EINPUT);
	assert_string_equal(err.text, "file 3: no name");
}

static void
the_old_text_may_be_an_argument_of_the_new(void **state)
{
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	bt_err_set(&err, BT_EINPUT, "inner");
	bt_err_set(&err, BT_ENET, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
	bt_err_prefix(&err, "again %s", err.text);
	assert_string_equal(err.text, "again outer (inner): outer (inner)");
}

static void
control_bytes_never_come_through(void **state)
{
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	bt_err_set(&err, BT_EINPUT, "bad name '%s'", "a\x1b[31m\nb");
	assert_string_equal(err.text, "bad name 'a\\x1b[31m\\x0ab'");
	bt_err_prefix(&err, "in\tx");
	assert_string_equal(err.text, "in\\x09x: bad name 'a\\x1b[31m\\x0ab'");
}

static void
a_long_text_is_cut_but_the_reason_stays(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	char name[4 * BT_ERR_TEXT_MAX];
	size_t n;

	(void)state;
	memset(name, '\n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	bt_err_set(&err, BT_EINPUT, "%s", name);
	n = strlen(err.text);
	assert_in_range(n, BT_ERR_TEXT_MAX - 5, BT_ERR_TEXT_MAX - 1);
	assert_int_equal(n % 4, 0);
	bt_err_prefix(&err, "file %d", 1);
	assert_memory_equal(err.text, "file 1: \\x0a", 12);
	assert_true(strlen(err.text) < BT_ERR_TEXT_MAX);
	errno = ENOSPC;
	bt_err_sys(&err, "cannot write '%s'", name);
	assert_true(strlen(err.text) < BT_ERR_TEXT_MAX);
	assert_non_null(strstr(err.text, "\\x0a: No space left on device"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    setting_returns_minus_one_and_keeps_kind_and_text),
		cmocka_unit_test(a_system_error_is_spelled_after_a_colon),
		cmocka_unit_test(a_prefix_goes_before_and_the_kind_stays),
		cmocka_unit_test(the_old_text_may_be_an_argument_of_the_new),
		cmocka_unit_test(control_bytes_never_come_through),
		cmocka_unit_test(a_long_text_is_cut_but_the_reason_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
