/*
 * quota - how many connections there are: in all, and from each address.
 *
 * The rules
 * 1. One table for all workers, so the numbers are exact.
 * 2. The addresses of an IPv6 /64 count as one: a household has no less.
 * 3. Loopback addresses and trusted proxies have no limit of their own.
 * Touches: locks.
 *
 * Used by  bt-tracker/http.c
 * Tests    tests/e2e/bt-tracker-fronts.bats
 */
#ifndef BT_TRACKER_QUOTA_H
#define BT_TRACKER_QUOTA_H

#include "proxy.h"

struct bt_quota;

enum bt_quota_verdict { BT_QUOTA_FINE, BT_QUOTA_ALL, BT_QUOTA_ADDRESS };

/* gives; borrows proxy. secret: 16 random bytes. */
struct bt_quota	*bt_quota_new(uint32_t all, uint32_t each,
		    const struct bt_proxy *proxy, const uint8_t secret[16]);
void	bt_quota_free(struct bt_quota *l);
/* May one more come from there? Counts it if so. */
enum bt_quota_verdict	bt_quota_enter(struct bt_quota *l,
			    const struct bt_addr *from);
/* One that entered is gone. */
void	bt_quota_leave(struct bt_quota *l, const struct bt_addr *from);

#endif
