#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"

static jmp_buf escape;
static size_t wanted;

static void
note_and_leave(size_t n)
{
	wanted = n;
	longjmp(escape, 1);
}

static int
restore_hook(void **state)
{
	(void)state;
	bt_mem_on_exhausted(NULL);
	return 0;
}

static void
a_product_that_wraps_is_out_of_memory(void **state)
{
	volatile size_t half = SIZE_MAX / 2 + 1;

	(void)state;
	bt_mem_on_exhausted(note_and_leave);
	wanted = 0;
	if (setjmp(escape) == 0)
		bt_mem_free(bt_mem_array(half, 2));
	assert_true(wanted == SIZE_MAX);
	wanted = 0;
	if (setjmp(escape) == 0)
		bt_mem_free(bt_mem_zero(2, half));
	assert_true(wanted == SIZE_MAX);
	wanted = 0;
	if (setjmp(escape) == 0)
		bt_mem_free(bt_mem_resize(NULL, half, half));
	assert_true(wanted == SIZE_MAX);
}

static void
no_memory_calls_the_hook_with_the_size(void **state)
{
	volatile size_t huge = SIZE_MAX / 2;

	(void)state;
	bt_mem_on_exhausted(note_and_leave);
	wanted = 0;
	if (setjmp(escape) == 0)
		bt_mem_free(bt_mem_alloc(huge));
	assert_true(wanted == huge);
}

static void
size_zero_gives_a_pointer_that_may_be_freed(void **state)
{
	void *p;

	(void)state;
	p = bt_mem_alloc(0);
	assert_non_null(p);
	p = bt_mem_resize(p, 0, 8);
	assert_non_null(p);
	bt_mem_free(p);
	p = bt_mem_zero(0, 0);
	assert_non_null(p);
	bt_mem_free(p);
	p = bt_mem_dup(NULL, 0);
	assert_non_null(p);
	bt_mem_free(p);
	bt_mem_free(NULL);
}

static void
zeroed_memory_is_zero_and_resizing_keeps_what_fits(void **state)
{
	uint8_t *p = bt_mem_zero(100, 3), none[300] = { 0 };

	(void)state;
	assert_memory_equal(p, none, 300);
	memset(p, 'x', 300);
	p = bt_mem_resize(p, 1000, 10);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(p[i], 'x');
	p = bt_mem_resize(p, 1, 2);
	assert_memory_equal(p, "xx", 2);
	bt_mem_free(p);
}

static void
pages_begin_where_a_page_does(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = bt_mem_pages(sizes[i]);

		assert_int_equal((uintptr_t)p % 4096, 0);
		if (sizes[i] > 0)
			memset(p, 1, sizes[i]);
		bt_mem_free(p);
	}
}

static void
copies_are_equal_and_apart(void **state)
{
	char text[] = "spam", *s = bt_mem_strdup(text);
	char *d = bt_mem_dup(text, 3);

	(void)state;
	text[0] = 'S';
	assert_string_equal(s, "spam");
	assert_memory_equal(d, "spa", 3);
	bt_mem_free(s);
	bt_mem_free(d);
}

static void
a_formatted_string_has_any_length(void **state)
{
	char *s = bt_mem_printf("%d-%05000d", 7, 1);

	(void)state;
	assert_int_equal(strlen(s), 5002);
	assert_memory_equal(s, "7-0", 3);
	assert_int_equal(s[5001], '1');
	bt_mem_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_product_that_wraps_is_out_of_memory, restore_hook),
		cmocka_unit_test_teardown(
		    no_memory_calls_the_hook_with_the_size, restore_hook),
		cmocka_unit_test(size_zero_gives_a_pointer_that_may_be_freed),
		cmocka_unit_test(
		    zeroed_memory_is_zero_and_resizing_keeps_what_fits),
		cmocka_unit_test(pages_begin_where_a_page_does),
		cmocka_unit_test(copies_are_equal_and_apart),
		cmocka_unit_test(a_formatted_string_has_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
