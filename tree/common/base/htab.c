#include "base/htab.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define CAP_MIN 8
#define CAP_MAX ((size_t)1 << 31) /* hashes are kept as 32 bits */

/* Slot i is free when values[i] is NULL. The capacity is a power of two. */
struct bt_htab {
	size_t key_len, cap, count;
	void **values;
	uint32_t *hashes;
	uint8_t *keys;
	uint8_t sip_key[16];
};

static void
make_slots(struct bt_htab *t, size_t cap)
{
	assert(cap <= CAP_MAX);
	t->cap = cap;
	t->values = bt_mem_zero(cap, sizeof(*t->values));
	t->hashes = bt_mem_array(cap, sizeof(*t->hashes));
	t->keys = bt_mem_array(cap, t->key_len);
}

static void
free_slots(struct bt_htab *t)
{
	bt_mem_free(t->values);
	bt_mem_free(t->hashes);
	bt_mem_free(t->keys);
}

struct bt_htab *
bt_htab_new(size_t key_len, const uint8_t sip_key[16])
{
	struct bt_htab *t;

	assert(key_len >= 1);
	assert(key_len <= 64);
	t = bt_mem_zero(1, sizeof(*t));
	t->key_len = key_len;
	memcpy(t->sip_key, sip_key, sizeof(t->sip_key));
	make_slots(t, CAP_MIN);
	return t;
}

void
bt_htab_free(struct bt_htab *t)
{
	if (t == NULL)
		return;
	free_slots(t);
	bt_mem_free(t);
}

size_t
bt_htab_count(const struct bt_htab *t)
{
	return t->count;
}

static uint32_t
hash_of(const struct bt_htab *t, const void *key)
{
	return (uint32_t)bt_hash_sip(
	    t->sip_key, (struct bt_str){ key, t->key_len });
}

/* The slot that holds key, or the free one where it would go. */
static size_t
find(const struct bt_htab *t, uint32_t hash, const void *key)
{
	size_t i = hash & (t->cap - 1);

	while (t->values[i] != NULL &&
	       (t->hashes[i] != hash ||
		   memcmp(t->keys + i * t->key_len, key, t->key_len) != 0))
		i = (i + 1) & (t->cap - 1);
	return i;
}

static void
set(struct bt_htab *t, size_t i, uint32_t hash, const void *key, void *value)
{
	t->values[i] = value;
	t->hashes[i] = hash;
	memcpy(t->keys + i * t->key_len, key, t->key_len);
}

static void
grow(struct bt_htab *t)
{
	struct bt_htab old = *t;
	const uint8_t *key;

	make_slots(t, old.cap * 2);
	for (size_t i = 0; i < old.cap; i++)
		if (old.values[i] != NULL) {
			key = old.keys + i * old.key_len;
			set(t, find(t, old.hashes[i], key), old.hashes[i], key,
			    old.values[i]);
		}
	free_slots(&old);
}

void *
bt_htab_get(const struct bt_htab *t, const void *key)
{
	return t->values[find(t, hash_of(t, key), key)];
}

void *
bt_htab_put(struct bt_htab *t, const void *key, void *value)
{
	uint32_t hash = hash_of(t, key);
	size_t i = find(t, hash, key);
	void *was = t->values[i];

	assert(value != NULL);
	if (was != NULL) {
		t->values[i] = value;
		return was;
	}
	if (t->count + 1 > t->cap / 4 * 3) {
		grow(t);
		i = find(t, hash, key);
	}
	set(t, i, hash, key, value);
	t->count++;
	return NULL;
}

/*
 * Removing shifts back the entries that probed past the hole, so there are
 * no tombstones and a table that churns stays as fast as a fresh one.
 */
void *
bt_htab_del(struct bt_htab *t, const void *key)
{
	size_t m = t->cap - 1, hole = find(t, hash_of(t, key), key), i = hole;
	void *was = t->values[hole];

	if (was == NULL)
		return NULL;
	for (;;) {
		i = (i + 1) & m;
		if (t->values[i] == NULL)
			break;
		/* stay if home lies after the hole on the way to i */
		if (((i - t->hashes[i]) & m) < ((i - hole) & m))
			continue;
		set(t, hole, t->hashes[i], t->keys + i * t->key_len,
		    t->values[i]);
		hole = i;
	}
	t->values[hole] = NULL;
	t->count--;
	return was;
}

bool
bt_htab_next(
    const struct bt_htab *t, size_t *at, const void **key, void **value)
{
	size_t i = *at;

	while (i < t->cap && t->values[i] == NULL)
		i++;
	if (i >= t->cap)
		return false;
	*key = t->keys + i * t->key_len;
	*value = t->values[i];
	*at = i + 1;
	return true;
}
