#include "codec/lint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/lint_priv.h"
#include "codec/metainfo.h"
#include "codec/metawrite.h"

#define WHERE_MAX 512 /* bytes of the way to a key; longer is cut */
#define TEXT_MAX 512
#define KEY_SHOWN_MAX 65

/* A length as far from the usual one costs a reader much. */
#define FAR 8

/* Larger than this and than a tenth of the torrent, what is idle is told. */
#define IDLE_MIN 4096

const struct bt_lint_rule bt_lint_rules[] = {
	[BT_LINT_MALFORMED] = { "malformed", true, "no bencoding" },
	[BT_LINT_TOO_DEEP] = { "too-deep", true,
	    "nested deeper than readers follow" },
	[BT_LINT_UNSORTED_KEYS] = { "unsorted-keys", true,
	    "dictionary keys out of order" },
	[BT_LINT_DUPLICATE_KEY] = { "duplicate-key", true,
	    "a key twice in one dictionary" },
	[BT_LINT_ODD_INTEGER] = { "odd-integer", true,
	    "a number not in its shortest form" },
	[BT_LINT_TRAILING_BYTES] = { "trailing-bytes", true,
	    "bytes after the torrent" },
	[BT_LINT_NOT_A_TORRENT] = { "not-a-torrent", true,
	    "bencoding, and yet no torrent" },
	[BT_LINT_MISSING_KEY] = { "missing-key", true, "a needed key" },
	[BT_LINT_WRONG_TYPE] = { "wrong-type", true,
	    "a known key with a value of another type" },
	[BT_LINT_SINGLE_OR_MULTI] = { "single-or-multi", true,
	    "both of length and files, or neither" },
	[BT_LINT_NO_FILES] = { "no-files", true,
	    "a list of files that is empty or too long" },
	[BT_LINT_FILE_LENGTH] = { "file-length", true,
	    "negative, or beyond 2^62" },
	[BT_LINT_PIECE_LENGTH] = { "piece-length", true,
	    "a piece length that cannot be" },
	[BT_LINT_PIECE_COUNT] = { "piece-count", true,
	    "too many, or hashes that do not fit the length" },
	[BT_LINT_META_VERSION] = { "meta-version", true, "neither 1 nor 2" },
	[BT_LINT_V2_PIECE_LENGTH] = { "v2-piece-length", true,
	    "of v2, and no power of two from 16 KiB" },
	[BT_LINT_V2_FILE_TREE] = { "v2-file-tree", true,
	    "a file tree that is malformed" },
	[BT_LINT_V2_PIECE_LAYERS] = { "v2-piece-layers", true,
	    "layers that do not fit the files or their roots" },
	[BT_LINT_V1_V2_MISMATCH] = { "v1-v2-mismatch", true,
	    "a hybrid whose halves disagree" },
	[BT_LINT_PATH_TRAVERSAL] = { "path-traversal", true, "'.' or '..'" },
	[BT_LINT_PATH_ABSOLUTE] = { "path-absolute", true,
	    "a name that begins with '/'" },
	[BT_LINT_PATH_SEPARATOR] = { "path-separator", true,
	    "a name that holds '/'" },
	[BT_LINT_PATH_EMPTY] = { "path-empty", true,
	    "an empty name, or a path of none" },
	[BT_LINT_PATH_NUL] = { "path-nul", true, "a name that holds NUL" },
	[BT_LINT_PATH_LONG] = { "path-long", true,
	    "a name or path longer than systems take" },
	[BT_LINT_DUPLICATE_PATH] = { "duplicate-path", true,
	    "two files of one path" },
	[BT_LINT_FILE_AND_FOLDER] = { "file-and-folder", true,
	    "a file that is the folder of another" },
	[BT_LINT_INVALID_UTF8] = { "invalid-utf8", true,
	    "a text that is not UTF-8" },
	[BT_LINT_TRACKER_URL] = { "tracker-url", true,
	    "a tracker's URL that is malformed" },
	[BT_LINT_WEB_SEED_URL] = { "web-seed-url", true,
	    "a web seed's URL that is malformed" },
	[BT_LINT_NODE] = { "node", true, "a DHT node that is malformed" },
	[BT_LINT_PIECE_LENGTH_ODD] = { "piece-length-odd", false,
	    "no power of two, or below 16 KiB" },
	[BT_LINT_PIECE_LENGTH_UNUSUAL] = { "piece-length-unusual", false,
	    "far from what the size asks for" },
	[BT_LINT_CASE_COLLISION] = { "case-collision", false,
	    "two paths that differ in case alone" },
	[BT_LINT_WINDOWS_NAME] = { "windows-name", false,
	    "a name that Windows cannot hold" },
	[BT_LINT_PADDING] = { "padding", false, "padding that does not align" },
	[BT_LINT_PRIVATE_NO_TRACKER] = { "private-no-tracker", false,
	    "private, and no way to find peers" },
	[BT_LINT_TRACKER_DUPLICATE] = { "tracker-duplicate", false,
	    "a tracker listed twice" },
	[BT_LINT_ANNOUNCE_NOT_IN_LIST] = { "announce-not-in-list", false,
	    "a tracker that few readers ask" },
	[BT_LINT_WEB_SEED_DUPLICATE] = { "web-seed-duplicate", false,
	    "a web seed listed twice" },
	[BT_LINT_WEB_SEED_SLASH] = { "web-seed-slash", false,
	    "a folder's web seed without '/' at its end" },
	[BT_LINT_LARGER_THAN_NEEDED] = { "larger-than-needed", false,
	    "much that no reader needs" },
	[BT_LINT_IDS] = { NULL, false, NULL },
};

void
bt_lint_into_key(struct bt_lint *l, struct bt_str key)
{
	l->steps[l->nsteps++] = (struct bt_lint_step){ .key = key };
}

void
bt_lint_into_index(struct bt_lint *l, uint64_t index)
{
	l->steps[l->nsteps++] =
	    (struct bt_lint_step){ .index = index, .is_index = true };
}

void
bt_lint_out(struct bt_lint *l)
{
	l->nsteps--;
}

static void
put_where(const struct bt_lint *l, char to[WHERE_MAX])
{
	char key[KEY_SHOWN_MAX];
	size_t n = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < l->nsteps && n < WHERE_MAX - 1; i++) {
		if (l->steps[i].is_index) {
			snprintf(to + n, WHERE_MAX - n, "[%" PRIu64 "]",
			    l->steps[i].index);
		} else {
			bt_str_printable(l->steps[i].key, key, sizeof(key));
			snprintf(to + n, WHERE_MAX - n, "%s%s",
			    n == 0 ? "" : ".", key);
		}
		n += strlen(to + n);
	}
}

void
bt_lint_tell(struct bt_lint *l, enum bt_lint_id id, const uint8_t *p,
    const char *fmt, ...)
{
	struct bt_lint_finding f = { .rule = &bt_lint_rules[id],
		.at = p == NULL ? 0 : (size_t)(p - l->in.p) };
	char where[WHERE_MAX], text[TEXT_MAX];
	va_list ap;

	if (f.rule->is_error)
		l->totals->errors++;
	else
		l->totals->warnings++;
	if (l->told[id]++ >= BT_LINT_EACH_MAX) {
		l->totals->untold++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_where(l, where);
	f.where = where;
	f.text = text;
	l->found(l->arg, &f);
}

/* The keys of the info dictionary that are looked at. */
struct info {
	struct bt_ben name, name8, piece_length, pieces, length, files;
	struct bt_ben private_, source, attr, version, tree;
	bool has_v1, has_v2;
};

static void
tell_key(struct bt_lint *l, const char *key, enum bt_lint_id id,
    const struct bt_ben *v, const char *text)
{
	bt_lint_into_key(l, bt_str_of(key));
	bt_lint_tell(l, id, v->raw.p, "%s", text);
	bt_lint_out(l);
}

static void
check_text(struct bt_lint *l, const char *key, const struct bt_ben *v)
{
	bt_lint_into_key(l, bt_str_of(key));
	bt_lint_utf8(l, v->str);
	bt_lint_out(l);
}

static void
check_name(struct bt_lint *l, const char *key, const struct bt_ben *v)
{
	if (v->type != BT_BEN_STR)
		return;
	bt_lint_into_key(l, bt_str_of(key));
	bt_lint_name(l, v->str);
	bt_lint_out(l);
}

/* The piece length, or 0 when it cannot be. v2 allows fewer. */
static int64_t
check_piece_length(struct bt_lint *l, const struct bt_ben *v, bool has_v2)
{
	const char *key = "piece length";

	if (v->type != BT_BEN_INT)
		return 0;
	if (has_v2 && v->num > 0 && v->num <= BT_META_PIECE_MAX &&
	    ((v->num & (v->num - 1)) != 0 || v->num < BT_METAWRITE_PIECE_MIN)) {
		tell_key(l, key, BT_LINT_V2_PIECE_LENGTH, v,
		    "the piece length of a v2 torrent is a power of two from "
		    "16 KiB");
		return 0;
	}
	if (v->num < 1)
		tell_key(l, key, BT_LINT_PIECE_LENGTH, v,
		    "the piece length is less than 1");
	else if (v->num > BT_META_PIECE_MAX)
		tell_key(l, key, BT_LINT_PIECE_LENGTH, v,
		    "the piece length is more than 1 GiB");
	else if ((v->num & (v->num - 1)) != 0)
		tell_key(l, key, BT_LINT_PIECE_LENGTH_ODD, v,
		    "the piece length is no power of two");
	else if (v->num < BT_METAWRITE_PIECE_MIN)
		tell_key(l, key, BT_LINT_PIECE_LENGTH_ODD, v,
		    "the piece length is less than a block, 16 KiB");
	return v->num < 1 || v->num > BT_META_PIECE_MAX ? 0 : v->num;
}

/* Not told of a length that is odd already. */
static void
check_usual(struct bt_lint *l, const struct bt_ben *v, uint64_t size)
{
	uint64_t usual = bt_metawrite_piece_length(size);
	uint64_t length = (uint64_t)v->num;
	char text[128];

	if ((length & (length - 1)) != 0 || length < BT_METAWRITE_PIECE_MIN)
		return;
	if (length >= usual / FAR && length <= usual * FAR)
		return;
	if (length > usual && size <= length && length <= 4u << 20)
		return; /* one piece: there is nothing to gain */
	snprintf(text, sizeof(text),
	    "the piece length is far from the %" PRIu64
	    " bytes that are usual for content of this size",
	    usual);
	tell_key(l, "piece length", BT_LINT_PIECE_LENGTH_UNUSUAL, v, text);
}

static void
check_pieces(
    struct bt_lint *l, const struct bt_ben *v, int64_t length, uint64_t size)
{
	uint64_t want =
	    size / (uint64_t)length + (size % (uint64_t)length != 0);
	char text[128];

	if (v->str.n % BT_SHA1_LEN == 0 && v->str.n / BT_SHA1_LEN == want)
		return;
	snprintf(text, sizeof(text),
	    "%zu bytes of piece hashes, where the lengths need %" PRIu64
	    " times 20",
	    v->str.n, want);
	tell_key(l, "pieces", BT_LINT_PIECE_COUNT, v, text);
}

/* The content's size, or -1. */
static int64_t
check_content(struct bt_lint *l, const struct info *i, int64_t piece_length)
{
	if (i->files.type == BT_BEN_LIST)
		return bt_lint_files(l, &i->files,
		    i->name.str.n > i->name8.str.n ? i->name.str.n
						   : i->name8.str.n,
		    piece_length);
	if (i->length.type != BT_BEN_INT)
		return -1;
	if (i->length.num >= 0 && (uint64_t)i->length.num <= BT_META_SIZE_MAX)
		return i->length.num;
	tell_key(l, "length", BT_LINT_FILE_LENGTH, &i->length,
	    i->length.num < 0 ? "the file's length is negative"
			      : "the file is larger than 2^62 bytes");
	return -1;
}

/* Which halves there are, and what they must hold, of whatever type. */
static void
check_needed(struct bt_lint *l, const struct bt_ben *info, struct info *i)
{
	const char *const needed[] = { "name", "piece length",
		i->has_v2 ? "file tree" : "pieces" };
	struct bt_ben length = bt_ben_get(info, "length");
	struct bt_ben files = bt_ben_get(info, "files");

	for (size_t k = 0; k < sizeof(needed) / sizeof(needed[0]); k++)
		if (bt_ben_get(info, needed[k]).type == BT_BEN_NONE)
			bt_lint_tell(l, BT_LINT_MISSING_KEY, info->raw.p,
			    "there is no '%s'", needed[k]);
	if (i->version.type == BT_BEN_INT &&
	    (i->version.num < 1 || i->version.num > 2))
		tell_key(l, "meta version", BT_LINT_META_VERSION, &i->version,
		    "the meta version is neither 1 nor 2");
	if ((i->has_v1 || !i->has_v2) &&
	    (length.type == BT_BEN_NONE) == (files.type == BT_BEN_NONE))
		bt_lint_tell(l, BT_LINT_SINGLE_OR_MULTI, info->raw.p,
		    length.type == BT_BEN_NONE
			? "there is neither 'length' nor 'files'"
			: "there are both 'length' and 'files'");
}

/* The name that counts, chosen as codec/metainfo does (its rule 4). */
static struct bt_str
name_of(const struct info *i)
{
	if (i->name8.type == BT_BEN_STR && bt_str_is_utf8(i->name8.str) &&
	    bt_meta_is_safe_name(i->name8.str))
		return i->name8.str;
	return i->name.str;
}

/* The content's size by the half or halves there are, or -1. */
static int64_t
check_halves(struct bt_lint *l, const struct info *i, int64_t length,
    const struct bt_ben *layers, bool *is_multi)
{
	struct bt_lint_tree t = {
		.tree = i->tree,
		.layers = *layers,
		.files = i->files,
		.length = i->length,
		.name = name_of(i),
		.piece_length = (uint32_t)length,
		.has_v1 = i->has_v1,
	};
	uint64_t errors = l->totals->errors;
	int64_t size = -1;

	*is_multi = i->files.type == BT_BEN_LIST;
	if (i->has_v1 || !i->has_v2)
		size = check_content(l, i, length);
	if (size >= 0 && length > 0 && i->pieces.type == BT_BEN_STR)
		check_pieces(l, &i->pieces, length, (uint64_t)size);
	if (!i->has_v2 || i->tree.type != BT_BEN_DICT)
		return size;
	t.is_faulty = l->totals->errors > errors || (i->has_v1 && size < 0);
	if (!i->has_v1) {
		size = bt_lint_tree(l, &t);
		*is_multi = size >= 0 && !t.is_single;
		if (size > 0 &&
		    (uint64_t)(size - 1) / t.piece_length >= BT_META_PIECES_MAX)
			tell_key(l, "file tree", BT_LINT_PIECE_COUNT, &i->tree,
			    "the files have more pieces than any reader takes");
	} else {
		bt_lint_tree(l, &t);
	}
	return size;
}

static void
check_info(struct bt_lint *l, const struct bt_ben *info,
    const struct bt_ben *layers, struct bt_lint_links *links)
{
	struct info i;
	const struct bt_lint_key keys[] = {
		{ STR("name"), BT_BEN_STR, &i.name },
		{ STR("name.utf-8"), BT_BEN_STR, &i.name8 },
		{ STR("piece length"), BT_BEN_INT, &i.piece_length },
		{ STR("pieces"), BT_BEN_STR, &i.pieces },
		{ STR("length"), BT_BEN_INT, &i.length },
		{ STR("files"), BT_BEN_LIST, &i.files },
		{ STR("private"), BT_BEN_INT, &i.private_ },
		{ STR("source"), BT_BEN_STR, &i.source },
		{ STR("attr"), BT_BEN_STR, &i.attr },
		{ STR("meta version"), BT_BEN_INT, &i.version },
		{ STR("file tree"), BT_BEN_DICT, &i.tree },
		{ STR("md5sum"), BT_BEN_STR, NULL },
		{ STR("sha1"), BT_BEN_STR, NULL },
	};
	int64_t length, size;

	bt_lint_into_key(l, STR("info"));
	bt_lint_keys(l, info, keys, sizeof(keys) / sizeof(keys[0]));
	i.has_v2 = i.version.num == 2;
	i.has_v1 = bt_ben_get(info, "pieces").type != BT_BEN_NONE;
	check_needed(l, info, &i);
	check_name(l, "name", &i.name);
	if (!bt_str_eq(i.name.str, i.name8.str))
		check_name(l, "name.utf-8", &i.name8);
	check_text(l, "source", &i.source);
	length = check_piece_length(l, &i.piece_length, i.has_v2);
	size = check_halves(l, &i, length, layers, &links->is_multi);
	if (size >= 0 && length > 0)
		check_usual(l, &i.piece_length, (uint64_t)size);
	links->is_private = i.private_.num != 0;
	bt_lint_out(l);
}

static void
check_root(struct bt_lint *l, const struct bt_ben *root)
{
	struct bt_ben info, comment, created_by, layers;
	struct bt_lint_links k = { .is_private = false };
	const struct bt_lint_key keys[] = {
		{ STR("info"), BT_BEN_NONE, &info },
		{ STR("announce"), BT_BEN_STR, &k.announce },
		{ STR("announce-list"), BT_BEN_LIST, &k.list },
		{ STR("comment"), BT_BEN_STR, &comment },
		{ STR("created by"), BT_BEN_STR, &created_by },
		{ STR("creation date"), BT_BEN_INT, &(struct bt_ben){ 0 } },
		{ STR("encoding"), BT_BEN_STR, &(struct bt_ben){ 0 } },
		{ STR("url-list"), BT_BEN_NONE, &k.url_list },
		{ STR("httpseeds"), BT_BEN_NONE, &k.httpseeds },
		{ STR("nodes"), BT_BEN_LIST, &k.nodes },
		{ STR("piece layers"), BT_BEN_DICT, &layers },
	};

	if (root->type != BT_BEN_DICT) {
		bt_lint_tell(l, BT_LINT_NOT_A_TORRENT, root->raw.p,
		    "it is not a dictionary");
		return;
	}
	bt_lint_keys(l, root, keys, sizeof(keys) / sizeof(keys[0]));
	if (info.type == BT_BEN_DICT)
		check_info(l, &info, &layers, &k);
	else
		bt_lint_tell(l, BT_LINT_NOT_A_TORRENT, root->raw.p,
		    "there is no dictionary 'info'");
	check_text(l, "comment", &comment);
	check_text(l, "created by", &created_by);
	bt_lint_links(l, &k);
	if (l->idle > IDLE_MIN && l->idle > l->in.n / 10)
		bt_lint_tell(l, BT_LINT_LARGER_THAN_NEEDED, NULL,
		    "%" PRIu64 " of %zu bytes are of keys that no reader "
		    "needs",
		    l->idle, l->in.n);
}

void
bt_lint_run(struct bt_str in,
    void (*found)(void *arg, const struct bt_lint_finding *f), void *arg,
    struct bt_lint_totals *totals)
{
	struct bt_lint l = {
		.in = in, .found = found, .arg = arg, .totals = totals
	};
	struct bt_ben root;

	*totals = (struct bt_lint_totals){ 0 };
	if (bt_lint_form(&l, &root))
		check_root(&l, &root);
}
