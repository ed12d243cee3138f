/*
 * faults - a machine that fails, for LD_PRELOAD: what the tests inject.
 *
 * The folder in $FAULTS says what goes wrong, from one call to the next:
 *
 *	read, write, sync	"EIO PATH": such a call on a file whose path
 *				holds PATH fails so
 *	clock			seconds by which CLOCK_REALTIME is off
 *	ahead			seconds by which CLOCK_MONOTONIC is
 *	boot_id			is read in place of the kernel's
 *	disk			a folder: each file is copied there, under its
 *				inode's number, as it is when it is synced; what
 *				a power cut leaves of it
 *
 * It is built by the tests that use it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *
folder(void)
{
	const char *dir = getenv("FAULTS");

	return dir == NULL ? "/nonexistent" : dir;
}

/* The first line of a fault's file; false if it is not there. */
static int
ask(const char *name, char *line, size_t n)
{
	char path[4096];
	ssize_t got;
	int fd, code = errno;

	snprintf(path, sizeof(path), "%s/%s", folder(), name);
	fd = REAL(open)(path, O_RDONLY | O_CLOEXEC);
	errno = code;
	if (fd == -1)
		return 0;
	got = read(fd, line, n - 1);
	close(fd);
	line[got > 0 ? got : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return got > 0;
}

/* Does the fault of that name hit fd? Sets errno. */
static int
hits(const char *name, int fd)
{
	static const struct {
		const char *name;
		int code;
	} codes[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC },
		{ "EDQUOT", EDQUOT } };
	char line[512], link[64], path[4096], *at;
	ssize_t n;

	if (!ask(name, line, sizeof(line)))
		return 0;
	at = strchr(line, ' ');
	if (at == NULL)
		return 0;
	*at++ = '\0';
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n == -1)
		return 0;
	path[n] = '\0';
	if (strstr(path, at) == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].name, line) == 0)
			errno = codes[i].code;
	return 1;
}

static double
offset(const char *name)
{
	char line[64];

	return ask(name, line, sizeof(line)) ? atof(line) : 0;
}

ssize_t
pread64(int fd, void *to, size_t n, off64_t at)
{
	return hits("read", fd) ? -1 : REAL(pread64)(fd, to, n, at);
}

ssize_t
preadv64v2(int fd, const struct iovec *iov, int n, off64_t at, int flags)
{
	return hits("read", fd) ? -1 : REAL(preadv64v2)(fd, iov, n, at, flags);
}

ssize_t
pwrite64(int fd, const void *from, size_t n, off64_t at)
{
	return hits("write", fd) ? -1 : REAL(pwrite64)(fd, from, n, at);
}

ssize_t
write(int fd, const void *from, size_t n)
{
	return hits("write", fd) ? -1 : REAL(write)(fd, from, n);
}

/* What the disk has of it from now on. */
static void
keep(int fd)
{
	char path[4096], buf[65536];
	struct stat st;
	off_t at = 0;
	ssize_t n;
	int to;

	if (fstat(fd, &st) == -1)
		return;
	snprintf(path, sizeof(path), "%s/disk/%llu", folder(),
	    (unsigned long long)st.st_ino);
	to = REAL(open)(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to == -1)
		return;
	while ((n = REAL(pread64)(fd, buf, sizeof(buf), at)) > 0) {
		if (REAL(write)(to, buf, (size_t)n) != n)
			abort();
		at += n;
	}
	close(to);
}

int
fdatasync(int fd)
{
	int rc = hits("sync", fd) ? -1 : REAL(fdatasync)(fd);

	if (rc == 0)
		keep(fd);
	return rc;
}

int
fsync(int fd)
{
	int rc = hits("sync", fd) ? -1 : REAL(fsync)(fd);

	if (rc == 0)
		keep(fd);
	return rc;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = REAL(clock_gettime)(id, ts);

	if (rc == 0 && id == CLOCK_REALTIME)
		ts->tv_sec += (time_t)offset("clock");
	else if (rc == 0 && id == CLOCK_MONOTONIC)
		ts->tv_sec += (time_t)offset("ahead");
	return rc;
}

time_t
time(time_t *to)
{
	time_t now = REAL(time)(NULL) + (time_t)offset("clock");

	if (to != NULL)
		*to = now;
	return now;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	int rc = REAL(gettimeofday)(tv, zone);

	if (rc == 0)
		tv->tv_sec += (time_t)offset("clock");
	return rc;
}

static const char *
redirect(const char *path, char *other, size_t n)
{
	if (strcmp(path, "/proc/sys/kernel/random/boot_id") != 0)
		return path;
	snprintf(other, n, "%s/boot_id", folder());
	return access(other, R_OK) == 0 ? other : path;
}

int
open64(const char *path, int flags, ...)
{
	/* O_TMPFILE has the bit of O_DIRECTORY, which comes without a mode */
	bool makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
	char other[4096];
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = makes ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return REAL(open64)(redirect(path, other, sizeof(other)), flags, mode);
}
