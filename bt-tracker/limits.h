/*
 * limits - how many connections there are: in all, and from each address.
 *
 * The rules
 * 1. One table for all workers, so the numbers are exact.
 * 2. The addresses of an IPv6 /64 count as one: a household has no less.
 * 3. Loopback addresses and trusted proxies have no limit of their own.
 * Touches: locks.
 *
 * Used by  bt-tracker/http.c
 * Tests    tests/e2e/tracker-fronts.bats
 */
#ifndef BT_TRACKER_LIMITS_H
#define BT_TRACKER_LIMITS_H

#include "proxy.h"

struct bt_limits;

enum bt_limits_verdict { BT_LIMITS_FINE, BT_LIMITS_ALL, BT_LIMITS_ADDRESS };

/* gives; borrows proxy. secret: 16 random bytes. */
struct bt_limits	*bt_limits_new(uint32_t all, uint32_t each,
			    const struct bt_proxy *proxy,
			    const uint8_t secret[16]);
void	bt_limits_free(struct bt_limits *l);
/* May one more come from there? Counts it if so. */
enum bt_limits_verdict	bt_limits_enter(struct bt_limits *l,
			    const struct bt_addr *from);
/* One that entered is gone. */
void	bt_limits_leave(struct bt_limits *l, const struct bt_addr *from);

#endif
