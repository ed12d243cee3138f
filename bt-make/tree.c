#include "tree.h"

#include <string.h>

#include "codec/metainfo.h"

#define LEN BT_SHA256_LEN

static unsigned
level_of(uint32_t piece_length)
{
	return bt_merkle_height(piece_length / BT_MERKLE_BLOCK);
}

void
tree_init(struct tree *t, uint32_t piece_length)
{
	memset(t, 0, sizeof(*t));
	bt_merkle_init(&t->merkle);
	t->level = level_of(piece_length);
	bt_buf_init(&t->nodes, BT_META_BYTES_MAX);
}

void
tree_fini(struct tree *t)
{
	bt_buf_fini(&t->nodes);
}

static void
join(const uint8_t *left, const uint8_t *right, uint8_t *to)
{
	uint8_t pair[2 * LEN];

	memcpy(pair, left, LEN);
	memcpy(pair + LEN, right, LEN);
	bt_hash_sha256((struct bt_str){ pair, sizeof(pair) }, to);
}

static void
keep(struct tree *t, const uint8_t *node)
{
	if (bt_buf_add(&t->nodes, (struct bt_str){ node, LEN }) == -1)
		t->is_full = true;
}

void
tree_add(struct tree *t, const uint8_t *leaves, size_t n)
{
	uint8_t node[LEN];
	unsigned l;

	for (size_t i = 0; i < n; i++) {
		memcpy(node, leaves + i * LEN, LEN);
		for (l = 0; l < t->level && t->has[l]; l++) {
			join(t->wait[l], node, node);
			t->has[l] = false;
		}
		if (l == t->level) {
			keep(t, node);
		} else {
			memcpy(t->wait[l], node, LEN);
			t->has[l] = true;
		}
	}
	t->nleaves += n;
}

void
tree_raise(struct tree *t, uint32_t piece_length)
{
	size_t n;

	for (; t->level < level_of(piece_length); t->level++) {
		n = t->nodes.n / LEN;
		for (size_t i = 0; i + 1 < n; i += 2)
			join(t->nodes.p + i * LEN, t->nodes.p + (i + 1) * LEN,
			    t->nodes.p + i / 2 * LEN);
		t->has[t->level] = n % 2 != 0;
		if (n % 2 != 0)
			memcpy(
			    t->wait[t->level], t->nodes.p + (n - 1) * LEN, LEN);
		t->nodes.n = n / 2 * LEN;
	}
}

void
tree_end(struct tree *t)
{
	bool is_one = t->nodes.n == 0;
	unsigned top = is_one ? bt_merkle_height(t->nleaves) : t->level;
	bool any = false;
	uint8_t node[LEN];

	for (unsigned l = 0; l < top; l++) {
		if (any)
			join(t->has[l] ? t->wait[l] : node,
			    t->has[l] ? node : t->merkle.zero[l], node);
		else if (t->has[l])
			join(t->wait[l], t->merkle.zero[l], node);
		any = any || t->has[l];
	}
	if (any)
		keep(t, node);
	else if (is_one && top < t->level && t->has[top])
		keep(t, t->wait[top]);
}
