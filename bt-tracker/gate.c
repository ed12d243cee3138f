#include "gate.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "disk/slurp.h"

#define FILE_MAX ((size_t)256 << 20) /* six million torrents */

struct bt_gate_held {
	struct bt_list *list;
	unsigned holders; /* under the gate's lock */
};

struct bt_gate {
	uint8_t secret[16];
	const char *paths[BT_GATE_COUNT];
	pthread_mutex_t lock; /* of what is below */
	struct bt_gate_held *now[BT_GATE_COUNT];
	_Atomic unsigned version;
};

static const enum bt_lists_kind kinds[] = {
	[BT_GATE_ALLOW] = BT_LISTS_TORRENTS,
	[BT_GATE_DENY] = BT_LISTS_TORRENTS,
	[BT_GATE_DENY_CLIENT] = BT_LISTS_CLIENTS,
	[BT_GATE_KEYS] = BT_LISTS_KEYS,
};

/* Under the lock. */
static void
let_go(struct bt_gate_held *held)
{
	if (held == NULL || --held->holders > 0)
		return;
	bt_lists_free(held->list);
	bt_mem_free(held);
}

int
bt_gate_reload(struct bt_gate *g, enum bt_gate_list which, struct bt_err *err)
{
	struct bt_gate_held *fresh;
	struct bt_list *list;
	struct bt_buf text;
	int rc;

	assert(g->paths[which] != NULL);
	bt_buf_init(&text, FILE_MAX);
	rc = bt_slurp_file(g->paths[which], &text, err);
	if (rc == 0)
		rc = bt_lists_parse(&list, kinds[which], g->secret,
		    g->paths[which], bt_buf_str(&text), err);
	bt_buf_fini(&text);
	if (rc == -1)
		return -1;
	fresh = bt_mem_alloc(sizeof(*fresh));
	*fresh = (struct bt_gate_held){ .list = list, .holders = 1 };
	pthread_mutex_lock(&g->lock);
	let_go(g->now[which]);
	g->now[which] = fresh;
	atomic_fetch_add(&g->version, 1);
	pthread_mutex_unlock(&g->lock);
	return 0;
}

int
bt_gate_new(struct bt_gate **out, const char *const paths[],
    const uint8_t secret[16], struct bt_err *err)
{
	struct bt_gate *g = bt_mem_zero(1, sizeof(*g));

	memcpy(g->secret, secret, sizeof(g->secret));
	pthread_mutex_init(&g->lock, NULL);
	for (unsigned i = 0; i < BT_GATE_COUNT; i++) {
		g->paths[i] = paths[i];
		if (paths[i] != NULL &&
		    bt_gate_reload(g, (enum bt_gate_list)i, err) == -1) {
			bt_gate_free(g);
			return -1;
		}
	}
	*out = g;
	return 0;
}

void
bt_gate_free(struct bt_gate *g)
{
	if (g == NULL)
		return;
	for (unsigned i = 0; i < BT_GATE_COUNT; i++) {
		assert(g->now[i] == NULL || g->now[i]->holders == 1);
		let_go(g->now[i]);
	}
	pthread_mutex_destroy(&g->lock);
	bt_mem_free(g);
}

size_t
bt_gate_entries(struct bt_gate *g, enum bt_gate_list which)
{
	size_t n;

	pthread_mutex_lock(&g->lock);
	n = bt_lists_count(g->now[which]->list);
	pthread_mutex_unlock(&g->lock);
	return n;
}

static void
exchange(struct bt_gate_pass *p)
{
	struct bt_gate *g = p->gate;

	pthread_mutex_lock(&g->lock);
	for (unsigned i = 0; i < BT_GATE_COUNT; i++) {
		if (g->now[i] != NULL)
			g->now[i]->holders++;
		let_go(p->held[i]);
		p->held[i] = g->now[i];
	}
	p->version = atomic_load(&g->version);
	pthread_mutex_unlock(&g->lock);
}

void
bt_gate_pass_init(struct bt_gate_pass *p, struct bt_gate *g)
{
	*p = (struct bt_gate_pass){ .gate = g };
	if (g != NULL)
		exchange(p);
}

void
bt_gate_pass_fini(struct bt_gate_pass *p)
{
	if (p->gate == NULL)
		return;
	pthread_mutex_lock(&p->gate->lock);
	for (unsigned i = 0; i < BT_GATE_COUNT; i++)
		let_go(p->held[i]);
	pthread_mutex_unlock(&p->gate->lock);
}

void
bt_gate_pass_renew(struct bt_gate_pass *p)
{
	if (p->gate != NULL && atomic_load(&p->gate->version) != p->version)
		exchange(p);
}

/* Rule 1. */
bool
bt_gate_lets_torrent(const struct bt_gate_pass *p, const uint8_t info_hash[20])
{
	const struct bt_gate_held *allow = p->held[BT_GATE_ALLOW];
	const struct bt_gate_held *deny = p->held[BT_GATE_DENY];

	if (deny != NULL && bt_lists_has_torrent(deny->list, info_hash))
		return false;
	return allow == NULL || bt_lists_has_torrent(allow->list, info_hash);
}

bool
bt_gate_lets_client(const struct bt_gate_pass *p, const uint8_t peer_id[20])
{
	const struct bt_gate_held *deny = p->held[BT_GATE_DENY_CLIENT];

	return deny == NULL || !bt_lists_has_client(deny->list, peer_id);
}

bool
bt_gate_is_keyed(const struct bt_gate_pass *p)
{
	return p->held[BT_GATE_KEYS] != NULL;
}

/* Rule 2. */
bool
bt_gate_take_key(const struct bt_gate_pass *p, struct bt_str *path)
{
	struct bt_str rest, key;

	if (!bt_gate_is_keyed(p))
		return true;
	if (!bt_str_starts(*path, STR("/")))
		return false;
	rest = bt_str_sub(*path, 1, path->n);
	key = bt_str_sub(rest, 0, bt_str_find(rest, '/'));
	if (key.n == rest.n) /* the path has no key */
		return false;
	*path = bt_str_sub(rest, key.n, rest.n);
	return bt_lists_has_key(p->held[BT_GATE_KEYS]->list, key);
}
