/*
 * metainfo_rig - torrents written as text, and what is read in them.
 *
 * Used by  tests/unit/test_metainfo*.c
 */
#ifndef BT_TESTS_METAINFO_RIG_H
#define BT_TESTS_METAINFO_RIG_H

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "codec/metainfo.h"

#define H20 "aaaaaaaaaaaaaaaaaaaa"
#define P0 "6:pieces0:"
#define P1 "6:pieces20:" H20
#define P2 "6:pieces40:" H20 H20
#define P3 "6:pieces60:" H20 H20 H20
#define PL "12:piece lengthi4e"

/* Info dictionaries: one file of 5 bytes; files of 8 bytes in all. */
#define ONE "d6:lengthi5e4:name1:a" PL P2 "e"
#define MANY(files) "d5:filesl" files "e4:name1:d" PL P2 "e"
#define FILE8(path) "d6:lengthi8e4:pathl" path "ee"
#define FILE4(path) "d6:lengthi4e4:pathl" path "ee"

static inline struct bt_meta
parsed(struct bt_str in)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;

	if (bt_meta_parse(in, &m, &err) == -1)
		fail_msg("'%.*s': %s", (int)in.n, in.p, err.text);
	return m;
}

/* A torrent of the text of its info dictionary; root goes before it. */
static inline struct bt_meta
with_info(const char *root, const char *info)
{
	static char text[10000]; /* the views point into it */

	snprintf(text, sizeof(text), "d%s4:info%se", root, info);
	return parsed(bt_str_of(text));
}

static inline void
assert_str(struct bt_str got, const char *want)
{
	if (!bt_str_eq(got, bt_str_of(want)))
		fail_msg("'%.*s', not '%s'", (int)got.n, got.p, want);
}

/* The torrent of this info dictionary is refused in these words. */
static inline void
assert_bad(const char *info, enum bt_err_kind kind, const char *words)
{
	char *text = bt_mem_printf("d4:info%se", info);
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;

	if (bt_meta_parse(bt_str_of(text), &m, &err) != -1)
		fail_msg("'%s' passes", text);
	if (err.kind != kind || strstr(err.text, words) == NULL)
		fail_msg("'%s': %d, '%s'", text, err.kind, err.text);
	bt_mem_free(text);
}

static inline void
assert_file(const struct bt_meta *m, uint32_t i, const char *path,
    uint64_t size, uint64_t offset, unsigned attr)
{
	assert_in_range(i, 0, m->files->n - 1);
	assert_str(bt_filetab_get(m->files, i).path, path);
	assert_true(bt_filetab_size(m->files, i) == size);
	assert_true(m->files->at[i].offset == offset);
	assert_int_equal(m->files->at[i].attr, attr);
}

static inline void
assert_tracker(
    const struct bt_meta *m, uint32_t i, const char *url, uint32_t tier)
{
	assert_in_range(i, 0, m->ntrackers - 1);
	assert_str(m->trackers[i].url, url);
	assert_int_equal(m->trackers[i].tier, tier);
}

#endif
