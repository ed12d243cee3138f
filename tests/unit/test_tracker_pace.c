#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/rd.h"
#include "pace.h"

#define NOW_MS 7000000u

static const uint8_t secret[16] = "sixteen bytes...";
static const uint8_t hash[20] = "one of the torrents";

static struct bt_pace_who
who(uint8_t last, uint16_t port, uint32_t key)
{
	uint8_t ip[4] = { 192, 0, 2, last };

	return (struct bt_pace_who){ hash, bt_addr_v4(ip, port), key };
}

static void
who_comes_for_the_first_time_is_not_too_soon(void **state)
{
	struct bt_pace *p = bt_pace_new(secret);
	struct bt_pace_who a = who(1, 1001, 0);

	(void)state;
	assert_int_equal(bt_pace_came(p, &a, 0, 60), 0);
	bt_pace_free(p);
}

static void
what_is_left_of_the_wait_is_told_rounded_up(void **state)
{
	struct bt_pace *p = bt_pace_new(secret);
	struct bt_pace_who a = who(1, 1001, 0);

	(void)state;
	bt_pace_came(p, &a, NOW_MS, 60);
	assert_int_equal(bt_pace_came(p, &a, NOW_MS + 100, 60), 60);
	/* the wait begins anew each time */
	assert_int_equal(bt_pace_came(p, &a, NOW_MS + 40100, 60), 20);
	assert_int_equal(bt_pace_came(p, &a, NOW_MS + 100100, 60), 0);
	bt_pace_free(p);
}

static void
one_second_is_let_off(void **state)
{
	struct bt_pace *p = bt_pace_new(secret);
	struct bt_pace_who a = who(1, 1001, 0);

	(void)state;
	bt_pace_came(p, &a, NOW_MS, 5);
	assert_int_equal(bt_pace_came(p, &a, NOW_MS + 4000, 5), 0);
	assert_int_equal(bt_pace_came(p, &a, NOW_MS + 7999, 5), 2);
	bt_pace_free(p);
}

static void
other_torrents_addresses_ports_and_keys_are_others(void **state)
{
	static const uint8_t other[20] = "another torrent ...";
	struct bt_pace *p = bt_pace_new(secret);
	struct bt_pace_who a = who(1, 1001, 7), b;

	(void)state;
	bt_pace_came(p, &a, NOW_MS, 60);
	b = who(2, 1001, 7);
	assert_int_equal(bt_pace_came(p, &b, NOW_MS, 60), 0);
	b = who(1, 1002, 7);
	assert_int_equal(bt_pace_came(p, &b, NOW_MS, 60), 0);
	b = who(1, 1001, 8);
	assert_int_equal(bt_pace_came(p, &b, NOW_MS, 60), 0);
	b = a;
	b.info_hash = other;
	assert_int_equal(bt_pace_came(p, &b, NOW_MS, 60), 0);
	assert_int_equal(bt_pace_came(p, &a, NOW_MS, 60), 60);
	bt_pace_free(p);
}

/* However many come: of somebody new it is never said. */
static void
nobody_is_taken_for_another(void **state)
{
	struct bt_pace *p = bt_pace_new(secret);
	struct bt_pace_who a;
	unsigned known = 0;

	(void)state;
	for (uint32_t i = 0; i < 50000; i++) {
		a = who(1, 1001, i + 1);
		assert_int_equal(bt_pace_came(p, &a, NOW_MS, 60), 0);
	}
	/* and of those who came last most are known */
	for (uint32_t i = 49000; i < 50000; i++) {
		a = who(1, 1001, i + 1);
		known += bt_pace_came(p, &a, NOW_MS, 60) != 0;
	}
	assert_true(known > 500);
	bt_pace_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_for_the_first_time_is_not_too_soon),
		cmocka_unit_test(what_is_left_of_the_wait_is_told_rounded_up),
		cmocka_unit_test(one_second_is_let_off),
		cmocka_unit_test(
		    other_torrents_addresses_ports_and_keys_are_others),
		cmocka_unit_test(nobody_is_taken_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
