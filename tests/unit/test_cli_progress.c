#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/progress.h"

#define SECOND 1000000u
#define MIB (1u << 20)

struct sink {
	struct bt_progress bar;
	char *text;
	size_t n;
	FILE *fp;
};

static void
begin(struct sink *s, bool on)
{
	s->fp = open_memstream(&s->text, &s->n);
	assert_non_null(s->fp);
	bt_progress_init(&s->bar, s->fp, on);
}

static void
end(struct sink *s)
{
	fclose(s->fp);
	free(s->text);
}

/* What stands on the terminal: after the last return to column one. */
static const char *
line(struct sink *s)
{
	fflush(s->fp);
	return strrchr(s->text, '\r') + 1;
}

static void
nothing_is_drawn_unless_it_is_on(void **state)
{
	struct sink s;

	(void)state;
	begin(&s, false);
	bt_progress_draw(&s.bar, SECOND, 1, 2, NULL);
	bt_progress_clear(&s.bar);
	fflush(s.fp);
	assert_int_equal(s.n, 0);
	end(&s);
}

static void
the_line_has_percent_bytes_rate_and_time_left(void **state)
{
	struct sink s;

	(void)state;
	begin(&s, true);
	bt_progress_draw(&s.bar, 1 * SECOND, 0, 100 * MIB, NULL);
	bt_progress_draw(&s.bar, 2 * SECOND, 10 * MIB, 100 * MIB, "3 peers");
	assert_string_equal(line(&s), " 10%  10.0 MiB of 100.0 MiB  "
				      "10.0 MiB/s  eta 0:09  3 peers\033[K");
	end(&s);
}

static void
what_is_not_whole_is_never_a_hundred_percent(void **state)
{
	struct sink s;

	(void)state;
	begin(&s, true);
	bt_progress_draw(&s.bar, SECOND, UINT64_MAX - 1, UINT64_MAX, NULL);
	assert_memory_equal(line(&s), " 99%", 4);
	bt_progress_draw(&s.bar, 2 * SECOND, UINT64_MAX, UINT64_MAX, NULL);
	assert_memory_equal(line(&s), "100%", 4);
	end(&s);
}

static void
it_is_redrawn_at_most_five_times_a_second(void **state)
{
	struct sink s;
	size_t draws = 0;

	(void)state;
	begin(&s, true);
	for (uint64_t us = SECOND; us < 2 * SECOND; us += 1000)
		bt_progress_draw(&s.bar, us, us, 9 * SECOND, NULL);
	fflush(s.fp);
	for (size_t i = 0; i < s.n; i++)
		draws += s.text[i] == '\r';
	assert_int_equal(draws, 5);
	end(&s);
}

static void
clearing_wipes_the_line_once(void **state)
{
	struct sink s;
	size_t n;

	(void)state;
	begin(&s, true);
	bt_progress_draw(&s.bar, SECOND, 1, 2, NULL);
	bt_progress_clear(&s.bar);
	assert_string_equal(line(&s), "\033[K");
	n = s.n;
	bt_progress_clear(&s.bar);
	fflush(s.fp);
	assert_int_equal(s.n, n);
	end(&s);
}

static void
the_line_is_cut_to_the_width(void **state)
{
	char more[500];
	struct sink s;

	(void)state;
	memset(more, 'x', sizeof(more) - 1);
	more[sizeof(more) - 1] = '\0';
	begin(&s, true);
	bt_progress_draw(&s.bar, SECOND, 1, 2, more);
	assert_int_equal(strlen(line(&s)), 79 + strlen("\033[K"));
	end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_drawn_unless_it_is_on),
		cmocka_unit_test(the_line_has_percent_bytes_rate_and_time_left),
		cmocka_unit_test(what_is_not_whole_is_never_a_hundred_percent),
		cmocka_unit_test(it_is_redrawn_at_most_five_times_a_second),
		cmocka_unit_test(clearing_wipes_the_line_once),
		cmocka_unit_test(the_line_is_cut_to_the_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
