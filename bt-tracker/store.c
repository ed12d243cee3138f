#include "store.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "store_priv.h"

#define TICKS 50 /* a stamp's unit is expire / TICKS; it wraps at 128 */
/*
 * Swarms from a file were touched before the clock began: it is moved forward
 * by more than any is remembered.
 */
#define BORN_MS (UINT64_C(1) << 40)

struct bt_store *
bt_store_new(uint64_t expire_ms, struct bt_store_limits *limits,
    const uint8_t *secret, const uint8_t *key_secret)
{
	struct bt_store *s = bt_mem_zero(1, sizeof(*s));

	assert(expire_ms > 0);
	assert(limits->swarms_max <= BT_STORE_SWARMS_MAX);
	memcpy(s->secret, secret, sizeof(s->secret));
	memcpy(s->key_secret, key_secret, sizeof(s->key_secret));
	s->limits = limits;
	s->expire_ms = expire_ms;
	s->tick_ms = (expire_ms + TICKS - 1) / TICKS;
	/* two ticks' stamps may be almost one tick less apart */
	s->ticks_max = (uint8_t)((expire_ms + s->tick_ms - 1) / s->tick_ms);
	bt_swarms_init(&s->swarms, s->secret);
	bt_store_resized(s, 0, bt_swarms_size(&s->swarms));
	return s;
}

void
bt_store_free(struct bt_store *s)
{
	if (s == NULL)
		return;
	bt_swarms_fini(&s->swarms);
	bt_mem_free(s);
}

/*
 * A caller may have waited for the lock since it read the clock: going back
 * would make what others stamped meanwhile look very old. Nobody called for
 * longer than any peer is kept (we were stopped, or the machine slept): all are
 * too old, and their stamps have gone round.
 */
uint8_t
bt_store_stamp(struct bt_store *s, uint64_t now_ms)
{
	if (now_ms > s->now_ms &&
	    now_ms - s->now_ms > s->expire_ms + 2 * s->tick_ms)
		while (s->swarms.n > 0)
			bt_store_swarm_drop(s, s->swarms.n - 1);
	if (now_ms > s->now_ms)
		s->now_ms = now_ms;
	return (uint8_t)(s->now_ms / s->tick_ms) & BT_STAMP_MASK;
}

uint64_t
bt_store_time(const struct bt_store *s)
{
	return BORN_MS + s->now_ms;
}

/* An announce, brought to what the swarm compares. */
struct caller {
	uint8_t addr[18];
	int f; /* 0 IPv4, 1 IPv6 */
	enum bt_role role;
	enum bt_event event;
	struct bt_peer peer; /* key: of peer id and key, keyed, or 0 */
};

static uint32_t
own_of(struct bt_store *s, uint32_t swarm, const struct caller *c)
{
	const struct bt_peers *p = *bt_store_block(s, swarm, c->f);

	return p == NULL ? BT_PEER_NONE : bt_peers_find(p, s->secret, c->addr);
}

static uint32_t
keyed_of(struct bt_store *s, uint32_t swarm, const struct caller *c)
{
	const struct bt_peers *p = *bt_store_block(s, swarm, c->f);

	if (c->peer.key == 0 || p == NULL)
		return BT_PEER_NONE;
	return bt_peers_find_key(p, c->peer.key);
}

static uint32_t
key_at(struct bt_store *s, uint32_t swarm, const struct caller *c, uint32_t at)
{
	return bt_peers_get(*bt_store_block(s, swarm, c->f), at).key;
}

/* Rule 6: is the seeder at this address and port another program? */
static bool
is_other(
    struct bt_store *s, uint32_t swarm, const struct caller *c, uint32_t own)
{
	uint32_t key = key_at(s, swarm, c, own);

	return bt_peers_role(own) == BT_SEEDER && c->role == BT_LEECHER &&
	       c->event != BT_EVENT_STARTED && key != 0 && c->peer.key != 0 &&
	       key != c->peer.key;
}

static void
leave(struct bt_store *s, uint32_t swarm, const struct caller *c)
{
	uint32_t own = own_of(s, swarm, c);

	if (own == BT_PEER_NONE)
		own = keyed_of(s, swarm, c);
	else if (is_other(s, swarm, c, own))
		return;
	if (own != BT_PEER_NONE)
		bt_store_peer_drop(s, swarm, c->f, own);
}

/* The peer at a place, of its own address, is what the caller says now. */
static uint32_t
renew(struct bt_store *s, uint32_t swarm, const struct caller *c, uint32_t own)
{
	struct bt_peers **p = bt_store_block(s, swarm, c->f);
	struct bt_peer peer = c->peer, was = bt_peers_get(*p, own);
	size_t before;

	if (peer.key == 0)
		peer.key = was.key;
	if (bt_peers_role(own) == c->role && peer.key == was.key) {
		bt_peers_set(*p, s->secret, own, &peer);
		return own;
	}
	before = bt_peers_size(*p);
	if (bt_peers_role(own) == c->role)
		bt_peers_set(*p, s->secret, own, &peer);
	else {
		bt_peers_drop(p, s->secret, own);
		own = bt_peers_add(p, s->secret, c->role, &peer);
		s->of[c->f][!c->role]--;
		s->of[c->f][c->role]++;
	}
	bt_store_resized(s, before, bt_peers_size(*p));
	return own;
}

/*
 * Take it in. *self is its place, or BT_PEER_NONE where rule 6 keeps it out.
 * -1 when there is no room.
 */
static int
enter(
    struct bt_store *s, uint32_t swarm, const struct caller *c, uint32_t *self)
{
	uint32_t own, keyed = BT_PEER_NONE;
	bool was_leecher;

	*self = BT_PEER_NONE;
	own = own_of(s, swarm, c);
	if (own != BT_PEER_NONE && is_other(s, swarm, c, own))
		return 0;
	if (own == BT_PEER_NONE || key_at(s, swarm, c, own) != c->peer.key)
		keyed = keyed_of(s, swarm, c);
	was_leecher =
	    own != BT_PEER_NONE
		? bt_peers_role(own) == BT_LEECHER
		: keyed != BT_PEER_NONE && bt_peers_role(keyed) == BT_LEECHER;
	if (keyed != BT_PEER_NONE) {
		bt_store_peer_drop(s, swarm, c->f, keyed);
		own = own_of(s, swarm, c); /* its place may have changed */
	}
	*self = own != BT_PEER_NONE
		    ? renew(s, swarm, c, own)
		    : bt_store_peer_add(s, swarm, c->f, c->role, &c->peer);
	if (*self == BT_PEER_NONE)
		return -1;
	if (c->event == BT_EVENT_COMPLETED && c->role == BT_SEEDER &&
	    was_leecher &&
	    bt_swarms_get(&s->swarms, swarm)->downloaded < UINT32_MAX)
		bt_swarms_get(&s->swarms, swarm)->downloaded++;
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
choose(struct bt_store *s, uint32_t swarm, const struct bt_store_ask *ask,
    const struct caller *c, uint32_t self, struct bt_rng *rng,
    struct bt_store_answer *a)
{
	uint32_t left = ask->want;
	const struct bt_peers *p;
	int f;

	for (int turn = 0; turn < (ask->both ? 2 : 1); turn++) {
		f = turn == 0 ? c->f : !c->f;
		p = *bt_store_block(s, swarm, f);
		if (p == NULL)
			continue;
		a->n[f] = pick(p, c->role, turn == 0 ? self : BT_PEER_NONE,
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
		.role = ask->seeder ? BT_SEEDER : BT_LEECHER,
		.event = ask->event,
		.peer = { .stamp = bt_store_stamp(s, now_ms),
		    .paused = ask->event == BT_EVENT_PAUSED && !ask->seeder,
		    .addr = c->addr },
	};
	bt_addr_pack(&ask->peer, c->addr);
	if (ask->key == 0)
		return;
	memcpy(both, ask->peer_id, 20);
	bt_put_be32(both + 20, ask->key);
	c->peer.key =
	    (uint32_t)bt_hash_sip(s->key_secret, (struct bt_str){ both, 24 });
	if (c->peer.key == 0)
		c->peer.key = 1; /* 0 is no key */
}

static void
count(struct bt_store *s, uint32_t swarm, struct bt_scrape_row *row)
{
	const struct bt_peers *p;

	row->complete = row->incomplete = row->downloaders = 0;
	row->downloaded = bt_swarms_get(&s->swarms, swarm)->downloaded;
	for (int f = 0; f < 2; f++) {
		p = *bt_store_block(s, swarm, f);
		if (p == NULL)
			continue;
		row->complete += bt_peers_count(p, BT_SEEDER);
		row->incomplete += bt_peers_count(p, BT_LEECHER);
		row->downloaders +=
		    bt_peers_count(p, BT_LEECHER) - bt_peers_paused(p);
	}
}

/* Its swarm, made where there is none. BT_SWARM_NONE: there is no room. */
static uint32_t
swarm_of(struct bt_store *s, const struct bt_store_ask *ask, bool *new)
{
	uint32_t swarm = bt_swarms_find(&s->swarms, ask->info_hash);

	*new = swarm == BT_SWARM_NONE;
	if (!*new)
		bt_swarms_get(&s->swarms, swarm)->touched = bt_store_time(s);
	else if (ask->event != BT_EVENT_STOPPED)
		swarm = bt_store_swarm_add(s, ask->info_hash, bt_store_time(s));
	return swarm;
}

int
bt_store_announce(struct bt_store *s, const struct bt_store_ask *ask,
    uint64_t now_ms, struct bt_rng *rng, struct bt_store_answer *a,
    struct bt_err *err)
{
	struct caller c;
	struct bt_scrape_row row;
	uint32_t swarm, self = BT_PEER_NONE;
	bool new;

	assert(ask->peer.family == 4 || ask->peer.family == 6);
	a->complete = a->incomplete = a->downloaded = a->downloaders = 0;
	a->n[0] = a->n[1] = 0;
	a->outdone = false;
	caller_of(s, ask, now_ms, &c);
	swarm = swarm_of(s, ask, &new);
	if (swarm == BT_SWARM_NONE && ask->event == BT_EVENT_STOPPED)
		return 0;
	if (swarm == BT_SWARM_NONE)
		return bt_err_set(err, BT_ELIMIT,
		    "this tracker has no room for another torrent");
	if (ask->event == BT_EVENT_STOPPED)
		leave(s, swarm, &c);
	else if (enter(s, swarm, &c, &self) == -1) {
		if (new)
			bt_store_swarm_drop(s, swarm);
		return bt_err_set(err, BT_ELIMIT,
		    "this tracker has no room for another peer");
	} else {
		a->outdone = self == BT_PEER_NONE;
		if (ask->want > 0)
			choose(s, swarm, ask, &c, self, rng, a);
	}
	count(s, swarm, &row);
	a->complete = row.complete;
	a->incomplete = row.incomplete;
	a->downloaded = row.downloaded;
	a->downloaders = row.downloaders;
	return 0;
}

void
bt_store_fetch(const struct bt_store *s, struct bt_swarms_ahead *a)
{
	bt_swarms_fetch(&s->swarms, a);
}

void
bt_store_scrape(struct bt_store *s, struct bt_scrape_row *row)
{
	uint32_t swarm = bt_swarms_find(&s->swarms, row->info_hash);

	row->complete = row->incomplete = 0;
	row->downloaded = row->downloaders = 0;
	if (swarm != BT_SWARM_NONE)
		count(s, swarm, row);
}

void
bt_store_peers(const struct bt_store *s, uint64_t of[2][2])
{
	for (int f = 0; f < 2; f++)
		for (int role = 0; role < 2; role++)
			of[f][role] += s->of[f][role];
}

size_t
bt_store_look(
    struct bt_store *s, uint32_t *left, struct bt_scrape_row *rows, size_t n)
{
	size_t i;

	if (*left > s->swarms.n)
		*left = s->swarms.n;
	for (i = 0; i<n && * left> 0; i++) {
		--*left;
		memcpy(rows[i].info_hash,
		    bt_swarms_get(&s->swarms, *left)->hash, 20);
		count(s, *left, &rows[i]);
	}
	return i;
}
