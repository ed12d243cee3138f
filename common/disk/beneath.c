#include "disk/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALWAYS (O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

/* Rule 1. An absolute path begins with an empty component. */
static bool
is_plain(const char *path)
{
	size_t n;

	for (;;) {
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.') ||
		    (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[n] == '\0')
			return true;
		path += n + 1;
	}
}

/* A folder in dir. A link there is told from a file there, as openat2 does. */
static int
step(int dir, const char *name)
{
	struct stat st;
	int fd;

	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOTDIR) {
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			errno = ELOOP;
		else
			errno = ENOTDIR;
	}
	return fd;
}

int
bt_beneath_parent(int dir, const char *path, bool make, const char **leaf)
{
	char name[NAME_MAX + 1];
	int at, next, code;
	size_t n;

	if (!is_plain(path)) {
		errno = EXDEV;
		return -1;
	}
	at = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (at != -1) {
		n = strcspn(path, "/");
		if (path[n] == '\0') {
			*leaf = path;
			return at;
		}
		if (n > NAME_MAX) {
			close(at);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + 1;
		next = step(at, name);
		if (next == -1 && errno == ENOENT && make &&
		    (mkdirat(at, name, 0777) == 0 || errno == EEXIST))
			next = step(at, name);
		code = errno;
		close(at);
		errno = code;
		at = next;
	}
	return -1;
}

int
bt_beneath_open_steps(int dir, const char *path, int flags, mode_t mode)
{
	const char *leaf;
	int fd, at, code;

	at = bt_beneath_parent(dir, path, false, &leaf);
	if (at == -1)
		return -1;
	fd = openat(at, leaf, flags | ALWAYS, mode);
	code = errno;
	close(at);
	errno = code;
	return fd;
}

int
bt_beneath_open(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | ALWAYS),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (!is_plain(path)) {
		errno = EXDEV;
		return -1;
	}
	if ((flags & O_PATH) != 0) /* openat2 refuses what O_PATH ignores */
		how.flags &= ~(uint64_t)(O_NOCTTY | O_NONBLOCK);
	if ((flags & O_CREAT) != 0)
		how.mode = mode;
	fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd >= 0)
		return (int)fd;
	/* an old kernel, or a sandbox that forbids what it does not know */
	if (errno == ENOSYS || errno == EPERM)
		return bt_beneath_open_steps(dir, path, flags, mode);
	return -1;
}

int
bt_beneath_rename_new(int dir, const char *from, const char *to)
{
	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* this file system cannot; a link is not made over a file either */
	if (linkat(dir, from, dir, to, 0) == -1)
		return -1;
	return unlinkat(dir, from, 0);
}
