#include "quota.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/htab.h"
#include "base/mem.h"

#define NET6_LEN 8u /* rule 2: bytes of an IPv6 address that count */
#define KEY_LEN (1 + NET6_LEN)

struct bt_quota {
	uint32_t all, each;
	const struct bt_proxy *proxy;
	_Atomic uint32_t n;
	pthread_mutex_t lock;
	struct bt_htab *counts; /* the number itself in place of a pointer */
};

struct bt_quota *
bt_quota_new(uint32_t all, uint32_t each, const struct bt_proxy *proxy,
    const uint8_t secret[16])
{
	struct bt_quota *l = bt_mem_zero(1, sizeof(*l));

	l->all = all;
	l->each = each;
	l->proxy = proxy;
	pthread_mutex_init(&l->lock, NULL);
	l->counts = bt_htab_new(KEY_LEN, secret);
	return l;
}

void
bt_quota_free(struct bt_quota *l)
{
	if (l == NULL)
		return;
	bt_htab_free(l->counts);
	pthread_mutex_destroy(&l->lock);
	bt_mem_free(l);
}

static void
key_of(const struct bt_addr *from, uint8_t key[KEY_LEN])
{
	key[0] = from->family;
	/* what an IPv4 address does not fill is zero */
	memcpy(key + 1, from->ip, NET6_LEN);
}

static bool
is_counted(const struct bt_quota *l, const struct bt_addr *from)
{
	return !bt_addr_is_loopback(from) &&
	       (l->proxy->n == 0 || !bt_proxy_is_trusted(l->proxy, from));
}

static void
set_count(struct bt_quota *l, const uint8_t key[KEY_LEN], uintptr_t n)
{
	if (n == 0)
		bt_htab_del(l->counts, key);
	else
		bt_htab_put(l->counts, key, (void *)n);
}

enum bt_quota_verdict
bt_quota_enter(struct bt_quota *l, const struct bt_addr *from)
{
	uint8_t key[KEY_LEN];
	uintptr_t n;

	if (atomic_fetch_add(&l->n, 1) >= l->all) {
		atomic_fetch_sub(&l->n, 1);
		return BT_QUOTA_ALL;
	}
	if (!is_counted(l, from))
		return BT_QUOTA_FINE;
	key_of(from, key);
	pthread_mutex_lock(&l->lock);
	n = (uintptr_t)bt_htab_get(l->counts, key);
	if (n < l->each)
		set_count(l, key, n + 1);
	pthread_mutex_unlock(&l->lock);
	if (n < l->each)
		return BT_QUOTA_FINE;
	atomic_fetch_sub(&l->n, 1);
	return BT_QUOTA_ADDRESS;
}

void
bt_quota_leave(struct bt_quota *l, const struct bt_addr *from)
{
	uint8_t key[KEY_LEN];
	uintptr_t n;

	atomic_fetch_sub(&l->n, 1);
	if (!is_counted(l, from))
		return;
	key_of(from, key);
	pthread_mutex_lock(&l->lock);
	n = (uintptr_t)bt_htab_get(l->counts, key);
	assert(n > 0);
	set_count(l, key, n - 1);
	pthread_mutex_unlock(&l->lock);
}
