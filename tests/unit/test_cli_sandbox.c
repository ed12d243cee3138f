/*
 * Each attempt is made in a process of its own that entered the sandbox as a
 * tool would; where we are root, a second time as somebody else.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/sandbox_priv.h"

/* Our numbers are the header's, as far as it knows them. */
_Static_assert(BT_LANDLOCK_VERSION == LANDLOCK_CREATE_RULESET_VERSION, "");
_Static_assert(BT_LANDLOCK_BENEATH == LANDLOCK_RULE_PATH_BENEATH, "");
_Static_assert(BT_LANDLOCK_EXECUTE == LANDLOCK_ACCESS_FS_EXECUTE, "");
_Static_assert(BT_LANDLOCK_WRITE_FILE == LANDLOCK_ACCESS_FS_WRITE_FILE, "");
_Static_assert(BT_LANDLOCK_READ_FILE == LANDLOCK_ACCESS_FS_READ_FILE, "");
_Static_assert(BT_LANDLOCK_READ_DIR == LANDLOCK_ACCESS_FS_READ_DIR, "");
_Static_assert(BT_LANDLOCK_REMOVE_FILE == LANDLOCK_ACCESS_FS_REMOVE_FILE, "");
_Static_assert(BT_LANDLOCK_MAKE_DIR == LANDLOCK_ACCESS_FS_MAKE_DIR, "");
_Static_assert(BT_LANDLOCK_MAKE_REG == LANDLOCK_ACCESS_FS_MAKE_REG, "");
_Static_assert(BT_LANDLOCK_REFER == LANDLOCK_ACCESS_FS_REFER, "");
#ifdef LANDLOCK_ACCESS_FS_TRUNCATE
_Static_assert(BT_LANDLOCK_TRUNCATE == LANDLOCK_ACCESS_FS_TRUNCATE, "");
#endif
#ifdef LANDLOCK_ACCESS_NET_BIND_TCP
_Static_assert(BT_LANDLOCK_NET == (LANDLOCK_ACCESS_NET_BIND_TCP |
				      LANDLOCK_ACCESS_NET_CONNECT_TCP),
    "");
#endif
#ifdef LANDLOCK_ACCESS_FS_IOCTL_DEV
_Static_assert(BT_LANDLOCK_IOCTL_DEV == LANDLOCK_ACCESS_FS_IOCTL_DEV, "");
#endif
#ifdef LANDLOCK_SCOPE_SIGNAL
_Static_assert(BT_LANDLOCK_SIGNAL == LANDLOCK_SCOPE_SIGNAL, "");
_Static_assert(BT_LANDLOCK_ABSTRACT == LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, "");
#endif
_Static_assert(sizeof(struct bt_landlock_beneath) ==
		   sizeof(struct landlock_path_beneath_attr),
    "");

#define NOBODY 65534
#define SKIPPED 200 /* in place of an errno */

static char home[] = "/tmp/bt-sandbox-XXXXXX";
static int abi; /* of Landlock here; 0: none */
static int no_sandbox;

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd != -1);
	assert_int_equal(write(fd, "bytes", 5), 5);
	close(fd);
}

/* home: content/a, torrent, out/old, out/link -> outside; outside/secret */
/*
 * The kernel as an older one would be: the ABI it says it has (-1: it has no
 * Landlock), and how much it was told of a ruleset.
 */
static int fake_abi;
static size_t told_len;
static uint64_t told_rights;

long
syscall(long number, ...)
{
	static long (*next)(long, ...);
	long args[6];
	va_list ap;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (size_t i = 0; i < 6; i++)
		args[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_landlock_create_ruleset && fake_abi == -1) {
		errno = ENOSYS;
		return -1;
	}
	if (number == SYS_landlock_create_ruleset && fake_abi > 0) {
		if (args[2] != 0)
			return fake_abi;
		told_len = (size_t)args[1];
		told_rights = *(const uint64_t *)args[0];
	}
	return next(
	    number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

static int
set_up(void **state)
{
	(void)state;
	fake_abi = 0;
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

static int
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
static void
looks(struct bt_sandbox *box)
{
	static char path[] = "torrent", input[] = "-";
	char *operands[] = { path, input, NULL };

	bt_sandbox_operands(box, operands);
	bt_sandbox_read(box, "content");
}

static void
looks_at_link(struct bt_sandbox *box)
{
	bt_sandbox_read(box, "content-link");
}

static void
looks_at_url(struct bt_sandbox *box)
{
	static char url[] = "HTTP://127.0.0.1/a.torrent";
	char *operands[] = { url, NULL };

	bt_sandbox_operands(box, operands);
}

static void
makes(struct bt_sandbox *box)
{
	bt_sandbox_read(box, "content");
	bt_sandbox_output(box, "out/new");
}

static void
gets(struct bt_sandbox *box)
{
	static char path[] = "torrent";
	char *operands[] = { path, NULL };

	box->sockets = BT_SANDBOX_SOCKETS;
	bt_sandbox_operands(box, operands);
	bt_sandbox_write(box, "out");
}

static void
gets_with_certs(struct bt_sandbox *box)
{
	setenv("SSL_CERT_DIR", "content:outside", 1);
	gets(box);
}

static void
tracks(struct bt_sandbox *box)
{
	box->sockets = BT_SANDBOX_OPEN_SOCKETS;
	bt_sandbox_reread(box, "content/a");
	bt_sandbox_state(box, "out/state");
}

static void
logs(struct bt_sandbox *box)
{
	bt_sandbox_log(box, "out/log");
}

static void
logs_to_stdout(struct bt_sandbox *box)
{
	bt_sandbox_log(box, "-");
}

/* 0 or an errno, for the exit status. */
static int
told(long rc)
{
	return rc == -1 ? errno : 0;
}

static int
opened(const char *path, int flags)
{
	return told(open(path, flags | O_CLOEXEC, 0666));
}

static int
needs_abi(int least)
{
	return abi >= least ? 0 : SKIPPED;
}

/* The attempts. */
static int
read_content(void)
{
	return opened("content/a", O_RDONLY);
}
static int
read_torrent(void)
{
	return opened("torrent", O_RDONLY);
}
static int
read_out(void)
{
	return opened("out", O_RDONLY | O_DIRECTORY);
}
static int
list_content(void)
{
	return opened("content", O_RDONLY);
}
static int
write_content(void)
{
	return opened("content/a", O_WRONLY);
}
static int
read_outside(void)
{
	return opened("outside/secret", O_RDONLY);
}
static int
write_outside(void)
{
	return opened("outside/secret", O_WRONLY);
}
static int
make_outside(void)
{
	return opened("outside/n", O_RDWR | O_CREAT);
}
static int
by_link(void)
{
	return opened("out/link/secret", O_RDONLY);
}
static int
by_dots(void)
{
	return opened("out/../outside/secret", O_RDONLY);
}
static int
remove_outside(void)
{
	return told(unlink("outside/secret"));
}
static int
make_out(void)
{
	return opened("out/n", O_RDWR | O_CREAT);
}
static int
make_here(void)
{
	return opened("n", O_WRONLY | O_CREAT);
}
static int
add_to_log(void)
{
	return opened("out/log", O_WRONLY | O_APPEND | O_CREAT);
}
static int
remove_log(void)
{
	return told(unlink("out/log"));
}
static int
make_folder(void)
{
	return told(mkdir("out/d", 0777));
}
static int
make_link(void)
{
	return told(symlink("x", "out/s"));
}
static int
make_fifo(void)
{
	return told(mkfifo("out/f", 0666));
}
static int
read_passwd(void)
{
	return opened("/etc/passwd", O_RDONLY);
}
static int
read_root(void)
{
	return opened("/root", O_RDONLY);
}
static int
read_self(void)
{
	return opened("/proc/self/statm", O_RDONLY);
}

static int
replace_out(void)
{
	int rc = opened("out/.n.tmp", O_WRONLY | O_CREAT);

	return rc != 0 ? rc : told(rename("out/.n.tmp", "out/new"));
}

static int
rename_away(void)
{
	int rc = opened("out/mine", O_WRONLY | O_CREAT);

	return rc != 0 ? rc : told(rename("out/mine", "outside/mine"));
}

static int
truncate_outside(void)
{
	return needs_abi(3) != 0 ? SKIPPED
				 : told(truncate("outside/secret", 1));
}

static int
run_program(void)
{
	char word[] = "true", *argv[] = { word, NULL };

	execve("/bin/true", argv, argv + 1);
	return errno;
}

static int
run_none(void)
{
	int code = run_program();

	return code == EPERM || code == EACCES ? 0 : code;
}

static int
run_by_descriptor(void)
{
	char word[] = "true", *argv[] = { word, NULL };
	int fd = open("/bin/true", O_PATH);

	syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH);
	return errno;
}

static int
fork_one(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return told(pid);
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
begin_thread(void)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, nothing, NULL);

	return rc != 0 ? rc : pthread_join(t, NULL);
}

/* What a thread tries, since it is held as well. */
static void *
read_in_thread(void *arg)
{
	*(int *)arg = read_outside();
	return NULL;
}

static int
try_in_thread(void)
{
	pthread_t t;
	int rc = 0;

	pthread_create(&t, NULL, read_in_thread, &rc);
	pthread_join(t, NULL);
	return rc;
}

static int
load_library(void)
{
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	return lib == NULL ? ENOENT : 0;
}

static int
resolve(void)
{
	struct addrinfo *list = NULL, hints = { .ai_socktype = SOCK_STREAM };
	int rc = getaddrinfo("localhost", "80", &hints, &list);

	if (rc == 0)
		freeaddrinfo(list);
	return rc == 0 ? 0 : ENOENT;
}

static int
connect_tcp(void)
{
	struct sockaddr sa = { .sa_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1)
		return errno;
	return connect(fd, &sa, sizeof(sa)) == -1 && errno == EACCES ? EACCES
								     : 0;
}

static int
udp(void)
{
	return told(socket(AF_INET, SOCK_DGRAM, 0));
}
static int
local(void)
{
	return told(socket(AF_UNIX, SOCK_DGRAM, 0));
}
static int
packet(void)
{
	return told(socket(AF_PACKET, SOCK_RAW, 0));
}
static int
raw(void)
{
	return told(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}
static int
vsock(void)
{
	return told(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int
trace(void)
{
	return told(ptrace(PTRACE_TRACEME, 0, 0, 0));
}
static int
hit_parent(void)
{
	return told(kill(getppid(), 0));
}
static int
hit_group(void)
{
	return told(kill(0, 0));
}
static int
hit_self(void)
{
	return told(kill(getpid(), 0));
}
static int
new_root(void)
{
	return told(chroot("."));
}
static int
new_user(void)
{
	return told(unshare(CLONE_NEWUSER));
}
static int
mount_it(void)
{
	return told(mount("x", ".", "tmpfs", 0, ""));
}
static int
bpf(void)
{
	return told(syscall(SYS_bpf, 0, NULL, 0));
}
static int
keys(void)
{
	return told(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}
static int
uring(void)
{
	return told(syscall(SYS_io_uring_setup, 0, NULL));
}
static int
faults(void)
{
	return told(syscall(SYS_userfaultfd, 0));
}
static int
kexec(void)
{
	return told(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}
static int
clone3(void)
{
	return told(syscall(SYS_clone3, NULL, 0));
}

static int
module(void)
{
	return told(syscall(SYS_init_module, NULL, 0, ""));
}

static int
perf(void)
{
	return told(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int
read_parent(void)
{
	char here[8];
	struct iovec to = { here, 8 }, from = { home, 8 };

	return told(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}

static int
new_network(void)
{
	return told(syscall(SYS_clone,
	    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		CLONE_SYSVSEM | CLONE_NEWNET,
	    NULL, NULL, NULL, 0));
}

static int
new_process_space(void)
{
	return told(
	    syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));
}

/* On no terminal: ENOTTY where nothing forbids it. */
static int
type_into_terminal(void)
{
	int fd = open("/dev/null", O_RDONLY);

	return told(ioctl(fd, TIOCSTI, "x"));
}

static int
has_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : ENOENT;
}

static int
has_filter(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 ? 0 : ENOENT;
}

static const struct bt_opt no_opts[] = { { 0 } };
static const struct bt_tool tool = { .name = "bt-x", .opts = no_opts };

/* In a child: enter, try, and end with what came of it. */
static int
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

static void
expect_as(bool as_nobody, const char *what,
    void (*profile)(struct bt_sandbox *), int (*attempt)(void), bool files,
    int want)
{
	int got = tried(profile, attempt, as_nobody, files);

	if (got != want && got != SKIPPED)
		fail_msg("%s%s: %s, not %s", what, as_nobody ? " (nobody)" : "",
		    strerror(got), strerror(want));
}

static void
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

/* Said loudly: what is passed over is not shown. */
static void
the_kernel_has_what_is_tested(void **state)
{
	(void)state;
	if (abi == 0)
		print_message("NO LANDLOCK in this kernel: what it would "
			      "refuse is not tested\n");
	if (tried(looks, has_filter, false, false) == SKIPPED)
		print_message("NO FILTER in this build or kernel: what it "
			      "would refuse is not tested\n");
	FILES(looks, has_no_new_privs, 0);
}

static void
only_what_is_named_is_read(void **state)
{
	(void)state;
	FILES(looks, read_content, 0);
	FILES(looks, list_content, 0);
	FILES(looks, read_torrent, 0);
	FILES(looks, read_self, 0);
	FILES(looks, read_outside, EACCES);
	FILES(looks, by_dots, EACCES);
	FILES(looks, by_link, EACCES);
	FILES(looks, read_out, EACCES);
	FILES(looks, read_passwd, EACCES);
	FILES(looks, try_in_thread, EACCES);
	FILES(looks_at_link, read_content, 0);
	FILES(looks_at_link, read_torrent, EACCES);
	FILES(gets, read_passwd, 0);
	FILES(gets, read_root, EACCES);
	FILES(gets_with_certs, read_content, 0);
	FILES(gets_with_certs, read_outside, 0);
	FILES(tracks, read_content, 0);
	FILES(tracks, read_torrent, EACCES);
}

static void
nothing_is_written_outside(void **state)
{
	void (*const all[])(struct bt_sandbox *) = { looks, makes, gets, tracks,
		logs, logs_to_stdout };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		FILES(all[i], write_outside, EACCES);
		FILES(all[i], make_outside, EACCES);
		FILES(all[i], remove_outside, EACCES);
		FILES(all[i], truncate_outside, EACCES);
		FILES(all[i], write_content, EACCES);
	}
	FILES(looks, make_out, EACCES);
	FILES(looks, make_folder, EACCES);
}

static void
what_is_to_be_written_is(void **state)
{
	(void)state;
	FILES(makes, replace_out, 0);
	FILES(makes, make_folder, EACCES);
	FILES(makes, read_out, EACCES);
	FILES(gets, replace_out, 0);
	FILES(gets, read_out, 0);
	FILES(gets, by_link, EACCES);
	FILES(gets, rename_away, EACCES);
	FILES(tracks, replace_out, 0);
	FILES(tracks, read_out, 0);
	FILES(logs, add_to_log, 0);
	FILES(logs, make_out, EACCES); /* which reads, too */
	FILES(logs, replace_out, EACCES);
	FILES(logs, remove_log, EACCES);
	FILES(logs, read_out, EACCES);
	FILES(logs_to_stdout, add_to_log, EACCES);
	FILES(logs_to_stdout, make_here, EACCES);
	expect_as(false, "gets make_folder", gets, make_folder, true, 0);
}

static void
no_links_and_no_devices_are_made(void **state)
{
	(void)state;
	CALLS(gets, make_link, EPERM);
	CALLS(gets, make_fifo, EPERM);
}

static void
no_program_is_run(void **state)
{
	(void)state;
	FILES(gets, run_none, 0); /* by Landlock too */
	CALLS(gets, run_program, EPERM);
	CALLS(gets, run_by_descriptor, EPERM);
	CALLS(gets, fork_one, EPERM);
	CALLS(gets, clone3, ENOSYS);
	CALLS(gets, begin_thread, 0);
	FILES(gets, has_no_new_privs, 0);
}

static void
sockets_are_for_those_who_need_them(void **state)
{
	(void)state;
	CALLS(looks, udp, EACCES);
	CALLS(looks, connect_tcp, EACCES);
	CALLS(looks, local, EACCES);
	CALLS(makes, udp, EACCES);
	CALLS(looks_at_url, udp, 0);
	CALLS(looks_at_url, connect_tcp, 0);
	CALLS(gets, udp, 0);
	CALLS(gets, local, 0);
	CALLS(gets, packet, EACCES);
	CALLS(gets, raw, EACCES);
	CALLS(gets, vsock, EACCES);
	CALLS(tracks, udp, EACCES);
	CALLS(tracks, connect_tcp, EACCES);
	CALLS(tracks, local, 0);
}

static void
the_rest_of_the_kernel_is_refused(void **state)
{
	int (*const all[])(void) = { trace, read_parent, hit_parent, hit_group,
		new_root, new_user, new_network, new_process_space, mount_it,
		bpf, keys, uring, faults, kexec, module, perf,
		type_into_terminal };
	char what[32];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(what, sizeof(what), "call %zu", i);
		expect(what, gets, all[i], false, EPERM);
		expect(what, looks, all[i], false, EPERM);
	}
	CALLS(gets, hit_self, 0);
}

static void
libraries_and_names_are_found_later(void **state)
{
	(void)state;
	CALLS(gets, load_library, 0);
	CALLS(gets, resolve, 0);
	FILES(gets, load_library, 0);
	FILES(gets, resolve, 0);
}

/* The folder is made after the sandbox was entered; only it is left then. */
static int
make_and_settle(void)
{
	struct bt_cli cli = { .tool = &tool };
	struct bt_sandbox box = { .sockets = BT_SANDBOX_SOCKETS };

	rmdir("content/deep");
	bt_sandbox_write(&box, "content/deep");
	bt_sandbox_enter(&box, &cli);
	if (mkdir("content/deep", 0777) == -1)
		return errno;
	bt_sandbox_settle(&box);
	if (opened("content/deep/x", O_RDWR | O_CREAT) != 0)
		return ENOTDIR;
	unlink("content/deep/x");
	return write_content();
}

static int
narrow(void)
{
	struct bt_cli cli = { .tool = &tool };
	struct bt_sandbox box = { .sockets = BT_SANDBOX_SOCKETS };

	bt_sandbox_read(&box, ".");
	bt_sandbox_enter(&box, &cli);
	if (read_outside() != 0)
		return ENOTDIR;
	bt_sandbox_narrow(&box, "content");
	return read_content() != 0 ? ENOTDIR : read_outside();
}

static void
nothing_yet(struct bt_sandbox *box)
{
	bt_sandbox_read(box, home);
	bt_sandbox_write(box, "content");
}

static void
a_folder_made_later_is_all_that_is_written(void **state)
{
	(void)state;
	expect_as(false, "settle", nothing_yet, make_and_settle, true, EACCES);
}

static void
what_is_read_can_be_less_later(void **state)
{
	(void)state;
	FILES(nothing_yet, narrow, EACCES);
}

static void
a_kernel_without_landlock_has_the_filter(void **state)
{
	(void)state;
	fake_abi = -1;
	CALLS(looks, read_outside, 0);
	CALLS(looks, has_no_new_privs, 0);
	CALLS(looks, run_program, EPERM);
	CALLS(looks, fork_one, EPERM);
	CALLS(looks, udp, EACCES);
	CALLS(gets, begin_thread, 0);
	fake_abi = 0;
}

/* linux/landlock.h: what each ABI brought; Debian 12 has 2. */
static int
what_was_told(void)
{
	static const struct {
		size_t len;
		uint64_t rights;
	} want[] = { { 0, 0 }, { 8, 0x1fff }, { 8, 0x3fff }, { 8, 0x7fff },
		{ 16, 0x7fff }, { 16, 0xffff }, { 24, 0xffff },
		{ 24, 0xffff } };

	if (told_len != want[fake_abi].len ||
	    told_rights != want[fake_abi].rights)
		return EINVAL;
	return read_outside();
}

static void
an_older_kernel_is_told_what_it_knows(void **state)
{
	(void)state;
	for (fake_abi = 1; fake_abi <= 7 && fake_abi <= abi; fake_abi++) {
		FILES(looks, what_was_told, EACCES);
		FILES(gets, what_was_told, EACCES);
		FILES(gets, replace_out, 0);
	}
	fake_abi = 0;
}

/* What all of this is held against: without it nothing is refused. */
static void
without_it_all_is_as_it_was(void **state)
{
	(void)state;
	no_sandbox = 1;
	FILES(looks, read_outside, 0);
	FILES(looks, write_outside, 0);
	FILES(looks, read_passwd, 0);
	CALLS(looks, fork_one, 0);
	CALLS(looks, run_program, 0);
	CALLS(looks, udp, 0);
	CALLS(looks, trace, 0);
	expect_as(false, "hit_parent", looks, hit_parent, false, 0);
	CALLS(looks, type_into_terminal, ENOTTY);
	no_sandbox = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_has_what_is_tested),
		cmocka_unit_test(only_what_is_named_is_read),
		cmocka_unit_test(nothing_is_written_outside),
		cmocka_unit_test(what_is_to_be_written_is),
		cmocka_unit_test(no_links_and_no_devices_are_made),
		cmocka_unit_test(no_program_is_run),
		cmocka_unit_test(sockets_are_for_those_who_need_them),
		cmocka_unit_test(the_rest_of_the_kernel_is_refused),
		cmocka_unit_test(libraries_and_names_are_found_later),
		cmocka_unit_test(a_folder_made_later_is_all_that_is_written),
		cmocka_unit_test(what_is_read_can_be_less_later),
		cmocka_unit_test(a_kernel_without_landlock_has_the_filter),
		cmocka_unit_test(an_older_kernel_is_told_what_it_knows),
		cmocka_unit_test(without_it_all_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
