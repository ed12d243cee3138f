#include "core/pieces.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/jobs_out.h"
#include "core/requests.h"
#include "core/torrent_priv.h"

#define FIRST 16u
#define OTHERS_MAX 8u
#define NOBODY BT_PICK_NOBODY

void
bt_pieces_init(struct bt_torrent *t)
{
	struct bt_pieces *s = &t->pieces;
	const struct bt_layout *l = t->layout;

	s->ceiling = t->conf.memory != 0 ? t->conf.memory : BT_TORRENT_MEMORY;
	s->buf_size = l->piece_length;
	if (l->size < s->buf_size)
		s->buf_size = (size_t)l->size;
	s->spill_all = s->buf_size > s->ceiling / 2;
	s->kept_max = 2;
	if (s->buf_size > 0 && BT_PIECES_KEPT / s->buf_size > 2)
		s->kept_max = (uint32_t)(BT_PIECES_KEPT / s->buf_size);
	if (s->kept_max > 64)
		s->kept_max = 64;
}

static void
free_piece(struct bt_piece *pc)
{
	bt_mem_free(pc->buf);
	bt_mem_free(pc->givers);
	bt_mem_free(pc);
}

static void
free_kept(struct bt_pieces *s)
{
	while (s->nkept > 0) {
		bt_mem_free(s->kept[--s->nkept]);
		s->in_use -= s->buf_size;
	}
}

void
bt_pieces_fini(struct bt_torrent *t)
{
	struct bt_pieces *s = &t->pieces;

	for (uint32_t i = 0; i < s->n; i++)
		free_piece(s->list[i]);
	free_kept(s);
	bt_mem_free(s->kept);
	bt_mem_free(s->list);
	bt_mem_free(s->by_index);
	bt_mem_free(s->jobs);
}

struct bt_piece *
bt_pieces_find(const struct bt_torrent *t, uint32_t index)
{
	const struct bt_pieces *s = &t->pieces;

	return s->by_index == NULL ? NULL : s->by_index[index];
}

static bool
has_room(const struct bt_pieces *s)
{
	size_t need = s->spill_all ? BT_BLOCK_LEN : s->buf_size;

	if (s->spill_all && s->loose + need <= BT_PIECES_LOOSE_MIN)
		return true;
	return need <= s->ceiling && s->reserved <= s->ceiling - need;
}

/* Rule 2. */
static size_t
backlog_max(const struct bt_pieces *s)
{
	size_t most = 4 * s->buf_size;

	if (most < BT_PIECES_BACKLOG)
		most = BT_PIECES_BACKLOG;
	return most < s->ceiling / 4 ? most : s->ceiling / 4;
}

/* Rule 1: what those may begin who are busy anyway. */
static bool
has_plenty(const struct bt_pieces *s)
{
	size_t most = 4 * s->buf_size;

	if (most < s->ceiling / 2)
		most = s->ceiling / 2;
	return s->spill_all || s->reserved < most;
}

bool
bt_pieces_may_begin(const struct bt_torrent *t, bool idle)
{
	const struct bt_pieces *s = &t->pieces;

	return !t->stopped && !t->broken && s->busy <= backlog_max(s) &&
	       has_room(s) && (idle || has_plenty(s));
}

bool
bt_pieces_may_flow(const struct bt_torrent *t)
{
	const struct bt_pieces *s = &t->pieces;
	size_t most = s->ceiling / 8 * 3;

	if (most < BT_PIECES_FLOW_MIN)
		most = BT_PIECES_FLOW_MIN;
	return s->spill_all || s->busy + (size_t)t->owed * BT_BLOCK_LEN < most;
}

void
bt_pieces_on_starved(struct bt_torrent *t, int64_t now)
{
	struct bt_pieces *s = &t->pieces;

	if (has_room(s))
		s->starved_since = 0;
	else if (s->starved_since == 0)
		s->starved_since = now > 0 ? now : 1;
}

void
bt_pieces_begin(struct bt_torrent *t, uint32_t index, int64_t now)
{
	struct bt_pieces *s = &t->pieces;
	uint32_t nblocks = bt_layout_blocks(t->layout, index);
	struct bt_piece *pc = bt_mem_zero(
	    1, sizeof(*pc) + (size_t)nblocks * sizeof(pc->blocks[0]));

	if (s->by_index == NULL)
		s->by_index =
		    bt_mem_zero(t->layout->pieces, sizeof(*s->by_index));
	assert(s->by_index[index] == NULL);
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? FIRST : s->cap * 2;
		s->list = bt_mem_resize(s->list, s->cap, sizeof(*s->list));
	}
	pc->index = index;
	pc->at = s->n;
	pc->size = bt_layout_piece_size(t->layout, index);
	pc->nblocks = nblocks;
	pc->spilled = s->spill_all;
	pc->owner = NOBODY;
	pc->last_at = now;
	for (uint32_t i = 0; i < nblocks; i++)
		pc->blocks[i].writer = NOBODY;
	s->by_index[index] = pc;
	s->list[s->n++] = pc;
	if (pc->spilled)
		s->nspilled++;
	else
		s->reserved += s->buf_size;
}

bool
bt_pieces_on_asked(struct bt_torrent *t, struct bt_pick b, int64_t now)
{
	struct bt_pieces *s = &t->pieces;
	struct bt_piece *pc;

	if (bt_pieces_find(t, b.piece) == NULL)
		bt_pieces_begin(t, b.piece, now);
	pc = s->by_index[b.piece];
	if (pc->spilled) {
		if (s->loose + BT_BLOCK_LEN > BT_PIECES_LOOSE_MIN &&
		    s->reserved + BT_BLOCK_LEN > s->ceiling)
			return false;
		s->loose += BT_BLOCK_LEN;
		s->reserved += BT_BLOCK_LEN;
	}
	pc->asked++;
	pc->blocks[b.block].asked_at = now;
	return true;
}

void
bt_pieces_on_unasked(struct bt_torrent *t, struct bt_pick b)
{
	struct bt_pieces *s = &t->pieces;
	struct bt_piece *pc = bt_pieces_find(t, b.piece);

	assert(pc != NULL && pc->asked > 0);
	pc->asked--;
	if (pc->spilled) {
		s->loose -= BT_BLOCK_LEN;
		s->reserved -= BT_BLOCK_LEN;
	}
}

static uint8_t *
take_buffer(struct bt_pieces *s)
{
	if (s->nkept > 0)
		return s->kept[--s->nkept];
	s->in_use += s->buf_size;
	return bt_mem_alloc(s->buf_size);
}

static void
give_buffer(struct bt_torrent *t, struct bt_piece *pc)
{
	struct bt_pieces *s = &t->pieces;

	s->reserved -= s->buf_size;
	if (pc->buf == NULL)
		return;
	if (s->kept == NULL)
		s->kept = bt_mem_array(s->kept_max, sizeof(*s->kept));
	if (s->nkept < s->kept_max && t->missing > 0)
		s->kept[s->nkept++] = pc->buf;
	else {
		bt_mem_free(pc->buf);
		s->in_use -= s->buf_size;
	}
	pc->buf = NULL;
}

void
bt_pieces_own(struct bt_torrent *t, struct bt_piece *pc, uint32_t who)
{
	t->pieces.owned += who != NOBODY;
	t->pieces.owned -= pc->owner != NOBODY;
	pc->owner = who;
	bt_picker_exclusive(t->picker, pc->index, who);
}

void
bt_pieces_end(struct bt_torrent *t, struct bt_piece *pc)
{
	struct bt_pieces *s = &t->pieces;

	assert(pc->asked == 0 && pc->writes == 0);
	s->owned -= pc->owner != NOBODY;
	if (pc->spilled)
		s->nspilled--;
	else
		give_buffer(t, pc);
	s->by_index[pc->index] = NULL;
	s->list[pc->at] = s->list[--s->n];
	s->list[pc->at]->at = pc->at;
	free_piece(pc);
}

static uint8_t *
take_block(struct bt_pieces *s)
{
	s->in_use += BT_BLOCK_LEN;
	return bt_mem_alloc(BT_BLOCK_LEN);
}

void
bt_pieces_give_block(struct bt_torrent *t, uint8_t *block)
{
	if (block == NULL)
		return;
	t->pieces.in_use -= BT_BLOCK_LEN;
	bt_mem_free(block);
}

/* Is the block that p brings, asked for once, still of use from p? */
static bool
is_welcome(const struct bt_piece *pc, uint32_t block, const struct bt_peer *p)
{
	return pc != NULL && pc->state == BT_PIECE_FILLING &&
	       !pc->blocks[block].held &&
	       (pc->owner == NOBODY || pc->owner == p->index);
}

void
bt_pieces_open(struct bt_torrent *t, struct bt_peer *p)
{
	struct bt_pieces *s = &t->pieces;
	struct bt_piece *pc = bt_pieces_find(t, p->rx_piece);

	p->rx_to = BT_RX_DROP;
	if (!is_welcome(pc, p->rx_block, p))
		return;
	if (!pc->spilled && pc->blocks[p->rx_block].writer == NOBODY) {
		if (pc->buf == NULL)
			pc->buf = take_buffer(s);
		pc->blocks[p->rx_block].writer = p->index;
		p->rx_to = BT_RX_PLACE;
		return;
	}
	p->stray = take_block(s);
	p->rx_to = BT_RX_STRAY;
}

static uint8_t *
place_of(const struct bt_piece *pc, uint32_t block)
{
	return pc->buf + (size_t)block * BT_BLOCK_LEN;
}

uint8_t *
bt_pieces_lend(struct bt_torrent *t, const struct bt_peer *p, struct bt_pick b,
    bool *fresh)
{
	struct bt_piece *pc = bt_pieces_find(t, b.piece);

	*fresh = false;
	if (!is_welcome(pc, b.block, p) || pc->spilled ||
	    pc->blocks[b.block].writer != NOBODY)
		return NULL;
	if (pc->buf == NULL) {
		if (t->pieces.nkept == 0)
			return NULL;
		pc->buf = take_buffer(&t->pieces);
		*fresh = true;
	}
	return place_of(pc, b.block);
}

/* The first block's writer is the one peer that the piece was lent to. */
void
bt_pieces_unlend(struct bt_torrent *t, uint32_t index)
{
	struct bt_piece *pc = bt_pieces_find(t, index);

	if (pc == NULL || pc->buf == NULL || pc->held > 0)
		return;
	for (uint32_t i = 0; i < pc->nblocks; i++)
		if (pc->blocks[i].writer != NOBODY)
			return;
	assert(t->pieces.nkept < t->pieces.kept_max);
	t->pieces.kept[t->pieces.nkept++] = pc->buf;
	pc->buf = NULL;
}

uint8_t *
bt_pieces_place(const struct bt_torrent *t, const struct bt_peer *p)
{
	switch (p->rx_to) {
	case BT_RX_PLACE:
		return place_of(bt_pieces_find(t, p->rx_piece), p->rx_block) +
		       p->rx_got;
	case BT_RX_STRAY:
		return p->stray + p->rx_got;
	case BT_RX_DROP:
		break;
	}
	return NULL;
}

void
bt_pieces_abandon(struct bt_torrent *t, struct bt_peer *p)
{
	struct bt_piece *pc;

	if (p->rx_to == BT_RX_PLACE) {
		pc = bt_pieces_find(t, p->rx_piece);
		assert(pc->blocks[p->rx_block].writer == p->index);
		pc->blocks[p->rx_block].writer = NOBODY;
	} else if (p->rx_to == BT_RX_STRAY) {
		bt_pieces_give_block(t, p->stray);
		p->stray = NULL;
	}
	p->rx_to = BT_RX_DROP;
}

static uint32_t
giver_of(struct bt_piece *pc, const struct bt_addr *addr)
{
	uint32_t i = pc->ngivers;

	while (i > 0) /* the last giver is likely to give again */
		if (bt_addr_eq(&pc->givers[--i], addr))
			return i;
	i = pc->ngivers++;
	if ((i & (i - 1)) == 0) /* grown to the next power of two */
		pc->givers = bt_mem_resize(
		    pc->givers, i == 0 ? 1 : 2 * (size_t)i, sizeof(*addr));
	pc->givers[i] = *addr;
	return i;
}

/* All blocks are here: on to the hash. */
static void
if_whole(struct bt_torrent *t, struct bt_piece *pc)
{
	if (pc->held < pc->nblocks || pc->state != BT_PIECE_FILLING)
		return;
	assert(pc->asked == 0);
	if (!pc->spilled) {
		pc->state = BT_PIECE_STORING;
		bt_jobs_out_put(t, BT_FX_STORE, pc, 0, pc->size, pc->buf, NULL);
	} else if (pc->writes == 0) {
		pc->state = BT_PIECE_VERIFYING;
		bt_jobs_out_put(t, BT_FX_VERIFY, pc, 0, pc->size, NULL, NULL);
	}
}

/* The block's bytes are p's: put them where they belong. */
static void
settle_block(struct bt_torrent *t, struct bt_peer *p, struct bt_piece *pc)
{
	struct bt_piece_block *k = &pc->blocks[p->rx_block];

	if (p->rx_to == BT_RX_STRAY && k->writer != NOBODY)
		bt_pieces_abandon(t, t->peers[k->writer]);
	if (p->rx_to == BT_RX_PLACE)
		assert(k->writer == p->index);
	else if (pc->spilled) {
		pc->writes++;
		bt_jobs_out_put(t, BT_FX_WRITE, pc, p->rx_block * BT_BLOCK_LEN,
		    p->rx_len, p->stray, p->stray);
		p->stray = NULL; /* the job's now */
	} else {
		if (pc->buf == NULL)
			pc->buf = take_buffer(&t->pieces);
		memcpy(place_of(pc, p->rx_block), p->stray, p->rx_len);
		bt_pieces_give_block(t, p->stray);
		p->stray = NULL;
	}
	k->writer = NOBODY;
	p->rx_to = BT_RX_DROP;
}

bool
bt_pieces_close(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	struct bt_piece *pc = bt_pieces_find(t, p->rx_piece);
	struct bt_pick b = { p->rx_piece, p->rx_block };
	uint32_t others[OTHERS_MAX], n = 0;
	bool news;

	if (!is_welcome(pc, b.block, p)) {
		bt_pieces_abandon(t, p);
		return false;
	}
	settle_block(t, p, pc);
	pc->blocks[b.block].held = true;
	pc->blocks[b.block].giver = giver_of(pc, &p->addr);
	pc->held++;
	pc->last_at = now;
	news = bt_picker_got(t->picker, p->index, b, others, OTHERS_MAX, &n);
	assert(news);
	for (uint32_t i = 0; i < n; i++)
		bt_requests_cancel(t, t->peers[others[i]], b, now);
	if_whole(t, pc);
	return true;
}

/* A spilled piece's writes are done: its buffer, if any, is free. */
void
bt_pieces_on_written(struct bt_torrent *t, struct bt_piece *pc)
{
	if (pc->writes > 0)
		return;
	if (pc->was_buffered) {
		pc->was_buffered = false;
		give_buffer(t, pc);
	}
	if (!t->stopped && !t->broken)
		if_whole(t, pc);
}

/* Whoever fills a place in the buffer goes on in a block buffer of its own. */
static void
move_writers(struct bt_torrent *t, struct bt_piece *pc)
{
	struct bt_peer *p;

	for (uint32_t i = 0; i < pc->nblocks; i++) {
		if (pc->blocks[i].writer == NOBODY)
			continue;
		p = t->peers[pc->blocks[i].writer];
		p->stray = take_block(&t->pieces);
		memcpy(p->stray, place_of(pc, i), p->rx_got);
		p->rx_to = BT_RX_STRAY;
		pc->blocks[i].writer = NOBODY;
	}
}

/* Rule 4: write out what is held, in runs; the buffer goes when that is done. */
static void
spill(struct bt_torrent *t, struct bt_piece *pc)
{
	uint32_t from = 0, to, end;

	move_writers(t, pc);
	pc->spilled = pc->was_buffered = true;
	t->pieces.nspilled++;
	while (from < pc->nblocks) {
		for (to = from; to < pc->nblocks && pc->blocks[to].held; to++)
			;
		if (to > from) {
			end = to == pc->nblocks ? pc->size : to * BT_BLOCK_LEN;
			pc->writes++;
			bt_jobs_out_put(t, BT_FX_WRITE, pc, from * BT_BLOCK_LEN,
			    end - from * BT_BLOCK_LEN, place_of(pc, from),
			    NULL);
		}
		from = to + 1;
	}
	bt_pieces_on_written(t, pc);
}

void
bt_pieces_sweep(struct bt_torrent *t, int64_t now)
{
	struct bt_pieces *s = &t->pieces;
	struct bt_piece *pc, *coldest = NULL;

	if (s->n == 0)
		free_kept(s);
	if (s->starved_since == 0 || has_room(s) || t->stopped || t->broken ||
	    now - s->starved_since < BT_PIECES_COLD_US)
		return;
	for (uint32_t i = 0; i < s->n; i++) {
		pc = s->list[i];
		if (!pc->spilled && pc->state == BT_PIECE_FILLING &&
		    pc->asked == 0 && now - pc->last_at >= BT_PIECES_COLD_US &&
		    (coldest == NULL || pc->last_at < coldest->last_at))
			coldest = pc;
	}
	if (coldest == NULL)
		return;
	s->starved_since = 0;
	spill(t, coldest);
	bt_requests_wake(t, now);
}

bool
bt_pieces_check(const struct bt_torrent *t)
{
	const struct bt_pieces *s = &t->pieces;
	size_t reserved = 0, loose = 0;
	const struct bt_piece *pc;
	uint32_t held, spilled = 0, owned = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		pc = s->list[i];
		held = 0;
		for (uint32_t j = 0; j < pc->nblocks; j++)
			held += pc->blocks[j].held;
		if (held != pc->held || pc->at != i ||
		    s->by_index[pc->index] != pc ||
		    bt_bits_has(&t->have, pc->index) ||
		    !bt_picker_is_begun(t->picker, pc->index))
			return false;
		if (!pc->spilled || pc->was_buffered)
			reserved += s->buf_size;
		if (pc->spilled)
			loose += (size_t)pc->asked * BT_BLOCK_LEN;
		spilled += pc->spilled;
		owned += pc->owner != NOBODY;
	}
	loose += (size_t)bt_jobs_out_blocks(s) * BT_BLOCK_LEN;
	return spilled == s->nspilled && owned == s->owned &&
	       loose == s->loose && reserved + loose == s->reserved;
}
