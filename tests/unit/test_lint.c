/* Torrents that are made to hurt who looks at them; tests/e2e has each id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "codec/lint.h"
#include "codec/metainfo.h"

#define EMPTY "d0:d6:lengthi0eee"
#define PL "12:piece lengthi16384e"
#define R32 "32:rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
#define V2 "12:meta versioni2e"

static struct bt_buf text;
/* What was found: "ID WHERE" of each, a line each. */
static struct bt_buf told;

static void
begin(void)
{
	bt_buf_fini(&text);
	bt_buf_init(&text, 1 << 28);
	bt_buf_puts(&text, "d4:info");
}

/* n times the same byte, as a string. */
static void
put_run(char c, size_t n)
{
	bt_buf_printf(&text, "%zu:", n);
	memset(bt_buf_room(&text, n), c, n);
	text.n += n;
}

static void
put_times(const char *s, size_t n)
{
	while (n-- > 0)
		bt_buf_puts(&text, s);
}

static void
on_finding(void *arg, const struct bt_lint_finding *f)
{
	(void)arg;
	bt_buf_printf(&told, "%s %s\n", f->rule->id, f->where);
}

static struct bt_lint_totals
lint(void)
{
	struct bt_lint_totals t;

	bt_buf_fini(&told);
	bt_buf_init(&told, 1 << 20);
	bt_lint_run(bt_buf_str(&text), on_finding, NULL, &t);
	bt_buf_putc(&told, '\0');
	return t;
}

static void
assert_told(const char *line)
{
	if (strstr((const char *)told.p, line) == NULL)
		fail_msg("no '%s' in '%s'", line, (const char *)told.p);
}

/* The name alone is longer than a path may be: what is beneath it is bounded. */
static void
a_name_longer_than_a_path_leaves_no_room_for_paths(void **state)
{
	size_t depth = 100;

	(void)state;
	begin();
	bt_buf_puts(&text, "d9:file tree");
	for (size_t i = 0; i < depth; i++) {
		bt_buf_puts(&text, "d");
		put_run('a', 200);
	}
	bt_buf_puts(&text, EMPTY);
	put_times("e", depth);
	bt_buf_puts(&text, V2 "4:name");
	put_run('n', 5000);
	bt_buf_puts(&text, PL "ee");
	assert_true(lint().errors > 0);
	assert_told("path-long info.name\n");
}

/* The parser refuses it, and so there is an error. */
static void
too_many_pieces_are_an_error(void **state)
{
	(void)state;
	begin();
	bt_buf_puts(&text,
	    "d9:file treed1:ad0:d6:lengthi85899345921e11:pieces root" R32
	    "eee" V2 "4:name1:a" PL "ee");
	assert_true(lint().errors > 0);
	assert_told("piece-count info.file tree\n");
	begin();
	bt_buf_puts(&text, "d9:file treed1:a" EMPTY "e" V2 "4:name1:a" PL "ee");
	assert_true(lint().errors == 0);
}

/* A hybrid of one file, by the old name, by the new one, and in its tree. */
static bool
has_mismatch(const char *name, const char *name8, const char *in_tree)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;
	bool refused;

	begin();
	bt_buf_printf(&text,
	    "d9:file treed%zu:%sd0:d6:lengthi5e11:pieces root" R32
	    "eee6:lengthi5e" V2 "4:name%zu:%s10:name.utf-8%zu:%s" PL
	    "6:pieces20:aaaaaaaaaaaaaaaaaaaaee",
	    strlen(in_tree), in_tree, strlen(name), name, strlen(name8), name8);
	lint();
	refused = bt_meta_parse(bt_buf_str(&text), &m, &err) == -1;
	if (!refused)
		bt_meta_fini(&m);
	assert_int_equal(
	    refused, strstr((const char *)told.p, "v1-v2-mismatch") != NULL);
	return refused;
}

static void
the_name_of_a_hybrid_is_the_one_that_readers_take(void **state)
{
	(void)state;
	assert_false(has_mismatch("\xe9", "\xc3\xa9", "\xc3\xa9"));
	assert_true(has_mismatch("e", "\xc3\xa9", "e"));
	/* not UTF-8, or no name at all: the old one counts */
	assert_false(has_mismatch("e", "\xe9", "e"));
	assert_false(has_mismatch("e", "..", "e"));
	assert_true(has_mismatch("e", "..", "x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_name_longer_than_a_path_leaves_no_room_for_paths),
		cmocka_unit_test(too_many_pieces_are_an_error),
		cmocka_unit_test(
		    the_name_of_a_hybrid_is_the_one_that_readers_take),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	bt_buf_fini(&text);
	bt_buf_fini(&told);
	return rc;
}
