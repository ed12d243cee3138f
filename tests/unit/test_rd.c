#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/rd.h"

static void
fields_are_read_in_order_and_big_endian(void **state)
{
	struct bt_rd r =
	    bt_rd_of(STR("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xfstr"));
	char three[3];

	(void)state;
	assert_int_equal(bt_rd_u8(&r), 0x01);
	assert_int_equal(bt_rd_be16(&r), 0x0203);
	assert_int_equal(bt_rd_be32(&r), 0x04050607);
	assert_true(bt_rd_be64(&r) == 0x08090a0b0c0d0e0f);
	bt_rd_copy(&r, three, 2);
	assert_memory_equal(three, "st", 2);
	assert_true(bt_str_eq(bt_rd_take(&r, 1), STR("r")));
	assert_int_equal(r.in.n, 0);
	assert_false(r.bad);
}

static void
reading_past_the_end_gives_zeros_and_is_remembered(void **state)
{
	struct bt_rd r = bt_rd_of(STR("\xff\xff\xff"));
	uint8_t four[4] = { 1, 2, 3, 4 };

	(void)state;
	assert_int_equal(bt_rd_be32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(bt_rd_take(&r, 2).n, 0);
	assert_int_equal(bt_rd_u8(&r), 0);
	assert_int_equal(bt_rd_be16(&r), 0);
	assert_true(bt_rd_be64(&r) == 0);
	assert_int_equal(bt_rd_take(&r, 1).n, 0);
	bt_rd_copy(&r, four, 4);
	assert_memory_equal(four, "\0\0\0\0", 4);
	assert_true(r.bad);
}

static void
a_length_that_would_wrap_is_past_the_end(void **state)
{
	struct bt_rd r = bt_rd_of(STR("abc"));

	(void)state;
	bt_rd_u8(&r);
	assert_int_equal(bt_rd_take(&r, SIZE_MAX).n, 0);
	assert_true(r.bad);
}

static void
nothing_can_be_read_from_nothing(void **state)
{
	struct bt_rd r = bt_rd_of((struct bt_str){ NULL, 0 });

	(void)state;
	assert_int_equal(bt_rd_take(&r, 0).n, 0);
	bt_rd_copy(&r, NULL, 0);
	assert_false(r.bad);
	assert_int_equal(bt_rd_u8(&r), 0);
	assert_true(r.bad);
}

static void
single_fields_come_back_as_they_were_put(void **state)
{
	uint8_t p[8];

	(void)state;
	bt_put_be16(p, 0xfedc);
	assert_memory_equal(p, "\xfe\xdc", 2);
	assert_int_equal(bt_be16(p), 0xfedc);
	bt_put_be32(p, 0xfedcba98);
	assert_memory_equal(p, "\xfe\xdc\xba\x98", 4);
	assert_true(bt_be32(p) == 0xfedcba98);
	bt_put_be64(p, 0xfedcba9876543210);
	assert_memory_equal(p, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
	assert_true(bt_be64(p) == 0xfedcba9876543210);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_in_order_and_big_endian),
		cmocka_unit_test(
		    reading_past_the_end_gives_zeros_and_is_remembered),
		cmocka_unit_test(a_length_that_would_wrap_is_past_the_end),
		cmocka_unit_test(nothing_can_be_read_from_nothing),
		cmocka_unit_test(single_fields_come_back_as_they_were_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
