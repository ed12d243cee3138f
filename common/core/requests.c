#include "core/requests.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "core/advice.h"
#include "core/manners.h"
#include "core/outbox.h"
#include "core/rivals.h"
#include "core/takeover.h"
#include "core/torrent_priv.h"

#define REQS_FIRST 8u

struct bt_request *
bt_requests_find(const struct bt_peer *p, struct bt_pick b)
{
	for (uint32_t i = p->reqs_from; i < p->reqs_from + p->nreqs; i++)
		if (p->reqs[i].piece == b.piece && p->reqs[i].block == b.block)
			return &p->reqs[i];
	return NULL;
}

static void
add(struct bt_peer *p, const struct bt_request *r)
{
	if (p->reqs_from + p->nreqs == p->reqs_cap && p->reqs_from > 0) {
		memmove(p->reqs, p->reqs + p->reqs_from,
		    p->nreqs * sizeof(*p->reqs));
		p->reqs_from = 0;
	} else if (p->nreqs == p->reqs_cap) {
		p->reqs_cap = p->reqs_cap == 0 ? REQS_FIRST : p->reqs_cap * 2;
		p->reqs = bt_mem_resize(p->reqs, p->reqs_cap, sizeof(*p->reqs));
	}
	p->reqs[p->reqs_from + p->nreqs++] = *r;
}

static void
take_out(struct bt_peer *p, struct bt_request *r)
{
	uint32_t i = (uint32_t)(r - (p->reqs + p->reqs_from));

	assert(i < p->nreqs);
	if (i == 0)
		p->reqs_from++;
	else
		memmove(r, r + 1, (p->nreqs - i - 1) * sizeof(*r));
	if (--p->nreqs > 0)
		return;
	bt_mem_free(p->reqs);
	p->reqs = NULL;
	p->reqs_from = p->reqs_cap = 0;
}

/* Of a request, under a limit: rule 7. */
static uint64_t
cost(const struct bt_torrent *t, const struct bt_request *r)
{
	return bt_layout_block_size(t->layout, r->piece, r->block) +
	       BT_TX_HEADER;
}

/* The request counts no more; if tell, the picker does not know it yet. */
static void
set_freed(
    struct bt_torrent *t, struct bt_peer *p, struct bt_request *r, bool tell)
{
	struct bt_pick b = { r->piece, r->block };

	if (r->freed)
		return;
	r->freed = true;
	p->nowed--;
	t->owed--;
	p->ndups -= r->dup;
	if (tell) {
		bt_picker_release(t->picker, p->index, b);
		bt_bucket_give(&t->ask, cost(t, r));
	}
	bt_pieces_on_unasked(t, b);
}

void
bt_requests_free(struct bt_torrent *t, struct bt_peer *p, struct bt_request *r)
{
	set_freed(t, p, r, true);
}

void
bt_requests_drop(struct bt_torrent *t, struct bt_peer *p, struct bt_request *r)
{
	set_freed(t, p, r, true);
	take_out(p, r);
}

void
bt_requests_answered(
    struct bt_torrent *t, struct bt_peer *p, struct bt_request *r)
{
	set_freed(t, p, r, false);
	take_out(p, r);
}

void
bt_requests_drop_all(struct bt_torrent *t, struct bt_peer *p)
{
	while (p->nreqs > 0)
		bt_requests_drop(t, p, &p->reqs[p->reqs_from]);
}

void
bt_requests_wake(struct bt_torrent *t, int64_t at)
{
	if (at < t->refill_at)
		t->refill_at = at;
}

static bool
is_coming_in(const struct bt_peer *p, const struct bt_request *r)
{
	return p->rx == BT_RX_BLOCK && p->rx_asked && p->rx_piece == r->piece &&
	       p->rx_block == r->block;
}

bool
bt_requests_take_back(
    struct bt_torrent *t, struct bt_peer *p, struct bt_request *r)
{
	uint32_t len;

	if (is_coming_in(p, r))
		return false;
	len = bt_layout_block_size(t->layout, r->piece, r->block);
	bt_outbox_put(t, p, BT_CANCEL, r->piece, r->block * BT_BLOCK_LEN, len);
	if (p->dead)
		return true;
	if (p->fast) { /* BEP 6: it will be answered */
		r->cancelled = true;
		return false;
	}
	p->late_ok++;
	take_out(p, r);
	return true;
}

void
bt_requests_cancel(
    struct bt_torrent *t, struct bt_peer *p, struct bt_pick b, int64_t now)
{
	struct bt_request *r = bt_requests_find(p, b);

	if (r == NULL)
		return;
	p->took = false;
	set_freed(t, p, r, false);
	bt_requests_take_back(t, p, r);
	bt_requests_fill(t, p, now);
}

/* Those that the peer's choke ends: all, but what it allowed fast. */
static void
drop_choked(struct bt_torrent *t, struct bt_peer *p)
{
	struct bt_request *r;
	uint32_t i = 0;

	while (i < p->nreqs) {
		r = &p->reqs[p->reqs_from + i];
		if (is_coming_in(p, r) ||
		    (p->fast && p->fast_in.p != NULL &&
			bt_bits_has(&p->fast_in, r->piece))) {
			i++;
			continue;
		}
		p->late_ok++;
		bt_requests_drop(t, p, r);
	}
}

void
bt_requests_on_choke(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	p->choked_at = now;
	p->window = BT_ASK_FLOOR;
	p->ramping = true;
	p->sample_at = 0;
	p->sample_bps = 0;
	if (!p->fast)
		drop_choked(t, p);
	bt_advice_forget(p);
	bt_spoil_disown(t, p);
	bt_requests_wake(t, p->fast ? now + BT_ASK_CHOKE_GRACE_US : now);
}

bool
bt_requests_on_refused(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	p->ramping = false;
	p->window = p->nreqs > BT_ASK_FLOOR ? p->nreqs : BT_ASK_FLOOR;
	p->ask_after = now + BT_ASK_REFUSED_US;
	bt_spoil_disown(t, p);
	return ++p->refused >= BT_ASK_REFUSED_MAX;
}

void
bt_requests_on_payload(struct bt_peer *p, int64_t now)
{
	p->owed_since = now;
}

/* How many blocks the measured rate brings in the latency and a second. */
static uint32_t
window_for(const struct bt_peer *p, uint64_t bps)
{
	uint64_t span = (uint64_t)(p->latency + BT_ASK_AHEAD_US);
	uint64_t blocks;

	if (span > 4000000)
		span = 4000000;
	if (bps > UINT64_MAX / 4000000)
		return BT_TORRENT_ASK_MAX;
	blocks = bps * span / 1000000 / BT_BLOCK_LEN + 1;
	if (blocks < BT_ASK_LEAST)
		return BT_ASK_LEAST;
	return blocks > BT_TORRENT_ASK_MAX ? BT_TORRENT_ASK_MAX
					   : (uint32_t)blocks;
}

static void
end_sample(struct bt_peer *p, int64_t now)
{
	uint64_t us = (uint64_t)(now - p->sample_at);
	uint64_t bps = p->sample_bytes * 1000000 / us;

	/* the ramp ends when a sample is not a tenth above the one before */
	if (p->ramping && p->sample_bps > 0 && bps / 11 < p->sample_bps / 10)
		p->ramping = false;
	if (!p->ramping)
		p->window = window_for(
		    p, p->sample_bps > 0 ? (bps + p->sample_bps) / 2 : bps);
	p->sample_bps = bps;
	p->sample_bytes = 0;
	p->sample_at = now;
}

void
bt_requests_on_block(
    struct bt_peer *p, const struct bt_request *r, uint32_t bytes, int64_t now)
{
	int64_t took = now - r->at;

	if (p->latency == 0 || took < p->latency)
		p->latency = took > 0 ? took : 1;
	if (r->at > p->served_to)
		p->served_to = r->at;
	p->refused = 0;
	p->took = false;
	if (p->snubbed) {
		p->snubbed = false;
		p->window = BT_ASK_FLOOR;
		p->ramping = true;
		p->sample_at = 0;
		p->sample_bps = 0;
	}
	/* what waits longer than that waits for those before it */
	if (p->ramping && took > p->latency + BT_ASK_AHEAD_US)
		p->ramping = false;
	if (p->ramping && p->window < BT_TORRENT_ASK_MAX)
		p->window++;
	if (p->sample_at == 0) {
		p->sample_at = now;
		p->sample_bytes = 0;
		return;
	}
	p->sample_bytes += bytes;
	took = now - p->sample_at;
	if (took >= BT_ASK_SAMPLE_MAX_US ||
	    (took >= BT_ASK_SAMPLE_US && took >= 2 * p->latency))
		end_sample(p, now);
}

/* It owes and does not give: others may have its blocks. */
static void
snub(struct bt_torrent *t, struct bt_peer *p)
{
	p->snubbed = true;
	p->window = 1;
	bt_manners_note(
	    t, p, BT_ODD_STALLS, "it owes us blocks and sent nothing for 30 s");
	for (uint32_t i = 0; i < p->nreqs; i++)
		bt_requests_free(t, p, &p->reqs[p->reqs_from + i]);
	bt_spoil_disown(t, p);
	/* the oldest stays its chance; the rest need not come any more */
	for (uint32_t i = p->nreqs; i > 1 && !p->dead; i--)
		bt_requests_take_back(t, p, &p->reqs[p->reqs_from + i - 1]);
}

/* Rule 3, for each of its requests. */
static void
sweep_old(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	/* a reader that holds us back waits for the oldest of all */
	int64_t old =
	    t->horizon < t->layout->pieces ? BT_ASK_OLD_READ_US : BT_ASK_OLD_US;
	struct bt_request *r;
	uint32_t i = 0;
	bool is_old, is_lost;

	while (i < p->nreqs) {
		r = &p->reqs[p->reqs_from + i];
		is_old = now - r->at >= old;
		is_lost = now - r->at >= BT_ASK_LOST_US &&
			  p->served_to - r->at >= BT_ASK_LOST_US / 2;
		if ((is_lost || (is_old && p->snubbed)) &&
		    !is_coming_in(p, r)) {
			p->late_ok++;
			bt_requests_drop(t, p, r);
			bt_requests_wake(t, now);
			continue;
		}
		if (is_old && !r->freed) {
			bt_requests_free(t, p, r);
			bt_spoil_disown(t, p);
			bt_requests_wake(t, now);
		}
		i++;
	}
}

void
bt_requests_sweep(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	if (p->nreqs == 0)
		return;
	if (p->choking && p->fast &&
	    now - p->choked_at >= BT_ASK_CHOKE_GRACE_US) {
		drop_choked(t, p);
		bt_requests_wake(t, now);
	}
	if (!p->snubbed && p->nowed > 0 &&
	    now - p->owed_since >= BT_ASK_SNUB_US) {
		snub(t, p);
		bt_requests_wake(t, now);
	}
	sweep_old(t, p, now);
}

static bool
may_ask(const struct bt_torrent *t, const struct bt_peer *p, int64_t now)
{
	if (p->dead || p->state != BT_PEER_READY || !p->am_interested ||
	    t->stopped || t->broken || now < p->ask_after)
		return false;
	return !p->choking || (p->fast && p->fast_in.set > 0);
}

static bool
is_idle(const struct bt_peer *p)
{
	return p->nowed < BT_ASK_FLOOR;
}

/* It would like us to take a piece: begin it for it if we may. */
static void
follow_advice(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	uint32_t piece = bt_advice_next(p, t);

	if (piece >= t->horizon || !bt_pieces_may_begin(t, is_idle(p)) ||
	    bt_picker_has_own(t->picker, p->index, bt_torrent_peer_have(t, p)))
		return;
	if (bt_picker_start(t->picker, piece, p->index))
		bt_pieces_begin(t, piece, now);
}

/* Rule 5: a second request only for a block that is late. */
static bool
may_dup(struct bt_torrent *t, const struct bt_peer *p, struct bt_pick b,
    int64_t now)
{
	const struct bt_piece *pc = bt_pieces_find(t, b.piece);
	int64_t age = BT_ASK_DUP_AGE_US, due;

	if (p->ndups >= BT_ASK_DUPS ||
	    (p->nreqs > 0 && now - p->reqs[p->reqs_from].at >= BT_ASK_LATE_US))
		return false;
	if (t->horizon < t->layout->pieces) /* a reader holds us back */
		age *= 4;
	assert(pc != NULL);
	due = pc->blocks[b.block].asked_at + age;
	if (due > now)
		bt_requests_wake(t, due);
	return due <= now;
}

static void
record(struct bt_torrent *t, struct bt_peer *p, struct bt_pick b, bool dup,
    int64_t now)
{
	/* only those given up before can be the same */
	struct bt_request *r =
	    p->nowed < p->nreqs ? bt_requests_find(p, b) : NULL;
	struct bt_request fresh = {
		.piece = b.piece, .block = b.block, .at = now, .dup = dup
	};

	bt_bucket_take(&t->ask, cost(t, &fresh));
	if (p->nowed == 0) {
		p->owed_since = now;
		p->sample_at = 0; /* idle time says nothing of its rate */
	}
	p->nowed++;
	t->owed++;
	p->ndups += dup;
	if (r != NULL) { /* it is out already, and counts again */
		assert(r->freed);
		r->freed = false;
		r->dup = dup;
		return;
	}
	add(p, &fresh);
	bt_outbox_put(t, p, BT_REQUEST, b.piece, b.block * BT_BLOCK_LEN,
	    bt_layout_block_size(t->layout, b.piece, b.block));
}

/* Tell the picker who else downloads: rule 8. */
static void
name_rivals(struct bt_torrent *t)
{
	uint64_t ids[BT_RIVALS_MAX];
	const struct bt_peer *p;
	uint32_t n = 0;

	t->rivals_stale = false;
	for (uint32_t i = 0; i < t->npeers && n < BT_RIVALS_MAX; i++) {
		p = t->peers[i];
		if (p != NULL && !p->dead && p->state == BT_PEER_READY &&
		    !p->upload_only &&
		    !bt_bits_is_full(bt_torrent_peer_have(t, p)))
			ids[n++] = bt_be64(p->id + 12);
	}
	bt_picker_rivals(t->picker, bt_be64(t->conf.peer_id + 12), ids, n);
}

static void
queue_up(struct bt_torrent *t, struct bt_peer *p)
{
	if (p->hungry)
		return;
	p->hungry = true;
	t->hungry[t->nhungry++] = p->index;
}

void
bt_requests_unqueue(struct bt_torrent *t, struct bt_peer *p)
{
	uint32_t i = 0;

	if (!p->hungry)
		return;
	p->hungry = false;
	while (t->hungry[i] != p->index)
		i++;
	t->nhungry--;
	memmove(t->hungry + i, t->hungry + i + 1,
	    (t->nhungry - i) * sizeof(*t->hungry));
}

void
bt_requests_feed(struct bt_torrent *t, int64_t now)
{
	struct bt_peer *p;

	for (uint32_t n = t->nhungry; n > 0 && t->nhungry > 0; n--) {
		p = t->peers[t->hungry[0]];
		bt_requests_unqueue(t, p);
		bt_requests_fill(t, p, now);
		if (p->hungry) /* denied again: so will be the others */
			break;
	}
}

/* What it was told to leave is not asked of it until it has answered that. */
static bool
is_taken_back(const struct bt_peer *p, struct bt_pick b)
{
	const struct bt_request *r =
	    p->nowed < p->nreqs ? bt_requests_find(p, b) : NULL;

	return r != NULL && r->cancelled;
}

static bool
ask_one(struct bt_torrent *t, struct bt_peer *p, const struct bt_bits *only,
    int64_t now)
{
	bool may = bt_pieces_may_begin(t, is_idle(p)), dup = false;
	struct bt_pick b;

	if (t->rivals_stale)
		name_rivals(t);
	if (!bt_picker_pick(t->picker, p->index, bt_torrent_peer_have(t, p),
		only, may, &b, &dup)) {
		if (!may) {
			bt_pieces_on_starved(t, now);
			queue_up(t, p);
		}
		return false;
	}
	if (is_taken_back(p, b) || (dup && !may_dup(t, p, b, now))) {
		bt_picker_release(t->picker, p->index, b);
		return false;
	}
	if (!bt_pieces_on_asked(t, b, now)) {
		bt_picker_release(t->picker, p->index, b);
		queue_up(t, p);
		return false;
	}
	record(t, p, b, dup, now);
	return true;
}

static void
fill(struct bt_torrent *t, struct bt_peer *p, uint32_t most, int64_t now)
{
	uint32_t window = p->window < p->reqq ? p->window : p->reqq;

	if (p->ask_after > now)
		bt_requests_wake(t, p->ask_after);
	if (!may_ask(t, p, now))
		return;
	if (p->nreqs < window && !p->choking)
		bt_spoil_offer(t, p, now);
	for (; most > 0 && p->nreqs < window && !p->dead; most--) {
		if (!is_idle(p) && !bt_pieces_may_flow(t)) {
			queue_up(t, p);
			break;
		}
		if (p->advice != NULL && !p->choking)
			follow_advice(t, p, now);
		if (!ask_one(t, p, p->choking ? &p->fast_in : NULL, now))
			break;
	}
	if (p->nreqs == 0 && most > 0 && !p->choking && !p->hungry &&
	    bt_takeover_free(t, p, now) && !p->dead)
		(void)ask_one(t, p, NULL, now);
}

void
bt_requests_fill(struct bt_torrent *t, struct bt_peer *p, int64_t now)
{
	if (t->ask.limit_bps != 0)
		bt_requests_wake(t, now);
	else
		fill(t, p, UINT32_MAX, now);
}

/* Rule 7. Who was not asked is the first the next time. */
static void
fill_in_turn(struct bt_torrent *t, int64_t now)
{
	uint32_t idle = 0, owed;
	uint64_t turn = bt_bucket_turn(&t->ask);

	while (idle < t->npeers &&
	       bt_bucket_may(&t->ask, now) >= BT_BLOCK_LEN + BT_TX_HEADER) {
		t->ask_next = (t->ask_next + 1) % t->npeers;
		owed = t->owed;
		if (t->peers[t->ask_next] != NULL)
			fill(t, t->peers[t->ask_next], 1, now);
		idle = t->owed > owed ? 0 : idle + 1;
	}
	if (turn < BT_BLOCK_LEN + BT_TX_HEADER)
		turn = BT_BLOCK_LEN + BT_TX_HEADER;
	if (idle < t->npeers)
		bt_requests_wake(t, bt_bucket_wait(&t->ask, turn, now));
}

void
bt_requests_fill_all(struct bt_torrent *t, int64_t now)
{
	t->refill_at = BT_NEVER;
	for (uint32_t i = 0; t->ask.limit_bps == 0 && i < t->npeers; i++)
		if (t->peers[i] != NULL)
			fill(t, t->peers[i], UINT32_MAX, now);
	if (t->ask.limit_bps != 0)
		fill_in_turn(t, now);
}
