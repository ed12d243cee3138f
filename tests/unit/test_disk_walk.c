#include "disk/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk_tmp.h"

/* The paths found, one a line, or the error's text; gives, free() it. */
static char *
walked(const char *root, bool lenient,
    bool (*skip)(void *arg, const char *path, bool is_dir))
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_walk w;
	char *out = NULL;
	size_t n;
	FILE *f = open_memstream(&out, &n);

	assert_non_null(f);
	if (bt_walk_run(&w, root, lenient, skip, NULL, &err) == -1) {
		fputs(err.text, f);
	} else {
		for (size_t i = 0; i < w.n; i++)
			fprintf(f, "%s\n", w.files[i].path);
		bt_walk_fini(&w);
	}
	fclose(f);
	return out;
}

static void
expect(const char *root, bool lenient,
    bool (*skip)(void *arg, const char *path, bool is_dir), const char *want)
{
	char *got = walked(root, lenient, skip);

	assert_string_equal(got, want);
	free(got);
}

static void
files_come_in_byte_order_component_by_component(void **state)
{
	tmp_put(*state, "a.txt", "", 0);
	tmp_put(*state, "a/z", "", 0);
	tmp_put(*state, "a/b/c", "", 0);
	tmp_put(*state, "B", "", 0);
	tmp_put(*state, "\xc3\xa9", "", 0);
	tmp_put(*state, "a-", "", 0);
	tmp_put(*state, ".hidden", "", 0);
	expect(*state, false, NULL,
	    ".hidden\nB\na/b/c\na/z\na-\na.txt\n\xc3\xa9\n");
}

static void
size_and_mode_are_the_file_s(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(*state, "tool");
	struct bt_walk w;

	tmp_put(*state, "data", "12345", 5);
	tmp_put(*state, "tool", "1", 1);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(bt_walk_run(&w, *state, false, NULL, NULL, &err), 0);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.files[0].size, 5);
	assert_false(w.files[0].executable);
	assert_int_equal(w.files[1].size, 1);
	assert_true(w.files[1].executable);
	bt_walk_fini(&w);
	free(path);
}

static void
links_are_not_followed(void **state)
{
	char *a = tmp_path(*state, "link"), *b = tmp_path(*state, "loop");

	tmp_put(*state, "f", "1", 1);
	assert_int_equal(symlink("f", a), 0);
	assert_int_equal(symlink(".", b), 0);
	expect(*state, false, NULL, "f\n");
	expect(*state, true, NULL, "f\n");
	free(a);
	free(b);
}

static bool
skip_link(void *arg, const char *path, bool is_dir)
{
	(void)arg;
	return !is_dir && strcmp(path, "link") == 0;
}

static void
what_is_no_file_is_counted_unless_it_is_left_out(void **state)
{
	char *link = tmp_path(*state, "link"), *pipe = tmp_path(*state, "pipe");
	struct bt_err err = BT_ERR_INIT;
	struct bt_walk w;

	tmp_put(*state, "f", "x", 1);
	assert_int_equal(symlink("nope", link), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(bt_walk_run(&w, *state, false, NULL, NULL, &err), 0);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.passed_over, 2);
	bt_walk_fini(&w);
	assert_int_equal(
	    bt_walk_run(&w, *state, false, skip_link, NULL, &err), 0);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.passed_over, 1);
	bt_walk_fini(&w);
	free(link);
	free(pipe);
}

static void
pipes_and_empty_folders_are_passed_over(void **state)
{
	char *a = tmp_path(*state, "fifo"), *b = tmp_path(*state, "folder");

	assert_int_equal(mkfifo(a, 0600), 0);
	assert_int_equal(mkdir(b, 0700), 0);
	expect(*state, true, NULL, "");
	free(a);
	free(b);
}

static bool
skip_git_and_objects(void *arg, const char *path, bool is_dir)
{
	size_t n = strlen(path);

	(void)arg;
	if (is_dir)
		return strcmp(path, "src/.git") == 0;
	return n > 2 && strcmp(path + n - 2, ".o") == 0;
}

static void
a_folder_left_out_goes_with_all_in_it(void **state)
{
	tmp_put(*state, "src/.git/HEAD", "", 0);
	tmp_put(*state, "src/a.c", "", 0);
	tmp_put(*state, "src/a.o", "", 0);
	expect(*state, false, skip_git_and_objects, "src/a.c\n");
}

static void
a_root_that_is_missing_or_no_folder_is_an_error(void **state)
{
	char *a = tmp_path(*state, "nope"), *b = tmp_path(*state, "file"), *got;

	tmp_put(*state, "file", "", 0);
	got = walked(a, false, NULL);
	assert_non_null(strstr(got, "nope': No such file or directory"));
	free(got);
	got = walked(b, false, NULL);
	assert_non_null(strstr(got, "file': Not a directory"));
	free(got);
	free(a);
	free(b);
}

static void
a_tree_deeper_than_a_torrent_may_be_is_refused(void **state)
{
	char deep[2 * 200 + 1] = "", *got;

	for (int i = 0; i < 200; i++)
		strcat(deep, i == 199 ? "f" : "d/");
	tmp_put(*state, deep, "", 0);
	got = walked(*state, false, NULL);
	assert_non_null(strstr(got, "deeper than 128"));
	free(got);
	tmp_put(*state, "e", "", 0);
	expect(*state, true, NULL, "e\n");
}

/* Gone by the time that it is looked at. */
static bool
remove_it(void *arg, const char *path, bool is_dir)
{
	char *full;

	if (is_dir) {
		full = tmp_path(arg, path);
		assert_int_equal(rmdir(full), 0);
		free(full);
	}
	return false;
}

static void
what_cannot_be_looked_at_is_an_error_or_is_counted(void **state)
{
	char *folder = tmp_path(*state, "folder");
	struct bt_err err = BT_ERR_INIT;
	struct bt_walk w;

	tmp_put(*state, "z", "", 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(
	    bt_walk_run(&w, *state, false, remove_it, *state, &err), -1);
	assert_non_null(
	    strstr(err.text, "/folder': No such file or directory"));
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(
	    bt_walk_run(&w, *state, true, remove_it, *state, &err), 0);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.unseen, 1);
	bt_walk_fini(&w);
	free(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(files_come_in_byte_order_component_by_component),
		tmp_test(size_and_mode_are_the_file_s),
		tmp_test(links_are_not_followed),
		tmp_test(what_is_no_file_is_counted_unless_it_is_left_out),
		tmp_test(pipes_and_empty_folders_are_passed_over),
		tmp_test(a_folder_left_out_goes_with_all_in_it),
		tmp_test(a_root_that_is_missing_or_no_folder_is_an_error),
		tmp_test(a_tree_deeper_than_a_torrent_may_be_is_refused),
		tmp_test(what_cannot_be_looked_at_is_an_error_or_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
