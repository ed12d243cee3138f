/*
 * begun - pieces under way: which of their blocks are held, asked, or free.
 *
 * 1. A block is held, or asked of up to BT_PICK_DUP_MAX peers, or free.
 * 2. A piece is ready while it is wanted, nobody's own, and has a free block.
 *    Ready pieces are ordered by how many blocks they lack.
 * 3. No peer is asked twice for a block at a time.
 * Pure.
 *
 * Used by  core/picker
 * Tests    tests/unit/test_picker.c, tests/unit/test_picker_model.c
 */
#ifndef BT_CORE_BEGUN_H
#define BT_CORE_BEGUN_H

#include "core/picker.h"
#include "core/ranks.h"

struct bt_begun_block {
	uint32_t who[BT_PICK_DUP_MAX];	/* the first `asked` of it */
	uint8_t asked;
	bool held;
};

struct bt_begun_piece {
	uint32_t piece, slot;
	uint32_t nblocks, held;
	uint32_t asked[BT_PICK_DUP_MAX + 1];	/* blocks not held, by asked */
	uint32_t starter;	/* whom it was begun for; the picker's */
	uint32_t owner;		/* gets all of it, or BT_PICK_NOBODY */
	uint32_t hint;		/* no block before it is free */
	bool wanted;
	struct bt_begun_block blocks[];
};

struct bt_begun {
	struct bt_begun_piece **slots;	/* NULL where free */
	uint32_t nslots, n;
	uint32_t *spare;	/* slots that are free */
	uint32_t *slot_of;	/* of each piece, + 1; 0 if not begun */
	struct bt_ranks ready;	/* slots, by blocks that lack */
	uint32_t pieces;
	uint32_t nowned;	/* pieces with an owner */
	uint32_t cursor;	/* slot where the last block was asked again */
};

void	bt_begun_init(struct bt_begun *b, uint32_t pieces);
void	bt_begun_fini(struct bt_begun *b);
/* All blocks free, wanted. The pointer lives until the piece is dropped. */
struct bt_begun_piece	*bt_begun_add(struct bt_begun *b, uint32_t piece,
	    uint32_t nblocks);
void	bt_begun_drop(struct bt_begun *b, struct bt_begun_piece *s);
struct bt_begun_piece	*bt_begun_find(const struct bt_begun *b,
	    uint32_t piece);	/* or NULL */
void	bt_begun_want(struct bt_begun *b, struct bt_begun_piece *s,
	    bool wanted);
void	bt_begun_own(struct bt_begun *b, struct bt_begun_piece *s,
	    uint32_t who);

/* Ask who for the first free block, which there is. */
uint32_t	bt_begun_ask(struct bt_begun *b, struct bt_begun_piece *s,
	    uint32_t who);
/*
 * Ask who for a block that others are asked for, the fewest first, of pieces
 * in have and in only (NULL: any).
 */
bool	bt_begun_ask_again(struct bt_begun *b, uint32_t who,
	    const struct bt_bits *have, const struct bt_bits *only,
	    struct bt_pick *out);
void	bt_begun_release(struct bt_begun *b, struct bt_begun_piece *s,
	    uint32_t who, uint32_t block);
/* As bt_picker_got(). */
bool	bt_begun_got(struct bt_begun *b, struct bt_begun_piece *s,
	    uint32_t who, uint32_t block, uint32_t *others, uint32_t max,
	    uint32_t *nothers);
bool	bt_begun_check(const struct bt_begun *b);	/* O(all): for tests */

#endif
