/*
 * metafiles - the list of files in a torrent's info dictionary.
 *
 * Keeps rules 3, 4 and 6 of metainfo.h. Linear in the list, but for sorting the
 * paths where they do not stand in order already.
 * Pure.
 *
 * Speaks   BEP 3 (files), 47 (attr, padding, symlinks)
 * Used by  codec/metainfo, codec/metatree, bt-make
 * Tests    tests/unit/test_metainfo_files.c, tests/fuzz/fuzz_metainfo.c
 */
#ifndef BT_CODEC_METAFILES_H
#define BT_CODEC_METAFILES_H

#include "codec/bencode.h"
#include "codec/metainfo.h"

/*
 * Fill files and size of m, whose name is set already, from the value of
 * "files". After -1 the caller releases what m holds all the same.
 */
int	bt_metafiles_parse(struct bt_meta *m, const struct bt_ben *list,
	    struct bt_err *err);

/* Rule 6: are the files' paths apart from each other? */
int	bt_metafiles_check(const struct bt_filetab *t, struct bt_err *err);

/* The BT_META_* bits of an attr string; unknown letters are ignored. */
unsigned	bt_metafiles_attr(struct bt_str attr);

#endif
