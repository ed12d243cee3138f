#include "core/tiers.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "core/rate.h"

#define WAIT_FIRST BT_SEC(15)
#define WAIT_MAX BT_SEC(1800)
#define DOUBLINGS 7u /* 15 s * 2^7 is past the longest wait */

struct tracker {
	char *url;
	uint32_t tier;
	unsigned fails;	  /* in a row, at most DOUBLINGS + 1 */
	int64_t retry_at; /* not before; meaningless if fails is 0 */
};

struct bt_tiers {
	struct bt_rng rng;
	struct tracker *trackers; /* by id */
	uint32_t *order;	  /* ids, tier by tier, as they are tried */
	uint32_t n;
};

struct bt_tiers *
bt_tiers_new(uint64_t seed)
{
	struct bt_tiers *t = bt_mem_zero(1, sizeof(*t));

	bt_rng_seed(&t->rng, seed);
	return t;
}

void
bt_tiers_free(struct bt_tiers *t)
{
	if (t == NULL)
		return;
	for (uint32_t id = 0; id < t->n; id++)
		bt_mem_free(t->trackers[id].url);
	bt_mem_free(t->trackers);
	bt_mem_free(t->order);
	bt_mem_free(t);
}

static bool
has_url(const struct bt_tiers *t, struct bt_str url)
{
	for (uint32_t id = 0; id < t->n; id++)
		if (bt_str_eq(bt_str_of(t->trackers[id].url), url))
			return true;
	return false;
}

/* The index in order of the first tracker of a tier that is not below. */
static uint32_t
begin_of(const struct bt_tiers *t, uint64_t tier)
{
	uint32_t i = 0;

	while (i < t->n && t->trackers[t->order[i]].tier < tier)
		i++;
	return i;
}

/* Entering at a random place each time is as good as a shuffle of all. */
bool
bt_tiers_add(struct bt_tiers *t, struct bt_str url, uint32_t tier)
{
	uint32_t from, to, at;

	if (t->n == BT_TIERS_MAX || has_url(t, url))
		return false;
	from = begin_of(t, tier);
	to = begin_of(t, (uint64_t)tier + 1);
	at = from + bt_rng_below(&t->rng, to - from + 1);
	t->trackers =
	    bt_mem_resize(t->trackers, t->n + 1, sizeof(*t->trackers));
	t->order = bt_mem_resize(t->order, t->n + 1, sizeof(*t->order));
	memmove(
	    &t->order[at + 1], &t->order[at], (t->n - at) * sizeof(*t->order));
	t->order[at] = t->n;
	t->trackers[t->n] =
	    (struct tracker){ .url = bt_str_dup(url), .tier = tier };
	t->n++;
	return true;
}

uint32_t
bt_tiers_count(const struct bt_tiers *t)
{
	return t->n;
}

uint32_t
bt_tiers_pick(struct bt_tiers *t, int64_t now, int64_t *when)
{
	const struct tracker *k;

	*when = BT_NEVER;
	for (uint32_t i = 0; i < t->n; i++) {
		k = &t->trackers[t->order[i]];
		if (k->fails == 0 || k->retry_at <= now) {
			*when = now;
			return t->order[i];
		}
		if (k->retry_at < *when)
			*when = k->retry_at;
	}
	return UINT32_MAX;
}

const char *
bt_tiers_url(const struct bt_tiers *t, uint32_t id)
{
	assert(id < t->n);
	return t->trackers[id].url;
}

void
bt_tiers_ok(struct bt_tiers *t, uint32_t id)
{
	uint32_t from, at;

	assert(id < t->n);
	t->trackers[id].fails = 0;
	from = begin_of(t, t->trackers[id].tier);
	at = from;
	while (t->order[at] != id)
		at++;
	memmove(&t->order[from + 1], &t->order[from],
	    (at - from) * sizeof(*t->order));
	t->order[from] = id;
}

void
bt_tiers_failed(struct bt_tiers *t, uint32_t id, int64_t now)
{
	struct tracker *k;
	int64_t wait;

	assert(id < t->n);
	k = &t->trackers[id];
	if (k->fails <= DOUBLINGS)
		k->fails++;
	wait = WAIT_FIRST << (k->fails - 1);
	k->retry_at = now + (wait < WAIT_MAX ? wait : WAIT_MAX);
}
