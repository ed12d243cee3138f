#include "disk/sweep.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/lanes.h"
#include "base/mem.h"
#include "disk/pool.h"

#define DESK \
	((size_t)512 << 10)   /* a worker's buffer: a core's cache holds it */
#define PAGE ((size_t)4096)   /* parts of pieces are whole ones */
#define RUN ((size_t)4 << 20) /* of pieces dealt out at once, if small */
#define RUN_MAX 256u	      /* pieces of a run */
#define AHEAD ((uint64_t)4 << 20) /* asked of the kernel ahead of a read */

static_assert(DESK / BT_LANES_WIDTH_MAX >= PAGE, "a desk holds a page of each");

enum outcome { ABSENT, HASHED, FAILED };

/* Where a worker works: taken for the length of a run. */
struct desk {
	atomic_bool is_taken;
	uint8_t *buf; /* DESK bytes */
};

/* The whole: what is dealt out next, and what came back. */
struct deal {
	const struct bt_sweep *sweep;
	struct bt_pool *pool;
	struct bt_lanes lanes;
	struct desk *desks; /* one a thread */
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
	uint8_t outcome[RUN_MAX];
	struct bt_err err; /* of FAILED */
	unsigned seat;	   /* while it is worked on */
	uint8_t *buf;
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

/*
 * Pieces i .. i + n - 1, part by part in turn, so that they go side by side
 * whatever their length.
 */
static void
hash_parts(struct run *r, uint32_t i, uint32_t n)
{
	const struct bt_sweep *s = r->deal->sweep;
	struct bt_lane lanes[BT_LANES_WIDTH_MAX], *ends[BT_LANES_WIDTH_MAX];
	struct bt_lanes_feed f[BT_LANES_WIDTH_MAX];
	uint64_t told[BT_LANES_WIDTH_MAX] = { 0 };
	uint8_t sums[BT_LANES_WIDTH_MAX][BT_SHA1_LEN], *to;
	size_t most = DESK / n / PAGE * PAGE, len;
	uint32_t k, fed;

	for (k = 0; k < n; k++) {
		bt_lanes_begin(&lanes[k], BT_HASH_SHA1);
		ends[k] = &lanes[k];
		r->outcome[i + k] = HASHED;
	}
	for (uint64_t at = 0; at < s->piece_length; at += most) {
		for (k = 0, fed = 0; k < n; k++) {
			len = length_of(s, r->piece[i + k]);
			len = len > at ? len - (size_t)at : 0;
			if (len > most)
				len = most;
			if (len == 0 || r->outcome[i + k] != HASHED)
				continue;
			look_ahead(r, i + k, at, &told[k]);
			to = r->buf + fed * most;
			if (read_ok(r, i + k, start_of(s, r->piece[i + k]) + at,
				to, len))
				f[fed++] = (struct bt_lanes_feed){ &lanes[k],
					to, len };
		}
		if (atomic_load(&r->deal->stopped))
			break;
		bt_lanes_add(&r->deal->lanes, f, fed);
	}
	bt_lanes_end(&r->deal->lanes, ends, n, sums[0]);
	memcpy(r->sha1[i], sums, (size_t)n * BT_SHA1_LEN);
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
	bt_lanes_whole(&r->deal->lanes, BT_HASH_SHA1, in, n, r->sha1[i]);
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

static void
take_run(struct deal *d, const struct run *r, struct bt_err *err)
{
	const struct bt_sweep *s = d->sweep;

	for (uint32_t i = 0; i < r->n && !d->failed; i++) {
		if (r->outcome[i] == FAILED) {
			*err = r->err;
			d->failed = true;
		} else if (!atomic_load(&d->stopped) &&
			   !s->piece(s->arg, r->piece[i],
			       r->outcome[i] == HASHED ? r->sha1[i] : NULL)) {
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
	bt_lanes_init(&d.lanes);
	d.width = bt_lanes_width(&d.lanes, BT_HASH_SHA1);
	d.pool = bt_pool_new(s->threads, err);
	if (d.pool == NULL)
		return -1;
	d.ndesks = bt_pool_threads(d.pool);
	assert(d.ndesks < BT_SWEEP_SEATS);
	d.desks = bt_mem_zero(d.ndesks, sizeof(*d.desks));
	deal_out(&d, err);
	bt_pool_free(d.pool);
	for (unsigned i = 0; i < d.ndesks; i++)
		bt_mem_free(d.desks[i].buf);
	bt_mem_free(d.desks);
	return d.failed ? -1 : 0;
}
