/*
 * connid - UDP connection ids that need no memory.
 *
 * An id is a SipHash of the caller's address under the tracker's secret and
 * the minute it was made in; its low two bits say which minute of four. So an
 * id is good for its address alone, for at least two minutes and less than
 * three, in every worker.
 * Pure.
 *
 * Speaks   BEP 15 (connection ids, accepted for two minutes)
 * Used by  bt-tracker/udp.c
 * Tests    tests/unit/test_tracker_connid.c
 */
#ifndef BT_TRACKER_CONNID_H
#define BT_TRACKER_CONNID_H

#include "base/addr.h"

#define BT_CONNID_SLOT_MS 60000u

/* The port does not count: a NAT may change it between two packets. */
uint64_t	bt_connid_make(const uint8_t secret[16],
		    const struct bt_addr *from, uint64_t now_ms);
bool	bt_connid_is_good(const uint8_t secret[16],
	    const struct bt_addr *from, uint64_t now_ms, uint64_t id);

#endif
