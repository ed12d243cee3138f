#include "peers.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "held.h"
#include "index.h"

#define FEW 64u	     /* 384 bytes of addresses: cheaper than hashing */
#define PAUSED 0x80u /* beside a stamp */

enum by { BY_ADDR, BY_KEY };

struct bt_peers {
	struct bt_index *index; /* two, by address and by key; NULL while few */
	uint32_t cap;
	uint32_t n[2];
	uint32_t paused;
	uint32_t addr_len;
	uint32_t head_len;
	uint32_t data[]; /* the head; cap keys, cap stamps, cap addresses */
};

_Static_assert(offsetof(struct bt_peers, data) % 8 == 0, "a head is aligned");

/* Where record number i of the block keeps its three parts. */
static uint32_t *
key_at(const struct bt_peers *p, uint32_t i)
{
	return ((struct bt_peers *)(uintptr_t)p)->data + p->head_len / 4 + i;
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

void *
bt_peers_head(const struct bt_peers *p)
{
	return ((struct bt_peers *)(uintptr_t)p)->data;
}

uint32_t
bt_peers_place(enum bt_role role, uint32_t number)
{
	return number << 1 | role;
}

/* The record of a place: seeders are numbered from the back. */
static uint32_t
record(const struct bt_peers *p, uint32_t at)
{
	return at & 1 ? p->cap - 1 - (at >> 1) : at >> 1;
}

/* A block for at least n peers: what the heap gives for them is used up. */
static size_t
block_size(uint32_t n, uint32_t addr_len, uint32_t head_len)
{
	return bt_held(offsetof(struct bt_peers, data) + head_len +
		       (size_t)n * (4 + 1 + addr_len)) -
	       BT_HELD_WORD;
}

static struct bt_peers *
block_new(uint32_t n, uint32_t addr_len, uint32_t head_len)
{
	size_t size = block_size(n, addr_len, head_len);
	struct bt_peers *p = bt_mem_alloc(size);
	size_t room = size - offsetof(struct bt_peers, data) - head_len;

	*p = (struct bt_peers){ .cap = (uint32_t)(room / (4 + 1 + addr_len)),
		.addr_len = addr_len,
		.head_len = head_len };
	return p;
}

struct bt_peers *
bt_peers_new(uint8_t family, uint8_t head)
{
	struct bt_peers *p;

	assert(family == 4 || family == 6);
	assert(head % 8 == 0);
	p = block_new(1, family == 4 ? 6 : 18, head);
	memset(p->data, 0, head);
	return p;
}

static void
index_free(struct bt_peers *p)
{
	if (p->index == NULL)
		return;
	bt_index_fini(&p->index[BY_ADDR]);
	bt_index_fini(&p->index[BY_KEY]);
	bt_mem_free(p->index);
	p->index = NULL;
}

void
bt_peers_free(struct bt_peers *p)
{
	if (p == NULL)
		return;
	index_free(p);
	bt_mem_free(p);
}

uint32_t
bt_peers_count(const struct bt_peers *p, enum bt_role role)
{
	return p->n[role];
}

uint32_t
bt_peers_paused(const struct bt_peers *p)
{
	return p->paused;
}

enum bt_role
bt_peers_role(uint32_t at)
{
	return at & 1 ? BT_SEEDER : BT_LEECHER;
}

/* How many there is to be room for when there are n. */
static uint32_t
room_for(uint32_t n)
{
	return n + n / 8;
}

size_t
bt_peers_size(const struct bt_peers *p)
{
	size_t size = block_size(p->cap, p->addr_len, p->head_len);

	size += BT_HELD_WORD;
	if (p->index != NULL)
		size += bt_held(2 * sizeof(*p->index)) +
			bt_index_size(&p->index[BY_ADDR]) +
			bt_index_size(&p->index[BY_KEY]);
	return size;
}

size_t
bt_peers_size_least(uint8_t family, uint8_t head)
{
	return block_size(1, family == 4 ? 6 : 18, head) + BT_HELD_WORD;
}

/* The indices of n + 1 peers, by which they are built anew. */
static bool
outgrows_index(const struct bt_peers *p)
{
	uint32_t n = p->n[0] + p->n[1];

	return p->index == NULL ? n >= FEW
				: bt_index_is_full(&p->index[BY_ADDR]) ||
				      bt_index_is_full(&p->index[BY_KEY]);
}

size_t
bt_peers_size_next(const struct bt_peers *p)
{
	uint32_t n = p->n[0] + p->n[1];
	size_t size = bt_peers_size(p);

	if (n == p->cap)
		size += block_size(room_for(n + 1), p->addr_len, p->head_len) -
			block_size(n, p->addr_len, p->head_len);
	if (outgrows_index(p)) {
		if (p->index != NULL)
			size -= bt_index_size(&p->index[BY_ADDR]) +
				bt_index_size(&p->index[BY_KEY]);
		else
			size += bt_held(2 * sizeof(*p->index));
		size += 2 * bt_index_bytes(n + 1);
	}
	return size;
}

static uint32_t
addr_hash(const struct bt_peers *p, const uint8_t *secret, const uint8_t *addr)
{
	return (uint32_t)bt_hash_sip(
	    secret, (struct bt_str){ addr, p->addr_len });
}

/* Whose hashes an index asks for. */
struct owner {
	const struct bt_peers *p;
	const uint8_t *secret;
};

static uint32_t
hash_by_addr(const void *arg, uint32_t at)
{
	const struct owner *o = arg;

	return addr_hash(o->p, o->secret, addr_at(o->p, record(o->p, at)));
}

static uint32_t
hash_by_key(const void *arg, uint32_t at)
{
	const struct owner *o = arg;

	return *key_at(o->p, record(o->p, at));
}

static void
index_add(struct bt_peers *p, const uint8_t *secret, uint32_t at)
{
	struct owner o = { p, secret };
	uint32_t key = hash_by_key(&o, at);

	bt_index_put(&p->index[BY_ADDR], hash_by_addr(&o, at), at);
	if (key != 0)
		bt_index_put(&p->index[BY_KEY], key, at);
}

/* File all peers anew in indices that have room for them. */
static void
index_build(struct bt_peers *p, const uint8_t *secret)
{
	uint32_t n = p->n[0] + p->n[1];

	index_free(p);
	p->index = bt_mem_array(2, sizeof(*p->index));
	bt_index_init(&p->index[BY_ADDR], n);
	bt_index_init(&p->index[BY_KEY], n);
	for (int role = 0; role < 2; role++)
		for (uint32_t i = 0; i < p->n[role]; i++)
			index_add(p, secret, bt_peers_place(role, i));
}

static void
index_drop(struct bt_peers *p, const uint8_t *secret, uint32_t at)
{
	struct owner o = { p, secret };
	uint32_t key = hash_by_key(&o, at);

	bt_index_del(
	    &p->index[BY_ADDR], hash_by_addr(&o, at), at, hash_by_addr, &o);
	if (key != 0)
		bt_index_del(&p->index[BY_KEY], key, at, hash_by_key, &o);
}

/* The peer at `from` is to be found at `to`. */
static void
index_move(
    struct bt_peers *p, const uint8_t *secret, uint32_t from, uint32_t to)
{
	struct owner o = { p, secret };
	uint32_t key = hash_by_key(&o, from);

	bt_index_set(&p->index[BY_ADDR], hash_by_addr(&o, from), from, to);
	if (key != 0)
		bt_index_set(&p->index[BY_KEY], key, from, to);
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
	uint32_t at, hash, step = 0;

	if (p->index != NULL) {
		hash = addr_hash(p, secret, addr);
		do
			at = bt_index_next(&p->index[BY_ADDR], hash, &step);
		while (at != BT_INDEX_NONE && !is_addr(p, record(p, at), addr));
		return at;
	}
	for (uint32_t i = 0; i < p->n[BT_LEECHER]; i++)
		if (is_addr(p, i, addr))
			return bt_peers_place(BT_LEECHER, i);
	for (uint32_t i = 0; i < p->n[BT_SEEDER]; i++)
		if (is_addr(p, p->cap - 1 - i, addr))
			return bt_peers_place(BT_SEEDER, i);
	return BT_PEER_NONE;
}

uint32_t
bt_peers_find_key(const struct bt_peers *p, uint32_t key)
{
	uint32_t at, step = 0;

	assert(key != 0);
	if (p->index != NULL) {
		do
			at = bt_index_next(&p->index[BY_KEY], key, &step);
		while (at != BT_INDEX_NONE && *key_at(p, record(p, at)) != key);
		return at;
	}
	for (uint32_t i = 0; i < p->n[BT_LEECHER]; i++)
		if (*key_at(p, i) == key)
			return bt_peers_place(BT_LEECHER, i);
	for (uint32_t i = 0; i < p->n[BT_SEEDER]; i++)
		if (*key_at(p, p->cap - 1 - i) == key)
			return bt_peers_place(BT_SEEDER, i);
	return BT_PEER_NONE;
}

struct bt_peer
bt_peers_get(const struct bt_peers *p, uint32_t at)
{
	uint32_t i = record(p, at);

	return (struct bt_peer){ .key = *key_at(p, i),
		.stamp = *stamp_at(p, i) & BT_STAMP_MASK,
		.paused = (*stamp_at(p, i) & PAUSED) != 0,
		.addr = addr_at(p, i) };
}

static void
set_stamp(struct bt_peers *p, uint32_t i, const struct bt_peer *peer)
{
	uint8_t *was = stamp_at(p, i);

	assert(peer->stamp <= BT_STAMP_MASK);
	p->paused -= (*was & PAUSED) != 0;
	p->paused += peer->paused;
	*was = (uint8_t)(peer->stamp | (peer->paused ? PAUSED : 0));
}

void
bt_peers_set(struct bt_peers *p, const uint8_t *secret, uint32_t at,
    const struct bt_peer *peer)
{
	uint32_t i = record(p, at), *key = key_at(p, i);
	struct owner o = { p, secret };

	set_stamp(p, i, peer);
	if (*key == peer->key)
		return;
	if (p->index != NULL && *key != 0)
		bt_index_del(&p->index[BY_KEY], *key, at, hash_by_key, &o);
	*key = peer->key;
	if (p->index == NULL || *key == 0)
		return;
	if (bt_index_is_full(&p->index[BY_KEY]))
		index_build(p, secret);
	else
		bt_index_put(&p->index[BY_KEY], *key, at);
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

/* Room for n. Places do not change with it, so the index stays as it is. */
static void
set_room(struct bt_peers **p, uint32_t n)
{
	struct bt_peers *old = *p, *new;
	uint32_t seeds = old->n[BT_SEEDER];

	new = block_new(n, old->addr_len, old->head_len);
	new->index = old->index;
	new->n[BT_LEECHER] = old->n[BT_LEECHER];
	new->n[BT_SEEDER] = seeds;
	new->paused = old->paused;
	memcpy(new->data, old->data, old->head_len);
	copy_records(new, 0, old, 0, old->n[BT_LEECHER]);
	copy_records(new, new->cap - seeds, old, old->cap - seeds, seeds);
	bt_mem_free(old);
	*p = new;
}

uint32_t
bt_peers_add(struct bt_peers **pp, const uint8_t *secret, enum bt_role role,
    const struct bt_peer *peer)
{
	uint32_t at, i, n = (*pp)->n[0] + (*pp)->n[1];
	bool build = outgrows_index(*pp);
	struct bt_peers *p;

	assert(n < BT_PEERS_MAX);
	if (n == (*pp)->cap)
		set_room(pp, room_for(n + 1));
	p = *pp;
	at = bt_peers_place(role, p->n[role]++);
	i = record(p, at);
	*key_at(p, i) = peer->key;
	*stamp_at(p, i) = 0;
	set_stamp(p, i, peer);
	memcpy(addr_at(p, i), peer->addr, p->addr_len);
	if (build)
		index_build(p, secret);
	else if (p->index != NULL)
		index_add(p, secret, at);
	return at;
}

/* Give back memory once much of it is unused. */
static void
shrink(struct bt_peers **pp, const uint8_t *secret)
{
	struct bt_peers *p = *pp;
	uint32_t n = p->n[0] + p->n[1];

	if (p->index != NULL && n <= FEW / 2)
		index_free(p);
	else if (p->index != NULL && bt_index_is_slack(&p->index[BY_ADDR]))
		index_build(p, secret);
	if (room_for(n) < p->cap / 2)
		set_room(pp, room_for(n) + 1);
}

void
bt_peers_drop(struct bt_peers **pp, const uint8_t *secret, uint32_t at)
{
	struct bt_peers *p = *pp;
	enum bt_role role = bt_peers_role(at);
	uint32_t last, i = record(p, at);

	assert(at >> 1 < p->n[role]);
	last = bt_peers_place(role, p->n[role] - 1);
	p->paused -= (*stamp_at(p, i) & PAUSED) != 0;
	if (p->index != NULL)
		index_drop(p, secret, at);
	if (last != at && p->index != NULL)
		index_move(p, secret, last, at);
	if (last != at)
		copy_records(p, i, p, record(p, last), 1);
	p->n[role]--;
	shrink(pp, secret);
}

uint32_t
bt_peers_expire(struct bt_peers **pp, const uint8_t *secret, enum bt_role role,
    uint32_t *from, uint32_t *work, uint8_t now, uint8_t limit)
{
	uint32_t i, gone = 0;

	for (; *work > 0 && *from < (*pp)->n[role]; (*work)--) {
		i = record(*pp, bt_peers_place(role, *from));
		if (((now - *stamp_at(*pp, i)) & BT_STAMP_MASK) <= limit) {
			(*from)++;
			continue;
		}
		/* another is there then */
		bt_peers_drop(pp, secret, bt_peers_place(role, *from));
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

/* Are there as many in the indices as there are, each where it belongs? */
static bool
index_holds(const struct bt_peers *p, const uint8_t *secret, uint32_t keys)
{
	struct owner o = { p, secret };

	if (p->index == NULL)
		return p->n[0] + p->n[1] <= FEW;
	return p->index[BY_ADDR].n == p->n[0] + p->n[1] &&
	       p->index[BY_KEY].n == keys &&
	       bt_index_check(&p->index[BY_ADDR], hash_by_addr, &o) &&
	       bt_index_check(&p->index[BY_KEY], hash_by_key, &o);
}

bool
bt_peers_check(const struct bt_peers *p, const uint8_t *secret)
{
	struct bt_peer peer;
	uint32_t at, keys = 0, paused = 0;

	if (p->n[0] + p->n[1] > p->cap)
		return false;
	for (int role = 0; role < 2; role++)
		for (uint32_t i = 0; i < p->n[role]; i++) {
			at = bt_peers_place(role, i);
			peer = bt_peers_get(p, at);
			if (bt_peers_find(p, secret, peer.addr) != at ||
			    (peer.key != 0 &&
				bt_peers_find_key(p, peer.key) != at))
				return false;
			keys += peer.key != 0;
			paused += peer.paused;
		}
	return paused == p->paused && index_holds(p, secret, keys);
}
