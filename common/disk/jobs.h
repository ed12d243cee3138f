/*
 * jobs - the core's disk jobs, done: store, write, verify, read; and sync.
 *
 * Each is a bt_pool_job around a struct from core/torrent_io. STORE hashes the
 * data against the layout's piece hash and writes it only if it is right; those
 * that wait together are hashed side by side.
 * READ of a run of blocks has up to 1 MiB of the piece's rest read ahead. VERIFY reads back; a mismatch comes with the digests of its blocks: the first
 * 8 bytes of each SHA-1 as a big-endian number.
 * Touches: files, on a worker thread.
 *
 * Used by  net/client
 * Tests    tests/unit/test_disk_jobs.c
 */
#ifndef BT_DISK_JOBS_H
#define BT_DISK_JOBS_H

#include "core/torrent_io.h"
#include "disk/files.h"
#include "disk/pool.h"

enum bt_job_kind {
	BT_JOB_STORE, BT_JOB_WRITE, BT_JOB_VERIFY, BT_JOB_READ,
	BT_JOB_SYNC	/* all that was written before, to the disk itself */
};

struct bt_job {
	struct bt_pool_job pool;	/* first */
	enum bt_job_kind kind;
	struct bt_files *files;		/* borrowed until it is done */
	const struct bt_layout *layout;
	struct bt_disk_job disk;	/* STORE, WRITE, VERIFY */
	/* READ: n blocks of a piece, each to its own place */
	struct bt_job_read {
		uint64_t offset;	/* in the content */
		uint8_t *to;
		size_t n;
	} reads[BT_TX_BLOCKS_MAX];
	unsigned nreads;
	uint64_t owner;			/* the caller's; untouched */
	void *arg;			/* the caller's; untouched */
	/* results */
	enum bt_disk_status status;
	uint64_t *digests;		/* freed by bt_job_free */
	struct bt_err err;		/* BT_DISK_ERROR: what and where */
};

struct bt_job	*bt_job_new(enum bt_job_kind kind, struct bt_files *files,
	    const struct bt_layout *layout);	/* gives */
void	bt_job_free(struct bt_job *j);
/* Fill a result for the core; it borrows from j. */
struct bt_disk_result	bt_job_result(const struct bt_job *j);

#endif
