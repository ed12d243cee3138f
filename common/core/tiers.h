/*
 * tiers - which tracker to ask next (BEP 12).
 *
 * The rules
 * 1. Trackers of a tier are shuffled once; tiers are tried in order.
 * 2. Whichever answers moves to the front of its tier.
 * 3. A failed tracker is passed over at once for the next one, of the next tier
 *    if need be, so that a dead first tracker blocks nobody; it is tried again
 *    after 15, 30, 60 ... s, at most 30 min.
 * 4. A duplicate URL counts once.
 * Pure.
 *
 * Speaks   BEP 12
 * Used by  net/announcer
 * Tests    tests/unit/test_tiers.c
 */
#ifndef BT_CORE_TIERS_H
#define BT_CORE_TIERS_H

#include "base/str.h"

#define BT_TIERS_MAX	1000u	/* trackers; the longest lists have some 100 */

struct bt_tiers;

struct bt_tiers	*bt_tiers_new(uint64_t seed);
void	bt_tiers_free(struct bt_tiers *t);
/* tier: 0, 1, ...; copies url. False if it is there already, or if full. */
bool	bt_tiers_add(struct bt_tiers *t, struct bt_str url, uint32_t tier);
uint32_t	bt_tiers_count(const struct bt_tiers *t);
/*
 * The tracker to ask now: its id, or UINT32_MAX if all failed lately; *when
 * then says when the first may be asked again.
 */
uint32_t	bt_tiers_pick(struct bt_tiers *t, int64_t now, int64_t *when);
const char	*bt_tiers_url(const struct bt_tiers *t, uint32_t id);
void	bt_tiers_ok(struct bt_tiers *t, uint32_t id);
void	bt_tiers_failed(struct bt_tiers *t, uint32_t id, int64_t now);

#endif
