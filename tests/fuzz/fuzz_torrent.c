/*
 * Any bytes as what happens to one torrent: several peers dial and are dialled,
 * say what they like in any segments, time goes by in steps and jumps, disk jobs
 * end in any order or fail, sockets take a part. After each step the core's own
 * check holds, and what tests/fuzz/game.h has. If the disk did not fail, an
 * honest peer can finish it in the end.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "fuzz.h"
#include "game.h"

#define ADDRS 8u	/* that peers come from */
#define STEPS_MAX 2000u /* of one input */
#define HONEST 200u	/* the last peer's address */

/* Bytes reach the torrent from p, in its places or from elsewhere. */
static void
send(struct game *g, struct peer *p, struct bt_str s, bool elsewhere)
{
	static uint8_t scratch[4096];
	struct bt_place place = { scratch, sizeof(scratch) };
	uint64_t slot = p->slot;
	struct bt_lend to;
	size_t n, sum;

	if (p->dialling || s.n == 0)
		return;
	if (elsewhere) {
		bt_torrent_rx_bytes(g->t, slot, s, g->now);
		return;
	}
	while (s.n > 0) {
		bt_torrent_rx_space(g->t, slot, place, sizeof(scratch), &to);
		if (to.n == 0)
			return; /* closed */
		sum = 0;
		for (unsigned i = 0; i < to.n && s.n > 0; i++) {
			n = to.places[i].n < s.n ? to.places[i].n : s.n;
			memcpy(to.places[i].p, s.p, n);
			s = bt_str_sub(s, n, s.n);
			sum += n;
		}
		assert(sum > 0);
		bt_torrent_rx(g->t, slot, &to, sum, g->now);
	}
}

static void
send_hello(struct game *g, struct peer *p, uint8_t flags)
{
	uint8_t h[BT_HANDSHAKE_LEN], id[20], hash[20];

	memset(id, (int)(p->addr + 1), sizeof(id));
	memset(hash, 0xaa, sizeof(hash));
	bt_handshake_put(h, hash, id);
	h[25] = flags & 1 ? 0x10 : 0;
	h[27] = flags & 2 ? 0x04 : 0;
	send(g, p, (struct bt_str){ h, sizeof(h) }, flags & 4);
}

/* A message of fixed fields, each small and near what makes sense. */
static void
send_message(struct game *g, struct peer *p, struct bt_rd *in)
{
	static const uint32_t lengths[] = { BT_BLOCK_LEN, 0, 1,
		2 * BT_BLOCK_LEN, BT_REQUEST_MAX, BT_REQUEST_MAX + 1,
		UINT32_MAX, BT_BLOCK_LEN - 1 };
	struct bt_wire_msg m = { .id = bt_rd_u8(in) % 24u };
	uint8_t head[BT_WIRE_HEAD_MAX], how = bt_rd_u8(in);
	size_t n;

	m.index = how % 18u;
	m.begin = (how / 18u) % 6u * BT_BLOCK_LEN;
	m.length = lengths[how / 108u];
	if (m.id == BT_BITFIELD || m.id == BT_PIECE || m.id == BT_EXTENDED)
		return; /* these have their own */
	n = bt_wire_encode_head(head, &m, 0);
	send(g, p, (struct bt_str){ head, n }, how & 1);
}

static void
send_bitfield(struct game *g, struct peer *p, struct bt_rd *in)
{
	struct bt_wire_msg m = { .id = BT_BITFIELD };
	size_t bytes = bt_bits_bytes(g->layout->pieces), n;
	uint8_t msg[BT_WIRE_HEAD_MAX + 8];
	uint16_t bits = bt_rd_be16(in);
	uint32_t spare = (uint32_t)(bytes * 8) - g->layout->pieces;

	n = bt_wire_encode_head(msg, &m, (uint32_t)bytes);
	for (size_t i = 0; i < bytes; i++)
		msg[n + i] = (uint8_t)(i % 2 == 0 ? bits >> 8 : bits);
	msg[n + bytes - 1] &= (uint8_t)(0xff << spare);
	send(g, p, (struct bt_str){ msg, n + bytes }, bits & 1);
}

/* The block that a asks for; cut: only so many bytes of the message. */
static void
send_block(
    struct game *g, struct peer *p, const struct ask *a, bool lie, size_t cut)
{
	static uint8_t msg[BT_TX_HEADER + BT_BLOCK_LEN];
	struct bt_wire_msg m = {
		.id = BT_PIECE, .index = a->piece, .begin = a->begin
	};
	size_t n = BT_TX_HEADER + a->length;

	bt_wire_encode_head(msg, &m, a->length);
	memcpy(msg + BT_TX_HEADER,
	    g->bytes + bt_layout_offset(g->layout, a->piece, a->begin),
	    a->length);
	if (lie) {
		msg[BT_TX_HEADER] ^= 0x55;
		g->dirty[p->addr] = true;
	}
	if (cut < n) /* what follows will be read as its rest */
		g->dirty[p->addr] = true;
	send(g, p, (struct bt_str){ msg, n < cut ? n : cut }, false);
}

/* Of those that it asked p for, one is answered, rejected or forgotten. */
static void
answer(struct game *g, struct peer *p, struct bt_rd *in)
{
	uint8_t how = bt_rd_u8(in);
	struct bt_wire_msg m = { .id = BT_REJECT };
	uint8_t head[BT_WIRE_HEAD_MAX];
	unsigned i;
	struct ask a;
	size_t n;

	if (p->nasks == 0)
		return;
	i = how & 0x80 ? how % p->nasks : 0;
	a = p->asks[i];
	memmove(p->asks + i, p->asks + i + 1, (--p->nasks - i) * sizeof(a));
	switch (how & 7) {
	case 0:
		m.index = a.piece;
		m.begin = a.begin;
		m.length = a.length;
		n = bt_wire_encode_head(head, &m, 0);
		send(g, p, (struct bt_str){ head, n }, false);
		break;
	case 1:
		break;
	case 2:
		send_block(g, p, &a, true, SIZE_MAX);
		break;
	case 3:
		send_block(g, p, &a, false, (how >> 3) * 1000u + 1);
		break;
	default:
		send_block(g, p, &a, false, SIZE_MAX);
	}
}

/* A block that nobody need have asked for. */
static void
push_block(struct game *g, struct peer *p, struct bt_rd *in)
{
	const struct bt_layout *l = g->layout;
	uint8_t how = bt_rd_u8(in);
	struct ask a = { .piece = (how & 0x1f) % l->pieces };
	uint32_t block = (how >> 5) % bt_layout_blocks(l, a.piece);

	a.begin = block * BT_BLOCK_LEN;
	a.length = bt_layout_block_size(l, a.piece, block);
	send_block(g, p, &a, false, SIZE_MAX);
}

static void
send_raw(struct game *g, struct peer *p, struct bt_rd *in)
{
	size_t n = bt_rd_u8(in);
	struct bt_str s;

	if (n > in->in.n)
		n = in->in.n;
	s = bt_rd_take(in, n);
	g->dirty[p->addr] = true;
	send(g, p, s, n & 1);
}

static void
add_peers(struct game *g, uint8_t how)
{
	struct bt_addr a[4];
	size_t n = how % 4u + 1;

	for (size_t i = 0; i < n; i++)
		a[i] = game_address((how / 4u + (unsigned)i) % ADDRS);
	bt_torrent_add_peers(g->t, a, n, how & 0x80, g->now);
}

static void
accept_peer(struct game *g, uint8_t how)
{
	struct bt_addr from = game_address(how % ADDRS);
	uint64_t slot;
	struct peer *p;

	slot = bt_torrent_on_accepted(g->t, &from, g->now);
	if (slot == 0)
		return;
	p = game_open(g, slot, how % ADDRS, false);
	if (how & 0x80)
		send_hello(g, p, how >> 4);
}

/* What has nothing to do with a peer. */
static void
happen(struct game *g, uint8_t what, uint8_t how)
{
	switch (what % 8u) {
	case 0:
		g->now += how * BT_MSEC(10);
		break;
	case 1:
		g->now += how * BT_SEC(1);
		break;
	case 2:
		add_peers(g, how);
		break;
	case 3:
		bt_torrent_on_unreadable(g->t, how % g->layout->pieces, g->now);
		break;
	case 4:
		bt_torrent_set_horizon(g->t, how);
		break;
	case 5:
		bt_torrent_set_sequential(g->t, how % 8u);
		break;
	case 6:
		/* the disk fails seldom: it is the end of all that is asked */
		if (g->njobs > 0)
			game_end_job(g, how % g->njobs, how == 0xff);
		break;
	default:
		if (how == 0xff)
			g->stopped = true;
		if (how == 0xff)
			bt_torrent_stop(g->t, g->now);
	}
}

/* One thing that happens to a peer, or by it. */
static void
act(struct game *g, struct peer *p, uint8_t what, struct bt_rd *in)
{
	switch (what) {
	case 0:
		bt_torrent_on_closed(g->t, p->slot, g->now);
		break;
	case 1:
		if (p->dialling)
			bt_torrent_on_connected(g->t, p->slot, g->now);
		p->dialling = false;
		break;
	case 2:
		send_hello(g, p, bt_rd_u8(in));
		break;
	case 3:
		send_message(g, p, in);
		break;
	case 4:
		send_bitfield(g, p, in);
		break;
	case 5:
		push_block(g, p, in);
		break;
	case 6:
		send_raw(g, p, in);
		break;
	case 7:
		game_take(g, p, bt_rd_u8(in) * 200u);
		break;
	case 8:
		game_take(g, p, SIZE_MAX);
		break;
	default:
		answer(g, p, in);
	}
}

/*
 * The script: two bytes to a step, and what the step takes. The lower half of
 * the first is what, the upper half to whom.
 */
static void
play(struct game *g, struct bt_rd *in)
{
	for (unsigned i = 0; i < STEPS_MAX && in->in.n > 1; i++) {
		uint8_t b = bt_rd_u8(in), what = b & 15;
		struct peer *p = &g->peers[b >> 4];

		if (what == 15)
			happen(g, b >> 4, bt_rd_u8(in));
		else if (what == 14)
			accept_peer(g, bt_rd_u8(in));
		else if (p->slot != 0)
			act(g, p, what, in);
		game_step(g);
	}
}

/* All are gone but one who has everything and gives it. */
static void
finish(struct game *g)
{
	struct bt_addr from = game_address(HONEST);
	struct bt_wire_msg m = { .id = BT_HAVE_ALL };
	uint8_t head[BT_WIRE_HEAD_MAX];
	struct peer *p;
	uint64_t slot;
	struct ask a;
	size_t n;

	bt_torrent_set_horizon(g->t, UINT32_MAX);
	for (unsigned i = 0; i < GAME_PEERS; i++)
		if (g->peers[i].slot != 0)
			bt_torrent_on_closed(g->t, g->peers[i].slot, g->now);
	game_step(g);
	game_end_jobs(g);
	if (bt_bits_is_full(&g->had))
		return;
	slot = bt_torrent_on_accepted(g->t, &from, g->now);
	assert(slot != 0);
	p = game_open(g, slot, HONEST, false);
	send_hello(g, p, 2);
	n = bt_wire_encode_head(head, &m, 0);
	send(g, p, (struct bt_str){ head, n }, false);
	m.id = BT_UNCHOKE;
	n = bt_wire_encode_head(head, &m, 0);
	send(g, p, (struct bt_str){ head, n }, false);
	for (unsigned i = 0; i < 400 && !bt_bits_is_full(&g->had); i++) {
		game_step(g);
		game_take(g, p, SIZE_MAX);
		for (; p->nasks > 0; game_step(g)) {
			a = p->asks[0];
			memmove(p->asks, p->asks + 1, --p->nasks * sizeof(a));
			send_block(g, p, &a, false, SIZE_MAX);
		}
		game_end_jobs(g);
		g->now += BT_MSEC(200);
	}
	assert(bt_bits_is_full(&g->had));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_rd in = bt_rd_of((struct bt_str){ p, n });
	struct game *g;

	if (n < 2)
		return 0;
	g = bt_mem_zero(1, sizeof(*g));
	game_begin(g, bt_rd_u8(&in));
	game_step(g);
	play(g, &in);
	if (!g->disk_failed && !g->stopped)
		finish(g);
	game_end(g);
	bt_mem_free(g);
	return 0;
}
