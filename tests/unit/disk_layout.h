/*
 * disk_layout - a layout made by hand, and bytes to fill it with.
 *
 * Nothing is checked, so that a test can say what a torrent never may.
 *
 * Used by  tests/unit/test_disk_*.c
 */
#ifndef BT_TESTS_DISK_LAYOUT_H
#define BT_TESTS_DISK_LAYOUT_H

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "core/layout.h"

struct made_file {
	const char *path;	/* with the torrent's name; NULL ends the list */
	uint64_t size;
	unsigned attr;
};

/* Byte i of every content here; no two pieces of it are alike. */
static inline uint8_t
made_byte(uint64_t i)
{
	uint64_t v = (i + 1) * 0x9e3779b97f4a7c15u;

	return (uint8_t)(v >> 56 ^ v >> 29);
}

/* gives the whole content, with zeros where padding is; bt_mem_free() it */
static inline uint8_t *
made_content(const struct bt_layout *l)
{
	uint8_t *p = bt_mem_zero(l->size + 1, 1);

	for (uint32_t i = 0; i < l->nfiles; i++) {
		const struct bt_layout_file *f = &l->files[i];

		if ((f->attr & BT_META_PAD) != 0)
			continue;
		for (uint64_t k = 0; k < f->size; k++)
			p[f->offset + k] = made_byte(f->offset + k);
	}
	return p;
}

static inline struct bt_layout *
made_layout(const char *name, uint32_t piece_length,
    const struct made_file *files)
{
	struct bt_layout *l = bt_mem_zero(1, sizeof(*l));
	struct bt_layout_file *f;
	uint8_t *content;

	while (files[l->nfiles].path != NULL)
		l->nfiles++;
	l->name = bt_mem_strdup(name);
	l->single = l->nfiles == 1 && strcmp(files[0].path, name) == 0;
	l->piece_length = piece_length;
	l->files = bt_mem_zero(l->nfiles, sizeof(*l->files));
	for (uint32_t i = 0; i < l->nfiles; i++) {
		f = &l->files[i];
		f->offset = l->size;
		f->size = files[i].size;
		f->attr = files[i].attr;
		f->path = bt_mem_strdup(files[i].path);
		if (f->size > 0) {
			f->first = (uint32_t)(f->offset / piece_length);
			f->last = (uint32_t)((f->offset + f->size - 1) /
			    piece_length);
		}
		l->size += f->size;
	}
	l->pieces = (uint32_t)((l->size + piece_length - 1) / piece_length);
	l->piece_hashes = bt_mem_alloc((size_t)l->pieces * 20 + 1);
	content = made_content(l);
	for (uint32_t i = 0; i < l->pieces; i++)
		bt_hash_sha1((struct bt_str){
		    content + (uint64_t)i * piece_length,
		    bt_layout_piece_size(l, i) }, l->piece_hashes + 20 * i);
	bt_mem_free(content);
	memcpy(l->info_hash, "\xab\xcd\xef\x01" "0123456789012345", 20);
	return l;
}

#endif
