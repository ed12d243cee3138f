#include "swarms.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "held.h"

_Static_assert(sizeof(struct bt_swarm) % 8 == 0, "a block's head");

#define ROOM_MIN 8u /* swarms of a new shard */
#define CACHE_LINE 64u

void
bt_swarms_init(struct bt_swarms *s, const uint8_t *secret)
{
	*s = (struct bt_swarms){ .secret = secret };
	bt_index_init(&s->by_hash, ROOM_MIN);
	bt_oldest_init(&s->oldest);
}

void
bt_swarms_fini(struct bt_swarms *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		bt_peers_free(bt_swarms_get(s, i)->v6);
		bt_peers_free(s->at[i]);
	}
	bt_mem_free(s->at);
	bt_index_fini(&s->by_hash);
	bt_oldest_fini(&s->oldest);
}

struct bt_swarm *
bt_swarms_get(const struct bt_swarms *s, uint32_t number)
{
	return bt_peers_head(s->at[number]);
}

static uint32_t
hash_of_hash(const struct bt_swarms *s, const uint8_t hash[20])
{
	return (uint32_t)bt_hash_sip(s->secret, (struct bt_str){ hash, 20 });
}

static uint32_t
hash_of(const void *arg, uint32_t number)
{
	const struct bt_swarms *s = arg;

	return hash_of_hash(s, bt_swarms_get(s, number)->hash);
}

/*
 * Whoever finds a swarm goes on to its peers: their lines come while the hash
 * is compared. A block may be shorter, which does no harm.
 */
static void
fetch_peers(const struct bt_peers *p)
{
	uintptr_t at = (uintptr_t)p;

	__builtin_prefetch((const void *)(at + CACHE_LINE));
	__builtin_prefetch((const void *)(at + 2 * CACHE_LINE));
	__builtin_prefetch((const void *)(at + 3 * CACHE_LINE));
}

uint32_t
bt_swarms_find(const struct bt_swarms *s, const uint8_t hash[20])
{
	uint32_t h = hash_of_hash(s, hash), i, step = 0;

	for (;;) {
		i = bt_index_next(&s->by_hash, h, &step);
		if (i == BT_INDEX_NONE)
			return i;
		fetch_peers(s->at[i]);
		if (memcmp(bt_swarms_get(s, i)->hash, hash, 20) == 0)
			return i;
	}
}

void
bt_swarms_fetch(const struct bt_swarms *s, struct bt_swarms_ahead *a)
{
	uint32_t at = 0;

	switch (a->step++) {
	case 0:
		a->key = hash_of_hash(s, a->hash);
		bt_index_fetch(&s->by_hash, a->key);
		break;
	case 1:
		/* the first that may be it: nearly always it is */
		a->number = bt_index_next(&s->by_hash, a->key, &at);
		if (a->number != BT_INDEX_NONE)
			__builtin_prefetch(&s->at[a->number]);
		break;
	default:
		if (a->number >= s->n)
			break;
		__builtin_prefetch(s->at[a->number]);
		fetch_peers(s->at[a->number]);
	}
}

static uint32_t
room_for(uint32_t n)
{
	return n < ROOM_MIN ? ROOM_MIN : n + n / 8;
}

static void
grow(struct bt_swarms *s)
{
	uint32_t n = s->n;

	if (n == s->cap) {
		s->cap = room_for(n + 1);
		s->at = bt_mem_resize(s->at, s->cap, sizeof(*s->at));
		bt_oldest_room(&s->oldest, s->cap);
	}
	if (!bt_index_is_full(&s->by_hash))
		return;
	bt_index_fini(&s->by_hash);
	bt_index_init(&s->by_hash, n + 1);
	for (uint32_t i = 0; i < n; i++)
		bt_index_put(&s->by_hash, hash_of(s, i), i);
}

uint32_t
bt_swarms_add(struct bt_swarms *s, const uint8_t hash[20], uint64_t touched)
{
	uint32_t number;
	struct bt_swarm *sw;

	grow(s);
	number = s->n++;
	s->at[number] = bt_peers_new(4, sizeof(*sw));
	sw = bt_swarms_get(s, number);
	memcpy(sw->hash, hash, 20);
	sw->touched = touched;
	bt_index_put(&s->by_hash, hash_of_hash(s, hash), number);
	bt_oldest_add(&s->oldest, number, touched);
	return number;
}

void
bt_swarms_drop(struct bt_swarms *s, uint32_t number)
{
	uint32_t last = s->n - 1;

	assert(number < s->n);
	bt_index_del(&s->by_hash, hash_of(s, number), number, hash_of, s);
	bt_peers_free(bt_swarms_get(s, number)->v6);
	bt_peers_free(s->at[number]);
	if (number != last) {
		bt_index_set(&s->by_hash, hash_of(s, last), last, number);
		s->at[number] = s->at[last];
		bt_oldest_add(
		    &s->oldest, number, bt_swarms_get(s, number)->touched);
	}
	s->n--;
}

void
bt_swarms_age(struct bt_swarms *s, uint32_t number, uint64_t touched)
{
	bt_swarms_get(s, number)->touched = touched;
	bt_oldest_add(&s->oldest, number, touched);
}

uint32_t
bt_swarms_oldest(struct bt_swarms *s, uint64_t *touched)
{
	uint32_t group, first, found;
	uint64_t said, t;

	for (;;) {
		if (s->n == 0)
			return BT_SWARM_NONE;
		group = bt_oldest_group(&s->oldest, &said);
		first = group * BT_OLDEST_GROUP;
		*touched = UINT64_MAX;
		found = BT_SWARM_NONE;
		for (uint32_t i = first;
		     i < s->n && i < first + BT_OLDEST_GROUP; i++) {
			t = bt_swarms_get(s, i)->touched;
			if (found == BT_SWARM_NONE || t < *touched) {
				*touched = t;
				found = i;
			}
		}
		if (found != BT_SWARM_NONE && *touched == said)
			return found;
		bt_oldest_set(&s->oldest, group, *touched);
	}
}

size_t
bt_swarms_size(const struct bt_swarms *s)
{
	return bt_held(s->cap * sizeof(*s->at)) + bt_index_size(&s->by_hash) +
	       bt_oldest_bytes(&s->oldest, s->cap);
}

size_t
bt_swarms_cost(const struct bt_swarms *s)
{
	uint32_t cap = s->n == s->cap ? room_for(s->n + 1) : s->cap;
	size_t next;

	next = bt_held(cap * sizeof(*s->at)) +
	       bt_oldest_bytes(&s->oldest, cap) +
	       (bt_index_is_full(&s->by_hash) ? bt_index_bytes(s->n + 1)
					      : bt_index_size(&s->by_hash));
	return next - bt_swarms_size(s) +
	       bt_peers_size_least(4, sizeof(struct bt_swarm));
}

bool
bt_swarms_check(const struct bt_swarms *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (bt_swarms_find(s, bt_swarms_get(s, i)->hash) != i)
			return false;
	return s->by_hash.n == s->n && bt_index_check(&s->by_hash, hash_of, s);
}
