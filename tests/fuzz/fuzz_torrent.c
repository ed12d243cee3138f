/*
 * Any bytes as what happens to one torrent: several peers dial and are dialled,
 * say what they like in any segments, time goes by in steps and jumps, disk jobs
 * end in any order or fail, sockets take a part. After each step the core's own
 * check holds, and from outside:
 *  - a slot is opened once and never named after its close;
 *  - what it sends is well formed, and of content that it has;
 *  - a piece is told when it is on the disk; memory keeps its ceiling;
 *  - who said nothing of its own making is not banned;
 *  - time asks to be called later, not again and again;
 *  - if the disk did not fail, an honest peer can finish it in the end.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/rng.h"
#include "codec/wire.h"
#include "core/torrent.h"
#include "fuzz.h"

#define PEERS 16u	   /* at once; the torrent allows fewer */
#define PEERS_MAX 12u	   /* of the torrent */
#define ASKS 64u	   /* of one peer that are remembered */
#define JOBS 64u	   /* out at once */
#define ADDRS 8u	   /* that peers come from */
#define STEPS_MAX 2000u	   /* of one input */
#define OUT_MAX (2u << 20) /* what is sent to one peer and not read */
#define HONEST 200u	   /* the last peer's address */

/* Contents: pieces, piece length, the last one's length, ceiling. */
static const struct shape {
	uint32_t pieces, length, last;
	size_t memory;
} shapes[] = {
	{ 9, 2 * BT_BLOCK_LEN, 100, 0 },
	{ 3, 5 * BT_BLOCK_LEN, 5 * BT_BLOCK_LEN, 4 * BT_BLOCK_LEN },
	{ 1, 5, 5, 0 },
	{ 17, BT_BLOCK_LEN, 1, 8 * BT_BLOCK_LEN },
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static struct content {
	struct bt_layout *layout;
	uint8_t *bytes;
} contents[SHAPES];

struct ask {
	uint32_t piece, begin, length;
};

struct peer {
	uint64_t slot; /* 0: nobody */
	unsigned addr;
	bool dialling, wants_send, is_shaken;
	struct ask asks[ASKS];
	unsigned nasks;
	struct bt_buf out; /* what came and is no whole message yet */
};

struct game {
	struct bt_torrent *t;
	const struct shape *shape;
	const struct content *c;
	uint8_t *disk;
	struct bt_bits had; /* pieces right on the disk */
	int64_t now;
	struct peer peers[PEERS];
	struct bt_effect jobs[JOBS];
	unsigned njobs;
	bool dirty[256]; /* addresses that may have lied */
	bool disk_failed, stopped, done;
	struct bt_rd in;
};

static uint64_t
size_of(const struct shape *s)
{
	return (uint64_t)(s->pieces - 1) * s->length + s->last;
}

/* Made once: hashing it for each input would be most of the work. */
static const struct content *
content_of(unsigned i)
{
	const struct shape *s = &shapes[i];
	struct content *c = &contents[i];
	struct bt_meta_file f = { .size = size_of(s) };
	struct bt_meta m = { .has_v1 = true,
		.size = size_of(s),
		.piece_length = s->length,
		.pieces = s->pieces,
		.single = true,
		.name = STR("content"),
		.files = &f,
		.nfiles = 1 };
	uint8_t *hashes;
	struct bt_rng rng;

	if (c->layout != NULL)
		return c;
	c->bytes = bt_mem_alloc(size_of(s));
	bt_rng_seed(&rng, i);
	bt_rng_fill(&rng, c->bytes, size_of(s));
	hashes = bt_mem_array(s->pieces, BT_SHA1_LEN);
	for (uint32_t p = 0; p < s->pieces; p++)
		bt_hash_sha1((struct bt_str){ c->bytes + (size_t)p * s->length,
				 p + 1 < s->pieces ? s->length : s->last },
		    hashes + (size_t)p * BT_SHA1_LEN);
	m.piece_hashes = hashes;
	memset(m.info_hash, 0xaa, sizeof(m.info_hash));
	c->layout = bt_layout_new(&m);
	bt_mem_free(hashes);
	return c;
}

static struct bt_addr
address(unsigned i)
{
	uint8_t ip[4] = { 10, 0, 0, (uint8_t)i };

	return bt_addr_v4(ip, 6881);
}

static struct peer *
peer_of(struct game *g, uint64_t slot)
{
	for (unsigned i = 0; i < PEERS; i++)
		if (g->peers[i].slot == slot)
			return &g->peers[i];
	return NULL;
}

static struct peer *
open_peer(struct game *g, uint64_t slot, unsigned addr, bool dialling)
{
	struct peer *p = peer_of(g, 0);

	assert(peer_of(g, slot) == NULL);
	assert(p != NULL);
	p->slot = slot;
	p->addr = addr;
	p->dialling = dialling;
	bt_buf_init(&p->out, OUT_MAX);
	return p;
}

static void
obey_close(struct game *g, const struct bt_effect *fx)
{
	struct peer *p = peer_of(g, fx->slot);

	assert(p != NULL);
	assert(fx->why != NULL);
	bt_buf_fini(&p->out);
	memset(p, 0, sizeof(*p));
}

static void
obey(struct game *g, const struct bt_effect *fx)
{
	struct peer *p;

	switch (fx->kind) {
	case BT_FX_CONNECT:
		open_peer(g, fx->slot, fx->addr.ip[3], true);
		break;
	case BT_FX_CLOSE:
		obey_close(g, fx);
		break;
	case BT_FX_SEND:
		p = peer_of(g, fx->slot);
		assert(p != NULL);
		p->wants_send = true;
		break;
	case BT_FX_STORE:
	case BT_FX_WRITE:
	case BT_FX_VERIFY:
		assert(g->njobs < JOBS);
		g->jobs[g->njobs++] = *fx;
		break;
	case BT_FX_PEER:
		assert(peer_of(g, fx->slot) != NULL);
		break;
	case BT_FX_PIECE:
		assert(bt_bits_has(&g->had, fx->index));
		break;
	case BT_FX_DONE:
		assert(!g->done);
		assert(bt_bits_is_full(&g->had));
		g->done = true;
		break;
	case BT_FX_BAN:
		assert(g->dirty[fx->addr.ip[3]]);
		break;
	case BT_FX_FILE:
	case BT_FX_ANNOUNCE:
		break;
	}
}

static void
check(struct game *g)
{
	struct bt_torrent_stats st = bt_torrent_stats(g->t, g->now);
	size_t ceiling = g->shape->memory;

	if (ceiling == 0)
		ceiling = BT_TORRENT_MEMORY;
	if (ceiling < 16 * BT_BLOCK_LEN)
		ceiling = 16 * BT_BLOCK_LEN;
	assert(bt_torrent_check(g->t));
	assert(st.jobs == g->njobs);
	assert(st.pieces_have == g->had.set);
	assert(st.memory <= ceiling + PEERS * BT_BLOCK_LEN);
}

/* Until nothing more is wanted at this moment. */
static void
step(struct game *g)
{
	struct bt_effect fx;
	unsigned rounds = 0;
	int64_t when;

	do {
		while (bt_torrent_next_effect(g->t, &fx))
			obey(g, &fx);
		when = bt_torrent_tick(g->t, g->now);
		assert(++rounds < 100);
	} while (bt_torrent_next_effect(g->t, &fx) && (obey(g, &fx), true));
	assert(when > g->now);
	check(g);
}

/* One message of the torrent's; requests are remembered. */
static void
hear(struct game *g, struct peer *p, const struct bt_wire_msg *m)
{
	const struct bt_layout *l = g->c->layout;
	const uint8_t *right;

	if (m->id == BT_REQUEST && p->nasks < ASKS)
		p->asks[p->nasks++] =
		    (struct ask){ m->index, m->begin, m->length };
	if (m->id == BT_REQUEST) {
		assert(m->index < l->pieces);
		assert(m->length <= BT_BLOCK_LEN);
		assert(m->begin <= bt_layout_piece_size(l, m->index));
		assert(
		    m->length <= bt_layout_piece_size(l, m->index) - m->begin);
	}
	if (m->id == BT_HAVE || m->id == BT_PIECE)
		assert(bt_bits_has(&g->had, m->index));
	if (m->id != BT_PIECE)
		return;
	right = g->c->bytes + bt_layout_offset(l, m->index, m->begin);
	assert(memcmp(right, m->payload.p, m->payload.n) == 0);
}

static void
hear_all(struct game *g, struct peer *p)
{
	struct bt_str in = bt_buf_str(&p->out);
	struct bt_handshake h;
	struct bt_wire_msg m;
	ssize_t n = 0;

	if (!p->is_shaken) {
		n = bt_handshake_parse(in, &h);
		assert(n >= 0);
		p->is_shaken = n > 0;
		in = bt_str_sub(in, (size_t)n, in.n);
	}
	while (p->is_shaken && in.n > 0) {
		n = bt_wire_decode(in, 1u << 20, &m);
		assert(n >= 0);
		if (n == 0)
			break;
		hear(g, p, &m);
		in = bt_str_sub(in, (size_t)n, in.n);
	}
	if (in.n > 0)
		memmove(p->out.p, in.p, in.n);
	p->out.n = in.n;
}

/* The socket takes at most n bytes of what is to be sent. */
static void
take(struct game *g, struct peer *p, size_t n)
{
	uint8_t one[BT_TX_HEADER + BT_REQUEST_MAX];
	struct bt_wire_msg m = { .id = BT_PIECE };
	size_t was = p->out.n, went;
	const struct bt_tx_block *b;
	bool head = false;
	struct bt_tx tx;

	if (p->dialling || !bt_torrent_tx(g->t, p->slot, &tx, g->now)) {
		p->wants_send = false;
		return;
	}
	for (unsigned i = 0; i <= tx.nblocks; i++) {
		b = &tx.blocks[i];
		if (!head && (i == tx.nblocks || b->skip == 0)) {
			head = true;
			if (bt_buf_add(&p->out, tx.head) == -1)
				break;
		}
		if (i == tx.nblocks)
			break;
		m.index = b->piece;
		m.begin = b->begin;
		bt_wire_encode_head(one, &m, b->length);
		memcpy(one + BT_TX_HEADER,
		    g->disk +
			bt_layout_offset(g->c->layout, b->piece, b->begin),
		    b->length);
		if (bt_buf_add(&p->out,
			(struct bt_str){ one + b->skip,
			    BT_TX_HEADER + b->length - b->skip }) == -1)
			break;
	}
	went = p->out.n - was < n ? p->out.n - was : n;
	p->out.n = was + went;
	bt_torrent_tx_done(g->t, p->slot, went, g->now);
	hear_all(g, p);
}

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
send_message(struct game *g, struct peer *p)
{
	static const uint32_t lengths[] = { BT_BLOCK_LEN, 0, 1,
		2 * BT_BLOCK_LEN, BT_REQUEST_MAX, BT_REQUEST_MAX + 1,
		UINT32_MAX, BT_BLOCK_LEN - 1 };
	struct bt_wire_msg m = { .id = bt_rd_u8(&g->in) % 24u };
	uint8_t head[BT_WIRE_HEAD_MAX], how = bt_rd_u8(&g->in);
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
send_bitfield(struct game *g, struct peer *p)
{
	struct bt_wire_msg m = { .id = BT_BITFIELD };
	size_t bytes = bt_bits_bytes(g->shape->pieces), n;
	uint8_t msg[BT_WIRE_HEAD_MAX + 8];
	uint16_t bits = bt_rd_be16(&g->in);
	uint32_t spare = (uint32_t)(bytes * 8) - g->shape->pieces;

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
	    g->c->bytes + bt_layout_offset(g->c->layout, a->piece, a->begin),
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
answer(struct game *g, struct peer *p)
{
	uint8_t how = bt_rd_u8(&g->in);
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
push_block(struct game *g, struct peer *p)
{
	const struct bt_layout *l = g->c->layout;
	uint8_t how = bt_rd_u8(&g->in);
	struct ask a = { .piece = (how & 0x1f) % l->pieces };
	uint32_t block = (how >> 5) % bt_layout_blocks(l, a.piece);

	a.begin = block * BT_BLOCK_LEN;
	a.length = bt_layout_block_size(l, a.piece, block);
	send_block(g, p, &a, false, SIZE_MAX);
}

static void
send_raw(struct game *g, struct peer *p)
{
	size_t n = bt_rd_u8(&g->in);
	struct bt_str s;

	if (n > g->in.in.n)
		n = g->in.in.n;
	s = bt_rd_take(&g->in, n);
	g->dirty[p->addr] = true;
	send(g, p, s, n & 1);
}

/* Do the job numbered i, or fail it. */
static void
end_job(struct game *g, unsigned i, bool fail)
{
	struct bt_effect fx = g->jobs[i];
	const struct bt_disk_job *j = &fx.job;
	const struct bt_layout *l = g->c->layout;
	uint8_t *at = g->disk + bt_layout_offset(l, j->piece, j->begin);
	const uint8_t *data = j->data == NULL ? at : j->data;
	struct bt_disk_result r = { .id = j->id, .status = BT_DISK_OK };
	uint32_t blocks = bt_layout_blocks(l, j->piece);
	uint64_t digests[8];
	uint8_t sum[BT_SHA1_LEN];

	g->jobs[i] = g->jobs[--g->njobs];
	if (fail) {
		r.status = BT_DISK_ERROR;
		g->disk_failed = true;
	} else if (fx.kind != BT_FX_WRITE) {
		bt_hash_sha1((struct bt_str){ data, j->length }, sum);
		if (memcmp(sum, bt_layout_hash(l, j->piece), sizeof(sum)) != 0)
			r.status = BT_DISK_MISMATCH;
		for (uint32_t b = 0; b < blocks; b++) {
			bt_hash_sha1(
			    (struct bt_str){ data + (size_t)b * BT_BLOCK_LEN,
				bt_layout_block_size(l, j->piece, b) },
			    sum);
			digests[b] = bt_be64(sum);
		}
		if (j->digests || r.status == BT_DISK_MISMATCH)
			r.digests = digests;
	}
	if (r.status == BT_DISK_OK && j->data != NULL)
		memcpy(at, j->data, j->length);
	if (r.status == BT_DISK_OK && fx.kind != BT_FX_WRITE)
		assert(bt_bits_put(&g->had, j->piece));
	bt_torrent_on_disk(g->t, &r, g->now);
}

static void
add_peers(struct game *g, uint8_t how)
{
	struct bt_addr a[4];
	size_t n = how % 4u + 1;

	for (size_t i = 0; i < n; i++)
		a[i] = address((how / 4u + (unsigned)i) % ADDRS);
	bt_torrent_add_peers(g->t, a, n, how & 0x80, g->now);
}

static void
accept_peer(struct game *g, uint8_t how)
{
	struct bt_addr from = address(how % ADDRS);
	uint64_t slot;
	struct peer *p;

	slot = bt_torrent_on_accepted(g->t, &from, g->now);
	if (slot == 0)
		return;
	p = open_peer(g, slot, how % ADDRS, false);
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
		bt_torrent_on_unreadable(g->t, how % g->shape->pieces, g->now);
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
			end_job(g, how % g->njobs, how == 0xff);
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
act(struct game *g, struct peer *p, uint8_t what)
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
		send_hello(g, p, bt_rd_u8(&g->in));
		break;
	case 3:
		send_message(g, p);
		break;
	case 4:
		send_bitfield(g, p);
		break;
	case 5:
		push_block(g, p);
		break;
	case 6:
		send_raw(g, p);
		break;
	case 7:
		take(g, p, bt_rd_u8(&g->in) * 200u);
		break;
	case 8:
		take(g, p, SIZE_MAX);
		break;
	default:
		answer(g, p);
	}
}

/*
 * The script: two bytes to a step, and what the step takes. The lower half of
 * the first is what, the upper half to whom.
 */
static void
play(struct game *g)
{
	for (unsigned i = 0; i < STEPS_MAX && g->in.in.n > 1; i++) {
		uint8_t b = bt_rd_u8(&g->in), what = b & 15;
		struct peer *p = &g->peers[b >> 4];

		if (what == 15)
			happen(g, b >> 4, bt_rd_u8(&g->in));
		else if (what == 14)
			accept_peer(g, bt_rd_u8(&g->in));
		else if (p->slot != 0)
			act(g, p, what);
		step(g);
	}
}

static void
end_jobs(struct game *g)
{
	while (g->njobs > 0) {
		end_job(g, 0, false);
		step(g);
	}
}

/* All are gone but one who has everything and gives it. */
static void
finish(struct game *g)
{
	struct bt_addr from = address(HONEST);
	struct bt_wire_msg m = { .id = BT_HAVE_ALL };
	uint8_t head[BT_WIRE_HEAD_MAX];
	struct peer *p;
	uint64_t slot;
	struct ask a;
	size_t n;

	bt_torrent_set_horizon(g->t, UINT32_MAX);
	for (unsigned i = 0; i < PEERS; i++)
		if (g->peers[i].slot != 0)
			bt_torrent_on_closed(g->t, g->peers[i].slot, g->now);
	step(g);
	end_jobs(g);
	if (bt_bits_is_full(&g->had))
		return;
	slot = bt_torrent_on_accepted(g->t, &from, g->now);
	assert(slot != 0);
	p = open_peer(g, slot, HONEST, false);
	send_hello(g, p, 2);
	n = bt_wire_encode_head(head, &m, 0);
	send(g, p, (struct bt_str){ head, n }, false);
	m.id = BT_UNCHOKE;
	n = bt_wire_encode_head(head, &m, 0);
	send(g, p, (struct bt_str){ head, n }, false);
	for (unsigned i = 0; i < 400 && !bt_bits_is_full(&g->had); i++) {
		step(g);
		take(g, p, SIZE_MAX);
		for (; p->nasks > 0; step(g)) {
			a = p->asks[0];
			memmove(p->asks, p->asks + 1, --p->nasks * sizeof(a));
			send_block(g, p, &a, false, SIZE_MAX);
		}
		end_jobs(g);
		g->now += BT_MSEC(200);
	}
	assert(bt_bits_is_full(&g->had));
}

static void
begin(struct game *g)
{
	uint8_t b = bt_rd_u8(&g->in);
	unsigned shape = b % SHAPES;
	struct bt_torrent_conf conf = { .seed = b,
		.peers_max = PEERS_MAX,
		.dials_max = 3,
		.slots = b >> 2 & 3,
		.port = 6881,
		.client = "fuzz" };

	memcpy(conf.peer_id, "-FZ0001-selfselfself", 20);
	g->shape = &shapes[shape];
	g->c = content_of(shape);
	g->now = BT_SEC(1000);
	g->disk = bt_mem_zero(1, size_of(g->shape));
	bt_bits_init(&g->had, g->shape->pieces);
	conf.layout = g->c->layout;
	conf.memory = g->shape->memory;
	conf.down_limit_bps = b & 0x40 ? 50000 : 0;
	for (uint32_t i = 0; i < g->shape->pieces; i++)
		if (b & 0x80 && (i % 2 == 0 || b & 0x20))
			bt_bits_put(&g->had, i);
	if (g->had.set > 0)
		memcpy(g->disk, g->c->bytes, size_of(g->shape));
	g->t = bt_torrent_new(&conf, g->now);
	if (g->had.set > 0)
		bt_torrent_set_have(g->t, &g->had);
	g->done = bt_bits_is_full(&g->had);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct game *g;

	if (n < 2)
		return 0;
	g = bt_mem_zero(1, sizeof(*g));
	g->in = bt_rd_of((struct bt_str){ p, n });
	begin(g);
	step(g);
	play(g);
	if (!g->disk_failed && !g->stopped)
		finish(g);
	bt_torrent_stop(g->t, g->now);
	step(g);
	end_jobs(g);
	bt_torrent_free(g->t);
	for (unsigned i = 0; i < PEERS; i++)
		assert(g->peers[i].slot == 0);
	bt_bits_fini(&g->had);
	bt_mem_free(g->disk);
	bt_mem_free(g);
	return 0;
}
