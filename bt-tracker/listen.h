/*
 * listen - from what -l says to bound sockets, one set for each worker.
 *
 * The rules
 * 1. Without a scheme an address is served by HTTP and UDP. Without an address
 *    (":6969", "*:6969") by all IPv4 and IPv6 addresses of the machine; a
 *    family that it does not have is left out if the other one is there.
 * 2. Port 0 is one free port for all that have it.
 * 3. The first socket of each address is bound alone, so that a taken port is
 *    an error; the other workers' share it with SO_REUSEPORT.
 * Touches: sockets.
 *
 * Used by  bt-tracker/main.c, bt-tracker/worker.c
 * Tests    tests/e2e/bt-tracker.bats
 */
#ifndef BT_TRACKER_LISTEN_H
#define BT_TRACKER_LISTEN_H

#include "base/addr.h"
#include "base/err.h"

#define BT_LISTEN_MAX	64u	/* far more than anybody lists */
#define BT_LISTEN_URL_MAX	(BT_ADDR_TEXT_MAX + 32)

struct bt_listen_place {
	bool udp;
	bool optional;		/* a family that may be missing; rule 1 */
	struct bt_addr addr;	/* with the port bound, once it is open */
	int *fds;		/* one for each worker; -1 was taken */
};

struct bt_listen {
	struct bt_listen_place places[BT_LISTEN_MAX];
	size_t n;
	unsigned workers;
};

/* Add what a -l says: BT_EUSAGE if it is no address or was there before. */
int	bt_listen_add(struct bt_listen *l, const char *what,
	    struct bt_err *err);
/* BT_ENET "cannot listen on '...': ...". 0, or -1 with nothing open. */
int	bt_listen_open(struct bt_listen *l, unsigned workers,
	    struct bt_err *err);
/* gives a socket; each can be taken once. */
int	bt_listen_take(struct bt_listen *l, size_t place, unsigned worker);
/* Close what was not taken. */
void	bt_listen_close(struct bt_listen *l);
/* The announce URL of a place; a wildcard address as loopback. Returns out. */
char	*bt_listen_url(const struct bt_listen_place *p,
	    char out[BT_LISTEN_URL_MAX]);

#endif
