/*
 * verify - hash content with every core and say which pieces are right.
 *
 * Reads ahead in large runs and keeps every worker busy; memory is bounded
 * whatever the piece length. What authors torrents is disk/author.
 * Touches: files, threads.
 *
 * Used by  bt-info --check, bt-get, bt-seed
 * Tests    tests/unit/test_disk_verify.c
 */
#ifndef BT_DISK_VERIFY_H
#define BT_DISK_VERIFY_H

#include "disk/files.h"
#include "disk/pool.h"

struct bt_verify_progress {
	/* Called on the caller's thread, in no order; return false to stop. */
	bool (*piece)(void *arg, uint32_t piece, bool good);
	void *arg;
};

/*
 * Hash the pieces in `which` (NULL: all); good receives those that match. A
 * piece that cannot be read (missing, short) is not good and is no error. 0, or
 * -1 for what stops the whole (BT_EFILE) or a stop by progress (BT_EANSWER).
 */
int	bt_verify_run(struct bt_files *f, const struct bt_layout *l,
	    const struct bt_bits *which, unsigned threads,
	    const struct bt_verify_progress *progress, struct bt_bits *good,
	    struct bt_err *err);

/*
 * The same for m, of which l is, by all the hashes it has: v1's, v2's (BEP 52),
 * and in a hybrid both, of one read.
 */
int	bt_verify_meta(struct bt_files *f, const struct bt_layout *l,
	    const struct bt_meta *m, unsigned threads,
	    const struct bt_verify_progress *progress, struct bt_bits *good,
	    struct bt_err *err);

#endif
