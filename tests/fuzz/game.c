#include "game.h"

#include <assert.h>
#include <string.h>

#include "../lib/content.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/wire.h"
#include "fuzz.h"

#define PEERS_MAX 12u	   /* of the torrent */
#define OUT_MAX (2u << 20) /* what is sent to one peer and not read */

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

/* Made once: hashing it for each input would be most of the work. */
static const struct content *
content_of(unsigned i)
{
	const struct shape *s = &shapes[i];
	uint64_t size = (uint64_t)(s->pieces - 1) * s->length + s->last;
	struct content *c = &contents[i];
	struct bt_meta m = { .has_v1 = true,
		.size = size,
		.piece_length = s->length,
		.pieces = s->pieces,
		.name = STR("content") };
	uint8_t *hashes;
	struct bt_rng rng;

	if (c->layout != NULL)
		return c;
	m.files = bt_filetab_new();
	content_cut(m.files, size);
	c->bytes = bt_mem_alloc(size);
	bt_rng_seed(&rng, i);
	bt_rng_fill(&rng, c->bytes, size);
	hashes = bt_mem_array(s->pieces, BT_SHA1_LEN);
	for (uint32_t p = 0; p < s->pieces; p++)
		bt_hash_sha1((struct bt_str){ c->bytes + (size_t)p * s->length,
				 p + 1 < s->pieces ? s->length : s->last },
		    hashes + (size_t)p * BT_SHA1_LEN);
	m.piece_hashes = hashes;
	memset(m.info_hash, 0xaa, sizeof(m.info_hash));
	c->layout = bt_layout_new(&m);
	bt_mem_free(hashes);
	bt_filetab_free(m.files);
	return c;
}

struct bt_addr
game_address(unsigned i)
{
	uint8_t ip[4] = { 10, 0, 0, (uint8_t)i };

	return bt_addr_v4(ip, 6881);
}

static struct peer *
peer_of(struct game *g, uint64_t slot)
{
	for (unsigned i = 0; i < GAME_PEERS; i++)
		if (g->peers[i].slot == slot)
			return &g->peers[i];
	return NULL;
}

struct peer *
game_open(struct game *g, uint64_t slot, unsigned addr, bool dialling)
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

static bool
is_whole(const struct game *g, uint32_t file)
{
	return bt_bits_next_clear(&g->had, bt_layout_first(g->layout, file)) >
	       bt_layout_last(g->layout, file);
}

/* Is it one of those that are told? */
static bool
counts(const struct game *g, uint32_t file)
{
	const struct bt_file f = bt_filetab_get(g->layout->files, file);

	return f.size > 0 && (f.attr & BT_META_PAD) == 0;
}

static void
obey_file(struct game *g, uint32_t i)
{
	assert(i < g->layout->files->n);
	assert(counts(g, i));
	assert(is_whole(g, i));
	assert(!g->told[i]);
	g->told[i] = true;
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
	switch (fx->kind) {
	case BT_FX_CONNECT:
		game_open(g, fx->slot, fx->addr.ip[3], true);
		break;
	case BT_FX_CLOSE:
		obey_close(g, fx);
		break;
	case BT_FX_STORE:
	case BT_FX_WRITE:
	case BT_FX_VERIFY:
		assert(g->njobs < GAME_JOBS);
		g->jobs[g->njobs++] = *fx;
		break;
	case BT_FX_SEND:
	case BT_FX_PEER:
		assert(peer_of(g, fx->slot) != NULL);
		break;
	case BT_FX_PIECE:
		assert(bt_bits_has(&g->had, fx->index));
		break;
	case BT_FX_FILE:
		obey_file(g, fx->index);
		break;
	case BT_FX_DONE:
		assert(!g->done);
		assert(bt_bits_is_full(&g->had));
		g->done = true;
		break;
	case BT_FX_BAN:
		assert(g->dirty[fx->addr.ip[3]]);
		break;
	case BT_FX_ANNOUNCE:
		break;
	}
}

static void
check(struct game *g)
{
	struct bt_torrent_stats st = bt_torrent_stats(g->t, g->now);
	size_t ceiling = g->memory;

	if (ceiling == 0)
		ceiling = BT_TORRENT_MEMORY;
	if (ceiling < 16 * BT_BLOCK_LEN)
		ceiling = 16 * BT_BLOCK_LEN;
	assert(bt_torrent_check(g->t));
	assert(st.jobs == g->njobs);
	assert(st.pieces_have == g->had.set);
	assert(st.memory <= ceiling + GAME_PEERS * BT_BLOCK_LEN);
}

void
game_step(struct game *g)
{
	struct bt_effect fx;
	unsigned rounds = 0;
	int64_t when;

	do {
		while (bt_torrent_next_effect(g->t, &fx))
			obey(g, &fx);
		when = bt_torrent_tick(g->t, g->now);
		rounds++;
		assert(rounds < 100);
	} while (bt_torrent_next_effect(g->t, &fx) && (obey(g, &fx), true));
	assert(when > g->now);
	check(g);
}

/*
 * A whole block of a piece that is lacked; or it was when it was asked for: what
 * the peer did not read yet is not taken back.
 */
static void
hear_request(struct game *g, struct peer *p, const struct bt_wire_msg *m)
{
	const struct bt_layout *l = g->layout;

	assert(m->index < l->pieces);
	assert(m->begin % BT_BLOCK_LEN == 0);
	assert(bt_layout_has_range(l, m->index, m->begin, m->length));
	assert(m->length ==
	       bt_layout_block_size(l, m->index, m->begin / BT_BLOCK_LEN));
	assert(
	    !bt_bits_has(&g->had, m->index) || p->heard < p->until[m->index]);
	if (p->nasks < GAME_ASKS)
		p->asks[p->nasks++] =
		    (struct ask){ m->index, m->begin, m->length };
}

static void
hear_bitfield(const struct game *g, struct bt_str wire)
{
	struct bt_bits told;
	int rc;

	bt_bits_init(&told, g->layout->pieces);
	rc = bt_bits_load(&told, wire);
	assert(rc == 0);
	assert(!bt_bits_any_not_in(&told, &g->had));
	bt_bits_fini(&told);
}

static void
hear_block(const struct game *g, const struct bt_wire_msg *m)
{
	const struct bt_layout *l = g->layout;
	const uint8_t *right;

	assert(m->index < l->pieces);
	assert(bt_bits_has(&g->had, m->index));
	assert(
	    bt_layout_has_range(l, m->index, m->begin, (uint32_t)m->payload.n));
	right = g->bytes + bt_layout_offset(l, m->index, m->begin);
	assert(memcmp(right, m->payload.p, m->payload.n) == 0);
}

/* One message of the torrent's; requests are remembered. */
static void
hear(struct game *g, struct peer *p, const struct bt_wire_msg *m)
{
	switch (m->id) {
	case BT_REQUEST:
		hear_request(g, p, m);
		break;
	case BT_HAVE:
		assert(m->index < g->layout->pieces);
		assert(bt_bits_has(&g->had, m->index));
		break;
	case BT_BITFIELD:
		hear_bitfield(g, m->payload);
		break;
	case BT_HAVE_ALL:
		assert(bt_bits_is_full(&g->had));
		break;
	case BT_PIECE:
		hear_block(g, m);
		break;
	default:
		break;
	}
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
		p->heard += (size_t)n;
		in = bt_str_sub(in, (size_t)n, in.n);
	}
	while (p->is_shaken && in.n > 0) {
		n = bt_wire_decode(in, 1u << 20, &m);
		assert(n >= 0);
		if (n == 0)
			break;
		hear(g, p, &m);
		p->heard += m.id == BT_PIECE ? 0 : (size_t)n;
		in = bt_str_sub(in, (size_t)n, in.n);
	}
	if (in.n > 0)
		memmove(p->out.p, in.p, in.n);
	p->out.n = in.n;
}

/* What is left of a block, with its header. False: there is no room. */
static bool
put_block(struct game *g, struct peer *p, const struct bt_tx_block *b)
{
	uint8_t one[BT_TX_HEADER + BT_REQUEST_MAX];
	struct bt_wire_msg m = {
		.id = BT_PIECE, .index = b->piece, .begin = b->begin
	};

	bt_wire_encode_head(one, &m, b->length);
	memcpy(one + BT_TX_HEADER,
	    g->disk + bt_layout_offset(g->layout, b->piece, b->begin),
	    b->length);
	return bt_buf_add(&p->out, (struct bt_str){ one + b->skip,
				       BT_TX_HEADER + b->length - b->skip }) ==
	       0;
}

void
game_take(struct game *g, struct peer *p, size_t n)
{
	size_t was = p->out.n, head_at = SIZE_MAX, went;
	struct bt_tx tx;

	if (p->dialling || !bt_torrent_tx(g->t, p->slot, &tx, g->now))
		return;
	for (unsigned i = 0; i <= tx.nblocks; i++) {
		if (head_at == SIZE_MAX &&
		    (i == tx.nblocks || tx.blocks[i].skip == 0)) {
			head_at = p->out.n;
			if (bt_buf_add(&p->out, tx.head) == -1)
				break;
		}
		if (i == tx.nblocks || !put_block(g, p, &tx.blocks[i]))
			break;
	}
	went = p->out.n - was < n ? p->out.n - was : n;
	p->out.n = was + went;
	if (p->out.n > head_at)
		p->came += p->out.n - head_at < tx.head.n ? p->out.n - head_at
							  : tx.head.n;
	bt_torrent_tx_done(g->t, p->slot, went, g->now);
	hear_all(g, p);
}

/* Gives the first 8 bytes of each block's digest. */
static uint64_t *
digests_of(const struct game *g, uint32_t piece, const uint8_t *data)
{
	uint32_t n = bt_layout_blocks(g->layout, piece);
	uint64_t *out = bt_mem_array(n, sizeof(*out));
	uint8_t sum[BT_SHA1_LEN];

	for (uint32_t b = 0; b < n; b++) {
		bt_hash_sha1((struct bt_str){ data + (size_t)b * BT_BLOCK_LEN,
				 bt_layout_block_size(g->layout, piece, b) },
		    sum);
		out[b] = bt_be64(sum);
	}
	return out;
}

/* It is had: nothing more that is said to anyone asks for it. */
static void
have(struct game *g, uint32_t piece)
{
	bool is_news = bt_bits_put(&g->had, piece);
	struct bt_tx tx;
	struct peer *p;

	assert(is_news);
	for (p = g->peers; p < g->peers + GAME_PEERS; p++) {
		p->until[piece] = p->came;
		if (p->slot == 0 || p->dialling ||
		    !bt_torrent_tx(g->t, p->slot, &tx, g->now))
			continue;
		p->until[piece] += tx.head.n;
		bt_torrent_tx_done(g->t, p->slot, 0, g->now);
	}
}

void
game_end_job(struct game *g, unsigned i, bool fail)
{
	struct bt_effect fx = g->jobs[i];
	const struct bt_disk_job *j = &fx.job;
	uint8_t *at = g->disk + bt_layout_offset(g->layout, j->piece, j->begin);
	const uint8_t *data = j->data == NULL ? at : j->data;
	struct bt_disk_result r = { .id = j->id, .status = BT_DISK_OK };
	uint64_t *digests = NULL;
	uint8_t sum[BT_SHA1_LEN];

	assert(bt_layout_has_range(g->layout, j->piece, j->begin, j->length));
	g->jobs[i] = g->jobs[--g->njobs];
	if (fail) {
		r.status = BT_DISK_ERROR;
		g->disk_failed = true;
	} else if (fx.kind != BT_FX_WRITE) {
		bt_hash_sha1((struct bt_str){ data, j->length }, sum);
		if (memcmp(sum, bt_layout_hash(g->layout, j->piece),
			sizeof(sum)) != 0)
			r.status = BT_DISK_MISMATCH;
		if (j->digests || r.status == BT_DISK_MISMATCH)
			digests = digests_of(g, j->piece, data);
		r.digests = digests;
	}
	if (r.status == BT_DISK_OK && j->data != NULL)
		memcpy(at, j->data, j->length);
	if (r.status == BT_DISK_OK && fx.kind != BT_FX_WRITE)
		have(g, j->piece);
	bt_torrent_on_disk(g->t, &r, g->now);
	bt_mem_free(digests);
}

void
game_end_jobs(struct game *g)
{
	while (g->njobs > 0) {
		game_end_job(g, 0, false);
		game_step(g);
	}
}

/* What lies on the disk, and nothing else does. */
static void
put_had(struct game *g, uint32_t piece)
{
	uint64_t at = bt_layout_offset(g->layout, piece, 0);

	have(g, piece);
	memcpy(g->disk + at, g->bytes + at,
	    bt_layout_piece_size(g->layout, piece));
}

void
game_begin(struct game *g, uint8_t b)
{
	const struct shape *shape = &shapes[b % SHAPES];
	const struct content *c = content_of(b % SHAPES);
	struct bt_torrent_conf conf = { .layout = c->layout,
		.seed = b,
		.memory = shape->memory,
		.peers_max = PEERS_MAX,
		.dials_max = 3,
		.slots = b >> 2 & 3,
		.down_limit_bps = b & 0x40 ? 50000 : 0,
		.port = 6881,
		.client = "fuzz" };

	memcpy(conf.peer_id, "-FZ0001-selfselfself", 20);
	g->layout = c->layout;
	g->bytes = c->bytes;
	g->memory = shape->memory;
	g->now = BT_SEC(1000);
	g->disk = bt_mem_zero(1, c->layout->size);
	assert(shape->pieces <= GAME_PIECES);
	bt_bits_init(&g->had, shape->pieces);
	for (uint32_t i = 0; i < shape->pieces; i++)
		if (b & 0x80 && (i % 2 == 0 || b & 0x20))
			put_had(g, i);
	g->t = bt_torrent_new(&conf, g->now);
	if (g->had.set > 0)
		bt_torrent_set_have(g->t, &g->had);
	g->done = bt_bits_is_full(&g->had);
	for (uint32_t i = 0; i < GAME_FILES; i++)
		g->told[i] = counts(g, i) && is_whole(g, i);
}

void
game_end(struct game *g)
{
	bt_torrent_stop(g->t, g->now);
	game_step(g);
	game_end_jobs(g);
	for (unsigned i = 0; i < GAME_PEERS; i++)
		assert(g->peers[i].slot == 0);
	assert(g->done == bt_bits_is_full(&g->had));
	for (unsigned i = 0; i < GAME_FILES; i++)
		assert(g->told[i] == (counts(g, i) && is_whole(g, i)));
	bt_torrent_free(g->t);
	bt_bits_fini(&g->had);
	bt_mem_free(g->disk);
}
