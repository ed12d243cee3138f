#include "codec/wire.h"

#include <assert.h>
#include <string.h>

#include "base/rd.h"

#define GREETING_LEN 20

/* BEP 3: a byte of value 19 and the name; the NUL is never sent */
static const uint8_t greeting[GREETING_LEN + 1] = "\023BitTorrent protocol";

/* What an id promises about the bytes after it. */
struct shape {
	uint32_t fixed;	   /* bytes of fixed fields after the id */
	bool open;	   /* a body of any length may follow them */
	uint32_t body_min; /* the least that an open body has */
};

static struct shape
shape_of(unsigned id)
{
	switch (id) {
	case BT_CHOKE:
	case BT_UNCHOKE:
	case BT_INTERESTED:
	case BT_NOT_INTERESTED:
	case BT_HAVE_ALL:
	case BT_HAVE_NONE:
		return (struct shape){ 0, false, 0 };
	case BT_PORT:
		return (struct shape){ 2, false, 0 };
	case BT_HAVE:
	case BT_SUGGEST:
	case BT_ALLOWED_FAST:
		return (struct shape){ 4, false, 0 };
	case BT_REQUEST:
	case BT_CANCEL:
	case BT_REJECT:
		return (struct shape){ 12, false, 0 };
	case BT_PIECE:
		return (struct shape){ 8, true, 0 };
	case BT_EXTENDED:
		return (struct shape){ 0, true, 1 }; /* its own id */
	default:
		return (struct shape){ 0, true, 0 };
	}
}

void
bt_handshake_put(uint8_t out[BT_HANDSHAKE_LEN], const uint8_t info_hash[20],
    const uint8_t peer_id[20])
{
	memcpy(out, greeting, GREETING_LEN);
	memset(out + GREETING_LEN, 0, 8);
	out[GREETING_LEN + 5] = 0x10; /* BEP 10 */
	out[GREETING_LEN + 7] = 0x04; /* BEP 6 */
	memcpy(out + 28, info_hash, 20);
	memcpy(out + 48, peer_id, 20);
}

ssize_t
bt_handshake_parse(struct bt_str in, struct bt_handshake *h)
{
	struct bt_rd r = bt_rd_of(in);
	size_t n = in.n < GREETING_LEN ? in.n : GREETING_LEN;

	if (n > 0 && memcmp(in.p, greeting, n) != 0)
		return BT_WIRE_ESHAPE;
	if (in.n < BT_HANDSHAKE_LEN)
		return 0;
	bt_rd_take(&r, GREETING_LEN);
	bt_rd_copy(&r, h->reserved, sizeof(h->reserved));
	bt_rd_copy(&r, h->info_hash, sizeof(h->info_hash));
	bt_rd_copy(&r, h->peer_id, sizeof(h->peer_id));
	assert(!r.bad);
	return BT_HANDSHAKE_LEN;
}

/*
 * The least that a length prefix can turn out to be, whose later bytes may
 * still be missing: the missing ones count as zero.
 */
static uint32_t
length_at_least(struct bt_str in)
{
	uint8_t prefix[4] = { 0 };

	if (in.n > 0)
		memcpy(prefix, in.p, in.n < 4 ? in.n : 4);
	return bt_be32(prefix);
}

static void
read_fixed(struct bt_rd *r, const struct shape *s, struct bt_wire_msg *m)
{
	if (s->fixed == 2)
		m->index = bt_rd_be16(r);
	if (s->fixed >= 4)
		m->index = bt_rd_be32(r);
	if (s->fixed >= 8)
		m->begin = bt_rd_be32(r);
	if (s->fixed >= 12)
		m->length = bt_rd_be32(r);
}

ssize_t
bt_wire_decode_head(
    struct bt_str in, uint32_t max, struct bt_wire_msg *m, uint32_t *body_len)
{
	struct bt_rd r = bt_rd_of(in);
	struct bt_wire_msg got = { 0 };
	struct shape s;
	uint32_t len, body;

	assert(max <= INT32_MAX - 4); /* so that a size fits every ssize_t */
	if (length_at_least(in) > max)
		return BT_WIRE_ETOOBIG;
	if (in.n < 4)
		return 0;
	len = bt_rd_be32(&r);
	if (len == 0) {
		got.id = BT_KEEPALIVE;
		*m = got;
		*body_len = 0;
		return 4;
	}
	got.id = bt_rd_u8(&r);
	if (r.bad)
		return 0;
	s = shape_of(got.id);
	if (len - 1 < s.fixed)
		return BT_WIRE_ESHAPE;
	body = len - 1 - s.fixed;
	if (s.open ? body < s.body_min : body != 0)
		return BT_WIRE_ESHAPE;
	read_fixed(&r, &s, &got);
	if (r.bad)
		return 0;
	if (got.id == BT_PIECE)
		got.length = body;
	*m = got;
	*body_len = body;
	return (ssize_t)(5 + s.fixed);
}

ssize_t
bt_wire_decode(struct bt_str in, uint32_t max, struct bt_wire_msg *m)
{
	struct bt_wire_msg got;
	uint32_t body;
	ssize_t head;

	head = bt_wire_decode_head(in, max, &got, &body);
	if (head <= 0)
		return head;
	if (in.n - (size_t)head < body)
		return 0;
	got.payload = bt_str_sub(in, (size_t)head, (size_t)head + body);
	*m = got;
	return head + (ssize_t)body;
}

size_t
bt_wire_encode_head(uint8_t out[BT_WIRE_HEAD_MAX], const struct bt_wire_msg *m,
    uint32_t body_len)
{
	struct shape s;

	if (m->id == BT_KEEPALIVE) {
		assert(body_len == 0);
		bt_put_be32(out, 0);
		return 4;
	}
	assert(m->id <= UINT8_MAX);
	s = shape_of(m->id);
	assert(s.open || body_len == 0);
	assert(body_len >= s.body_min);
	assert(body_len <= UINT32_MAX - 1 - s.fixed);
	bt_put_be32(out, 1 + s.fixed + body_len);
	out[4] = (uint8_t)m->id;
	if (s.fixed == 2) {
		assert(m->index <= UINT16_MAX);
		bt_put_be16(out + 5, (uint16_t)m->index);
	}
	if (s.fixed >= 4)
		bt_put_be32(out + 5, m->index);
	if (s.fixed >= 8)
		bt_put_be32(out + 9, m->begin);
	if (s.fixed >= 12)
		bt_put_be32(out + 13, m->length);
	return 5 + s.fixed;
}
