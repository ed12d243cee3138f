/*
 * rivals - which pieces to leave to whom, agreed on without a word.
 *
 * Each downloader has a claim to each piece: a hash of its peer id and the
 * index, which all who know the id reckon alike (rendezvous hashing). Whoever
 * asks first for the pieces to which nobody it knows has a better claim asks a
 * seed for others than its rivals do.
 * Pure.
 *
 * Used by  core/picker (rule 8)
 * Tests    tests/unit/test_rivals.c, tests/unit/test_picker_order.c
 */
#ifndef BT_CORE_RIVALS_H
#define BT_CORE_RIVALS_H

#include <stdbool.h>
#include <stdint.h>

#define BT_RIVALS_MAX	32u	/* each costs some ns a look; more are passed over */

struct bt_rivals {		/* zero is nobody */
	uint64_t self;
	uint64_t ids[BT_RIVALS_MAX];
	uint32_t n;
};

void	bt_rivals_set(struct bt_rivals *r, uint64_t self, const uint64_t *ids,
	    uint32_t n);
/* Has none of them a better claim to the piece than we have? */
bool	bt_rivals_is_ours(const struct bt_rivals *r, uint32_t piece);

#endif
