/*
 * signal - SIGINT and SIGTERM for tools that have no event loop.
 *
 * The first one is remembered; the tool looks between two steps, cleans up
 * and hands the number to bt_cli_end() through cli.signal. The second one ends
 * the process at once. Tools with a loop use net/loop's instead.
 * Touches: signals.
 *
 * Used by  bt-info (--check), bt-make
 * Tests    tests/e2e/cli.bats
 */
#ifndef BT_CLI_SIGNAL_H
#define BT_CLI_SIGNAL_H

void	bt_signal_catch(void);
int	bt_signal_caught(void);	/* the signal's number, or 0; any thread */

#endif
