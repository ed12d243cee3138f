/*
 * sandbox_rig - attempts, each made in a process of its own that entered the
 * sandbox as a tool would; where we are root, a second time as somebody else.
 *
 * FILES() is an attempt that Landlock answers, CALLS() one that the filter of
 * calls does. What the kernel or a sanitizer does not allow to be tried passes.
 *
 * Used by  tests/unit/test_cli_sandbox*.c
 */
#ifndef BT_TESTS_SANDBOX_RIG_H
#define BT_TESTS_SANDBOX_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/sandbox_priv.h"

#define NOBODY 65534
#define SKIPPED 200 /* in place of an errno */

static char home[] = "/tmp/bt-sandbox-XXXXXX";
static int abi; /* of Landlock here; 0: none */
static int no_sandbox;

static inline void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd != -1);
	assert_int_equal(write(fd, "bytes", 5), 5);
	close(fd);
}

/* home: content/a, torrent, out, out/link -> outside, outside/secret */
static inline int
set_up(void **state)
{
	(void)state;
	umask(0);
	assert_non_null(mkdtemp(home));
	assert_int_equal(chdir(home), 0);
	assert_int_equal(chmod(".", 0777), 0);
	assert_int_equal(mkdir("content", 0777), 0);
	assert_int_equal(mkdir("out", 0777), 0);
	assert_int_equal(mkdir("outside", 0777), 0);
	assert_int_equal(symlink("../outside", "out/link"), 0);
	assert_int_equal(symlink("content", "content-link"), 0);
	make_file("content/a");
	make_file("torrent");
	make_file("outside/secret");
	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		abi = 0;
	return 0;
}

static inline int
tear_down(void **state)
{
	char rm[] = "rm", all[] = "-rf", *argv[] = { rm, all, home, NULL };
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(1);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* What the tools give themselves. */
static inline void
looks(struct bt_sandbox *box)
{
	static char path[] = "torrent", input[] = "-";
	char *operands[] = { path, input, NULL };

	bt_sandbox_operands(box, operands);
	bt_sandbox_read(box, "content");
}

static inline void
makes(struct bt_sandbox *box)
{
	bt_sandbox_read(box, "content");
	bt_sandbox_output(box, "out/new");
}

static inline void
gets(struct bt_sandbox *box)
{
	static char path[] = "torrent";
	char *operands[] = { path, NULL };

	box->sockets = BT_SANDBOX_SOCKETS;
	bt_sandbox_operands(box, operands);
	bt_sandbox_write(box, "out");
}

static inline void
tracks(struct bt_sandbox *box)
{
	box->sockets = BT_SANDBOX_OPEN_SOCKETS;
	bt_sandbox_reread(box, "content/a");
	bt_sandbox_state(box, "out/state");
}

/* 0 or an errno, for the exit status. */
static inline int
told(long rc)
{
	return rc == -1 ? errno : 0;
}

static inline int
opened(const char *path, int flags)
{
	return told(open(path, flags | O_CLOEXEC, 0666));
}

/* Attempts of more than one program. */
static inline int
read_outside(void)
{
	return opened("outside/secret", O_RDONLY);
}

static inline int
write_outside(void)
{
	return opened("outside/secret", O_WRONLY);
}

static inline int
read_passwd(void)
{
	return opened("/etc/passwd", O_RDONLY);
}

static inline int
replace_out(void)
{
	int rc = opened("out/.n.tmp", O_WRONLY | O_CREAT);

	return rc != 0 ? rc : told(rename("out/.n.tmp", "out/new"));
}

static inline int
run_program(void)
{
	char word[] = "true", *argv[] = { word, NULL };

	execve("/bin/true", argv, argv + 1);
	return errno;
}

static inline int
fork_one(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return told(pid);
}

static inline void *
nothing(void *arg)
{
	return arg;
}

static inline int
begin_thread(void)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, nothing, NULL);

	return rc != 0 ? rc : pthread_join(t, NULL);
}

static inline int
udp(void)
{
	return told(socket(AF_INET, SOCK_DGRAM, 0));
}

static inline int
trace(void)
{
	return told(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static inline int
hit_parent(void)
{
	return told(kill(getppid(), 0));
}

/* On no terminal: ENOTTY where nothing forbids it. */
static inline int
type_into_terminal(void)
{
	int fd = open("/dev/null", O_RDONLY);

	return told(ioctl(fd, TIOCSTI, "x"));
}

static inline int
has_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : ENOENT;
}

static inline int
has_filter(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 ? 0 : ENOENT;
}

static const struct bt_opt no_opts[] = { { 0 } };
static const struct bt_tool tool = { .name = "bt-x", .opts = no_opts };

/* In a child: enter, try, and end with what came of it. */
static inline int
tried(void (*profile)(struct bt_sandbox *), int (*attempt)(void),
    bool as_nobody, bool files)
{
	struct bt_cli cli = { .tool = &tool, .no_sandbox = no_sandbox };
	struct bt_sandbox box = { .sockets = BT_SANDBOX_NO_SOCKETS };
	int status;
	pid_t pid = fork();

	assert_true(pid != -1);
	if (pid > 0) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	}
	if (as_nobody && (setgid(NOBODY) == -1 || setuid(NOBODY) == -1))
		_exit(SKIPPED);
	if (files && abi == 0 && no_sandbox == 0)
		_exit(SKIPPED);
	profile(&box);
	bt_sandbox_enter(&box, &cli);
	if (!files && no_sandbox == 0 && has_filter() != 0)
		_exit(SKIPPED); /* a sanitizer is at work */
	_exit(attempt());
}

static inline void
expect_as(bool as_nobody, const char *what,
    void (*profile)(struct bt_sandbox *), int (*attempt)(void), bool files,
    int want)
{
	int got = tried(profile, attempt, as_nobody, files);

	if (got != want && got != SKIPPED)
		fail_msg("%s%s: %s, not %s", what, as_nobody ? " (nobody)" : "",
		    strerror(got), strerror(want));
}

static inline void
expect(const char *what, void (*profile)(struct bt_sandbox *),
    int (*attempt)(void), bool files, int want)
{
	expect_as(false, what, profile, attempt, files, want);
	if (getuid() == 0)
		expect_as(true, what, profile, attempt, files, want);
}

#define FILES(profile, attempt, want) \
	expect(#profile " " #attempt, profile, attempt, true, want)
#define CALLS(profile, attempt, want) \
	expect(#profile " " #attempt, profile, attempt, false, want)

#endif
