#include "peers.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define CAP_MIN 2     /* most swarms have one or two peers */
#define FEW 64	      /* 384 bytes of addresses: cheaper than hashing */
#define INDEX_MIN 128 /* slots of the smallest index */

enum by { BY_ADDR, BY_KEY };

/* Open addressing, linear probing, at most 2/3 full. A slot is a place + 1. */
struct index {
	uint32_t mask;
	uint32_t slot[]; /* mask + 1 by address, then mask + 1 by key */
};

struct bt_peers {
	struct index *index; /* NULL while few */
	uint32_t cap;
	uint32_t n[2];
	uint32_t addr_len;
	uint32_t data[]; /* cap keys, cap stamps, cap addresses */
};

/* Where record number i of the block keeps its three parts. */
static uint32_t *
key_at(const struct bt_peers *p, uint32_t i)
{
	return ((struct bt_peers *)(uintptr_t)p)->data + i;
}

static uint8_t *
stamp_at(const struct bt_peers *p, uint32_t i)
{
	return (uint8_t *)key_at(p, p->cap) + i;
}

static uint8_t *
addr_at(const struct bt_peers *p, uint32_t i)
{
	return stamp_at(p, p->cap) + (size_t)i * p->addr_len;
}

static uint32_t
place(enum bt_role role, uint32_t number)
{
	return number << 1 | role;
}

/* The record of a place: seeders are numbered from the back. */
static uint32_t
record(const struct bt_peers *p, uint32_t at)
{
	return at & 1 ? p->cap - 1 - (at >> 1) : at >> 1;
}

static size_t
block_size(uint32_t cap, uint32_t addr_len)
{
	return sizeof(struct bt_peers) + (size_t)cap * (4 + 1 + addr_len);
}

static struct bt_peers *
block_new(uint32_t cap, uint32_t addr_len)
{
	struct bt_peers *p;

	p = bt_mem_alloc(block_size(cap, addr_len));
	*p = (struct bt_peers){ .cap = cap, .addr_len = addr_len };
	return p;
}

struct bt_peers *
bt_peers_new(uint8_t family)
{
	assert(family == 4 || family == 6);
	return block_new(CAP_MIN, family == 4 ? 6 : 18);
}

void
bt_peers_free(struct bt_peers *p)
{
	if (p == NULL)
		return;
	bt_mem_free(p->index);
	bt_mem_free(p);
}

uint32_t
bt_peers_count(const struct bt_peers *p, enum bt_role role)
{
	return p->n[role];
}

enum bt_role
bt_peers_role(uint32_t at)
{
	return at & 1 ? BT_SEEDER : BT_LEECHER;
}

static uint32_t
addr_hash(const struct bt_peers *p, const uint8_t *secret, const uint8_t *addr)
{
	return (uint32_t)bt_hash_sip(
	    secret, (struct bt_str){ addr, p->addr_len });
}

static uint32_t *
table(const struct index *ix, enum by by)
{
	return ((struct index *)(uintptr_t)ix)->slot +
	       (by == BY_KEY ? (size_t)ix->mask + 1 : 0);
}

/* The hash under which a table files the peer at a place. */
static uint32_t
hash_of(
    const struct bt_peers *p, const uint8_t *secret, enum by by, uint32_t at)
{
	uint32_t i = record(p, at);

	return by == BY_KEY ? *key_at(p, i)
			    : addr_hash(p, secret, addr_at(p, i));
}

static void
table_put(struct bt_peers *p, enum by by, uint32_t hash, uint32_t at)
{
	uint32_t *slot = table(p->index, by), mask = p->index->mask;
	uint32_t i;

	for (i = hash & mask; slot[i] != 0; i = (i + 1) & mask)
		continue;
	slot[i] = at + 1;
}

/* The slot that holds a place, which is filed under hash. */
static uint32_t
table_seek(const struct bt_peers *p, enum by by, uint32_t hash, uint32_t at)
{
	const uint32_t *slot = table(p->index, by);
	uint32_t i, mask = p->index->mask;

	for (i = hash & mask; slot[i] != at + 1; i = (i + 1) & mask)
		assert(slot[i] != 0);
	return i;
}

/* Empty the slot, and pull back what probing would no longer reach. */
static void
table_del(struct bt_peers *p, const uint8_t *secret, enum by by, uint32_t at)
{
	uint32_t *slot = table(p->index, by), mask = p->index->mask;
	uint32_t hole, home, i;

	hole = table_seek(p, by, hash_of(p, secret, by, at), at);
	for (i = (hole + 1) & mask; slot[i] != 0; i = (i + 1) & mask) {
		home = hash_of(p, secret, by, slot[i] - 1) & mask;
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		slot[hole] = slot[i];
		hole = i;
	}
	slot[hole] = 0;
}

static void
index_add(struct bt_peers *p, const uint8_t *secret, uint32_t at)
{
	uint32_t key = *key_at(p, record(p, at));

	table_put(p, BY_ADDR, hash_of(p, secret, BY_ADDR, at), at);
	if (key != 0)
		table_put(p, BY_KEY, key, at);
}

/* File all peers anew in an index that has room for them. */
static void
index_build(struct bt_peers *p, const uint8_t *secret)
{
	uint32_t n = p->n[0] + p->n[1], slots = INDEX_MIN;

	while (slots / 3 * 2 <= n)
		slots *= 2;
	bt_mem_free(p->index);
	p->index = bt_mem_zero(
	    1, sizeof(*p->index) + 2 * (size_t)slots * sizeof(uint32_t));
	p->index->mask = slots - 1;
	for (int role = 0; role < 2; role++)
		for (uint32_t i = 0; i < p->n[role]; i++)
			index_add(p, secret, place(role, i));
}

/* Four bytes that differ most, low address and port, tell nearly always. */
static bool
is_addr(const struct bt_peers *p, uint32_t i, const uint8_t *addr)
{
	const uint8_t *has = addr_at(p, i);
	size_t tail = p->addr_len - 4;

	return memcmp(has + tail, addr + tail, 4) == 0 &&
	       memcmp(has, addr, tail) == 0;
}

uint32_t
bt_peers_find(
    const struct bt_peers *p, const uint8_t *secret, const uint8_t *addr)
{
	uint32_t at, i, mask, *slot;

	if (p->index == NULL) {
		for (int role = 0; role < 2; role++)
			for (i = 0; i < p->n[role]; i++) {
				at = place(role, i);
				if (is_addr(p, record(p, at), addr))
					return at;
			}
		return BT_PEER_NONE;
	}
	slot = table(p->index, BY_ADDR);
	mask = p->index->mask;
	for (i = addr_hash(p, secret, addr) & mask; slot[i] != 0;
	     i = (i + 1) & mask)
		if (is_addr(p, record(p, slot[i] - 1), addr))
			return slot[i] - 1;
	return BT_PEER_NONE;
}

uint32_t
bt_peers_find_key(const struct bt_peers *p, uint32_t key)
{
	uint32_t i, mask, *slot;

	assert(key != 0);
	if (p->index == NULL) {
		for (int role = 0; role < 2; role++)
			for (i = 0; i < p->n[role]; i++)
				if (*key_at(p, record(p, place(role, i))) ==
				    key)
					return place(role, i);
		return BT_PEER_NONE;
	}
	slot = table(p->index, BY_KEY);
	mask = p->index->mask;
	for (i = key & mask; slot[i] != 0; i = (i + 1) & mask)
		if (*key_at(p, record(p, slot[i] - 1)) == key)
			return slot[i] - 1;
	return BT_PEER_NONE;
}

uint32_t
bt_peers_key(const struct bt_peers *p, uint32_t at)
{
	return *key_at(p, record(p, at));
}

void
bt_peers_set_key(struct bt_peers *p, uint32_t at, uint32_t key)
{
	uint32_t *was = key_at(p, record(p, at));

	if (*was == key)
		return;
	/* by key the secret is not needed: the key is the hash */
	if (p->index != NULL && *was != 0)
		table_del(p, NULL, BY_KEY, at);
	*was = key;
	if (p->index != NULL && key != 0)
		table_put(p, BY_KEY, key, at);
}

void
bt_peers_set_stamp(struct bt_peers *p, uint32_t at, uint8_t stamp)
{
	*stamp_at(p, record(p, at)) = stamp;
}

/* Copy n records, wherever the two blocks keep their parts. */
static void
copy_records(struct bt_peers *to, uint32_t to_i, const struct bt_peers *from,
    uint32_t from_i, uint32_t n)
{
	memcpy(key_at(to, to_i), key_at(from, from_i), n * sizeof(uint32_t));
	memcpy(stamp_at(to, to_i), stamp_at(from, from_i), n);
	memcpy(
	    addr_at(to, to_i), addr_at(from, from_i), (size_t)n * to->addr_len);
}

/* Places do not change with the capacity, so the index stays as it is. */
static void
set_cap(struct bt_peers **p, uint32_t cap)
{
	struct bt_peers *old = *p, *new;
	uint32_t seeds = old->n[BT_SEEDER];

	new = block_new(cap, old->addr_len);
	new->index = old->index;
	new->n[BT_LEECHER] = old->n[BT_LEECHER];
	new->n[BT_SEEDER] = seeds;
	copy_records(new, 0, old, 0, old->n[BT_LEECHER]);
	copy_records(new, cap - seeds, old, old->cap - seeds, seeds);
	bt_mem_free(old);
	*p = new;
}

uint32_t
bt_peers_add(struct bt_peers **pp, const uint8_t *secret, enum bt_role role,
    const uint8_t *addr, uint32_t key, uint8_t stamp)
{
	struct bt_peers *p = *pp;
	uint32_t at, i, n = p->n[0] + p->n[1];

	assert(n < BT_PEERS_MAX);
	if (n == p->cap) {
		/* by half, to an even count: a swarm's slack stays small */
		set_cap(pp, (p->cap + p->cap / 2 + 1) & ~1u);
		p = *pp;
	}
	at = place(role, p->n[role]++);
	i = record(p, at);
	*key_at(p, i) = key;
	*stamp_at(p, i) = stamp;
	memcpy(addr_at(p, i), addr, p->addr_len);
	n++;
	if (n > FEW && (p->index == NULL || n > (p->index->mask + 1) / 3 * 2))
		index_build(p, secret);
	else if (p->index != NULL)
		index_add(p, secret, at);
	return at;
}

/* Give back memory once most of it is unused. */
static void
shrink(struct bt_peers **pp, const uint8_t *secret)
{
	struct bt_peers *p = *pp;
	uint32_t n = p->n[0] + p->n[1];

	if (p->index != NULL && n <= FEW / 2) {
		bt_mem_free(p->index);
		p->index = NULL;
	} else if (p->index != NULL && n < (p->index->mask + 1) / 8)
		index_build(p, secret);
	if (p->cap >= 4 * CAP_MIN && n < p->cap / 4)
		set_cap(pp, (p->cap / 2 + 1) & ~1u);
}

void
bt_peers_drop(struct bt_peers **pp, const uint8_t *secret, uint32_t at)
{
	struct bt_peers *p = *pp;
	enum bt_role role = bt_peers_role(at);
	uint32_t last, slot;

	assert(at >> 1 < p->n[role]);
	last = place(role, p->n[role] - 1);
	if (p->index != NULL) {
		table_del(p, secret, BY_ADDR, at);
		if (bt_peers_key(p, at) != 0)
			table_del(p, secret, BY_KEY, at);
		if (last != at) {
			slot = table_seek(p, BY_ADDR,
			    hash_of(p, secret, BY_ADDR, last), last);
			table(p->index, BY_ADDR)[slot] = at + 1;
			if (bt_peers_key(p, last) != 0) {
				slot = table_seek(
				    p, BY_KEY, bt_peers_key(p, last), last);
				table(p->index, BY_KEY)[slot] = at + 1;
			}
		}
	}
	if (last != at)
		copy_records(p, record(p, at), p, record(p, last), 1);
	p->n[role]--;
	shrink(pp, secret);
}

uint32_t
bt_peers_expire(struct bt_peers **pp, const uint8_t *secret, enum bt_role role,
    uint32_t *from, uint32_t *work, uint8_t now, uint8_t limit)
{
	uint32_t at, gone = 0;

	for (; *work > 0 && *from < (*pp)->n[role]; (*work)--) {
		at = place(role, *from);
		if ((uint8_t)(now - *stamp_at(*pp, record(*pp, at))) <= limit) {
			(*from)++;
			continue;
		}
		bt_peers_drop(pp, secret, at); /* another is there now */
		gone++;
	}
	if (*from > (*pp)->n[role])
		*from = (*pp)->n[role];
	return gone;
}

/* Copy the addresses first .. first + n - 1 of a run without record `hole`. */
static uint8_t *
copy_run(const struct bt_peers *p, uint32_t first, uint32_t n, uint32_t hole,
    uint8_t *out)
{
	uint32_t head = 0;

	if (first < hole)
		head = n < hole - first ? n : hole - first;
	memcpy(out, addr_at(p, first), (size_t)head * p->addr_len);
	out += (size_t)head * p->addr_len;
	n -= head;
	if (n == 0)
		return out;
	first += head + 1; /* beyond the hole each lies one further */
	memcpy(out, addr_at(p, first), (size_t)n * p->addr_len);
	return out + (size_t)n * p->addr_len;
}

uint32_t
bt_peers_pick(const struct bt_peers *p, enum bt_role role, uint32_t self,
    uint32_t want, struct bt_rng *rng, uint8_t *out)
{
	uint32_t base, n, hole, start, tail;

	base = role == BT_SEEDER ? p->cap - p->n[role] : 0;
	n = p->n[role];
	hole = base + n; /* past the end: nobody is left out */
	if (self != BT_PEER_NONE && bt_peers_role(self) == role) {
		hole = record(p, self);
		n--;
	}
	if (want > n)
		want = n;
	if (want == 0)
		return 0;
	/* a ring of those who are left: the start alone is drawn */
	start = bt_rng_below(rng, n);
	tail = want < n - start ? want : n - start;
	out = copy_run(p, base + start, tail, hole, out);
	copy_run(p, base, want - tail, hole, out);
	return want;
}

bool
bt_peers_check(const struct bt_peers *p, const uint8_t *secret)
{
	uint32_t at, key, places = 0, keys = 0, filed[2] = { 0, 0 };

	if (p->n[0] + p->n[1] > p->cap)
		return false;
	for (int role = 0; role < 2; role++)
		for (uint32_t i = 0; i < p->n[role]; i++) {
			at = place(role, i);
			key = bt_peers_key(p, at);
			if (bt_peers_find(
				p, secret, addr_at(p, record(p, at))) != at ||
			    (key != 0 && bt_peers_find_key(p, key) != at))
				return false;
			places++;
			keys += key != 0;
		}
	if (p->index == NULL)
		return places <= FEW;
	for (uint32_t i = 0; i <= p->index->mask; i++) {
		filed[BY_ADDR] += table(p->index, BY_ADDR)[i] != 0;
		filed[BY_KEY] += table(p->index, BY_KEY)[i] != 0;
	}
	return filed[BY_ADDR] == places && filed[BY_KEY] == keys;
}
