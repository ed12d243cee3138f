#include "store_priv.h"

/* How much there may be, and who goes: rules 10 and 11. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store_priv.h"

#define ROUNDS 16 /* the sweep sees all that many times in expire */

/* Limits count relaxed: nothing else is read on their account. */
#define RELAXED memory_order_relaxed

static bool
take_bytes(struct bt_store *s, size_t n)
{
	_Atomic uint64_t *bytes = &s->limits->bytes;

	if (atomic_fetch_add_explicit(bytes, n, RELAXED) + n <=
	    s->limits->bytes_max)
		return true;
	atomic_fetch_sub_explicit(bytes, n, RELAXED);
	return false;
}

static void
give_bytes(struct bt_store *s, size_t n)
{
	atomic_fetch_sub_explicit(&s->limits->bytes, n, RELAXED);
}

void
bt_store_resized(struct bt_store *s, size_t before, size_t after)
{
	/* modulo 2^64, less is more too */
	atomic_fetch_add_explicit(
	    &s->limits->bytes, (uint64_t)after - before, RELAXED);
}

static bool
take_swarm(struct bt_store *s)
{
	_Atomic uint32_t *n = &s->limits->swarms;

	if (atomic_fetch_add_explicit(n, 1, RELAXED) < s->limits->swarms_max)
		return true;
	atomic_fetch_sub_explicit(n, 1, RELAXED);
	return false;
}

static void
count_peers(
    struct bt_store *s, int f, enum bt_role role, uint32_t more, uint32_t less)
{
	s->peers += more - less;
	s->of[f][role] += more - less;
	atomic_fetch_add_explicit(&s->limits->peers, more - less, RELAXED);
}

struct bt_peers **
bt_store_block(struct bt_store *s, uint32_t swarm, int f)
{
	return f == 0 ? &s->swarms.at[swarm]
		      : &bt_swarms_get(&s->swarms, swarm)->v6;
}

uint32_t
bt_store_swarm_add(struct bt_store *s, const uint8_t hash[20], uint64_t touched)
{
	if (!take_swarm(s))
		return BT_SWARM_NONE;
	if (!take_bytes(s, bt_swarms_cost(&s->swarms))) {
		atomic_fetch_sub_explicit(&s->limits->swarms, 1, RELAXED);
		return BT_SWARM_NONE;
	}
	return bt_swarms_add(&s->swarms, hash, touched);
}

void
bt_store_swarm_drop(struct bt_store *s, uint32_t swarm)
{
	struct bt_peers *p;

	for (int f = 0; f < 2; f++) {
		p = *bt_store_block(s, swarm, f);
		if (p == NULL)
			continue;
		for (int role = 0; role < 2; role++)
			count_peers(s, f, role, 0, bt_peers_count(p, role));
		give_bytes(s, bt_peers_size(p));
	}
	atomic_fetch_sub_explicit(&s->limits->swarms, 1, RELAXED);
	bt_swarms_drop(&s->swarms, swarm);
}

static uint32_t
peers_in(const struct bt_peers *p)
{
	return bt_peers_count(p, BT_LEECHER) + bt_peers_count(p, BT_SEEDER);
}

uint32_t
bt_store_peer_add(struct bt_store *s, uint32_t swarm, int f, enum bt_role role,
    const struct bt_peer *peer)
{
	struct bt_peers **p = bt_store_block(s, swarm, f);
	size_t need;

	if (*p != NULL && peers_in(*p) == BT_PEERS_MAX)
		return BT_PEER_NONE;
	need = *p == NULL ? bt_peers_size_least(6, 0)
			  : bt_peers_size_next(*p) - bt_peers_size(*p);
	if (need != 0 && !take_bytes(s, need))
		return BT_PEER_NONE;
	if (*p == NULL)
		*p = bt_peers_new(6, 0);
	count_peers(s, f, role, 1, 0);
	return bt_peers_add(p, s->secret, role, peer);
}

/* Some have gone: the block of IPv6 peers goes with the last. */
static void
settle(struct bt_store *s, uint32_t swarm, int f, size_t before)
{
	struct bt_peers **p = bt_store_block(s, swarm, f);

	if (f == 1 && peers_in(*p) == 0) {
		bt_peers_free(*p);
		*p = NULL;
		give_bytes(s, before);
		return;
	}
	bt_store_resized(s, before, bt_peers_size(*p));
}

void
bt_store_peer_drop(struct bt_store *s, uint32_t swarm, int f, uint32_t at)
{
	struct bt_peers **p = bt_store_block(s, swarm, f);
	size_t before = bt_peers_size(*p);

	bt_peers_drop(p, s->secret, at);
	count_peers(s, f, bt_peers_role(at), 0, 1);
	settle(s, swarm, f, before);
}

/* Tables do not shrink when swarms go. */
bool
bt_store_may_grow(
    const struct bt_store *s, const uint8_t info_hash[20], uint8_t family)
{
	uint64_t bytes = bt_swarms_size(&s->swarms);
	uint32_t swarm = bt_swarms_find(&s->swarms, info_hash);
	const struct bt_peers *p;

	if (swarm == BT_SWARM_NONE)
		return bytes + bt_swarms_cost(&s->swarms) +
			   bt_peers_size_least(6, 0) <=
		       s->limits->bytes_max;
	for (int f = 0; f < 2; f++) {
		p = f == 0 ? s->swarms.at[swarm]
			   : bt_swarms_get(&s->swarms, swarm)->v6;
		if (p == NULL) {
			bytes += family == 6 ? bt_peers_size_least(6, 0) : 0;
			continue;
		}
		if (f != (family == 4 ? 0 : 1)) {
			bytes += bt_peers_size(p);
			continue;
		}
		if (peers_in(p) == BT_PEERS_MAX)
			return false;
		bytes += bt_peers_size_next(p);
	}
	return bytes <= s->limits->bytes_max;
}

bool
bt_store_oldest(struct bt_store *s, uint64_t *touched)
{
	return bt_swarms_oldest(&s->swarms, touched) != BT_SWARM_NONE;
}

bool
bt_store_evict(struct bt_store *s, const uint8_t *keep, uint64_t before)
{
	uint32_t number, kept = BT_SWARM_NONE;
	uint64_t touched, own = 0;

	if (keep != NULL)
		kept = bt_swarms_find(&s->swarms, keep);
	if (kept != BT_SWARM_NONE) {
		/* who is looked for is the oldest of the others */
		own = bt_swarms_get(&s->swarms, kept)->touched;
		bt_swarms_age(&s->swarms, kept, UINT64_MAX);
	}
	number = bt_swarms_oldest(&s->swarms, &touched);
	if (kept != BT_SWARM_NONE)
		bt_swarms_age(&s->swarms, kept, own);
	if (number == BT_SWARM_NONE || number == kept || touched >= before)
		return false;
	bt_store_swarm_drop(s, number);
	return true;
}

/* Look at up to *work peers of one role. True when all were looked at. */
static bool
sweep_part(struct bt_store *s, uint32_t *work, uint8_t now, uint32_t *gone)
{
	int f = (int)s->part / 2;
	struct bt_peers **p = bt_store_block(s, s->at, f);
	enum bt_role role = s->part % 2;
	uint32_t n;
	size_t before;

	if (*p == NULL)
		return true;
	before = bt_peers_size(*p);
	n = bt_peers_expire(
	    p, s->secret, role, &s->peer, work, now, s->ticks_max);
	if (n == 0)
		return s->peer >= bt_peers_count(*p, role);
	*gone += n;
	count_peers(s, f, role, 0, n);
	settle(s, s->at, f, before);
	p = bt_store_block(s, s->at, f);
	return *p == NULL || s->peer >= bt_peers_count(*p, role);
}

/* The swarm has been looked through: drop it or go on to the next. */
static void
sweep_next(struct bt_store *s)
{
	const struct bt_swarm *sw = bt_swarms_get(&s->swarms, s->at);

	s->part = 0;
	if (peers_in(s->swarms.at[s->at]) == 0 && sw->v6 == NULL &&
	    (sw->downloaded == 0 ||
		bt_store_time(s) - sw->touched > s->expire_ms))
		bt_store_swarm_drop(s, s->at);
	else
		s->at++;
}

/*
 * How much is due: a share of the round, which looks at all that was there
 * when it began, so that it takes no longer when much of that goes.
 */
static uint32_t
sweep_due(struct bt_store *s)
{
	/* a peer is one unit of work, a swarm five: its parts and itself */
	uint64_t all = (uint64_t)s->swarms.n * 5 + s->peers;
	uint64_t round_ms = s->expire_ms / ROUNDS + 1;
	uint64_t since_ms = s->now_ms - s->swept_ms;

	s->swept_ms = s->now_ms;
	if (all < s->round)
		all = s->round;
	if (since_ms < round_ms)
		all = all * since_ms / round_ms + 1;
	return all < UINT32_MAX ? (uint32_t)all : UINT32_MAX;
}

uint32_t
bt_store_sweep(struct bt_store *s, uint64_t now_ms)
{
	uint32_t work, gone, before = s->peers;
	uint8_t now = bt_store_stamp(s, now_ms);

	gone = before - s->peers;
	work = sweep_due(s);
	while (work > 0 && s->swarms.n > 0) {
		if (s->at >= s->swarms.n) {
			s->at = s->part = s->peer = 0;
			s->round = (uint64_t)s->swarms.n * 5 + s->peers;
		}
		if (!sweep_part(s, &work, now, &gone))
			break;
		work -= work > 0;
		s->peer = 0;
		if (++s->part == 4) {
			sweep_next(s);
			work -= work > 0;
		}
	}
	return gone;
}

uint32_t
bt_store_swarms(const struct bt_store *s)
{
	return s->swarms.n;
}

uint64_t
bt_store_bytes(const struct bt_store *s)
{
	uint64_t bytes = bt_swarms_size(&s->swarms);
	const struct bt_peers *v6;

	for (uint32_t i = 0; i < s->swarms.n; i++) {
		bytes += bt_peers_size(s->swarms.at[i]);
		v6 = bt_swarms_get(&s->swarms, i)->v6;
		bytes += v6 == NULL ? 0 : bt_peers_size(v6);
	}
	return bytes;
}

bool
bt_store_check(const struct bt_store *s)
{
	const struct bt_peers *p;
	uint32_t peers = 0, of[2][2] = { { 0 } };

	for (uint32_t i = 0; i < s->swarms.n; i++)
		for (int f = 0; f < 2; f++) {
			p = f == 0 ? s->swarms.at[i]
				   : bt_swarms_get(&s->swarms, i)->v6;
			if (p == NULL)
				continue;
			if (!bt_peers_check(p, s->secret))
				return false;
			peers += peers_in(p);
			for (int role = 0; role < 2; role++)
				of[f][role] += bt_peers_count(p, role);
		}
	return bt_swarms_check(&s->swarms) && peers == s->peers &&
	       memcmp(of, s->of, sizeof(of)) == 0;
}
