/*
 * metainfo - what a .torrent file says.
 *
 * 1. The info-hash is of the exact bytes read, never of a re-encoding.
 * 2. All lengths are checked against each other before anything is believed:
 *    the sum of the files, the piece length, the number of piece hashes.
 * 3. Every path component is checked: none is empty, ".", "..", holds '/' or
 *    NUL, or is longer than BT_META_NAME_MAX bytes. What fails is BT_EINPUT.
 * 4. name.utf-8 and path.utf-8 win over name and path where they are valid.
 * 5. Views point into the input, which the caller keeps as long as the meta; but
 *    for the files and their paths, which may be kept longer.
 * 6. No two files have one path, and no file is a folder of another. Padding is
 *    exempt (BEP 47 gives paddings of one size one path) and needs no path.
 * 7. v2 (meta version 2) has a file tree and a root for each file; a hybrid has
 *    both halves, and what they say of the files is the same. Each piece layer
 *    is hashed up to its root. See codec/metatree.
 * 8. What is not needed to find the content (announce-list, url-list, nodes,
 *    dates) is skipped where it is malformed; white space around URLs goes.
 * Pure.
 *
 * Speaks   BEP 3, 52 (v2, hybrid), 12 (announce-list), 19 (url-list),
 *          17 (httpseeds), 5 (nodes), 27 (private), 47 (attr, symlinks)
 * Used by  every tool
 * Tests    tests/unit/test_metainfo.c, test_metainfo_files.c,
 *          test_metainfo_others.c; tests/fuzz/fuzz_metainfo.c
 */
#ifndef BT_CODEC_METAINFO_H
#define BT_CODEC_METAINFO_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "codec/filetab.h"

#define BT_META_BYTES_MAX	(100u << 20)	/* a .torrent's own size */
#define BT_META_FILES_MAX	4000000u	/* 25 bytes each fill the above */
#define BT_META_NAME_MAX	255u		/* Linux NAME_MAX */
#define BT_META_PATH_MAX	4095u		/* Linux PATH_MAX less the NUL */
#define BT_META_DEPTH_MAX	128u		/* components in a path */
#define BT_META_PIECE_MAX	(1u << 30)	/* piece length, bytes */
#define BT_META_SIZE_MAX	((uint64_t)1 << 62)	/* all files, bytes */
#define BT_META_PIECES_MAX	5242880u	/* v1 hashes that fill the above */
#define BT_META_LINKS_MAX	4096u	/* of trackers, seeds, nodes */

#define BT_META_PAD	0x01	/* attr 'p': never written, never listed */
#define BT_META_EXEC	0x02	/* attr 'x' */
#define BT_META_HIDDEN	0x04	/* attr 'h' */
#define BT_META_LINK	0x08	/* attr 'l': refused by bt-get by name */

struct bt_meta {
	struct bt_str raw;		/* the whole input */
	struct bt_str info;		/* exact bytes of the info dictionary */
	bool has_v1, has_v2;		/* a hybrid has both; one always is */
	uint8_t info_hash[BT_SHA1_LEN];		/* v1; zeros without it */
	uint8_t info_hash_v2[BT_SHA256_LEN];	/* the same */
	unsigned oddities;		/* BT_BEN_* bits */

	struct bt_str name;
	uint64_t size;			/* all files, padding included */
	uint32_t piece_length;		/* bytes, 1 .. BT_META_PIECE_MAX */
	uint32_t pieces;		/* how many; 0 only if size is 0 */
	const uint8_t *piece_hashes;	/* v1: pieces * 20 bytes, or NULL */
	bool single;			/* one file, no folder of its own */
	bool private_;			/* BEP 27 */
	/*
	 * single: one, whose path is the name. v2 begins each file at a piece:
	 * where v1 has no padding for that (v2 only), it is put in, without a
	 * path, so that offsets are the same; none is put at the end.
	 */
	struct bt_filetab *files;
	struct bt_meta_root {		/* v2: of each file; else NULL */
		const uint8_t *root;	/* 32 bytes; NULL: empty, padding */
		const uint8_t *layer;	/* 32 bytes for each of its pieces; NULL
					 * where root is, or root is all */
	} *roots;

	struct bt_str announce;		/* empty if absent, as all below */
	struct bt_str comment;
	struct bt_str created_by;
	struct bt_str encoding;
	struct bt_str source;		/* info.source */
	int64_t creation_date;		/* seconds since the epoch, or -1 */

	/* announce-list, or announce alone as one tier: flat, tier by tier */
	struct bt_meta_tracker {
		struct bt_str url;
		uint32_t tier;		/* 0, 1, ... ascending */
	} *trackers;
	uint32_t ntrackers;
	struct bt_str *web_seeds;	/* url-list */
	uint32_t nweb_seeds;
	struct bt_str *http_seeds;	/* httpseeds */
	uint32_t nhttp_seeds;
	struct bt_meta_node {
		struct bt_str host;
		uint16_t port;
	} *nodes;
	uint32_t nnodes;
};

/*
 * Read a torrent. *m is filled on success only and released with
 * bt_meta_fini(); it borrows in. BT_EINPUT or BT_ELIMIT. 0 or -1.
 */
int	bt_meta_parse(struct bt_str in, struct bt_meta *m, struct bt_err *err);
void	bt_meta_fini(struct bt_meta *m);

/* The size of all files that are not padding. */
uint64_t	bt_meta_payload(const struct bt_meta *m);
/* The hash by which trackers and peers know it: v1's, or v2's first 20 bytes. */
const uint8_t	*bt_meta_wire_hash(const struct bt_meta *m);
/*
 * v2: the hash of piece i < pieces, how many bytes of a file it is of (the rest is
 * padding), and how many levels it is above their blocks: as many as a whole piece
 * has where the file has more pieces than this; else the file's own. Either may be
 * NULL.
 */
const uint8_t	*bt_meta_piece_root(const struct bt_meta *m, uint32_t i,
	    uint32_t *bytes, unsigned *height);
/* Is s fit to be one component of a path on disk? (rule 3) */
bool	bt_meta_is_safe_name(struct bt_str s);

#endif
