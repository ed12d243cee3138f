#include "disk/verify_stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/lanes.h"
#include "base/mem.h"

#define PART ((size_t)4 << 20) /* of the stream, for a worker at a time */
#define PARTS_MAX 16u	       /* in memory: one reader feeds no more workers */
#define PIPE_LEN (1 << 20)     /* Linux's default pipe-max-size */
#define WINDOW 256u	       /* pieces of a part, at most */

/* A run of the stream: some whole pieces, or a part of one. */
struct part {
	struct bt_pool_job pool; /* first */
	const struct bt_lanes *lanes;
	struct bt_lane *lane; /* of the piece that this is a part of; or NULL */
	uint32_t piece_length;
	uint8_t *buf;
	size_t n;	 /* bytes in buf */
	uint32_t first;	 /* piece */
	uint32_t pieces; /* that end in it; the last may be short */
	uint8_t sha1[WINDOW][BT_SHA1_LEN];
	struct part *free; /* the next that is not in use */
};

struct stream {
	uint32_t piece_length;
	/* Up to n bytes; fewer only at the end. -1: failed. */
	ssize_t (*fill)(void *arg, uint8_t *to, size_t n, struct bt_err *err);
	bool (*piece)(void *arg, uint32_t piece, const uint8_t *sha1);
	void *arg;

	struct bt_pool *pool;
	struct bt_lanes lanes;
	struct bt_lane shared; /* by the parts of a piece */
	struct part *parts, *free;
	unsigned nparts, out;
	uint64_t done; /* bytes read */
	bool stopped;
};

static void
work_whole(struct part *p)
{
	struct bt_str in[WINDOW];
	size_t at = 0;

	for (uint32_t i = 0; i < p->pieces; i++, at += in[i - 1].n) {
		in[i] = (struct bt_str){ p->buf + at, p->n - at };
		if (in[i].n > p->piece_length)
			in[i].n = p->piece_length;
	}
	bt_lanes_whole(p->lanes, BT_HASH_SHA1, in, p->pieces, p->sha1[0]);
}

static void
work(struct bt_pool_job *pool)
{
	struct part *p = (struct part *)pool;

	if (p->lane == NULL) {
		work_whole(p);
		return;
	}
	bt_lanes_add(
	    p->lanes, &(struct bt_lanes_feed){ p->lane, p->buf, p->n }, 1);
	if (p->pieces > 0) {
		bt_lanes_end(p->lanes, &p->lane, 1, p->sha1[0]);
		bt_lanes_begin(p->lane, BT_HASH_SHA1);
	}
}

/* Wait for one part and hand out its pieces; it is free then. */
static void
take(struct stream *s)
{
	struct part *p = (struct part *)bt_pool_wait(s->pool);

	assert(p != NULL);
	s->out--;
	for (uint32_t i = 0; i < p->pieces && !s->stopped; i++)
		s->stopped = !s->piece(s->arg, p->first + i, p->sha1[i]);
	p->free = s->free;
	s->free = p;
}

/* Read the next n bytes and give them to a worker. 1, 0 at the end, or -1. */
static int
put(struct stream *s, size_t n, bool is_shared, struct bt_err *err)
{
	struct part *p = s->free;
	uint64_t in_piece = s->done % s->piece_length;
	ssize_t got;

	s->free = p->free; /* others come back to it while we wait below */
	got = s->fill(s->arg, p->buf, n, err);
	if (got == -1)
		return -1;
	p->n = (size_t)got;
	p->first = (uint32_t)(s->done / s->piece_length);
	p->pieces = 0;
	s->done += p->n;
	if (!is_shared)
		p->pieces =
		    (uint32_t)((p->n + s->piece_length - 1) / s->piece_length);
	else if (in_piece + p->n > 0 &&
		 (p->n < n || in_piece + p->n == s->piece_length))
		p->pieces = 1; /* the piece ends here */
	if (is_shared)
		while (s->out > 0) /* one lane: in order */
			take(s);
	if (p->n > 0 || p->pieces > 0) {
		s->out++;
		bt_pool_put(s->pool, &p->pool);
	}
	return p->n == n;
}

static int
run(struct stream *s, bool is_shared, size_t most, struct bt_err *err)
{
	size_t n = most;
	int more = 1;

	while (more == 1 && !s->stopped) {
		while (s->free == NULL)
			take(s);
		if (is_shared) {
			n = s->piece_length -
			    (size_t)(s->done % s->piece_length);
			if (n > most)
				n = most;
		}
		if (s->done / s->piece_length >= UINT32_MAX - WINDOW)
			more = bt_err_set(
			    err, BT_ELIMIT, "the content has too many pieces");
		else
			more = put(s, n, is_shared, err);
	}
	while (s->out > 0)
		take(s);
	if (more == -1)
		return -1;
	return s->stopped ? bt_err_set(err, BT_EANSWER, "stopped") : 0;
}

static void
make_parts(struct stream *s, bool is_shared, size_t most)
{
	bt_lanes_init(&s->lanes);
	bt_lanes_begin(&s->shared, BT_HASH_SHA1);
	s->nparts = is_shared ? 2 : 2 * bt_pool_threads(s->pool);
	if (s->nparts > PARTS_MAX)
		s->nparts = PARTS_MAX;
	s->parts = bt_mem_zero(s->nparts, sizeof(*s->parts));
	for (unsigned i = 0; i < s->nparts; i++) {
		struct part *p = &s->parts[i];

		p->pool.run = work;
		p->lanes = &s->lanes;
		p->lane = is_shared ? &s->shared : NULL;
		p->piece_length = s->piece_length;
		p->buf = bt_mem_pages(most);
		p->free = s->free;
		s->free = p;
	}
}

/* Read all that fill gives, and hand out the digests of its pieces. */
static int
hash_stream(struct stream *s, unsigned threads, struct bt_err *err)
{
	bool is_shared = s->piece_length > PART;
	size_t most = PART;
	int rc;

	assert(s->piece_length > 0);
	s->pool = bt_pool_new(threads, err);
	if (s->pool == NULL)
		return -1;
	if (!is_shared) {
		most = PART / s->piece_length;
		most = (most > WINDOW ? WINDOW : most) * s->piece_length;
	}
	make_parts(s, is_shared, most);
	rc = run(s, is_shared, most, err);
	bt_pool_free(s->pool);
	for (unsigned i = 0; i < s->nparts; i++)
		bt_mem_free(s->parts[i].buf);
	bt_mem_free(s->parts);
	return rc;
}

/* Fill `to` from a descriptor unless it ends before. */
static ssize_t
read_full(int fd, const char *name, uint8_t *to, size_t n, struct bt_err *err)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = read(fd, to + done, n - done);
		if (got == -1 && errno == EINTR)
			return bt_err_set(err, BT_EANSWER, "stopped");
		if (got == -1)
			return bt_err_sys(err, "cannot read '%s'", name);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

struct author {
	int fd;
	const char *name;
	bool (*progress)(void *arg, uint64_t bytes_done);
	void *arg;
	uint64_t size; /* read so far */
	struct bt_buf *hashes;
	bool is_full; /* hashes took no more */
};

static ssize_t
author_fill(void *arg, uint8_t *to, size_t n, struct bt_err *err)
{
	struct author *a = arg;
	ssize_t got = read_full(a->fd, a->name, to, n, err);

	if (got > 0)
		a->size += (size_t)got;
	return got;
}

/* Pieces come in any order: each digest goes to its own place. */
static bool
author_piece(void *arg, uint32_t piece, const uint8_t *sha1)
{
	struct author *a = arg;
	size_t at = (size_t)piece * BT_SHA1_LEN;
	size_t end = at + BT_SHA1_LEN;

	if (end > a->hashes->n) {
		if (bt_buf_room(a->hashes, end - a->hashes->n) == NULL) {
			a->is_full = true;
			return false;
		}
		a->hashes->n = end;
	}
	memcpy(a->hashes->p + at, sha1, BT_SHA1_LEN);
	return a->progress == NULL || a->progress(a->arg, a->size);
}

int
bt_verify_author_fd(int fd, const char *name, uint32_t piece_length,
    unsigned threads, bool (*progress)(void *arg, uint64_t bytes_done),
    void *arg, struct bt_buf *hashes, uint64_t *size, struct bt_err *err)
{
	struct author a = { .fd = fd,
		.name = name,
		.progress = progress,
		.arg = arg,
		.hashes = hashes };
	struct stream s = { .piece_length = piece_length,
		.fill = author_fill,
		.piece = author_piece,
		.arg = &a };

	assert(hashes->n == 0);
	fcntl(fd, F_SETPIPE_SZ, PIPE_LEN); /* fewer wake-ups, if a pipe */
	if (hash_stream(&s, threads, err) == -1) {
		if (a.is_full)
			bt_err_set(err, BT_ELIMIT,
			    "'%s' has more pieces than a torrent can hold",
			    name);
		return -1;
	}
	*size = a.size;
	return 0;
}

struct check {
	int fd;
	const char *name;
	const struct bt_layout *layout;
	const struct bt_verify_progress *progress;
	struct bt_bits *good;
	uint64_t at; /* in the content, padding counted */
	bool ended;
};

static ssize_t
check_fill(void *arg, uint8_t *to, size_t n, struct bt_err *err)
{
	struct check *c = arg;
	struct bt_layout_walk w = { .offset = c->at, .left = n };
	struct bt_layout_span s;
	ssize_t got, done = 0;

	while (!c->ended && bt_layout_next_span(c->layout, &w, &s)) {
		if ((c->layout->files->at[s.file].attr & BT_META_PAD) != 0) {
			memset(to + done, 0, (size_t)s.n);
			got = (ssize_t)s.n;
		} else {
			got = read_full(
			    c->fd, c->name, to + done, (size_t)s.n, err);
		}
		if (got == -1)
			return -1;
		c->ended = (uint64_t)got < s.n;
		done += got;
	}
	c->at += (uint64_t)done;
	return done;
}

static bool
check_piece(void *arg, uint32_t piece, const uint8_t *sha1)
{
	const struct check *c = arg;
	bool good =
	    memcmp(sha1, bt_layout_hash(c->layout, piece), BT_SHA1_LEN) == 0;

	if (good)
		bt_bits_put(c->good, piece);
	if (c->progress == NULL || c->progress->piece == NULL)
		return true;
	return c->progress->piece(c->progress->arg, piece, good);
}

int
bt_verify_stream(int fd, const char *name, const struct bt_layout *l,
    unsigned threads, const struct bt_verify_progress *progress,
    struct bt_bits *good, uint64_t *came, struct bt_err *err)
{
	struct check c = { .fd = fd,
		.name = name,
		.layout = l,
		.progress = progress,
		.good = good };
	struct stream s = { .piece_length = l->piece_length,
		.fill = check_fill,
		.piece = check_piece,
		.arg = &c };
	uint8_t past;
	ssize_t got = 0;

	assert(good->n == l->pieces);
	bt_bits_fill(good, false);
	fcntl(fd, F_SETPIPE_SZ, PIPE_LEN); /* fewer wake-ups, if a pipe */
	if (l->size > 0 && hash_stream(&s, threads, err) == -1)
		return -1;
	if (!c.ended) {
		got = read_full(fd, name, &past, 1, err);
		if (got == -1)
			return -1;
	}
	*came = c.at + (uint64_t)got;
	return 0;
}
