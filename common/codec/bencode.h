/*
 * bencode - reading without a tree, writing without surprises.
 *
 * 1. bt_ben_check() reads one whole value without recursion, proves its form,
 *    and reports what is odd but tolerated in real torrents (unsorted keys,
 *    duplicate keys, non-canonical integers). Depth is capped.
 * 2. After that, cursors walk the checked bytes: nothing is copied, every view
 *    points into the input. A cursor over unchecked bytes is safe too: it ends
 *    early instead of running over.
 * 3. With duplicate keys the first one counts.
 * Pure.
 *
 * Speaks   BEP 3 (bencoding)
 * Used by  codec/metainfo, codec/announce, codec/scrape, codec/ext, bt-info
 * Tests    tests/unit/test_bencode.c, tests/fuzz/fuzz_bencode.c
 */
#ifndef BT_CODEC_BENCODE_H
#define BT_CODEC_BENCODE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define BT_BEN_DEPTH_MAX 136	/* a v2 tree as deep as a path may be has 132 */

enum bt_ben_type {
	BT_BEN_NONE = 0,	/* absent, or the end */
	BT_BEN_INT,
	BT_BEN_STR,
	BT_BEN_LIST,
	BT_BEN_DICT
};

struct bt_ben {
	enum bt_ben_type type;
	struct bt_str raw;	/* the exact bytes of the whole value */
	struct bt_str str;	/* BT_BEN_STR: the content */
	int64_t num;		/* BT_BEN_INT */
};

/* What was odd. Bits; 0 means strictly BEP 3. */
#define BT_BEN_UNSORTED	0x01	/* dictionary keys not in order */
#define BT_BEN_DUPLICATE	0x02	/* a key twice in one dictionary */
#define BT_BEN_ODD_INT	0x04	/* leading zeros, -0, or a padded length */
#define BT_BEN_TRAILING	0x08	/* bytes after the value */

/*
 * Check the value at the start of in; *out is it. With oddities NULL any
 * oddity is an error; else they are tolerated and reported there. Equal keys
 * are found wherever they stand: beside each other at once, and in a dictionary
 * out of order by sorting its keys at its end, so the cost stays n log n.
 * Errors are BT_EINPUT with the byte offset, or BT_ELIMIT for depth. 0 or -1.
 */
int	bt_ben_check(struct bt_str in, struct bt_ben *out, unsigned *oddities,
	    struct bt_err *err);

/* The value at the start of in, not looking inside containers' rules. */
struct bt_ben	bt_ben_at(struct bt_str in);	/* BT_BEN_NONE if malformed */

/* Walk a list: start with *at = {0}; false at the end. */
struct bt_ben_iter {
	size_t at;	/* offset into raw; 0 before the first */
};
bool	bt_ben_next(const struct bt_ben *list, struct bt_ben_iter *it,
	    struct bt_ben *item);
bool	bt_ben_next_key(const struct bt_ben *dict, struct bt_ben_iter *it,
	    struct bt_str *key, struct bt_ben *value);

/* The value of key, or type BT_BEN_NONE. Looks at this level only. */
struct bt_ben	bt_ben_get(const struct bt_ben *dict, const char *key);
/* The same where the type must be right: BT_BEN_NONE otherwise. */
struct bt_ben	bt_ben_get_type(const struct bt_ben *dict, const char *key,
	    enum bt_ben_type type);


/*
 * Several keys in one walk, where a walk for each would pass over the same
 * large values again and again.
 */
struct bt_ben_want {
	struct bt_str key;
	enum bt_ben_type type;	/* BT_BEN_NONE: any will do */
	struct bt_ben *value;	/* BT_BEN_NONE when absent or of another type */
};
void	bt_ben_pick(const struct bt_ben *dict, const struct bt_ben_want *w,
	    size_t n);

/* Writers. The caller writes keys in order. 0, or -1 at the buffer's ceiling. */
int	bt_ben_put_int(struct bt_buf *b, int64_t v);
int	bt_ben_put_str(struct bt_buf *b, struct bt_str s);
int	bt_ben_put_cstr(struct bt_buf *b, const char *s);
int	bt_ben_put_char(struct bt_buf *b, char c);	/* 'd', 'l' or 'e' */

#endif
