#include "reader.h"

#include <string.h>

#include "base/mem.h"

#define LONGEST (1u << 20) /* more than any message of ours */

static size_t
take_hello(struct sim_reader *r, struct bt_str in, enum sim_read *what)
{
	size_t n = BT_HANDSHAKE_LEN - r->nhead;
	struct bt_str all;

	if (n > in.n)
		n = in.n;
	memcpy(r->head + r->nhead, in.p, n);
	r->nhead += n;
	all = (struct bt_str){ r->head, r->nhead };
	if (r->nhead < BT_HANDSHAKE_LEN)
		return n;
	*what = SIM_READ_BAD;
	if (bt_handshake_parse(all, &r->hello) != BT_HANDSHAKE_LEN)
		return n;
	r->shaken = true;
	r->nhead = 0;
	*what = SIM_READ_HANDSHAKE;
	return n;
}

static size_t
take_head(struct sim_reader *r, struct bt_str in, enum sim_read *what)
{
	size_t n = BT_WIRE_HEAD_MAX - r->nhead, before = r->nhead;
	struct bt_str all;
	ssize_t took;

	if (n > in.n)
		n = in.n;
	memcpy(r->head + r->nhead, in.p, n);
	r->nhead += n;
	all = (struct bt_str){ r->head, r->nhead };
	took = bt_wire_decode_head(all, LONGEST, &r->msg, &r->left);
	if (took < 0) {
		*what = SIM_READ_BAD;
		return n;
	}
	if (took == 0)
		return n;
	r->nhead = 0;
	r->nbody = 0;
	r->in_body = r->left > 0;
	if (r->msg.id == BT_BITFIELD) {
		r->body = bt_mem_resize(r->body, r->left, 1);
		r->nbody = r->left;
	}
	*what = r->msg.id == BT_PIECE ? SIM_READ_HEAD
		: r->in_body	      ? SIM_READ_MORE
				      : SIM_READ_MESSAGE;
	return (size_t)took - before;
}

static size_t
take_body(struct sim_reader *r, struct bt_str in, enum sim_read *what)
{
	size_t n = r->left < in.n ? r->left : in.n;

	if (r->nbody > 0)
		memcpy(r->body + (r->nbody - r->left), in.p, n);
	r->left -= (uint32_t)n;
	if (r->left == 0) {
		r->in_body = false;
		*what = SIM_READ_MESSAGE;
	}
	return n;
}

size_t
sim_reader_take(struct sim_reader *r, struct bt_str in, enum sim_read *what)
{
	size_t took = 0, n;

	*what = SIM_READ_MORE;
	while (took < in.n && *what == SIM_READ_MORE) {
		struct bt_str rest = bt_str_sub(in, took, in.n);

		if (!r->shaken)
			n = take_hello(r, rest, what);
		else if (r->in_body)
			n = take_body(r, rest, what);
		else
			n = take_head(r, rest, what);
		took += n;
	}
	return took;
}

uint32_t
sim_reader_partial(const struct sim_reader *r)
{
	if (!r->in_body || r->msg.id != BT_PIECE)
		return 0;
	return r->msg.length - r->left;
}

void
sim_reader_fini(struct sim_reader *r)
{
	bt_mem_free(r->body);
	r->body = NULL;
}
