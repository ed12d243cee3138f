#include "core/begun.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void
bt_begun_init(struct bt_begun *b, uint32_t pieces)
{
	memset(b, 0, sizeof(*b));
	b->pieces = pieces;
	b->slot_of = bt_mem_zero(pieces, sizeof(*b->slot_of));
	bt_ranks_init(&b->ready, 0);
}

void
bt_begun_fini(struct bt_begun *b)
{
	for (uint32_t i = 0; i < b->nslots; i++)
		bt_mem_free(b->slots[i]);
	bt_mem_free(b->slots);
	bt_mem_free(b->spare);
	bt_mem_free(b->slot_of);
	bt_ranks_fini(&b->ready);
}

/* spare holds the nslots - n free slots, the next one to use last. */
static void
grow(struct bt_begun *b)
{
	uint32_t was = b->nslots, now = was < 8 ? 8 : 2 * was;

	b->slots = bt_mem_resize(b->slots, now, sizeof(*b->slots));
	b->spare = bt_mem_resize(b->spare, now, sizeof(*b->spare));
	for (uint32_t i = was; i < now; i++) {
		b->slots[i] = NULL;
		b->spare[i - was] = now - 1 - (i - was);
	}
	b->nslots = now;
	bt_ranks_grow(&b->ready, now);
}

/* Be among the ready ones if rule 2 says so. */
static void
settle(struct bt_begun *b, const struct bt_begun_piece *s)
{
	bool ready = s->wanted && s->owner == BT_PICK_NOBODY && s->asked[0] > 0;

	if (ready == bt_ranks_has(&b->ready, s->slot))
		return;
	if (ready)
		bt_ranks_add(&b->ready, s->slot);
	else
		bt_ranks_drop(&b->ready, s->slot);
}

struct bt_begun_piece *
bt_begun_add(struct bt_begun *b, uint32_t piece, uint32_t nblocks)
{
	struct bt_begun_piece *s;

	assert(bt_begun_find(b, piece) == NULL);
	assert(nblocks > 0);
	if (b->n == b->nslots)
		grow(b);
	s = bt_mem_zero(1, sizeof(*s) + nblocks * sizeof(s->blocks[0]));
	s->piece = piece;
	s->slot = b->spare[b->nslots - b->n - 1];
	s->nblocks = nblocks;
	s->asked[0] = nblocks;
	s->owner = BT_PICK_NOBODY;
	s->wanted = true;
	b->n++;
	b->slots[s->slot] = s;
	b->slot_of[piece] = s->slot + 1;
	bt_ranks_set(&b->ready, s->slot, nblocks);
	settle(b, s);
	return s;
}

void
bt_begun_drop(struct bt_begun *b, struct bt_begun_piece *s)
{
	bt_begun_own(b, s, BT_PICK_NOBODY);
	bt_begun_want(b, s, false);
	b->slots[s->slot] = NULL;
	b->slot_of[s->piece] = 0;
	b->spare[b->nslots - b->n] = s->slot;
	b->n--;
	bt_mem_free(s);
}

struct bt_begun_piece *
bt_begun_find(const struct bt_begun *b, uint32_t piece)
{
	assert(piece < b->pieces);
	if (b->slot_of[piece] == 0)
		return NULL;
	return b->slots[b->slot_of[piece] - 1];
}

void
bt_begun_want(struct bt_begun *b, struct bt_begun_piece *s, bool wanted)
{
	s->wanted = wanted;
	settle(b, s);
}

void
bt_begun_own(struct bt_begun *b, struct bt_begun_piece *s, uint32_t who)
{
	b->nowned -= s->owner != BT_PICK_NOBODY;
	b->nowned += who != BT_PICK_NOBODY;
	s->owner = who;
	settle(b, s);
}

/* The block changes from being asked of `was` peers to being asked of more. */
static void
ask(struct bt_begun_piece *s, struct bt_begun_block *k, uint32_t who)
{
	assert(k->asked < BT_PICK_DUP_MAX);
	s->asked[k->asked]--;
	k->who[k->asked] = who;
	k->asked++;
	s->asked[k->asked]++;
}

uint32_t
bt_begun_ask(struct bt_begun *b, struct bt_begun_piece *s, uint32_t who)
{
	uint32_t i = s->hint;

	assert(s->asked[0] > 0);
	while (s->blocks[i].held || s->blocks[i].asked > 0)
		i++;
	s->hint = i + 1;
	ask(s, &s->blocks[i], who);
	settle(b, s);
	return i;
}

static uint32_t
place_of(const struct bt_begun_block *k, uint32_t who)
{
	uint32_t i = 0;

	while (i < k->asked && k->who[i] != who)
		i++;
	return i;
}

/* A block of s asked of exactly `times` others, or nblocks. */
static uint32_t
find_asked(const struct bt_begun_piece *s, uint32_t times, uint32_t who)
{
	const struct bt_begun_block *k;

	for (uint32_t i = 0; i < s->nblocks; i++) {
		k = &s->blocks[i];
		if (!k->held && k->asked == times && place_of(k, who) == times)
			return i;
	}
	return s->nblocks;
}

bool
bt_begun_ask_again(struct bt_begun *b, uint32_t who, const struct bt_bits *have,
    const struct bt_bits *only, struct bt_pick *out)
{
	struct bt_begun_piece *s;
	uint32_t at, block;

	for (uint32_t times = 1; times < BT_PICK_DUP_MAX; times++) {
		for (uint32_t i = 0; i < b->nslots; i++) {
			at = (b->cursor + i) % b->nslots;
			s = b->slots[at];
			if (s == NULL || !s->wanted || s->asked[times] == 0 ||
			    s->owner != BT_PICK_NOBODY ||
			    !bt_bits_has(have, s->piece) ||
			    (only != NULL && !bt_bits_has(only, s->piece)))
				continue;
			block = find_asked(s, times, who);
			if (block == s->nblocks)
				continue;
			ask(s, &s->blocks[block], who);
			b->cursor = at;
			*out = (struct bt_pick){ s->piece, block };
			return true;
		}
	}
	return false;
}

void
bt_begun_release(
    struct bt_begun *b, struct bt_begun_piece *s, uint32_t who, uint32_t block)
{
	struct bt_begun_block *k;
	uint32_t i;

	assert(block < s->nblocks);
	k = &s->blocks[block];
	i = place_of(k, who);
	if (i == k->asked)
		return;
	s->asked[k->asked]--;
	k->asked--;
	k->who[i] = k->who[k->asked];
	s->asked[k->asked]++;
	if (k->asked == 0 && block < s->hint)
		s->hint = block;
	settle(b, s);
}

bool
bt_begun_got(struct bt_begun *b, struct bt_begun_piece *s, uint32_t who,
    uint32_t block, uint32_t *others, uint32_t max, uint32_t *nothers)
{
	struct bt_begun_block *k;

	assert(block < s->nblocks);
	k = &s->blocks[block];
	*nothers = 0;
	if (k->held)
		return false;
	for (uint32_t i = 0; i < k->asked; i++)
		if (k->who[i] != who && *nothers < max)
			others[(*nothers)++] = k->who[i];
	s->asked[k->asked]--;
	k->asked = 0;
	k->held = true;
	s->held++;
	bt_ranks_down(&b->ready, s->slot);
	settle(b, s);
	return true;
}

static bool
is_sound(const struct bt_begun *b, const struct bt_begun_piece *s)
{
	uint32_t held = 0, asked[BT_PICK_DUP_MAX + 1] = { 0 };
	const struct bt_begun_block *k;

	for (uint32_t i = 0; i < s->nblocks; i++) {
		k = &s->blocks[i];
		if (k->asked > BT_PICK_DUP_MAX || (k->held && k->asked > 0))
			return false;
		if (!k->held && k->asked == 0 && i < s->hint)
			return false;
		for (uint32_t j = 1; j < k->asked; j++)
			for (uint32_t m = 0; m < j; m++)
				if (k->who[m] == k->who[j])
					return false;
		held += k->held;
		asked[k->asked] += !k->held;
	}
	return held == s->held && memcmp(asked, s->asked, sizeof(asked)) == 0 &&
	       b->ready.rank[s->slot] == s->nblocks - s->held &&
	       b->slot_of[s->piece] == s->slot + 1 &&
	       bt_ranks_has(&b->ready, s->slot) ==
		   (s->wanted && s->owner == BT_PICK_NOBODY && asked[0] > 0);
}

bool
bt_begun_check(const struct bt_begun *b)
{
	uint32_t n = 0, owned = 0, indexed = 0;

	for (uint32_t i = 0; i < b->nslots; i++) {
		if (b->slots[i] == NULL) {
			if (bt_ranks_has(&b->ready, i))
				return false;
			continue;
		}
		if (b->slots[i]->slot != i || !is_sound(b, b->slots[i]))
			return false;
		n++;
		owned += b->slots[i]->owner != BT_PICK_NOBODY;
	}
	for (uint32_t i = 0; i < b->pieces; i++)
		indexed += b->slot_of[i] != 0;
	return n == b->n && indexed == n && owned == b->nowned &&
	       bt_ranks_check(&b->ready);
}
