#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/value.h"

static uint64_t
size(const char *s)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t v = 0;

	assert_int_equal(bt_value_size(s, &v, &err), 0);
	assert_int_equal(err.kind, BT_ENONE);
	return v;
}

static void
assert_no_size(const char *s)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t v = 77;

	assert_int_equal(bt_value_size(s, &v, &err), -1);
	assert_int_equal(err.kind, BT_EUSAGE);
	assert_int_equal(v, 77);
}

static void
sizes_have_binary_suffixes_of_either_case(void **state)
{
	(void)state;
	assert_int_equal(size("0"), 0);
	assert_int_equal(size("4096"), 4096);
	assert_int_equal(size("17B"), 17);
	assert_int_equal(size("4K"), 4096);
	assert_int_equal(size("4k"), 4096);
	assert_int_equal(size("4KiB"), 4096);
	assert_int_equal(size("4M"), 4u << 20);
	assert_int_equal(size("3GiB"), 3221225472u);
	assert_int_equal(size("2T"), 2199023255552u);
	assert_int_equal(size("1P"), 1125899906842624u);
}

static void
sizes_may_be_fractions_of_a_unit_but_not_of_a_byte(void **state)
{
	(void)state;
	assert_int_equal(size("1.5M"), 1572864);
	assert_int_equal(size("0.5K"), 512);
	assert_int_equal(size("0.999999P"), 1125898780942717u);
	assert_no_size("1.5");
	assert_no_size("1.M");
	assert_no_size(".5M");
}

static void
sizes_that_do_not_fit_are_refused_and_not_wrapped(void **state)
{
	(void)state;
	assert_true(size("18446744073709551615") == UINT64_MAX);
	assert_no_size("18446744073709551616");
	assert_int_equal(size("16383P"), 16383u * (uint64_t)1125899906842624u);
	assert_no_size("16384P");
	assert_no_size("99999999999999999999999999");
}

static void
what_is_not_wholly_a_size_is_refused(void **state)
{
	static const char *const bad[] = { "", " 4", "4 ", "-4", "+4", "4X",
		"4KB", "4Kib ", "K", "0x10", "4MM", "4.5.6K", "4e3" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_size(bad[i]);
}

static void
times_are_seconds_or_have_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t us;
	} good[] = {
		{ "0", 0 },
		{ "90", 90000000 },
		{ "90s", 90000000 },
		{ "2m", 120000000 },
		{ "1.5h", 5400000000u },
		{ "1d", 86400000000u },
		{ "0.25s", 250000 },
		{ "0.000001", 1 },
	};
	static const char *const bad[] = { "", "s", "5w", "5 s", "-5s", "5sm",
		"300000000d" };
	struct bt_err err = BT_ERR_INIT;
	uint64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(bt_value_time(good[i].text, &us, &err), 0);
		assert_true(us == good[i].us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.kind = BT_ENONE;
		assert_int_equal(bt_value_time(bad[i], &us, &err), -1);
		assert_int_equal(err.kind, BT_EUSAGE);
	}
}

static void
counts_keep_to_their_limits(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t n = 5;

	(void)state;
	assert_int_equal(bt_value_count("1", 1, 65535, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(bt_value_count("65535", 1, 65535, &n, &err), 0);
	assert_int_equal(n, 65535);
	assert_int_equal(bt_value_count("0", 1, 65535, &n, &err), -1);
	assert_string_equal(err.text, "'0' is not between 1 and 65535");
	assert_int_equal(bt_value_count("65536", 1, 65535, &n, &err), -1);
	assert_int_equal(bt_value_count("1.0", 1, 65535, &n, &err), -1);
	assert_string_equal(err.text, "'1.0' is not a number");
	assert_int_equal(n, 65535);
}

static void
ratios_are_read_in_thousandths(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t r;

	(void)state;
	assert_int_equal(bt_value_ratio("1", &r, &err), 0);
	assert_int_equal(r, 1000);
	assert_int_equal(bt_value_ratio("0.25", &r, &err), 0);
	assert_int_equal(r, 250);
	assert_int_equal(bt_value_ratio("2.5x", &r, &err), -1);
	assert_int_equal(bt_value_ratio("18446744073709551615", &r, &err), -1);
}

/* "1-3 8-8 10-" drawn from a list, or "bad" where it stops being one. */
static void
assert_ranges(const char *list, const char *drawn)
{
	struct bt_err err = BT_ERR_INIT;
	char got[256] = "";
	size_t n = 0;
	uint64_t from, to;
	int rc;

	while ((rc = bt_value_next_range(&list, &from, &to, &err)) == 1) {
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%llu-",
		    (unsigned long long)from);
		if (to != UINT64_MAX)
			n += (size_t)snprintf(got + n, sizeof(got) - n, "%llu",
			    (unsigned long long)to);
		n += (size_t)snprintf(got + n, sizeof(got) - n, " ");
	}
	if (rc == -1)
		snprintf(got + n, sizeof(got) - n, "bad");
	assert_string_equal(got, drawn);
}

static void
ranges_are_numbers_from_one_and_spans_of_them(void **state)
{
	(void)state;
	assert_ranges("", "");
	assert_ranges("7", "7-7 ");
	assert_ranges("1-3,8,10-", "1-3 8-8 10- ");
	assert_ranges("0", "bad");
	assert_ranges("3-1", "bad");
	assert_ranges("1,", "bad");
	assert_ranges("1,,2", "1-1 bad");
	assert_ranges("-3", "bad");
	assert_ranges("1-2-3", "bad");
	assert_ranges("a", "bad");
	assert_ranges("99999999999999999999", "bad");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_binary_suffixes_of_either_case),
		cmocka_unit_test(
		    sizes_may_be_fractions_of_a_unit_but_not_of_a_byte),
		cmocka_unit_test(
		    sizes_that_do_not_fit_are_refused_and_not_wrapped),
		cmocka_unit_test(what_is_not_wholly_a_size_is_refused),
		cmocka_unit_test(times_are_seconds_or_have_a_unit),
		cmocka_unit_test(counts_keep_to_their_limits),
		cmocka_unit_test(ratios_are_read_in_thousandths),
		cmocka_unit_test(ranges_are_numbers_from_one_and_spans_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
