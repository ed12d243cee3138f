/*
 * state - the file in which swarms outlive the program.
 *
 * The rules
 * 1. The file is replaced whole: written beside it, synced, renamed. A kill at
 *    any moment leaves the last save.
 * 2. It is written while the workers serve, a piece at a time (store_save.h).
 * 3. At the start it is read twice: nothing is taken in of a file that is not
 *    whole. Such a one is set aside as FILE.damaged. What is no state file at
 *    all, or of a later version, is left alone: an error.
 * 4. A lock (FILE.lock) keeps a second tracker off it. It ends with the
 *    process.
 * 5. It is for its owner's eyes alone: it has addresses.
 * One thread calls it.
 * Touches: files.
 *
 * Used by  bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker-state.bats
 */
#ifndef BT_TRACKER_STATE_H
#define BT_TRACKER_STATE_H

#include "service.h"

struct bt_state;

/*
 * gives *out, locked and read through; *damage is set to a sentence that
 * outlives the call, for a warning, where rule 3 set a file aside, else NULL.
 * BT_EFILE, or BT_EINPUT for what is no state file.
 */
int	bt_state_open(struct bt_state **out, const char *path,
	    const char **damage, struct bt_err *err);
/* Lets the lock go; saves nothing. */
void	bt_state_close(struct bt_state *st);
/* What keys are to be hashed under: 16 bytes, new ones where no file was. */
const uint8_t	*bt_state_key_secret(const struct bt_state *st);
/*
 * Take in what was saved. BT_ELIMIT when not all of it found room, and
 * BT_EFILE when it cannot be read.
 */
int	bt_state_restore(struct bt_state *st, struct bt_service *s,
	    struct bt_err *err);
int	bt_state_save(struct bt_state *st, struct bt_service *s,
	    struct bt_err *err);

#endif
