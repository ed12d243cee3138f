/*
 * sandbox_priv - what the parts of cli/sandbox share; nobody else's.
 *
 * Landlock in numbers of our own: the headers of a system may be older than the
 * kernel that the tools run on. tests/unit/test_cli_sandbox_kernels.c
 * holds them against the header.
 */
#ifndef BT_CLI_SANDBOX_PRIV_H
#define BT_CLI_SANDBOX_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/sandbox.h"

#define BT_LANDLOCK_VERSION	1u	/* a flag: which ABI is it? */
#define BT_LANDLOCK_BENEATH	1u	/* a rule's kind */

#define BT_LANDLOCK_EXECUTE	(UINT64_C(1) << 0)
#define BT_LANDLOCK_WRITE_FILE	(UINT64_C(1) << 1)
#define BT_LANDLOCK_READ_FILE	(UINT64_C(1) << 2)
#define BT_LANDLOCK_READ_DIR	(UINT64_C(1) << 3)
#define BT_LANDLOCK_REMOVE_DIR	(UINT64_C(1) << 4)
#define BT_LANDLOCK_REMOVE_FILE	(UINT64_C(1) << 5)
#define BT_LANDLOCK_MAKE_DIR	(UINT64_C(1) << 7)
#define BT_LANDLOCK_MAKE_REG	(UINT64_C(1) << 8)
#define BT_LANDLOCK_MAKE_SYM	(UINT64_C(1) << 12)
#define BT_LANDLOCK_REFER	(UINT64_C(1) << 13)	/* ABI 2 */
#define BT_LANDLOCK_TRUNCATE	(UINT64_C(1) << 14)	/* ABI 3 */
#define BT_LANDLOCK_IOCTL_DEV	(UINT64_C(1) << 15)	/* ABI 5 */
#define BT_LANDLOCK_NET		(UINT64_C(3))	/* ABI 4: TCP bind, connect */
#define BT_LANDLOCK_ABSTRACT	(UINT64_C(1) << 0)	/* ABI 6: scopes */
#define BT_LANDLOCK_SIGNAL	(UINT64_C(1) << 1)

struct bt_landlock_ruleset {
	uint64_t fs;		/* rights that need a rule from now on */
	uint64_t net;		/* ABI 4 */
	uint64_t scoped;	/* ABI 6 */
};

struct bt_landlock_beneath {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

struct bt_sandbox_path {
	const char *path;
	enum bt_sandbox_kind {
		BT_SANDBOX_READ,
		BT_SANDBOX_OPERAND,	/* read, and not again */
		BT_SANDBOX_REREAD,
		BT_SANDBOX_WRITE,
		BT_SANDBOX_OUTPUT,
		BT_SANDBOX_STATE,
		BT_SANDBOX_LOG
	} kind;
};

/*
 * Landlock: what box says. Settling, operands were read already. Returns the
 * ABI of the kernel, 0 where there is none, or -1: errno.
 */
int	bt_sandbox_files(struct bt_sandbox *box, bool settling);
/*
 * The filter. Returns how many calls it refuses, or -1 with errno set; 0 in a
 * program that is instrumented by a sanitizer, which needs some of them.
 */
int	bt_sandbox_calls(enum bt_sandbox_sockets sockets);

#endif
