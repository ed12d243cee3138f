#include "core/messages.h"

#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "codec/ext.h"
#include "core/advice.h"
#include "core/greet.h"
#include "core/manners.h"
#include "core/outbox.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/torrent_priv.h"
#include "core/upload.h"

/* BEP 3: interest must be kept right at all times, choked or not. */
static void
update_interest(struct bt_torrent *t, struct bt_peer *p)
{
	bool want = p->wants > 0;

	if (want == p->am_interested)
		return;
	p->am_interested = want;
	bt_outbox_put(t, p, want ? BT_INTERESTED : BT_NOT_INTERESTED, 0, 0, 0);
}

/* What it has changed for the better: want it, ask for it, or part. */
static void
on_more(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	update_interest(t, p);
	bt_roster_part_if_useless(t, p, now);
	bt_requests_fill(t, p, now);
}

static uint32_t
count_wants(const struct bt_torrent *t, const struct bt_bits *has)
{
	uint32_t n = 0, i;

	if (t->missing == 0)
		return 0;
	if (bt_bits_is_full(has))
		return t->missing;
	for (i = bt_bits_next(has, 0); i < has->n; i = bt_bits_next(has, i + 1))
		n += bt_torrent_wants(t, i);
	return n;
}

/* A peer with these came, by 1, or went. */
static void
counted(struct bt_torrent *t, const struct bt_bits *has, int by)
{
	bt_picker_peer_bits(t->picker, has, by);
	bt_advice_peer(t, has, by);
}

/* It told, first and once, what it has: own is set, or has_all, or nothing. */
static void
on_known(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	const struct bt_bits *has = bt_torrent_peer_have(t, p);

	p->known = true;
	p->came_whole = bt_bits_is_full(has);
	t->rivals_stale = true;
	if (has->set > 0)
		counted(t, has, 1);
	p->wants = count_wants(t, has);
	bt_greet_allow_fast(t, p);
	on_more(t, p, now);
}

static bool
is_late(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	if (p->known)
		bt_roster_blame(t, p, "it tells twice what it has", now);
	return p->known;
}

static void
on_have_all(struct bt_torrent *t, struct bt_peer *p, bool all, int64_t now)
{
	if (is_late(t, p, now))
		return;
	p->has_all = all;
	on_known(t, p, now);
}

static void
on_have(struct bt_torrent *t, struct bt_peer *p, uint32_t piece, int64_t now)
{
	if (piece >= t->layout->pieces) {
		bt_roster_blame(t, p,
		    "it has a piece that is not in the "
		    "torrent",
		    now);
		return;
	}
	if (!p->known) { /* BEP 3: peers with nothing may skip it */
		p->known = true;
		bt_greet_allow_fast(t, p);
	}
	if (bt_bits_has(bt_torrent_peer_have(t, p), piece)) {
		bt_manners_idle(t, p, 0, now);
		return;
	}
	if (p->lost > t->layout->pieces) { /* to and fro */
		bt_manners_idle(t, p, 0, now);
		if (p->dead)
			return;
	}
	if (p->own.p == NULL)
		bt_bits_init(&p->own, t->layout->pieces);
	if (p->own.set + 1 == p->own.n) {   /* a seed's set is shared */
		bt_manners_work(t, p, now); /* a whole set changes hands */
		if (p->dead)
			return;
		bt_advice_on_choke(t, p); /* it needs nothing more */
		if (p->own.set > 0)
			counted(t, &p->own, -1);
		bt_bits_fini(&p->own);
		p->has_all = true;
		t->rivals_stale = true;
		counted(t, &t->all, 1);
	} else {
		bt_bits_put(&p->own, piece);
		bt_picker_peer_have(t->picker, piece, 1);
		bt_advice_piece(t, p, piece, 1);
	}
	if (bt_torrent_wants(t, piece))
		p->wants++;
	on_more(t, p, now);
}

/*
 * aria2 tells of several new pieces at once by a bitfield. It is read as that
 * many haves; what it leaves out of before is not unsaid.
 */
static void
on_bitfield_again(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str bits, int64_t now)
{
	struct bt_bits more;

	bt_manners_note(
	    t, p, BT_ODD_LATE_BITS, "it sent a bitfield late: taken as haves");
	bt_manners_idle(t, p, (uint32_t)bits.n, now);
	bt_bits_init(&more, t->layout->pieces);
	if (bt_bits_load(&more, bits) == -1)
		bt_roster_blame(t, p, "its bitfield has spare bits set", now);
	for (uint32_t i = bt_bits_next(&more, 0); i < more.n && !p->dead;
	     i = bt_bits_next(&more, i + 1))
		if (!bt_bits_has(bt_torrent_peer_have(t, p), i))
			on_have(t, p, i, now);
	bt_bits_fini(&more);
}

void
bt_messages_on_bitfield(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str bits, int64_t now)
{
	if (p->known) {
		on_bitfield_again(t, p, bits, now);
		return;
	}
	bt_bits_init(&p->own, t->layout->pieces);
	if (bt_bits_load(&p->own, bits) == -1) {
		bt_roster_blame(t, p, "its bitfield has spare bits set", now);
		return;
	}
	p->has_all = bt_bits_is_full(&p->own);
	if (p->has_all || p->own.set == 0)
		bt_bits_fini(&p->own);
	on_known(t, p, now);
}

static bool
has_piece(const struct bt_torrent *t, const struct bt_peer *p, uint32_t piece)
{
	return piece < t->layout->pieces &&
	       bt_bits_has(bt_torrent_peer_have(t, p), piece);
}

/* It has the piece no longer (BEP 54), or will not give it. */
static void
on_dont_have(struct bt_torrent *t, struct bt_peer *p, uint32_t piece)
{
	if (!has_piece(t, p, piece))
		return;
	p->lost++;
	if (p->has_all) {
		counted(t, &t->all, -1);
		p->has_all = false;
		bt_bits_init(&p->own, t->layout->pieces);
		bt_bits_fill(&p->own, true);
		bt_bits_drop(&p->own, piece);
		if (p->own.set > 0)
			counted(t, &p->own, 1);
	} else {
		bt_bits_drop(&p->own, piece);
		bt_picker_peer_have(t->picker, piece, -1);
		bt_advice_piece(t, p, piece, -1);
	}
	if (bt_torrent_wants(t, piece))
		p->wants--;
	update_interest(t, p);
}

void
bt_messages_on_our_piece(
    struct bt_torrent *t, struct bt_peer *p, uint32_t piece, int64_t now)
{
	if (!bt_bits_has(bt_torrent_peer_have(t, p), piece))
		return;
	if (bt_bits_has(&t->wanted, piece)) {
		p->wants--;
		update_interest(t, p);
	}
	if (t->missing > 0)
		bt_roster_part_if_useless(t, p, now);
}

static void
on_suggest(struct bt_torrent *t, struct bt_peer *p, uint32_t piece, int64_t now)
{
	if (piece >= t->layout->pieces)
		bt_roster_blame(t, p,
		    "it suggests a piece that is not in the "
		    "torrent",
		    now);
	else {
		bt_manners_idle(t, p, 0, now);
		bt_advice_hear(p, piece);
	}
}

static void
on_allowed_fast(
    struct bt_torrent *t, struct bt_peer *p, uint32_t piece, int64_t now)
{
	if (piece >= t->layout->pieces) {
		bt_roster_blame(t, p,
		    "it allows a piece that is not in the "
		    "torrent",
		    now);
		return;
	}
	if (p->fast_in.p == NULL)
		bt_bits_init(&p->fast_in, t->layout->pieces);
	if (bt_bits_put(&p->fast_in, piece))
		bt_requests_fill(t, p, now);
	else
		bt_manners_idle(t, p, 0, now);
}

/*
 * A reject frees the block for others. One that answers no cancel and no choke
 * means that the peer will not give: it is let alone for a second, and if it
 * goes on so, it counts as one that lacks the piece.
 */
static void
on_reject(struct bt_torrent *t, struct bt_peer *p, const struct bt_wire_msg *m,
    int64_t now)
{
	struct bt_pick b = { m->index, m->begin / BT_BLOCK_LEN };
	struct bt_request *r = NULL;
	bool was_freed;

	if (m->begin % BT_BLOCK_LEN == 0)
		r = bt_requests_find(p, b);
	if (r == NULL) {
		bt_manners_unmatched(
		    t, p, "it rejects what was not asked", now);
		return;
	}
	was_freed = r->freed;
	bt_requests_drop(t, p, r);
	bt_requests_wake(t, now);
	if (p->choking && p->fast_in.p != NULL)
		bt_bits_drop(&p->fast_in, m->index);
	if (m->index < t->layout->pieces &&
	    !bt_bits_has(bt_torrent_peer_have(t, p), m->index))
		return; /* it said before that it lost the piece */
	if (!p->choking && !was_freed && bt_requests_on_refused(t, p, now))
		on_dont_have(t, p, m->index);
}

static void
on_choke(struct bt_torrent *t, struct bt_peer *p, bool choke, int64_t now)
{
	bt_manners_work(t, p, now);
	if (p->choking == choke || p->dead)
		return;
	p->choking = choke;
	if (choke)
		bt_requests_on_choke(t, p, now);
	else
		bt_requests_fill(t, p, now);
}

static void
on_interest(
    struct bt_torrent *t, struct bt_peer *p, bool interested, int64_t now)
{
	bt_manners_idle(t, p, 0, now);
	if (p->interested == interested || p->dead)
		return;
	p->interested = interested;
	bt_upload_on_interest(t, p);
}

static void
on_fast(struct bt_torrent *t, struct bt_peer *p, const struct bt_wire_msg *m,
    int64_t now)
{
	if (!p->fast) { /* BEP 6: must close */
		bt_roster_blame(
		    t, p, "it uses an extension that was not agreed", now);
		return;
	}
	switch (m->id) {
	case BT_SUGGEST:
		on_suggest(t, p, m->index, now);
		break;
	case BT_HAVE_ALL:
	case BT_HAVE_NONE:
		on_have_all(t, p, m->id == BT_HAVE_ALL, now);
		break;
	case BT_REJECT:
		on_reject(t, p, m, now);
		break;
	case BT_ALLOWED_FAST:
		on_allowed_fast(t, p, m->index, now);
		break;
	default:
		break;
	}
}

void
bt_messages_on_plain(struct bt_torrent *t, struct bt_peer *p,
    const struct bt_wire_msg *m, int64_t now)
{
	struct bt_ask a = { m->index, m->begin, m->length, 0 };

	switch (m->id) {
	case BT_CHOKE:
	case BT_UNCHOKE:
		on_choke(t, p, m->id == BT_CHOKE, now);
		break;
	case BT_INTERESTED:
	case BT_NOT_INTERESTED:
		on_interest(t, p, m->id == BT_INTERESTED, now);
		break;
	case BT_HAVE:
		on_have(t, p, m->index, now);
		break;
	case BT_REQUEST:
		bt_upload_on_request(t, p, &a, now);
		break;
	case BT_CANCEL:
		bt_upload_on_cancel(t, p, &a, now);
		break;
	case BT_SUGGEST:
	case BT_HAVE_ALL:
	case BT_HAVE_NONE:
	case BT_REJECT:
	case BT_ALLOWED_FAST:
		on_fast(t, p, m, now);
		break;
	default: /* keep-alive, port: nothing to us */
		bt_manners_idle(t, p, 0, now);
		break;
	}
}

/* Its listening address: it is not to be dialled while it is here. */
static void
learn_address(struct bt_torrent *t, struct bt_peer *p, uint16_t port)
{
	struct bt_addr a = p->addr;

	if (p->outgoing || p->dial.family != 0 || port == 0)
		return;
	a.port = port;
	if (!bt_addr_is_dialable(&a))
		return;
	bt_candidates_add(t->cands, &a, false);
	bt_candidates_connected(t->cands, &a);
	p->dial = a;
}

static void
on_ext_handshake(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str dict, int64_t now)
{
	struct bt_ext_handshake h;
	struct bt_err err = BT_ERR_INIT;

	if (bt_ext_handshake_parse(dict, &h, &err) == -1) {
		bt_roster_blame(
		    t, p, "its extension handshake is malformed", now);
		return;
	}
	if (h.client.n > 0 && p->client == NULL)
		p->client = bt_str_dup(bt_str_sub(h.client, 0,
		    h.client.n < BT_PEER_CLIENT_MAX ? h.client.n
						    : BT_PEER_CLIENT_MAX));
	if (h.reqq > 0)
		p->reqq = h.reqq;
	if (h.upload_only != -1)
		p->upload_only = h.upload_only == 1;
	if (h.id_upload_only != 0)
		p->id_upload_only = h.id_upload_only;
	if (h.id_donthave != 0)
		p->id_donthave = h.id_donthave;
	learn_address(t, p, h.port);
	bt_roster_part_if_useless(t, p, now);
	bt_requests_fill(t, p, now);
}

void
bt_messages_on_extended(
    struct bt_torrent *t, struct bt_peer *p, struct bt_str body, int64_t now)
{
	struct bt_str rest = bt_str_sub(body, 1, body.n);

	/*
	 * A seed that loses a file tells all its pieces at once. Reading a
	 * handshake takes a while for its size, and programs send it once.
	 */
	if (body.p[0] != BT_EXT_ID_DONTHAVE || rest.n != 4 ||
	    !has_piece(t, p, bt_be32(rest.p)))
		bt_manners_idle(
		    t, p, (uint32_t)body.n * (body.p[0] == 0 ? 8 : 1), now);
	if (p->dead)
		return;
	switch (body.p[0]) {
	case 0:
		on_ext_handshake(t, p, rest, now);
		break;
	case BT_EXT_ID_UPLOAD_ONLY:
		if (rest.n == 1) {
			p->upload_only = rest.p[0] != 0;
			bt_roster_part_if_useless(t, p, now);
		}
		break;
	case BT_EXT_ID_DONTHAVE:
		if (rest.n == 4)
			on_dont_have(t, p, bt_be32(rest.p));
		break;
	default: /* an extension that we did not name */
		break;
	}
}
