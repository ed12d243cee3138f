/*
 * proxy - whose request it is: the client's address, decided once.
 *
 * The rules
 * 1. It is the address that the bytes come from, unless that is a proxy that
 *    we trust: then the right-most address of X-Forwarded-For or Forwarded
 *    that is not trusted too, or the left-most one where all are.
 * 2. Where a trusted proxy says no address, or one that cannot be read, or both
 *    headers say different things, the client is not known: family 0.
 * 3. What a client says of its own address (ip=) counts only from loopback and
 *    private addresses (RFC 1918, 3927, 4193, 4291), as a peer behind the same
 *    router as the tracker knows better, or from all with allow_ip.
 * 4. It never counts in a request that bears the mark of a proxy that we do not
 *    trust, and without allow_ip not in one that comes from a trusted one without
 *    a mark: that one's own address says nothing of the client.
 * An IPv4-mapped IPv6 address is IPv4.
 * Pure.
 *
 * Speaks   RFC 7239 (Forwarded)
 * Used by  bt-tracker/reply.c, bt-tracker/udp.c
 * Tests    tests/unit/test_tracker_proxy.c
 */
#ifndef BT_TRACKER_PROXY_H
#define BT_TRACKER_PROXY_H

#include "base/addr.h"
#include "base/err.h"
#include "request.h"

#define BT_PROXY_NETS_MAX	256u	/* far more than anybody lists */

struct bt_proxy_net {
	struct bt_addr addr;
	unsigned bits;		/* of it that count */
};

struct bt_proxy {
	struct bt_proxy_net nets[BT_PROXY_NETS_MAX];	/* trusted */
	size_t n;
	bool allow_ip;
};

struct bt_proxy_client {
	struct bt_addr addr;	/* family 0: not known; the port is from's */
	bool may_say_ip;
};

/* Trust "10.0.0.0/8" or "::1": BT_EUSAGE if it is neither. 0 or -1. */
int	bt_proxy_trust(struct bt_proxy *p, const char *net, struct bt_err *err);
bool	bt_proxy_is_trusted(const struct bt_proxy *p, const struct bt_addr *a);
/* q is NULL where nothing can forward: UDP. */
struct bt_proxy_client	bt_proxy_decide(const struct bt_proxy *p,
			    const struct bt_addr *from,
			    const struct bt_request *q);

#endif
