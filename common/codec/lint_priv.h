/* lint_priv - what the parts of codec/lint share. */
#ifndef BT_CODEC_LINT_PRIV_H
#define BT_CODEC_LINT_PRIV_H

#include "codec/bencode.h"
#include "codec/lint.h"
#include "codec/metainfo.h"

/* In the order of bt_lint_rules. */
enum bt_lint_id {
	BT_LINT_MALFORMED,
	BT_LINT_TOO_DEEP,
	BT_LINT_UNSORTED_KEYS,
	BT_LINT_DUPLICATE_KEY,
	BT_LINT_ODD_INTEGER,
	BT_LINT_TRAILING_BYTES,
	BT_LINT_NOT_A_TORRENT,
	BT_LINT_MISSING_KEY,
	BT_LINT_WRONG_TYPE,
	BT_LINT_SINGLE_OR_MULTI,
	BT_LINT_NO_FILES,
	BT_LINT_FILE_LENGTH,
	BT_LINT_PIECE_LENGTH,
	BT_LINT_PIECE_COUNT,
	BT_LINT_META_VERSION,
	BT_LINT_V2_PIECE_LENGTH,
	BT_LINT_V2_FILE_TREE,
	BT_LINT_V2_PIECE_LAYERS,
	BT_LINT_V1_V2_MISMATCH,
	BT_LINT_PATH_TRAVERSAL,
	BT_LINT_PATH_ABSOLUTE,
	BT_LINT_PATH_SEPARATOR,
	BT_LINT_PATH_EMPTY,
	BT_LINT_PATH_NUL,
	BT_LINT_PATH_LONG,
	BT_LINT_DUPLICATE_PATH,
	BT_LINT_FILE_AND_FOLDER,
	BT_LINT_INVALID_UTF8,
	BT_LINT_TRACKER_URL,
	BT_LINT_WEB_SEED_URL,
	BT_LINT_NODE,
	BT_LINT_PIECE_LENGTH_ODD,
	BT_LINT_PIECE_LENGTH_UNUSUAL,
	BT_LINT_CASE_COLLISION,
	BT_LINT_WINDOWS_NAME,
	BT_LINT_PADDING,
	BT_LINT_PRIVATE_NO_TRACKER,
	BT_LINT_TRACKER_DUPLICATE,
	BT_LINT_ANNOUNCE_NOT_IN_LIST,
	BT_LINT_WEB_SEED_DUPLICATE,
	BT_LINT_WEB_SEED_SLASH,
	BT_LINT_LARGER_THAN_NEEDED,
	BT_LINT_IDS
};

#define BT_LINT_STEPS_MAX	(BT_BEN_DEPTH_MAX + 2)

struct bt_lint {
	struct bt_str in;
	void (*found)(void *arg, const struct bt_lint_finding *f);
	void *arg;
	struct bt_lint_totals *totals;
	uint32_t told[BT_LINT_IDS];
	struct bt_lint_step {	/* the way to where we are */
		struct bt_str key;
		uint64_t index;
		bool is_index;
	} steps[BT_LINT_STEPS_MAX];
	unsigned nsteps;
	uint64_t idle;		/* bytes that no reader needs */
};

/* Tell a finding at p, a place in the input (NULL: its start). */
void	bt_lint_tell(struct bt_lint *l, enum bt_lint_id id, const uint8_t *p,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Go one step further in; bt_lint_out() goes back. */
void	bt_lint_into_key(struct bt_lint *l, struct bt_str key);
void	bt_lint_into_index(struct bt_lint *l, uint64_t index);
void	bt_lint_out(struct bt_lint *l);

/* lint_form.c: the bencoding itself; false: it is malformed, all else is moot. */
bool	bt_lint_form(struct bt_lint *l, struct bt_ben *root);

/* lint_keys.c: a known key. */
struct bt_lint_key {
	struct bt_str name;
	enum bt_ben_type type;	/* BT_BEN_NONE: more than one is right */
	struct bt_ben *value;	/* NULL: known, and not looked at */
};
/* One walk: the known keys' values, or NONE where a type is wrong, and told. */
void	bt_lint_keys(struct bt_lint *l, const struct bt_ben *dict,
	    const struct bt_lint_key *keys, size_t n);

/* lint_names.c: one component of a path, or the torrent's name. */
void	bt_lint_name(struct bt_lint *l, struct bt_str name);
void	bt_lint_utf8(struct bt_lint *l, struct bt_str text);
/* Paths against each other: equal, equal but for case, file and folder. */
struct bt_lint_path {
	struct bt_str path;	/* joined with '/' */
	uint32_t file;		/* its number, for the where */
	const uint8_t *at;	/* in the input */
};
void	bt_lint_paths(struct bt_lint *l, struct bt_lint_path *paths, size_t n);

/* lint_files.c: the value of "files". Gives their size, or -1. */
int64_t	bt_lint_files(struct bt_lint *l, const struct bt_ben *files,
	    uint64_t name_n, int64_t piece_length);

/*
 * lint_tree.c: the file tree, the layers, and both halves of a hybrid. Gives the
 * size with the gaps between files, or -1.
 */
struct bt_lint_tree {
	struct bt_ben tree, layers, files, length;
	struct bt_str name;
	uint32_t piece_length;	/* 0: it cannot be said */
	bool has_v1;
	bool is_faulty;		/* the v1 half has errors: not asked further */
	bool is_single;		/* set: it is of one file */
};
int64_t	bt_lint_tree(struct bt_lint *l, struct bt_lint_tree *t);

/* lint_links.c: trackers, web seeds, nodes of the root. */
struct bt_lint_links {
	struct bt_ben announce, list, url_list, httpseeds, nodes;
	bool is_private, is_multi;
};
void	bt_lint_links(struct bt_lint *l, const struct bt_lint_links *k);

#endif
