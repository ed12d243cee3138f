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

/* A torrent of n files, each of one path of `parts` strings and its number. */
static void
put_files(size_t n, const char *part, size_t parts)
{
	begin();
	bt_buf_puts(&text, "d5:filesl");
	for (size_t i = 0; i < n; i++) {
		bt_buf_puts(&text, "d6:lengthi1e4:pathl");
		put_times(part, parts);
		bt_buf_printf(&text, "8:%08zuee", i);
	}
	bt_buf_puts(&text, "e4:name1:d" PL "6:pieces20:aaaaaaaaaaaaaaaaaaaaee");
}

/*
 * Each folder of a path was looked up among all paths: 60000 of them, each by
 * comparing up to 120000 bytes, took half a minute a file.
 */
static void
long_paths_cost_no_more_than_their_bytes(void **state)
{
	char part[256] = "250:";

	(void)state;
	put_files(20, "1:a", 60000);
	assert_true(lint().errors > 0);
	assert_told("path-long info.files[19].path\n");
	/* the same with short lists of names that are paths themselves */
	for (size_t i = 0; i < 250; i++)
		part[4 + i] = i % 2 == 0 ? 'a' : '/';
	put_files(2000, part, 16);
	assert_true(lint().errors > 0);
	assert_told("path-separator info.files[0].path[15]\n");
}

static void
each_path_beneath_a_file_is_told(void **state)
{
	const char *paths = "d6:lengthi1e4:pathl1:aee"	     /* 0: a */
			    "d6:lengthi1e4:pathl1:a1:b1:cee" /* 1: a/b/c */
			    "d6:lengthi1e4:pathl2:a!ee"	     /* 2: a! */
			    "d6:lengthi1e4:pathl1:a1:bee"    /* 3: a/b */
			    "d6:lengthi1e4:pathl1:A1:xee"    /* 4: A/x */
			    "d6:lengthi1e4:pathl1:aee";	     /* 5: a */

	(void)state;
	begin();
	bt_buf_printf(&text,
	    "d5:filesl%se4:name1:d" PL "6:pieces20:aaaaaaaaaaaaaaaaaaaaee",
	    paths);
	assert_int_equal(lint().errors, 3);
	assert_told("file-and-folder info.files[1]\n");
	assert_told("file-and-folder info.files[3]\n");
	assert_told("duplicate-path info.files[5]\n");
}

/* As deep as can be, and wide at each level: all names are seen once. */
static void
every_name_of_a_deep_tree_is_looked_at(void **state)
{
	struct bt_lint_totals t;
	size_t depth = 120, wide = 50;

	(void)state;
	begin();
	bt_buf_puts(&text, "d9:file tree");
	for (size_t i = 0; i < depth; i++) {
		bt_buf_puts(&text, "d");
		for (size_t k = 0; k < wide; k++) /* no name on Windows */
			bt_buf_printf(&text, "4:a%02zu:" EMPTY, k);
		bt_buf_puts(&text, "1:b");
	}
	bt_buf_puts(&text, EMPTY);
	put_times("e", depth);
	bt_buf_puts(&text, V2 "4:name1:d" PL "ee");
	t = lint();
	assert_int_equal(t.errors, 0);
	assert_int_equal(t.warnings, depth * wide);
	assert_told("windows-name info.file tree.a00:\n");
	assert_told("windows-name info.file tree.b.a49:\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_name_longer_than_a_path_leaves_no_room_for_paths),
		cmocka_unit_test(too_many_pieces_are_an_error),
		cmocka_unit_test(long_paths_cost_no_more_than_their_bytes),
		cmocka_unit_test(each_path_beneath_a_file_is_told),
		cmocka_unit_test(every_name_of_a_deep_tree_is_looked_at),
		cmocka_unit_test(
		    the_name_of_a_hybrid_is_the_one_that_readers_take),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	bt_buf_fini(&text);
	bt_buf_fini(&told);
	return rc;
}
