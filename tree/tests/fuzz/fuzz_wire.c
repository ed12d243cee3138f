/*
 * Any bytes, as a handshake and as a stream of messages: what decodes encodes
 * to the same bytes, the head alone says the same as the whole, no shorter
 * input is good, and a fault stays that fault however much follows.
 */
#include <assert.h>
#include <string.h>

#include "codec/wire.h"
#include "fuzz.h"

#define MAX 70000u
#define PREFIXES 64u /* of these lengths all are tried */

static void
check_same(struct bt_str in, const struct bt_wire_msg *m, size_t size)
{
	uint8_t head[BT_WIRE_HEAD_MAX];
	struct bt_wire_msg h;
	uint32_t body;
	ssize_t rc;
	size_t n;

	assert(size <= in.n);
	assert(is_inside(in, m->payload));
	n = bt_wire_encode_head(head, m, (uint32_t)m->payload.n);
	assert(n + m->payload.n == size);
	assert(memcmp(head, in.p, n) == 0);
	assert(m->payload.n == 0 || m->payload.p == in.p + n);
	rc = bt_wire_decode_head(bt_str_sub(in, 0, n), MAX, &h, &body);
	assert(rc == (ssize_t)n);
	assert(body == m->payload.n);
	assert(h.id == m->id && h.index == m->index && h.begin == m->begin &&
	       h.length == m->length && h.payload.n == 0);
}

/* What shorter inputs say, given what this one says. */
static void
check_prefixes(struct bt_str in, ssize_t whole)
{
	size_t n = whole > 0 ? (size_t)whole : in.n;
	struct bt_wire_msg m;
	ssize_t rc, last = 0;

	if (n > PREFIXES)
		n = PREFIXES;
	for (size_t i = 0; i < n; i++) {
		rc = bt_wire_decode(bt_str_sub(in, 0, i), MAX, &m);
		assert(rc <= 0);
		assert(last == 0 || rc == last);
		assert(rc == 0 || rc == whole);
		last = rc;
	}
}

static void
check_handshake(struct bt_str in)
{
	uint8_t out[BT_HANDSHAKE_LEN];
	struct bt_handshake h;
	ssize_t rc, part;

	rc = bt_handshake_parse(in, &h);
	assert(rc == 0 || rc == BT_HANDSHAKE_LEN || rc == BT_WIRE_ESHAPE);
	if (rc > 0) {
		bt_handshake_put(out, h.info_hash, h.peer_id);
		assert(memcmp(out, in.p, 20) == 0);
		assert(memcmp(out + 28, in.p + 28, 40) == 0);
	}
	for (size_t i = 0; i < in.n && i < BT_HANDSHAKE_LEN; i++) {
		part = bt_handshake_parse(bt_str_sub(in, 0, i), &h);
		assert(part == 0 || (part == BT_WIRE_ESHAPE && rc == part));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_wire_msg m;
	ssize_t rc;

	check_handshake(in);
	do {
		rc = bt_wire_decode(in, MAX, &m);
		check_prefixes(in, rc);
		if (rc > 0) {
			check_same(in, &m, (size_t)rc);
			in = bt_str_sub(in, (size_t)rc, in.n);
		}
	} while (rc > 0);
	return 0;
}
