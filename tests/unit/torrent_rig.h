/*
 * torrent_rig - one torrent on a bench: a made-up content, a fake disk, and
 * peers that are scripts of raw bytes.
 *
 * Everything is a function of its arguments; time moves when a test moves it.
 * Included by the tests of core/torrent alone.
 */
#ifndef BT_TESTS_TORRENT_RIG_H
#define BT_TESTS_TORRENT_RIG_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/rng.h"
#include "codec/wire.h"
#include "core/torrent.h"

#define RIG_PEERS 64u
#define RIG_LOG 4096u
#define RIG_JOBS 4096u
#define RIG_SCRATCH (64u << 10)

struct rig_peer {
	uint64_t slot;
	bool closed;
	const char *why;
	bool wants_send;
	bool deaf;		/* its socket takes nothing */
	uint8_t *out;		/* what the torrent sent, not yet read */
	size_t nout, cap;
};

struct rig {
	struct bt_torrent *t;
	struct bt_layout *l;
	uint8_t *content, *disk;
	int64_t now;
	struct rig_peer peers[RIG_PEERS];
	unsigned npeers;
	struct bt_effect log[RIG_LOG];	/* all but SEND and jobs */
	unsigned nlog;
	struct bt_effect jobs[RIG_JOBS];
	unsigned njobs;
	bool hold_jobs;		/* results wait for rig_disk() */
	unsigned writes, stores, verifies;
	size_t memory_peak;
	struct bt_addr dialled;	/* the last BT_FX_CONNECT */
	uint64_t dialled_slot;
	uint8_t scratch[RIG_SCRATCH];
};

static inline struct bt_layout *
rig_layout(uint8_t *content, uint64_t size, uint32_t piece_length)
{
	uint32_t pieces = (uint32_t)((size + piece_length - 1) / piece_length);
	struct bt_meta m = { .has_v1 = true,
		.size = size,
		.piece_length = piece_length,
		.pieces = pieces,
		.single = true,
		.name = STR("content"),
		.files = bt_filetab_new() };
	uint8_t *hashes = bt_mem_alloc((size_t)pieces * 20);
	struct bt_layout *l;
	uint64_t at;

	memset(m.info_hash, 0xaa, 20);
	for (uint32_t i = 0; i < pieces; i++) {
		at = (uint64_t)i * piece_length;
		bt_hash_sha1((struct bt_str){ content + at,
				 size - at < piece_length ? size - at
							  : piece_length },
		    hashes + (size_t)i * 20);
	}
	m.piece_hashes = hashes;
	bt_filetab_add(m.files, m.size, 0, m.name);
	l = bt_layout_new(&m);
	bt_filetab_free(m.files);
	bt_mem_free(hashes);
	return l;
}

static inline struct bt_torrent_conf
rig_conf(void)
{
	struct bt_torrent_conf c = { .seed = 1,
		.peers_max = 50,
		.dials_max = 10,
		.port = 6881,
		.client = "rig 1.0" };

	memcpy(c.peer_id, "-RG0001-selfselfself", 20);
	return c;
}

static inline struct rig *
rig_new(uint64_t size, uint32_t piece_length, bool seed,
    const struct bt_torrent_conf *conf)
{
	struct rig *r = bt_mem_zero(1, sizeof(*r));
	struct bt_torrent_conf c = conf == NULL ? rig_conf() : *conf;
	struct bt_rng rng;
	struct bt_bits all;

	r->now = BT_SEC(1000);
	r->content = bt_mem_alloc(size);
	r->disk = bt_mem_zero(1, size);
	bt_rng_seed(&rng, 77);
	bt_rng_fill(&rng, r->content, size);
	r->l = rig_layout(r->content, size, piece_length);
	c.layout = r->l;
	r->t = bt_torrent_new(&c, r->now);
	if (seed) {
		memcpy(r->disk, r->content, size);
		bt_bits_init(&all, r->l->pieces);
		bt_bits_fill(&all, true);
		bt_torrent_set_have(r->t, &all);
		bt_bits_fini(&all);
	}
	return r;
}

static inline struct rig_peer *
rig_of(struct rig *r, uint64_t slot)
{
	for (unsigned i = 0; i < r->npeers; i++)
		if (r->peers[i].slot == slot)
			return &r->peers[i];
	return NULL;
}

static inline void
rig_answer(struct rig *r, const struct bt_effect *fx)
{
	const struct bt_disk_job *j = &fx->job;
	uint8_t *at = r->disk + bt_layout_offset(r->l, j->piece, j->begin);
	const uint8_t *data = j->data == NULL ? at : j->data;
	struct bt_disk_result res = { .id = j->id, .status = BT_DISK_OK };
	uint32_t n = bt_layout_blocks(r->l, j->piece);
	uint64_t *digests = bt_mem_zero(n, sizeof(*digests));
	uint8_t h[20];

	if (fx->kind != BT_FX_WRITE) {
		bt_hash_sha1((struct bt_str){ data, j->length }, h);
		if (memcmp(h, bt_layout_hash(r->l, j->piece), 20) != 0)
			res.status = BT_DISK_MISMATCH;
		for (uint32_t i = 0; i < n; i++) {
			bt_hash_sha1((struct bt_str){
					 data + (size_t)i * BT_BLOCK_LEN,
					 bt_layout_block_size(
					     r->l, j->piece, i) },
			    h);
			digests[i] = bt_be64(h);
		}
		if (j->digests || res.status == BT_DISK_MISMATCH)
			res.digests = digests;
	}
	if (res.status == BT_DISK_OK && j->data != NULL)
		memcpy(at, j->data, j->length);
	bt_torrent_on_disk(r->t, &res, r->now);
	bt_mem_free(digests);
}

static inline void
rig_effect(struct rig *r, const struct bt_effect *fx)
{
	struct rig_peer *p = fx->slot == 0 ? NULL : rig_of(r, fx->slot);

	assert_true(p == NULL || !p->closed); /* no name after its close */
	switch (fx->kind) {
	case BT_FX_SEND:
		if (p != NULL)
			p->wants_send = true;
		return;
	case BT_FX_STORE:
	case BT_FX_WRITE:
	case BT_FX_VERIFY:
		r->stores += fx->kind == BT_FX_STORE;
		r->writes += fx->kind == BT_FX_WRITE;
		r->verifies += fx->kind == BT_FX_VERIFY;
		assert_true(r->njobs < RIG_JOBS);
		r->jobs[r->njobs++] = *fx;
		return;
	case BT_FX_CONNECT:
		r->dialled = fx->addr;
		r->dialled_slot = fx->slot;
		assert_true(r->npeers < RIG_PEERS);
		r->peers[r->npeers++] = (struct rig_peer){ .slot = fx->slot };
		break;
	case BT_FX_CLOSE:
		assert_non_null(fx->why);
		if (p != NULL) {
			p->closed = true;
			p->why = fx->why;
		}
		break;
	default:
		break;
	}
	if (r->nlog < RIG_LOG)
		r->log[r->nlog++] = *fx;
}

/* Take what the torrent wants to send to p, at most n bytes. */
static inline void
rig_send(struct rig *r, struct rig_peer *p, size_t n)
{
	static uint8_t stage[(256u << 10) + (1u << 20) + 1024];
	struct bt_wire_msg m = { .id = BT_PIECE };
	struct bt_tx tx;
	size_t at;
	bool head;

	while (n > 0 && !p->closed && bt_torrent_tx(r->t, p->slot, &tx, r->now)) {
		at = 0;
		head = false;
		for (unsigned i = 0; i <= tx.nblocks; i++) {
			const struct bt_tx_block *b = &tx.blocks[i];
			uint8_t one[BT_TX_HEADER + BT_REQUEST_MAX];

			if (!head && (i == tx.nblocks || b->skip == 0)) {
				if (tx.head.n > 0)
					memcpy(stage + at, tx.head.p, tx.head.n);
				at += tx.head.n;
				head = true;
			}
			if (i == tx.nblocks)
				break;
			m.index = b->piece;
			m.begin = b->begin;
			bt_wire_encode_head(one, &m, b->length);
			memcpy(one + BT_TX_HEADER,
			    r->disk + bt_layout_offset(
					  r->l, b->piece, b->begin),
			    b->length);
			memcpy(stage + at, one + b->skip,
			    BT_TX_HEADER + b->length - b->skip);
			at += BT_TX_HEADER + b->length - b->skip;
		}
		if (at > n)
			at = n;
		if (p->nout + at > p->cap) {
			p->cap = 2 * (p->nout + at);
			p->out = bt_mem_resize(p->out, p->cap, 1);
		}
		memcpy(p->out + p->nout, stage, at);
		p->nout += at;
		n -= at;
		bt_torrent_tx_done(r->t, p->slot, at, r->now);
	}
	p->wants_send = false;
}

static inline void
rig_drain(struct rig *r)
{
	struct bt_torrent_stats s = bt_torrent_stats(r->t, r->now);
	struct bt_effect fx;

	if (s.memory > r->memory_peak)
		r->memory_peak = s.memory;
	while (bt_torrent_next_effect(r->t, &fx))
		rig_effect(r, &fx);
}

static inline void
rig_disk(struct rig *r)
{
	struct bt_effect fx;

	rig_drain(r);
	while (r->njobs > 0) {
		fx = r->jobs[0];
		memmove(r->jobs, r->jobs + 1, --r->njobs * sizeof(fx));
		rig_answer(r, &fx);
		rig_drain(r);
	}
}

static inline bool
rig_may_send(const struct rig_peer *p)
{
	return p->wants_send && !p->closed && !p->deaf;
}

/* Effects, disk, sending: until nothing is left to do at this moment. */
static inline void
rig_step(struct rig *r)
{
	bool busy = true;

	while (busy) {
		busy = false;
		rig_drain(r);
		if (!r->hold_jobs && r->njobs > 0) {
			rig_disk(r);
			busy = true;
		}
		for (unsigned i = 0; i < r->npeers; i++)
			if (rig_may_send(&r->peers[i])) {
				rig_send(r, &r->peers[i], SIZE_MAX);
				busy = true;
			}
		bt_torrent_tick(r->t, r->now);
		assert_true(bt_torrent_check(r->t));
		rig_drain(r);
		for (unsigned i = 0; i < r->npeers; i++)
			busy = busy || rig_may_send(&r->peers[i]);
	}
}

/* Let time pass, as deadlines say. */
static inline void
rig_wait(struct rig *r, int64_t us)
{
	int64_t end = r->now + us, next;

	for (;;) {
		rig_step(r);
		next = bt_torrent_tick(r->t, r->now);
		assert_true(next > r->now);
		if (next > end)
			break;
		r->now = next;
	}
	r->now = end;
	rig_step(r);
}

static inline struct bt_addr
rig_addr(unsigned i)
{
	uint8_t ip[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };

	return bt_addr_v4(ip, 40000);
}

static inline struct rig_peer *
rig_accept(struct rig *r, unsigned i)
{
	struct bt_addr a = rig_addr(i);
	uint64_t slot = bt_torrent_on_accepted(r->t, &a, r->now);

	assert_true(r->npeers < RIG_PEERS);
	assert_int_not_equal(slot, 0);
	r->peers[r->npeers] = (struct rig_peer){ .slot = slot };
	return &r->peers[r->npeers++];
}

/* Bytes from the peer, through _rx_space as a shell would. */
static inline void
rig_raw(struct rig *r, struct rig_peer *p, const void *bytes, size_t n)
{
	struct bt_place scratch = { r->scratch, RIG_SCRATCH };
	struct bt_lend to;
	const uint8_t *from = bytes;
	size_t take, sum;

	while (n > 0 && !p->closed) {
		bt_torrent_rx_space(
		    r->t, p->slot, scratch, RIG_SCRATCH, &to);
		sum = 0;
		for (unsigned i = 0; i < to.n && n > 0; i++) {
			take = to.places[i].n < n ? to.places[i].n : n;
			memcpy(to.places[i].p, from, take);
			from += take;
			n -= take;
			sum += take;
		}
		bt_torrent_rx(r->t, p->slot, &to, sum, r->now);
		rig_drain(r);
	}
}

/* Many tests write what BEP 3 draws: lengths and ids as bytes. */
#define RAW(r, p, lit) rig_raw((r), (p), lit, sizeof(lit) - 1)

static inline void
rig_msg(struct rig *r, struct rig_peer *p, unsigned id, const uint32_t *f,
    unsigned nf)
{
	uint8_t b[17];

	bt_put_be32(b, 1 + 4 * nf);
	b[4] = (uint8_t)id;
	for (unsigned i = 0; i < nf; i++)
		bt_put_be32(b + 5 + 4 * (size_t)i, f[i]);
	rig_raw(r, p, b, 5 + 4 * (size_t)nf);
}
#define MSG(r, p, id, ...) \
	rig_msg((r), (p), (id), (uint32_t[]){ __VA_ARGS__ }, \
	    (unsigned)(sizeof((uint32_t[]){ __VA_ARGS__ }) / 4))
#define MSG0(r, p, id) rig_msg((r), (p), (id), NULL, 0)

/* A handshake; id is repeated to make the peer id. */
static inline void
rig_hello(struct rig *r, struct rig_peer *p, uint8_t id, bool fast, bool ext)
{
	uint8_t h[68] = "\023BitTorrent protocol";

	h[25] = ext ? 0x10 : 0;
	h[27] = fast ? 0x04 : 0;
	memset(h + 28, 0xaa, 20);
	memset(h + 48, id, 20);
	rig_raw(r, p, h, sizeof(h));
}

/* A block of the content; xor spoils it. */
static inline void
rig_block(struct rig *r, struct rig_peer *p, uint32_t piece, uint32_t begin,
    uint32_t len, uint8_t xor)
{
	uint8_t *b = bt_mem_alloc(13 + (size_t)len);

	bt_put_be32(b, 9 + len);
	b[4] = 7;
	bt_put_be32(b + 5, piece);
	bt_put_be32(b + 9, begin);
	memcpy(b + 13, r->content + bt_layout_offset(r->l, piece, begin), len);
	b[13] ^= xor;
	rig_raw(r, p, b, 13 + (size_t)len);
	bt_mem_free(b);
}

/* The next message that the torrent sent to p: its id, or -1 for none. */
struct rig_said {
	int id;			/* 256: keep-alive */
	uint32_t index, begin, length;
	const uint8_t *body;
	size_t nbody;
	uint8_t copy[512];
};

static inline bool
rig_hear(struct rig *r, struct rig_peer *p, struct rig_said *m)
{
	struct bt_wire_msg w;
	ssize_t n;

	memset(m, 0, sizeof(*m));
	m->id = -1;
	rig_step(r);
	if (p->nout == 0)
		return false;
	n = bt_wire_decode(
	    (struct bt_str){ p->out, p->nout }, 2u << 20, &w);
	assert_true(n > 0);
	m->id = (int)w.id;
	m->index = w.index;
	m->begin = w.begin;
	m->length = w.length;
	m->nbody = w.payload.n;
	if (w.payload.n > 0)
		memcpy(m->copy, w.payload.p,
		    w.payload.n < sizeof(m->copy) ? w.payload.n
						  : sizeof(m->copy));
	m->body = m->copy;
	memmove(p->out, p->out + n, p->nout - (size_t)n);
	p->nout -= (size_t)n;
	return true;
}

/* The torrent's handshake must be first; drop it and check its shape. */
static inline void
rig_hear_hello(struct rig *r, struct rig_peer *p)
{
	rig_step(r);
	assert_true(p->nout >= 68);
	assert_memory_equal(p->out, "\023BitTorrent protocol", 20);
	assert_memory_equal(p->out + 28, r->l->info_hash, 20);
	memmove(p->out, p->out + 68, p->nout - 68);
	p->nout -= 68;
}

/* Forget what was said; how many messages of that id were among it? */
static inline unsigned
rig_count(struct rig *r, struct rig_peer *p, int id)
{
	struct rig_said m;
	unsigned n = 0;

	while (rig_hear(r, p, &m))
		n += m.id == id;
	return n;
}

/* An accepted peer that has shaken hands, its greetings read. */
static inline struct rig_peer *
rig_peer(struct rig *r, unsigned i, bool fast)
{
	struct rig_peer *p = rig_accept(r, i);

	rig_hello(r, p, (uint8_t)(i + 1), fast, false);
	rig_hear_hello(r, p);
	rig_count(r, p, -1);
	return p;
}

static inline unsigned
rig_logged(const struct rig *r, enum bt_effect_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->nlog; i++)
		n += r->log[i].kind == kind;
	return n;
}

static inline void
rig_free(struct rig *r)
{
	bt_torrent_stop(r->t, r->now);
	rig_disk(r);
	bt_torrent_free(r->t);
	bt_layout_free(r->l);
	for (unsigned i = 0; i < r->npeers; i++)
		bt_mem_free(r->peers[i].out);
	bt_mem_free(r->content);
	bt_mem_free(r->disk);
	bt_mem_free(r);
}

#endif
