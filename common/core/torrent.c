#include "core/torrent.h"

#include <assert.h>

#include "base/mem.h"
#include "core/advice.h"
#include "core/ahead.h"
#include "core/crowd.h"
#include "core/greet.h"
#include "core/harvest.h"
#include "core/inbox.h"
#include "core/outbox.h"
#include "core/requests.h"
#include "core/roster.h"
#include "core/torrent_priv.h"
#include "core/upload.h"

#define RATE_WINDOW_US BT_SEC(10) /* of the torrent's own figures */

struct bt_torrent *
bt_torrent_new(const struct bt_torrent_conf *conf, int64_t now)
{
	struct bt_torrent *t = bt_mem_zero(1, sizeof(*t));
	const struct bt_layout *l = conf->layout;
	struct bt_rng rng;

	t->conf = *conf;
	t->layout = l;
	bt_rng_seed(&rng, conf->seed);
	t->picker = bt_picker_new(l, bt_rng_u64(&rng));
	bt_choker_init(&t->choker, conf->slots, bt_rng_u64(&rng));
	t->cands = bt_candidates_new(BT_CAND_MAX, bt_rng_u64(&rng));
	bt_bits_init(&t->have, l->pieces);
	bt_bits_init(&t->wanted, l->pieces);
	bt_bits_init(&t->lost, l->pieces);
	bt_bits_init(&t->all, l->pieces);
	bt_bits_init(&t->none, l->pieces);
	bt_bits_fill(&t->all, true);
	bt_bits_fill(&t->wanted, true);
	for (uint32_t i = 0; i < l->pieces; i++)
		bt_picker_want(t->picker, i, true);
	t->file_left = bt_mem_array(l->files->n, sizeof(*t->file_left));
	t->horizon = l->pieces;
	t->refill_at = BT_NEVER;
	/* as if idle before: the first requests wait for nothing */
	bt_bucket_init(&t->ask, conf->down_limit_bps, now - BT_SEC(1));
	t->last_quick = now - BT_TORRENT_QUICK_MAX_US;
	bt_meter_init(&t->down_meter, RATE_WINDOW_US, now);
	bt_meter_init(&t->up_meter, RATE_WINDOW_US, now);
	bt_pieces_init(t);
	bt_harvest_count(t);
	return t;
}

void
bt_torrent_free(struct bt_torrent *t)
{
	if (t == NULL)
		return;
	assert(t->pieces.jobs_out == 0);
	for (uint32_t i = 0; i < t->npeers; i++)
		if (t->peers[i] != NULL && t->peers[i]->rx == BT_RX_BLOCK)
			bt_pieces_abandon(t, t->peers[i]);
	bt_roster_free(t);
	bt_pieces_fini(t);
	bt_advice_fini(t);
	bt_spoil_fini(&t->spoil);
	bt_effects_fini(&t->fx);
	bt_candidates_free(t->cands);
	bt_picker_free(t->picker);
	bt_bits_fini(&t->have);
	bt_bits_fini(&t->wanted);
	bt_bits_fini(&t->lost);
	bt_bits_fini(&t->all);
	bt_bits_fini(&t->none);
	bt_mem_free(t->file_left);
	bt_mem_free(t);
}

void
bt_torrent_set_have(struct bt_torrent *t, const struct bt_bits *have)
{
	assert(t->live == 0 && t->have.set == 0);
	bt_bits_copy(&t->have, have);
	for (uint32_t i = bt_bits_next(have, 0); i < have->n;
	     i = bt_bits_next(have, i + 1))
		bt_picker_done(t->picker, i);
	bt_harvest_count(t);
}

void
bt_torrent_set_wanted(struct bt_torrent *t, const struct bt_bits *want)
{
	assert(t->live == 0);
	bt_bits_copy(&t->wanted, want);
	for (uint32_t i = 0; i < want->n; i++)
		bt_picker_want(t->picker, i, bt_bits_has(want, i));
	bt_harvest_count(t);
}

void
bt_torrent_set_sequential(struct bt_torrent *t, uint32_t window)
{
	t->in_order = window > 0;
	bt_picker_sequential(t->picker, window);
	bt_requests_wake(t, INT64_MIN);
}

void
bt_torrent_set_horizon(struct bt_torrent *t, uint32_t limit)
{
	t->horizon = limit < t->layout->pieces ? limit : t->layout->pieces;
	bt_picker_horizon(t->picker, t->horizon);
	bt_requests_wake(t, INT64_MIN);
}

void
bt_torrent_add_peers(struct bt_torrent *t, const struct bt_addr *a, size_t n,
    bool by_hand, int64_t now)
{
	(void)now;
	for (size_t i = 0; i < n; i++)
		bt_candidates_add(t->cands, &a[i], by_hand);
}

void
bt_torrent_on_connected(struct bt_torrent *t, uint64_t slot, int64_t now)
{
	struct bt_peer *p = bt_roster_find(t, slot);

	if (p == NULL)
		return;
	assert(p->state == BT_PEER_DIALLING);
	p->state = BT_PEER_GREETING;
	p->since = p->last_rx = p->last_tx = now;
	t->dialling--;
	bt_greet_send(t, p);
}

void
bt_torrent_on_closed(struct bt_torrent *t, uint64_t slot, int64_t now)
{
	struct bt_peer *p = bt_roster_find(t, slot);

	if (p == NULL)
		return;
	t->lent_slot = 0;
	bt_roster_close(t, p, BT_CAND_CLOSED,
	    p->state == BT_PEER_DIALLING ? "it could not be reached"
					 : "the connection ended",
	    now);
	bt_roster_reap(t);
}

uint64_t
bt_torrent_on_accepted(
    struct bt_torrent *t, const struct bt_addr *from, int64_t now)
{
	struct bt_peer *p;

	if (!bt_crowd_would_accept(t, from, now) ||
	    (bt_crowd_is_full(t) && !bt_crowd_make_room(t, from, now)))
		return 0;
	p = bt_roster_add(t, from, false, now);
	bt_roster_reap(t); /* now: no index is used anew within a step */
	return p->slot;
}

void
bt_torrent_rx_space(struct bt_torrent *t, uint64_t slot,
    struct bt_place scratch, size_t most, struct bt_lend *out)
{
	struct bt_peer *p = bt_roster_find(t, slot);

	t->lent_slot = 0;
	out->n = 0;
	if (p == NULL || p->state == BT_PEER_DIALLING)
		return;
	bt_ahead_lend(t, p, scratch, most, out);
	t->lent_slot = slot;
}

void
bt_torrent_rx(struct bt_torrent *t, uint64_t slot, const struct bt_lend *lend,
    size_t n, int64_t now)
{
	struct bt_peer *p = bt_roster_find(t, slot);

	if (p == NULL)
		return;
	assert(t->lent_slot == slot);
	t->lent_slot = 0;
	if (n > 0)
		p->last_rx = now;
	bt_ahead_take(t, p, lend, n, now);
	bt_roster_reap(t);
}

void
bt_torrent_rx_bytes(
    struct bt_torrent *t, uint64_t slot, struct bt_str in, int64_t now)
{
	struct bt_peer *p = bt_roster_find(t, slot);

	t->lent_slot = 0;
	if (p == NULL || in.n == 0)
		return;
	assert(p->state != BT_PEER_DIALLING);
	p->last_rx = now;
	bt_inbox_feed(t, p, in, now);
	bt_roster_reap(t);
}

bool
bt_torrent_tx(
    struct bt_torrent *t, uint64_t slot, struct bt_tx *tx, int64_t now)
{
	struct bt_peer *p = bt_roster_find(t, slot);

	(void)now;
	return p != NULL && bt_outbox_tx(p, tx);
}

void
bt_torrent_tx_done(struct bt_torrent *t, uint64_t slot, size_t n, int64_t now)
{
	struct bt_peer *p = bt_roster_find(t, slot);

	if (p != NULL)
		bt_outbox_sent(t, p, n, now);
}

void
bt_torrent_on_unreadable(struct bt_torrent *t, uint32_t piece, int64_t now)
{
	if (!bt_bits_put(&t->lost, piece))
		return;
	bt_log_put(t->conf.log, BT_LOG_DEBUG,
	    "piece %u cannot be read and is offered no more", piece);
	bt_advice_on_lost(t, piece);
	bt_upload_on_lost(t, piece, now);
	bt_roster_reap(t);
}

void
bt_torrent_on_disk(
    struct bt_torrent *t, const struct bt_disk_result *r, int64_t now)
{
	t->lent_slot = 0;
	bt_jobs_out_result(t, r, now);
	bt_roster_reap(t);
}

bool
bt_torrent_next_effect(struct bt_torrent *t, struct bt_effect *fx)
{
	return bt_effects_pop(&t->fx, fx);
}

void
bt_torrent_stop(struct bt_torrent *t, int64_t now)
{
	t->lent_slot = 0;
	t->stopped = true;
	for (uint32_t i = 0; i < t->npeers; i++)
		if (t->peers[i] != NULL)
			bt_roster_close(t, t->peers[i], BT_CAND_CLOSED,
			    "the torrent is stopped", now);
	bt_roster_reap(t);
}
