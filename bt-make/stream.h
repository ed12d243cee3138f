/*
 * stream - piece hashes of content that comes through a pipe, when the piece
 * length is to follow from its size.
 *
 * The size is known only at the end. So for v1 every length that may still be
 * the right one is hashed side by side, and dropped once the content has
 * outgrown it; a v2 tree grows with its pieces. Nothing is kept of the content.
 * Where the length is known and v2 is not wanted, disk/verify_stream does it.
 * Touches: a descriptor, threads.
 *
 * Used by  bt-make/main.c
 * Tests    tests/e2e/bt-make.bats
 */
#ifndef BT_MAKE_STREAM_H
#define BT_MAKE_STREAM_H

#include "base/buf.h"
#include "base/err.h"

struct stream {
	bool v1, v2;		/* what is wanted: set by the caller */
	uint32_t piece_length;	/* by the caller too, or 0: to be chosen */
	uint64_t size;		/* bytes that came */
	struct bt_buf hashes;	/* v1: 20 bytes a piece */
	struct bt_buf roots;	/* v2: 32 bytes a piece */
};

/*
 * Read fd, standard input, to its end. progress returns false to stop
 * (BT_EANSWER). The buffers are set up on success only, and are the caller's to
 * end with bt_buf_fini(). 0 or -1.
 */
int	stream_hash(struct stream *s, int fd,
	    bool (*progress)(void *arg, uint64_t done), void *arg,
	    struct bt_err *err);

#endif
