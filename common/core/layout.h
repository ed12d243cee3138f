/*
 * layout - where a torrent's bytes are: pieces, blocks, files.
 *
 * Offsets count from the first byte of the first file, padding included.
 * Blocks are BT_BLOCK_LEN long but the last of a piece. Built once, then
 * read only, so threads may share it.
 * Pure.
 *
 * Speaks   BEP 3 (pieces over the concatenated files), BEP 47 (padding)
 * Used by  core/torrent, core/picker, disk/files, disk/verify
 * Tests    tests/unit/test_layout.c
 */
#ifndef BT_CORE_LAYOUT_H
#define BT_CORE_LAYOUT_H

#include "base/bits.h"
#include "codec/metainfo.h"

struct bt_layout {
	uint64_t size;
	uint32_t piece_length;
	uint32_t pieces;
	struct bt_filetab *files;	/* shared with the torrent's meta */
	uint8_t *piece_hashes;		/* pieces * 20, a copy; v2-only: NULL */
	uint8_t info_hash[20];		/* on the wire */
	char *name;			/* the torrent's name, a copy */
	bool single;
	bool private_;
};

/* gives; shares m's files and copies what else it needs of m */
struct bt_layout	*bt_layout_new(const struct bt_meta *m);
void	bt_layout_free(struct bt_layout *l);

uint32_t	bt_layout_piece_size(const struct bt_layout *l, uint32_t piece);
uint32_t	bt_layout_blocks(const struct bt_layout *l, uint32_t piece);
uint32_t	bt_layout_block_size(const struct bt_layout *l, uint32_t piece,
	    uint32_t block);
uint64_t	bt_layout_offset(const struct bt_layout *l, uint32_t piece,
	    uint32_t begin);
const uint8_t	*bt_layout_hash(const struct bt_layout *l, uint32_t piece);
/* Is begin, length within the piece, and length > 0? */
bool	bt_layout_has_range(const struct bt_layout *l, uint32_t piece,
	    uint32_t begin, uint32_t length);

/* The pieces that a file touches, whose size is not 0. */
uint32_t	bt_layout_first(const struct bt_layout *l, uint32_t file);
uint32_t	bt_layout_last(const struct bt_layout *l, uint32_t file);
/* gives its path beneath the output folder: NAME or NAME/dir/file */
char	*bt_layout_path(const struct bt_layout *l, uint32_t file);

/*
 * Walk the parts of files under offset, length: false at the end. Empty files
 * are passed over; padding is given like any other (attr says so).
 */
struct bt_layout_span {
	uint32_t file;
	uint64_t at;		/* offset in the file */
	uint64_t n;		/* bytes */
};
struct bt_layout_walk {
	uint64_t offset, left;
	uint32_t file;
	bool begun;
};
bool	bt_layout_next_span(const struct bt_layout *l,
	    struct bt_layout_walk *w, struct bt_layout_span *s);

/* Set in `pieces` (l->pieces bits) all that file touches. */
void	bt_layout_mark_file(const struct bt_layout *l, uint32_t file,
	    struct bt_bits *pieces);

#endif
