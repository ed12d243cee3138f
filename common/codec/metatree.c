#include "codec/metatree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "codec/merkle.h"
#include "codec/metafiles.h"

#define SHOWN_MAX (4 * BT_META_NAME_MAX + 1) /* every byte as \xNN */
/* All paths, against the tree's own bytes: far beyond what real trees need. */
#define PATHS_TIMES 4u
#define PATHS_LEAST ((size_t)1 << 20)

/* A walk from file to file. The tree's form was checked before. */
struct walk {
	struct bt_str in; /* the tree's bytes */
	size_t at;
	size_t base_n; /* bytes of the torrent's name */
	size_t depth;  /* folders that are open; 1 is the root */
	/* where the path of each open folder ends */
	size_t ends[BT_META_DEPTH_MAX + 2];
	struct bt_str name; /* the last component of the path, in the tree */
	size_t path_n;
	char path[BT_META_PATH_MAX];
};

/* One file of the tree. */
struct leaf {
	uint64_t size;
	unsigned attr;
	const uint8_t *root; /* NULL: it is empty */
};

static void
begin(struct walk *w, const struct bt_ben *tree, size_t base_n)
{
	w->in = tree->raw;
	w->at = 1;
	w->depth = 1;
	w->ends[1] = w->path_n = 0;
	w->base_n = base_n;
}

static struct bt_str
path_of(const struct walk *w)
{
	return (struct bt_str){ (const uint8_t *)w->path, w->path_n };
}

static int
bad(const struct walk *w, struct bt_err *err, const char *what)
{
	char shown[SHOWN_MAX];

	bt_str_printable(path_of(w), shown, sizeof(shown));
	return bt_err_set(
	    err, BT_EINPUT, "the file tree's '%s' %s", shown, what);
}

static struct bt_ben
value_at(const struct walk *w)
{
	return bt_ben_at(bt_str_sub(w->in, w->at, w->in.n));
}

/* A name in the folder that was opened last. */
static int
enter(struct walk *w, struct bt_str name, struct bt_err *err)
{
	char shown[SHOWN_MAX];
	size_t n = w->ends[w->depth];

	if (name.n == 0 && w->depth > 1)
		return bad(w, err, "is both a file and a folder");
	if (!bt_meta_is_safe_name(name)) {
		bt_str_printable(name, shown, sizeof(shown));
		return bt_err_set(
		    err, BT_EINPUT, "unsafe path component '%s'", shown);
	}
	if (w->depth > BT_META_DEPTH_MAX || w->base_n >= BT_META_PATH_MAX ||
	    n + (n != 0) + name.n > BT_META_PATH_MAX - 1 - w->base_n)
		return bt_err_set(err, BT_ELIMIT,
		    "the path is longer than %u bytes or %u folders",
		    BT_META_PATH_MAX, BT_META_DEPTH_MAX);
	if (n != 0)
		w->path[n++] = '/';
	memcpy(w->path + n, name.p, name.n);
	w->name = name;
	w->path_n = n + name.n;
	w->ends[++w->depth] = w->path_n;
	return 0;
}

/* What the empty key of a file holds. */
static int
read_leaf(const struct walk *w, const struct bt_ben *props, struct leaf *f,
    struct bt_err *err)
{
	struct bt_ben length, root, attr;
	const struct bt_ben_want want[] = {
		{ STR("length"), BT_BEN_NONE, &length },
		{ STR("pieces root"), BT_BEN_NONE, &root },
		{ STR("attr"), BT_BEN_STR, &attr },
	};

	bt_ben_pick(props, want, sizeof(want) / sizeof(want[0]));
	*f = (struct leaf){ .attr = bt_metafiles_attr(attr.str) };
	if (length.type == BT_BEN_INT && length.num >= 0)
		f->size = (uint64_t)length.num;
	else if (length.type != BT_BEN_NONE || !(f->attr & BT_META_LINK))
		return bad(w, err,
		    "has a length that is missing, negative or not an integer");
	if ((f->attr & BT_META_PAD) != 0)
		return bad(w, err, "is padding, which v2 does not have");
	if (f->size == 0)
		return 0;
	if (root.type == BT_BEN_NONE)
		return bad(w, err, "has no pieces root");
	if (root.type != BT_BEN_STR || root.str.n != BT_SHA256_LEN)
		return bad(w, err, "has a pieces root that is not 32 bytes");
	f->root = root.str.p;
	return 0;
}

/*
 * The dictionary at the walk's place is the value of w->path: a folder to go
 * into (0), or a file (1), and then the walk is behind it.
 */
static int
take_dict(struct walk *w, struct leaf *f, struct bt_err *err)
{
	struct bt_ben key, props;

	w->at++;
	key = value_at(w);
	if (key.type != BT_BEN_STR || key.str.n != 0)
		return 0;
	w->at += key.raw.n;
	props = value_at(w);
	w->at += props.raw.n;
	if (props.type != BT_BEN_DICT)
		return bad(w, err, "is described by what is not a dictionary");
	if (w->in.p[w->at] != 'e')
		return bad(w, err, "is both a file and a folder");
	if (read_leaf(w, &props, f, err) == -1)
		return -1;
	w->at++;
	w->depth--;
	return 1;
}

/* The next file, whose path is then w->path: 1, or 0 at the end, or -1. */
static int
next(struct walk *w, struct leaf *f, struct bt_err *err)
{
	struct bt_ben key;
	int rc = 0;

	while (rc == 0 && w->depth > 0) {
		if (w->in.p[w->at] == 'e') {
			w->at++;
			w->depth--;
			continue;
		}
		key = value_at(w);
		w->at += key.raw.n;
		if (enter(w, key.str, err) == -1)
			return -1;
		if (w->in.p[w->at] != 'd')
			return bad(w, err, "is not a dictionary");
		rc = take_dict(w, f, err);
	}
	return rc;
}

/* How much there is of everything. */
struct count {
	uint64_t size; /* with padding before each file that needs it */
	uint32_t files, pads;
	size_t text; /* bytes of paths */
};

/* The gap before a file that begins a piece. */
static uint64_t
gap(uint64_t size, uint32_t piece_length)
{
	return (piece_length - size % piece_length) % piece_length;
}

static int
count_leaf(struct count *c, const struct walk *w, const struct leaf *f,
    const struct bt_meta *m, struct bt_err *err)
{
	uint64_t pad = f->size == 0 ? 0 : gap(c->size, m->piece_length);

	if (c->files + c->pads >= BT_META_FILES_MAX - 1)
		return bt_err_set(
		    err, BT_ELIMIT, "more than %u files", BT_META_FILES_MAX);
	if (f->size > BT_META_SIZE_MAX ||
	    pad + f->size > BT_META_SIZE_MAX - c->size)
		return bt_err_set(err, BT_ELIMIT, "the files' sizes overflow");
	c->text += w->path_n;
	if (c->text > PATHS_LEAST && c->text / PATHS_TIMES > w->in.n)
		return bt_err_set(err, BT_ELIMIT,
		    "all paths together are too long for this file tree");
	c->pads += pad != 0;
	c->size += pad + f->size;
	c->files++;
	return 0;
}

static int
count_all(struct count *c, struct walk *w, const struct bt_ben *tree,
    const struct bt_meta *m, struct bt_err *err)
{
	struct leaf f;
	int rc;

	begin(w, tree, m->name.n);
	while ((rc = next(w, &f, err)) == 1)
		if (count_leaf(c, w, &f, m, err) == -1)
			return -1;
	if (rc == 0 && c->files == 0)
		return bt_err_set(
		    err, BT_EINPUT, "the torrent's file tree is empty");
	return rc;
}

/* The walk's file, after its padding, into m, which has room for both. */
static void
keep(struct bt_meta *m, const struct walk *w, const struct leaf *f)
{
	uint64_t pad = f->size == 0 ? 0 : gap(m->size, m->piece_length);

	if (pad != 0)
		bt_filetab_add(
		    m->files, pad, BT_META_PAD, (struct bt_str){ NULL, 0 });
	m->roots[m->files->n].root = f->root;
	bt_filetab_add(m->files, f->size, f->attr, path_of(w));
	m->size = bt_filetab_total(m->files);
}

int
bt_metatree_parse(
    struct bt_meta *m, const struct bt_ben *tree, struct bt_err *err)
{
	struct walk *w = bt_mem_alloc(sizeof(*w));
	struct bt_str name = { NULL, 0 }; /* of the last file */
	struct count c = { 0 };
	struct leaf f;
	bool is_at_top = false;
	int rc;

	rc = count_all(&c, w, tree, m, err);
	if (rc == 0) {
		m->files = bt_filetab_new();
		m->roots = bt_mem_zero(c.files + c.pads, sizeof(*m->roots));
		begin(w, tree, m->name.n);
		while (next(w, &f, err) == 1) {
			keep(m, w, &f);
			name = w->name;
			is_at_top = w->path_n == name.n;
		}
		assert(m->files->n == c.files + c.pads);
		m->single = c.files == 1 && is_at_top;
		if (m->single) /* BEP 52: the torrent's name is advisory */
			m->name = name;
	}
	bt_mem_free(w);
	return rc == 0 ? bt_metafiles_check(m->files, err) : -1;
}

static int
disagree(struct bt_str path, const char *what, struct bt_err *err)
{
	char shown[SHOWN_MAX];

	bt_str_printable(path, shown, sizeof(shown));
	return bt_err_set(err, BT_EINPUT,
	    "the torrent's v1 and v2 halves disagree: '%s' %s", shown, what);
}

/* The v1 file f is to be the tree's next, and the one before ended at `end`. */
static int
pair(const struct bt_file *f, const struct walk *w, const struct leaf *leaf,
    uint32_t piece_length, uint64_t end, struct bt_err *err)
{
	if (!bt_str_eq(f->path, path_of(w)))
		return disagree(
		    f->path, "is elsewhere in the v2 half, or not there", err);
	if (f->size != leaf->size)
		return disagree(f->path, "has two sizes", err);
	if (f->size > 0 && f->offset != end + gap(end, piece_length))
		return disagree(f->path,
		    "does not begin at the next piece in the v1 half", err);
	return 0;
}

/* Step over the padding from file *i on; false: there is no file any more. */
static bool
next_v1(const struct bt_filetab *t, uint32_t *i)
{
	while (*i < t->n && (t->at[*i].attr & BT_META_PAD) != 0)
		++*i;
	return *i < t->n;
}

int
bt_metatree_join(
    struct bt_meta *m, const struct bt_ben *tree, struct bt_err *err)
{
	struct walk *w = bt_mem_alloc(sizeof(*w));
	struct bt_file f;
	struct leaf leaf;
	uint64_t end = 0;
	uint32_t i = 0;
	int rc;

	m->roots = bt_mem_zero(m->files->n, sizeof(*m->roots));
	begin(w, tree, m->name.n);
	while ((rc = next(w, &leaf, err)) == 1) {
		if (!next_v1(m->files, &i)) {
			rc =
			    disagree(path_of(w), "is in the v2 half only", err);
			break;
		}
		f = bt_filetab_get(m->files, i);
		rc = pair(&f, w, &leaf, m->piece_length, end, err);
		if (rc == -1)
			break;
		m->roots[i++].root = leaf.root;
		end = f.size > 0 ? f.offset + f.size : end;
	}
	bt_mem_free(w);
	if (rc == 0 && next_v1(m->files, &i))
		rc = disagree(bt_filetab_get(m->files, i).path,
		    "is in the v1 half only", err);
	if (rc == 0 && m->size - end > gap(end, m->piece_length))
		rc = bt_err_set(err, BT_EINPUT,
		    "the torrent's v1 and v2 halves disagree: there is more "
		    "padding at the end than a piece holds");
	return rc;
}

/* An entry of the piece layers. */
struct layer {
	uint64_t prefix; /* of the root: a search stays in this array by it */
	const uint8_t *root; /* its key */
	const uint8_t *hashes;
	uint32_t n;
	bool is_good;
};

static int
by_root(const void *a, const void *b)
{
	const struct layer *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return memcmp(x->root, y->root, BT_SHA256_LEN);
}

/* All layers in the order of their roots, or NULL. */
static struct layer *
read_layers(const struct bt_ben *dict, size_t *n, struct bt_err *err)
{
	struct bt_ben_iter it = { 0 };
	struct bt_str key;
	struct bt_ben v;
	struct layer *all;
	bool sorted = true;

	*n = 0;
	while (bt_ben_next_key(dict, &it, &key, &v))
		++*n;
	all = bt_mem_array(*n, sizeof(*all));
	it.at = 0;
	for (size_t i = 0; i < *n; i++) {
		bt_ben_next_key(dict, &it, &key, &v);
		if (key.n != BT_SHA256_LEN || v.type != BT_BEN_STR ||
		    v.str.n % BT_SHA256_LEN != 0 || v.str.n == 0) {
			bt_err_set(err, BT_EINPUT,
			    "the piece layers hold what is no layer of hashes");
			bt_mem_free(all);
			return NULL;
		}
		all[i] = (struct layer){ bt_be64(key.p), key.p, v.str.p,
			(uint32_t)(v.str.n / BT_SHA256_LEN), false };
		sorted =
		    sorted && (i == 0 || by_root(&all[i - 1], &all[i]) < 0);
	}
	if (!sorted)
		qsort(all, *n, sizeof(*all), by_root);
	return all;
}

/* Does the layer belong to the root? Asked of each once, however many files. */
static bool
is_good(const struct bt_merkle *k, struct layer *l, unsigned level)
{
	uint8_t root[BT_SHA256_LEN];

	if (!l->is_good) {
		bt_merkle_up(
		    k, l->hashes, l->n, level, bt_merkle_height(l->n), root);
		l->is_good = memcmp(root, l->root, BT_SHA256_LEN) == 0;
	}
	return l->is_good;
}

/* What is wrong with the layer of file i, or NULL. */
static const char *
find_layer(const struct bt_meta *m, uint32_t i, struct layer *all, size_t n,
    const struct bt_merkle *k)
{
	struct bt_meta_root *r = &m->roots[i];
	struct layer want = { .prefix = bt_be64(r->root), .root = r->root };
	struct layer *got = NULL;
	uint64_t size = bt_filetab_size(m->files, i);
	uint64_t pieces = (size + m->piece_length - 1) / m->piece_length;

	if (n > 0)
		got = bsearch(&want, all, n, sizeof(*all), by_root);
	if (got == NULL)
		return "is missing";
	if (got->n != pieces)
		return "has not as many hashes as its size needs";
	if (!is_good(
		k, got, bt_merkle_height(m->piece_length / BT_MERKLE_BLOCK)))
		return "does not match its root";
	r->layer = got->hashes;
	return NULL;
}

int
bt_metatree_layers(
    struct bt_meta *m, const struct bt_ben *layers, struct bt_err *err)
{
	struct bt_merkle k;
	char shown[SHOWN_MAX];
	const char *wrong = NULL;
	struct layer *all;
	uint32_t i;
	size_t n;

	all = read_layers(layers, &n, err);
	if (all == NULL)
		return -1;
	bt_merkle_init(&k);
	for (i = 0; i < m->files->n && wrong == NULL; i++)
		if (m->roots[i].root != NULL &&
		    bt_filetab_size(m->files, i) > m->piece_length)
			wrong = find_layer(m, i, all, n, &k);
	bt_mem_free(all);
	if (wrong == NULL)
		return 0;
	bt_str_printable(
	    bt_filetab_get(m->files, i - 1).path, shown, sizeof(shown));
	return bt_err_set(
	    err, BT_EINPUT, "the piece layer of '%s' %s", shown, wrong);
}
