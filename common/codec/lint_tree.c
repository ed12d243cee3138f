/* The v2 half: the file tree's names, its form, the layers, and v1 beside it. */
#include <string.h>

#include "base/mem.h"
#include "codec/lint_priv.h"
#include "codec/metafiles.h"
#include "codec/metatree.h"

struct level {
	struct bt_ben dict;
	struct bt_ben_iter it;
	size_t path_n; /* of the folder's path, in the arena's last bytes */
};

struct walk {
	struct bt_lint *l;
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

/* A key of the folder that is open: a name, and what it is of. */
static void
take(struct walk *w, struct bt_str name, const struct bt_ben *v)
{
	struct level *in = &w->levels[w->depth - 1];

	if (name.n == 0)
		return; /* what makes the folder a file: see the tree's form */
	bt_lint_into_key(w->l, name);
	bt_lint_name(w->l, name);
	w->path.n = in->path_n;
	if (w->path.n > 0)
		bt_buf_putc(&w->path, '/');
	bt_buf_add(&w->path, name);
	if (v->type != BT_BEN_DICT || w->depth > BT_META_DEPTH_MAX) {
		bt_lint_out(w->l);
		return;
	}
	if (bt_ben_get(v, "").type != BT_BEN_NONE)
		keep(w, name.p);
	w->levels[w->depth++] =
	    (struct level){ .dict = *v, .path_n = w->path.n };
}

/* All names of the tree, each alone and against the others. */
static void
check_names(struct bt_lint *l, const struct bt_ben *tree)
{
	struct walk *w = bt_mem_zero(1, sizeof(*w));
	struct bt_lint_path *paths;
	struct bt_str name;
	struct bt_ben v;

	w->l = l;
	w->levels[w->depth++].dict = *tree;
	bt_buf_init(&w->path, tree->raw.n);
	bt_buf_init(&w->arena, 4 * tree->raw.n);
	while (w->depth > 0) {
		struct level *in = &w->levels[w->depth - 1];

		if (bt_ben_next_key(&in->dict, &in->it, &name, &v)) {
			take(w, name, &v);
			continue;
		}
		if (--w->depth > 0)
			bt_lint_out(l);
	}
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
	m->nfiles = 1;
	m->files = bt_mem_zero(1, sizeof(*m->files));
	m->files->size = m->size;
	m->files->path = m->name;
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
