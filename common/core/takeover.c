#include "core/takeover.h"

#include "core/requests.h"
#include "core/torrent_priv.h"

static bool
is_coming_in(const struct bt_peer *q, const struct bt_request *r)
{
	return q->rx == BT_RX_BLOCK && q->rx_piece == r->piece &&
	       q->rx_block == r->block;
}

/* What q was asked for last, if p has it and it will lie there for `least`. */
static struct bt_request *
find_waiting(const struct bt_torrent *t, const struct bt_peer *p,
    const struct bt_peer *q, uint64_t least, int64_t now)
{
	uint64_t wait = BT_ASK_AHEAD_US, bps = q->sample_bps;
	struct bt_request *r;

	if (q->dead || q->nowed < 2)
		return NULL;
	r = &q->reqs[q->reqs_from + q->nreqs - 1];
	if (r->freed || r->dup || is_coming_in(q, r) ||
	    now - r->at < BT_TAKEOVER_AGE_US ||
	    !bt_bits_has(bt_torrent_peer_have(t, p), r->piece))
		return NULL;
	if (bps > 0)
		wait = (uint64_t)q->nowed * BT_BLOCK_LEN * 1000000 / bps;
	return wait >= least ? r : NULL;
}

bool
bt_takeover_free(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	uint64_t least = bt_bits_is_full(bt_torrent_peer_have(t, p))
			     ? BT_TAKEOVER_SEED_US
			     : BT_TAKEOVER_WAIT_US;
	struct bt_request *r = NULL;
	struct bt_peer *q = NULL;

	if (p->took || p->snubbed || t->owed < 2 ||
	    bt_picker_is_endgame(t->picker))
		return false;
	for (uint32_t n = BT_TAKEOVER_LOOKS; n > 0 && r == NULL; n--) {
		t->take_from = (t->take_from + 1) % t->npeers;
		q = t->peers[t->take_from];
		if (q != NULL && q != p)
			r = find_waiting(t, p, q, least, now);
	}
	if (r == NULL || /* p may have been told to leave it */
	    bt_requests_find(p, (struct bt_pick){ r->piece, r->block }) != NULL)
		return false;
	p->took = true;
	bt_requests_free(t, q, r);
	bt_spoil_disown(t, q);
	(void)bt_requests_take_back(t, q, r);
	return true;
}
