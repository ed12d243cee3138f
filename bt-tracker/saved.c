#include "saved.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

#define MAGIC "bt-state"
#define SUM_LEN 8u
#define SUM_AT (BT_SAVED_HEAD_LEN - SUM_LEN)

static const uint8_t zeros[16];

void
bt_saved_head_put(uint8_t out[BT_SAVED_HEAD_LEN], const struct bt_saved_head *h)
{
	memset(out, 0, BT_SAVED_HEAD_LEN);
	memcpy(out, MAGIC, 8);
	bt_put_be32(out + 8, BT_SAVED_VERSION);
	bt_put_be32(out + 12, h->tick_ms);
	bt_put_be64(out + 16, h->wall_ms);
	memcpy(out + 24, h->key_secret, 16);
	bt_put_be64(
	    out + SUM_AT, bt_hash_sip(zeros, (struct bt_str){ out, SUM_AT }));
}

enum bt_saved_is
bt_saved_head_get(struct bt_str in, struct bt_saved_head *h)
{
	size_t n = in.n < 8 ? in.n : 8;

	if (n == 0 || memcmp(in.p, MAGIC, n) != 0)
		return BT_SAVED_OTHER;
	if (in.n < BT_SAVED_HEAD_LEN)
		return BT_SAVED_CUT;
	if (bt_be64(in.p + SUM_AT) !=
	    bt_hash_sip(zeros, (struct bt_str){ in.p, SUM_AT }))
		return BT_SAVED_DAMAGED;
	if (bt_be32(in.p + 8) != BT_SAVED_VERSION)
		return BT_SAVED_LATER;
	h->tick_ms = bt_be32(in.p + 12);
	h->wall_ms = bt_be64(in.p + 16);
	memcpy(h->key_secret, in.p + 24, 16);
	return h->tick_ms == 0 ? BT_SAVED_DAMAGED : BT_SAVED_WHOLE;
}

void
bt_saved_frame_begin(struct bt_buf *out, uint64_t number)
{
	uint8_t *p = bt_buf_room(out, BT_SAVED_FRAME_LEN);

	assert(out->n == 0);
	assert(p != NULL);
	memset(p, 0, BT_SAVED_FRAME_LEN);
	bt_put_be64(p + 12, number);
	out->n = BT_SAVED_FRAME_LEN;
}

void
bt_saved_frame_seal(struct bt_buf *out, const uint8_t key_secret[16])
{
	struct bt_str body = { out->p + 12, out->n - 12 };

	assert(out->n <= BT_SAVED_FRAME_MAX);
	bt_put_be32(out->p, (uint32_t)body.n);
	bt_put_be64(out->p + 4, bt_hash_sip(key_secret, body));
}

enum bt_saved_is
bt_saved_frame_get(struct bt_str in, uint64_t number,
    const uint8_t key_secret[16], struct bt_str *groups, size_t *took)
{
	struct bt_str body;
	uint32_t n;

	if (in.n < 4)
		return BT_SAVED_CUT;
	n = bt_be32(in.p);
	if (n < 8 || n > BT_SAVED_FRAME_MAX - 12)
		return BT_SAVED_DAMAGED;
	if (in.n < 12 || in.n - 12 < n)
		return BT_SAVED_CUT;
	body = (struct bt_str){ in.p + 12, n };
	if (bt_be64(in.p + 4) != bt_hash_sip(key_secret, body) ||
	    bt_be64(body.p) != number)
		return BT_SAVED_DAMAGED;
	*groups = bt_str_sub(body, 8, body.n);
	*took = 12 + n;
	return BT_SAVED_WHOLE;
}

int
bt_saved_group_get(struct bt_rd *r, struct bt_saved_group *g)
{
	uint8_t part;
	size_t addr_len;

	if (r->in.n == 0)
		return 0;
	g->hash = bt_rd_take(r, 20).p;
	g->downloaded = bt_rd_be32(r);
	g->age_ms = bt_rd_be32(r);
	part = bt_rd_u8(r);
	g->n = bt_rd_be16(r);
	g->family = part & 2 ? 6 : 4;
	g->seeders = part & 1;
	addr_len = g->family == 4 ? 6 : 18;
	g->keys = bt_rd_take(r, (size_t)g->n * 4).p;
	g->ages = bt_rd_take(r, g->n).p;
	g->addrs = bt_rd_take(r, g->n * addr_len).p;
	return r->bad || part > 3 ? -1 : 1;
}
