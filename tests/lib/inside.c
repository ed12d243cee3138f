/*
 * inside.c - tries from within a tool what its sandbox is to refuse.
 *
 * Preloaded into the very program that users run: once it has entered its
 * sandbox, and once more in each thread that waits for events, it opens files,
 * runs a program, asks for a socket and traces, and writes a line on each to
 * the file that BT_INSIDE_REPORT names, which it opened before:
 *
 *	enter read-outside: Permission denied
 *
 * BT_INSIDE_OUTSIDE is a folder that no tool was told of, with a `secret`.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static int report = -1;
static int entered;
static const char *outside;
static __thread int tried;

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("BT_INSIDE_REPORT");

	outside = getenv("BT_INSIDE_OUTSIDE");
	if (path != NULL)
		report =
		    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static void
say(const char *when, const char *what, long rc)
{
	char line[256];
	int n;

	n = snprintf(line, sizeof(line), "%s %s: %s\n", when, what,
	    rc == -1 ? strerror(errno) : "done");
	if (write(report, line, (size_t)n) != n)
		abort();
}

static int
opened(const char *leaf, int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", outside, leaf);
	fd = open(path, flags | O_CLOEXEC, 0666);
	if (fd != -1)
		close(fd);
	return fd;
}

static void
try_all(const char *when)
{
	char word[] = "true", *argv[] = { word, NULL };
	int fd, code = errno;

	say(when, "read-outside", opened("secret", O_RDONLY));
	say(when, "write-outside", opened("secret", O_WRONLY));
	say(when, "make-outside", opened("new", O_WRONLY | O_CREAT));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	say(when, "socket", fd);
	if (fd != -1)
		close(fd);
	say(when, "ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
	say(when, "exec", execve("/bin/true", argv, argv + 1));
	errno = code;
}

int
seccomp_load(const scmp_filter_ctx ctx)
{
	int (*next)(const scmp_filter_ctx);
	int rc;

	*(void **)&next = dlsym(RTLD_NEXT, "seccomp_load");
	rc = next(ctx);

	entered = 1;
	try_all("enter");
	return rc;
}

int
epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	int (*next)(int, struct epoll_event *, int, int);

	*(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");

	if (entered && !tried) {
		tried = 1;
		try_all("wait");
	}
	return next(fd, events, n, timeout);
}
