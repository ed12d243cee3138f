/*
 * pace - who comes back sooner than it was asked to.
 *
 * A table of fixed size remembers until when those who came last were asked to
 * wait.
 * 1. It never says of somebody that it is too soon who was not told to wait.
 * 2. It may have forgotten: two who fall to one place share it, and the later
 *    one has it. So it is for advice, and not for a limit.
 * 3. A second is let off: clients count whole ones.
 * Pure.
 *
 * Speaks   BEP 3 (min interval)
 * Used by  bt-tracker/service.c
 * Tests    tests/unit/test_tracker_pace.c
 */
#ifndef BT_TRACKER_PACE_H
#define BT_TRACKER_PACE_H

#include <stdint.h>

#include "base/addr.h"

struct bt_pace;

/* Who announces: one peer of one torrent. */
struct bt_pace_who {
	const uint8_t *info_hash;	/* 20 bytes */
	struct bt_addr peer;		/* where it listens */
	uint32_t key;			/* 0: none */
};

/* gives. secret: 16 random bytes, so that nobody chooses a place. */
struct bt_pace	*bt_pace_new(const uint8_t secret[16]);
void	bt_pace_free(struct bt_pace *p);
/*
 * Somebody came at now_ms, and is asked to wait for wait_s. How many seconds
 * were left of the last wait, rounded up; 0 where it was over, or is not known.
 */
uint32_t	bt_pace_came(struct bt_pace *p, const struct bt_pace_who *who,
		    uint64_t now_ms, uint32_t wait_s);

#endif
