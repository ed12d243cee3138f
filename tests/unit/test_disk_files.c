/*
 * The life of a file: .part, adopted, finished, on the side, or of no bytes.
 */
#include "disk/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files_rig.h"

static void
a_file_is_part_until_it_is_finished(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;

	assert_int_equal(tmp_count(*state), 0);
	write_all(f, l, 7);
	expect_all(f, l, 9);
	assert_true(tmp_has(*state, "T/a.part"));
	assert_true(tmp_has(*state, "T/d/b.part"));
	assert_false(tmp_has(*state, "T/a"));
	for (uint32_t i = 0; i < 3; i++)
		must(bt_files_finish(f, i, &err), &err);
	assert_false(tmp_has(*state, "T/a.part"));
	expect_file(l, 0, *state, "T/a");
	expect_file(l, 1, *state, "T/d/b");
	expect_file(l, 2, *state, "T/c");
	expect_all(f, l, 53);
	bt_files_close(f);
	f = open_conf(&(struct bt_files_conf){
	    .layout = l, .root = *state, .mode = BT_FILES_READ });
	expect_all(f, l, 16);
	bt_files_close(f);
	bt_layout_free(l);
}

static void
finishing_never_replaces_a_file_and_names_it(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(*state, "T/a");

	write_all(f, l, 53);
	tmp_write(path, "mine", 4);
	assert_int_equal(bt_files_finish(f, 0, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a': File exists"));
	tmp_expect(path, "mine", 4);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
}

static void
what_lies_there_is_compared_and_never_written(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f;
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l);
	char *path = tmp_path(*state, "T/a");

	tmp_put(*state, "T/a", content, 10);
	f = open_write(l, *state);
	must(bt_files_write(f, 0, content, 53, &err), &err);
	content[5] ^= 1;
	assert_int_equal(bt_files_write(f, 0, content, 16, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a' exists with other content"));
	must(bt_files_finish(f, 0, &err), &err);
	expect_file(l, 0, *state, "T/a");
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
	bt_mem_free(content);
}

static void
adopting_turns_what_lies_there_into_a_part_that_is_cut_when_whole(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f;
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;

	tmp_put(*state, "T/a", "longer than the ten bytes", 25);
	f = open_write(l, *state);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_FINAL);
	assert_int_equal(st.size, 25);
	must(bt_files_adopt(f, 0, &err), &err);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_PART);
	write_all(f, l, 53);
	must(bt_files_finish(f, 0, &err), &err);
	expect_file(l, 0, *state, "T/a");
	must(bt_files_adopt(f, 1, &err), &err); /* a .part is one already */
	bt_files_close(f);
	bt_layout_free(l);
}

static void
padding_is_never_made_and_reads_as_zeros(void **state)
{
	static const struct made_file padded[] = {
		{ "T/a", 10, 0 },
		{ "T/.pad/6", 6, BT_META_PAD },
		{ "T/b", 5, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, padded);
	struct bt_files *f = open_write(l, *state);

	write_all(f, l, 21);
	expect_all(f, l, 3);
	assert_false(tmp_has(*state, "T/.pad"));
	bt_files_close(f);
	bt_layout_free(l);
}

static void
empty_files_and_their_folders_are_made_and_x_is_executable(void **state)
{
	static const struct made_file empties[] = {
		{ "T/x/y/none", 0, 0 },
		{ "T/run", 4, BT_META_EXEC },
		{ "T/run0", 0, BT_META_EXEC },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, empties);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	mode_t mask = umask(027);
	struct stat st;
	char *path = tmp_path(*state, "T/run");

	must(bt_files_make_empty(f, &err), &err);
	must(bt_files_make_empty(f, &err), &err); /* as after a restart */
	assert_true(tmp_has(*state, "T/x/y/none"));
	write_all(f, l, 4);
	must(bt_files_finish(f, 1, &err), &err);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	bt_mem_free(path);
	path = tmp_path(*state, "T/run0");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
}

static void
an_empty_file_is_not_made_of_one_that_holds_bytes(void **state)
{
	static const struct made_file empties[] = {
		{ "T/none", 0, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, empties);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(*state, "T/none");

	tmp_put(*state, "T/none", "mine", 4);
	assert_int_equal(bt_files_make_empty(f, &err), -1);
	assert_non_null(strstr(err.text, "File exists"));
	tmp_expect(path, "mine", 4);
	must(bt_files_adopt(f, 0, &err), &err);
	must(bt_files_make_empty(f, &err), &err);
	tmp_expect(path, "", 0);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
}

static void
what_lies_there_and_goes_on_past_the_end_is_other_content(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l);
	struct bt_files *f;

	tmp_put(*state, "T/a", content, 11);
	f = open_write(l, *state);
	write_all(f, l, 53);
	assert_int_equal(bt_files_finish(f, 0, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a' exists with other content"));
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(content);
}

static void
bytes_of_files_not_selected_go_to_the_side_and_leave_no_stray_file(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_selected(l, *state, 1);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;

	write_all(f, l, 53);
	expect_all(f, l, 53);
	assert_true(tmp_has(*state, ".T.abcdef01.side"));
	assert_false(tmp_has(*state, "T/a.part"));
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_SIDE);
	must(bt_files_finish(f, 0, &err), &err);
	must(bt_files_finish(f, 1, &err), &err);
	bt_files_close(f);
	f = open_selected(l, *state, 1); /* as after a restart */
	expect_all(f, l, 53);
	bt_files_drop_side(f);
	bt_files_close(f);
	assert_int_equal(tmp_count(*state), 1);
	expect_file(l, 1, *state, "T/d/b");
	bt_layout_free(l);
}

static void
a_file_not_selected_that_is_there_already_is_read_but_not_touched(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l), got[10];
	struct bt_files *f;
	char *path;

	tmp_put(*state, "T/a", content, 10);
	tmp_put(*state, "T/c", "other content", 13);
	f = open_selected(l, *state, 1);
	must(bt_files_read(f, 0, got, 10, &err), &err);
	assert_memory_equal(got, content, 10);
	write_all(f, l, 53);
	expect_all(f, l, 53);
	bt_files_close(f);
	path = tmp_path(*state, "T/c");
	tmp_expect(path, "other content", 13);
	bt_layout_free(l);
	bt_mem_free(content);
	bt_mem_free(path);
}

static void
no_side_file_is_made_where_it_is_not_needed(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_selected(l, *state, 1);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l), got[10];

	must(bt_files_write(f, 16, content + 16, 16, &err), &err);
	assert_int_equal(bt_files_read(f, 0, got, 10, &err), -1);
	assert_int_equal(tmp_count(*state), 1);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(content);
}

static void
anonymous_content_has_no_name_anywhere(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = *state,
	    .mode = BT_FILES_WRITE,
	    .anonymous = true });
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;

	must(bt_files_make_empty(f, &err), &err);
	write_all(f, l, 7);
	expect_all(f, l, 53);
	must(bt_files_finish(f, 0, &err), &err);
	must(bt_files_sync(f, &err), &err);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_ABSENT);
	assert_int_equal(tmp_count(*state), 0);
	bt_files_close(f);
	bt_layout_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(a_file_is_part_until_it_is_finished),
		tmp_test(finishing_never_replaces_a_file_and_names_it),
		tmp_test(what_lies_there_is_compared_and_never_written),
		tmp_test(
		    adopting_turns_what_lies_there_into_a_part_that_is_cut_when_whole),
		tmp_test(padding_is_never_made_and_reads_as_zeros),
		tmp_test(
		    empty_files_and_their_folders_are_made_and_x_is_executable),
		tmp_test(an_empty_file_is_not_made_of_one_that_holds_bytes),
		tmp_test(
		    what_lies_there_and_goes_on_past_the_end_is_other_content),
		tmp_test(
		    bytes_of_files_not_selected_go_to_the_side_and_leave_no_stray_file),
		tmp_test(
		    a_file_not_selected_that_is_there_already_is_read_but_not_touched),
		tmp_test(no_side_file_is_made_where_it_is_not_needed),
		tmp_test(anonymous_content_has_no_name_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
