/*
 * signal - SIGINT and SIGTERM: the first one asks, a second one insists.
 *
 * 1. The first one is remembered; the tool looks between two steps, cleans up
 *    and hands the number to bt_cli_end() through cli.signal.
 * 2. A second one ends the process at once, unless it is the same number less
 *    than 0.2 s after the first: timeout(1), and whoever else signals a process
 *    and then its group, sends each twice and means it once.
 * Touches: signals, the clock.
 *
 * Used by  bt-info (--check), bt-make, session; the tools with a loop
 * Tests    tests/e2e/cli.bats
 */
#ifndef BT_CLI_SIGNAL_H
#define BT_CLI_SIGNAL_H

void	bt_signal_catch(void);
/* The first one came by net/loop or sigwait: rule 2 holds from here on. */
void	bt_signal_came(int signo);
int	bt_signal_caught(void);	/* the signal's number, or 0; any thread */

#endif
