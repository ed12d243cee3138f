#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "codec/metaedit.h"

static void
assert_edit(
    const char *from, const struct bt_metaedit *e, size_t n, const char *want)
{
	struct bt_ben dict = bt_ben_at(bt_str_of(from));
	struct bt_buf out;

	bt_buf_init(&out, 1000);
	assert_int_equal(bt_metaedit_put(&dict, e, n, &out), 0);
	bt_buf_putc(&out, '\0');
	assert_string_equal((char *)out.p, want);
	bt_buf_fini(&out);
}

static void
a_value_is_replaced_removed_or_put_in_order(void **state)
{
	const struct bt_metaedit e[] = { { STR("b"), STR("i9e") },
		{ STR("c"), STR("") }, { STR("d"), STR("le") } };

	(void)state;
	assert_edit("de", e, 3, "d1:bi9e1:dlee");
	assert_edit("d1:a1:xe", e, 3, "d1:a1:x1:bi9e1:dlee");
	assert_edit("d1:b1:x1:c1:y1:e1:ze", e, 3, "d1:bi9e1:dle1:e1:ze");
	assert_edit("d1:z0:e", e, 3, "d1:bi9e1:dle1:z0:e");
}

static void
all_other_bytes_stay_as_they_are(void **state)
{
	const struct bt_metaedit e[] = { { STR("k"), STR("i1e") } };

	(void)state;
	assert_edit(
	    "d1:zi00e01:ai-0e1:mdee", e, 1, "d1:ki1e1:zi00e01:ai-0e1:mdee");
	assert_edit("d1:k1:x1:k1:y1:l0:e", e, 1, "d1:ki1e1:l0:e");
}

static void
a_full_buffer_is_said(void **state)
{
	struct bt_ben dict = bt_ben_at(STR("d1:a3:xyze"));
	struct bt_buf out;

	(void)state;
	bt_buf_init(&out, 5);
	assert_int_not_equal(bt_metaedit_put(&dict, NULL, 0, &out), 0);
	bt_buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_replaced_removed_or_put_in_order),
		cmocka_unit_test(all_other_bytes_stay_as_they_are),
		cmocka_unit_test(a_full_buffer_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
