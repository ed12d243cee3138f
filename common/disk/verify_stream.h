/*
 * verify_stream - hash content that comes in order from a pipe.
 *
 * One reader fills buffers and the workers hash them: whole pieces side by
 * side, or, where a piece is larger than a buffer, one piece while the next
 * part of it is read. Memory is bounded whatever the piece length.
 * Touches: a descriptor, threads.
 *
 * Used by  bt-make (PATH -), bt-info (--check -)
 * Tests    tests/unit/test_disk_verify_stream.c
 */
#ifndef BT_DISK_VERIFY_STREAM_H
#define BT_DISK_VERIFY_STREAM_H

#include "base/buf.h"
#include "disk/verify.h"

/*
 * Author: read fd to its end; hashes receives 20 bytes a piece, *size how many
 * bytes there were. name is for errors; progress may be NULL and stops it by
 * false. A signal that is caught while it waits for bytes stops it too. 0, or
 * -1: BT_EFILE, BT_EANSWER (stopped), BT_ELIMIT (the buffer's ceiling).
 */
int	bt_verify_author_fd(int fd, const char *name, uint32_t piece_length,
	    unsigned threads, bool (*progress)(void *arg, uint64_t bytes_done),
	    void *arg, struct bt_buf *hashes, uint64_t *size,
	    struct bt_err *err);

/*
 * Check a stream of the files end to end in the torrent's order, without its
 * padding. good receives the pieces that match; those that did not come are not
 * good. *came is the offset in the content at which the stream ended, and
 * l->size + 1 if bytes follow the last file. 0, or -1 as above.
 */
int	bt_verify_stream(int fd, const char *name, const struct bt_layout *l,
	    unsigned threads, const struct bt_verify_progress *progress,
	    struct bt_bits *good, uint64_t *came, struct bt_err *err);

/*
 * The same by v2's hashes, for m, of which l is. One core hashes what one pipe
 * brings.
 */
int	bt_verify_stream_v2(int fd, const char *name, const struct bt_layout *l,
	    const struct bt_meta *m, const struct bt_verify_progress *progress,
	    struct bt_bits *good, uint64_t *came, struct bt_err *err);

#endif
