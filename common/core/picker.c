#include "core/picker.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/begun.h"
#include "core/rivals.h"
#include "core/supply.h"

#define NONE UINT32_MAX

/*
 * The bound on one choice among pieces not begun, however many there are:
 * DRAWS random looks at each rank (there are no more ranks than peers), then
 * SKIP_MAX pieces that the peer lacks are passed over in order of rarity, then
 * one pass over words of 64 pieces in which at most SAMPLE_MAX are compared.
 * A peer with all pieces costs one look.
 */
#define DRAWS 32u
#define SKIP_MAX 1024u
#define SAMPLE_MAX 256u
#define CLAIMS_MAX 64u

struct bt_picker {
	const struct bt_layout *layout;
	struct bt_rng rng;
	struct bt_bits wanted, had;
	struct bt_bits lack;	 /* wanted and not had */
	struct bt_bits open;	 /* lack, not begun, under the horizon */
	struct bt_supply supply; /* the open pieces by availability */
	struct bt_begun begun;
	uint32_t begun_wanted; /* begun pieces that are wanted */
	uint32_t horizon;
	uint32_t window; /* 0: rarest first */
	uint32_t first;	 /* no piece before it is in lack */
	uint32_t prompt; /* begun by request: asked for first; or NONE */
	struct bt_rivals rivals;
};

struct bt_picker *
bt_picker_new(const struct bt_layout *l, uint64_t seed)
{
	struct bt_picker *p = bt_mem_zero(1, sizeof(*p));

	p->layout = l;
	bt_rng_seed(&p->rng, seed);
	bt_bits_init(&p->wanted, l->pieces);
	bt_bits_init(&p->had, l->pieces);
	bt_bits_init(&p->lack, l->pieces);
	bt_bits_init(&p->open, l->pieces);
	bt_supply_init(&p->supply, l->pieces);
	bt_begun_init(&p->begun, l->pieces);
	p->horizon = l->pieces;
	p->first = l->pieces;
	p->prompt = NONE;
	return p;
}

void
bt_picker_free(struct bt_picker *p)
{
	if (p == NULL)
		return;
	bt_bits_fini(&p->wanted);
	bt_bits_fini(&p->had);
	bt_bits_fini(&p->lack);
	bt_bits_fini(&p->open);
	bt_supply_fini(&p->supply);
	bt_begun_fini(&p->begun);
	bt_mem_free(p);
}

static bool
should_be_open(const struct bt_picker *p, uint32_t piece)
{
	return piece < p->horizon && bt_bits_has(&p->lack, piece) &&
	       bt_begun_find(&p->begun, piece) == NULL;
}

/* Bring lack, open and the order of rarity up to date for a piece. */
static void
settle(struct bt_picker *p, uint32_t piece)
{
	if (bt_bits_has(&p->wanted, piece) && !bt_bits_has(&p->had, piece)) {
		(void)bt_bits_put(&p->lack, piece);
		if (piece < p->first)
			p->first = piece;
	} else
		(void)bt_bits_drop(&p->lack, piece);
	if (should_be_open(p, piece)) {
		if (bt_bits_put(&p->open, piece))
			bt_ranks_add(&p->supply.rare, piece);
	} else if (bt_bits_drop(&p->open, piece))
		bt_ranks_drop(&p->supply.rare, piece);
}

void
bt_picker_want(struct bt_picker *p, uint32_t piece, bool wanted)
{
	struct bt_begun_piece *s = bt_begun_find(&p->begun, piece);

	if (wanted == bt_bits_has(&p->wanted, piece))
		return;
	if (wanted)
		(void)bt_bits_put(&p->wanted, piece);
	else
		(void)bt_bits_drop(&p->wanted, piece);
	if (s != NULL) {
		bt_begun_want(&p->begun, s, wanted);
		p->begun_wanted += wanted;
		p->begun_wanted -= !wanted;
	}
	settle(p, piece);
}

void
bt_picker_sequential(struct bt_picker *p, uint32_t window)
{
	p->window = window;
}

void
bt_picker_horizon(struct bt_picker *p, uint32_t limit)
{
	uint32_t from = p->horizon, to;

	if (limit > p->layout->pieces)
		limit = p->layout->pieces;
	to = limit;
	p->horizon = limit;
	if (from > to) {
		to = from;
		from = limit;
	}
	for (uint32_t i = from; i < to; i++)
		settle(p, i);
}

void
bt_picker_peer_bits(struct bt_picker *p, const struct bt_bits *have, int by)
{
	bt_supply_peer(&p->supply, have, by);
}

void
bt_picker_peer_have(struct bt_picker *p, uint32_t piece, int by)
{
	bt_supply_piece(&p->supply, piece, by);
}

void
bt_picker_rivals(
    struct bt_picker *p, uint64_t self, const uint64_t *ids, uint32_t n)
{
	bt_rivals_set(&p->rivals, self, ids, n);
}

/*
 * A choice among equals, each as likely, but for rule 8: one of ours before the
 * others. Claims are looked at for the first CLAIMS_MAX candidates.
 */
struct choice {
	uint32_t piece;	 /* or NONE */
	uint32_t ties;	 /* as good as it, itself included */
	uint32_t looked; /* claims looked at */
	bool ours;
};

static void
offer(struct bt_picker *p, struct choice *c, uint32_t piece)
{
	bool ours =
	    c->looked < CLAIMS_MAX && bt_rivals_is_ours(&p->rivals, piece);

	c->looked++;
	if (ours != c->ours && c->piece != NONE) {
		if (!ours)
			return;
		c->ties = 0;
	}
	c->ours = ours;
	if (bt_rng_below(&p->rng, ++c->ties) == 0)
		c->piece = piece;
}

/* One of order[from .. to - 1] that the peer has, or NONE. */
static uint32_t
draw(struct bt_picker *p, const struct bt_bits *have, uint32_t from,
    uint32_t to, uint32_t *skips)
{
	struct choice c = { .piece = NONE };
	uint32_t piece, at;

	if (to - from > DRAWS) {
		for (uint32_t i = 0; i < DRAWS && !c.ours; i++) {
			at = from + bt_rng_below(&p->rng, to - from);
			piece = p->supply.rare.order[at];
			if (bt_bits_has(have, piece))
				offer(p, &c, piece);
		}
		if (c.piece != NONE)
			return c.piece;
	}
	if (to - from > *skips) {
		*skips = 0;
		return NONE;
	}
	*skips -= to - from;
	for (uint32_t i = from; i < to; i++) {
		piece = p->supply.rare.order[i];
		if (bt_bits_has(have, piece))
			offer(p, &c, piece);
	}
	return c.piece;
}

/*
 * The rarest, or any, of the first SAMPLE_MAX open pieces that the peer has,
 * from a random place on.
 */
static uint32_t
sample(struct bt_picker *p, const struct bt_bits *have,
    const struct bt_bits *only, bool any)
{
	uint32_t n = have->n, start = bt_rng_below(&p->rng, n), at = start;
	struct choice c = { .piece = NONE };
	uint32_t piece, rank, best = 0;
	bool wrapped = false;

	for (uint32_t seen = 0; seen < SAMPLE_MAX;) {
		piece = bt_bits_next_common(have, &p->open, only, at);
		if (wrapped && piece >= start)
			break;
		if (piece == n) {
			wrapped = true;
			at = 0;
			continue;
		}
		rank = any ? 0 : p->supply.rare.rank[piece];
		if (c.piece == NONE || rank < best) {
			best = rank;
			c = (struct choice){ .piece = NONE };
		}
		if (rank == best)
			offer(p, &c, piece);
		at = piece + 1;
		seen++;
	}
	return c.piece;
}

/* Rule 2: a piece to begin, or NONE. */
static uint32_t
choose_rare(
    struct bt_picker *p, const struct bt_bits *have, const struct bt_bits *only)
{
	bool any = p->had.set + p->begun.n < BT_PICK_RANDOM;
	uint32_t from, to, piece, skips = SKIP_MAX;

	if (p->supply.rare.n == 0 || have->set == 0)
		return NONE;
	if (only != NULL || have->set <= SAMPLE_MAX)
		return sample(p, have, only, any);
	for (uint32_t rank = 0; rank <= p->supply.rare.top && skips > 0;
	     rank++) {
		bt_ranks_span(&p->supply.rare, rank, &from, &to);
		if (any) {
			from = 0;
			to = p->supply.rare.n;
		}
		if (from == to)
			continue;
		piece = draw(p, have, from, to, &skips);
		if (piece != NONE)
			return piece;
		if (any)
			break;
	}
	return skips > 0 ? NONE : sample(p, have, only, any);
}

static bool
in_window(const struct bt_picker *p, uint32_t piece)
{
	return p->window == 0 || piece - p->first < p->window;
}

/* Rule 3: the first open piece in the window, or NONE. */
static uint32_t
choose_first(
    struct bt_picker *p, const struct bt_bits *have, const struct bt_bits *only)
{
	uint32_t piece = bt_bits_next_common(have, &p->open, only, p->first);

	return piece < have->n && in_window(p, piece) ? piece : NONE;
}

static struct bt_begun_piece *
begin(struct bt_picker *p, uint32_t piece, uint32_t who)
{
	uint32_t nblocks = bt_layout_blocks(p->layout, piece);
	struct bt_begun_piece *s = bt_begun_add(&p->begun, piece, nblocks);

	s->starter = who;
	p->begun_wanted++;
	settle(p, piece);
	return s;
}

static bool
may_give(const struct bt_begun_piece *s, const struct bt_bits *have,
    const struct bt_bits *only)
{
	return s->wanted && s->asked[0] > 0 && bt_bits_has(have, s->piece) &&
	       (only == NULL || bt_bits_has(only, s->piece));
}

/* What comes before the order of rule 1: the peer's own, and the prompted. */
static struct bt_begun_piece *
choose_urgent(struct bt_picker *p, uint32_t who, const struct bt_bits *have,
    const struct bt_bits *only)
{
	struct bt_begun_piece *s;

	for (uint32_t i = 0, left = p->begun.nowned; left > 0; i++) {
		s = p->begun.slots[i];
		if (s == NULL || s->owner == BT_PICK_NOBODY)
			continue;
		left--;
		if (s->owner == who && may_give(s, have, only))
			return s;
	}
	if (p->prompt == NONE)
		return NULL;
	s = bt_begun_find(&p->begun, p->prompt);
	if (s == NULL) {
		p->prompt = NONE;
		return NULL;
	}
	if (s->owner != BT_PICK_NOBODY || !may_give(s, have, only))
		return NULL;
	return s;
}

/*
 * Rule 1, or with rule 3 the first of the ready pieces. Passes over those
 * that the peer lacks: no more are ready than peers are asked, but for what
 * was released.
 */
static struct bt_begun_piece *
choose_begun(struct bt_picker *p, uint32_t who, const struct bt_bits *have,
    const struct bt_bits *only)
{
	struct bt_begun_piece *s, *best = NULL;

	for (uint32_t i = 0; i < p->begun.ready.n; i++) {
		s = p->begun.slots[p->begun.ready.order[i]];
		if (!may_give(s, have, only))
			continue;
		if (p->window == 0 && s->starter == who)
			return s;
		if (best == NULL || (p->window > 0 && s->piece < best->piece))
			best = s;
	}
	return best;
}

/* Rule 1's exception: is there a piece to begin that is rarer than this one? */
static uint32_t
choose_rarer(struct bt_picker *p, uint32_t who, const struct bt_begun_piece *s,
    const struct bt_bits *have, const struct bt_bits *only)
{
	uint32_t piece;

	if (s->starter == who || p->had.set < BT_PICK_RANDOM)
		return NONE;
	piece = choose_rare(p, have, only);
	if (piece == NONE ||
	    p->supply.rare.rank[piece] >= p->supply.rare.rank[s->piece])
		return NONE;
	return piece;
}

/* A piece to begin before asking for more of s (NULL: there is none begun). */
static uint32_t
choose_new(struct bt_picker *p, uint32_t who, const struct bt_begun_piece *s,
    const struct bt_bits *have, const struct bt_bits *only)
{
	uint32_t piece;

	if (p->window > 0) {
		piece = choose_first(p, have, only);
		return s == NULL || piece < s->piece ? piece : NONE;
	}
	if (s != NULL)
		return choose_rarer(p, who, s, have, only);
	return choose_rare(p, have, only);
}

/* The prompted piece goes before others only until all of it is asked. */
static void
settle_prompt(struct bt_picker *p, const struct bt_begun_piece *s)
{
	if (s->piece == p->prompt && s->asked[0] == 0)
		p->prompt = NONE;
}

bool
bt_picker_pick(struct bt_picker *p, uint32_t who, const struct bt_bits *have,
    const struct bt_bits *only, bool may_start, struct bt_pick *out, bool *dup)
{
	struct bt_begun_piece *s;
	uint32_t piece = NONE;

	assert(have->n == p->layout->pieces);
	assert(who != BT_PICK_NOBODY);
	*dup = false;
	p->first = bt_bits_next(&p->lack, p->first);
	s = choose_urgent(p, who, have, only);
	if (s == NULL) {
		s = choose_begun(p, who, have, only);
		if (may_start)
			piece = choose_new(p, who, s, have, only);
		if (piece != NONE)
			s = begin(p, piece, who);
	}
	if (s != NULL) {
		out->piece = s->piece;
		out->block = bt_begun_ask(&p->begun, s, who);
		settle_prompt(p, s);
		return true;
	}
	if (!bt_picker_is_endgame(p) ||
	    !bt_begun_ask_again(&p->begun, who, have, only, out))
		return false;
	*dup = true;
	return true;
}

bool
bt_picker_has_own(
    const struct bt_picker *p, uint32_t who, const struct bt_bits *have)
{
	const struct bt_begun_piece *s;

	for (uint32_t i = 0; i < p->begun.ready.n; i++) {
		s = p->begun.slots[p->begun.ready.order[i]];
		if (s->starter == who && may_give(s, have, NULL))
			return true;
	}
	return false;
}

bool
bt_picker_start(struct bt_picker *p, uint32_t piece, uint32_t who)
{
	p->first = bt_bits_next(&p->lack, p->first);
	if (!bt_bits_has(&p->open, piece) || !in_window(p, piece))
		return false;
	(void)begin(p, piece, who);
	if (who == BT_PICK_NOBODY)
		p->prompt = piece;
	return true;
}

void
bt_picker_release(struct bt_picker *p, uint32_t who, struct bt_pick b)
{
	struct bt_begun_piece *s = bt_begun_find(&p->begun, b.piece);

	if (s == NULL)
		return;
	bt_begun_release(&p->begun, s, who, b.block);
	if (s->starter == who && s->held == 0 && s->asked[0] == s->nblocks)
		s->starter = BT_PICK_NOBODY; /* begun in vain */
}

bool
bt_picker_got(struct bt_picker *p, uint32_t who, struct bt_pick b,
    uint32_t *others, uint32_t max, uint32_t *nothers)
{
	struct bt_begun_piece *s = bt_begun_find(&p->begun, b.piece);
	bool news;

	*nothers = 0;
	if (s == NULL)
		return false;
	news = bt_begun_got(&p->begun, s, who, b.block, others, max, nothers);
	settle_prompt(p, s);
	return news;
}

bool
bt_picker_is_useful(const struct bt_picker *p, const struct bt_bits *have)
{
	return bt_bits_next_common(have, &p->lack, NULL, 0) < have->n;
}

bool
bt_picker_is_whole(const struct bt_picker *p, uint32_t piece)
{
	const struct bt_begun_piece *s = bt_begun_find(&p->begun, piece);

	return s != NULL && s->held == s->nblocks;
}

bool
bt_picker_is_begun(const struct bt_picker *p, uint32_t piece)
{
	return bt_begun_find(&p->begun, piece) != NULL;
}

/* The piece is under way no more, if it was. */
static void
end(struct bt_picker *p, uint32_t piece)
{
	struct bt_begun_piece *s = bt_begun_find(&p->begun, piece);

	if (s != NULL) {
		p->begun_wanted -= s->wanted;
		bt_begun_drop(&p->begun, s);
	}
	settle(p, piece);
}

void
bt_picker_done(struct bt_picker *p, uint32_t piece)
{
	(void)bt_bits_put(&p->had, piece);
	end(p, piece);
}

void
bt_picker_failed(struct bt_picker *p, uint32_t piece)
{
	end(p, piece);
}

void
bt_picker_exclusive(struct bt_picker *p, uint32_t piece, uint32_t who)
{
	struct bt_begun_piece *s = bt_begun_find(&p->begun, piece);

	assert(s != NULL);
	bt_begun_own(&p->begun, s, who);
}

uint32_t
bt_picker_begun(const struct bt_picker *p)
{
	return p->begun.n;
}

uint32_t
bt_picker_availability(const struct bt_picker *p, uint32_t piece)
{
	assert(piece < p->layout->pieces);
	return p->supply.full + p->supply.rare.rank[piece];
}

/* Rule 5: nothing is left to begin, and no begun piece has a free block. */
bool
bt_picker_is_endgame(const struct bt_picker *p)
{
	return p->lack.set > 0 && p->lack.set == p->begun_wanted &&
	       p->begun.ready.n == 0;
}

bool
bt_picker_check(const struct bt_picker *p)
{
	const struct bt_begun_piece *s;
	uint32_t begun_wanted = 0;
	bool lacks;

	for (uint32_t i = 0; i < p->layout->pieces; i++) {
		lacks = bt_bits_has(&p->wanted, i) && !bt_bits_has(&p->had, i);
		if (lacks != bt_bits_has(&p->lack, i) ||
		    (lacks && i < p->first) ||
		    bt_bits_has(&p->open, i) != should_be_open(p, i) ||
		    bt_bits_has(&p->open, i) !=
			bt_ranks_has(&p->supply.rare, i))
			return false;
		s = bt_begun_find(&p->begun, i);
		if (s == NULL)
			continue;
		if (s->wanted != bt_bits_has(&p->wanted, i) ||
		    bt_bits_has(&p->had, i) ||
		    s->nblocks != bt_layout_blocks(p->layout, i))
			return false;
		begun_wanted += s->wanted;
	}
	return begun_wanted == p->begun_wanted &&
	       bt_ranks_check(&p->supply.rare) && bt_begun_check(&p->begun);
}
