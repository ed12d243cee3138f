/*
 * oldest - which of many things was touched longest ago, asked now and then.
 *
 * Things are numbers from 0 on. Touching one does not come by here, so that it
 * costs nothing: what is kept, for groups of eight, is a time that none of the
 * group was touched before. Whoever asks looks at the group with the least of
 * these, says how old it really is, and asks again until that changes nothing.
 * Pure.
 *
 * Used by  bt-tracker/swarms.c
 * Tests    tests/unit/test_tracker_swarms.c
 */
#ifndef BT_TRACKER_OLDEST_H
#define BT_TRACKER_OLDEST_H

#include <stddef.h>
#include <stdint.h>

#define BT_OLDEST_GROUP	8u

struct bt_oldest {
	uint64_t *tree;		/* the least of each pair, twice `groups` */
	uint32_t groups;	/* a power of two, or 0 */
};

void	bt_oldest_init(struct bt_oldest *o);
void	bt_oldest_fini(struct bt_oldest *o);
/* There may be numbers below n; new ones stand for nothing yet. */
void	bt_oldest_room(struct bt_oldest *o, uint32_t n);
/* Bytes with room for n, or what there is if that is more. */
size_t	bt_oldest_bytes(const struct bt_oldest *o, uint32_t n);

/* Number i was touched then, or later. */
void	bt_oldest_add(struct bt_oldest *o, uint32_t i, uint64_t when);
/* Nobody of the group was touched before that; UINT64_MAX: it is empty. */
void	bt_oldest_set(struct bt_oldest *o, uint32_t group, uint64_t when);
/* The group with the least time, which is put in *when. */
uint32_t	bt_oldest_group(const struct bt_oldest *o, uint64_t *when);

#endif
