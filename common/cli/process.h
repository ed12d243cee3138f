/*
 * process - what the system handed us, made fit for a program with sockets.
 *
 * 1. A standard stream that is closed stays useless, but its number is taken:
 *    else the first file opened would get it, and be printed into.
 * 2. The soft limit on descriptors is for programs that use select(). We do
 *    not, so the hard one holds.
 * 3. SIGPIPE is ignored: a write that nobody reads says EPIPE.
 * Touches: the process.
 *
 * Used by  cli/options
 * Tests    tests/e2e/cli.bats
 */
#ifndef BT_CLI_PROCESS_H
#define BT_CLI_PROCESS_H

/* Before anything is opened. */
void	bt_process_begin(void);

#endif
