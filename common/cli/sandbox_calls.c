/*
 * sandbox_calls - the system calls that are refused.
 *
 * A list of what is refused and not of what is allowed: libc, OpenSSL, libcurl
 * and the modules of a resolver bring their own calls, which differ by version.
 * Refused is everything that runs programs, looks into others, changes the
 * system, or opens large and rarely used parts of the kernel.
 *
 * With EPERM and not by killing: a library that tries such a call goes on
 * without it, and a download does not end for it; nothing gets out either way.
 * Only calls by another architecture's numbers, which the filter cannot judge,
 * kill.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/sandbox_priv.h"

#define LOW 0xffffffffu	       /* the kernel takes an int's bits */
#define SOCK_TYPE 0xfu	       /* the rest are flags */
#define TIOCLINUX_CODE 0x541Cu /* <linux/tiocl.h>: pastes into a console */

static const int refused[] = {
	/* programs and processes; threads are made by clone */
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	/* others' memory, descriptors, signals */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(kcmp),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(migrate_pages), SCMP_SYS(move_pages),
	/* mounts, namespaces, roots */
	SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(mount_setattr),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick),
	SCMP_SYS(unshare), SCMP_SYS(setns),
	/* files by other ways than their names; devices; links */
	SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init), SCMP_SYS(mknod),
	SCMP_SYS(mknodat), SCMP_SYS(symlink), SCMP_SYS(symlinkat),
	/* the system */
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(quotactl),
	SCMP_SYS(quotactl_fd), SCMP_SYS(acct), SCMP_SYS(syslog),
	SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(stime),
	SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt),
	SCMP_SYS(vhangup), SCMP_SYS(uselib), SCMP_SYS(lookup_dcookie),
	/* much code of the kernel for nothing that we do */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(shmget), SCMP_SYS(shmat),
	SCMP_SYS(msgget), SCMP_SYS(semget), SCMP_SYS(mq_open)
};

#define NREFUSED (sizeof(refused) / sizeof(refused[0]))
#define NPARTLY 7 /* clone, clone3, kill, tgkill, ioctl, socket, socketpair */

/* These are there in a program that a sanitizer has instrumented. */
extern void __asan_init(void) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));

/*
 * A new process or a new namespace. The flags of clone3 lie in memory, where a
 * filter cannot look: it is said not to be there, and libc uses clone.
 */
static int
refuse_clone(scmp_filter_ctx ctx)
{
	static const unsigned spaces[] = { CLONE_NEWNS, CLONE_NEWCGROUP,
		CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
		CLONE_NEWNET };
	int rc;

	rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	for (size_t i = 0; rc == 0 && i < sizeof(spaces) / sizeof(spaces[0]);
	     i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
	return rc;
}

/* Signals to others, and typing into the terminal of whoever started us. */
static int
refuse_reaching_out(scmp_filter_ctx ctx)
{
	uint64_t self = (uint64_t)getpid();
	int rc;

	rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kill), 1,
	    SCMP_A0(SCMP_CMP_NE, self, 0));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_NE, self, 0));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, LOW, TIOCSTI));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, LOW, TIOCLINUX_CODE));
	return rc;
}

/* A resolver asks by AF_UNIX and AF_NETLINK; nothing larger is needed. */
static int
refuse_odd_sockets(scmp_filter_ctx ctx)
{
	static const unsigned families[] = { AF_INET, AF_INET6 };
	int rc;

	rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
	    SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));
	for (size_t i = 0; rc == 0 && i < 2; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES),
		    SCMP_SYS(socket), 2,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, LOW, families[i]),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, SOCK_TYPE, SOCK_RAW));
	return rc;
}

static int
refuse_sockets(scmp_filter_ctx ctx, enum bt_sandbox_sockets sockets)
{
	int rc;

	switch (sockets) {
	case BT_SANDBOX_NO_SOCKETS:
		rc = seccomp_rule_add(
		    ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 0);
		if (rc == 0)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES),
			    SCMP_SYS(socketpair), 0);
		return rc;
	case BT_SANDBOX_OPEN_SOCKETS:
		return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES),
		    SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0));
	case BT_SANDBOX_SOCKETS:
		break;
	}
	return refuse_odd_sockets(ctx);
}

int
bt_sandbox_calls(enum bt_sandbox_sockets sockets)
{
	scmp_filter_ctx ctx;
	int rc, n = NPARTLY;

	/* the leak checker stops our threads by ptrace from a clone of us */
	if (__asan_init != NULL || __tsan_init != NULL)
		return 0;
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (ctx == NULL) {
		errno = ENOMEM;
		return -1;
	}
	rc = seccomp_attr_set(
	    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* a search tree: every call of ours passes through it */
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; rc == 0 && i < NREFUSED; i++) {
		if (refused[i] < 0) /* not on this architecture */
			continue;
		rc =
		    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
		n++;
	}
	if (rc == 0)
		rc = refuse_clone(ctx);
	if (rc == 0)
		rc = refuse_reaching_out(ctx);
	if (rc == 0)
		rc = refuse_sockets(ctx, sockets);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc != 0) {
		errno = -rc;
		return -1;
	}
	return n;
}
