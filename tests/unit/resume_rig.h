/*
 * resume_rig - a download of three files that is stopped and begun again, and
 * what is believed of it then.
 *
 * Used by  tests/unit/test_disk_resume*.c
 */
#ifndef BT_TESTS_RESUME_RIG_H
#define BT_TESTS_RESUME_RIG_H

#include <sys/time.h>

#include "disk/resume.h"
#include "disk_layout.h"
#include "disk_tmp.h"

#define PIECE 65536u
#define STATE ".T.abcdef01.bt"
#define LOCK ".T.lock"

/* Pieces: 0-1 a, 2 a and b, 3 b, 4 b and c, 5-7 c */
static const struct made_file three[] = {
	{ "T/a", 140000, 0 },
	{ "T/b", 140000, 0 },
	{ "T/none", 0, 0 },
	{ "T/.pad/1", 100, BT_META_PAD },
	{ "T/c", 240000, 0 },
	{ NULL, 0, 0 },
};

struct box {
	struct bt_layout *l;
	struct bt_files *f;
	struct bt_resume *r;
	struct bt_bits have, check;
	uint8_t *content;
	const char *root;
};

static inline void
box_start(struct box *b, const struct bt_bits *selected)
{
	struct bt_err err = BT_ERR_INIT;

	must(bt_resume_open(&b->r, b->root, b->l, NULL, &err), &err);
	must(bt_files_open(&b->f,
		 &(struct bt_files_conf){ .layout = b->l,
		     .root = b->root,
		     .mode = BT_FILES_WRITE,
		     .selected = selected },
		 &err),
	    &err);
}

static inline struct box
box_open(const char *root)
{
	struct box b = { .root = root, .l = made_layout("T", PIECE, three) };

	b.content = made_content(b.l);
	bt_bits_init(&b.have, b.l->pieces);
	bt_bits_init(&b.check, b.l->pieces);
	box_start(&b, NULL);
	return b;
}

static inline void
box_stop(struct box *b)
{
	bt_files_close(b->f);
	bt_resume_close(b->r);
}

static inline void
box_close(struct box *b)
{
	box_stop(b);
	bt_bits_fini(&b->have);
	bt_bits_fini(&b->check);
	bt_layout_free(b->l);
	bt_mem_free(b->content);
}

static inline void
put_piece(struct box *b, uint32_t i)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t at = (uint64_t)i * PIECE;

	must(bt_files_write(b->f, at, b->content + at,
		 bt_layout_piece_size(b->l, i), &err),
	    &err);
	bt_bits_put(&b->have, i);
}

static inline void
save(struct box *b)
{
	struct bt_err err = BT_ERR_INIT;

	must(bt_resume_save(b->r, b->f, &b->have, true, &err), &err);
}

/* Bits drawn as "110..." */
static inline void
expect_bits(const struct bt_bits *bits, const char *drawn)
{
	char got[64] = "";

	for (uint32_t i = 0; i < bits->n; i++)
		got[i] = bt_bits_has(bits, i) ? '1' : '.';
	assert_string_equal(got, drawn);
}

/* Load as a new process would and expect what is believed and what not. */
static inline void
expect_load(struct box *b, const char *have, const char *check)
{
	struct bt_err err = BT_ERR_INIT;

	must(bt_resume_load(b->r, b->f, &b->have, &b->check, &err), &err);
	expect_bits(&b->have, have);
	expect_bits(&b->check, check);
}

static inline void
touch(struct box *b, const char *name)
{
	char *path = tmp_path(b->root, name);
	struct timeval t[2] = { { 1000000, 1 }, { 1000000, 1 } };

	assert_int_equal(utimes(path, t), 0);
	bt_mem_free(path);
}

/* Save a good state, spoil it as told, and expect it to be no state. */
static inline void
expect_spoilt(struct box *b, const uint8_t *data, size_t n)
{
	char *path = tmp_path(b->root, STATE);

	tmp_write(path, data, n);
	expect_load(b, "........", "1.1....."); /* 2: also in T/b */
	bt_mem_free(path);
}

#endif
