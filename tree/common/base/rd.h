/*
 * rd - reading fixed fields from foreign bytes without running over.
 *
 * A read past the end gives zeros and sets `bad`, so a decoder may read all
 * fields and ask once. Integers are big-endian.
 * Pure.
 *
 * Used by  codec/wire, codec/udptrk, disk/resume
 * Tests    tests/unit/test_rd.c
 */
#ifndef BT_BASE_RD_H
#define BT_BASE_RD_H

#include "base/str.h"

struct bt_rd {
	struct bt_str in;	/* what is left */
	bool bad;		/* something was asked that was not there */
};

struct bt_rd	bt_rd_of(struct bt_str in);
uint8_t	bt_rd_u8(struct bt_rd *r);
uint16_t	bt_rd_be16(struct bt_rd *r);
uint32_t	bt_rd_be32(struct bt_rd *r);
uint64_t	bt_rd_be64(struct bt_rd *r);
struct bt_str	bt_rd_take(struct bt_rd *r, size_t n);	/* empty if bad */
/* Copy n bytes to `to`; zeros if bad. */
void	bt_rd_copy(struct bt_rd *r, void *to, size_t n);

/* Single fields at a place known to hold them. */
uint16_t	bt_be16(const uint8_t *p);
uint32_t	bt_be32(const uint8_t *p);
uint64_t	bt_be64(const uint8_t *p);
void	bt_put_be16(uint8_t *p, uint16_t v);
void	bt_put_be32(uint8_t *p, uint32_t v);
void	bt_put_be64(uint8_t *p, uint64_t v);

#endif
