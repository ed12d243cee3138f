#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/out.h"
#include "cli/progress.h"

/* An output into memory, as a pipe would see it. */
struct sink {
	struct bt_out out;
	char *text;
	size_t n;
	FILE *fp;
};

static void
begin(struct sink *s)
{
	s->fp = open_memstream(&s->text, &s->n);
	assert_non_null(s->fp);
	s->out = (struct bt_out){ .fp = s->fp };
}

static void
assert_wrote(struct sink *s, const char *want)
{
	assert_int_equal(bt_out_flush(&s->out), 0);
	assert_string_equal(s->text, want);
	fclose(s->fp);
	free(s->text);
}

static void
assert_size(uint64_t bytes, const char *want)
{
	char text[BT_OUT_SIZE_LEN];

	assert_string_equal(bt_out_size(text, bytes), want);
}

static void
sizes_are_exact_below_a_kibibyte_and_rounded_above(void **state)
{
	(void)state;
	assert_size(0, "0 B");
	assert_size(1023, "1023 B");
	assert_size(1024, "1.0 KiB");
	assert_size(1536, "1.5 KiB");
	assert_size(1288490189, "1.2 GiB");
	assert_size(((uint64_t)1 << 30) - 1, "1.0 GiB");
	assert_size(1048524, "1023.9 KiB");
	assert_size(1048525, "1.0 MiB");
	assert_size(UINT64_MAX, "16.0 EiB");
}

static void
assert_escaped(struct bt_str in, bool tty, const char *want)
{
	struct bt_buf b;

	bt_buf_init(&b, 4096);
	assert_int_equal(bt_out_escape(&b, in, tty), 0);
	bt_buf_putc(&b, 0);
	assert_string_equal((char *)b.p, want);
	bt_buf_fini(&b);
}

static void
control_bytes_of_a_name_never_go_out_raw(void **state)
{
	(void)state;
	for (int tty = 0; tty < 2; tty++) {
		assert_escaped(STR("a\033[2Jb\n\t\0c\177"), tty,
		    "a\\x1b[2Jb\\x0a\\x09\\x00c\\x7f");
		assert_escaped(STR("na\xc3\xafve \xe2\x82\xac"), tty,
		    "na\xc3\xafve \xe2\x82\xac");
	}
}

static void
a_terminal_is_spared_what_is_not_utf8_and_the_c1_controls(void **state)
{
	(void)state;
	assert_escaped(STR("a\xff\xc3"), true, "a\\xff\\xc3");
	assert_escaped(STR("a\xff\xc3"), false, "a\xff\xc3");
	assert_escaped(STR("\xc2\x9b"
			   "2J"),
	    true,
	    "\\xc2\\x9b"
	    "2J");
	/* a surrogate, an overlong slash, and beyond U+10FFFF (RFC 3629) */
	assert_escaped(STR("\xed\xa0\x80"), true, "\\xed\\xa0\\x80");
	assert_escaped(STR("\xc0\xaf"), true, "\\xc0\\xaf");
	assert_escaped(STR("\xf4\x90\x80\x80"), true, "\\xf4\\x90\\x80\\x80");
}

static void
fields_in_a_pipe_are_label_tab_raw_value(void **state)
{
	struct sink s;

	(void)state;
	begin(&s);
	bt_out_field(&s.out, "name", STR("a\nb"));
	bt_out_field_num(&s.out, "pieces", 17);
	bt_out_field_size(&s.out, "size", 1288490189);
	bt_out_field_date(&s.out, "date", 0);
	assert_wrote(&s, "name\ta\\x0ab\npieces\t17\nsize\t1288490189\n"
			 "date\t0\n");
}

static void
fields_on_a_terminal_are_aligned_and_human(void **state)
{
	struct sink s;

	(void)state;
	begin(&s);
	s.out.tty = true;
	bt_out_field(&s.out, "name", STR("x"));
	bt_out_field_size(&s.out, "size", 1536);
	/* date -u -d @1234567890 */
	bt_out_field_date(&s.out, "date", 1234567890);
	bt_out_field_date(&s.out, "date", INT64_MAX);
	assert_wrote(&s, "name            x\n"
			 "size            1.5 KiB (1536 bytes)\n"
			 "date            2009-02-13 23:31:30 UTC\n"
			 "date            9223372036854775807\n");
}

/* However a long name is cut inside, no character of it is split. */
static void
a_long_name_is_written_whole(void **state)
{
	struct sink s;
	char name[3 * 5000 + 2];
	size_t lead;

	(void)state;
	for (lead = 0; lead < 3; lead++) {
		memset(name, 'x', lead);
		for (size_t i = 0; i < 5000; i++)
			memcpy(name + lead + 3 * i, "\xe2\x82\xac", 3);
		begin(&s);
		s.out.tty = true;
		bt_out_name(
		    &s.out, (struct bt_str){ (uint8_t *)name, lead + 15000 });
		assert_int_equal(bt_out_flush(&s.out), 0);
		assert_int_equal(s.n, lead + 15000);
		assert_memory_equal(s.text, name, s.n);
		fclose(s.fp);
		free(s.text);
	}
}

static void
a_failed_write_is_remembered_until_the_end(void **state)
{
	struct bt_out o;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	bt_out_init(&o, full);
	assert_false(o.tty);
	bt_out_printf(&o, "x");
	assert_int_equal(bt_out_flush(&o), -1);
	assert_int_equal(o.error, ENOSPC);
	bt_out_on_error(&o, EPIPE);
	assert_int_equal(bt_out_flush(&o), -1);
	assert_int_equal(o.error, ENOSPC);
	fclose(full);
}

/* Both on one terminal: the line is wiped before a path is printed. */
static void
the_progress_line_gives_way_to_what_is_printed(void **state)
{
	static const char wiped_then[] = "\r\033[Ka path\n";
	struct bt_progress bar;
	struct sink s;

	(void)state;
	begin(&s);
	bt_progress_init(&bar, s.fp, true);
	s.out.tty = true;
	s.out.bar = &bar;
	bt_progress_draw(&bar, 1, 1, 2, NULL);
	bt_out_name(&s.out, STR("a path"));
	bt_out_printf(&s.out, "\n");
	assert_int_equal(bt_out_flush(&s.out), 0);
	assert_true(s.n > sizeof(wiped_then));
	assert_string_equal(
	    s.text + s.n - (sizeof(wiped_then) - 1), wiped_then);
	fclose(s.fp);
	free(s.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    sizes_are_exact_below_a_kibibyte_and_rounded_above),
		cmocka_unit_test(control_bytes_of_a_name_never_go_out_raw),
		cmocka_unit_test(
		    a_terminal_is_spared_what_is_not_utf8_and_the_c1_controls),
		cmocka_unit_test(fields_in_a_pipe_are_label_tab_raw_value),
		cmocka_unit_test(fields_on_a_terminal_are_aligned_and_human),
		cmocka_unit_test(a_long_name_is_written_whole),
		cmocka_unit_test(
		    the_progress_line_gives_way_to_what_is_printed),
		cmocka_unit_test(a_failed_write_is_remembered_until_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
