#include "core/inbox.h"

#include <assert.h>
#include <string.h>

#include "codec/ext.h"
#include "core/greet.h"
#include "core/manners.h"
#include "core/messages.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

#define PIECE_MAX (9u + BT_REQUEST_MAX) /* id, index, begin, block */
#define EXT_MAX (2u + BT_EXT_HANDSHAKE_MAX)

/* The longest message that any id may have. */
static uint32_t
length_max(const struct bt_torrent *t)
{
	size_t bits = 1 + bt_bits_bytes(t->layout->pieces);

	return bits > BT_INBOX_UNKNOWN_MAX ? (uint32_t)bits
					   : BT_INBOX_UNKNOWN_MAX;
}

/* The block is whole, wherever it went. */
static void
end_block(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	struct bt_pick b = { p->rx_piece, p->rx_block };
	struct bt_request *r = p->rx_asked ? bt_requests_find(p, b) : NULL;

	p->rx = BT_RX_HEAD;
	if (r != NULL)
		bt_requests_on_block(p, r, p->rx_len, now);
	if (p->rx_to == BT_RX_DROP) {
		t->wasted += p->rx_len;
		if (r != NULL)
			bt_requests_drop(t, p, r);
	} else {
		assert(r != NULL);
		bt_requests_answered(t, p, r);
		if (!bt_pieces_close(t, p, now))
			t->wasted += p->rx_len;
	}
	bt_requests_fill(t, p, now);
}

/* n more bytes of the block are where they belong. */
static void
advance_block(struct bt_torrent *t, struct bt_peer *p, size_t n, int64_t now)
{
	p->rx_got += (uint32_t)n;
	t->down += n;
	bt_meter_add(&t->down_meter, n, now);
	if (p->rx_asked) { /* else it earns nothing */
		p->down += n;
		bt_meter_add(&p->down_meter, n, now);
		bt_requests_on_payload(p, now);
	}
	if (p->rx_got == p->rx_len)
		end_block(t, p, now);
}

void
bt_inbox_placed(struct bt_torrent *t, struct bt_peer *p, size_t n, int64_t now)
{
	assert(p->rx == BT_RX_BLOCK && n <= p->rx_len - p->rx_got);
	advance_block(t, p, n, now);
}

static void
begin_block(struct bt_torrent *t, struct bt_peer *p,
    const struct bt_wire_msg *m, int64_t now)
{
	struct bt_pick b = { m->index, m->begin / BT_BLOCK_LEN };

	if (!bt_layout_has_range(t->layout, m->index, m->begin, m->length)) {
		bt_roster_blame(
		    t, p, "it sent a block that is not in the torrent", now);
		return;
	}
	p->rx = BT_RX_BLOCK;
	p->rx_len = m->length;
	p->rx_got = 0;
	p->rx_piece = b.piece;
	p->rx_block = b.block;
	p->rx_to = BT_RX_DROP;
	p->rx_asked =
	    m->begin % BT_BLOCK_LEN == 0 &&
	    m->length == bt_layout_block_size(t->layout, b.piece, b.block) &&
	    bt_requests_find(p, b) != NULL;
	if (p->rx_asked)
		bt_pieces_open(t, p);
	else
		bt_manners_unmatched(
		    t, p, "it sent blocks that nobody asked for", now);
}

static void
begin_body(struct bt_peer *p, enum bt_rx_state rx, uint32_t len)
{
	p->rx = rx;
	p->rx_len = len;
	p->rx_got = 0;
	bt_buf_init(&p->body, len);
}

/* A whole head is there; *m says which message begins. */
static void
begin_message(struct bt_torrent *t, struct bt_peer *p,
    const struct bt_wire_msg *m, uint32_t body, int64_t now)
{
	switch (m->id) {
	case BT_PIECE:
		if (body > BT_REQUEST_MAX)
			bt_roster_blame(t, p, "it sent too long a block", now);
		else
			begin_block(t, p, m, now);
		return;
	case BT_BITFIELD:
		if (body != bt_bits_bytes(t->layout->pieces))
			bt_roster_blame(
			    t, p, "its bitfield has the wrong length", now);
		else if (body == 0)
			bt_messages_on_bitfield(
			    t, p, (struct bt_str){ NULL, 0 }, now);
		else
			begin_body(p, BT_RX_BITS, body);
		return;
	case BT_EXTENDED:
		if (1 + body > EXT_MAX)
			bt_roster_blame(t, p,
			    "it sent too long an extended "
			    "message",
			    now);
		else
			begin_body(p, p->ext ? BT_RX_EXT : BT_RX_SKIP, body);
		return;
	default:
		if (body > 0) /* unknown: read past it */
			begin_body(p, BT_RX_SKIP, body);
		else
			bt_messages_on_plain(t, p, m, now);
	}
}

static size_t
feed_head(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str in, int64_t now)
{
	struct bt_wire_msg m;
	uint32_t body, before = p->npart;
	size_t n = BT_WIRE_HEAD_MAX - before;
	ssize_t took;

	if (n > in.n)
		n = in.n;
	memcpy(p->part + before, in.p, n);
	p->npart += (uint32_t)n;
	took = bt_wire_decode_head(
	    (struct bt_str){ p->part, p->npart }, length_max(t), &m, &body);
	if (took < 0) {
		bt_roster_blame(t, p,
		    took == BT_WIRE_ETOOBIG ? "it sent too long a message"
					    : "it sent a malformed message",
		    now);
		return n;
	}
	if (took == 0)
		return n;
	p->npart = 0;
	begin_message(t, p, &m, body, now);
	return (size_t)took - before;
}

static size_t
feed_handshake(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str in, int64_t now)
{
	size_t n = BT_HANDSHAKE_LEN - p->npart;

	if (n > in.n)
		n = in.n;
	memcpy(p->part + p->npart, in.p, n);
	p->npart += (uint32_t)n;
	bt_greet_on_bytes(t, p, now);
	return n;
}

static size_t
feed_block(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str in, int64_t now)
{
	uint8_t *to = bt_pieces_place(t, p);
	size_t n = p->rx_len - p->rx_got;

	if (n > in.n)
		n = in.n;
	if (to != NULL)
		memcpy(to, in.p, n);
	advance_block(t, p, n, now);
	return n;
}

/* A body that is kept until it is whole, or read past. */
static size_t
feed_body(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str in, int64_t now)
{
	enum bt_rx_state what = p->rx;
	size_t n = p->rx_len - p->rx_got;
	struct bt_buf body;
	int rc;

	if (n > in.n)
		n = in.n;
	if (what != BT_RX_SKIP) {
		rc = bt_buf_add(&p->body, bt_str_sub(in, 0, n));
		assert(rc == 0);
	}
	p->rx_got += (uint32_t)n;
	if (p->rx_got < p->rx_len)
		return n;
	body = p->body;
	p->body = (struct bt_buf){ 0 };
	p->rx = BT_RX_HEAD;
	if (what == BT_RX_BITS)
		bt_messages_on_bitfield(t, p, bt_buf_str(&body), now);
	else if (what == BT_RX_EXT)
		bt_messages_on_extended(t, p, bt_buf_str(&body), now);
	else
		bt_manners_idle(t, p, p->rx_len, now);
	bt_buf_fini(&body);
	return n;
}

void
bt_inbox_feed(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str in, int64_t now)
{
	size_t n = 0;

	while (in.n > 0 && !p->dead && p->state != BT_PEER_MUTE) {
		switch (p->rx) {
		case BT_RX_HANDSHAKE:
			n = feed_handshake(t, p, in, now);
			break;
		case BT_RX_HEAD:
			n = feed_head(t, p, in, now);
			break;
		case BT_RX_BLOCK:
			n = feed_block(t, p, in, now);
			break;
		case BT_RX_BITS:
		case BT_RX_EXT:
		case BT_RX_SKIP:
			n = feed_body(t, p, in, now);
			break;
		}
		in = bt_str_sub(in, n, in.n);
	}
}
