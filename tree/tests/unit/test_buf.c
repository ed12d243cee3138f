#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"

static void
bytes_are_kept_in_order_while_it_grows(void **state)
{
	struct bt_buf b;
	uint8_t c;

	(void)state;
	bt_buf_init(&b, 100000);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(bt_buf_putc(&b, (uint8_t)(i * 7)), 0);
	for (size_t i = 0; i < 100000; i++) {
		c = (uint8_t)(i * 7);
		assert_int_equal(b.p[i], c);
	}
	assert_int_equal(bt_buf_str(&b).n, 100000);
	bt_buf_fini(&b);
}

static void
nothing_is_added_beyond_the_ceiling(void **state)
{
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 5);
	assert_int_equal(bt_buf_puts(&b, "abc"), 0);
	assert_int_equal(bt_buf_puts(&b, "def"), -1);
	assert_int_equal(bt_buf_printf(&b, "%d", 123), -1);
	assert_int_equal(bt_buf_be32(&b, 1), -1);
	assert_int_equal(bt_buf_be64(&b, 1), -1);
	assert_null(bt_buf_room(&b, 3));
	assert_null(bt_buf_room(&b, SIZE_MAX));
	assert_true(bt_str_eq(bt_buf_str(&b), STR("abc")));
	assert_int_equal(bt_buf_be16(&b, 0x6465), 0);
	assert_int_equal(bt_buf_putc(&b, 'f'), -1);
	assert_true(bt_str_eq(bt_buf_str(&b), STR("abcde")));
	assert_in_range(b.cap, 5, 5);
	bt_buf_fini(&b);
}

static void
a_ceiling_of_zero_holds_nothing(void **state)
{
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 0);
	assert_int_equal(bt_buf_add(&b, (struct bt_str){ NULL, 0 }), 0);
	assert_int_equal(bt_buf_putc(&b, 'x'), -1);
	assert_non_null(bt_buf_room(&b, 0));
	bt_buf_drop(&b, 0);
	bt_buf_fini(&b);
}

static void
room_may_be_filled_by_hand(void **state)
{
	struct bt_buf b;
	uint8_t *to;

	(void)state;
	bt_buf_init(&b, 1000);
	bt_buf_puts(&b, "12");
	to = bt_buf_room(&b, 998);
	assert_non_null(to);
	assert_ptr_equal(to, b.p + 2);
	memset(to, 'x', 998);
	b.n += 998;
	assert_null(bt_buf_room(&b, 1));
	bt_buf_fini(&b);
}

static void
integers_are_big_endian(void **state)
{
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 14);
	bt_buf_be16(&b, 0x0102);
	bt_buf_be32(&b, 0x03040506);
	bt_buf_be64(&b, 0x0708090a0b0c0d0e);
	assert_memory_equal(b.p, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe", 14);
	bt_buf_fini(&b);
}

static void
printed_text_has_any_length_and_no_nul(void **state)
{
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 3 + 255 + 256 + 3000);
	assert_int_equal(bt_buf_printf(&b, "%s", "abc"), 0);
	assert_int_equal(bt_buf_printf(&b, "%0255d", 1), 0);
	assert_int_equal(bt_buf_printf(&b, "%0256d", 2), 0);
	assert_int_equal(bt_buf_printf(&b, "%03000d", 3), 0);
	assert_int_equal(b.n, b.max);
	assert_int_equal(b.p[2], 'c');
	assert_int_equal(b.p[3], '0');
	assert_int_equal(b.p[3 + 254], '1');
	assert_int_equal(b.p[3 + 255 + 255], '2');
	assert_int_equal(b.p[b.n - 1], '3');
	assert_null(memchr(b.p, '\0', b.n));
	bt_buf_fini(&b);
}

static void
dropping_moves_the_rest_to_the_front(void **state)
{
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 10);
	bt_buf_puts(&b, "0123456789");
	bt_buf_drop(&b, 4);
	assert_true(bt_str_eq(bt_buf_str(&b), STR("456789")));
	assert_int_equal(bt_buf_puts(&b, "abcd"), 0);
	bt_buf_drop(&b, 10);
	assert_int_equal(b.n, 0);
	bt_buf_puts(&b, "x");
	bt_buf_clear(&b);
	assert_int_equal(b.n, 0);
	bt_buf_fini(&b);
	assert_null(b.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_kept_in_order_while_it_grows),
		cmocka_unit_test(nothing_is_added_beyond_the_ceiling),
		cmocka_unit_test(a_ceiling_of_zero_holds_nothing),
		cmocka_unit_test(room_may_be_filled_by_hand),
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(printed_text_has_any_length_and_no_nul),
		cmocka_unit_test(dropping_moves_the_rest_to_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
