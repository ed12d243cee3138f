/*
 * metatree - the v2 half of a torrent: the file tree, and the piece layers.
 *
 * 1. The tree is walked byte by byte, in a time linear in it and in no more
 *    memory than what comes out: it is counted first, and then kept.
 * 2. Names keep rule 3 of metainfo.h, paths its limits. As folders are written
 *    once and paths are not, all paths together may be only so much longer than
 *    the tree: BT_ELIMIT.
 * 3. A file with bytes has a pieces root; one longer than a piece has a layer
 *    of as many hashes as it has pieces, and they are of that root.
 * 4. In a hybrid each v1 file that is not padding is the tree's next one, with
 *    its path and size, and begins a piece.
 * Pure.
 *
 * Speaks   BEP 52 (file tree, piece layers, upgrade path), 47 (attr)
 * Used by  codec/metainfo
 * Tests    tests/unit/test_metatree.c, tests/fuzz/fuzz_metainfo.c
 */
#ifndef BT_CODEC_METATREE_H
#define BT_CODEC_METATREE_H

#include "codec/bencode.h"
#include "codec/metainfo.h"

/*
 * The value of "file tree", into files, roots, size, single and name of m, whose
 * piece_length is set. Padding is put between files where v2 leaves a
 * gap, so that offsets count as in a hybrid. After -1 the caller releases what
 * m holds all the same.
 */
int	bt_metatree_parse(struct bt_meta *m, const struct bt_ben *tree,
	    struct bt_err *err);
/* The same where m has its files from v1: compared, and given their roots. */
int	bt_metatree_join(struct bt_meta *m, const struct bt_ben *tree,
	    struct bt_err *err);
/* The value of "piece layers", for files that have their roots. */
int	bt_metatree_layers(struct bt_meta *m, const struct bt_ben *layers,
	    struct bt_err *err);

#endif
