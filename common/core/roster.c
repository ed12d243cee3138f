#include "core/roster.h"

#include <assert.h>

#include "base/mem.h"
#include "core/advice.h"
#include "core/crowd.h"
#include "core/outbox.h"
#include "core/requests.h"
#include "core/torrent_priv.h"

#define FIRST 16u

struct bt_peer *
bt_roster_find(const struct bt_torrent *t, uint64_t slot)
{
	uint32_t i = (uint32_t)slot;
	struct bt_peer *p;

	if (i >= t->npeers)
		return NULL;
	p = t->peers[i];
	return p != NULL && p->slot == slot && !p->dead ? p : NULL;
}

static uint32_t
take_index(struct bt_torrent *t)
{
	if (t->nvacant > 0)
		return t->vacant[--t->nvacant];
	if (t->npeers == t->cap) {
		t->cap = t->cap == 0 ? FIRST : t->cap * 2;
		t->peers = bt_mem_resize(t->peers, t->cap, sizeof(*t->peers));
		t->gens = bt_mem_resize(t->gens, t->cap, sizeof(*t->gens));
		t->vacant =
		    bt_mem_resize(t->vacant, t->cap, sizeof(*t->vacant));
		t->dead = bt_mem_resize(t->dead, t->cap, sizeof(*t->dead));
		t->hungry =
		    bt_mem_resize(t->hungry, t->cap, sizeof(*t->hungry));
	}
	t->gens[t->npeers] = 0;
	return t->npeers++;
}

struct bt_peer *
bt_roster_add(struct bt_torrent *t, const struct bt_addr *addr, bool outgoing,
    int64_t now)
{
	struct bt_peer *p = bt_mem_zero(1, sizeof(*p));

	p->index = take_index(t);
	if (++t->gens[p->index] == 0) /* so that no handle is 0 */
		t->gens[p->index] = 1;
	p->slot = (uint64_t)t->gens[p->index] << 32 | p->index;
	t->peers[p->index] = p;
	t->live++;
	p->addr = *addr;
	p->outgoing = outgoing;
	p->state = outgoing ? BT_PEER_DIALLING : BT_PEER_GREETING;
	if (outgoing) {
		p->dial = *addr;
		t->dialling++;
	}
	p->choking = p->am_choking = true;
	p->asked_last = UINT32_MAX;
	p->reqq = BT_PEER_REQQ_DEFAULT;
	p->window = BT_ASK_FLOOR;
	p->foreseen = BT_LEND_AHEAD;
	p->ramping = true;
	p->since = p->last_rx = p->last_tx = now;
	bt_meter_init(&p->down_meter, BT_SEC(20), now);
	bt_meter_init(&p->up_meter, BT_SEC(20), now);
	return p;
}

/* What it held of the torrent's state goes back. */
static void
let_go(struct bt_torrent *t, struct bt_peer *p)
{
	bt_requests_drop_all(t, p);
	bt_requests_unqueue(t, p);
	if (p->rx == BT_RX_BLOCK) {
		t->wasted += p->rx_got;
		bt_pieces_abandon(t, p);
	}
	bt_spoil_disown(t, p);
	bt_advice_on_choke(t, p);
	if (bt_torrent_peer_have(t, p)->set > 0) {
		bt_picker_peer_bits(t->picker, bt_torrent_peer_have(t, p), -1);
		bt_advice_peer(t, bt_torrent_peer_have(t, p), -1);
	}
	if (!p->am_choking) {
		t->unchoked--;
		t->served -= t->served > 0 && p->interested;
		t->choke_due = true;
	} else
		t->waiting -= p->interested;
}

void
bt_roster_close(struct bt_torrent *t, struct bt_peer *p, enum bt_cand_end how,
    const char *why, int64_t now)
{
	if (p->dead)
		return;
	p->dead = true;
	let_go(t, p);
	if (how == BT_CAND_CLOSED && p->state != BT_PEER_READY)
		how = BT_CAND_FAILED;
	if (p->dial.family != 0)
		bt_candidates_end(t->cands, &p->dial, how, now);
	t->live--;
	t->dialling -= p->state == BT_PEER_DIALLING;
	t->ready -= p->state == BT_PEER_READY;
	t->rivals_stale = true;
	t->dead[t->ndead++] = p->index;
	bt_effects_push(&t->fx, &(struct bt_effect){ .kind = BT_FX_CLOSE,
				    .slot = p->slot,
				    .addr = p->addr,
				    .why = why });
	if (t->missing > 0) /* who is left may ask for what it owed */
		bt_requests_wake(t, now);
}

void
bt_roster_blame(
    struct bt_torrent *t, struct bt_peer *p, const char *why, int64_t now)
{
	char text[BT_ADDR_TEXT_MAX];

	if (p->dead)
		return;
	bt_log_put(t->conf.log, BT_LOG_DEBUG,
	    "closed the connection with %s: "
	    "%s",
	    bt_addr_text(&p->addr, text), why);
	bt_roster_close(t, p, BT_CAND_CLOSED, why, now);
}

void
bt_roster_ban(struct bt_torrent *t, const struct bt_addr *addr, const char *why,
    int64_t now)
{
	struct bt_addr who = *addr; /* addr may be of what dies here */
	char text[BT_ADDR_TEXT_MAX];
	struct bt_peer *p;

	bt_log_put(t->conf.log, BT_LOG_INFO, "banned %s: %s",
	    bt_addr_ip_text(&who, text), why);
	bt_candidates_ban(t->cands, &who);
	bt_effects_push(&t->fx,
	    &(struct bt_effect){ .kind = BT_FX_BAN, .addr = who, .why = why });
	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p != NULL && !p->dead && bt_addr_eq_ip(&p->addr, &who))
			bt_roster_close(t, p, BT_CAND_CLOSED, why, now);
	}
}

static void
free_peer(struct bt_peer *p)
{
	bt_outbox_fini(p);
	bt_advice_forget(p);
	bt_mem_free(p->promised);
	bt_mem_free(p->client);
	bt_bits_fini(&p->own);
	bt_bits_fini(&p->fast_in);
	bt_mem_free(p->reqs);
	bt_buf_fini(&p->body);
	bt_mem_free(p);
}

void
bt_roster_reap(struct bt_torrent *t)
{
	uint32_t i;

	while (t->ndead > 0) {
		i = t->dead[--t->ndead];
		free_peer(t->peers[i]);
		t->peers[i] = NULL;
		t->vacant[t->nvacant++] = i;
	}
}

void
bt_roster_free(struct bt_torrent *t)
{
	for (uint32_t i = 0; i < t->npeers; i++)
		if (t->peers[i] != NULL)
			free_peer(t->peers[i]);
	bt_mem_free(t->peers);
	bt_mem_free(t->gens);
	bt_mem_free(t->vacant);
	bt_mem_free(t->dead);
	bt_mem_free(t->hungry);
}

/* Nobody is left to dial and peers are few. */
static bool
is_lonely(const struct bt_torrent *t, int64_t now)
{
	return t->missing > 0 && t->live < BT_ROSTER_FEW &&
	       bt_candidates_when(t->cands) > now;
}

/*
 * Who is to be dialled may not be there, so a peer that is goes for it only
 * where we want pieces, and one at a time: a sweep is due once a second.
 */
static bool
has_room(struct bt_torrent *t, const struct bt_addr *to, int64_t now)
{
	return t->live < t->conf.peers_max ||
	       (t->missing > 0 && t->dialling == 0 && now >= t->next_sweep &&
		   bt_crowd_make_room(t, to, now));
}

void
bt_roster_dial(struct bt_torrent *t, int64_t now)
{
	struct bt_peer *p;
	struct bt_addr to;

	if (t->stopped || t->broken)
		return;
	while (t->dialling < t->conf.dials_max &&
	       bt_candidates_peek(t->cands, now, &to) &&
	       has_room(t, &to, now) &&
	       bt_candidates_next(t->cands, now, &to)) {
		p = bt_roster_add(t, &to, true, now);
		bt_effects_push(&t->fx,
		    &(struct bt_effect){
			.kind = BT_FX_CONNECT, .slot = p->slot, .addr = to });
	}
	if (is_lonely(t, now) && now >= t->announce_after) {
		bt_effects_push(
		    &t->fx, &(struct bt_effect){ .kind = BT_FX_ANNOUNCE });
		t->announce_after = now + BT_ROSTER_LONELY_US;
	}
}

int64_t
bt_roster_when(const struct bt_torrent *t, int64_t now)
{
	int64_t when = BT_NEVER;

	if (t->stopped || t->broken)
		return BT_NEVER;
	if (t->live < t->conf.peers_max && t->dialling < t->conf.dials_max)
		when = bt_candidates_when(t->cands);
	if (is_lonely(t, now) && t->announce_after < when)
		when = t->announce_after;
	return when;
}

/* Nothing is on its way, and neither has anything that the other wants. */
static bool
is_to_be_heard_anew(
    const struct bt_torrent *t, const struct bt_peer *p, int64_t now)
{
	return t->missing > 0 && !t->broken && t->owed == 0 &&
	       p->dial.family != 0 && p->wants == 0 && !p->interested &&
	       now - p->last_rx >= BT_ROSTER_ANEW_US && now >= t->anew_after;
}

void
bt_roster_sweep(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	int64_t quiet =
	    BT_ROSTER_KEEPALIVE_US - BT_SEC(p->index % BT_ROSTER_SPREAD);
	bool pending = p->ctl.n > p->ctl_sent ||
		       (p->nasks > 0 && p->asks[p->asks_from].sent > 0);

	switch (p->state) {
	case BT_PEER_DIALLING:
		if (now - p->since >= BT_ROSTER_DIAL_US)
			bt_roster_close(
			    t, p, BT_CAND_FAILED, "connecting timed out", now);
		return;
	case BT_PEER_GREETING:
	case BT_PEER_MUTE:
		if (now - p->since >= BT_ROSTER_GREET_US)
			bt_roster_close(t, p, BT_CAND_FAILED,
			    p->state == BT_PEER_MUTE
				? "it has our own peer id"
				: "no handshake came in time",
			    now);
		return;
	case BT_PEER_READY:
		break;
	}
	if (now - p->last_rx >= BT_ROSTER_SILENCE_US)
		bt_roster_close(t, p, BT_CAND_CLOSED,
		    "it has been silent for too long", now);
	else if (pending && now - p->last_tx >= BT_ROSTER_SILENCE_US)
		bt_roster_close(t, p, BT_CAND_CLOSED,
		    "it has taken nothing for too long", now);
	else if (is_to_be_heard_anew(t, p, now)) {
		t->anew_after = now + BT_ROSTER_ANEW_EACH_US;
		bt_roster_close(
		    t, p, BT_CAND_ANEW, "it is asked anew what it has", now);
	} else if (pending)
		bt_outbox_flush(t, p);
	else if (now - p->last_tx >= quiet)
		bt_outbox_put(t, p, BT_KEEPALIVE, 0, 0, 0);
}

void
bt_roster_part_if_useless(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	bool it_is_whole = bt_bits_is_full(bt_torrent_peer_have(t, p));

	if (p->dead || p->state != BT_PEER_READY)
		return;
	if (!it_is_whole && !p->upload_only)
		return; /* it may need something of us */
	/* an upload-only peer gets nothing more: what it has is all it will */
	if (t->missing > 0 && (p->wants > 0 || !p->known))
		return;
	bt_roster_close(
	    t, p, BT_CAND_USELESS, "neither needs anything of the other", now);
}
