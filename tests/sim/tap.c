#include "tap.h"

#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "shell.h"

#define OWED_LONG BT_SEC(30)  /* core/requests: a snub, or lost */
#define CHOKE_GRACE BT_SEC(2) /* core/requests: rejects that never come */
#define THEIRS_MAX 20000u

static const struct bt_layout *
layout(const struct sim_end *e)
{
	return e->host->sim->content.layout;
}

static uint32_t
number(const struct sim_host *h, uint32_t piece, uint32_t begin)
{
	return h->sim->content.block_at[piece] + begin / BT_BLOCK_LEN;
}

static bool
is_free(const struct sim_host *h, uint32_t piece, uint32_t block)
{
	const struct sim_shell *sh = h->shell;

	return bt_bits_has(&sh->want, piece) &&
	       !bt_bits_has(&sh->disk, piece) &&
	       !bt_bits_has(&sh->ledger.doubted, piece) &&
	       !bt_bits_has(&sh->ledger.held, block) &&
	       sh->ledger.asked[block] == 0;
}

/* One more or one less peer is asked for it; it is held, or not. */
static void
change(struct sim_host *h, uint32_t piece, uint32_t begin, int asked, bool held)
{
	struct sim_ledger *l = &h->shell->ledger;
	uint32_t b = number(h, piece, begin);

	l->nfree -= is_free(h, piece, b);
	l->asked[b] = (uint8_t)(l->asked[b] + asked);
	if (held)
		bt_bits_put(&l->held, b);
	else
		bt_bits_drop(&l->held, b);
	l->nfree += is_free(h, piece, b);
}

static bool
is_held(const struct sim_host *h, const struct sim_ask *a)
{
	return bt_bits_has(
	    &h->shell->ledger.held, number(h, a->piece, a->begin));
}

static void
add(struct sim_asks *list, const struct bt_wire_msg *m, int64_t now)
{
	if (list->n == list->cap) {
		list->cap = list->cap == 0 ? 8 : list->cap * 2;
		list->a = bt_mem_resize(list->a, list->cap, sizeof(*list->a));
	}
	list->a[list->n++] = (struct sim_ask){ m->index, m->begin, m->length,
		now, false, false, false };
}

static struct sim_ask *
find(struct sim_asks *list, uint32_t piece, uint32_t begin, uint32_t length)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->a[i].piece == piece && list->a[i].begin == begin &&
		    list->a[i].length == length)
			return &list->a[i];
	return NULL;
}

static void
drop(struct sim_asks *list, struct sim_ask *a)
{
	size_t i = (size_t)(a - list->a);

	memmove(a, a + 1, (list->n - i - 1) * sizeof(*a));
	list->n--;
}

/* It will not be answered any more. */
static void
drop_ours(struct sim_end *e, struct sim_ask *a)
{
	struct sim_tap *tap = e->own;

	if (!a->cancelled)
		change(e->host, a->piece, a->begin, -1, is_held(e->host, a));
	drop(&tap->ours, a);
}

static bool
is_allowed(const struct sim_tap *tap, uint32_t piece)
{
	for (unsigned i = 0; i < tap->nallowed; i++)
		if (tap->allowed[i] == piece)
			return tap->fast;
	return false;
}

static void
drop_all_ours(struct sim_end *e, bool but_allowed)
{
	struct sim_tap *tap = e->own;
	unsigned i = 0;

	while (i < tap->ours.n)
		if (but_allowed && is_allowed(tap, tap->ours.a[i].piece))
			i++;
		else
			drop_ours(e, &tap->ours.a[i]);
}

struct sim_tap *
sim_tap_new(struct sim_end *e)
{
	struct sim_tap *tap = bt_mem_zero(1, sizeof(*tap));

	tap->choking = tap->am_choking = true;
	bt_bits_init(&tap->has, layout(e)->pieces);
	bt_buf_init(&tap->hello, KIB(4));
	return tap;
}

void
sim_tap_free(struct sim_tap *tap)
{
	sim_reader_fini(&tap->in);
	sim_reader_fini(&tap->out);
	bt_mem_free(tap->ours.a);
	bt_mem_free(tap->theirs.a);
	bt_bits_fini(&tap->has);
	bt_buf_fini(&tap->hello);
	bt_mem_free(tap);
}

void
sim_tap_end(struct sim_end *e)
{
	struct sim_tap *tap = e->own;

	e->host->shell->ledger.down += sim_reader_partial(&tap->in);
	drop_all_ours(e, false);
}

/* --- what it hears --- */

static void
on_block_in(struct sim_end *e, const struct bt_wire_msg *m)
{
	struct sim_tap *tap = e->own;
	struct sim_ask *a;

	e->host->shell->ledger.down += m->length;
	tap->paid_at = e->host->sim->now;
	a = find(&tap->ours, m->index, m->begin, m->length);
	if (a == NULL)
		return;
	change(e->host, a->piece, a->begin, a->cancelled ? 0 : -1, true);
	drop(&tap->ours, a);
}

static void
on_choke_in(struct sim_end *e, bool choke)
{
	struct sim_tap *tap = e->own;
	int64_t now = e->host->sim->now;

	if (tap->choking == choke)
		return;
	tap->choking = choke;
	if (choke)
		tap->choked_at = now;
	if (choke && !tap->fast)
		drop_all_ours(e, true);
	else if (!choke && now - tap->choked_at >= CHOKE_GRACE)
		for (unsigned i = 0; i < tap->ours.n; i++)
			tap->ours.a[i].stale = true;
}

static void
on_other_in(struct sim_end *e, struct sim_tap *tap)
{
	const struct bt_wire_msg *m = &tap->in.msg;
	struct sim_ask *a = find(&tap->ours, m->index, m->begin, m->length);
	struct bt_str bits = { tap->in.body, tap->in.nbody };

	switch (m->id) {
	case BT_HAVE:
		if (m->index < tap->has.n)
			bt_bits_put(&tap->has, m->index);
		break;
	case BT_BITFIELD:
		(void)bt_bits_load(&tap->has, bits);
		break;
	case BT_HAVE_ALL:
		bt_bits_fill(&tap->has, true);
		break;
	case BT_REJECT:
		if (a != NULL)
			drop_ours(e, a);
		break;
	case BT_ALLOWED_FAST:
		if (tap->nallowed < SIM_TAP_FAST_MAX)
			tap->allowed[tap->nallowed++] = m->index;
		break;
	case BT_REQUEST:
		if (tap->theirs.n == THEIRS_MAX)
			tap->flooded = true;
		else if (!tap->am_choking || tap->fast)
			add(&tap->theirs, m, e->host->sim->now);
		break;
	case BT_CANCEL:
		a = find(&tap->theirs, m->index, m->begin, m->length);
		if (a != NULL && !tap->fast)
			drop(&tap->theirs, a);
		break;
	default:
		break;
	}
}

static void
on_message_in(struct sim_end *e)
{
	struct sim_tap *tap = e->own;
	const struct bt_wire_msg *m = &tap->in.msg;

	if (m->id == BT_PIECE)
		on_block_in(e, m);
	else if (m->id == BT_CHOKE || m->id == BT_UNCHOKE)
		on_choke_in(e, m->id == BT_CHOKE);
	else
		on_other_in(e, tap);
}

static void
on_hello(struct sim_tap *tap)
{
	tap->fast = tap->in.shaken && tap->out.shaken &&
		    BT_RESERVED_FAST(tap->in.hello.reserved) &&
		    BT_RESERVED_FAST(tap->out.hello.reserved);
}

/*
 * The core gets runs of blocks and of HAVEs as they come. All else it gets one
 * message at a time, so that between any two of its decisions it is seen.
 */
static bool
goes_on(const struct sim_end *e, unsigned id, struct bt_str rest)
{
	static const uint8_t have[5] = { 0, 0, 0, 5, BT_HAVE };

	if (rest.n < 5)
		return rest.n > 0 && e->peer->host->shell != NULL;
	if (id == BT_PIECE)
		return rest.p[4] == BT_PIECE && e->peer->host->shell != NULL;
	return id == BT_HAVE && memcmp(rest.p, have, sizeof(have)) == 0;
}

size_t
sim_tap_in(struct sim_end *e, struct bt_str in)
{
	struct sim_tap *tap = e->own;
	enum sim_read what;
	size_t took = 0;

	while (took < in.n) {
		took += sim_reader_take(
		    &tap->in, bt_str_sub(in, took, in.n), &what);
		switch (what) {
		case SIM_READ_BAD:
			tap->is_bad = true;
			return in.n;
		case SIM_READ_HANDSHAKE:
			on_hello(tap);
			return took;
		case SIM_READ_HEAD: /* the evil may be closed at this point */
			if (tap->in.left > 0 && e->peer->host->shell != NULL)
				break;
			return took;
		case SIM_READ_MESSAGE:
			on_message_in(e);
			if (!goes_on(
				e, tap->in.msg.id, bt_str_sub(in, took, in.n)))
				return took;
			break;
		case SIM_READ_MORE:
			break;
		}
	}
	return took;
}

/* --- what it says --- */

/* Is another asked for it who may still be waited for? */
static bool
is_asked_elsewhere(struct sim_end *e, const struct bt_wire_msg *m)
{
	int64_t now = e->host->sim->now;
	const struct sim_ask *a;
	struct sim_tap *tap;
	struct sim_end *o;

	TAILQ_FOREACH(o, &e->host->ends, all)
	{
		tap = o->own;
		if (o == e || tap == NULL)
			continue;
		a = find(&tap->ours, m->index, m->begin, m->length);
		if (a != NULL && !a->cancelled && !a->stale && !tap->choking &&
		    now - a->at < OWED_LONG - BT_SEC(1) &&
		    now - (tap->paid_at > 0 ? tap->paid_at : a->at) <
			OWED_LONG - BT_SEC(1))
			return true;
	}
	return false;
}

/* Is it asked for again too soon? What is owed for long may be forgotten. */
static bool
is_asked_again(struct sim_end *e, const struct bt_wire_msg *m)
{
	struct sim_tap *tap = e->own;
	struct sim_ask *a = find(&tap->ours, m->index, m->begin, m->length);

	if (a == NULL)
		return false;
	if (!a->stale && e->host->sim->now - a->at < OWED_LONG)
		return true;
	drop_ours(e, a);
	return false;
}

static void
on_request_out(struct sim_end *e, const struct bt_wire_msg *m)
{
	struct sim_host *h = e->host;
	struct sim *s = h->sim;
	struct sim_ledger *l = &h->shell->ledger;
	struct sim_tap *tap = e->own;
	unsigned whom = e->peer->host->id;
	struct sim_ask *a;

	if (m->index >= layout(e)->pieces || m->begin % BT_BLOCK_LEN != 0 ||
	    !bt_layout_has_range(layout(e), m->index, m->begin, m->length) ||
	    m->length != bt_layout_block_size(
			     layout(e), m->index, m->begin / BT_BLOCK_LEN)) {
		sim_fail(s, h, "asks for %u+%u of piece %u, which is no block",
		    m->begin, m->length, m->index);
		return;
	}
	if (is_asked_again(e, m))
		sim_fail(s, h, "asks host %u twice for piece %u at %u", whom,
		    m->index, m->begin);
	if (tap->choking && !is_allowed(tap, m->index))
		sim_fail(s, h, "asks host %u, which chokes it", whom);
	if (!bt_bits_has(&tap->has, m->index))
		sim_fail(s, h, "asks host %u for piece %u, which it lacks",
		    whom, m->index);
	if (bt_bits_has(&h->shell->disk, m->index))
		sim_fail(s, h, "asks for piece %u, which it has", m->index);
	if (l->asked[number(h, m->index, m->begin)] > 0 &&
	    !bt_bits_has(&l->doubted, m->index) && is_asked_elsewhere(e, m)) {
		l->dup = true;
		l->dup_piece = m->index;
		l->dup_block = m->begin / BT_BLOCK_LEN;
		l->dup_end = e;
	}
	if (tap->ours.n == 0)
		tap->paid_at = s->now;
	add(&tap->ours, m, s->now);
	a = &tap->ours.a[tap->ours.n - 1];
	a->was_held = is_held(h, a);
	change(h, m->index, m->begin, 1, false);
}

static void
on_have_out(struct sim_end *e, uint32_t piece)
{
	const struct sim_shell *sh = e->host->shell;

	if (piece >= sh->disk.n || !bt_bits_has(&sh->disk, piece))
		sim_fail(e->host->sim, e->host,
		    "announces piece %u, which is not verified", piece);
}

static void
on_bitfield_out(struct sim_end *e, struct bt_str bits)
{
	for (uint32_t i = 0; i < layout(e)->pieces; i++)
		if (i / 8 < bits.n && (bits.p[i / 8] & 0x80 >> i % 8) != 0)
			on_have_out(e, i);
}

/*
 * A block may come, in a run of blocks, after the core has decided to ask for
 * it again: then it takes that back in the same step.
 */
static void
on_cancel_out(struct sim_end *e, const struct bt_wire_msg *m)
{
	struct sim_tap *tap = e->own;
	struct sim_ask *a = find(&tap->ours, m->index, m->begin, m->length);

	if (a == NULL || a->cancelled)
		return;
	if (a->was_held && a->at == e->host->sim->now)
		change(e->host, a->piece, a->begin, 0, true);
	if (!tap->fast) {
		drop_ours(e, a);
		return;
	}
	change(e->host, a->piece, a->begin, -1, is_held(e->host, a));
	a->cancelled = true;
}

static void
on_message_out(struct sim_end *e)
{
	struct sim_tap *tap = e->own;
	const struct bt_wire_msg *m = &tap->out.msg;
	struct sim_ask *a;

	switch (m->id) {
	case BT_REQUEST:
		on_request_out(e, m);
		break;
	case BT_CANCEL:
		on_cancel_out(e, m);
		break;
	case BT_HAVE:
		on_have_out(e, m->index);
		break;
	case BT_BITFIELD:
		on_bitfield_out(
		    e, (struct bt_str){ tap->out.body, tap->out.nbody });
		break;
	case BT_HAVE_ALL:
		for (uint32_t i = 0; i < layout(e)->pieces; i++)
			on_have_out(e, i);
		break;
	case BT_CHOKE:
	case BT_UNCHOKE:
		tap->am_choking = m->id == BT_CHOKE;
		if (tap->am_choking && !tap->fast)
			tap->theirs.n = 0;
		break;
	case BT_REJECT:
		a = find(&tap->theirs, m->index, m->begin, m->length);
		if (a != NULL)
			drop(&tap->theirs, a);
		else if (!tap->flooded)
			sim_fail(e->host->sim, e->host,
			    "rejects what host %u did not ask",
			    e->peer->host->id);
		break;
	default:
		break;
	}
}

void
sim_tap_out(struct sim_end *e, struct bt_str out)
{
	struct sim_tap *tap = e->own;
	enum sim_read what;
	size_t took = 0;

	while (took < out.n) {
		took += sim_reader_take(
		    &tap->out, bt_str_sub(out, took, out.n), &what);
		if (what == SIM_READ_BAD)
			sim_fail(e->host->sim, e->host,
			    "sends what is no "
			    "message to host %u",
			    e->peer->host->id);
		else if (what == SIM_READ_HANDSHAKE)
			on_hello(tap);
		else if (what == SIM_READ_MESSAGE)
			on_message_out(e);
	}
}

void
sim_tap_block(
    struct sim_end *e, uint32_t piece, uint32_t begin, uint32_t length)
{
	struct sim_tap *tap = e->own;
	struct sim_ask *a = find(&tap->theirs, piece, begin, length);

	if (a != NULL)
		drop(&tap->theirs, a);
	else if (!tap->flooded)
		sim_fail(e->host->sim, e->host,
		    "sends piece %u at %u to host "
		    "%u, which did not ask",
		    piece, begin, e->peer->host->id);
}

/* --- what it knows --- */

void
sim_tap_lost(struct sim_host *h, uint32_t piece)
{
	const struct bt_layout *l = h->sim->content.layout;
	uint32_t n = bt_layout_blocks(l, piece);

	for (uint32_t i = 0; i < n; i++)
		change(h, piece, i * BT_BLOCK_LEN, 0, false);
	for (uint32_t i = 0; i < n; i++)
		h->shell->ledger.nfree -=
		    is_free(h, piece, h->sim->content.block_at[piece] + i);
	bt_bits_put(&h->shell->ledger.doubted, piece);
}

void
sim_tap_verified(struct sim_host *h, uint32_t piece)
{
	uint32_t b = h->sim->content.block_at[piece];
	uint32_t end = h->sim->content.block_at[piece + 1];

	for (; b < end; b++)
		h->shell->ledger.nfree -= is_free(h, piece, b);
	bt_bits_put(&h->shell->disk, piece);
}

void
sim_tap_step(struct sim_host *h)
{
	struct sim_ledger *l = &h->shell->ledger;
	struct bt_wire_msg m = { .index = l->dup_piece,
		.begin = l->dup_block * BT_BLOCK_LEN,
		.length = bt_layout_block_size(
		    h->sim->content.layout, l->dup_piece, l->dup_block) };

	/* one that it took back of another in the same step was a move */
	if (l->dup && l->nfree > 0 && !l->was_endgame &&
	    l->dup_end->own != NULL && is_asked_elsewhere(l->dup_end, &m))
		sim_fail(h->sim, h,
		    "asks another for block %u of piece %u "
		    "while %u blocks are asked of nobody",
		    l->dup_block, l->dup_piece, l->nfree);
	l->dup = false;
	l->was_endgame = l->nfree == 0;
}

void
sim_tap_open(struct sim_host *h)
{
	struct sim_ledger *l = &h->shell->ledger;
	const struct sim_content *c = &h->sim->content;

	*l = (struct sim_ledger){ 0 };
	l->asked = bt_mem_zero(c->blocks, 1);
	bt_bits_init(&l->held, c->blocks);
	bt_bits_init(&l->doubted, c->layout->pieces);
	for (uint32_t i = 0; i < c->layout->pieces; i++)
		for (uint32_t b = c->block_at[i]; b < c->block_at[i + 1]; b++)
			l->nfree += is_free(h, i, b);
}

void
sim_tap_shut(struct sim_host *h)
{
	struct sim_ledger *l = &h->shell->ledger;

	bt_mem_free(l->asked);
	bt_bits_fini(&l->held);
	bt_bits_fini(&l->doubted);
}
