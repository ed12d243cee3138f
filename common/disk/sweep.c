#include "disk/sweep.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "disk/pool.h"

#define STEP ((size_t)256 << 10)  /* read at once: stays in a core's cache */
#define RUN ((size_t)4 << 20)	  /* of pieces dealt out at once */
#define RUN_MAX 256u		  /* pieces of a run */
#define AHEAD ((uint64_t)4 << 20) /* asked of the kernel ahead of a read */

enum outcome { ABSENT, HASHED, FAILED };

/* A worker's run of pieces: first .. first + n - 1. */
struct run {
	struct bt_pool_job pool; /* first */
	const struct bt_sweep *sweep;
	atomic_bool *stopped;
	unsigned lane;
	uint32_t first, n;
	struct bt_hash *hash;
	uint8_t *buf; /* STEP bytes */
	uint8_t sha1[RUN_MAX][BT_SHA1_LEN];
	uint8_t outcome[RUN_MAX];
	struct bt_err err; /* of FAILED */
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

/* One read's outcome for the piece at place i of the run. */
static bool
read_ok(struct run *r, uint32_t i, uint64_t at, size_t n)
{
	if (r->sweep->read(r->sweep->arg, r->lane, at, r->buf, n, &r->err) == 0)
		return true;
	r->outcome[i] = r->err.kind == BT_EMISMATCH ? ABSENT : FAILED;
	if (r->outcome[i] == FAILED)
		atomic_store(r->stopped, true);
	return false;
}

/* A piece in steps, telling the kernel what comes after them. */
static void
hash_one(struct run *r, uint32_t i)
{
	const struct bt_sweep *s = r->sweep;
	uint64_t from = start_of(s, r->first + i), told = 0, more;
	uint32_t size = length_of(s, r->first + i);
	size_t n;

	for (uint64_t at = 0; at < size; at += n) {
		n = size - at < STEP ? (size_t)(size - at) : STEP;
		if (size > RUN && at >= told) {
			told = at + AHEAD;
			more = told < size ? size - told : 0;
			s->advise(s->arg, r->lane, from + told,
			    more < AHEAD ? more : AHEAD);
		}
		if (atomic_load(r->stopped) || !read_ok(r, i, from + at, n)) {
			bt_hash_end(r->hash, r->sha1[i]); /* starts anew */
			return;
		}
		bt_hash_add(r->hash, r->buf, n);
	}
	bt_hash_end(r->hash, r->sha1[i]);
	r->outcome[i] = HASHED;
}

/* Pieces i .. i + n - 1, which fit into one step. */
static void
hash_many(struct run *r, uint32_t i, uint32_t n)
{
	const struct bt_sweep *s = r->sweep;
	uint64_t from = start_of(s, r->first + i);
	size_t at = 0;
	uint32_t len;

	for (uint32_t k = 0; k < n; k++)
		at += length_of(s, r->first + i + k);
	if (s->read(s->arg, r->lane, from, r->buf, at, &r->err) == -1) {
		for (uint32_t k = 0; k < n; k++) /* some may be there */
			hash_one(r, i + k);
		return;
	}
	at = 0;
	for (uint32_t k = 0; k < n; k++) {
		len = length_of(s, r->first + i + k);
		bt_hash_add(r->hash, r->buf + at, len);
		bt_hash_end(r->hash, r->sha1[i + k]);
		r->outcome[i + k] = HASHED;
		at += len;
	}
}

static void
work(struct bt_pool_job *pool)
{
	struct run *r = (struct run *)pool;
	uint32_t fit = (uint32_t)(STEP / r->sweep->piece_length), n;

	memset(r->outcome, ABSENT, sizeof(r->outcome));
	for (uint32_t i = 0; i < r->n && !atomic_load(r->stopped); i += n) {
		n = fit < 2 ? 1 : fit;
		if (n > r->n - i)
			n = r->n - i;
		if (n == 1)
			hash_one(r, i);
		else
			hash_many(r, i, n);
	}
}

/* The whole: what is dealt out next, and what came back. */
struct deal {
	const struct bt_sweep *sweep;
	struct bt_pool *pool;
	uint32_t next, pieces, run_n;
	atomic_bool stopped;
	bool failed;
};

/* Give r the next pieces and a worker; false when none is left. */
static bool
put_run(struct deal *d, struct run *r)
{
	const struct bt_sweep *s = d->sweep;
	uint32_t end = d->pieces;
	uint64_t bytes;

	if (s->which != NULL && d->next < d->pieces) {
		d->next = bt_bits_next(s->which, d->next);
		if (d->next < d->pieces)
			end = bt_bits_next_clear(s->which, d->next);
	}
	if (d->next >= d->pieces || atomic_load(&d->stopped))
		return false;
	r->first = d->next;
	r->n = end - d->next < d->run_n ? end - d->next : d->run_n;
	d->next += r->n;
	bytes = start_of(s, r->first + r->n - 1) +
		length_of(s, r->first + r->n - 1) - start_of(s, r->first);
	s->advise(s->arg, r->lane, start_of(s, r->first),
	    bytes < AHEAD ? bytes : AHEAD);
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
			   !s->piece(s->arg, r->first + i,
			       r->outcome[i] == HASHED ? r->sha1[i] : NULL)) {
			bt_err_set(err, BT_EANSWER, "stopped");
			d->failed = true;
		}
	}
	if (d->failed)
		atomic_store(&d->stopped, true);
}

static struct run *
new_runs(struct deal *d, unsigned n)
{
	struct run *runs = bt_mem_zero(n, sizeof(*runs));

	for (unsigned i = 0; i < n; i++) {
		runs[i].pool.run = work;
		runs[i].sweep = d->sweep;
		runs[i].lane = i;
		runs[i].stopped = &d->stopped;
		runs[i].hash = bt_hash_new(BT_HASH_SHA1);
		runs[i].buf = bt_mem_alloc(STEP);
	}
	return runs;
}

static void
free_runs(struct run *runs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bt_hash_free(runs[i].hash);
		bt_mem_free(runs[i].buf);
	}
	bt_mem_free(runs);
}

int
bt_sweep_run(const struct bt_sweep *s, struct bt_err *err)
{
	struct deal d = { .sweep = s, .pieces = pieces_of(s) };
	struct bt_pool_job *done;
	struct run *runs;
	unsigned n;

	assert(s->piece_length > 0);
	assert(s->which == NULL || s->which->n == d.pieces);
	d.pool = bt_pool_new(s->threads, err);
	if (d.pool == NULL)
		return -1;
	d.run_n = (uint32_t)(RUN / s->piece_length);
	if (d.run_n < 1)
		d.run_n = 1;
	if (d.run_n > RUN_MAX)
		d.run_n = RUN_MAX;
	/* one that is worked on and one that waits, for each worker */
	n = 2 * bt_pool_threads(d.pool);
	assert(n <= BT_SWEEP_LANES);
	runs = new_runs(&d, n);
	for (unsigned i = 0; i < n && put_run(&d, &runs[i]); i++)
		continue;
	while ((done = bt_pool_wait(d.pool)) != NULL) {
		take_run(&d, (struct run *)done, err);
		if (!d.failed)
			put_run(&d, (struct run *)done);
	}
	bt_pool_free(d.pool);
	free_runs(runs, n);
	return d.failed ? -1 : 0;
}
