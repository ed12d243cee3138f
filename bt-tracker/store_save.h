/*
 * store_save - a shard's swarms to bytes and back, a piece at a time.
 *
 * 1. A save is many calls with the lock let go in between. Each swarm and peer
 *    that is there from the first call to the last is in it, whatever others
 *    come and go; one that is in it twice counts once.
 * 2. What is taken in keeps its age, and the time since the save counts: who
 *    would have been forgotten meanwhile is left out.
 * 3. What is there already stays as it is.
 * 4. No bytes do harm: an address that nobody can have is left out, and a key
 *    that another peer has is none.
 * Pure.
 *
 * Used by  bt-tracker/service.c
 * Tests    tests/unit/test_tracker_save.c, tests/fuzz/fuzz_saved.c
 */
#ifndef BT_TRACKER_STORE_SAVE_H
#define BT_TRACKER_STORE_SAVE_H

#include "saved.h"
#include "store.h"

/* Where a save is. Begins as { 0 }. */
struct bt_store_walk {
	bool began;
	bool mid;		/* within the swarm of that hash */
	bool any;		/* some of its peers were written */
	uint8_t hash[20];
	uint32_t left;		/* swarms, from the last one down */
	unsigned part;		/* family and role, 4 at the end */
	bool in_part;
	uint32_t peers;		/* left in the part, from the last one down */
};

/* The unit of ages that are written. */
uint32_t	bt_store_tick_ms(const struct bt_store *s);
/* Add groups to out up to its ceiling. True when that was all. */
bool	bt_store_save(struct bt_store *s, struct bt_store_walk *w,
	    uint64_t now_ms, struct bt_buf *out);

/* When and how it was saved. */
struct bt_saved_past {
	uint32_t tick_ms;
	uint64_t passed_ms;	/* since then */
};
/* When its swarm was announced, as in bt_store_oldest(); 0: too long ago. */
uint64_t	bt_store_touched(struct bt_store *s,
		    const struct bt_saved_group *g,
		    const struct bt_saved_past *past, uint64_t now_ms);
/*
 * Take in a group. BT_ELIMIT where there is no room for all of it: what there
 * was room for is in, and it may be given again. 0 or -1.
 */
int	bt_store_restore(struct bt_store *s, const struct bt_saved_group *g,
	    const struct bt_saved_past *past, uint64_t now_ms,
	    struct bt_err *err);

#endif
