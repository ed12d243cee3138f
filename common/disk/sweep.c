#include "disk/sweep.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/lanes.h"
#include "base/mem.h"
#include "codec/merkle.h"
#include "disk/pool.h"

#define DESK \
	((size_t)512 << 10)   /* a worker's buffer: a core's cache holds it */
#define PAGE ((size_t)4096)   /* parts of pieces are whole ones */
#define RUN ((size_t)4 << 20) /* of pieces dealt out at once, if small */
#define RUN_MAX 256u	      /* pieces of a run */
#define AHEAD ((uint64_t)4 << 20) /* asked of the kernel ahead of a read */

#define BLOCKS (DESK / BT_MERKLE_BLOCK) /* of a desk */

static_assert(DESK / BT_LANES_WIDTH_MAX >= BT_MERKLE_BLOCK,
    "a desk holds a block of each");

enum outcome { ABSENT, HASHED, FAILED };

/* Where a worker works: taken for the length of a run. */
struct desk {
	atomic_bool is_taken;
	uint8_t *buf;		    /* DESK bytes */
	struct bt_merkle_sum *sums; /* v2: BLOCKS, of pieces side by side */
};

/* The whole: what is dealt out next, and what came back. */
struct deal {
	const struct bt_sweep *sweep;
	struct bt_pool *pool;
	struct bt_merkle merkle; /* and the lanes of both kinds */
	struct desk *desks;	 /* one a thread */
	unsigned ndesks;
	uint32_t next, pieces, left;
	uint32_t width; /* pieces side by side */
	atomic_bool stopped;
	bool failed;
};

/* Some pieces for a worker, in order. */
struct run {
	struct bt_pool_job pool; /* first */
	struct deal *deal;
	uint32_t n;
	uint32_t piece[RUN_MAX];
	uint8_t sha1[RUN_MAX][BT_SHA1_LEN];
	uint8_t root[RUN_MAX][BT_SHA256_LEN];
	uint8_t outcome[RUN_MAX];
	struct bt_err err; /* of FAILED */
	unsigned seat;	   /* while it is worked on */
	uint8_t *buf;
	struct bt_merkle_sum *sums;
};

static uint64_t
start_of(const struct bt_sweep *s, uint32_t piece)
{
	return (uint64_t)piece * s->piece_length;
}

static uint32_t
length_of(const struct bt_sweep *s, uint32_t piece)
{
	uint64_t left = s->size - start_of(s, piece);

	return left < s->piece_length ? (uint32_t)left : s->piece_length;
}

static uint32_t
pieces_of(const struct bt_sweep *s)
{
	return (uint32_t)((s->size + s->piece_length - 1) / s->piece_length);
}

/* Read for the piece at place i of the run. */
static bool
read_ok(struct run *r, uint32_t i, uint64_t at, uint8_t *to, size_t n)
{
	const struct bt_sweep *s = r->deal->sweep;

	if (s->read(s->arg, r->seat, at, to, n, &r->err) == 0)
		return true;
	r->outcome[i] = r->err.kind == BT_EMISMATCH ? ABSENT : FAILED;
	if (r->outcome[i] == FAILED)
		atomic_store(&r->deal->stopped, true);
	return false;
}

/* A long piece's bytes from `at` on are read next: tell what follows them. */
static void
look_ahead(const struct run *r, uint32_t i, uint64_t at, uint64_t *told)
{
	const struct bt_sweep *s = r->deal->sweep;
	uint32_t size = length_of(s, r->piece[i]);
	uint64_t more;

	if (size <= AHEAD || at < *told)
		return;
	*told = at + AHEAD;
	more = *told < size ? size - *told : 0;
	s->advise(s->arg, r->seat, start_of(s, r->piece[i]) + *told,
	    more < AHEAD ? more : AHEAD);
}

/* A part of a piece that was read, and what of it is of a file. */
struct part {
	uint32_t k; /* which of the pieces side by side */
	struct bt_str bytes;
};

/* The leaves of parts that begin at a block, for the sums of their pieces. */
static void
hash_leaves(struct run *r, const struct part *parts, uint32_t n)
{
	const struct bt_merkle *m = &r->deal->merkle;
	struct bt_str in[BLOCKS], rest;
	uint8_t out[BLOCKS][BT_SHA256_LEN];
	size_t nin = 0, at = 0, blocks;

	for (uint32_t i = 0; i < n; i++)
		for (rest = parts[i].bytes; rest.n > 0; nin++) {
			in[nin] = rest;
			if (rest.n > BT_MERKLE_BLOCK)
				in[nin].n = BT_MERKLE_BLOCK;
			rest = bt_str_sub(rest, in[nin].n, rest.n);
		}
	assert(nin > 0);
	bt_lanes_whole(&m->lanes, BT_HASH_SHA256, in, nin, out[0]);
	for (uint32_t i = 0; i < n; i++, at += blocks) {
		blocks =
		    (parts[i].bytes.n + BT_MERKLE_BLOCK - 1) / BT_MERKLE_BLOCK;
		bt_merkle_sum_add(m, &r->sums[parts[i].k], out[at], blocks);
	}
}

/* The pieces side by side, of which those before were read to `at`. */
struct side {
	struct run *r;
	uint32_t i, n; /* the first, and how many */
	struct bt_lane lanes[BT_LANES_WIDTH_MAX], *ends[BT_LANES_WIDTH_MAX];
	uint32_t span[BT_LANES_WIDTH_MAX];
	unsigned height[BT_LANES_WIDTH_MAX];
	uint64_t told[BT_LANES_WIDTH_MAX];
	size_t most; /* bytes of a part */
};

static void
begin_side(struct side *d)
{
	const struct bt_sweep *s = d->r->deal->sweep;

	for (uint32_t k = 0; k < d->n; k++) {
		bt_lanes_begin(&d->lanes[k], BT_HASH_SHA1);
		d->ends[k] = &d->lanes[k];
		d->told[k] = 0;
		d->r->outcome[d->i + k] = HASHED;
		if (s->span == NULL)
			continue;
		bt_merkle_sum_begin(&d->r->sums[k]);
		d->span[k] =
		    s->span(s->arg, d->r->piece[d->i + k], &d->height[k]);
	}
}

/* Read a part of each piece, and hash it. */
static void
hash_side(struct side *d, uint64_t at)
{
	struct run *r = d->r;
	const struct bt_sweep *s = r->deal->sweep;
	struct bt_lanes_feed f[BT_LANES_WIDTH_MAX];
	struct part parts[BT_LANES_WIDTH_MAX];
	uint32_t fed = 0, nparts = 0, piece;
	uint64_t len, mine;
	uint8_t *to;

	for (uint32_t k = 0; k < d->n; k++) {
		piece = r->piece[d->i + k];
		len = s->no_sha1 ? d->span[k] : length_of(s, piece);
		len = len > at ? len - at : 0;
		if (len > d->most)
			len = d->most;
		if (len == 0 || r->outcome[d->i + k] != HASHED)
			continue;
		look_ahead(r, d->i + k, at, &d->told[k]);
		to = r->buf + fed * d->most;
		if (!read_ok(
			r, d->i + k, start_of(s, piece) + at, to, (size_t)len))
			continue;
		f[fed++] =
		    (struct bt_lanes_feed){ &d->lanes[k], to, (size_t)len };
		if (s->span == NULL || d->span[k] <= at)
			continue;
		mine = d->span[k] - at < len ? d->span[k] - at : len;
		parts[nparts++] = (struct part){ k, { to, (size_t)mine } };
	}
	if (atomic_load(&r->deal->stopped))
		return;
	if (!s->no_sha1)
		bt_lanes_add(&r->deal->merkle.lanes, f, fed);
	if (nparts > 0)
		hash_leaves(r, parts, nparts);
}

/*
 * Pieces i .. i + n - 1, part by part in turn, so that they go side by side
 * whatever their length.
 */
static void
hash_parts(struct run *r, uint32_t i, uint32_t n)
{
	const struct bt_sweep *s = r->deal->sweep;
	struct side d = { .r = r, .i = i, .n = n };
	uint8_t sums[BT_LANES_WIDTH_MAX][BT_SHA1_LEN];
	size_t unit = s->span != NULL ? BT_MERKLE_BLOCK : PAGE;

	d.most = DESK / n / unit * unit;
	begin_side(&d);
	for (uint64_t at = 0; at < s->piece_length; at += d.most) {
		hash_side(&d, at);
		if (atomic_load(&r->deal->stopped))
			return;
	}
	if (!s->no_sha1) {
		bt_lanes_end(&r->deal->merkle.lanes, d.ends, n, sums[0]);
		memcpy(r->sha1[i], sums, (size_t)n * BT_SHA1_LEN);
	}
	for (uint32_t k = 0; s->span != NULL && k < n; k++)
		if (r->outcome[i + k] == HASHED)
			bt_merkle_sum_end(&r->deal->merkle, &r->sums[k],
			    d.height[k], r->root[i + k]);
}

/* The trees of pieces that lie on the desk. */
static void
hash_trees(struct run *r, uint32_t i, const struct bt_str *in, uint32_t n)
{
	const struct bt_sweep *s = r->deal->sweep;
	struct part parts[BLOCKS];
	unsigned height[BLOCKS];
	uint32_t span;

	assert(n <= BLOCKS);
	for (uint32_t k = 0; k < n; k++) {
		span = s->span(s->arg, r->piece[i + k], &height[k]);
		parts[k] = (struct part){ k, bt_str_sub(in[k], 0, span) };
		bt_merkle_sum_begin(&r->sums[k]);
	}
	hash_leaves(r, parts, n);
	for (uint32_t k = 0; k < n; k++)
		bt_merkle_sum_end(
		    &r->deal->merkle, &r->sums[k], height[k], r->root[i + k]);
}

/* Pieces i .. i + n - 1, which fit on the desk; false: hash them in parts. */
static bool
hash_whole(struct run *r, uint32_t i, uint32_t n)
{
	const struct bt_sweep *s = r->deal->sweep;
	struct bt_str in[RUN_MAX];
	size_t at = 0;

	if (r->piece[i + n - 1] - r->piece[i] != n - 1)
		return false; /* they do not follow each other */
	for (uint32_t k = 0; k < n; k++) {
		in[k] = (struct bt_str){ r->buf + at,
			length_of(s, r->piece[i + k]) };
		at += in[k].n;
	}
	if (at > DESK || s->read(s->arg, r->seat, start_of(s, r->piece[i]),
			     r->buf, at, &r->err) == -1)
		return false; /* some of them may be there */
	if (!s->no_sha1)
		bt_lanes_whole(
		    &r->deal->merkle.lanes, BT_HASH_SHA1, in, n, r->sha1[i]);
	if (s->span != NULL)
		hash_trees(r, i, in, n);
	memset(r->outcome + i, HASHED, n);
	return true;
}

static struct desk *
take_desk(struct deal *d, unsigned *seat)
{
	/* there are as many as threads, so one of them is free */
	for (unsigned i = 0;; i = (i + 1) % d->ndesks)
		if (!atomic_exchange(&d->desks[i].is_taken, true)) {
			*seat = i;
			if (d->desks[i].buf == NULL)
				d->desks[i].buf = bt_mem_pages(DESK);
			if (d->desks[i].sums == NULL && d->sweep->span != NULL)
				d->desks[i].sums = bt_mem_array(
				    BLOCKS, sizeof(struct bt_merkle_sum));
			return &d->desks[i];
		}
}

static void
work(struct bt_pool_job *pool)
{
	struct run *r = (struct run *)pool;
	struct deal *d = r->deal;
	uint32_t fit = (uint32_t)(DESK / d->sweep->piece_length), n, m;
	struct desk *desk = take_desk(d, &r->seat);

	r->buf = desk->buf;
	r->sums = desk->sums;
	memset(r->outcome, ABSENT, sizeof(r->outcome));
	for (uint32_t i = 0; i < r->n && !atomic_load(&d->stopped); i += n) {
		n = fit > d->width ? fit : d->width;
		if (n > r->n - i)
			n = r->n - i;
		if (hash_whole(r, i, n))
			continue;
		for (uint32_t k = 0; k < n; k += m) {
			m = n - k < d->width ? n - k : d->width;
			hash_parts(r, i + k, m);
		}
	}
	atomic_store(&desk->is_taken, false);
}

/*
 * How many pieces the next run gets: enough to fill the lanes and to be worth
 * dealing out, and near the end no more than leaves some for each worker.
 */
static uint32_t
share(const struct deal *d)
{
	uint32_t n = (uint32_t)(RUN / d->sweep->piece_length);
	uint32_t fair = (d->left + d->ndesks - 1) / d->ndesks;

	if (n < d->width)
		n = d->width;
	if (n > RUN_MAX)
		n = RUN_MAX;
	return n < fair ? n : fair;
}

/* Tell the kernel of the run, but of no more than the first of a long piece. */
static void
advise_run(const struct deal *d, const struct run *r)
{
	const struct bt_sweep *s = d->sweep;
	uint64_t from = 0, n = 0, start, length;

	for (uint32_t i = 0; i < r->n; i++) {
		start = start_of(s, r->piece[i]);
		length = length_of(s, r->piece[i]);
		if (start != from + n) {
			s->advise(s->arg, d->ndesks, from, n);
			from = start;
			n = 0;
		}
		n += length < AHEAD ? length : AHEAD;
	}
	s->advise(s->arg, d->ndesks, from, n);
}

/* Give r the next pieces and a worker; false when none is left. */
static bool
put_run(struct deal *d, struct run *r)
{
	const struct bt_sweep *s = d->sweep;
	uint32_t most = share(d);

	r->n = 0;
	while (r->n < most && !atomic_load(&d->stopped)) {
		if (s->which != NULL && d->next < d->pieces)
			d->next = bt_bits_next(s->which, d->next);
		if (d->next >= d->pieces)
			break;
		r->piece[r->n++] = d->next++;
	}
	if (r->n == 0)
		return false;
	d->left -= r->n;
	advise_run(d, r);
	bt_pool_put(d->pool, &r->pool);
	return true;
}

/* Hand out what came of the run's i-th piece; false: stop. */
static bool
tell(const struct bt_sweep *s, const struct run *r, uint32_t i)
{
	bool is_there = r->outcome[i] == HASHED;

	if (s->span != NULL &&
	    !s->root(s->arg, r->piece[i], is_there ? r->root[i] : NULL))
		return false;
	return s->no_sha1 ||
	       s->piece(s->arg, r->piece[i], is_there ? r->sha1[i] : NULL);
}

static void
take_run(struct deal *d, const struct run *r, struct bt_err *err)
{
	const struct bt_sweep *s = d->sweep;

	for (uint32_t i = 0; i < r->n && !d->failed; i++) {
		if (r->outcome[i] == FAILED) {
			*err = r->err;
			d->failed = true;
		} else if (!atomic_load(&d->stopped) && !tell(s, r, i)) {
			bt_err_set(err, BT_EANSWER, "stopped");
			d->failed = true;
		}
	}
	if (d->failed)
		atomic_store(&d->stopped, true);
}

/* One that is worked on and one that waits, for each worker. */
static void
deal_out(struct deal *d, struct bt_err *err)
{
	unsigned n = 2 * d->ndesks;
	struct run *runs = bt_mem_zero(n, sizeof(*runs));
	struct bt_pool_job *done;

	for (unsigned i = 0; i < n; i++) {
		runs[i].pool.run = work;
		runs[i].deal = d;
	}
	for (unsigned i = 0; i < n && put_run(d, &runs[i]); i++)
		continue;
	while ((done = bt_pool_wait(d->pool)) != NULL) {
		take_run(d, (struct run *)done, err);
		if (!d->failed)
			put_run(d, (struct run *)done);
	}
	bt_mem_free(runs);
}

int
bt_sweep_run(const struct bt_sweep *s, struct bt_err *err)
{
	struct deal d = { .sweep = s, .pieces = pieces_of(s) };

	assert(s->piece_length > 0);
	assert(s->which == NULL || s->which->n == d.pieces);
	d.left = s->which == NULL ? d.pieces : s->which->set;
	bt_merkle_init(&d.merkle);
	d.width = bt_lanes_width(
	    &d.merkle.lanes, s->no_sha1 ? BT_HASH_SHA256 : BT_HASH_SHA1);
	d.pool = bt_pool_new(s->threads, err);
	if (d.pool == NULL)
		return -1;
	d.ndesks = bt_pool_threads(d.pool);
	assert(d.ndesks < BT_SWEEP_SEATS);
	d.desks = bt_mem_zero(d.ndesks, sizeof(*d.desks));
	deal_out(&d, err);
	bt_pool_free(d.pool);
	for (unsigned i = 0; i < d.ndesks; i++) {
		bt_mem_free(d.desks[i].buf);
		bt_mem_free(d.desks[i].sums);
	}
	bt_mem_free(d.desks);
	return d.failed ? -1 : 0;
}
