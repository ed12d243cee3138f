/* The files of a torrent as folders in folders, each with the size of all in it. */
#include <inttypes.h>

#include "base/mem.h"
#include "info.h"

struct node {
	struct bt_str path; /* whole */
	size_t name;	    /* where its last component begins */
	uint64_t size;
	unsigned depth; /* 0 is beside the torrent's name */
	bool is_folder, has_next;
};

struct tree {
	struct node *nodes;
	size_t n, cap;
	size_t last[BT_META_DEPTH_MAX + 1]; /* of each depth, in its folder */
	unsigned depth;			    /* of the last node */
};

static void
add_node(struct tree *t, struct node node)
{
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 64 : t->cap * 2;
		t->nodes = bt_mem_resize(t->nodes, t->cap, sizeof(*t->nodes));
	}
	if (t->n > 0 && node.depth <= t->depth)
		t->nodes[t->last[node.depth]].has_next = true;
	t->last[node.depth] = t->n;
	t->depth = node.depth;
	t->nodes[t->n++] = node;
}

/* The bytes of b that are folders which a, the file before, lies in too. */
static size_t
shared_folders(struct bt_str a, struct bt_str b)
{
	size_t shared = 0;

	for (size_t i = 0; i < a.n && i < b.n && a.p[i] == b.p[i]; i++)
		if (a.p[i] == '/')
			shared = i + 1;
	return shared;
}

static void
add_file(struct tree *t, const struct bt_file *f, struct bt_str before)
{
	size_t shared = shared_folders(before, f->path), name = 0;
	struct node node = { .size = f->size };
	unsigned depth = 0;

	for (size_t i = 0; i < f->path.n; i++) {
		if (f->path.p[i] != '/')
			continue;
		node.path = bt_str_sub(f->path, 0, i + 1);
		node.name = name;
		node.depth = depth;
		node.is_folder = true;
		if (i + 1 > shared)
			add_node(t, node);
		else
			t->nodes[t->last[depth]].size += f->size;
		name = i + 1;
		depth++;
	}
	node.path = f->path;
	node.name = name;
	node.depth = depth;
	node.is_folder = false;
	add_node(t, node);
}

static void
draw(struct bt_out *o, const struct tree *t)
{
	bool goes_on[BT_META_DEPTH_MAX + 1];
	char size[BT_OUT_SIZE_LEN];

	for (const struct node *k = t->nodes; k < t->nodes + t->n; k++) {
		for (unsigned d = 0; d < k->depth; d++)
			bt_out_printf(o, goes_on[d] ? "│   " : "    ");
		goes_on[k->depth] = k->has_next;
		bt_out_printf(o, k->has_next ? "├── " : "└── ");
		bt_out_name(o, bt_str_sub(k->path, k->name, k->path.n));
		bt_out_printf(o, "  (%s)\n", bt_out_size(size, k->size));
	}
}

static void
put_lines(struct bt_out *o, const struct tree *t)
{
	for (const struct node *k = t->nodes; k < t->nodes + t->n; k++) {
		bt_out_printf(o, "%" PRIu64 "\t", k->size);
		bt_out_name(o, k->path);
		bt_out_raw(o, STR("\n"));
	}
}

void
info_tree(const struct info *in, struct bt_out *o)
{
	const struct bt_filetab *files = in->meta.files;
	struct bt_str before = { NULL, 0 };
	struct bt_file f;
	struct tree t = { .nodes = NULL };
	char size[BT_OUT_SIZE_LEN];
	uint32_t n, *order = bt_filetab_by_path(files, BT_META_PAD, &n);

	for (uint32_t i = 0; i < n; i++) {
		f = bt_filetab_get(files, order[i]);
		add_file(&t, &f, before);
		before = f.path;
	}
	if (o->tty && !in->meta.single) {
		bt_out_name(o, in->meta.name);
		bt_out_printf(o, "/  (%s)\n",
		    bt_out_size(size, bt_meta_payload(&in->meta)));
	}
	if (o->tty)
		draw(o, &t);
	else
		put_lines(o, &t);
	bt_mem_free(t.nodes);
	bt_mem_free(order);
}
