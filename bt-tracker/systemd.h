/*
 * systemd - what a service manager hands over, and what it wants to be told.
 *
 * Its two small protocols are spoken by hand: sockets in descriptors from 3 on
 * (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), and lines to the Unix socket in
 * NOTIFY_SOCKET. Without them in the environment nothing happens.
 * Touches: the environment, sockets.
 *
 * Speaks   sd_listen_fds(3), sd_notify(3)
 * Used by  bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker-fronts.bats
 */
#ifndef BT_TRACKER_SYSTEMD_H
#define BT_TRACKER_SYSTEMD_H

#include <stdbool.h>

#define BT_SYSTEMD_FIRST	3	/* SD_LISTEN_FDS_START */

/*
 * How many sockets there are, from BT_SYSTEMD_FIRST on: they are ours then,
 * closed on exec, and no child is told of them. is_https[i] says that the name
 * of the i-th is "https"; max of them are looked at.
 */
unsigned	bt_systemd_sockets(bool is_https[], unsigned max);
/* "READY=1" and the like; what cannot be told is not. */
void	bt_systemd_notify(const char *state);
/* "RELOADING=1" with the time that belongs to it. */
void	bt_systemd_reloading(void);

#endif
