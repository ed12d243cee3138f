/*
 * ranks - ids kept in ascending order of a small number, their rank.
 *
 * 1. Ids lie in one array, those of equal rank together; a bound says where
 *    each rank begins.
 * 2. A rank that changes by one is one swap and one bound.
 * 3. Coming and going costs a step for each rank above: the ranks here are
 *    numbers of peers or of blocks, never of pieces.
 * An id that is absent keeps its rank.
 * Pure.
 *
 * Used by  core/picker (pieces by availability), core/begun (by what lacks)
 * Tests    tests/unit/test_ranks.c
 */
#ifndef BT_CORE_RANKS_H
#define BT_CORE_RANKS_H

#include <stdbool.h>
#include <stdint.h>

struct bt_ranks {
	uint32_t *order;	/* the n ids present, by rank */
	uint32_t *place;	/* of each id: its index in order + 1, or 0 */
	uint32_t *rank;		/* of each id */
	uint32_t *bound;	/* of each rank <= top + 1: where it begins */
	uint32_t nids, n;
	uint32_t top;		/* no id present ranks higher */
	uint32_t nbounds;	/* allocated */
};

void	bt_ranks_init(struct bt_ranks *r, uint32_t nids);
void	bt_ranks_fini(struct bt_ranks *r);
void	bt_ranks_grow(struct bt_ranks *r, uint32_t nids);	/* never less */
bool	bt_ranks_has(const struct bt_ranks *r, uint32_t id);
void	bt_ranks_add(struct bt_ranks *r, uint32_t id);	/* absent so far */
void	bt_ranks_drop(struct bt_ranks *r, uint32_t id);	/* present so far */
void	bt_ranks_set(struct bt_ranks *r, uint32_t id, uint32_t rank); /* absent */
void	bt_ranks_up(struct bt_ranks *r, uint32_t id);
void	bt_ranks_down(struct bt_ranks *r, uint32_t id);	/* rank > 0 */
/* Every id, present or not, one down; all ranks > 0. O(ids). */
void	bt_ranks_all_down(struct bt_ranks *r);
/* The ids of a rank <= top are order[*from] .. order[*to - 1]. */
void	bt_ranks_span(const struct bt_ranks *r, uint32_t rank, uint32_t *from,
	    uint32_t *to);
bool	bt_ranks_check(const struct bt_ranks *r);	/* O(all): for tests */

#endif
