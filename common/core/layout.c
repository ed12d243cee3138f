#include "core/layout.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/wire.h"

static char *
join(struct bt_str folder, struct bt_str path)
{
	char *s = bt_mem_alloc(folder.n + 1 + path.n + 1);

	memcpy(s, folder.p, folder.n);
	s[folder.n] = '/';
	if (path.n > 0)
		memcpy(s + folder.n + 1, path.p, path.n);
	s[folder.n + 1 + path.n] = '\0';
	return s;
}

static void
set_file(struct bt_layout_file *f, const struct bt_meta *m, uint32_t i)
{
	const struct bt_meta_file *from = &m->files[i];

	f->offset = from->offset;
	f->size = from->size;
	f->attr = from->attr;
	f->first = f->last = 0;
	if (f->size > 0) {
		f->first = (uint32_t)(f->offset / m->piece_length);
		f->last =
		    (uint32_t)((f->offset + f->size - 1) / m->piece_length);
		assert(f->last < m->pieces);
	}
	f->path = m->single ? bt_str_dup(m->name) : join(m->name, from->path);
}

struct bt_layout *
bt_layout_new(const struct bt_meta *m)
{
	struct bt_layout *l = bt_mem_zero(1, sizeof(*l));

	assert(m->piece_length > 0);
	l->size = m->size;
	l->piece_length = m->piece_length;
	l->pieces = m->pieces;
	l->nfiles = m->nfiles;
	l->files = bt_mem_array(l->nfiles, sizeof(*l->files));
	for (uint32_t i = 0; i < l->nfiles; i++)
		set_file(&l->files[i], m, i);
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
	for (uint32_t i = 0; i < l->nfiles; i++)
		bt_mem_free(l->files[i].path);
	bt_mem_free(l->files);
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

/*
 * The last file that begins at or before offset. It is never an empty one: the
 * file after an empty one begins where that does, and one at the very end
 * begins at size, beyond any offset.
 */
uint32_t
bt_layout_file_at(const struct bt_layout *l, uint64_t offset)
{
	uint32_t lo = 0, hi = l->nfiles, mid;

	assert(offset < l->size);
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (l->files[mid].offset <= offset)
			lo = mid;
		else
			hi = mid;
	}
	assert(offset - l->files[lo].offset < l->files[lo].size);
	return lo;
}

bool
bt_layout_next_span(const struct bt_layout *l, struct bt_layout_walk *w,
    struct bt_layout_span *s)
{
	const struct bt_layout_file *f;

	if (w->left == 0 || w->offset >= l->size)
		return false;
	if (!w->begun) {
		w->file = bt_layout_file_at(l, w->offset);
		w->begun = true;
	}
	f = &l->files[w->file];
	while (w->offset - f->offset >= f->size)
		f = &l->files[++w->file];
	s->file = w->file;
	s->at = w->offset - f->offset;
	s->n = f->size - s->at < w->left ? f->size - s->at : w->left;
	w->offset += s->n;
	w->left -= s->n;
	return true;
}

void
bt_layout_mark_file(
    const struct bt_layout *l, uint32_t file, struct bt_bits *pieces)
{
	const struct bt_layout_file *f;

	assert(file < l->nfiles);
	assert(pieces->n == l->pieces);
	f = &l->files[file];
	if (f->size == 0)
		return;
	for (uint32_t i = f->first; i <= f->last; i++)
		(void)bt_bits_put(pieces, i);
}
