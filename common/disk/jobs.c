#include "disk/jobs.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "codec/wire.h"

#define CHUNK ((size_t)256 << 10) /* stays in a core's second cache */

static uint64_t
digest_of(struct bt_str block)
{
	uint8_t sum[BT_SHA1_LEN];

	bt_hash_sha1(block, sum);
	return bt_be64(sum);
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

static void
store(struct bt_job *j)
{
	struct bt_str data = { j->disk.data, j->disk.length };
	uint8_t sum[BT_SHA1_LEN];
	size_t at, n, i = 0;

	bt_hash_sha1(data, sum);
	judge(j, sum);
	if (wants_digests(j)) {
		j->digests = new_digests(j);
		for (at = 0; at < data.n; at += n) {
			n = data.n - at < BT_BLOCK_LEN ? data.n - at
						       : BT_BLOCK_LEN;
			j->digests[i++] =
			    digest_of(bt_str_sub(data, at, at + n));
		}
	}
	if (j->status == BT_DISK_OK)
		write_data(j);
}

/* Hash the piece from disk; with digests, its blocks too. 0 or -1. */
static int
read_back(struct bt_job *j, struct bt_hash *h, uint64_t *digests)
{
	uint32_t size = bt_layout_piece_size(j->layout, j->disk.piece);
	uint64_t from = bt_layout_offset(j->layout, j->disk.piece, 0);
	uint8_t *buf = bt_mem_alloc(size < CHUNK ? size : CHUNK);
	size_t at, n, k, len;
	int rc = 0;

	for (at = 0; at < size; at += n) {
		n = size - at < CHUNK ? size - at : CHUNK;
		rc = bt_files_read(j->files, from + at, buf, n, &j->err);
		if (rc == -1)
			break;
		bt_hash_add(h, buf, n);
		for (k = 0; digests != NULL && k < n; k += len) {
			len = n - k < BT_BLOCK_LEN ? n - k : BT_BLOCK_LEN;
			*digests++ = digest_of((struct bt_str){ buf + k, len });
		}
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

static void
read_blocks(struct bt_job *j)
{
	const struct bt_job_read *r, *end = j->reads + j->nreads;
	size_t n;

	assert(j->nreads <= BT_TX_BLOCKS_MAX);
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
			j->status = BT_DISK_ERROR;
			return;
		}
	}
}

static void
run(struct bt_pool_job *pool)
{
	struct bt_job *j = (struct bt_job *)pool;

	switch (j->kind) {
	case BT_JOB_STORE:
		assert(j->disk.begin == 0);
		assert(j->disk.length ==
		       bt_layout_piece_size(j->layout, j->disk.piece));
		store(j);
		break;
	case BT_JOB_WRITE:
		write_data(j);
		break;
	case BT_JOB_VERIFY:
		verify(j);
		break;
	case BT_JOB_READ:
		read_blocks(j);
		break;
	}
	if (j->status == BT_DISK_ERROR) {
		bt_mem_free(j->digests); /* of no use, and maybe half filled */
		j->digests = NULL;
	}
}

struct bt_job *
bt_job_new(enum bt_job_kind kind, struct bt_files *files,
    const struct bt_layout *layout)
{
	struct bt_job *j = bt_mem_zero(1, sizeof(*j));

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
