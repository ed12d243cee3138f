/*
 * disk_tmp - a folder of its own for each test, removed afterwards.
 *
 * A test's *state is the folder's path. must() is for calls that may not fail.
 *
 * Used by  tests/unit/test_disk_*.c
 */
#ifndef BT_TESTS_DISK_TMP_H
#define BT_TESTS_DISK_TMP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define tmp_test(f) cmocka_unit_test_setup_teardown(f, tmp_make, tmp_remove)

static inline int
tmp_make(void **state)
{
	const char *in = getenv("TMPDIR");
	char path[4096];

	snprintf(path, sizeof(path), "%s/bt-disk-XXXXXX",
	    in != NULL ? in : "/tmp");
	if (mkdtemp(path) == NULL)
		return -1;
	*state = strdup(path);
	return 0;
}

static inline int
tmp_remove_one(const char *path, const struct stat *st, int type,
    struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline int
tmp_remove(void **state)
{
	int rc = nftw(*state, tmp_remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return rc;
}

static inline void
must(int rc, const struct bt_err *err)
{
	if (rc != 0)
		print_error("%s\n", err->text);
	assert_int_equal(rc, 0);
}

/* gives; free() it */
static inline char *
tmp_path(const char *folder, const char *name)
{
	return bt_mem_printf("%s/%s", folder, name);
}

static inline void
tmp_write(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd != -1);
	assert_int_equal(write(fd, data, n), n);
	close(fd);
}

/* Make folder/name, with the folders it needs, holding n bytes. */
static inline void
tmp_put(const char *folder, const char *name, const void *data, size_t n)
{
	char *path = tmp_path(folder, name), *slash;

	for (slash = strchr(path + strlen(folder) + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
		*slash = '/';
	}
	tmp_write(path, data, n);
	free(path);
}

static inline void
tmp_expect(const char *path, const void *data, size_t n)
{
	char *got = malloc(n + 1);
	int fd = open(path, O_RDONLY);

	assert_true(fd != -1);
	assert_non_null(got);
	assert_int_equal(read(fd, got, n + 1), n);
	assert_memory_equal(got, data, n);
	free(got);
	close(fd);
}

static inline int
tmp_has(const char *folder, const char *name)
{
	char *path = tmp_path(folder, name);
	struct stat st;
	int rc = lstat(path, &st);

	free(path);
	return rc == 0;
}

/* How many names are in the folder. */
static inline int
tmp_count(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

#endif
