/*
 * verify - hash content with every core and say which pieces are right.
 *
 * Reads ahead in large runs and keeps every worker busy; memory is bounded
 * whatever the piece length. Also the hasher that authors torrents.
 * Touches: files, threads.
 *
 * Used by  bt-info --check, bt-get, bt-seed, bt-make
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
 * Author: SHA-1 of each piece of the content made of these files, one after the
 * other. hashes receives pieces * 20 bytes. A file whose size or time of change
 * is not the same at its end is BT_EFILE naming it. progress may be NULL.
 */
struct bt_hasher_file {
	const char *path;	/* for opening and for errors; borrowed */
	uint64_t size;		/* bytes it must have */
};
int	bt_verify_author(const struct bt_hasher_file *files, size_t n,
	    uint32_t piece_length, unsigned threads,
	    bool (*progress)(void *arg, uint64_t bytes_done), void *arg,
	    uint8_t *hashes, struct bt_err *err);

#endif
