/*
 * jobs_out - the disk jobs of a torrent that are out, and what their results
 * mean for their pieces.
 *
 * A piece stays as it is while a job of it is out. An id holds a generation, so
 * that a result is never taken for another job's.
 * Pure.
 *
 * Used by  core/pieces, core/torrent
 * Tests    tests/unit/test_torrent_memory.c, test_torrent_spoil.c
 */
#ifndef BT_CORE_JOBS_OUT_H
#define BT_CORE_JOBS_OUT_H

#include "core/torrent_io.h"

struct bt_torrent;
struct bt_piece;
struct bt_pieces;

struct bt_job_out {
	bool used;
	uint16_t gen;
	enum bt_effect_kind kind;
	uint32_t piece, begin, length;
	uint8_t *block;		/* WRITE of one block: its buffer, else NULL */
};

/* Hand a job out. block: a buffer that goes with it, or NULL. */
void	bt_jobs_out_put(struct bt_torrent *t, enum bt_effect_kind kind,
	    const struct bt_piece *pc, uint32_t begin, uint32_t length,
	    const uint8_t *data, uint8_t *block);
void	bt_jobs_out_result(struct bt_torrent *t,
	    const struct bt_disk_result *r, int64_t now);
/* How many of them carry a block buffer. */
uint32_t	bt_jobs_out_blocks(const struct bt_pieces *s);

#endif
