#include "core/candidates.h"

#include <assert.h>
#include <string.h>

#include "base/htab.h"
#include "base/mem.h"
#include "core/rate.h"

#define WAIT_FIRST BT_SEC(5)
#define WAIT_MAX BT_SEC(600)
#define DOUBLINGS 7u	    /* 5 s * 2^7 is past the longest wait */
#define WORTH_US BT_SEC(60) /* whoever stayed as long has not failed */
#define IP_KEY_LEN 17u
#define ADDR_KEY_LEN 19u

enum state {
	IDLE,	   /* in a heap */
	CONNECTED, /* in no structure but the table, as SELF */
	USELESS,   /* in spare[1] */
	SELF
};

struct cand {
	struct bt_addr addr;
	bool by_hand;
	uint8_t state; /* enum state */
	uint8_t fails; /* in a row, at most DOUBLINGS + 1 */
	uint8_t links; /* CONNECTED: connections, its dial to us and ours */
	uint32_t tie;  /* random order among those equally ready */
	uint32_t at;   /* IDLE: index in its heap */
	/* IDLE: when to dial; CONNECTED: since when, or -1 if unknown */
	int64_t when;
	struct cand *next, *prev; /* in spare, if is_spare() */
};

struct list {
	struct cand *first, *last;
};

struct bt_candidates {
	uint32_t max;
	struct bt_rng rng;
	struct bt_htab *known;
	struct heap {
		struct cand **a;
		uint32_t n, size;
	} heap[2];	      /* [by_hand] */
	struct list spare[2]; /* what goes when full: failed, then useless */
	struct bt_htab *banned;
	uint8_t (*bans)[IP_KEY_LEN]; /* a ring, in order */
	uint32_t nbans, oldest_ban;
};

struct bt_candidates *
bt_candidates_new(uint32_t max, uint64_t seed)
{
	struct bt_candidates *c = bt_mem_zero(1, sizeof(*c));
	uint8_t key[16];

	c->max = max;
	bt_rng_seed(&c->rng, seed);
	bt_rng_fill(&c->rng, key, sizeof(key));
	c->known = bt_htab_new(ADDR_KEY_LEN, key);
	c->banned = bt_htab_new(IP_KEY_LEN, key);
	return c;
}

void
bt_candidates_free(struct bt_candidates *c)
{
	const void *key;
	void *value;
	size_t at = 0;

	if (c == NULL)
		return;
	while (bt_htab_next(c->known, &at, &key, &value))
		bt_mem_free(value);
	bt_htab_free(c->known);
	bt_htab_free(c->banned);
	bt_mem_free(c->heap[0].a);
	bt_mem_free(c->heap[1].a);
	bt_mem_free(c->bans);
	bt_mem_free(c);
}

/* The address's first IP_KEY_LEN bytes are those of its IP. */
static void
key_of(const struct bt_addr *a, uint8_t key[ADDR_KEY_LEN])
{
	key[0] = a->family;
	memcpy(key + 1, a->ip, 16);
	key[17] = (uint8_t)(a->port >> 8);
	key[18] = (uint8_t)a->port;
}

static struct cand *
find(const struct bt_candidates *c, const struct bt_addr *a)
{
	uint8_t key[ADDR_KEY_LEN];

	key_of(a, key);
	return bt_htab_get(c->known, key);
}

static bool
sooner(const struct cand *a, const struct cand *b)
{
	return a->when != b->when ? a->when < b->when : a->tie < b->tie;
}

static void
place(struct heap *h, uint32_t at, struct cand *k)
{
	h->a[at] = k;
	k->at = at;
}

static void
sift_up(struct heap *h, uint32_t at)
{
	struct cand *k = h->a[at];

	while (at > 0 && sooner(k, h->a[(at - 1) / 2])) {
		place(h, at, h->a[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(h, at, k);
}

static void
sift_down(struct heap *h, uint32_t at)
{
	struct cand *k = h->a[at];
	uint32_t child;

	while ((child = 2 * at + 1) < h->n) {
		if (child + 1 < h->n && sooner(h->a[child + 1], h->a[child]))
			child++;
		if (!sooner(h->a[child], k))
			break;
		place(h, at, h->a[child]);
		at = child;
	}
	place(h, at, k);
}

/* Which list of those that go when there is no room, or NULL. */
static struct list *
spare_of(struct bt_candidates *c, const struct cand *k)
{
	if (k->by_hand)
		return NULL;
	if (k->state == USELESS)
		return &c->spare[1];
	return k->state == IDLE && k->fails > 0 ? &c->spare[0] : NULL;
}

/* Take k out of the heap and list that its state put it in. */
static void
leave(struct bt_candidates *c, struct cand *k)
{
	struct heap *h = &c->heap[k->by_hand];
	struct list *l = spare_of(c, k);
	struct cand *last;

	if (k->state == IDLE) {
		last = h->a[--h->n];
		if (last != k) {
			place(h, k->at, last);
			sift_up(h, last->at);
			sift_down(h, last->at);
		}
	}
	if (l == NULL)
		return;
	*(k->prev != NULL ? &k->prev->next : &l->first) = k->next;
	*(k->next != NULL ? &k->next->prev : &l->last) = k->prev;
}

static void
enter(struct bt_candidates *c, struct cand *k, enum state state)
{
	struct heap *h = &c->heap[k->by_hand];
	struct list *l;

	k->state = (uint8_t)state;
	if (state == IDLE) {
		if (h->n == h->size) {
			h->size = h->size < 16 ? 16 : 2 * h->size;
			h->a = bt_mem_resize(h->a, h->size, sizeof(*h->a));
		}
		k->tie = (uint32_t)bt_rng_u64(&c->rng);
		h->n++;
		place(h, h->n - 1, k);
		sift_up(h, h->n - 1);
	}
	l = spare_of(c, k);
	if (l == NULL)
		return;
	k->next = NULL;
	k->prev = l->last;
	*(l->last != NULL ? &l->last->next : &l->first) = k;
	l->last = k;
}

static void
forget(struct bt_candidates *c, struct cand *k)
{
	uint8_t key[ADDR_KEY_LEN];

	leave(c, k);
	key_of(&k->addr, key);
	(void)bt_htab_del(c->known, key);
	bt_mem_free(k);
}

/* Rule 1, and one more whom nobody has tried yet for a peer by hand. */
static bool
make_room(struct bt_candidates *c, bool by_hand)
{
	struct cand *k = c->spare[0].first;

	if (bt_htab_count(c->known) < c->max)
		return true;
	if (k == NULL)
		k = c->spare[1].first;
	if (k == NULL && by_hand && c->heap[0].n > 0)
		k = c->heap[0].a[c->heap[0].n - 1];
	if (k == NULL)
		return false;
	forget(c, k);
	return true;
}

static void
put_new(struct bt_candidates *c, const struct bt_addr *a, bool by_hand,
    enum state state)
{
	struct cand *k = bt_mem_zero(1, sizeof(*k));
	uint8_t key[ADDR_KEY_LEN];

	k->addr = *a;
	k->by_hand = by_hand;
	k->when = state == CONNECTED ? -1 : 0;
	k->links = 1;
	key_of(a, key);
	(void)bt_htab_put(c->known, key, k);
	enter(c, k, state);
}

bool
bt_candidates_add(
    struct bt_candidates *c, const struct bt_addr *a, bool by_hand)
{
	struct cand *k;

	if (!bt_addr_is_dialable(a) || bt_candidates_is_banned(c, a))
		return false;
	k = find(c, a);
	if (k != NULL) {
		if (by_hand && !k->by_hand) {
			leave(c, k);
			k->by_hand = true;
			enter(c, k, k->state);
		}
		return false;
	}
	if (!make_room(c, by_hand))
		return false;
	put_new(c, a, by_hand, IDLE);
	return true;
}

static struct cand *
first(const struct bt_candidates *c, int64_t now)
{
	for (int hand = 1; hand >= 0; hand--)
		if (c->heap[hand].n > 0 && c->heap[hand].a[0]->when <= now)
			return c->heap[hand].a[0];
	return NULL;
}

bool
bt_candidates_peek(
    const struct bt_candidates *c, int64_t now, struct bt_addr *out)
{
	const struct cand *k = first(c, now);

	if (k != NULL)
		*out = k->addr;
	return k != NULL;
}

bool
bt_candidates_next(struct bt_candidates *c, int64_t now, struct bt_addr *out)
{
	struct cand *k = first(c, now);

	if (k == NULL)
		return false;
	leave(c, k);
	k->when = now;
	k->links = 1;
	enter(c, k, CONNECTED);
	*out = k->addr;
	return true;
}

void
bt_candidates_connected(struct bt_candidates *c, const struct bt_addr *a)
{
	struct cand *k = find(c, a);

	if (k == NULL) {
		if (bt_addr_is_dialable(a) && !bt_candidates_is_banned(c, a) &&
		    make_room(c, false))
			put_new(c, a, false, CONNECTED);
		return;
	}
	if (k->state == SELF)
		return;
	if (k->state == CONNECTED) {
		k->links += k->links < UINT8_MAX;
		return;
	}
	leave(c, k);
	k->when = -1;
	k->links = 1;
	enter(c, k, CONNECTED);
}

static int64_t
wait_of(unsigned fails)
{
	int64_t wait = WAIT_FIRST << (fails - 1);

	return wait < WAIT_MAX ? wait : WAIT_MAX;
}

void
bt_candidates_end(struct bt_candidates *c, const struct bt_addr *a,
    enum bt_cand_end how, int64_t now)
{
	struct cand *k = find(c, a);

	if (k == NULL) {
		if (how == BT_CAND_SELF)
			put_new(c, a, false, SELF);
		return;
	}
	if (k->state == SELF)
		return;
	if (k->state == CONNECTED && k->links > 1 && how != BT_CAND_SELF) {
		k->links--;
		return;
	}
	leave(c, k);
	if (how == BT_CAND_SELF) {
		enter(c, k, SELF);
	} else if (how == BT_CAND_USELESS) {
		enter(c, k, USELESS);
	} else if (how == BT_CAND_ANEW) {
		k->when = now;
		enter(c, k, IDLE);
	} else {
		if (how == BT_CAND_CLOSED && k->state == CONNECTED &&
		    (k->when == -1 || now - k->when >= WORTH_US))
			k->fails = 0;
		else if (k->fails <= DOUBLINGS)
			k->fails++;
		k->when = now + wait_of(k->fails > 0 ? k->fails : 1);
		enter(c, k, IDLE);
	}
}

/* O(candidates): bans are rare, and this way nothing else has to look. */
static void
forget_ip(struct bt_candidates *c, const struct bt_addr *a)
{
	const void *key;
	void *value;
	struct cand *k, *doomed = NULL;
	size_t at = 0;

	while (bt_htab_next(c->known, &at, &key, &value)) {
		k = value;
		if (!bt_addr_eq_ip(&k->addr, a) || k->state == SELF)
			continue;
		leave(c, k);
		k->state = CONNECTED; /* in nothing else any more */
		k->next = doomed;
		doomed = k;
	}
	while (doomed != NULL) {
		k = doomed;
		doomed = k->next;
		forget(c, k);
	}
}

void
bt_candidates_ban(struct bt_candidates *c, const struct bt_addr *a)
{
	uint8_t key[ADDR_KEY_LEN];

	if (bt_candidates_is_banned(c, a))
		return;
	forget_ip(c, a);
	key_of(a, key);
	if (c->bans == NULL)
		c->bans = bt_mem_zero(BT_CAND_BANS_MAX, IP_KEY_LEN);
	if (c->nbans == BT_CAND_BANS_MAX) {
		(void)bt_htab_del(c->banned, c->bans[c->oldest_ban]);
		memcpy(c->bans[c->oldest_ban], key, IP_KEY_LEN);
		c->oldest_ban = (c->oldest_ban + 1) % BT_CAND_BANS_MAX;
	} else
		memcpy(c->bans[c->nbans++], key, IP_KEY_LEN);
	(void)bt_htab_put(c->banned, key, c);
}

bool
bt_candidates_is_banned(const struct bt_candidates *c, const struct bt_addr *a)
{
	uint8_t key[ADDR_KEY_LEN];

	key_of(a, key);
	return bt_htab_get(c->banned, key) != NULL;
}

int64_t
bt_candidates_when(const struct bt_candidates *c)
{
	int64_t when = BT_NEVER;

	for (int hand = 0; hand < 2; hand++)
		if (c->heap[hand].n > 0 && c->heap[hand].a[0]->when < when)
			when = c->heap[hand].a[0]->when;
	return when;
}

uint32_t
bt_candidates_count(const struct bt_candidates *c)
{
	return c->heap[0].n + c->heap[1].n;
}
