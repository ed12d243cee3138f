/*
 * files_rig - three files over pieces of 16, opened, written and read back.
 *
 * Used by  tests/unit/test_disk_files*.c
 */
#ifndef BT_TESTS_FILES_RIG_H
#define BT_TESTS_FILES_RIG_H

#include "disk/files.h"
#include "disk_layout.h"
#include "disk_tmp.h"

/* 0..9 | 10..39 | 40..52 */
static const struct made_file three[] = {
	{ "T/a", 10, 0 },
	{ "T/d/b", 30, 0 },
	{ "T/c", 13, 0 },
	{ NULL, 0, 0 },
};

static inline struct bt_files *
open_conf(const struct bt_files_conf *conf)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f = NULL;
	int rc = bt_files_open(&f, conf, &err);

	if (rc == -1)
		print_error("%s\n", err.text);
	assert_int_equal(rc, 0);
	return f;
}

static inline struct bt_files *
open_write(const struct bt_layout *l, const char *root)
{
	return open_conf(&(struct bt_files_conf){
	    .layout = l, .root = root, .mode = BT_FILES_WRITE });
}

static inline struct bt_files *
open_selected(const struct bt_layout *l, const char *root, uint32_t only)
{
	struct bt_files *f;
	struct bt_bits bits;

	bt_bits_init(&bits, l->files->n);
	bt_bits_put(&bits, only);
	f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = root,
	    .mode = BT_FILES_WRITE,
	    .selected = &bits });
	bt_bits_fini(&bits);
	return f;
}

/* Write the whole content in steps of n. */
static inline void
write_all(struct bt_files *f, const struct bt_layout *l, size_t n)
{
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l);

	for (uint64_t at = 0; at < l->size; at += n) {
		if (n > l->size - at)
			n = (size_t)(l->size - at);
		must(bt_files_write(f, at, content + at, n, &err), &err);
	}
	bt_mem_free(content);
}

/* Is every byte of it there, however it is sliced? */
static inline void
expect_all(struct bt_files *f, const struct bt_layout *l, size_t n)
{
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l), *got = bt_mem_alloc(n);

	for (uint64_t at = 0; at < l->size; at += n) {
		if (n > l->size - at)
			n = (size_t)(l->size - at);
		memset(got, 0xee, n);
		must(bt_files_read(f, at, got, n, &err), &err);
		assert_memory_equal(got, content + at, n);
	}
	bt_mem_free(got);
	bt_mem_free(content);
}

static inline void
expect_file(
    const struct bt_layout *l, uint32_t i, const char *folder, const char *name)
{
	uint8_t *content = made_content(l);
	char *path = tmp_path(folder, name);

	tmp_expect(path, content + l->files->at[i].offset,
	    bt_filetab_size(l->files, i));
	bt_mem_free(path);
	bt_mem_free(content);
}

#endif
