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
#include "disk_tmp.h"

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

	for (uint32_t i = 0; i < l->files->n; i++) {
		const struct bt_file f = bt_filetab_get(l->files, i);

		if ((f.attr & BT_META_PAD) != 0)
			continue;
		for (uint64_t k = 0; k < f.size; k++)
			p[f.offset + k] = made_byte(f.offset + k);
	}
	return p;
}

/* Each path begins with name and a slash, or one is the name alone. */
static inline struct bt_layout *
made_layout(const char *name, uint32_t piece_length,
    const struct made_file *files)
{
	struct bt_layout *l = bt_mem_zero(1, sizeof(*l));
	struct bt_str path;
	uint8_t *content;

	l->name = bt_mem_strdup(name);
	l->single = files[1].path == NULL && strcmp(files[0].path, name) == 0;
	l->piece_length = piece_length;
	l->files = bt_filetab_new();
	for (; files->path != NULL; files++) {
		path = bt_str_of(files->path);
		if (!l->single)
			path = bt_str_sub(path, strlen(name) + 1, path.n);
		bt_filetab_add(l->files, files->size, files->attr, path);
	}
	l->size = bt_filetab_total(l->files);
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

/* The files of l, but for padding, into the folder root. */
static inline void
made_put(const char *root, const struct bt_layout *l, const uint8_t *content)
{
	struct bt_file f;
	char *path;

	for (uint32_t i = 0; i < l->files->n; i++) {
		f = bt_filetab_get(l->files, i);
		if ((f.attr & BT_META_PAD) != 0)
			continue;
		path = bt_layout_path(l, i);
		tmp_put(root, path, content + f.offset, f.size);
		bt_mem_free(path);
	}
}

#endif
