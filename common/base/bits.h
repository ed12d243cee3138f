/*
 * bits - a set of piece indices, in the order of BEP 3's bitfield.
 *
 * Bit 0 is the high bit of byte 0. Spare bits at the end are always zero.
 * The count of set bits is kept, so asking for it costs nothing.
 * Pure.
 *
 * Speaks   BEP 3 (bitfield layout)
 * Used by  core, disk/resume
 * Tests    tests/unit/test_bits.c
 */
#ifndef BT_BASE_BITS_H
#define BT_BASE_BITS_H

#include "base/str.h"

struct bt_bits {
	uint8_t *p;	/* (n + 7) / 8 bytes, padded to 8 with zeros */
	uint32_t n;	/* bits */
	uint32_t set;	/* bits that are 1 */
};

void	bt_bits_init(struct bt_bits *b, uint32_t n);	/* all zero */
void	bt_bits_fini(struct bt_bits *b);
bool	bt_bits_has(const struct bt_bits *b, uint32_t i);	/* i < n */
bool	bt_bits_put(struct bt_bits *b, uint32_t i);	/* true if it was 0 */
bool	bt_bits_drop(struct bt_bits *b, uint32_t i);	/* true if it was 1 */
void	bt_bits_fill(struct bt_bits *b, bool value);
bool	bt_bits_is_full(const struct bt_bits *b);
size_t	bt_bits_bytes(uint32_t n);			/* (n + 7) / 8 */
struct bt_str	bt_bits_str(const struct bt_bits *b);	/* wire bytes, borrowed */
/*
 * Replace all from wire bytes. -1, with nothing changed, if the length is not
 * bt_bits_bytes(n) or a spare bit is set.
 */
int	bt_bits_load(struct bt_bits *b, struct bt_str wire);
void	bt_bits_copy(struct bt_bits *to, const struct bt_bits *from); /* same n */
/* The first i >= from that is set (or clear); n if there is none. */
uint32_t	bt_bits_next(const struct bt_bits *b, uint32_t from);
uint32_t	bt_bits_next_clear(const struct bt_bits *b, uint32_t from);
/* The same among from .. to - 1; `to` if there is none. to <= n. */
uint32_t	bt_bits_next_until(const struct bt_bits *b, uint32_t from,
	    uint32_t to);
uint32_t	bt_bits_next_clear_until(const struct bt_bits *b, uint32_t from,
	    uint32_t to);
/* The first i >= from that is in a, in b and in c (NULL: any); or n. Same n. */
uint32_t	bt_bits_next_common(const struct bt_bits *a,
	    const struct bt_bits *b, const struct bt_bits *c, uint32_t from);
/* Is there an index in a that is not in b? Same n. */
bool	bt_bits_any_not_in(const struct bt_bits *a, const struct bt_bits *b);

#endif
