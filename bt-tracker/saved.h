/*
 * saved - swarms as the bytes of a state file.
 *
 * A head, frames, and one empty frame at the end, so that a file that was cut
 * is told from a whole one. A frame has its length, a checksum, its number and
 * groups; a group is some peers of one swarm, family and role:
 *
 *	head	"bt-state", version 4, tick 4, time 8, key secret 16,
 *		16 zeros, checksum 8
 *	frame	length 4, checksum 8, then as long: number 8, groups
 *	group	info-hash 20, downloaded 4, age 4, part 1, count 2, then of
 *		each peer the keys (4), ages (1), addresses (6 or 18)
 *
 * Numbers are big-endian. The checksum is SipHash, of the head under zeros and
 * of a frame under the key secret. It tells damage, not malice: all is checked
 * as if anybody had written it.
 * Pure.
 *
 * Used by  bt-tracker/store_save.c, bt-tracker/state.c
 * Tests    tests/unit/test_tracker_saved.c, tests/fuzz/fuzz_saved.c
 */
#ifndef BT_TRACKER_SAVED_H
#define BT_TRACKER_SAVED_H

#include "base/buf.h"
#include "base/rd.h"

#define BT_SAVED_VERSION	1u
#define BT_SAVED_HEAD_LEN	64u
#define BT_SAVED_FRAME_LEN	20u	/* before the groups */
#define BT_SAVED_FRAME_MAX	(16u << 10)	/* in all: one lock is held so long */
#define BT_SAVED_GROUP_LEN	31u	/* before the peers */

struct bt_saved_head {
	uint32_t tick_ms;	/* the unit of peers' ages; not 0 */
	uint64_t wall_ms;	/* when it was saved, since 1970 */
	uint8_t key_secret[16];
};

struct bt_saved_group {
	const uint8_t *hash;	/* 20 bytes */
	uint32_t downloaded;
	uint32_t age_ms;	/* of the last announce */
	uint8_t family;		/* 4 or 6 */
	bool seeders;
	uint32_t n;
	const uint8_t *keys;	/* n of four bytes */
	const uint8_t *ages;	/* in ticks; the high bit: paused */
	const uint8_t *addrs;
};

enum bt_saved_is {
	BT_SAVED_WHOLE,
	BT_SAVED_CUT,		/* the end is missing */
	BT_SAVED_DAMAGED,
	BT_SAVED_LATER,		/* of a version that is not known here */
	BT_SAVED_OTHER		/* no state file */
};

void	bt_saved_head_put(uint8_t out[BT_SAVED_HEAD_LEN],
	    const struct bt_saved_head *h);
enum bt_saved_is	bt_saved_head_get(struct bt_str in,
			    struct bt_saved_head *h);

/* Begin a frame in out, which is empty; groups are added; then seal it. */
void	bt_saved_frame_begin(struct bt_buf *out, uint64_t number);
void	bt_saved_frame_seal(struct bt_buf *out, const uint8_t key_secret[16]);
/*
 * Frame `number` is at the start of in: *groups is a view of what is in it,
 * empty at the end, *took what it takes. BT_SAVED_CUT when there is less.
 */
enum bt_saved_is	bt_saved_frame_get(struct bt_str in, uint64_t number,
			    const uint8_t key_secret[16],
			    struct bt_str *groups, size_t *took);
/* The next group: 1, or 0 at the end, or -1 for what is none. */
int	bt_saved_group_get(struct bt_rd *r, struct bt_saved_group *g);

#endif
