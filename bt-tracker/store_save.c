#include "store_save.h"

#include <assert.h>
#include <string.h>

#include "store_priv.h"

#define LEAST 64u /* peers of a group, unless there are fewer */

uint32_t
bt_store_tick_ms(const struct bt_store *s)
{
	return (uint32_t)s->tick_ms;
}

/* A group with the peers from - n .. from - 1 of a part of a swarm. */
static void
put_group(struct bt_store *s, uint32_t swarm, unsigned part, uint32_t from,
    uint32_t n, struct bt_buf *out)
{
	const struct bt_swarm *sw = bt_swarms_get(&s->swarms, swarm);
	const struct bt_peers *p = *bt_store_block(s, swarm, (int)part / 2);
	size_t addr_len = part / 2 == 0 ? 6 : 18;
	uint8_t *key, *age, *addr, *to;
	uint64_t age_ms = bt_store_time(s) - sw->touched;
	uint8_t now = bt_store_stamp(s, 0);
	struct bt_peer peer;

	to = bt_buf_room(out, BT_SAVED_GROUP_LEN + n * (5 + addr_len));
	assert(to != NULL);
	memcpy(to, sw->hash, 20);
	bt_put_be32(to + 20, sw->downloaded);
	bt_put_be32(
	    to + 24, age_ms < UINT32_MAX ? (uint32_t)age_ms : UINT32_MAX);
	to[28] = (uint8_t)part;
	bt_put_be16(to + 29, (uint16_t)n);
	key = to + BT_SAVED_GROUP_LEN;
	age = key + n * 4;
	addr = age + n;
	for (uint32_t i = from; i-- > from - n;) {
		peer = bt_peers_get(p, bt_peers_place(part % 2, i));
		bt_put_be32(key, peer.key);
		*age = (uint8_t)((now - peer.stamp) & BT_STAMP_MASK);
		*age |= peer.paused ? 0x80 : 0;
		memcpy(addr, peer.addr, addr_len);
		key += 4;
		age++;
		addr += addr_len;
	}
	out->n += BT_SAVED_GROUP_LEN + n * (5 + addr_len);
}

/* How many peers of a part fit into what room is left. */
static uint32_t
fits(const struct bt_buf *out, unsigned part)
{
	size_t room = out->max - out->n, each = part / 2 == 0 ? 11 : 23;

	if (room < BT_SAVED_GROUP_LEN)
		return 0;
	room = (room - BT_SAVED_GROUP_LEN) / each;
	return room < UINT16_MAX ? (uint32_t)room : UINT16_MAX;
}

/* Write what is left of a part. False when there is no room. */
static bool
save_part(struct bt_store *s, uint32_t swarm, struct bt_store_walk *w,
    struct bt_buf *out)
{
	const struct bt_peers *p = *bt_store_block(s, swarm, (int)w->part / 2);
	uint32_t has = p == NULL ? 0 : bt_peers_count(p, w->part % 2), n;

	if (!w->in_part || w->peers > has)
		w->peers = has;
	w->in_part = true;
	while (w->peers > 0) {
		n = fits(out, w->part);
		if (n < w->peers && n < LEAST)
			return false;
		n = n < w->peers ? n : w->peers;
		put_group(s, swarm, w->part, w->peers, n, out);
		w->peers -= n;
		w->any = true;
	}
	w->in_part = false;
	return true;
}

static bool
save_swarm(struct bt_store *s, uint32_t swarm, struct bt_store_walk *w,
    struct bt_buf *out)
{
	for (; w->part < 4; w->part++)
		if (!save_part(s, swarm, w, out))
			return false;
	/* of one without peers its completions are remembered */
	if (w->any || bt_swarms_get(&s->swarms, swarm)->downloaded == 0)
		return true;
	if (out->max - out->n < BT_SAVED_GROUP_LEN)
		return false;
	put_group(s, swarm, 0, 0, 0, out);
	return true;
}

/*
 * The swarm to go on with. Swarms move only from the last number to a lower
 * one, so from the last one down none is missed.
 */
static uint32_t
next_swarm(struct bt_store *s, struct bt_store_walk *w)
{
	uint32_t swarm = BT_SWARM_NONE;

	if (w->mid) {
		swarm = bt_swarms_find(&s->swarms, w->hash);
		if (swarm != BT_SWARM_NONE)
			return swarm;
		w->left--; /* it went, and who is there now was written */
		w->mid = false;
	}
	if (w->left > s->swarms.n)
		w->left = s->swarms.n;
	if (w->left == 0)
		return BT_SWARM_NONE;
	w->mid = true;
	w->any = w->in_part = false;
	w->part = 0;
	memcpy(w->hash, bt_swarms_get(&s->swarms, w->left - 1)->hash, 20);
	return w->left - 1;
}

bool
bt_store_save(struct bt_store *s, struct bt_store_walk *w, uint64_t now_ms,
    struct bt_buf *out)
{
	uint32_t swarm;

	bt_store_stamp(s, now_ms);
	if (!w->began)
		w->left = s->swarms.n;
	w->began = true;
	while ((swarm = next_swarm(s, w)) != BT_SWARM_NONE) {
		if (!save_swarm(s, swarm, w, out))
			return false;
		w->mid = false;
		w->left--;
	}
	return true;
}

/* Peer i of a group, as it is to be kept. False: leave it out. */
static bool
peer_of(struct bt_store *s, const struct bt_saved_group *g,
    const struct bt_saved_past *past, uint32_t i, struct bt_peer *peer)
{
	size_t addr_len = g->family == 4 ? 6 : 18;
	struct bt_addr addr;
	uint64_t age_ms;

	peer->addr = g->addrs + i * addr_len;
	addr = bt_addr_unpack(peer->addr, g->family);
	if (addr.family != g->family || !bt_addr_is_dialable(&addr))
		return false;
	age_ms = (uint64_t)(g->ages[i] & BT_STAMP_MASK) * past->tick_ms;
	if (age_ms > s->expire_ms || past->passed_ms > s->expire_ms - age_ms)
		return false;
	age_ms += past->passed_ms;
	peer->stamp =
	    (uint8_t)((s->now_ms - age_ms) / s->tick_ms) & BT_STAMP_MASK;
	if (age_ms > s->now_ms) /* from before the clock began */
		peer->stamp =
		    (uint8_t)(s->now_ms / s->tick_ms - age_ms / s->tick_ms) &
		    BT_STAMP_MASK;
	peer->key = bt_be32(g->keys + (size_t)i * 4);
	peer->paused = !g->seeders && (g->ages[i] & ~BT_STAMP_MASK) != 0;
	return true;
}

/* -1 where there is no room. */
static int
restore_peer(struct bt_store *s, uint32_t swarm, const struct bt_saved_group *g,
    struct bt_peer *peer)
{
	int f = g->family == 4 ? 0 : 1;
	const struct bt_peers *p = *bt_store_block(s, swarm, f);

	if (p != NULL) {
		if (bt_peers_find(p, s->secret, peer->addr) != BT_PEER_NONE)
			return 0;
		if (peer->key != 0 &&
		    bt_peers_find_key(p, peer->key) != BT_PEER_NONE)
			peer->key = 0;
	}
	return bt_store_peer_add(s, swarm, f,
		   g->seeders ? BT_SEEDER : BT_LEECHER, peer) == BT_PEER_NONE
		   ? -1
		   : 0;
}

uint64_t
bt_store_touched(struct bt_store *s, const struct bt_saved_group *g,
    const struct bt_saved_past *past, uint64_t now_ms)
{
	bt_store_stamp(s, now_ms);
	if (g->age_ms > s->expire_ms ||
	    past->passed_ms > s->expire_ms - g->age_ms)
		return 0;
	return bt_store_time(s) - past->passed_ms - g->age_ms;
}

static int
no_room(struct bt_err *err)
{
	return bt_err_set(
	    err, BT_ELIMIT, "there is no room for all that was saved");
}

int
bt_store_restore(struct bt_store *s, const struct bt_saved_group *g,
    const struct bt_saved_past *past, uint64_t now_ms, struct bt_err *err)
{
	uint32_t swarm;
	uint64_t touched;
	struct bt_peer peer;
	bool new;
	int rc = 0;

	touched = bt_store_touched(s, g, past, now_ms);
	if (touched == 0) /* no peer of it has announced since */
		return 0;
	swarm = bt_swarms_find(&s->swarms, g->hash);
	new = swarm == BT_SWARM_NONE;
	if (new)
		swarm = bt_store_swarm_add(s, g->hash, touched);
	if (swarm == BT_SWARM_NONE)
		return no_room(err);
	if (new)
		bt_swarms_get(&s->swarms, swarm)->downloaded = g->downloaded;
	else if (touched > bt_swarms_get(&s->swarms, swarm)->touched)
		bt_swarms_get(&s->swarms, swarm)->touched = touched;
	for (uint32_t i = 0; i < g->n && rc == 0; i++)
		if (peer_of(s, g, past, i, &peer))
			rc = restore_peer(s, swarm, g, &peer);
	if (new && g->downloaded == 0 &&
	    bt_peers_count(s->swarms.at[swarm], BT_LEECHER) == 0 &&
	    bt_peers_count(s->swarms.at[swarm], BT_SEEDER) == 0 &&
	    *bt_store_block(s, swarm, 1) == NULL)
		bt_store_swarm_drop(s, swarm);
	return rc == -1 ? no_room(err) : 0;
}
