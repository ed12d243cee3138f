/*
 * peernames - host names in trackers' peer lists become addresses.
 *
 * Few are resolved at once for one torrent; the rest is let go.
 * Touches: sockets (through net/dns).
 *
 * Speaks   BEP 3 (a peer's ip may be a host name)
 * Used by  net/announcer
 * Tests    tests/e2e/announce.bats
 */
#ifndef BT_NET_PEERNAMES_H
#define BT_NET_PEERNAMES_H

#include "codec/announce.h"
#include "net/dns.h"

#define BT_PEERNAMES_MAX	32u

struct bt_peernames {
	struct bt_dns *dns;	/* borrowed for life */
	void (*found)(void *arg, const struct bt_addr *addrs, size_t n);
	void *arg;
	struct bt_peername *first;
	unsigned n;
};

/* s has dns, found and arg and is zero else. Copies peer. */
void	bt_peernames_resolve(struct bt_peernames *s,
	    const struct bt_peer_name *peer);
/* Nothing is told any more. */
void	bt_peernames_fini(struct bt_peernames *s);

#endif
