/*
 * listen - from what -l says to bound sockets, one set for each worker.
 *
 * The rules
 * 1. Without a scheme an address is served by HTTP and UDP. Without an address
 *    (":6969", "*:6969") by all IPv4 and IPv6 addresses of the machine; a
 *    family that it does not have is left out if the other one is there.
 * 2. Port 0 is one free port for all that have it, another one for HTTPS, and
 *    another one for --admin.
 * 3. The first socket of each address is bound alone, so that a taken port is
 *    an error; the other workers' share it with SO_REUSEPORT.
 * 4. A socket that was handed over is shared by the workers as it is.
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

enum bt_listen_kind { BT_LISTEN_HTTP, BT_LISTEN_HTTPS, BT_LISTEN_UDP };

struct bt_listen_place {
	enum bt_listen_kind kind;
	bool admin;		/* for statistics alone */
	bool optional;		/* a family that may be missing; rule 1 */
	struct bt_addr addr;	/* with the port bound, once it is open */
	int given;		/* a socket that was handed over, or -1 */
	int *fds;		/* one for each worker; -1 was taken */
};

struct bt_listen {
	struct bt_listen_place places[BT_LISTEN_MAX];
	size_t n;
	bool has_admin;
	unsigned workers;
};

/* Add what a -l says: BT_EUSAGE if it is no address or was there before. */
int	bt_listen_add(struct bt_listen *l, const char *what,
	    struct bt_err *err);
/* The one place of --admin, an ADDR:PORT, after all others; likewise. */
int	bt_listen_admin(struct bt_listen *l, const char *what,
	    struct bt_err *err);
/*
 * Takes fd, a socket that is bound: BT_EUSAGE if it is not of TCP or UDP. is_https
 * says what a TCP one is for. 0 or -1.
 */
int	bt_listen_adopt(struct bt_listen *l, int fd, bool is_https,
	    struct bt_err *err);
/* Is there a place of this kind? */
bool	bt_listen_has(const struct bt_listen *l, enum bt_listen_kind kind);
/* BT_ENET "cannot listen on '...': ...". 0, or -1 with nothing open. */
int	bt_listen_open(struct bt_listen *l, unsigned workers,
	    struct bt_err *err);
/* gives a socket; each can be taken once. */
int	bt_listen_take(struct bt_listen *l, size_t place, unsigned worker);
/* Close what was not taken. */
void	bt_listen_close(struct bt_listen *l);
/* The announce URL of a place, or that of /stats; a wildcard address as loopback. Returns out. */
char	*bt_listen_url(const struct bt_listen_place *p,
	    char out[BT_LISTEN_URL_MAX]);

#endif
