#include "core/requests.h"
#include "core/roster.h"
#include "core/torrent_priv.h"
#include "core/upload.h"

static void
sweep(struct bt_torrent *t, int64_t now)
{
	struct bt_peer *p;

	t->next_sweep = now + BT_TORRENT_SWEEP_US;
	for (uint32_t i = 0; i < t->npeers; i++) {
		p = t->peers[i];
		if (p != NULL && !p->dead)
			bt_roster_sweep(t, p, now);
		if (p != NULL && !p->dead)
			bt_requests_sweep(t, p, now);
	}
	bt_pieces_sweep(t, now);
	bt_upload_sweep(t, now);
}

/*
 * Somebody is waiting for a slot that is there. While nobody does no peers are
 * gone through, so that whoever comes next need not wait for the pause after it.
 */
static bool
is_slot_due(const struct bt_torrent *t)
{
	return t->choke_due && t->waiting > 0 &&
	       t->served < t->choker.slots_now;
}

/* When O(peers) work that is due may be done. */
static int64_t
quick_when(const struct bt_torrent *t)
{
	int64_t when = t->refill_at, soonest;
	int64_t pause = t->live * BT_TORRENT_QUICK_US;

	if (t->stopped)
		return BT_NEVER;
	if (pause > BT_TORRENT_QUICK_MAX_US)
		pause = BT_TORRENT_QUICK_MAX_US;
	soonest = t->last_quick + pause;
	if (is_slot_due(t))
		when = soonest;
	return when < soonest ? soonest : when;
}

static void
quick(struct bt_torrent *t, int64_t now)
{
	t->last_quick = now;
	if (t->refill_at <= now)
		bt_requests_fill_all(t, now);
	if (is_slot_due(t))
		bt_upload_choke(t, now);
}

static int64_t
next_deadline(const struct bt_torrent *t, int64_t now)
{
	int64_t when = bt_roster_when(t, now), quickly = quick_when(t);

	if (t->live > 0 || t->pieces.in_use > 0)
		when = t->next_sweep < when ? t->next_sweep : when;
	if (t->ready > 0 && t->next_choke < when)
		when = t->next_choke;
	return quickly < when ? quickly : when;
}

int64_t
bt_torrent_tick(struct bt_torrent *t, int64_t now)
{
	t->lent_slot = 0;
	bt_roster_dial(t, now);
	if (now >= t->next_sweep)
		sweep(t, now);
	if (t->ready > 0 && now >= t->next_choke) {
		t->next_choke = now + BT_CHOKE_PERIOD_US;
		bt_upload_choke(t, now);
	}
	if (now >= quick_when(t))
		quick(t, now);
	bt_roster_reap(t);
	return next_deadline(t, now);
}
