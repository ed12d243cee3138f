#include "disk/beneath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk_tmp.h"

/* Both ways in must give the same answers. */
static int (*const ways[])(int dir, const char *path, int flags,
    mode_t mode) = { bt_beneath_open, bt_beneath_open_steps };

static int
open_root(const char *root)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd != -1);
	return fd;
}

static void
what_lies_beneath_is_opened(void **state)
{
	int root, fd;
	char got;

	tmp_put(*state, "a/b/c", "x", 1);
	root = open_root(*state);
	for (size_t i = 0; i < 2; i++) {
		fd = ways[i](root, "a/b/c", O_RDONLY, 0);
		assert_true(fd != -1);
		assert_int_equal(read(fd, &got, 1), 1);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(fd);
		fd = ways[i](root, "a/b/c", O_PATH, 0);
		assert_true(fd != -1);
		close(fd);
	}
	close(root);
}

static void
paths_that_could_lead_out_are_refused_before_they_are_looked_at(void **state)
{
	static const char *const evil[] = { "..", "../x", "a/..", "a/../x",
		"a/b/../../x", "/etc/passwd", "/", "", ".", "./x", "a/./x",
		"a//x", "a/" };
	const char *leaf;
	int root;

	tmp_put(*state, "a/b/c", "x", 1);
	tmp_put(*state, "x", "x", 1);
	root = open_root(*state);
	for (size_t k = 0; k < sizeof(evil) / sizeof(*evil); k++) {
		for (size_t i = 0; i < 2; i++) {
			errno = 0;
			assert_int_equal(
			    ways[i](root, evil[k], O_RDONLY, 0), -1);
			assert_int_equal(errno, EXDEV);
		}
		errno = 0;
		assert_int_equal(
		    bt_beneath_parent(root, evil[k], true, &leaf), -1);
		assert_int_equal(errno, EXDEV);
	}
	close(root);
}

static void
links_are_refused_in_the_middle_and_at_the_end(void **state)
{
	static const char *const paths[] = { "in/f", "out/f", "f", "dead",
		"loop/x" };
	char *p;
	const char *leaf;
	int root;

	tmp_put(*state, "real/f", "x", 1);
	p = tmp_path(*state, "in");
	assert_int_equal(symlink("real", p), 0);
	bt_mem_free(p);
	p = tmp_path(*state, "out");
	assert_int_equal(symlink("/", p), 0);
	bt_mem_free(p);
	p = tmp_path(*state, "f");
	assert_int_equal(symlink("real/f", p), 0);
	bt_mem_free(p);
	p = tmp_path(*state, "dead");
	assert_int_equal(symlink("nothing", p), 0);
	bt_mem_free(p);
	p = tmp_path(*state, "loop");
	assert_int_equal(symlink("loop", p), 0);
	bt_mem_free(p);
	root = open_root(*state);
	for (size_t k = 0; k < sizeof(paths) / sizeof(*paths); k++) {
		for (size_t i = 0; i < 2; i++) {
			errno = 0;
			assert_int_equal(
			    ways[i](root, paths[k], O_RDWR | O_CREAT, 0666),
			    -1);
			assert_int_equal(errno, ELOOP);
		}
	}
	errno = 0;
	assert_int_equal(bt_beneath_parent(root, "in/d/f", true, &leaf), -1);
	assert_int_equal(errno, ELOOP);
	assert_false(tmp_has(*state, "real/d"));
	assert_false(tmp_has(*state, "nothing"));
	close(root);
}

static void
missing_things_and_files_in_the_middle_are_told_apart(void **state)
{
	int root;

	tmp_put(*state, "f", "x", 1);
	root = open_root(*state);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ways[i](root, "no/x", O_RDONLY, 0), -1);
		assert_int_equal(errno, ENOENT);
		assert_int_equal(ways[i](root, "f/x", O_RDONLY, 0), -1);
		assert_int_equal(errno, ENOTDIR);
	}
	close(root);
}

static void
opening_a_pipe_does_not_wait(void **state)
{
	char *p = tmp_path(*state, "fifo");
	int root = open_root(*state), fd;

	assert_int_equal(mkfifo(p, 0600), 0);
	for (size_t i = 0; i < 2; i++) {
		fd = ways[i](root, "fifo", O_RDONLY, 0);
		assert_true(fd != -1);
		close(fd);
	}
	close(root);
	bt_mem_free(p);
}

static void
folders_are_made_only_where_asked(void **state)
{
	int root = open_root(*state), fd;
	const char *leaf;

	assert_int_equal(bt_beneath_parent(root, "a/b/c", false, &leaf), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(tmp_count(*state), 0);
	fd = bt_beneath_parent(root, "a/b/c", true, &leaf);
	assert_true(fd != -1);
	assert_string_equal(leaf, "c");
	assert_true(tmp_has(*state, "a/b"));
	assert_false(tmp_has(*state, "a/b/c"));
	close(fd);
	close(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(what_lies_beneath_is_opened),
		tmp_test(
		    paths_that_could_lead_out_are_refused_before_they_are_looked_at),
		tmp_test(links_are_refused_in_the_middle_and_at_the_end),
		tmp_test(missing_things_and_files_in_the_middle_are_told_apart),
		tmp_test(opening_a_pipe_does_not_wait),
		tmp_test(folders_are_made_only_where_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
