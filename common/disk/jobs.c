#include "disk/jobs.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/hash.h"
#include "base/lanes.h"
#include "base/mem.h"
#include "base/rd.h"
#include "codec/wire.h"
#include "disk/files_priv.h"

#define CHUNK ((size_t)256 << 10) /* stays in a core's second cache */
#define AHEAD ((uint64_t)1 << 20) /* read ahead of what is asked, at most */
#define AHEAD_FOR 4u /* blocks: who asks for fewer may not come for the rest */

/* What this processor hashes with: found once. */
static struct bt_lanes lanes;
static pthread_once_t lanes_once = PTHREAD_ONCE_INIT;

static void
find_lanes(void)
{
	bt_lanes_init(&lanes);
}

/* Digests of what is n bytes long from p, 16 KiB each; returns how many. */
static size_t
digest_blocks(const uint8_t *p, size_t n, uint64_t *digests)
{
	uint8_t sums[BT_LANES_WIDTH_MAX][BT_SHA1_LEN];
	struct bt_str blocks[BT_LANES_WIDTH_MAX] = { 0 };
	size_t at = 0, len, k, done = 0;

	while (at < n) {
		for (k = 0; k < BT_LANES_WIDTH_MAX && at < n; k++, at += len) {
			len = n - at < BT_BLOCK_LEN ? n - at : BT_BLOCK_LEN;
			blocks[k] = (struct bt_str){ p + at, len };
		}
		bt_lanes_whole(&lanes, BT_HASH_SHA1, blocks, k, sums[0]);
		for (size_t i = 0; i < k; i++)
			digests[done++] = bt_be64(sums[i]);
	}
	return done;
}

static void
judge(struct bt_job *j, const uint8_t sum[BT_SHA1_LEN])
{
	if (memcmp(sum, bt_layout_hash(j->layout, j->disk.piece),
		BT_SHA1_LEN) == 0)
		j->status = BT_DISK_OK;
	else
		j->status = BT_DISK_MISMATCH;
}

static bool
wants_digests(const struct bt_job *j)
{
	return j->disk.digests || j->status == BT_DISK_MISMATCH;
}

static uint64_t *
new_digests(const struct bt_job *j)
{
	return bt_mem_array(
	    bt_layout_blocks(j->layout, j->disk.piece), sizeof(uint64_t));
}

static void
write_data(struct bt_job *j)
{
	uint64_t at = bt_layout_offset(j->layout, j->disk.piece, j->disk.begin);

	j->status = bt_files_write(j->files, at, j->disk.data, j->disk.length,
			&j->err) == -1
			? BT_DISK_ERROR
			: BT_DISK_OK;
}

/* Of no use where the disk failed, and maybe half filled. */
static void
drop_digests(struct bt_job *j)
{
	if (j->status != BT_DISK_ERROR)
		return;
	bt_mem_free(j->digests);
	j->digests = NULL;
}

static void
store(struct bt_job *j, const uint8_t *sum)
{
	judge(j, sum);
	if (wants_digests(j)) {
		j->digests = new_digests(j);
		digest_blocks(j->disk.data, j->disk.length, j->digests);
	}
	if (j->status == BT_DISK_OK)
		write_data(j);
	drop_digests(j);
}

/*
 * Pieces that wait together are hashed side by side, then written in turn. More
 * come while it writes, so the next ones often go together; a worker for each
 * half would be free to hash most pieces as they came, alone.
 */
static void
run_stores(struct bt_pool_job *pool)
{
	uint8_t sums[BT_LANES_WIDTH_MAX][BT_SHA1_LEN];
	struct bt_str data[BT_LANES_WIDTH_MAX] = { 0 };
	struct bt_pool_job *at;
	size_t n = 0, i = 0;

	for (at = pool; at != NULL; at = at->next, n++) {
		const struct bt_job *j = (const struct bt_job *)at;

		assert(n < BT_LANES_WIDTH_MAX);
		assert(j->disk.begin == 0);
		assert(j->disk.length ==
		       bt_layout_piece_size(j->layout, j->disk.piece));
		data[n] = (struct bt_str){ j->disk.data, j->disk.length };
	}
	bt_lanes_whole(&lanes, BT_HASH_SHA1, data, n, sums[0]);
	for (at = pool; at != NULL; at = at->next)
		store((struct bt_job *)at, sums[i++]);
}

/* Hash the piece from disk; with digests, its blocks too. 0 or -1. */
static int
read_back(struct bt_job *j, struct bt_hash *h, uint64_t *digests)
{
	uint32_t size = bt_layout_piece_size(j->layout, j->disk.piece);
	uint64_t from = bt_layout_offset(j->layout, j->disk.piece, 0);
	uint8_t *buf = bt_mem_pages(size < CHUNK ? size : CHUNK);
	size_t at, n;
	int rc = 0;

	for (at = 0; at < size; at += n) {
		n = size - at < CHUNK ? size - at : CHUNK;
		rc = bt_files_read(j->files, from + at, buf, n, &j->err);
		if (rc == -1)
			break;
		bt_hash_add(h, buf, n);
		if (digests != NULL)
			digests += digest_blocks(buf, n, digests);
	}
	bt_mem_free(buf);
	return rc;
}

/* Digests cost as much as the hash; without being asked, only a bad piece's. */
static void
verify(struct bt_job *j)
{
	struct bt_hash *h = bt_hash_new(BT_HASH_SHA1);
	uint8_t sum[BT_SHA1_LEN];
	int rc;

	if (j->disk.digests)
		j->digests = new_digests(j);
	rc = read_back(j, h, j->digests);
	if (rc == 0) {
		bt_hash_end(h, sum);
		judge(j, sum);
		if (wants_digests(j) && j->digests == NULL) {
			j->digests = new_digests(j);
			rc = read_back(j, h, j->digests);
		}
	}
	if (rc == -1)
		j->status = BT_DISK_ERROR;
	bt_hash_free(h);
}

/*
 * Who asks for many blocks of a piece asks for the rest next: the disk may bring
 * it while these are on their way. Who asks for a block here and one there has
 * the disk read little more than that.
 */
static void
advise_rest(const struct bt_job *j)
{
	const struct bt_layout *l = j->layout;
	uint64_t at = j->reads[0].offset;
	uint64_t left = l->piece_length - at % l->piece_length;

	if (j->nreads < AHEAD_FOR)
		return;
	if (left > AHEAD)
		left = AHEAD;
	if (left > l->size - at)
		left = l->size - at;
	bt_files_advise(j->files, at, left);
}

/* Which piece of those that were read together is it? */
static void
fail_read(struct bt_job *j, uint64_t from, size_t n, uint8_t *to)
{
	uint64_t at = from, step;

	j->status = BT_DISK_ERROR;
	for (; at - from < n; at += step) {
		step = j->layout->piece_length - at % j->layout->piece_length;
		if (step > n - (at - from))
			step = n - (at - from);
		j->disk.piece = (uint32_t)(at / j->layout->piece_length);
		if (bt_files_read(j->files, at, to + (at - from), (size_t)step,
			&j->err) == -1)
			return;
	}
	j->disk.piece = (uint32_t)(from / j->layout->piece_length);
}

static void
read_blocks(struct bt_job *j)
{
	const struct bt_job_read *r, *end = j->reads + j->nreads;
	size_t n;

	assert(j->nreads <= BT_TX_BLOCKS_MAX);
	advise_rest(j);
	j->status = BT_DISK_OK;
	for (r = j->reads; r < end; r++) {
		uint64_t from = r->offset;
		uint8_t *to = r->to;

		/* blocks that follow each other are one read */
		for (n = r->n; r + 1 < end && r[1].offset == from + n &&
			       r[1].to == to + n;
		     r++)
			n += r[1].n;
		if (bt_files_read(j->files, from, to, n, &j->err) == -1) {
			fail_read(j, from, n, to);
			return;
		}
	}
}

static void
run(struct bt_pool_job *pool)
{
	struct bt_job *j = (struct bt_job *)pool;

	switch (j->kind) {
	case BT_JOB_WRITE:
		write_data(j);
		break;
	case BT_JOB_VERIFY:
		verify(j);
		break;
	case BT_JOB_READ:
		read_blocks(j);
		break;
	case BT_JOB_SYNC:
		j->status = bt_files_sync(j->files, &j->err) == -1
				? BT_DISK_ERROR
				: BT_DISK_OK;
		break;
	case BT_JOB_STORE: /* run_stores() */
		assert(false);
	}
	drop_digests(j);
}

struct bt_job *
bt_job_new(enum bt_job_kind kind, struct bt_files *files,
    const struct bt_layout *layout)
{
	struct bt_job *j = bt_mem_zero(1, sizeof(*j));

	pthread_once(&lanes_once, find_lanes);
	if (kind == BT_JOB_STORE) {
		j->pool.run = run_stores;
		j->pool.together = bt_lanes_width(&lanes, BT_HASH_SHA1);
	} else
		j->pool.run = run;
	j->kind = kind;
	j->files = files;
	j->layout = layout;
	return j;
}

void
bt_job_free(struct bt_job *j)
{
	if (j == NULL)
		return;
	bt_mem_free(j->digests);
	bt_mem_free(j);
}

struct bt_disk_result
bt_job_result(const struct bt_job *j)
{
	return (struct bt_disk_result){
		.id = j->disk.id,
		.status = j->status,
		.digests = j->digests,
	};
}
