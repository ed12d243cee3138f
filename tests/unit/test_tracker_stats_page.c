#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stats_page.h"

typedef int writer(const struct bt_stats_now *now, struct bt_buf *out);

static writer *const writers[] = { bt_stats_page_html, bt_stats_page_json,
	bt_stats_page_metrics };

/* All there can be of everything. */
static struct bt_stats_now
most(void)
{
	struct bt_stats_now now;

	memset(&now, 0xff, sizeof(now));
	now.version = "1<b>\"&'\\2\n";
	now.started = 1700000000;
	now.ntop = BT_STATS_TOP;
	for (int front = 0; front < BT_STATS_FRONTS; front++)
		for (int f = 0; f < 2; f++)
			for (int k = 0; k < BT_STATS_KINDS; k++)
				now.rate[front][f][k] = 1e9;
	return now;
}

static const char *
text_of(writer *write, const struct bt_stats_now *now, struct bt_buf *out)
{
	bt_buf_init(out, 1u << 20);
	assert_int_equal(write(now, out), 0);
	assert_int_equal(bt_buf_putc(out, '\0'), 0);
	return (const char *)out->p;
}

static void
what_could_be_markup_is_escaped(void **state)
{
	struct bt_stats_now now = most();
	struct bt_buf out;
	const char *s;

	(void)state;
	s = text_of(bt_stats_page_html, &now, &out);
	assert_non_null(
	    strstr(s, "bt-tracker 1&#60;b&#62;&#34;&#38;&#39;\\2&#10;<"));
	bt_buf_fini(&out);
	s = text_of(bt_stats_page_json, &now, &out);
	assert_non_null(strstr(s, "{\"version\":\"1<b>\\\"&'\\\\2\","));
	bt_buf_fini(&out);
	s = text_of(bt_stats_page_metrics, &now, &out);
	assert_non_null(strstr(s, "{version=\"1<b>\\\"&'\\\\2\"} 1\n"));
	bt_buf_fini(&out);
}

static void
the_largest_numbers_are_written_whole(void **state)
{
	struct bt_stats_now now = most();
	struct bt_buf out;
	const char *s;

	(void)state;
	s = text_of(bt_stats_page_json, &now, &out);
	assert_non_null(strstr(s, "\"torrents\":4294967295,"));
	assert_non_null(strstr(s, "\"announce\":18446744073709551615,"));
	assert_non_null(strstr(
	    s, "\"info_hash\":\"ffffffffffffffffffffffffffffffffffffffff\""));
	bt_buf_fini(&out);
	s = text_of(bt_stats_page_metrics, &now, &out);
	assert_non_null(strstr(s, "kind=\"refused\"} 18446744073709551615\n"));
	bt_buf_fini(&out);
}

static void
what_is_not_known_is_null_or_left_out(void **state)
{
	struct bt_stats_now now = most();
	struct bt_buf out;
	const char *s;

	(void)state;
	now.resident = 0;
	now.ntop = 0;
	s = text_of(bt_stats_page_json, &now, &out);
	assert_non_null(strstr(s, "\"resident\":null}"));
	assert_non_null(strstr(s, "\"top\":[]"));
	bt_buf_fini(&out);
	s = text_of(bt_stats_page_metrics, &now, &out);
	assert_null(strstr(s, "resident"));
	bt_buf_fini(&out);
}

static void
a_page_that_has_no_room_says_so(void **state)
{
	struct bt_stats_now now = most();
	struct bt_buf out;
	size_t whole;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		bt_buf_init(&out, 1u << 20);
		assert_int_equal(writers[i](&now, &out), 0);
		whole = out.n;
		bt_buf_fini(&out);
		bt_buf_init(&out, whole - 1);
		assert_int_equal(writers[i](&now, &out), -1);
		bt_buf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_be_markup_is_escaped),
		cmocka_unit_test(the_largest_numbers_are_written_whole),
		cmocka_unit_test(what_is_not_known_is_null_or_left_out),
		cmocka_unit_test(a_page_that_has_no_room_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
