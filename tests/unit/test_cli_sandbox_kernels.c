/*
 * The sandbox of older kernels, and what is possible without it.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sandbox_rig.h"

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
		cmocka_unit_test(a_kernel_without_landlock_has_the_filter),
		cmocka_unit_test(an_older_kernel_is_told_what_it_knows),
		cmocka_unit_test(without_it_all_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
