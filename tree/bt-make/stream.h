/*
 * stream - piece hashes of content that comes once, through a pipe.
 *
 * The piece length follows from the size, which is known only at the end. So
 * every length that may still be the right one is hashed side by side, a thread
 * each, and dropped once the content has outgrown it. Nothing is kept of
 * the content.
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
	uint64_t size;		/* bytes that came */
	uint32_t piece_length;
	struct bt_buf hashes;	/* 20 bytes a piece */
};

/*
 * Read fd to its end. piece_length 0 chooses by the size. progress returns
 * false to stop (BT_EANSWER). *s is filled on success only, and ended with
 * bt_buf_fini(&s->hashes). 0 or -1.
 */
int	stream_hash(struct stream *s, int fd, uint32_t piece_length,
	    bool (*progress)(void *arg, uint64_t done), void *arg,
	    struct bt_err *err);

#endif
