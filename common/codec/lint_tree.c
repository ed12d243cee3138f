/* The v2 half: the file tree's names, its form, the layers, and v1 beside it. */
#include <string.h>

#include "base/mem.h"
#include "codec/lint_priv.h"
#include "codec/metafiles.h"
#include "codec/metatree.h"

struct level {
	struct bt_str name;
	size_t path_n; /* of the folder's path, in the arena's last bytes */
	bool is_file;
};

/* From key to key of the tree's bytes, each of which is passed once. */
struct walk {
	struct bt_lint *l;
	struct bt_str in;
	size_t at;
	struct level levels[BT_META_DEPTH_MAX + 2];
	size_t depth;
	struct bt_buf path; /* of what is open */
	struct bt_buf arena;
	struct found {
		size_t at, n; /* in the arena */
		const uint8_t *in;
	} * found;
	size_t nfound, cap;
};

static void
keep(struct walk *w, const uint8_t *in)
{
	if (w->nfound == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		w->found = bt_mem_resize(w->found, w->cap, sizeof(*w->found));
	}
	w->found[w->nfound] = (struct found){ w->arena.n, w->path.n, in };
	if (bt_buf_add(&w->arena, bt_buf_str(&w->path)) == 0)
		w->nfound++;
}

static struct bt_ben
next_value(struct walk *w)
{
	struct bt_ben v = bt_ben_at(bt_str_sub(w->in, w->at, w->in.n));

	w->at += v.raw.n;
	return v;
}

/* A name in the folder that is open, and what it is of. */
static void
take_name(struct walk *w, struct bt_str name)
{
	const struct level *in = &w->levels[w->depth - 1];

	bt_lint_into_key(w->l, name);
	bt_lint_name(w->l, name);
	w->path.n = in->path_n;
	if (w->path.n > 0)
		bt_buf_putc(&w->path, '/');
	bt_buf_add(&w->path, name);
	if (w->in.p[w->at] != 'd' || w->depth > BT_META_DEPTH_MAX) {
		next_value(w);
		bt_lint_out(w->l);
		return;
	}
	w->at++;
	w->levels[w->depth++] =
	    (struct level){ .name = name, .path_n = w->path.n };
}

/*
 * What makes the folder a file: see the tree's form. That a path is too long is
 * told there as well, and such a one is not worth comparing with others.
 */
static void
take_file(struct walk *w)
{
	struct level *in = &w->levels[w->depth - 1];

	next_value(w);
	if (w->depth == 1 || in->is_file)
		return;
	in->is_file = true;
	w->path.n = in->path_n;
	if (w->path.n <= BT_META_PATH_MAX)
		keep(w, in->name.p);
}

static void
walk_names(struct walk *w)
{
	struct bt_str key;

	w->at = 1;
	w->depth = 1;
	while (w->depth > 0) {
		if (w->in.p[w->at] == 'e') {
			w->at++;
			if (--w->depth > 0)
				bt_lint_out(w->l);
			continue;
		}
		key = next_value(w).str;
		if (key.n == 0)
			take_file(w);
		else
			take_name(w, key);
	}
}

/* All names of the tree, each alone and against the others. */
static void
check_names(struct bt_lint *l, const struct bt_ben *tree)
{
	struct walk *w = bt_mem_zero(1, sizeof(*w));
	struct bt_lint_path *paths;

	w->l = l;
	w->in = tree->raw;
	bt_buf_init(&w->path, tree->raw.n);
	bt_buf_init(&w->arena, 4 * tree->raw.n);
	walk_names(w);
	paths = bt_mem_array(w->nfound, sizeof(*paths));
	for (size_t i = 0; i < w->nfound; i++)
		paths[i] = (struct bt_lint_path){
			.path = { w->arena.p + w->found[i].at, w->found[i].n },
			.file = (uint32_t)i,
			.at = w->found[i].in,
		};
	bt_lint_paths(l, paths, w->nfound);
	bt_mem_free(paths);
	bt_mem_free(w->found);
	bt_buf_fini(&w->arena);
	bt_buf_fini(&w->path);
	bt_mem_free(w);
}

/* The v1 half's files into m, as the parser has them. */
static int
read_v1(struct bt_meta *m, const struct bt_lint_tree *t, struct bt_err *err)
{
	if (t->files.type == BT_BEN_LIST)
		return bt_metafiles_parse(m, &t->files, err);
	m->single = true;
	m->size = (uint64_t)t->length.num;
	m->files = bt_filetab_new();
	bt_filetab_add(m->files, m->size, 0, m->name);
	return 0;
}

static void
tell(struct bt_lint *l, const char *key, enum bt_lint_id id,
    const struct bt_ben *at, const struct bt_err *err)
{
	bt_lint_into_key(l, bt_str_of(key));
	bt_lint_tell(l, id, at->raw.p, "%s", err->text);
	bt_lint_out(l);
}

/*
 * The parser's own rules, which name the first fault of each part. They are
 * asked once names and lengths are known to be right; the torrent's own name,
 * where it is not, was told of before.
 */
int64_t
bt_lint_tree(struct bt_lint *l, struct bt_lint_tree *t)
{
	struct bt_meta m = { .name = t->name,
		.piece_length = t->piece_length,
		.has_v1 = t->has_v1,
		.has_v2 = true };
	uint64_t errors = l->totals->errors;
	struct bt_err err = BT_ERR_INIT;
	int64_t size = -1;

	if (!t->has_v1) {
		bt_lint_into_key(l, STR("file tree"));
		check_names(l, &t->tree);
		bt_lint_out(l);
	}
	if (l->totals->errors > errors || t->is_faulty || m.piece_length == 0 ||
	    !bt_meta_is_safe_name(t->name))
		return -1;
	if (!t->has_v1 && bt_metatree_parse(&m, &t->tree, &err) == -1)
		tell(l, "file tree", BT_LINT_V2_FILE_TREE, &t->tree, &err);
	else if (t->has_v1 && (read_v1(&m, t, &err) == -1 ||
				  bt_metatree_join(&m, &t->tree, &err) == -1))
		tell(l, "file tree", BT_LINT_V1_V2_MISMATCH, &t->tree, &err);
	else {
		size = (int64_t)m.size;
		t->is_single = m.single;
		if (bt_metatree_layers(&m, &t->layers, &err) == -1)
			bt_lint_tell(l, BT_LINT_V2_PIECE_LAYERS,
			    t->layers.raw.p, "%s", err.text);
	}
	bt_meta_fini(&m);
	return size;
}
