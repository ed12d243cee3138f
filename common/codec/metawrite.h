/*
 * metawrite - the bytes of a new torrent.
 *
 * 1. The same description gives the same bytes: keys in order, nothing added.
 * 2. An absent key is not written at all, so that the info-hash is that of
 *    any other program given the same name, files and piece length.
 * 3. BEP 12: announce is the first URL; announce-list is written only when
 *    there is a second one.
 * 4. v1 is written where there are piece_hashes, v2 where there are roots, a
 *    hybrid with both. v2 wants files in the order of a file tree, component
 *    by component; a hybrid's v1 half has padding where a gap is before a file,
 *    as .pad/LENGTH, and none after the last.
 * Pure.
 *
 * Speaks   BEP 3, 52 (v2, hybrid), 47 (padding), 12 (announce-list),
 *          19 (url-list), 27 (private)
 * Used by  bt-make
 * Tests    tests/unit/test_metawrite.c, tests/interop/metainfo.bats
 */
#ifndef BT_CODEC_METAWRITE_H
#define BT_CODEC_METAWRITE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Piece lengths that are chosen, and asked for: a block .. what fits memory */
#define BT_METAWRITE_PIECE_MIN	(16u << 10)
#define BT_METAWRITE_PIECE_AUTO_MAX	(16u << 20)
#define BT_METAWRITE_PIECE_MAX	(1u << 30)	/* BT_META_PIECE_MAX */

struct bt_metawrite_file {
	struct bt_str path;	/* components joined with '/' */
	uint64_t size;
};
struct bt_metawrite_tracker {
	struct bt_str url;
	uint32_t tier;		/* ascending */
};

/* All borrowed; empty strings and zero counts are absent keys. */
struct bt_metawrite {
	struct bt_str name;
	const struct bt_metawrite_file *files;
	size_t nfiles;
	bool single;		/* files[0] alone, and only its size counts */
	uint32_t piece_length;
	struct bt_str piece_hashes;	/* v1; else empty */
	/* v2: 32 bytes for each piece of each file, as disk/author has them */
	const uint8_t *roots;
	bool private_;
	struct bt_str source;
	const struct bt_metawrite_tracker *trackers;
	size_t ntrackers;
	const struct bt_str *web_seeds;
	size_t nweb_seeds;
	struct bt_str comment;
	struct bt_str created_by;
	int64_t creation_date;	/* seconds since the epoch, or -1 */
};

/* Add the torrent to out. BT_ELIMIT at its ceiling. 0 or -1. */
int	bt_metawrite_put(const struct bt_metawrite *w, struct bt_buf *out,
	    struct bt_err *err);

/* The values of announce-list and url-list. 0 or -1. */
int	bt_metawrite_tiers(const struct bt_metawrite *w, struct bt_buf *b);
int	bt_metawrite_seeds(const struct bt_metawrite *w, struct bt_buf *b);

/* v2's parts of it, in codec/metawrite_v2: a value each. 0 or -1. */
int	bt_metawrite_tree(const struct bt_metawrite *w, struct bt_buf *b);
int	bt_metawrite_layers(const struct bt_metawrite *w, struct bt_buf *b);

/*
 * The piece length for content of this size. Frozen, for it decides the
 * info-hash: the smallest power of two P from 16 KiB to 16 MiB with
 * P * P >= 512 * size. So 128 KiB up to 32 MiB, 1 MiB up to 2 GiB, and pieces
 * and their number grow alike: enough pieces to trade in a small torrent, and a
 * large one's list of hashes stays small.
 */
uint32_t	bt_metawrite_piece_length(uint64_t size);

#endif
