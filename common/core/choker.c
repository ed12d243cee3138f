#include "core/choker.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

#define NOBODY UINT32_MAX

/* Rule 3: what a peer may have before it goes behind those that wait. */
#define QUANTUM_BYTES (UINT64_C(16) << 20)
#define QUANTUM_US INT64_C(30000000)

/* Rule 2: two turns of the optimistic slot. */
#define NEW_US (2 * BT_CHOKE_OPTIMISTIC_US)
#define NEW_WEIGHT 3u /* BEP 3 */

struct entry {
	struct bt_choke_row *row;
	unsigned class;	 /* lower is better */
	uint64_t first;	 /* lower is better */
	uint64_t rate;	 /* higher is better */
	bool unchoked;	 /* better: ties change nothing */
	uint64_t random; /* lower is better */
};

void
bt_choker_init(struct bt_choker *c, unsigned slots, uint64_t seed)
{
	assert(slots <= BT_CHOKE_SLOTS_MAX);
	c->slots = slots;
	c->slots_now = slots > 0 ? slots : BT_CHOKE_SLOTS_AUTO;
	c->optimistic = NOBODY;
	c->optimistic_since = 0;
	c->round_at = INT64_MIN / 2;
	c->last_up_bps = 0;
	c->grew = false;
	bt_rng_seed(&c->rng, seed);
}

static int
compare(const void *one, const void *two)
{
	const struct entry *a = one, *b = two;

	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->rate != b->rate)
		return a->rate > b->rate ? -1 : 1;
	if (a->unchoked != b->unchoked)
		return a->unchoked ? -1 : 1;
	if (a->random != b->random)
		return a->random < b->random ? -1 : 1;
	return 0;
}

/*
 * Rule 6, once a round and only while somebody waits. A slot is worth having
 * if it carries as many KiB/s as 5/3 of the number of slots, which is to say
 * that n slots want 5/3 n^2 KiB/s: 8 slots 107, 50 slots 4167. More are opened
 * while there is room: under a limit until 9/10 of it are used; without one
 * while each is worth it, or while the last ones opened brought a sixteenth
 * more. One is closed when they carry less than half of that.
 */
static uint64_t
worth(const struct bt_choker *c)
{
	return (uint64_t)c->slots_now * 1024 * 5 / 3;
}

static void
adjust_slots(struct bt_choker *c, size_t unchoked, size_t waiting,
    uint64_t up_bps, uint64_t limit_bps)
{
	uint64_t last = c->last_up_bps, share;
	bool room;

	c->last_up_bps = up_bps;
	if (c->slots > 0 || waiting == 0 || unchoked < c->slots_now)
		return;
	share = up_bps / unchoked;
	if (limit_bps > 0)
		room = up_bps < limit_bps - limit_bps / 10;
	else
		room =
		    share >= worth(c) || (c->grew && up_bps > last + last / 16);
	c->grew = room;
	if (room)
		c->slots_now += 1 + c->slots_now / 8;
	else if (share < worth(c) / 2)
		c->slots_now--;
	if (c->slots_now > BT_CHOKE_SLOTS_MAX)
		c->slots_now = BT_CHOKE_SLOTS_MAX;
	if (c->slots_now < BT_CHOKE_SLOTS_MIN)
		c->slots_now = BT_CHOKE_SLOTS_MIN;
}

bool
bt_choker_grow(
    struct bt_choker *c, size_t unchoked, uint64_t up_bps, uint64_t limit_bps)
{
	if (c->slots > 0 || unchoked < c->slots_now ||
	    c->slots_now >= BT_CHOKE_SLOTS_MAX ||
	    (limit_bps > 0 && up_bps >= limit_bps - limit_bps / 10) ||
	    up_bps / unchoked < 2 * worth(c))
		return false;
	c->slots_now *= 2;
	if (c->slots_now > BT_CHOKE_SLOTS_MAX)
		c->slots_now = BT_CHOKE_SLOTS_MAX;
	return true;
}

/* Rule 3. Between rounds nobody loses a slot. */
static void
rank_for_seeding(struct entry *e, bool is_round, int64_t now)
{
	const struct bt_choke_row *r = e->row;

	e->rate = r->up_bps;
	if (!r->unchoked) {
		e->class = 1;
		e->first = (uint64_t)r->unchoked_at;
	} else if (is_round && (r->up_since >= QUANTUM_BYTES ||
				   now - r->unchoked_at >= QUANTUM_US)) {
		e->class = 2;
	}
}

/* Rules 2 and 4. */
static void
rank_for_leeching(const struct bt_choker *c, struct entry *e, bool is_round)
{
	const struct bt_choke_row *r = e->row;

	e->rate = r->down_bps;
	if (!is_round && r->unchoked && r->id != c->optimistic)
		e->class = 0;
	else
		e->class = r->snubbing ? 2 : 1;
}

static uint32_t
weight(const struct entry *e, int64_t now)
{
	return now - e->row->connected_at < NEW_US ? NEW_WEIGHT : 1;
}

/* One of those without a slot, but not the one that had the turn before. */
static struct bt_choke_row *
draw_optimistic(struct bt_choker *c, struct entry *e, size_t n, int64_t now)
{
	uint32_t sum = 0, at;

	for (size_t i = 0; i < n; i++)
		if (!e[i].row->unchoke && e[i].row->id != c->optimistic)
			sum += weight(&e[i], now);
	if (sum == 0)
		return NULL;
	at = bt_rng_below(&c->rng, sum);
	for (size_t i = 0; i < n; i++) {
		if (e[i].row->unchoke || e[i].row->id == c->optimistic)
			continue;
		if (at < weight(&e[i], now))
			return e[i].row;
		at -= weight(&e[i], now);
	}
	return NULL;
}

static void
give_optimistic(
    struct bt_choker *c, struct entry *e, size_t n, bool is_round, int64_t now)
{
	struct bt_choke_row *holder = NULL, *heir = NULL;

	for (size_t i = 0; i < n; i++)
		if (e[i].row->id == c->optimistic && !e[i].row->unchoke)
			holder = e[i].row;
	if (holder == NULL ||
	    (is_round && now - c->optimistic_since >= BT_CHOKE_OPTIMISTIC_US))
		heir = draw_optimistic(c, e, n, now);
	if (heir != NULL) {
		c->optimistic_since = now;
		holder = heir;
	}
	c->optimistic = holder != NULL ? holder->id : NOBODY;
	if (holder != NULL)
		holder->unchoke = true;
}

void
bt_choker_run(struct bt_choker *c, struct bt_choke_row *rows, size_t n,
    bool seeding, uint64_t up_bps, uint64_t up_limit_bps, int64_t now)
{
	bool is_round = now - c->round_at >= BT_CHOKE_PERIOD_US;
	struct entry *e = bt_mem_zero(n, sizeof(*e));
	size_t count = 0, unchoked = 0, waiting = 0, slots, idle = 0, used = 0;

	for (size_t i = 0; i < n; i++) {
		rows[i].unchoke = false;
		if (!rows[i].interested || rows[i].dead_weight)
			continue;
		e[count].row = &rows[i];
		e[count].unchoked =
		    rows[i].unchoked && rows[i].id != c->optimistic;
		e[count].random = bt_rng_u64(&c->rng);
		if (seeding)
			rank_for_seeding(&e[count], is_round, now);
		else
			rank_for_leeching(c, &e[count], is_round);
		unchoked += rows[i].unchoked && !rows[i].idle;
		waiting += !rows[i].unchoked;
		count++;
	}
	if (is_round) {
		c->round_at = now;
		adjust_slots(c, unchoked, waiting, up_bps, up_limit_bps);
	}
	slots = seeding ? c->slots_now : c->slots_now - 1;
	qsort(e, count, sizeof(*e), compare);
	for (size_t i = 0; i < count; i++) {
		if (e[i].row->idle && idle < slots)
			idle++;
		else if (used++ >= slots)
			continue;
		e[i].row->unchoke = seeding || e[i].class < 2;
	}
	if (seeding)
		c->optimistic = NOBODY;
	else
		give_optimistic(c, e, count, is_round, now);
	bt_mem_free(e);
}
