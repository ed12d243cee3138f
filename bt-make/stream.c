#include "stream.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/lanes.h"
#include "base/mem.h"
#include "codec/metainfo.h"
#include "codec/metawrite.h"
#include "disk/pool.h"
#include "tree.h"

#define CHUNK (1u << 20)  /* bytes read at a time; two are held */
#define CANDIDATES_MAX 11 /* 16 KiB .. 16 MiB */
#define STREAMS_MAX 160u /* 64 + 32 + .. + 1 + 1 + 1 + 1 + 1, and a rest each */
#define PARTS_MAX 8u	 /* of a chunk's streams */
#define BLOCKS (CHUNK / BT_MERKLE_BLOCK) /* v2: of a chunk */

struct chunk {
	uint8_t *p; /* CHUNK bytes */
	size_t n;
};

/* One piece length that may be the right one. */
struct candidate {
	uint32_t piece_length;
	bool is_dropped;     /* outgrown */
	bool is_full;	     /* more hashes than a torrent may hold */
	struct bt_lane lane; /* of the piece that is not whole yet */
	struct bt_buf hashes;
};

/* Streams that one thread hashes side by side. */
struct part {
	struct bt_pool_job job; /* first: the pool hands this back */
	const struct bt_lanes *lanes;
	const struct bt_lanes_feed *feeds;
	size_t n;
};

/* v2: blocks that one thread hashes side by side. */
struct blocks {
	struct bt_pool_job job; /* first */
	const struct bt_lanes *lanes;
	struct bt_str in[BLOCKS];
	size_t n;
	uint8_t *out; /* where the leaves go */
};

struct hasher {
	struct bt_pool *pool;
	struct bt_lanes lanes;
	struct candidate candidates[CANDIDATES_MAX];
	size_t ncandidates;
	/* what a chunk holds of the pieces of each candidate, one after the other */
	struct bt_lane streams[STREAMS_MAX];
	struct bt_lanes_feed feeds[STREAMS_MAX];
	size_t nstreams;
	struct part parts[PARTS_MAX];
	bool v2, is_chosen; /* the piece length is known before */
	struct tree tree;
	uint8_t leaves[BLOCKS][BT_SHA256_LEN];
	struct blocks blocks[PARTS_MAX];
	struct chunk chunk[2]; /* one is hashed while the other is read */
};

static void
run(struct bt_pool_job *job)
{
	struct part *p = (struct part *)job;

	bt_lanes_add(p->lanes, p->feeds, p->n);
}

static void
run_blocks(struct bt_pool_job *job)
{
	struct blocks *b = (struct blocks *)job;

	bt_lanes_whole(b->lanes, BT_HASH_SHA256, b->in, b->n, b->out);
}

static void
add_candidate(struct hasher *h, uint32_t piece_length)
{
	struct candidate *c = &h->candidates[h->ncandidates++];

	assert(h->ncandidates <= CANDIDATES_MAX);
	c->piece_length = piece_length;
	bt_lanes_begin(&c->lane, BT_HASH_SHA1);
	bt_buf_init(&c->hashes, BT_META_BYTES_MAX);
}

static void
drop(struct candidate *c)
{
	c->is_dropped = true;
	bt_buf_fini(&c->hashes);
}

/* Fill a chunk. 1: there may be more to come; 0: that was the end; -1. */
static int
fill(int fd, struct chunk *to, struct bt_err *err)
{
	ssize_t n;

	while (to->n < CHUNK) {
		n = read(fd, to->p + to->n, CHUNK - to->n);
		if (n == 0)
			return 0;
		if (n == -1 && errno == EINTR)
			return 1; /* the caller asks whether to go on */
		if (n == -1)
			return bt_err_sys(err, "cannot read standard input");
		to->n += (size_t)n;
	}
	return 1;
}

/* The chunk cut at the candidate's pieces. */
static void
cut(struct hasher *h, const struct candidate *c, struct bt_str chunk)
{
	struct bt_lane lane = c->lane;
	size_t n;

	for (; chunk.n > 0; chunk = bt_str_sub(chunk, n, chunk.n)) {
		n = c->piece_length - (size_t)lane.n;
		if (n > chunk.n)
			n = chunk.n;
		assert(h->nstreams < STREAMS_MAX);
		h->streams[h->nstreams] = lane;
		h->feeds[h->nstreams] =
		    (struct bt_lanes_feed){ &h->streams[h->nstreams], chunk.p,
			    n };
		h->nstreams++;
		bt_lanes_begin(&lane, BT_HASH_SHA1);
	}
}

/* Give each worker as many bytes, but no fewer streams than go side by side. */
static void
deal_out(struct hasher *h, uint64_t bytes)
{
	unsigned width = bt_lanes_width(&h->lanes, BT_HASH_SHA1);
	size_t parts = h->nstreams / width, from = 0, to = 0;
	uint64_t dealt = 0;

	if (parts > bt_pool_threads(h->pool))
		parts = bt_pool_threads(h->pool);
	if (parts > PARTS_MAX)
		parts = PARTS_MAX;
	if (parts < 1)
		parts = 1;
	for (size_t i = 0; i < parts; i++, from = to) {
		while (to < h->nstreams && dealt < bytes * (i + 1) / parts)
			dealt += h->feeds[to++].n;
		h->parts[i] = (struct part){ .job.run = run,
			.lanes = &h->lanes,
			.feeds = h->feeds + from,
			.n = to - from };
		bt_pool_put(h->pool, &h->parts[i].job);
	}
}

/* v2: the chunk's blocks, as many for each worker, in order. */
static void
deal_blocks(struct hasher *h, struct bt_str chunk)
{
	size_t n = (chunk.n + BT_MERKLE_BLOCK - 1) / BT_MERKLE_BLOCK, at = 0;
	size_t parts = bt_pool_threads(h->pool), to;
	struct blocks *b;

	if (parts > PARTS_MAX)
		parts = PARTS_MAX;
	for (size_t i = 0; i < parts && n > 0; i++) {
		b = &h->blocks[i];
		to = n * (i + 1) / parts;
		b->job.run = run_blocks;
		b->lanes = &h->lanes;
		b->out = h->leaves[at];
		for (b->n = 0; at < to; at++, b->n++) {
			b->in[b->n] = chunk;
			if (chunk.n > BT_MERKLE_BLOCK)
				b->in[b->n].n = BT_MERKLE_BLOCK;
			chunk = bt_str_sub(chunk, b->in[b->n].n, chunk.n);
		}
		bt_pool_put(h->pool, &b->job);
	}
}

static void
begin_chunk(struct hasher *h, struct bt_str chunk)
{
	uint64_t bytes = 0;

	h->nstreams = 0;
	for (size_t i = 0; i < h->ncandidates; i++)
		if (!h->candidates[i].is_dropped) {
			cut(h, &h->candidates[i], chunk);
			bytes += chunk.n;
		}
	if (h->nstreams > 0)
		deal_out(h, bytes);
	if (h->v2)
		deal_blocks(h, chunk);
}

/* n pieces of c are whole. */
static void
end_pieces(
    struct hasher *h, struct candidate *c, struct bt_lane *lanes, size_t n)
{
	struct bt_lane *ends[CHUNK / BT_METAWRITE_PIECE_MIN + 1];
	uint8_t *to = bt_buf_room(&c->hashes, n * BT_SHA1_LEN);

	assert(n <= sizeof(ends) / sizeof(ends[0]));
	if (to == NULL) {
		c->is_full = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		ends[i] = &lanes[i];
	bt_lanes_end(&h->lanes, ends, n, to);
	c->hashes.n += n * BT_SHA1_LEN;
}

/* Take back c's streams from place i on; where the next candidate's are. */
static size_t
collect(struct hasher *h, struct candidate *c, size_t i, uint64_t bytes)
{
	struct bt_lane *first = &h->streams[i];
	size_t whole = 0;

	for (; bytes > 0; bytes -= h->feeds[i++].n)
		if (h->streams[i].n == c->piece_length)
			whole++;
		else
			c->lane = h->streams[i];
	end_pieces(h, c, first, whole);
	if (i > 0 && h->streams[i - 1].n == c->piece_length)
		bt_lanes_begin(&c->lane, BT_HASH_SHA1);
	return i;
}

/* Wait for the streams, and drop the lengths that content of `size` outgrew. */
static void
end_chunk(struct hasher *h, uint64_t bytes, uint64_t size)
{
	uint32_t fit = bt_metawrite_piece_length(size);
	struct candidate *c;
	size_t at = 0;

	while (bt_pool_wait(h->pool) != NULL)
		continue;
	if (h->v2) {
		tree_add(&h->tree, h->leaves[0],
		    (bytes + BT_MERKLE_BLOCK - 1) / BT_MERKLE_BLOCK);
		if (!h->is_chosen)
			tree_raise(&h->tree, fit);
	}
	for (size_t i = 0; i < h->ncandidates; i++) {
		c = &h->candidates[i];
		if (c->is_dropped)
			continue;
		if (bytes > 0)
			at = collect(h, c, at, bytes);
		if (c->piece_length < fit && !h->is_chosen)
			drop(c);
	}
}

/* A whole chunk, unless the end comes: a signal may cut it, or stop it all. */
static int
fill_whole(struct chunk *to, int fd, uint64_t size,
    bool (*progress)(void *arg, uint64_t done), void *arg, struct bt_err *err)
{
	int more;

	do
		more = fill(fd, to, err);
	while (more == 1 && to->n < CHUNK && progress(arg, size));
	return more;
}

/* Hash what comes while the next chunk is read. 0 or -1. */
static int
hash_all(struct hasher *h, int fd, uint64_t *size,
    bool (*progress)(void *arg, uint64_t done), void *arg, struct bt_err *err)
{
	unsigned turn = 0;
	size_t n;
	bool go;
	int more;

	*size = 0;
	more = fill_whole(&h->chunk[turn], fd, 0, progress, arg, err);
	while (more != -1) {
		n = h->chunk[turn].n;
		begin_chunk(h, (struct bt_str){ h->chunk[turn].p, n });
		*size += n;
		turn ^= 1;
		h->chunk[turn].n = 0;
		go = progress(arg, *size);
		if (more == 1 && go)
			more = fill_whole(
			    &h->chunk[turn], fd, *size, progress, arg, err);
		end_chunk(h, n, *size);
		if (!go)
			return bt_err_set(err, BT_EANSWER, "stopped");
		if (more == 0 && h->chunk[turn].n == 0)
			return 0;
	}
	return -1;
}

/* Hand out the hashes of the candidate that was right, and the tree's. */
static int
take(struct hasher *h, struct stream *s, struct bt_err *err)
{
	struct candidate *c = h->candidates;
	bool is_full = false;

	if (!h->is_chosen)
		s->piece_length = bt_metawrite_piece_length(s->size);
	bt_buf_init(&s->hashes, 0);
	bt_buf_init(&s->roots, 0);
	if (s->v1) {
		while (c->piece_length != s->piece_length)
			c++;
		if (c->lane.n > 0)
			end_pieces(h, c, &c->lane, 1);
		is_full = c->is_full;
	}
	if (s->v2) {
		tree_end(&h->tree);
		is_full |= h->tree.is_full;
	}
	if (is_full)
		return bt_err_set(err, BT_ELIMIT,
		    "too many pieces of %u bytes for one torrent",
		    s->piece_length);
	if (s->v1) {
		s->hashes = c->hashes;
		bt_buf_init(&c->hashes, 0);
	}
	if (s->v2) {
		s->roots = h->tree.nodes;
		bt_buf_init(&h->tree.nodes, 0);
	}
	return 0;
}

static void
begin(struct hasher *h, const struct stream *s)
{
	uint32_t n;

	bt_lanes_init(&h->lanes);
	h->chunk[0].p = bt_mem_pages(CHUNK);
	h->chunk[1].p = bt_mem_pages(CHUNK);
	h->v2 = s->v2;
	h->is_chosen = s->piece_length != 0;
	tree_init(
	    &h->tree, h->is_chosen ? s->piece_length : BT_METAWRITE_PIECE_MIN);
	if (!s->v1)
		return;
	if (h->is_chosen) {
		add_candidate(h, s->piece_length);
		return;
	}
	for (n = BT_METAWRITE_PIECE_MIN; n <= BT_METAWRITE_PIECE_AUTO_MAX;
	     n *= 2)
		add_candidate(h, n);
}

int
stream_hash(struct stream *s, int fd,
    bool (*progress)(void *arg, uint64_t done), void *arg, struct bt_err *err)
{
	struct hasher *h = bt_mem_zero(1, sizeof(*h));
	int rc = -1;

	h->pool = bt_pool_new(0, err);
	if (h->pool == NULL)
		goto out;
	begin(h, s);
	if (hash_all(h, fd, &s->size, progress, arg, err) == 0)
		rc = take(h, s, err);
	for (size_t i = 0; i < h->ncandidates; i++)
		drop(&h->candidates[i]);
	tree_fini(&h->tree);
	bt_mem_free(h->chunk[0].p);
	bt_mem_free(h->chunk[1].p);
	bt_pool_free(h->pool);
out:
	bt_mem_free(h);
	return rc;
}
