#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/log.h"

struct seen {
	unsigned count;
	enum bt_log_level level;
	char text[2000];
};

static void
note(void *arg, enum bt_log_level level, const char *text)
{
	struct seen *s = arg;

	s->count++;
	s->level = level;
	assert_true(strlen(text) < sizeof(s->text));
	strcpy(s->text, text);
}

static void
messages_above_the_level_are_dropped(void **state)
{
	struct seen s = { 0 };
	struct bt_log log = { BT_LOG_INFO, note, &s };

	(void)state;
	bt_log_put(&log, BT_LOG_DEBUG, "no");
	assert_int_equal(s.count, 0);
	bt_log_put(&log, BT_LOG_INFO, "yes %d", 1);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.level, BT_LOG_INFO);
	assert_string_equal(s.text, "yes 1");
	bt_log_put(&log, BT_LOG_ERROR, "worse");
	assert_int_equal(s.count, 2);
	assert_int_equal(s.level, BT_LOG_ERROR);
}

static void
without_a_sink_nothing_happens(void **state)
{
	(void)state;
	bt_log_put(NULL, BT_LOG_ERROR, "%s", "x");
}

static void
control_bytes_never_reach_the_sink(void **state)
{
	struct seen s = { 0 };
	struct bt_log log = { BT_LOG_DEBUG, note, &s };

	(void)state;
	bt_log_put(&log, BT_LOG_WARN, "client '%s'", "\x1b]0;x\a\r\n");
	assert_string_equal(s.text, "client '\\x1b]0;x\\x07\\x0d\\x0a'");
}

static void
a_long_message_is_cut(void **state)
{
	struct seen s = { 0 };
	struct bt_log log = { BT_LOG_DEBUG, note, &s };

	(void)state;
	bt_log_put(&log, BT_LOG_WARN, "%05000d", 7);
	assert_int_equal(s.count, 1);
	assert_in_range(strlen(s.text), 1000, 1023);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_above_the_level_are_dropped),
		cmocka_unit_test(without_a_sink_nothing_happens),
		cmocka_unit_test(control_bytes_never_reach_the_sink),
		cmocka_unit_test(a_long_message_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
