#include "disk/slurp.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk_tmp.h"

static void
a_file_is_read_whole(void **state)
{
	char *path = tmp_path(*state, "x");
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;

	tmp_write(path, "hello", 5);
	bt_buf_init(&b, 100);
	assert_int_equal(bt_slurp_file(path, &b, &err), 0);
	assert_int_equal(b.n, 5);
	assert_memory_equal(b.p, "hello", 5);
	bt_buf_fini(&b);
	free(path);
}

static void
a_file_as_large_as_the_ceiling_fits_and_one_byte_more_does_not(void **state)
{
	char *path = tmp_path(*state, "x");
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;

	tmp_write(path, "12345", 5);
	bt_buf_init(&b, 5);
	assert_int_equal(bt_slurp_file(path, &b, &err), 0);
	assert_int_equal(b.n, 5);
	bt_buf_fini(&b);
	bt_buf_init(&b, 4);
	assert_int_equal(bt_slurp_file(path, &b, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	assert_non_null(strstr(err.text, "larger than 4 bytes"));
	bt_buf_fini(&b);
	free(path);
}

static void
a_missing_file_and_a_folder_are_errors_that_name_them(void **state)
{
	char *path = tmp_path(*state, "nope");
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;

	bt_buf_init(&b, 100);
	assert_int_equal(bt_slurp_file(path, &b, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "nope': No such file"));
	assert_int_equal(bt_slurp_file(*state, &b, &err), -1);
	assert_non_null(strstr(err.text, "Is a directory"));
	bt_buf_fini(&b);
	free(path);
}

static void
a_pipe_is_read_to_its_end(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "abc", 3), 3);
	close(p[1]);
	bt_buf_init(&b, 100);
	assert_int_equal(bt_slurp_fd(p[0], "-", &b, &err), 0);
	assert_int_equal(b.n, 3);
	close(p[0]);
	bt_buf_fini(&b);
}

static void
nothing_is_overwritten_unless_asked_and_no_temporary_stays(void **state)
{
	char *path = tmp_path(*state, "x");
	struct bt_err err = BT_ERR_INIT;

	assert_int_equal(
	    bt_slurp_replace(path, STR("one"), false, NULL, &err), 0);
	tmp_expect(path, "one", 3);
	assert_int_equal(
	    bt_slurp_replace(path, STR("two"), false, NULL, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "File exists"));
	tmp_expect(path, "one", 3);
	assert_int_equal(
	    bt_slurp_replace(path, STR("two"), true, NULL, &err), 0);
	tmp_expect(path, "two", 3);
	assert_int_equal(tmp_count(*state), 1);
	free(path);
}

static void
a_file_has_the_time_that_it_is_given(void **state)
{
	struct timespec mtime = { 1234567890, 123000000 };
	char *path = tmp_path(*state, "x");
	struct bt_err err = BT_ERR_INIT;
	struct stat st;

	assert_int_equal(
	    bt_slurp_replace(path, STR("one"), false, &mtime, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_mtim.tv_sec == mtime.tv_sec);
	assert_true(st.st_mtim.tv_nsec == mtime.tv_nsec);
	assert_true(st.st_atim.tv_sec > mtime.tv_sec);
	free(path);
}

static void
a_link_to_nowhere_is_a_name_that_is_taken(void **state)
{
	char *path = tmp_path(*state, "x"), *to = tmp_path(*state, "target");
	struct bt_err err = BT_ERR_INIT;

	assert_int_equal(symlink(to, path), 0);
	assert_int_equal(
	    bt_slurp_replace(path, STR("one"), false, NULL, &err), -1);
	assert_int_equal(access(to, F_OK), -1);
	assert_int_equal(tmp_count(*state), 1);
	free(path);
	free(to);
}

static void
a_device_takes_the_bytes_and_stays_a_device(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(
	    bt_slurp_replace("/dev/null", STR("x"), true, NULL, &err), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(
	    bt_slurp_replace("/dev/full", STR("x"), true, NULL, &err), -1);
	assert_non_null(strstr(err.text, "No space left"));
}

static void
a_folder_that_is_missing_is_an_error(void **state)
{
	char *path = tmp_path(*state, "no/x");
	struct bt_err err = BT_ERR_INIT;

	assert_int_equal(
	    bt_slurp_replace(path, STR("x"), true, NULL, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "no/x"));
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(a_file_is_read_whole),
		tmp_test(
		    a_file_as_large_as_the_ceiling_fits_and_one_byte_more_does_not),
		tmp_test(a_missing_file_and_a_folder_are_errors_that_name_them),
		tmp_test(a_pipe_is_read_to_its_end),
		tmp_test(
		    nothing_is_overwritten_unless_asked_and_no_temporary_stays),
		tmp_test(a_file_has_the_time_that_it_is_given),
		tmp_test(a_link_to_nowhere_is_a_name_that_is_taken),
		tmp_test(a_device_takes_the_bytes_and_stays_a_device),
		tmp_test(a_folder_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
