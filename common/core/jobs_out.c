#include "core/jobs_out.h"

#include <assert.h>

#include "base/mem.h"
#include "core/harvest.h"
#include "core/requests.h"
#include "core/torrent_priv.h"

#define FIRST 16u
#define JOBS_MAX 65535u /* an index is half of an id */

static uint32_t
vacant(struct bt_pieces *s)
{
	uint32_t i = 0;

	if (s->jobs_out == s->njobs) {
		i = s->njobs;
		s->njobs = s->njobs == 0 ? FIRST : s->njobs * 2;
		s->jobs = bt_mem_resize(s->jobs, s->njobs, sizeof(*s->jobs));
		for (uint32_t j = i; j < s->njobs; j++)
			s->jobs[j] = (struct bt_job_out){ .gen = 1 };
	}
	while (s->jobs[i].used)
		i++;
	assert(i < JOBS_MAX);
	return i;
}

/* Bytes of memory that wait for it: none when a piece is read back. */
static size_t
load_of(const struct bt_job_out *j)
{
	return j->kind == BT_FX_VERIFY ? 0 : j->length;
}

void
bt_jobs_out_put(struct bt_torrent *t, enum bt_effect_kind kind,
    const struct bt_piece *pc, uint32_t begin, uint32_t length,
    const uint8_t *data, uint8_t *block)
{
	struct bt_pieces *s = &t->pieces;
	uint32_t i = vacant(s);
	struct bt_job_out *j = &s->jobs[i];

	*j = (struct bt_job_out){ true, j->gen, kind, pc->index, begin, length,
		block };
	s->jobs_out++;
	s->busy += load_of(j);
	if (block != NULL) {
		s->loose += BT_BLOCK_LEN;
		s->reserved += BT_BLOCK_LEN;
	}
	bt_effects_push(
	    &t->fx, &(struct bt_effect){ .kind = kind,
			.index = pc->index,
			.job = { .id = (uint32_t)j->gen << 16 | i,
			    .piece = pc->index,
			    .begin = begin,
			    .length = length,
			    .data = data,
			    .digests = bt_spoil_has(&t->spoil, pc->index) } });
}

static void
on_good(struct bt_torrent *t, struct bt_piece *pc,
    const struct bt_disk_result *r, int64_t now)
{
	uint32_t piece = pc->index;

	bt_pieces_end(t, pc);
	bt_harvest_piece(t, piece, now);
	bt_spoil_on_good(t, piece, r->digests, now);
}

static void
on_bad(struct bt_torrent *t, struct bt_piece *pc,
    const struct bt_disk_result *r, int64_t now)
{
	uint32_t piece = pc->index;

	t->wasted += pc->size;
	bt_pieces_own(t, pc, BT_PICK_NOBODY);
	bt_picker_failed(t->picker, pc->index);
	bt_spoil_on_bad(t, pc, r->digests, now);
	bt_pieces_end(t, pc);
	bt_spoil_assign(t, piece, now);
	bt_requests_wake(t, now);
}

/* The disk failed: the piece is not to be had here, and nothing else is. */
static void
on_error(struct bt_torrent *t, struct bt_piece *pc, bool ends)
{
	t->broken = true;
	if (!ends)
		return;
	t->wasted += pc->size;
	bt_picker_failed(t->picker, pc->index);
	bt_pieces_end(t, pc);
}

void
bt_jobs_out_result(
    struct bt_torrent *t, const struct bt_disk_result *r, int64_t now)
{
	struct bt_pieces *s = &t->pieces;
	uint32_t i = r->id & 0xffff;
	struct bt_job_out *j;
	struct bt_piece *pc;

	assert(i < s->njobs && s->jobs[i].used);
	j = &s->jobs[i];
	assert(j->gen == r->id >> 16);
	pc = bt_pieces_find(t, j->piece);
	assert(pc != NULL);
	j->used = false;
	j->gen = j->gen == UINT16_MAX ? 1 : (uint16_t)(j->gen + 1);
	s->jobs_out--;
	s->busy -= load_of(j);
	if (j->block != NULL) {
		s->loose -= BT_BLOCK_LEN;
		s->reserved -= BT_BLOCK_LEN;
		bt_pieces_give_block(t, j->block);
	}
	if (j->kind == BT_FX_WRITE) {
		pc->writes--;
		if (r->status != BT_DISK_OK)
			on_error(t, pc, false);
		bt_pieces_on_written(t, pc);
	} else if (r->status == BT_DISK_OK)
		on_good(t, pc, r, now);
	else if (r->status == BT_DISK_MISMATCH)
		on_bad(t, pc, r, now);
	else
		on_error(t, pc, true);
	bt_requests_feed(t, now);
}

uint32_t
bt_jobs_out_blocks(const struct bt_pieces *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->njobs; i++)
		n += s->jobs[i].used && s->jobs[i].block != NULL;
	return n;
}
