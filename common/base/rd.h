/*
 * rd - reading fixed fields from foreign bytes without running over.
 *
 * A read past the end gives zeros and sets `bad`, so a decoder may read all
 * fields and ask once. Integers are big-endian. All of it lies in this header,
 * since a field costs less than the call for it: a datagram has twelve.
 * Pure.
 *
 * Used by  codec/wire, codec/udptrk, disk/resume
 * Tests    tests/unit/test_rd.c
 */
#ifndef BT_BASE_RD_H
#define BT_BASE_RD_H

#include <string.h>

#include "base/str.h"

struct bt_rd {
	struct bt_str in;	/* what is left */
	bool bad;		/* something was asked that was not there */
};

/* Single fields at a place known to hold them. */
static inline uint16_t
bt_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
bt_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t
bt_be64(const uint8_t *p)
{
	return (uint64_t)bt_be32(p) << 32 | bt_be32(p + 4);
}

static inline void
bt_put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
bt_put_be32(uint8_t *p, uint32_t v)
{
	bt_put_be16(p, (uint16_t)(v >> 16));
	bt_put_be16(p + 2, (uint16_t)v);
}

static inline void
bt_put_be64(uint8_t *p, uint64_t v)
{
	bt_put_be32(p, (uint32_t)(v >> 32));
	bt_put_be32(p + 4, (uint32_t)v);
}

static inline struct bt_rd
bt_rd_of(struct bt_str in)
{
	return (struct bt_rd){ .in = in };
}

static inline struct bt_str /* n bytes; empty if bad */
bt_rd_take(struct bt_rd *r, size_t n)
{
	struct bt_str s = { r->in.p, n };

	if (r->bad || n > r->in.n) {
		r->bad = true;
		return (struct bt_str){ NULL, 0 };
	}
	if (n > 0)
		r->in = (struct bt_str){ r->in.p + n, r->in.n - n };
	return s;
}

/* Copy n bytes to `to`; zeros if bad. */
static inline void
bt_rd_copy(struct bt_rd *r, void *to, size_t n)
{
	struct bt_str s = bt_rd_take(r, n);

	if (n > 0 && r->bad)
		memset(to, 0, n);
	else if (n > 0)
		memcpy(to, s.p, n);
}

static inline uint8_t
bt_rd_u8(struct bt_rd *r)
{
	struct bt_str s = bt_rd_take(r, 1);

	return s.n == 0 ? 0 : s.p[0];
}

static inline uint16_t
bt_rd_be16(struct bt_rd *r)
{
	struct bt_str s = bt_rd_take(r, 2);

	return s.n == 0 ? 0 : bt_be16(s.p);
}

static inline uint32_t
bt_rd_be32(struct bt_rd *r)
{
	struct bt_str s = bt_rd_take(r, 4);

	return s.n == 0 ? 0 : bt_be32(s.p);
}

static inline uint64_t
bt_rd_be64(struct bt_rd *r)
{
	struct bt_str s = bt_rd_take(r, 8);

	return s.n == 0 ? 0 : bt_be64(s.p);
}

#endif
