/*
 * filetab - a torrent's files: where each begins, its attributes, its path.
 *
 * 1. A file takes 16 bytes and its path with a NUL: there may be millions, and
 *    the table stays as long as the torrent does.
 * 2. Files lie end to end, so a size is told by where the next one begins.
 * 3. It is made file by file, then only read and never changed: it is shared by
 *    who holds it, and goes with the last of them. Holders count themselves on
 *    one thread; any may read.
 * Pure.
 *
 * Used by  codec/metafiles, codec/metatree; core/layout, which shares it
 * Tests    tests/unit/test_filetab.c
 */
#ifndef BT_CODEC_FILETAB_H
#define BT_CODEC_FILETAB_H

#include <assert.h>

#include "base/str.h"

struct bt_filetab {
	struct bt_filetab_at {
		uint64_t offset;	/* of its first byte in the content */
		uint32_t path;		/* where it begins in paths */
		uint16_t path_n;	/* bytes, the NUL not counted */
		uint8_t attr;		/* BT_META_* bits */
	} *at;			/* n, and one more that begins at the end */
	uint32_t n;
	char *paths;		/* each ended by NUL */
	size_t paths_n;
	size_t room, paths_room;
	unsigned holders;
};

/* One of them, as it is read. */
struct bt_file {
	uint64_t size;		/* bytes */
	uint64_t offset;	/* of its first byte in the whole content */
	struct bt_str path;	/* components joined with '/', no name part; a
				 * NUL follows it */
	unsigned attr;		/* BT_META_* bits */
};

/* gives an empty one with one holder */
struct bt_filetab	*bt_filetab_new(void);
/* gives the same with one holder more, who frees it too */
struct bt_filetab	*bt_filetab_share(struct bt_filetab *t);
void	bt_filetab_free(struct bt_filetab *t);

/* The next file. Its path, which is copied, may be of 65535 bytes. */
void	bt_filetab_add(struct bt_filetab *t, uint64_t size, unsigned attr,
	    struct bt_str path);

static inline struct bt_file
bt_filetab_get(const struct bt_filetab *t, uint32_t i)
{
	const struct bt_filetab_at *f = &t->at[i];

	assert(i < t->n);
	return (struct bt_file){ f[1].offset - f->offset, f->offset,
		{ (const uint8_t *)t->paths + f->path, f->path_n }, f->attr };
}

static inline uint64_t
bt_filetab_size(const struct bt_filetab *t, uint32_t i)
{
	assert(i < t->n);
	return t->at[i + 1].offset - t->at[i].offset;
}

/* All bytes of all files. */
static inline uint64_t
bt_filetab_total(const struct bt_filetab *t)
{
	return t->at[t->n].offset;
}

/* The file that holds the byte at offset (offset < total). By bisection. */
uint32_t	bt_filetab_find(const struct bt_filetab *t, uint64_t offset);
/*
 * The order of a file tree, component by component: whatever is inside a folder
 * follows the folder's own path at once, as '/' comes before every other byte.
 */
int	bt_filetab_path_cmp(struct bt_str a, struct bt_str b);
/*
 * gives the numbers of the files without an attribute in `but`, *n of them, in
 * the order of their paths. In a time of n log n, and at once if it is theirs.
 */
uint32_t	*bt_filetab_by_path(const struct bt_filetab *t, unsigned but,
	    uint32_t *n);

#endif
