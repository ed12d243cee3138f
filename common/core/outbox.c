#include "core/outbox.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

#define ASKS_FIRST 8u

static void
tell(struct bt_torrent *t, struct bt_peer *p)
{
	if (p->told_send)
		return;
	p->told_send = true;
	bt_effects_push(
	    &t->fx, &(struct bt_effect){ .kind = BT_FX_SEND, .slot = p->slot });
}

/*
 * A full queue is the peer's doing: it made us answer and does not read. The
 * step's `now` is not at hand here; last_rx is when it made us answer.
 */
static bool
put(struct bt_torrent *t, struct bt_peer *p, struct bt_str bytes)
{
	if (p->dead)
		return false;
	if (p->ctl.p == NULL)
		bt_buf_init(
		    &p->ctl, BT_OUTBOX_MAX + bt_bits_bytes(t->layout->pieces));
	if (p->ctl.n == p->ctl_sent)
		p->told_send = false; /* it may wait for blocks alone */
	if (bt_buf_add(&p->ctl, bytes) == 0)
		return true;
	bt_roster_blame(t, p, "it does not read what it asked for", p->last_rx);
	return false;
}

void
bt_outbox_put_raw(struct bt_torrent *t, struct bt_peer *p, struct bt_str bytes)
{
	if (put(t, p, bytes))
		tell(t, p);
}

void
bt_outbox_put(struct bt_torrent *t, struct bt_peer *p, unsigned id,
    uint32_t index, uint32_t begin, uint32_t length)
{
	struct bt_wire_msg m = {
		.id = id, .index = index, .begin = begin, .length = length
	};
	uint8_t head[BT_WIRE_HEAD_MAX];

	bt_outbox_put_raw(
	    t, p, (struct bt_str){ head, bt_wire_encode_head(head, &m, 0) });
}

void
bt_outbox_put_have(
    struct bt_torrent *t, struct bt_peer *p, uint32_t piece, bool soon)
{
	struct bt_wire_msg m = { .id = BT_HAVE, .index = piece };
	uint8_t head[BT_WIRE_HEAD_MAX];
	struct bt_str bytes = { head, bt_wire_encode_head(head, &m, 0) };

	if (put(t, p, bytes) && soon)
		tell(t, p);
}

void
bt_outbox_flush(struct bt_torrent *t, struct bt_peer *p)
{
	if (p->ctl.n > p->ctl_sent)
		tell(t, p);
}

void
bt_outbox_put_body(
    struct bt_torrent *t, struct bt_peer *p, unsigned id, struct bt_str body)
{
	struct bt_wire_msg m = { .id = id };
	uint8_t head[BT_WIRE_HEAD_MAX];
	size_t n;

	assert(body.n <= BT_OUTBOX_BODY_MAX);
	n = bt_wire_encode_head(head, &m, (uint32_t)body.n);
	bt_outbox_put_raw(t, p, (struct bt_str){ head, n });
	bt_outbox_put_raw(t, p, body);
}

static void
make_room(struct bt_peer *p)
{
	uint32_t used = p->asks_from + p->nasks;

	if (used < p->asks_cap)
		return;
	if (p->asks_from > 0) {
		memmove(p->asks, p->asks + p->asks_from,
		    p->nasks * sizeof(*p->asks));
		p->asks_from = 0;
		return;
	}
	p->asks_cap = p->asks_cap == 0 ? ASKS_FIRST : p->asks_cap * 2;
	p->asks = bt_mem_resize(p->asks, p->asks_cap, sizeof(*p->asks));
}

bool
bt_outbox_ask(struct bt_torrent *t, struct bt_peer *p, const struct bt_ask *a)
{
	if (p->nasks >= BT_TORRENT_REQQ)
		return false;
	make_room(p);
	p->asks[p->asks_from + p->nasks] = *a;
	p->asks[p->asks_from + p->nasks].sent = 0;
	p->nasks++;
	tell(t, p);
	return true;
}

static void
forget_if_empty(struct bt_peer *p)
{
	if (p->nasks > 0)
		return;
	bt_mem_free(p->asks);
	p->asks = NULL;
	p->asks_from = p->asks_cap = 0;
}

/* What the last _tx named is no longer what would go. */
static void
unname(struct bt_peer *p)
{
	p->tx_head = 0;
	p->tx_blocks = 0;
}

bool
bt_outbox_cancel(struct bt_peer *p, const struct bt_ask *a)
{
	struct bt_ask *q;
	uint32_t i;

	if (p->nasks == 0)
		return false;
	q = p->asks + p->asks_from;
	for (i = 0; i < p->nasks; i++)
		if (q[i].sent == 0 && q[i].piece == a->piece &&
		    q[i].begin == a->begin && q[i].length == a->length)
			break;
	if (i == p->nasks)
		return false;
	memmove(q + i, q + i + 1, (p->nasks - i - 1) * sizeof(*q));
	p->nasks--;
	unname(p);
	forget_if_empty(p);
	return true;
}

void
bt_outbox_refuse(struct bt_torrent *t, struct bt_peer *p,
    bool (*drop)(const struct bt_torrent *t, const struct bt_peer *p,
	const struct bt_ask *a))
{
	uint32_t kept = 0, n = p->nasks;
	struct bt_ask *q;

	if (n == 0)
		return;
	q = p->asks + p->asks_from;
	for (uint32_t i = 0; i < n; i++) {
		if (q[i].sent > 0 || !drop(t, p, &q[i])) {
			q[kept++] = q[i];
			continue;
		}
		if (p->fast)
			bt_outbox_put(t, p, BT_REJECT, q[i].piece, q[i].begin,
			    q[i].length);
		if (p->dead)
			return; /* its queue went with it */
	}
	p->nasks = kept;
	unname(p);
	forget_if_empty(p);
}

bool
bt_outbox_tx(struct bt_peer *p, struct bt_tx *tx)
{
	const struct bt_ask *q = NULL;
	size_t bytes = 0;
	uint32_t i;

	if (p->nasks > 0)
		q = p->asks + p->asks_from;
	tx->head = (struct bt_str){ NULL, 0 };
	if (p->ctl.n > p->ctl_sent)
		tx->head = (struct bt_str){ p->ctl.p + p->ctl_sent,
			p->ctl.n - p->ctl_sent };
	for (i = 0; i < p->nasks && i < BT_TX_BLOCKS_MAX; i++) {
		bytes += q[i].length;
		if (i > 0 && bytes > BT_OUTBOX_BATCH)
			break;
		tx->blocks[i] = (struct bt_tx_block){ q[i].piece, q[i].begin,
			q[i].length, q[i].sent };
	}
	tx->nblocks = i;
	p->tx_blocks = i;
	p->tx_head = tx->head.n;
	if (tx->head.n == 0 && i == 0) {
		p->told_send = false;
		return false;
	}
	return true;
}

/* How many of the payload's bytes are among the first `sent` of a block. */
static uint32_t
payload_of(uint32_t sent)
{
	return sent < BT_TX_HEADER ? 0 : sent - BT_TX_HEADER;
}

/* Up to n bytes of the oldest block went; returns what is left of n. */
static size_t
block_went(struct bt_torrent *t, struct bt_peer *p, size_t n, int64_t now)
{
	struct bt_ask *a = &p->asks[p->asks_from];
	size_t rest = BT_TX_HEADER + a->length - a->sent;
	uint32_t went = (uint32_t)(n < rest ? n : rest), payload;

	assert(p->nasks > 0);
	payload = payload_of(a->sent + went) - payload_of(a->sent);
	a->sent += went;
	p->up += payload;
	p->up_since += payload;
	t->up += payload;
	bt_meter_add(&p->up_meter, payload, now);
	bt_meter_add(&t->up_meter, payload, now);
	if (a->sent == BT_TX_HEADER + a->length) {
		p->asks_from++;
		p->nasks--;
		p->nonsense -= p->nonsense > 0; /* it takes what it asks for */
	}
	return n - went;
}

static size_t
head_went(struct bt_peer *p, size_t n)
{
	size_t went = n < p->tx_head ? n : p->tx_head;

	p->ctl_sent += went;
	if (p->ctl_sent == p->ctl.n) {
		bt_buf_fini(&p->ctl);
		p->ctl = (struct bt_buf){ 0 };
		p->ctl_sent = 0;
	}
	return n - went;
}

void
bt_outbox_sent(struct bt_torrent *t, struct bt_peer *p, size_t n, int64_t now)
{
	unsigned blocks = p->tx_blocks;

	if (n > 0)
		p->last_tx = now;
	if (blocks > 0 && p->asks[p->asks_from].sent > 0) {
		n = block_went(t, p, n, now);
		blocks--;
	}
	n = head_went(p, n);
	for (; n > 0 && blocks > 0; blocks--)
		n = block_went(t, p, n, now);
	assert(n == 0); /* no more went than was named */
	unname(p);
	forget_if_empty(p);
}

void
bt_outbox_fini(struct bt_peer *p)
{
	bt_buf_fini(&p->ctl);
	p->ctl = (struct bt_buf){ 0 };
	bt_mem_free(p->asks);
	p->asks = NULL;
	p->nasks = p->asks_from = p->asks_cap = 0;
}
