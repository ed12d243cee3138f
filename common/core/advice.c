#include "core/advice.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "core/outbox.h"
#include "core/torrent_priv.h"

#define NONE UINT32_MAX

/* Looks at pieces of one rank, and at all, before the search is given up. */
#define DRAWS 16u
#define DRAWS_MAX 128u

void
bt_advice_turn(struct bt_torrent *t, bool on)
{
	struct bt_peer *p;

	if (on == (t->supply != NULL))
		return;
	if (!on) {
		for (uint32_t i = 0; i < t->npeers; i++)
			if (t->peers[i] != NULL)
				bt_advice_on_choke(t, t->peers[i]);
		bt_advice_fini(t);
		return;
	}
	t->supply = bt_mem_zero(1, sizeof(*t->supply));
	bt_supply_init(t->supply, t->layout->pieces);
	for (uint32_t i = 0; i < t->layout->pieces; i++)
		if (bt_bits_has(&t->have, i) && !bt_bits_has(&t->lost, i))
			bt_ranks_add(&t->supply->rare, i);
	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p != NULL && !p->dead &&
		    bt_torrent_peer_have(t, p)->set > 0)
			bt_supply_peer(
			    t->supply, bt_torrent_peer_have(t, p), 1);
	}
}

void
bt_advice_fini(struct bt_torrent *t)
{
	if (t->supply == NULL)
		return;
	bt_supply_fini(t->supply);
	bt_mem_free(t->supply);
	t->supply = NULL;
}

static uint32_t
place_of(const struct bt_advice *a, uint32_t piece)
{
	uint32_t i = 0;

	while (i < a->n && a->piece[i] != piece)
		i++;
	return i;
}

static void
take_out(struct bt_advice *a, uint32_t i)
{
	uint32_t rest = a->n - i - 1;

	a->nasked -= a->asked[i];
	memmove(a->piece + i, a->piece + i + 1, rest * sizeof(a->piece[0]));
	memmove(a->asked + i, a->asked + i + 1, rest * sizeof(a->asked[0]));
	a->n--;
}

static void
put_in(struct bt_advice *a, uint32_t piece, bool asked)
{
	assert(a->n < BT_ADVICE_MAX);
	a->piece[a->n] = piece;
	a->asked[a->n] = asked;
	a->nasked += asked;
	a->n++;
}

static struct bt_advice *
of(struct bt_advice **a)
{
	if (*a == NULL)
		*a = bt_mem_zero(1, sizeof(**a));
	return *a;
}

void
bt_advice_peer(struct bt_torrent *t, const struct bt_bits *have, int by)
{
	if (t->supply != NULL)
		bt_supply_peer(t->supply, have, by);
}

/* A promise that was kept is a copy now: the count stays. */
void
bt_advice_piece(struct bt_torrent *t, struct bt_peer *p, uint32_t piece, int by)
{
	uint32_t i;

	if (t->supply == NULL)
		return;
	if (by > 0 && p->promised != NULL) {
		i = place_of(p->promised, piece);
		if (i < p->promised->n) {
			take_out(p->promised, i);
			return;
		}
	}
	bt_supply_piece(t->supply, piece, by);
}

static void
promise(struct bt_torrent *t, struct bt_peer *p, uint32_t piece, bool asked)
{
	struct bt_advice *a = of(&p->promised);

	if (a->n == BT_ADVICE_MAX) {
		bt_supply_piece(t->supply, a->piece[0], -1);
		take_out(a, 0);
	}
	put_in(a, piece, asked);
	bt_supply_piece(t->supply, piece, 1);
}

/* Rule 2: a piece of the lowest count that p lacks and was not promised. */
static uint32_t
choose(struct bt_torrent *t, const struct bt_peer *p)
{
	const struct bt_ranks *rare = &t->supply->rare;
	const struct bt_bits *has = bt_torrent_peer_have(t, p);
	uint32_t from, to, piece, draws, left = DRAWS_MAX;

	for (uint32_t rank = 0; rank <= rare->top && left > 0; rank++) {
		bt_ranks_span(rare, rank, &from, &to);
		draws = to - from < DRAWS ? to - from : DRAWS;
		for (; draws > 0 && left > 0; draws--, left--) {
			piece = rare->order[from + bt_rng_below(&t->choker.rng,
						       to - from)];
			if (!bt_bits_has(has, piece) &&
			    (p->promised == NULL ||
				place_of(p->promised, piece) == p->promised->n))
				return piece;
		}
	}
	return NONE;
}

static void
advise(struct bt_torrent *t, struct bt_peer *p)
{
	uint32_t blocks = t->layout->piece_length / BT_BLOCK_LEN;
	uint32_t ahead = 2 + BT_ADVICE_BLOCKS / (blocks > 0 ? blocks : 1);
	uint32_t piece;

	while (!p->dead && (p->promised == NULL ||
			       p->promised->n - p->promised->nasked < ahead)) {
		piece = choose(t, p);
		if (piece == NONE)
			return;
		promise(t, p, piece, false);
		bt_outbox_put(t, p, BT_SUGGEST, piece, 0, 0);
	}
}

void
bt_advice_on_unchoke(struct bt_torrent *t, struct bt_peer *p)
{
	if (t->supply != NULL && p->fast)
		advise(t, p);
}

void
bt_advice_on_ask(struct bt_torrent *t, struct bt_peer *p, uint32_t piece)
{
	struct bt_advice *a = p->promised;
	uint32_t i;

	if (t->supply == NULL || p->asked_last == piece)
		return;
	p->asked_last = piece;
	i = a == NULL ? 0 : place_of(a, piece);
	if (a == NULL || i == a->n)
		promise(t, p, piece, true);
	else if (a->asked[i])
		return;
	else {
		a->asked[i] = true;
		a->nasked++;
	}
	if (p->fast && !p->am_choking)
		advise(t, p);
}

void
bt_advice_on_choke(struct bt_torrent *t, struct bt_peer *p)
{
	struct bt_advice *a = p->promised;

	if (a == NULL)
		return;
	for (uint32_t i = 0; i < a->n && t->supply != NULL; i++)
		bt_supply_piece(t->supply, a->piece[i], -1);
	bt_mem_free(a);
	p->promised = NULL;
	p->asked_last = NONE;
}

void
bt_advice_on_lost(struct bt_torrent *t, uint32_t piece)
{
	if (t->supply != NULL && bt_ranks_has(&t->supply->rare, piece))
		bt_ranks_drop(&t->supply->rare, piece);
}

void
bt_advice_hear(struct bt_peer *p, uint32_t piece)
{
	struct bt_advice *a = of(&p->advice);

	if (place_of(a, piece) < a->n)
		return;
	if (a->n == BT_ADVICE_MAX)
		take_out(a, 0);
	put_in(a, piece, false);
}

void
bt_advice_forget(struct bt_peer *p)
{
	bt_mem_free(p->advice);
	p->advice = NULL;
}

uint32_t
bt_advice_next(struct bt_peer *p, const struct bt_torrent *t)
{
	struct bt_advice *a = p->advice;
	uint32_t piece;

	while (a != NULL && a->n > 0) {
		piece = a->piece[0];
		if (bt_torrent_wants(t, piece) &&
		    bt_bits_has(bt_torrent_peer_have(t, p), piece) &&
		    !bt_picker_is_begun(t->picker, piece))
			return piece;
		take_out(a, 0);
	}
	return NONE;
}
