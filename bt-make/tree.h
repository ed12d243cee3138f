/*
 * tree - the piece layer of a file whose size is known at its end only.
 *
 * Leaves come in order and become nodes as soon as they are whole, so that only
 * one hash a piece is kept, and one a level besides.
 * Pure.
 *
 * Speaks   BEP 52 (pieces root, piece layers)
 * Used by  bt-make/stream.c
 * Tests    tests/e2e/bt-make-v2.bats
 */
#ifndef BT_MAKE_TREE_H
#define BT_MAKE_TREE_H

#include "base/buf.h"
#include "codec/merkle.h"

struct tree {
	struct bt_merkle merkle;
	unsigned level;		/* of the nodes: 0 are leaves */
	uint64_t nleaves;
	struct bt_buf nodes;	/* 32 bytes each */
	bool is_full;		/* more nodes than a torrent may hold */
	bool has[BT_MERKLE_LEVELS_MAX];	/* a node that waits for its right one */
	uint8_t wait[BT_MERKLE_LEVELS_MAX][BT_SHA256_LEN];
};

void	tree_init(struct tree *t, uint32_t piece_length);
void	tree_fini(struct tree *t);
/* The hashes of the next n blocks; all but the file's last are whole. */
void	tree_add(struct tree *t, const uint8_t *leaves, size_t n);
/* The pieces are longer than was thought: nodes go up to them. */
void	tree_raise(struct tree *t, uint32_t piece_length);
/* The file ends: nodes is its layer, or its root where it is one piece. */
void	tree_end(struct tree *t);

#endif
