/*
 * sweep - hash the pieces of some content with every core, in bounded memory.
 *
 * Work is dealt out in runs of pieces, some MiB each. A worker has one buffer that
 * stays in its cache and fills it with small pieces, or with parts of long ones in
 * turn, which go through base/lanes side by side.
 * Touches: threads; files through `read`.
 *
 * Used by  disk/verify, disk/author
 * Tests    tests/unit/test_disk_verify.c
 */
#ifndef BT_DISK_SWEEP_H
#define BT_DISK_SWEEP_H

#include "base/bits.h"
#include "base/err.h"

#define BT_SWEEP_SEATS	65u	/* one a thread of a pool, and the caller's */

struct bt_sweep {
	uint64_t size;		/* bytes */
	uint32_t piece_length;
	const struct bt_bits *which;	/* NULL: all */
	unsigned threads;	/* 0: one a core */
	/*
	 * On a worker: n bytes at offset. -1 with kind
	 * BT_EMISMATCH: they are not there; another kind stops the sweep. Calls
	 * of one seat are never made at the same time.
	 */
	int (*read)(void *arg, unsigned seat, uint64_t offset, uint8_t *to,
	    size_t n, struct bt_err *err);
	/* These bytes are read soon. Also on the caller's thread. */
	void (*advise)(void *arg, unsigned seat, uint64_t offset, uint64_t n);
	/*
	 * On the caller's thread, in no order: sha1 is NULL where the piece is
	 * not there. False stops the sweep.
	 */
	bool (*piece)(void *arg, uint32_t piece, const uint8_t *sha1);
	/*
	 * v2, or NULL. Pieces' trees are hashed from the same bytes, of which
	 * the first `span` are of a file (the rest is padding) and `height`
	 * levels are asked for; on a worker. root goes with piece's sha1, and
	 * comes first. With no_sha1 it comes alone, and padding is not read.
	 */
	uint32_t (*span)(void *arg, uint32_t piece, unsigned *height);
	bool (*root)(void *arg, uint32_t piece, const uint8_t *root);
	bool no_sha1;
	void *arg;
};

/* 0, or -1: read's error, or BT_EANSWER for a stop by `piece`. */
int	bt_sweep_run(const struct bt_sweep *s, struct bt_err *err);

#endif
