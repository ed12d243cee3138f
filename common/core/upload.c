#include "core/upload.h"

#include "base/mem.h"
#include "base/rd.h"
#include "core/advice.h"
#include "core/greet.h"
#include "core/manners.h"
#include "core/outbox.h"
#include "core/roster.h"
#include "core/torrent_priv.h"

bool
bt_upload_is_fast(
    const struct bt_torrent *t, const struct bt_peer *p, uint32_t piece)
{
	/* BEP 6: for starting peers alone */
	if (bt_torrent_peer_have(t, p)->set > BT_GREET_FAST_MAX)
		return false;
	for (unsigned i = 0; i < p->nfast_out; i++)
		if (p->fast_out[i] == piece)
			return true;
	return false;
}

static bool
is_offered(const struct bt_torrent *t, uint32_t piece)
{
	return bt_bits_has(&t->have, piece) &&
	       (t->lost.n == 0 || !bt_bits_has(&t->lost, piece));
}

/* Answer no. Without the fast extension silence says so. */
static void
refuse(struct bt_torrent *t, struct bt_peer *p, const struct bt_ask *a)
{
	if (p->fast)
		bt_outbox_put(t, p, BT_REJECT, a->piece, a->begin, a->length);
}

/* A request that cannot be meant: so many of them end the connection. */
static void
refuse_nonsense(struct bt_torrent *t, struct bt_peer *p, const struct bt_ask *a,
    const char *why, int64_t now)
{
	if (++p->nonsense > BT_UPLOAD_NONSENSE_MAX)
		bt_roster_blame(t, p, why, now);
	else
		refuse(t, p, a);
}

/*
 * BEP 6: what was allowed, until it has been sent, and while we have the means:
 * a slot that nobody uses. Else the choked would take the link from those whom
 * the choker chose, and a seed would send the same few pieces to all.
 */
static bool
may_have_choked(
    const struct bt_torrent *t, const struct bt_peer *p, const struct bt_ask *a)
{
	return t->supply == NULL && t->unchoked < t->choker.slots_now &&
	       bt_upload_is_fast(t, p, a->piece) && a->length <= p->fast_left;
}

void
bt_upload_on_request(struct bt_torrent *t, struct bt_peer *p,
    const struct bt_ask *a, int64_t now)
{
	if (a->piece >= t->layout->pieces || a->length == 0) {
		bt_roster_blame(
		    t, p, "it asked for what is not in the torrent", now);
		return;
	}
	if (!bt_layout_has_range(t->layout, a->piece, a->begin, a->length) ||
	    a->length > BT_REQUEST_MAX) {
		refuse_nonsense(
		    t, p, a, "it asks and asks for what no request may", now);
		return;
	}
	if (p->am_choking && !may_have_choked(t, p, a)) {
		refuse_nonsense(
		    t, p, a, "it asks and asks though it is choked", now);
		return;
	}
	if (!is_offered(t, a->piece)) {
		refuse_nonsense(
		    t, p, a, "it asks and asks for pieces that we lack", now);
		return;
	}
	if (!bt_outbox_ask(t, p, a)) {
		refuse_nonsense(t, p, a,
		    "it asks and asks for more than its queue holds", now);
		return;
	}
	if (p->am_choking)
		p->fast_left -= a->length;
	p->asked_at = now;
	bt_advice_on_ask(t, p, a->piece);
}

void
bt_upload_on_cancel(struct bt_torrent *t, struct bt_peer *p,
    const struct bt_ask *a, int64_t now)
{
	if (bt_outbox_cancel(p, a))
		refuse_nonsense(
		    t, p, a, "it asks and takes back what it asked for", now);
	else
		bt_manners_idle(t, p, 0, now);
}

void
bt_upload_on_interest(struct bt_torrent *t, struct bt_peer *p)
{
	if (p->am_choking && p->interested)
		t->waiting++;
	else if (p->am_choking)
		t->waiting--;
	if (p->interested != p->am_choking)
		return;
	t->served -= t->served > 0 && !p->am_choking;
	t->choke_due = true;
}

static bool
is_choked_off(
    const struct bt_torrent *t, const struct bt_peer *p, const struct bt_ask *a)
{
	return !bt_upload_is_fast(t, p, a->piece);
}

static void
set_choke(struct bt_torrent *t, struct bt_peer *p, bool choke, int64_t now)
{
	if (p->am_choking == choke)
		return;
	p->am_choking = choke;
	if (!choke) {
		t->unchoked++;
		t->served++;
		t->waiting -= p->interested;
		p->asked_at = now;
		p->unchoked_at = now;
		p->up_since = 0;
		bt_advice_on_unchoke(t, p);
		bt_outbox_put(t, p, BT_UNCHOKE, 0, 0, 0);
		return;
	}
	t->unchoked--;
	t->served -= t->served > 0 && p->interested;
	t->waiting += p->interested;
	bt_advice_on_choke(t, p);
	bt_outbox_put(t, p, BT_CHOKE, 0, 0, 0); /* BEP 6: before rejects */
	if (!p->interested) /* it asked in vain, and wants to be told so */
		p->nonsense += p->nasks;
	if (p->nonsense > BT_UPLOAD_NONSENSE_MAX)
		bt_roster_blame(
		    t, p, "it asks and asks for what it does not take", now);
	else
		bt_outbox_refuse(t, p, is_choked_off);
}

static bool
is_idle(const struct bt_peer *p, int64_t now)
{
	return !p->am_choking && p->nasks == 0 &&
	       now - p->asked_at >= BT_CHOKE_IDLE_US;
}

static void
fill_row(struct bt_torrent *t, struct bt_peer *p, struct bt_choke_row *r,
    int64_t now)
{
	*r = (struct bt_choke_row){
		.id = p->index,
		.interested = p->interested,
		.unchoked = !p->am_choking,
		.snubbing = p->snubbed,
		.idle = is_idle(p, now),
		.dead_weight = p->upload_only ||
			       bt_bits_is_full(bt_torrent_peer_have(t, p)),
		.down_bps = bt_meter_bps(&p->down_meter, now),
		.up_bps = bt_meter_bps(&p->up_meter, now),
		.up_since = p->up_since,
		.unchoked_at = p->unchoked_at,
		.connected_at = p->since,
	};
}

/* Do several want something of us? */
static bool
is_shared(const struct bt_choke_row *rows, size_t n)
{
	unsigned takers = 0;

	for (size_t i = 0; i < n && takers < 2; i++)
		takers += rows[i].interested && !rows[i].dead_weight;
	return takers == 2;
}

void
bt_upload_choke(struct bt_torrent *t, int64_t now)
{
	struct bt_choke_row *rows = bt_mem_array(t->ready, sizeof(*rows));
	struct bt_peer *p;
	size_t n = 0;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p != NULL && !p->dead && p->state == BT_PEER_READY)
			fill_row(t, p, &rows[n++], now);
	}
	/* not off between rounds: who comes and goes would have all counted */
	if (t->missing != 0 || is_shared(rows, n) ||
	    now - t->choker.round_at >= BT_CHOKE_PERIOD_US)
		bt_advice_turn(t, t->missing == 0 && is_shared(rows, n));
	bt_choker_run(&t->choker, rows, n, t->missing == 0,
	    bt_meter_bps(&t->up_meter, now), t->conf.up_limit_bps, now);
	for (int choke = 1; choke >= 0; choke--) /* slots free up first */
		for (size_t i = 0; i < n; i++) {
			p = t->peers[rows[i].id];
			if (!p->dead && rows[i].unchoke == (choke == 0))
				set_choke(t, p, choke == 1, now);
		}
	bt_mem_free(rows);
	t->choke_due = false;
}

void
bt_upload_sweep(struct bt_torrent *t, int64_t now)
{
	const struct bt_peer *p;

	t->served = 0;
	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p == NULL || p->dead || !p->interested)
			continue;
		t->served += !p->am_choking && !is_idle(p, now);
	}
	if (t->waiting > 0 &&
	    (bt_choker_grow(&t->choker, t->served,
		 bt_meter_bps(&t->up_meter, now), t->conf.up_limit_bps) ||
		t->served < t->choker.slots_now))
		t->choke_due = true;
}

static bool
is_lost(
    const struct bt_torrent *t, const struct bt_peer *p, const struct bt_ask *a)
{
	(void)p;
	return !is_offered(t, a->piece);
}

/* Who hears of it does not take the refusals that follow for ill will. */
static void
tell_lost(struct bt_torrent *t, struct bt_peer *p, uint32_t piece)
{
	uint8_t body[5] = { p->id_donthave };

	if (p->state != BT_PEER_READY || p->id_donthave == 0 ||
	    !bt_bits_has(&t->have, piece))
		return;
	bt_put_be32(body + 1, piece);
	bt_outbox_put_body(
	    t, p, BT_EXTENDED, (struct bt_str){ body, sizeof(body) });
}

void
bt_upload_on_lost(struct bt_torrent *t, uint32_t piece, int64_t now)
{
	struct bt_peer *p;

	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p == NULL || p->dead)
			continue;
		tell_lost(t, p, piece);
		if (p->dead || p->nasks == 0)
			continue;
		bt_outbox_refuse(t, p, is_lost);
		/* half a message went, and the rest is not to be had */
		if (!p->dead && p->nasks > 0 &&
		    is_lost(t, p, &p->asks[p->asks_from]))
			bt_roster_close(t, p, BT_CAND_CLOSED,
			    "what it is being sent cannot be read", now);
	}
}
