/*
 * reuse - hashes of an older torrent for files that are as they were.
 *
 * A file is taken as unchanged if the older torrent, v2 or hybrid, is of the
 * same name, has its path and its size, and its times of modification and of
 * status change are both before the older torrent's own time of modification.
 * Programs can set the former and not the latter; bt-make -o gives a torrent the
 * time when it began, and one by --edit the time of what it was made of. For a hybrid its last piece must have been padded as it is to be now.
 * Touches: files.
 *
 * Used by  bt-make/make.c
 * Tests    tests/e2e/bt-make-v2.bats
 */
#ifndef BT_MAKE_REUSE_H
#define BT_MAKE_REUSE_H

#include "base/buf.h"
#include "codec/metainfo.h"
#include "content.h"

struct reuse {
	struct bt_buf bytes;
	struct bt_meta old;
	struct bt_bits left;	/* pieces that are to be hashed */
	uint64_t left_bytes;	/* of files, in them */
	int64_t before_s;	/* the older torrent's time, seconds */
};

/* Read the older torrent. gives *r, for reuse_fini() whatever comes. 0 or -1. */
int	reuse_open(struct reuse *r, const char *path, struct bt_err *err);
void	reuse_fini(struct reuse *r);
/* Fill in what it has of c into sha1 (or NULL) and roots; left is the rest. */
void	reuse_take(struct reuse *r, const struct content *c, uint64_t pieces,
	    uint8_t *sha1, uint8_t *roots);

#endif
