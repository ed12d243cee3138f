/*
 * The picker against a model that looks at every block each time. The seed of
 * a failing run is printed; SEED=n in the environment runs that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "codec/wire.h"
#include "core/picker.h"

#define PIECES 600u /* at most, in one run of four; else FEW */
#define FEW 24u
#define BLOCKS 5u
#define PEERS 6u
#define STEPS 1500
#define RUNS 80u

enum state { MISSING, BEGUN, HAD };

struct block {
	bool held, asked[PEERS];
};

struct world {
	uint64_t seed;
	int step;
	struct bt_rng rng;
	struct bt_layout layout;
	struct bt_picker *p;
	/* the model */
	uint32_t pieces, horizon, window;
	enum state state[PIECES];
	bool wanted[PIECES];
	uint32_t owner[PIECES];
	uint32_t starter[PIECES];
	uint32_t prompt;
	struct block blocks[PIECES][BLOCKS];
	bool here[PEERS];
	struct bt_bits have[PEERS];
};

#define MUST(w, condition)                                                     \
	do {                                                                   \
		if (!(condition))                                              \
			fail_msg("SEED=%ju step %d: %s", (uintmax_t)(w)->seed, \
			    (w)->step, #condition);                            \
	} while (0)

static uint32_t
nblocks(const struct world *w, uint32_t piece)
{
	return bt_layout_blocks(&w->layout, piece);
}

static uint32_t
asked(const struct block *b)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < PEERS; k++)
		n += b->asked[k];
	return n;
}

static uint32_t
count(const struct world *w, uint32_t piece, bool held)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < nblocks(w, piece); k++)
		if (held)
			n += w->blocks[piece][k].held;
		else
			n += !w->blocks[piece][k].held &&
			     asked(&w->blocks[piece][k]) == 0;
	return n;
}

static uint32_t
rarity(const struct world *w, uint32_t piece)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < PEERS; k++)
		n += w->here[k] && bt_bits_has(&w->have[k], piece);
	return n;
}

static uint32_t
first_missing(const struct world *w)
{
	uint32_t i = 0;

	while (i < w->pieces && (!w->wanted[i] || w->state[i] == HAD))
		i++;
	return i;
}

static bool
may_begin(const struct world *w, uint32_t piece)
{
	return w->state[piece] == MISSING && w->wanted[piece] &&
	       piece < w->horizon &&
	       (w->window == 0 || piece - first_missing(w) < w->window);
}

static bool
is_endgame(const struct world *w)
{
	bool lacking = false;

	for (uint32_t i = 0; i < w->pieces; i++) {
		if (!w->wanted[i] || w->state[i] == HAD)
			continue;
		lacking = true;
		if (w->state[i] == MISSING ||
		    (w->owner[i] == BT_PICK_NOBODY && count(w, i, false) > 0))
			return false;
	}
	return lacking;
}

/* What a pick has to choose from. */
struct choice {
	uint32_t who;
	const struct bt_bits *only;
	bool may_start;
};

static bool
has(const struct world *w, const struct choice *c, uint32_t piece)
{
	return bt_bits_has(&w->have[c->who], piece) &&
	       (c->only == NULL || bt_bits_has(c->only, piece));
}

static bool
can_give(const struct world *w, const struct choice *c, uint32_t piece)
{
	return has(w, c, piece) && w->wanted[piece] &&
	       w->state[piece] == BEGUN && count(w, piece, false) > 0 &&
	       (w->owner[piece] == BT_PICK_NOBODY || w->owner[piece] == c->who);
}

/* Is there a first choice that goes before all order? */
static bool
is_urgent(const struct world *w, const struct choice *c, uint32_t piece)
{
	return can_give(w, c, piece) &&
	       (w->owner[piece] == c->who || w->prompt == piece);
}

static bool
any_urgent(const struct world *w, const struct choice *c)
{
	for (uint32_t i = 0; i < w->pieces; i++)
		if (is_urgent(w, c, i))
			return true;
	return false;
}

static bool
is_own(const struct world *w, const struct choice *c, uint32_t piece)
{
	return w->state[piece] == BEGUN && w->starter[piece] == c->who;
}

static uint32_t
lacking(const struct world *w, uint32_t piece)
{
	return nblocks(w, piece) - count(w, piece, true);
}

/* Does a, which may be chosen, come before the picked piece by rules 1 to 3? */
static bool
goes_before(const struct world *w, const struct choice *c, uint32_t a,
    uint32_t picked, uint32_t had)
{
	bool begun = w->state[picked] == BEGUN;

	if (w->window > 0)
		return a < picked;
	if (is_own(w, c, a) != is_own(w, c, picked))
		return is_own(w, c, a);
	if (w->state[a] == BEGUN && begun)
		return lacking(w, a) < lacking(w, picked);
	if (w->state[a] == BEGUN) /* the exception: only for a rarer one */
		return had < BT_PICK_RANDOM;
	if (begun)
		return had >= BT_PICK_RANDOM && !is_own(w, c, picked) &&
		       rarity(w, a) < rarity(w, picked);
	return had >= BT_PICK_RANDOM && rarity(w, a) < rarity(w, picked);
}

/* A piece begun while others' were there: one of the nearest is less rare. */
static bool
is_rarer_than_the_nearest(
    const struct world *w, const struct choice *c, uint32_t picked)
{
	uint32_t least = UINT32_MAX, most_common = 0;

	for (uint32_t i = 0; i < w->pieces; i++) {
		if (!can_give(w, c, i) || lacking(w, i) > least)
			continue;
		if (lacking(w, i) < least)
			most_common = 0;
		least = lacking(w, i);
		if (rarity(w, i) > most_common)
			most_common = rarity(w, i);
	}
	return least == UINT32_MAX || rarity(w, picked) < most_common;
}

static void
check_first_ask(struct world *w, const struct choice *c, struct bt_pick b)
{
	uint32_t had = 0, begun = 0;

	for (uint32_t i = 0; i < w->pieces; i++) {
		had += w->state[i] == HAD;
		begun += w->state[i] == BEGUN;
	}
	MUST(w, has(w, c, b.piece));
	for (uint32_t k = 0; k < b.block; k++)
		MUST(w, w->blocks[b.piece][k].held ||
			    asked(&w->blocks[b.piece][k]) > 0);
	MUST(w, !w->blocks[b.piece][b.block].held);
	MUST(w, asked(&w->blocks[b.piece][b.block]) == 0);
	if (any_urgent(w, c)) {
		MUST(w, is_urgent(w, c, b.piece));
		return;
	}
	MUST(w,
	    can_give(w, c, b.piece) || (c->may_start && may_begin(w, b.piece)));
	for (uint32_t i = 0; i < w->pieces; i++) {
		if (!can_give(w, c, i) &&
		    (!c->may_start || !has(w, c, i) || !may_begin(w, i)))
			continue;
		/* among new ones, begun ones count as well for rule 2 */
		MUST(w,
		    !goes_before(w, c, i, b.piece,
			w->state[i] == MISSING && w->state[b.piece] == MISSING
			    ? had + begun
			    : had));
	}
	if (w->window == 0 && w->state[b.piece] == MISSING)
		MUST(w, is_rarer_than_the_nearest(w, c, b.piece));
}

static bool
may_ask_again(const struct world *w, const struct choice *c, uint32_t piece,
    uint32_t block, uint32_t times)
{
	const struct block *b = &w->blocks[piece][block];

	return has(w, c, piece) && w->wanted[piece] &&
	       w->state[piece] == BEGUN && w->owner[piece] == BT_PICK_NOBODY &&
	       !b->held && asked(b) == times && !b->asked[c->who];
}

/* How often the least asked block is that who may be asked for too. */
static uint32_t
least_asked(const struct world *w, const struct choice *c)
{
	for (uint32_t times = 1; times < BT_PICK_DUP_MAX; times++)
		for (uint32_t i = 0; i < w->pieces; i++)
			for (uint32_t k = 0; k < nblocks(w, i); k++)
				if (may_ask_again(w, c, i, k, times))
					return times;
	return BT_PICK_DUP_MAX;
}

static void
check_nothing(struct world *w, const struct choice *c)
{
	for (uint32_t i = 0; i < w->pieces; i++) {
		MUST(w, !can_give(w, c, i));
		MUST(w, !c->may_start || !has(w, c, i) || !may_begin(w, i));
	}
	MUST(w, !is_endgame(w) || least_asked(w, c) == BT_PICK_DUP_MAX);
}

static void
do_pick(struct world *w)
{
	struct choice c = { .who = bt_rng_below(&w->rng, PEERS),
		.may_start = bt_rng_below(&w->rng, 8) > 0 };
	struct bt_bits only;
	struct bt_pick b;
	bool dup;

	if (!w->here[c.who])
		return;
	bt_bits_init(&only, w->pieces);
	for (uint32_t i = 0; i < w->pieces; i++)
		if (bt_rng_below(&w->rng, 3) == 0)
			(void)bt_bits_put(&only, i);
	if (bt_rng_below(&w->rng, 6) == 0)
		c.only = &only;
	if (!bt_picker_pick(
		w->p, c.who, &w->have[c.who], c.only, c.may_start, &b, &dup)) {
		check_nothing(w, &c);
		bt_bits_fini(&only);
		return;
	}
	MUST(w, b.piece < w->pieces && b.block < nblocks(w, b.piece));
	if (dup) {
		MUST(w, is_endgame(w));
		MUST(w,
		    may_ask_again(w, &c, b.piece, b.block, least_asked(w, &c)));
	} else
		check_first_ask(w, &c, b);
	if (w->state[b.piece] == MISSING)
		w->starter[b.piece] = c.who;
	w->state[b.piece] = BEGUN;
	w->blocks[b.piece][b.block].asked[c.who] = true;
	bt_bits_fini(&only);
}

static void
forget(struct world *w, uint32_t piece, enum state state)
{
	memset(w->blocks[piece], 0, sizeof(w->blocks[piece]));
	w->owner[piece] = BT_PICK_NOBODY;
	w->state[piece] = state;
	if (w->prompt == piece)
		w->prompt = UINT32_MAX;
}

/* The first piece from this one on with a block asked of who; or this one. */
static uint32_t
asked_piece(const struct world *w, uint32_t from, uint32_t who)
{
	uint32_t piece;

	for (uint32_t i = 0; i < w->pieces; i++) {
		piece = (from + i) % w->pieces;
		for (uint32_t k = 0; k < nblocks(w, piece); k++)
			if (w->blocks[piece][k].asked[who])
				return piece;
	}
	return from;
}

static void
do_got(struct world *w)
{
	uint32_t others[PEERS], n, who = bt_rng_below(&w->rng, PEERS);
	uint32_t piece = bt_rng_below(&w->rng, w->pieces);
	struct bt_pick b;
	struct block *k;
	bool news;

	/* mostly what was asked, sometimes what was not */
	if (bt_rng_below(&w->rng, 20) > 0)
		piece = asked_piece(w, piece, who);
	b = (struct bt_pick){ piece, bt_rng_below(&w->rng, nblocks(w, piece)) };
	k = &w->blocks[piece][b.block];
	if (!k->asked[who] && bt_rng_below(&w->rng, 20) > 0)
		return;
	news = bt_picker_got(w->p, who, b, others, PEERS, &n);
	MUST(w, news == (w->state[piece] == BEGUN && !k->held));
	if (!news) {
		MUST(w, n == 0);
		return;
	}
	MUST(w, n == asked(k) - k->asked[who]);
	for (uint32_t i = 0; i < n; i++) {
		MUST(w, others[i] != who && k->asked[others[i]]);
		k->asked[others[i]] = false;
	}
	k->asked[who] = false;
	k->held = true;
	MUST(w, bt_picker_is_whole(w->p, piece) ==
		    (count(w, piece, true) == nblocks(w, piece)));
	if (!bt_picker_is_whole(w->p, piece))
		return;
	if (bt_rng_below(&w->rng, 4) == 0) {
		bt_picker_failed(w->p, piece);
		forget(w, piece, MISSING);
	} else {
		bt_picker_done(w->p, piece);
		forget(w, piece, HAD);
	}
}

/* A choke, or its end: all that it was asked for comes back. */
/* No block of it is held, or asked of anybody. */
static bool
is_untouched(const struct world *w, uint32_t piece)
{
	for (uint32_t k = 0; k < nblocks(w, piece); k++)
		if (w->blocks[piece][k].held || asked(&w->blocks[piece][k]) > 0)
			return false;
	return true;
}

static void
release_all(struct world *w, uint32_t who)
{
	for (uint32_t i = 0; i < w->pieces; i++)
		for (uint32_t k = 0; k < nblocks(w, i); k++) {
			bt_picker_release(w->p, who, (struct bt_pick){ i, k });
			w->blocks[i][k].asked[who] = false;
			if (w->starter[i] == who && is_untouched(w, i))
				w->starter[i] = BT_PICK_NOBODY;
		}
}

static void
do_peer(struct world *w)
{
	uint32_t who = bt_rng_below(&w->rng, PEERS), i;

	if (w->here[who] && bt_rng_below(&w->rng, 10) > 0) {
		i = bt_rng_below(&w->rng, w->pieces);
		if (bt_bits_put(&w->have[who], i))
			bt_picker_peer_have(w->p, i, 1);
		return;
	}
	if (w->here[who]) {
		release_all(w, who);
		bt_picker_peer_bits(w->p, &w->have[who], -1);
		for (i = 0; i < w->pieces; i++)
			if (w->owner[i] == who) {
				bt_picker_exclusive(w->p, i, BT_PICK_NOBODY);
				w->owner[i] = BT_PICK_NOBODY;
			}
	} else {
		bt_bits_fill(&w->have[who], bt_rng_below(&w->rng, 3) == 0);
		for (i = 0; i < w->pieces; i++)
			if (bt_rng_below(&w->rng, 2) == 0)
				(void)bt_bits_put(&w->have[who], i);
		bt_picker_peer_bits(w->p, &w->have[who], 1);
	}
	w->here[who] = !w->here[who];
}

static void
do_policy(struct world *w)
{
	uint32_t i = bt_rng_below(&w->rng, w->pieces);
	bool began;

	switch (bt_rng_below(&w->rng, 6)) {
	case 0:
		w->wanted[i] = !w->wanted[i];
		bt_picker_want(w->p, i, w->wanted[i]);
		break;
	case 1:
		w->window = bt_rng_below(&w->rng, 2) * bt_rng_below(&w->rng, 9);
		bt_picker_sequential(w->p, w->window);
		break;
	case 2:
		w->horizon = bt_rng_below(&w->rng, 2 * w->pieces);
		bt_picker_horizon(w->p, w->horizon);
		break;
	case 3:
		began = bt_picker_start(w->p, i, BT_PICK_NOBODY);
		MUST(w, began == may_begin(w, i));
		if (began) {
			w->state[i] = BEGUN;
			w->starter[i] = BT_PICK_NOBODY;
			w->prompt = i;
		}
		break;
	case 4:
		if (w->state[i] != BEGUN)
			break;
		w->owner[i] = bt_rng_below(&w->rng, PEERS);
		if (!w->here[w->owner[i]])
			w->owner[i] = BT_PICK_NOBODY;
		bt_picker_exclusive(w->p, i, w->owner[i]);
		break;
	default:
		if (bt_rng_below(&w->rng, 4) > 0)
			break;
		bt_picker_failed(w->p, i); /* given up, or lost from disk */
		if (w->state[i] == BEGUN)
			forget(w, i, MISSING);
	}
}

static void
check_queries(struct world *w)
{
	uint32_t begun = 0, who = bt_rng_below(&w->rng, PEERS);
	bool useful = false;

	MUST(w, bt_picker_check(w->p));
	MUST(w, bt_picker_is_endgame(w->p) == is_endgame(w));
	for (uint32_t i = 0; i < w->pieces; i++) {
		begun += w->state[i] == BEGUN;
		MUST(w, bt_picker_is_begun(w->p, i) == (w->state[i] == BEGUN));
		MUST(w, bt_picker_availability(w->p, i) == rarity(w, i));
		useful |= w->wanted[i] && w->state[i] != HAD &&
			  bt_bits_has(&w->have[who], i);
	}
	MUST(w, bt_picker_begun(w->p) == begun);
	MUST(w, bt_picker_is_useful(w->p, &w->have[who]) == useful);
}

/* The prompted piece is forgotten once all of it is asked. */
static void
settle_prompt(struct world *w)
{
	if (w->prompt != UINT32_MAX && count(w, w->prompt, false) == 0)
		w->prompt = UINT32_MAX;
}

static void
run(uint64_t seed)
{
	static const struct world zero;
	static struct world w; /* 60 KB */
	uint32_t what;

	w = zero;
	w.seed = seed;
	w.prompt = UINT32_MAX;

	bt_rng_seed(&w.rng, seed);
	w.pieces = 1 + bt_rng_below(&w.rng, seed % 4 == 3 ? PIECES : FEW);
	w.horizon = w.pieces;
	w.layout.pieces = w.pieces;
	w.layout.piece_length =
	    (1 + bt_rng_below(&w.rng, BLOCKS)) * BT_BLOCK_LEN;
	w.layout.size = (uint64_t)w.layout.piece_length * w.pieces -
			bt_rng_below(&w.rng, w.layout.piece_length);
	w.p = bt_picker_new(&w.layout, seed);
	for (uint32_t k = 0; k < PEERS; k++)
		bt_bits_init(&w.have[k], w.pieces);
	for (uint32_t i = 0; i < w.pieces; i++) {
		w.owner[i] = BT_PICK_NOBODY;
		w.wanted[i] = true;
		bt_picker_want(w.p, i, true);
	}
	for (w.step = 0; w.step < STEPS; w.step++) {
		what = bt_rng_below(&w.rng, 100);
		if (what < 35)
			do_pick(&w);
		else if (what < 85)
			do_got(&w);
		else if (what < 87)
			release_all(&w, bt_rng_below(&w.rng, PEERS));
		else if (what < 94)
			do_peer(&w);
		else if (seed % 3 == 0 || what < 96)
			do_policy(&w);
		check_queries(&w);
		settle_prompt(&w);
	}
	for (uint32_t k = 0; k < PEERS; k++)
		bt_bits_fini(&w.have[k]);
	bt_picker_free(w.p);
}

static void
the_picker_agrees_with_a_model_that_looks_at_everything(void **state)
{
	const char *seed = getenv("SEED");

	(void)state;
	if (seed != NULL) {
		run(strtoull(seed, NULL, 10));
		return;
	}
	for (uint64_t i = 0; i < RUNS; i++)
		run(i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_picker_agrees_with_a_model_that_looks_at_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
