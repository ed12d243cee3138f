/*
 * author - the hashes of a new torrent's files, v1, v2 or both, in one read.
 *
 * For v1 alone the files are one after the other. For v2 and hybrids each file
 * with bytes begins a piece, and the gap before it is zeros (the padding of a
 * hybrid's v1 half); after the last file there is none.
 * A file whose size or time of change is another at the end than at the
 * beginning is an error that names it.
 * Touches: files, threads.
 *
 * Speaks   BEP 3 (pieces), 52 (pieces roots, piece layers, padding)
 * Used by  bt-make
 * Tests    tests/unit/test_disk_verify.c, tests/unit/test_disk_author.c
 */
#ifndef BT_DISK_AUTHOR_H
#define BT_DISK_AUTHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/err.h"

struct bt_author_file {
	const char *path;	/* for opening and for errors; borrowed */
	uint64_t size;		/* bytes it must have */
};

struct bt_author {
	const struct bt_author_file *files;
	size_t n;
	uint32_t piece_length;	/* v2: a power of two from 16 KiB */
	unsigned threads;	/* 0: one a core */
	/* v2: the pieces to hash, NULL for all; the others stay as they are */
	const struct bt_bits *which;
	bool (*progress)(void *arg, uint64_t bytes_done);	/* or NULL */
	void *arg;
	uint8_t *sha1;		/* v1: pieces * 20 bytes; NULL without it */
	/*
	 * v2: pieces * 32 bytes, file by file: a file's layer where it has
	 * several pieces, its root where it has one. NULL without it.
	 */
	uint8_t *roots;
};

/* How many pieces there are: what sha1 and roots must have room for. */
uint64_t	bt_author_pieces(const struct bt_author_file *files, size_t n,
	    uint32_t piece_length, bool aligned);

/*
 * Hash. progress returns false to stop (BT_EANSWER). BT_EFILE for what cannot be
 * read or changed, BT_ELIMIT for more than a torrent holds. 0 or -1.
 */
int	bt_author_run(const struct bt_author *a, struct bt_err *err);

#endif
