#include "base/rd.h"

#include <string.h>

struct bt_rd
bt_rd_of(struct bt_str in)
{
	return (struct bt_rd){ .in = in };
}

struct bt_str
bt_rd_take(struct bt_rd *r, size_t n)
{
	struct bt_str s;

	if (r->bad || n > r->in.n) {
		r->bad = true;
		return (struct bt_str){ NULL, 0 };
	}
	s = bt_str_sub(r->in, 0, n);
	r->in = bt_str_sub(r->in, n, r->in.n);
	return s;
}

void
bt_rd_copy(struct bt_rd *r, void *to, size_t n)
{
	struct bt_str s = bt_rd_take(r, n);

	if (n == 0)
		return;
	if (r->bad)
		memset(to, 0, n);
	else
		memcpy(to, s.p, n);
}

uint8_t
bt_rd_u8(struct bt_rd *r)
{
	uint8_t v;

	bt_rd_copy(r, &v, 1);
	return v;
}

uint16_t
bt_rd_be16(struct bt_rd *r)
{
	uint8_t p[2];

	bt_rd_copy(r, p, sizeof(p));
	return bt_be16(p);
}

uint32_t
bt_rd_be32(struct bt_rd *r)
{
	uint8_t p[4];

	bt_rd_copy(r, p, sizeof(p));
	return bt_be32(p);
}

uint64_t
bt_rd_be64(struct bt_rd *r)
{
	uint8_t p[8];

	bt_rd_copy(r, p, sizeof(p));
	return bt_be64(p);
}

uint16_t
bt_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
bt_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

uint64_t
bt_be64(const uint8_t *p)
{
	return (uint64_t)bt_be32(p) << 32 | bt_be32(p + 4);
}

void
bt_put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
bt_put_be32(uint8_t *p, uint32_t v)
{
	bt_put_be16(p, (uint16_t)(v >> 16));
	bt_put_be16(p + 2, (uint16_t)v);
}

void
bt_put_be64(uint8_t *p, uint64_t v)
{
	bt_put_be32(p, (uint32_t)(v >> 32));
	bt_put_be32(p + 4, (uint32_t)v);
}
