#include "core/layout.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/wire.h"

struct bt_layout *
bt_layout_new(const struct bt_meta *m)
{
	struct bt_layout *l = bt_mem_zero(1, sizeof(*l));

	assert(m->piece_length > 0);
	l->size = m->size;
	l->piece_length = m->piece_length;
	l->pieces = m->pieces;
	l->files = bt_filetab_share(m->files);
	assert(bt_filetab_total(l->files) == l->size);
	if (m->has_v1)
		l->piece_hashes = bt_mem_array(l->pieces, BT_SHA1_LEN);
	if (m->has_v1 && l->pieces > 0)
		memcpy(l->piece_hashes, m->piece_hashes,
		    (size_t)l->pieces * BT_SHA1_LEN);
	memcpy(l->info_hash, bt_meta_wire_hash(m), sizeof(l->info_hash));
	l->name = bt_str_dup(m->name);
	l->single = m->single;
	l->private_ = m->private_;
	return l;
}

void
bt_layout_free(struct bt_layout *l)
{
	if (l == NULL)
		return;
	bt_filetab_free(l->files);
	bt_mem_free(l->piece_hashes);
	bt_mem_free(l->name);
	bt_mem_free(l);
}

uint32_t
bt_layout_piece_size(const struct bt_layout *l, uint32_t piece)
{
	uint64_t from;

	assert(piece < l->pieces);
	from = (uint64_t)piece * l->piece_length;
	if (l->size - from < l->piece_length)
		return (uint32_t)(l->size - from);
	return l->piece_length;
}

uint32_t
bt_layout_blocks(const struct bt_layout *l, uint32_t piece)
{
	return (bt_layout_piece_size(l, piece) + BT_BLOCK_LEN - 1) /
	       BT_BLOCK_LEN;
}

uint32_t
bt_layout_block_size(const struct bt_layout *l, uint32_t piece, uint32_t block)
{
	uint32_t size = bt_layout_piece_size(l, piece);

	assert(block < bt_layout_blocks(l, piece));
	size -= block * BT_BLOCK_LEN;
	return size < BT_BLOCK_LEN ? size : BT_BLOCK_LEN;
}

uint64_t
bt_layout_offset(const struct bt_layout *l, uint32_t piece, uint32_t begin)
{
	return (uint64_t)piece * l->piece_length + begin;
}

const uint8_t *
bt_layout_hash(const struct bt_layout *l, uint32_t piece)
{
	assert(piece < l->pieces);
	return l->piece_hashes + (size_t)piece * BT_SHA1_LEN;
}

bool
bt_layout_has_range(
    const struct bt_layout *l, uint32_t piece, uint32_t begin, uint32_t length)
{
	uint32_t size;

	if (piece >= l->pieces || length == 0)
		return false;
	size = bt_layout_piece_size(l, piece);
	return length <= size && begin <= size - length;
}

uint32_t
bt_layout_first(const struct bt_layout *l, uint32_t file)
{
	assert(bt_filetab_size(l->files, file) > 0);
	return (uint32_t)(l->files->at[file].offset / l->piece_length);
}

uint32_t
bt_layout_last(const struct bt_layout *l, uint32_t file)
{
	assert(bt_filetab_size(l->files, file) > 0);
	return (
	    uint32_t)((l->files->at[file + 1].offset - 1) / l->piece_length);
}

char *
bt_layout_path(const struct bt_layout *l, uint32_t file)
{
	struct bt_str path = bt_filetab_get(l->files, file).path;
	size_t n = l->single ? 0 : strlen(l->name) + 1;
	char *out = bt_mem_alloc(n + path.n + 1);

	if (n > 0) {
		memcpy(out, l->name, n - 1);
		out[n - 1] = '/';
	}
	memcpy(out + n, path.p, path.n + 1); /* with the table's NUL */
	return out;
}

bool
bt_layout_next_span(const struct bt_layout *l, struct bt_layout_walk *w,
    struct bt_layout_span *s)
{
	const struct bt_filetab_at *f;

	if (w->left == 0 || w->offset >= l->size)
		return false;
	if (!w->begun) {
		w->file = bt_filetab_find(l->files, w->offset);
		w->begun = true;
	}
	f = &l->files->at[w->file];
	for (; w->offset >= f[1].offset; f++)
		w->file++;
	s->file = w->file;
	s->at = w->offset - f->offset;
	s->n = f[1].offset - w->offset;
	if (s->n > w->left)
		s->n = w->left;
	w->offset += s->n;
	w->left -= s->n;
	return true;
}

void
bt_layout_mark_file(
    const struct bt_layout *l, uint32_t file, struct bt_bits *pieces)
{
	uint32_t last;

	assert(pieces->n == l->pieces);
	if (bt_filetab_size(l->files, file) == 0)
		return;
	last = bt_layout_last(l, file);
	for (uint32_t i = bt_layout_first(l, file); i <= last; i++)
		(void)bt_bits_put(pieces, i);
}
