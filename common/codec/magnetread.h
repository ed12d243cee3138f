/*
 * magnetread - what a magnet link says.
 *
 * 1. Of xt, only urn:btih (40 hex digits or 32 of base 32) and urn:btmh (a
 *    SHA-256 as a multihash) are of BitTorrent: at least one must be there, and
 *    each at most once. Other topics are passed over.
 * 2. Parameters may be numbered ("tr.1") and come in any order; %XX is decoded,
 *    and '+' is a blank in a name. Unknown ones are passed over.
 * 3. URLs that are empty and peers without a port are passed over.
 * Pure.
 *
 * Speaks   BEP 9 (magnet URI format, x.pe), 52 (btmh), 53 (so)
 * Used by  bt-info
 * Tests    tests/unit/test_magnetread.c
 */
#ifndef BT_CODEC_MAGNETREAD_H
#define BT_CODEC_MAGNETREAD_H

#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

#define BT_MAGNETREAD_MAX	(64u << 10)	/* bytes of a link */
#define BT_MAGNETREAD_LIST_MAX	4096u	/* trackers, seeds, peers: of each */

struct bt_magnetread {
	bool has_v1, has_v2;		/* at least one */
	uint8_t info_hash[BT_SHA1_LEN];
	uint8_t info_hash_v2[BT_SHA256_LEN];
	struct bt_str name;		/* dn, or empty */
	int64_t size;			/* xl: bytes, or -1 */
	struct bt_str select;		/* so: "0,2,4-7", or empty */
	struct bt_magnetread_list {
		struct bt_str *items;
		size_t n;
	} trackers, web_seeds, peers;	/* tr, ws, x.pe */
	uint8_t *arena;			/* of all texts; owned */
};

/* Is it one by its first bytes? Of either case. */
bool	bt_magnetread_is(struct bt_str link);

/*
 * Read a link. *m is filled on success only and released with
 * bt_magnetread_fini(); it borrows nothing. BT_EINPUT or BT_ELIMIT. 0 or -1.
 */
int	bt_magnetread_parse(struct bt_str link, struct bt_magnetread *m,
	    struct bt_err *err);
void	bt_magnetread_fini(struct bt_magnetread *m);

#endif
