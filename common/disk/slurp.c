#include "disk/slurp.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/beneath.h"

#define CHUNK ((size_t)64 << 10)
#define TRIES 64     /* names tried for the temporary file */
#define BASE_MAX 200 /* of a name, so that the additions fit NAME_MAX */

/*
 * Read until end of file rather than trusting st_size: the descriptor may be a
 * pipe, and a file may grow under us. The buffer's ceiling bounds both; one
 * byte is read past it, to tell a file that just fits from one that does not.
 */
int
bt_slurp_fd(int fd, const char *name, struct bt_buf *out, struct bt_err *err)
{
	size_t room, want;
	uint8_t past, *to;
	ssize_t n;

	for (;;) {
		assert(out->n <= out->max);
		room = out->max - out->n;
		want = room < CHUNK ? room : CHUNK;
		to = want == 0 ? &past : bt_buf_room(out, want);
		n = read(fd, to, want == 0 ? 1 : want);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return bt_err_sys(err, "cannot read '%s'", name);
		if (n == 0)
			return 0;
		if (want == 0)
			return bt_err_set(err, BT_ELIMIT,
			    "'%s' is larger than %zu bytes", name, out->max);
		out->n += (size_t)n;
	}
}

int
bt_slurp_file(const char *path, struct bt_buf *out, struct bt_err *err)
{
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return bt_err_sys(err, "cannot open '%s'", path);
	rc = bt_slurp_fd(fd, path, out, err);
	close(fd); /* read-only: nothing to lose by ignoring its result */
	return rc;
}

int
bt_slurp_put(int fd, const char *name, struct bt_str data, struct bt_err *err)
{
	ssize_t n;

	while (data.n > 0) {
		n = write(fd, data.p, data.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return bt_err_sys(err, "cannot write '%s'", name);
		data = bt_str_sub(data, (size_t)n, data.n);
	}
	return 0;
}

/* A new file beside path, with the mode that the umask leaves; gives *name. */
static int
open_beside(const char *path, char **name)
{
	const char *base = bt_str_leaf(path);
	int fd, dir_n = (int)(base - path);

	for (unsigned i = 0; i < TRIES; i++) {
		*name = bt_mem_printf("%.*s.%.*s.%ld-%u.tmp", dir_n, path,
		    BASE_MAX, base, (long)getpid(), i);
		fd = open(*name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd != -1)
			return fd;
		bt_mem_free(*name);
		*name = NULL;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int
set_mtime(int fd, const struct timespec *mtime)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };

	if (mtime == NULL)
		return 0;
	times[1] = *mtime;
	return futimens(fd, times);
}

static int
replace_file(const char *path, struct bt_str data, bool overwrite,
    const struct timespec *mtime, struct bt_err *err)
{
	char *name = NULL;
	int fd, rc;

	fd = open_beside(path, &name);
	if (fd == -1)
		return bt_err_sys(err, "cannot write '%s'", path);
	/* on disk before the name is, or a crash may leave an empty file */
	rc = bt_slurp_put(fd, path, data, err);
	if (rc == 0 && (set_mtime(fd, mtime) == -1 || fsync(fd) == -1))
		rc = bt_err_sys(err, "cannot write '%s'", path);
	if (close(fd) == -1 && rc == 0)
		rc = bt_err_sys(err, "cannot write '%s'", path);
	if (rc == -1)
		goto out;
	rc = overwrite ? rename(name, path)
		       : bt_beneath_rename_new(AT_FDCWD, name, path);
	if (rc == -1)
		bt_err_sys(err, "cannot write '%s'", path);
out:
	if (rc == -1)
		unlink(name);
	bt_mem_free(name);
	return rc;
}

/* A device or a pipe keeps its name and takes the bytes. */
static int
write_into(const char *path, struct bt_str data, struct bt_err *err)
{
	int fd, rc;

	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return bt_err_sys(err, "cannot open '%s'", path);
	rc = bt_slurp_put(fd, path, data, err);
	if (close(fd) == -1 && rc == 0)
		rc = bt_err_sys(err, "cannot write '%s'", path);
	return rc;
}

int
bt_slurp_replace(const char *path, struct bt_str data, bool overwrite,
    const struct timespec *mtime, struct bt_err *err)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return bt_err_code(
			    err, BT_EFILE, EISDIR, "cannot write '%s'", path);
		if (!S_ISREG(st.st_mode))
			return write_into(path, data, err);
		if (!overwrite)
			return bt_err_code(
			    err, BT_EFILE, EEXIST, "cannot write '%s'", path);
	}
	return replace_file(path, data, overwrite, mtime, err);
}
