/*
 * What is asked of the kernel from within: programs, sockets and the rest.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "sandbox_rig.h"

static void
looks_at_url(struct bt_sandbox *box)
{
	static char url[] = "HTTP://127.0.0.1/a.torrent";
	char *operands[] = { url, NULL };

	bt_sandbox_operands(box, operands);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_links_and_no_devices_are_made),
		cmocka_unit_test(no_program_is_run),
		cmocka_unit_test(sockets_are_for_those_who_need_them),
		cmocka_unit_test(the_rest_of_the_kernel_is_refused),
		cmocka_unit_test(libraries_and_names_are_found_later),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
