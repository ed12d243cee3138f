/*
 * exit - the one place where a kind of error becomes an exit status.
 *
 *	0  success
 *	1  the answer is no		BT_EANSWER
 *	2  usage			BT_EUSAGE
 *	3  bad input, or too big	BT_EINPUT, BT_ELIMIT
 *	4  network			BT_ENET
 *	5  the tracker refused		BT_EREFUSED
 *	6  timed out			BT_ETIMEOUT
 *	7  local files			BT_EFILE
 *	8  content does not match	BT_EMISMATCH
 *	128+N  ended by signal N
 *
 * Touches: stderr, the process.
 *
 * Used by  cli/options; tools that print error classes in JSON
 * Tests    tests/unit/test_cli_exit.c, tests/e2e/cli.bats
 */
#ifndef BT_CLI_EXIT_H
#define BT_CLI_EXIT_H

#include "base/err.h"

/* The status of the table above. */
int	bt_exit_status(enum bt_err_kind kind);

/* "answer", "usage", "input", "limit", "net", ...: the "class" of JSON errors. */
const char	*bt_exit_class(enum bt_err_kind kind);

/*
 * Make running out of memory one line on stderr and exit status 3. Called by
 * bt_cli_start().
 */
void	bt_exit_on_exhausted(void);

/*
 * End by sig as if it had never been caught, so that a shell sees 128+sig
 * and stops its own loop too. Flushes nothing.
 */
void	bt_exit_by_signal(int sig) __attribute__((noreturn));

#endif
