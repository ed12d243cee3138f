#include "stream.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "codec/metainfo.h"
#include "codec/metawrite.h"
#include "disk/pool.h"

#define CHUNK (1u << 20) /* bytes read at a time; two are held */
#define LANES_MAX 11	 /* 16 KiB .. 16 MiB */

/* One piece length that may be the right one. */
struct lane {
	struct bt_pool_job job; /* first: the pool hands this back */
	struct bt_hash *hash;	/* NULL once it is outgrown */
	uint32_t piece_length;
	uint32_t filled; /* bytes of the piece being hashed */
	bool full;	 /* more hashes than a torrent may hold */
	struct bt_buf hashes;
	struct bt_str in; /* what run() is to add */
};

struct hasher {
	struct bt_pool *pool;
	struct lane lanes[LANES_MAX];
	size_t nlanes;
	struct bt_buf chunk[2]; /* one is hashed while the other is read */
};

static void
end_piece(struct lane *l)
{
	uint8_t digest[BT_SHA1_LEN];

	bt_hash_end(l->hash, digest);
	l->filled = 0;
	if (bt_buf_add(&l->hashes, (struct bt_str){ digest, sizeof(digest) }))
		l->full = true;
}

static void
run(struct bt_pool_job *job)
{
	struct lane *l = (struct lane *)job;
	size_t n;

	while (l->in.n > 0) {
		n = l->piece_length - l->filled;
		if (n > l->in.n)
			n = l->in.n;
		bt_hash_add(l->hash, l->in.p, n);
		l->filled += (uint32_t)n;
		l->in = bt_str_sub(l->in, n, l->in.n);
		if (l->filled == l->piece_length)
			end_piece(l);
	}
}

static void
add_lane(struct hasher *h, uint32_t piece_length)
{
	struct lane *l = &h->lanes[h->nlanes++];

	assert(h->nlanes <= LANES_MAX);
	l->job.run = run;
	l->hash = bt_hash_new(BT_HASH_SHA1);
	l->piece_length = piece_length;
	bt_buf_init(&l->hashes, BT_META_BYTES_MAX);
}

static void
drop_lane(struct lane *l)
{
	bt_hash_free(l->hash);
	l->hash = NULL;
	bt_buf_fini(&l->hashes);
}

/* Fill a chunk. 1: there may be more to come; 0: that was the end; -1. */
static int
fill(int fd, struct bt_buf *to, struct bt_err *err)
{
	ssize_t n;

	bt_buf_clear(to);
	while (to->n < CHUNK) {
		n = read(fd, bt_buf_room(to, CHUNK - to->n), CHUNK - to->n);
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

static void
begin_chunk(struct hasher *h, struct bt_str chunk)
{
	for (size_t i = 0; i < h->nlanes; i++)
		if (h->lanes[i].hash != NULL) {
			h->lanes[i].in = chunk;
			bt_pool_put(h->pool, &h->lanes[i].job);
		}
}

/* Wait for the lanes, and drop those that content of this size outgrew. */
static void
end_chunk(struct hasher *h, uint64_t size)
{
	uint32_t fit = bt_metawrite_piece_length(size);

	while (bt_pool_wait(h->pool) != NULL)
		continue;
	for (size_t i = 0; i < h->nlanes; i++)
		if (h->lanes[i].hash != NULL && h->lanes[i].piece_length < fit)
			drop_lane(&h->lanes[i]);
}

/* Hash what comes while the next chunk is read. 0 or -1. */
static int
hash_all(struct hasher *h, int fd, uint64_t *size,
    bool (*progress)(void *arg, uint64_t done), void *arg, struct bt_err *err)
{
	unsigned turn = 0;
	bool go;
	int more;

	*size = 0;
	more = fill(fd, &h->chunk[turn], err);
	while (more != -1) {
		begin_chunk(h, bt_buf_str(&h->chunk[turn]));
		*size += h->chunk[turn].n;
		turn ^= 1;
		bt_buf_clear(&h->chunk[turn]);
		go = progress(arg, *size);
		if (more == 1 && go)
			more = fill(fd, &h->chunk[turn], err);
		end_chunk(h, *size);
		if (!go)
			return bt_err_set(err, BT_EANSWER, "stopped");
		if (more == 0 && h->chunk[turn].n == 0)
			return 0;
	}
	return -1;
}

/* Hand out the hashes of the lane that was right. */
static int
take_lane(struct hasher *h, struct stream *s, struct bt_err *err)
{
	struct lane *l = h->lanes;

	while (l->piece_length != bt_metawrite_piece_length(s->size))
		l++;
	if (l->filled > 0)
		end_piece(l);
	if (l->full)
		return bt_err_set(err, BT_ELIMIT,
		    "too many pieces of %u "
		    "bytes for one torrent",
		    l->piece_length);
	s->piece_length = l->piece_length;
	s->hashes = l->hashes;
	bt_buf_init(&l->hashes, 0);
	return 0;
}

int
stream_hash(struct stream *s, int fd,
    bool (*progress)(void *arg, uint64_t done), void *arg, struct bt_err *err)
{
	struct hasher h = { .nlanes = 0 };
	uint32_t n;
	int rc = -1;

	h.pool = bt_pool_new(0, err);
	if (h.pool == NULL)
		return -1;
	bt_buf_init(&h.chunk[0], CHUNK);
	bt_buf_init(&h.chunk[1], CHUNK);
	for (n = BT_METAWRITE_PIECE_MIN; n <= BT_METAWRITE_PIECE_AUTO_MAX;
	     n *= 2)
		add_lane(&h, n);
	if (hash_all(&h, fd, &s->size, progress, arg, err) == 0)
		rc = take_lane(&h, s, err);
	for (size_t i = 0; i < h.nlanes; i++)
		drop_lane(&h.lanes[i]);
	bt_buf_fini(&h.chunk[0]);
	bt_buf_fini(&h.chunk[1]);
	bt_pool_free(h.pool);
	return rc;
}
