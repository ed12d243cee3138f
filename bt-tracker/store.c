#include "store.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "peers.h"

#define TICKS 100    /* a stamp's unit is expire / TICKS; it wraps at 256 */
#define ROUNDS 16    /* the sweep sees all that many times in expire */
#define TABLE_MIN 16 /* slots of the smallest table */
#define SWARMS_MIN 8

struct swarm {
	uint8_t hash[20];
	uint32_t downloaded;
	struct bt_peers *of[2]; /* IPv4, IPv6; NULL where there is none */
	uint8_t touched;	/* tick of the last announce */
};

struct bt_store {
	uint8_t secret[16];
	struct bt_store_limits *limits;
	uint64_t tick_ms;
	uint64_t expire_ms;
	uint64_t now_ms;   /* the latest time that was given */
	uint8_t ticks_max; /* a stamp further behind is too old */

	struct swarm *swarms; /* dense: the last moves to where one goes */
	uint32_t n, cap;
	uint32_t *table; /* number + 1, by hash; 0 is empty */
	uint32_t mask;

	uint32_t peers;	   /* in this shard */
	uint64_t swept_ms; /* when the sweep last ran */
	uint32_t at;	   /* the swarm it is at */
	unsigned part;	   /* family and role there */
	uint32_t peer;	   /* number in that role */
	uint64_t round;	   /* what there was to look at when it began */
};

struct bt_store *
bt_store_new(
    uint64_t expire_ms, struct bt_store_limits *limits, const uint8_t *secret)
{
	struct bt_store *s = bt_mem_zero(1, sizeof(*s));

	assert(expire_ms > 0);
	assert(limits->peers_max <= BT_STORE_PEERS_MAX);
	assert(limits->swarms_max <= BT_STORE_SWARMS_MAX);
	memcpy(s->secret, secret, sizeof(s->secret));
	s->limits = limits;
	s->expire_ms = expire_ms;
	s->tick_ms = (expire_ms + TICKS - 1) / TICKS;
	/* two ticks' stamps may be almost one tick less apart */
	s->ticks_max = (uint8_t)((expire_ms + s->tick_ms - 1) / s->tick_ms);
	s->table = bt_mem_zero(TABLE_MIN, sizeof(*s->table));
	s->mask = TABLE_MIN - 1;
	return s;
}

void
bt_store_free(struct bt_store *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		for (int f = 0; f < 2; f++)
			bt_peers_free(s->swarms[i].of[f]);
	bt_mem_free(s->swarms);
	bt_mem_free(s->table);
	bt_mem_free(s);
}

/*
 * A caller may have waited for the lock since it read the clock: going back
 * would make what others stamped meanwhile look very old.
 */
static uint8_t
tick_at(struct bt_store *s, uint64_t now_ms)
{
	if (now_ms > s->now_ms)
		s->now_ms = now_ms;
	return (uint8_t)(s->now_ms / s->tick_ms);
}

static bool
take_one(_Atomic uint32_t *count, uint32_t max)
{
	if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max)
		return true;
	atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
	return false;
}

static void
give_back(_Atomic uint32_t *count, uint32_t n)
{
	atomic_fetch_sub_explicit(count, n, memory_order_relaxed);
}

/* The table of swarms. */

static uint32_t
home(const struct bt_store *s, const uint8_t *hash)
{
	return (uint32_t)bt_hash_sip(s->secret, (struct bt_str){ hash, 20 }) &
	       s->mask;
}

/* The slot of the swarm, or the empty one where it would be. */
static uint32_t
seek(const struct bt_store *s, const uint8_t *hash)
{
	uint32_t i;

	for (i = home(s, hash); s->table[i] != 0; i = (i + 1) & s->mask)
		if (memcmp(s->swarms[s->table[i] - 1].hash, hash, 20) == 0)
			break;
	return i;
}

static void
grow(struct bt_store *s)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? SWARMS_MIN : s->cap + s->cap / 2;
		s->swarms =
		    bt_mem_resize(s->swarms, s->cap, sizeof(*s->swarms));
	}
	if (s->n < (s->mask + 1) / 3 * 2)
		return;
	bt_mem_free(s->table);
	s->mask = s->mask * 2 + 1;
	s->table = bt_mem_zero((size_t)s->mask + 1, sizeof(*s->table));
	for (uint32_t i = 0; i < s->n; i++)
		s->table[seek(s, s->swarms[i].hash)] = i + 1;
}

/* NULL when there are too many. */
static struct swarm *
swarm_add(struct bt_store *s, const uint8_t *hash)
{
	struct swarm *sw;

	if (!take_one(&s->limits->swarms, s->limits->swarms_max))
		return NULL;
	grow(s);
	s->table[seek(s, hash)] = s->n + 1;
	sw = &s->swarms[s->n++];
	*sw = (struct swarm){ .downloaded = 0 };
	memcpy(sw->hash, hash, 20);
	return sw;
}

/* Number i has no peers; the last swarm takes its place. */
static void
swarm_drop(struct bt_store *s, uint32_t i)
{
	uint32_t hole, h, at;

	assert(s->swarms[i].of[0] == NULL);
	assert(s->swarms[i].of[1] == NULL);
	hole = seek(s, s->swarms[i].hash);
	for (at = (hole + 1) & s->mask; s->table[at] != 0;
	     at = (at + 1) & s->mask) {
		h = home(s, s->swarms[s->table[at] - 1].hash);
		if (((at - h) & s->mask) < ((at - hole) & s->mask))
			continue;
		s->table[hole] = s->table[at];
		hole = at;
	}
	s->table[hole] = 0;
	s->n--;
	give_back(&s->limits->swarms, 1);
	if (i == s->n)
		return;
	s->table[seek(s, s->swarms[s->n].hash)] = i + 1;
	s->swarms[i] = s->swarms[s->n];
}

/* Drop the peer at a place, and the block when it was the last. */
static void
peer_drop(struct bt_store *s, struct swarm *sw, int f, uint32_t at)
{
	bt_peers_drop(&sw->of[f], s->secret, at);
	if (bt_peers_count(sw->of[f], BT_LEECHER) == 0 &&
	    bt_peers_count(sw->of[f], BT_SEEDER) == 0) {
		bt_peers_free(sw->of[f]);
		sw->of[f] = NULL;
	}
	s->peers--;
	give_back(&s->limits->peers, 1);
}

static uint32_t
count(const struct swarm *sw, enum bt_role role)
{
	uint32_t n = 0;

	for (int f = 0; f < 2; f++)
		if (sw->of[f] != NULL)
			n += bt_peers_count(sw->of[f], role);
	return n;
}

/* An announce, brought to what the swarm compares. */
struct caller {
	uint8_t addr[18];
	int f;	      /* 0 IPv4, 1 IPv6 */
	uint32_t key; /* keyed hash of peer id and key, or 0 */
	uint8_t stamp;
	enum bt_role role;
	enum bt_event event;
};

static uint32_t
own_of(const struct bt_store *s, const struct swarm *sw, const struct caller *c)
{
	if (sw->of[c->f] == NULL)
		return BT_PEER_NONE;
	return bt_peers_find(sw->of[c->f], s->secret, c->addr);
}

static uint32_t
keyed_of(const struct swarm *sw, const struct caller *c)
{
	if (c->key == 0 || sw->of[c->f] == NULL)
		return BT_PEER_NONE;
	return bt_peers_find_key(sw->of[c->f], c->key);
}

/* Rule 6: is the seeder at this address and port another program? */
static bool
is_other(const struct swarm *sw, const struct caller *c, uint32_t own)
{
	uint32_t key = bt_peers_key(sw->of[c->f], own);

	return bt_peers_role(own) == BT_SEEDER && c->role == BT_LEECHER &&
	       c->event != BT_EVENT_STARTED && key != 0 && c->key != 0 &&
	       key != c->key;
}

static void
leave(struct bt_store *s, struct swarm *sw, const struct caller *c)
{
	uint32_t own = own_of(s, sw, c);

	if (own == BT_PEER_NONE)
		own = keyed_of(sw, c);
	else if (is_other(sw, c, own))
		return;
	if (own != BT_PEER_NONE)
		peer_drop(s, sw, c->f, own);
}

/* Put it at its address in its role. BT_PEER_NONE when there are too many. */
static uint32_t
put(struct bt_store *s, struct swarm *sw, const struct caller *c, uint32_t own)
{
	struct bt_peers **p = &sw->of[c->f];
	uint32_t key = c->key;

	if (own != BT_PEER_NONE && key == 0)
		key = bt_peers_key(*p, own);
	if (own != BT_PEER_NONE && bt_peers_role(own) == c->role) {
		bt_peers_set_key(*p, own, key);
		bt_peers_set_stamp(*p, own, c->stamp);
		return own;
	}
	if (own != BT_PEER_NONE) {
		bt_peers_drop(p, s->secret, own);
		return bt_peers_add(
		    p, s->secret, c->role, c->addr, key, c->stamp);
	}
	if (!take_one(&s->limits->peers, s->limits->peers_max))
		return BT_PEER_NONE;
	s->peers++;
	if (*p == NULL)
		*p = bt_peers_new(c->f == 0 ? 4 : 6);
	return bt_peers_add(p, s->secret, c->role, c->addr, key, c->stamp);
}

/*
 * Take it in. *self is its place, or BT_PEER_NONE where rule 6 keeps it out.
 * -1 when there are too many.
 */
static int
enter(struct bt_store *s, struct swarm *sw, const struct caller *c,
    uint32_t *self)
{
	uint32_t own, keyed;
	bool was_leecher;

	*self = BT_PEER_NONE;
	own = own_of(s, sw, c);
	if (own != BT_PEER_NONE && is_other(sw, c, own))
		return 0;
	keyed = BT_PEER_NONE;
	if (own == BT_PEER_NONE || bt_peers_key(sw->of[c->f], own) != c->key)
		keyed = keyed_of(sw, c);
	was_leecher =
	    own != BT_PEER_NONE
		? bt_peers_role(own) == BT_LEECHER
		: keyed != BT_PEER_NONE && bt_peers_role(keyed) == BT_LEECHER;
	if (keyed != BT_PEER_NONE) {
		peer_drop(s, sw, c->f, keyed);
		own = own_of(s, sw, c); /* its place may have changed */
	}
	*self = put(s, sw, c, own);
	if (*self == BT_PEER_NONE)
		return -1;
	if (c->event == BT_EVENT_COMPLETED && c->role == BT_SEEDER &&
	    was_leecher && sw->downloaded < UINT32_MAX)
		sw->downloaded++;
	return 0;
}

/* Of one family: leechers, and seeders to who is not one, in proportion. */
static uint32_t
pick(const struct bt_peers *p, enum bt_role role, uint32_t self, uint32_t want,
    struct bt_rng *rng, uint8_t *out, size_t addr_len)
{
	uint32_t n[2], seeds, got;
	uint64_t share;

	for (int r = 0; r < 2; r++)
		n[r] = bt_peers_count(p, r);
	if (self != BT_PEER_NONE)
		n[bt_peers_role(self)]--;
	if (role == BT_SEEDER)
		n[BT_SEEDER] = 0;
	if (want > n[0] + n[1])
		want = n[0] + n[1];
	if (want == 0)
		return 0;
	/* rounded up as often as the fraction says, so that all are equal */
	share = (uint64_t)want * n[BT_SEEDER];
	seeds = (uint32_t)(share / (n[0] + n[1]));
	if (share % (n[0] + n[1]) > bt_rng_below(rng, n[0] + n[1]))
		seeds++;
	got = bt_peers_pick(p, BT_LEECHER, self, want - seeds, rng, out);
	out += got * addr_len;
	return got + bt_peers_pick(p, BT_SEEDER, self, seeds, rng, out);
}

static void
choose(const struct swarm *sw, const struct bt_store_ask *ask,
    const struct caller *c, uint32_t self, struct bt_rng *rng,
    struct bt_store_answer *a)
{
	uint32_t left = ask->want;
	int f;

	for (int turn = 0; turn < (ask->both ? 2 : 1); turn++) {
		f = turn == 0 ? c->f : !c->f;
		if (sw->of[f] == NULL)
			continue;
		a->n[f] =
		    pick(sw->of[f], c->role, turn == 0 ? self : BT_PEER_NONE,
			left, rng, a->peers[f], f == 0 ? 6 : 18);
		left -= a->n[f];
	}
}

static void
caller_of(struct bt_store *s, const struct bt_store_ask *ask, uint64_t now_ms,
    struct caller *c)
{
	uint8_t both[24];

	*c = (struct caller){
		.f = ask->peer.family == 4 ? 0 : 1,
		.stamp = tick_at(s, now_ms),
		.role = ask->seeder ? BT_SEEDER : BT_LEECHER,
		.event = ask->event,
	};
	bt_addr_pack(&ask->peer, c->addr);
	if (ask->key == 0)
		return;
	memcpy(both, ask->peer_id, 20);
	bt_put_be32(both + 20, ask->key);
	c->key = (uint32_t)bt_hash_sip(s->secret, (struct bt_str){ both, 24 });
	if (c->key == 0)
		c->key = 1; /* 0 is no key */
}

int
bt_store_announce(struct bt_store *s, const struct bt_store_ask *ask,
    uint64_t now_ms, struct bt_rng *rng, struct bt_store_answer *a,
    struct bt_err *err)
{
	struct caller c;
	struct swarm *sw = NULL;
	uint32_t slot, self = BT_PEER_NONE;

	assert(ask->peer.family == 4 || ask->peer.family == 6);
	a->complete = a->incomplete = a->downloaded = a->n[0] = a->n[1] = 0;
	caller_of(s, ask, now_ms, &c);
	slot = s->table[seek(s, ask->info_hash)];
	if (slot != 0)
		sw = &s->swarms[slot - 1];
	else if (ask->event == BT_EVENT_STOPPED)
		return 0;
	else if ((sw = swarm_add(s, ask->info_hash)) == NULL)
		return bt_err_set(err, BT_ELIMIT,
		    "this tracker has no room for another torrent");
	sw->touched = c.stamp;
	if (ask->event == BT_EVENT_STOPPED)
		leave(s, sw, &c);
	else if (enter(s, sw, &c, &self) == -1)
		return bt_err_set(err, BT_ELIMIT,
		    "this tracker has no room for another peer");
	else if (ask->want > 0)
		choose(sw, ask, &c, self, rng, a);
	a->complete = count(sw, BT_SEEDER);
	a->incomplete = count(sw, BT_LEECHER);
	a->downloaded = sw->downloaded;
	return 0;
}

void
bt_store_scrape(const struct bt_store *s, struct bt_scrape_row *row)
{
	uint32_t slot = s->table[seek(s, row->info_hash)];

	row->complete = row->incomplete = row->downloaded = 0;
	if (slot == 0)
		return;
	row->complete = count(&s->swarms[slot - 1], BT_SEEDER);
	row->incomplete = count(&s->swarms[slot - 1], BT_LEECHER);
	row->downloaded = s->swarms[slot - 1].downloaded;
}

/* Look at up to *work peers of one role. True when all were looked at. */
static bool
sweep_part(struct bt_store *s, uint32_t *work, uint8_t now, uint32_t *gone)
{
	struct swarm *sw = &s->swarms[s->at];
	struct bt_peers **p = &sw->of[s->part / 2];
	enum bt_role role = s->part % 2;
	uint32_t n;

	if (*p == NULL)
		return true;
	n = bt_peers_expire(
	    p, s->secret, role, &s->peer, work, now, s->ticks_max);
	*gone += n;
	s->peers -= n;
	give_back(&s->limits->peers, n);
	if (s->peer < bt_peers_count(*p, role))
		return false;
	if (bt_peers_count(*p, BT_LEECHER) == 0 &&
	    bt_peers_count(*p, BT_SEEDER) == 0) {
		bt_peers_free(*p);
		*p = NULL;
	}
	return true;
}

/* The swarm has been looked through: drop it or go on to the next. */
static void
sweep_next(struct bt_store *s, uint8_t now)
{
	struct swarm *sw = &s->swarms[s->at];

	s->part = 0;
	if (sw->of[0] == NULL && sw->of[1] == NULL &&
	    (sw->downloaded == 0 ||
		(uint8_t)(now - sw->touched) > s->ticks_max))
		swarm_drop(s, s->at);
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
	uint64_t all = (uint64_t)s->n * 5 + s->peers;
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
	uint32_t work, gone = 0;
	uint8_t now = tick_at(s, now_ms);

	work = sweep_due(s);
	while (work > 0 && s->n > 0) {
		if (s->at >= s->n) {
			s->at = s->part = s->peer = 0;
			s->round = (uint64_t)s->n * 5 + s->peers;
		}
		if (!sweep_part(s, &work, now, &gone))
			break;
		work -= work > 0;
		s->peer = 0;
		if (++s->part == 4) {
			sweep_next(s, now);
			work -= work > 0;
		}
	}
	return gone;
}

uint32_t
bt_store_swarms(const struct bt_store *s)
{
	return s->n;
}

bool
bt_store_check(const struct bt_store *s)
{
	const struct bt_peers *p;
	uint32_t peers = 0, filed = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		if (s->table[seek(s, s->swarms[i].hash)] != i + 1)
			return false;
		for (int f = 0; f < 2; f++) {
			p = s->swarms[i].of[f];
			if (p == NULL)
				continue;
			if (!bt_peers_check(p, s->secret))
				return false;
			peers += bt_peers_count(p, BT_LEECHER) +
				 bt_peers_count(p, BT_SEEDER);
		}
	}
	for (uint32_t i = 0; i <= s->mask; i++)
		filed += s->table[i] != 0;
	return filed == s->n && peers == s->peers;
}
