/*
 * Which path a file has, and what may not stand in its way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files_rig.h"

static void
the_content_s_own_path_stands_for_its_name(void **state)
{
	static const struct made_file one[] = {
		{ "name", 20, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *single = made_layout("name", 16, one);
	struct bt_layout *multi = made_layout("T", 16, three);
	uint8_t *c = made_content(multi);
	struct bt_files_conf conf = { .layout = single, .mode = BT_FILES_READ };
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	char *path = tmp_path(*state, "link"), *folder, *p;

	tmp_put(*state, "file", c, 20);
	assert_int_equal(symlink("file", path), 0);
	conf.content = path; /* the user's own link is followed */
	f = open_conf(&conf);
	expect_all(f, single, 20);
	p = bt_files_path(f, 0);
	assert_string_equal(p, path);
	bt_mem_free(p);
	bt_files_close(f);
	tmp_put(*state, "other/a", c, 10);
	tmp_put(*state, "other/d/b", c + 10, 30);
	tmp_put(*state, "other/c", c + 40, 13);
	folder = tmp_path(*state, "other");
	conf = (struct bt_files_conf){ .layout = multi, .content = folder };
	f = open_conf(&conf);
	expect_all(f, multi, 20);
	p = bt_files_path(f, 1);
	assert_non_null(strstr(p, "/other/d/b"));
	bt_mem_free(p);
	bt_files_close(f);
	conf.content = "/nonexistent/path";
	assert_int_equal(bt_files_open(&f, &conf, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "/nonexistent/path"));
	bt_layout_free(single);
	bt_layout_free(multi);
	bt_mem_free(folder);
	bt_mem_free(path);
	bt_mem_free(c);
}

static void
one_file_of_many_may_have_a_path_of_its_own(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	char *path = tmp_path(*state, "wanted"), *p;
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	struct bt_bits bits;

	bt_bits_init(&bits, 3);
	bt_bits_put(&bits, 1);
	f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = *state,
	    .mode = BT_FILES_WRITE,
	    .selected = &bits,
	    .only_path = path,
	    .only = 1 });
	write_all(f, l, 53);
	expect_all(f, l, 53);
	assert_true(tmp_has(*state, "wanted.part"));
	assert_false(tmp_has(*state, "T"));
	must(bt_files_finish(f, 1, &err), &err);
	expect_file(l, 1, *state, "wanted");
	p = bt_files_path(f, 1);
	assert_string_equal(p, path);
	bt_files_drop_side(f);
	assert_int_equal(tmp_count(*state), 1);
	bt_files_close(f);
	bt_bits_fini(&bits);
	bt_layout_free(l);
	bt_mem_free(path);
	bt_mem_free(p);
}

/* What leads out is refused, and nothing is made or read outside. */
static void
no_path_leads_out_of_the_folder(void **state)
{
	static const struct {
		const char *name, *path;
	} evil[] = { { "..", "../out" }, { "T", "T/../../out" },
		{ "", "/tmp/bt-test-out" }, { "T", "T//out" }, { ".", "./out" },
		{ "T", "T/.." }, { "..", ".." }, { "", "" } };
	struct bt_err err = BT_ERR_INIT;
	char *inner = tmp_path(*state, "inner");
	uint8_t byte = 'x';

	assert_int_equal(mkdir(inner, 0777), 0);
	tmp_put(*state, "out", "y", 1);
	for (size_t i = 0; i < sizeof(evil) / sizeof(*evil); i++) {
		struct made_file files[] = { { evil[i].path, 1, 0 },
			{ NULL, 0, 0 } };
		struct bt_layout *l = made_layout(evil[i].name, 16, files);
		struct bt_files *f = open_write(l, inner);

		assert_int_equal(bt_files_write(f, 0, &byte, 1, &err), -1);
		assert_int_equal(err.kind, BT_EFILE);
		assert_non_null(strstr(err.text, "leads out of"));
		assert_int_equal(bt_files_read(f, 0, &byte, 1, &err), -1);
		assert_int_equal(byte, 'x');
		bt_files_close(f);
		bt_layout_free(l);
	}
	assert_int_equal(tmp_count(inner), 0);
	assert_int_equal(tmp_count(*state), 2);
	bt_mem_free(inner);
}

/* A link planted in the output is never followed: not to write, not to read. */
static void
a_link_in_the_way_is_refused_and_named(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	char *inner = tmp_path(*state, "inner"), *d, *a, *out;
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	uint8_t got[16] = { 0 };

	tmp_put(*state, "inner/T/x", "", 0);
	tmp_put(*state, "out/b.part", "0123456789012345678901234567890", 30);
	d = tmp_path(*state, "inner/T/d");
	a = tmp_path(*state, "inner/T/a.part");
	out = tmp_path(*state, "out");
	assert_int_equal(symlink(out, d), 0);
	assert_int_equal(symlink("../../out/b.part", a), 0);
	f = open_write(l, inner);
	assert_int_equal(bt_files_write(f, 0, got, 10, &err), -1);
	assert_non_null(strstr(err.text, "T/a"));
	assert_non_null(strstr(err.text, "a symbolic link is in the way"));
	assert_int_equal(bt_files_write(f, 10, got, 10, &err), -1);
	assert_non_null(strstr(err.text, "T/d/b"));
	assert_non_null(strstr(err.text, "a symbolic link is in the way"));
	assert_int_equal(bt_files_read(f, 10, got, 10, &err), -1);
	assert_int_equal(got[0], 0);
	bt_files_close(f);
	bt_mem_free(d);
	d = tmp_path(*state, "out/b.part");
	tmp_expect(d, "0123456789012345678901234567890", 30);
	bt_layout_free(l);
	bt_mem_free(inner);
	bt_mem_free(out);
	bt_mem_free(d);
	bt_mem_free(a);
}

static void
a_pipe_or_a_folder_in_the_way_is_an_error_and_no_wait(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	char *fifo = tmp_path(*state, "T/a.part");
	char *folder = tmp_path(*state, "T/c");
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	uint8_t bytes[16] = { 0 };

	tmp_put(*state, "T/x", "", 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(bt_files_write(f, 0, bytes, 10, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a"));
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(bt_files_write(f, 40, bytes, 13, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/c': Is a directory"));
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(folder);
	bt_mem_free(fifo);
}

static void
a_symbolic_link_of_the_torrent_is_refused_by_name_if_selected(void **state)
{
	static const struct made_file linked[] = {
		{ "T/a", 10, 0 },
		{ "T/link", 0, BT_META_LINK },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, linked);
	struct bt_files_conf conf = {
		.layout = l, .root = *state, .mode = BT_FILES_WRITE
	};
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;

	assert_int_equal(bt_files_open(&f, &conf, &err), -1);
	assert_int_equal(err.kind, BT_EINPUT);
	assert_non_null(strstr(err.text, "T/link"));
	bt_files_close(open_selected(l, *state, 0));
	bt_layout_free(l);
}

static void
the_longest_names_work_and_longer_ones_are_clear_errors(void **state)
{
	char name[2 + 300 + 1] = "T/";
	struct bt_err err = BT_ERR_INIT;

	for (size_t n = 250; n <= 256; n++) {
		struct made_file files[] = { { name, 1, 0 }, { "T/x", 1, 0 },
			{ NULL, 0, 0 } };
		struct bt_layout *l;
		struct bt_files *f;

		memset(name + 2, 'n', n);
		name[2 + n] = '\0';
		l = made_layout("T", 16, files);
		f = open_write(l, *state);
		if (n <= 255) {
			write_all(f, l, 1);
			must(bt_files_finish(f, 0, &err), &err);
			assert_true(tmp_has(*state, name));
			must(bt_files_finish(f, 1, &err), &err);
		} else {
			assert_int_equal(
			    bt_files_write(f, 0, (uint8_t *)name, 1, &err), -1);
			assert_non_null(strstr(err.text, "File name too long"));
		}
		bt_files_close(f);
		bt_layout_free(l);
	}
}

static void
a_file_called_like_another_s_part_is_kept_apart(void **state)
{
	static const struct made_file alike[] = {
		{ "T/a", 10, 0 },
		{ "T/a.part", 30, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, alike);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;

	write_all(f, l, 16);
	expect_all(f, l, 40);
	must(bt_files_finish(f, 1, &err), &err);
	must(bt_files_finish(f, 0, &err), &err);
	expect_file(l, 0, *state, "T/a");
	expect_file(l, 1, *state, "T/a.part");
	bt_files_close(f);
	bt_layout_free(l);
}

static void
a_root_is_made_but_not_its_parent_and_space_is_told(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files_conf conf = { .layout = l,
		.root = "/nonexistent/deeper",
		.mode = BT_FILES_WRITE };
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(*state, "new");
	struct bt_files *f;
	uint64_t free_bytes = 0;

	assert_int_equal(bt_files_open(&f, &conf, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	conf.root = path;
	f = open_conf(&conf);
	assert_true(tmp_has(*state, "new"));
	must(bt_files_space(f, &free_bytes, &err), &err);
	assert_true(free_bytes > 0);
	bt_files_close(f);
	conf = (struct bt_files_conf){ .layout = l, .root = *state };
	assert_int_equal(bt_files_open(&f, &conf, &err), -1); /* no T there */
	assert_int_equal(err.kind, BT_EFILE);
	bt_layout_free(l);
	bt_mem_free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(the_content_s_own_path_stands_for_its_name),
		tmp_test(one_file_of_many_may_have_a_path_of_its_own),
		tmp_test(no_path_leads_out_of_the_folder),
		tmp_test(a_link_in_the_way_is_refused_and_named),
		tmp_test(a_pipe_or_a_folder_in_the_way_is_an_error_and_no_wait),
		tmp_test(
		    a_symbolic_link_of_the_torrent_is_refused_by_name_if_selected),
		tmp_test(
		    the_longest_names_work_and_longer_ones_are_clear_errors),
		tmp_test(a_file_called_like_another_s_part_is_kept_apart),
		tmp_test(a_root_is_made_but_not_its_parent_and_space_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
