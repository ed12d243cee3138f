/*
 * pipe - bytes of files from the page cache to a socket, without a copy.
 *
 * 1. The pipe is filled with references to cached pages, and with few bytes of
 *    ours between them; the socket takes the references. A sender's copies, from
 *    the cache and to the socket, were more than half of its time. A receiver on
 *    this machine pays for it with more: net/send lends to others only.
 * 2. Only what is in the cache is lent: nothing here waits for a disk. Where the
 *    kernel does not say what is cached (another's file that we may not write,
 *    a file system that cannot) nothing is lent: then bytes are read.
 * 3. Nothing is lent of a file that is still being written: some file systems
 *    let a splice wait for the writer.
 * 4. Whoever writes to the file while its pages are under way changes what is
 *    sent; what a peer gets so fails its hash, as a copy made half way would.
 * 5. It is the loop's, and empty between two sends: what a socket does not take
 *    is dropped, and filled in again. It keeps the last file that it asked about
 *    mapped until it asks about another.
 * Touches: files.
 *
 * Used by  net/send
 * Tests    tests/unit/test_disk_pipe.c, tests/e2e/bt-seed.bats
 */
#ifndef BT_DISK_PIPE_H
#define BT_DISK_PIPE_H

#include <sys/types.h>

#include "disk/files.h"

#define BT_PIPE_BYTES	(512u << 10)	/* what it is filled with at most */

struct bt_pipe;

/* gives; NULL where the system has no pipe of this size for us. */
struct bt_pipe	*bt_pipe_new(void);
void	bt_pipe_free(struct bt_pipe *p);

struct bt_pipe_part {
	struct bt_str head;	/* goes before the bytes; copied */
	size_t n;		/* bytes of the content */
};
/*
 * Add n parts, whose bytes follow each other in the content from offset on:
 * n >= 1, within the content. False: not all of it could be lent now, and the
 * pipe is to be emptied; reading says why.
 */
bool	bt_pipe_lend(struct bt_pipe *p, struct bt_files *f, uint64_t offset,
	    const struct bt_pipe_part *parts, unsigned n);
/* Add bytes of ours, copied. False as above. */
bool	bt_pipe_put(struct bt_pipe *p, struct bt_str bytes);
void	bt_pipe_empty(struct bt_pipe *p);
/*
 * Send at most n bytes to a non-blocking socket, and drop the rest. Returns
 * what it took, or -1 with errno (EAGAIN: it is full). SIGPIPE is ignored
 * by the caller's process.
 */
ssize_t	bt_pipe_send(struct bt_pipe *p, int fd, size_t n);

#endif
