#include "service.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "swarms.h"

#define WANT_DEFAULT 50u  /* BEP 3: what a client gets that does not say */
#define SMALL_SWARM 5u	  /* peers; rule 4 */
#define SMALL_INTERVAL 5u /* seconds */
#define JITTER 10u	  /* one part of the interval; rule 4 */
#define SHARDS_EACH 8u	  /* shards for each worker: two seldom meet */
#define SHARDS_MAX 256u	  /* one byte of the info-hash chooses */
#define SHARD_SIZE 128u	  /* two cache lines: locks share none */

struct shard {
	union {
		struct {
			pthread_mutex_t lock;
			struct bt_store *store;
			/* no swarm was last announced before that */
			_Atomic uint64_t oldest;
		};
		uint8_t pad[SHARD_SIZE];
	};
};

struct bt_service {
	struct bt_service_conf conf;
	struct bt_store_limits limits;
	struct shard *shards;
	unsigned nshards; /* a power of two */
};

struct bt_service *
bt_service_new(const struct bt_service_conf *conf, const uint8_t secret[16],
    const uint8_t key_secret[16])
{
	struct bt_service *s = bt_mem_zero(1, sizeof(*s));
	struct shard *shard;

	assert(conf->workers > 0);
	assert(conf->numwant_max <= BT_ANNOUNCE_PEERS_MAX);
	s->conf = *conf;
	s->limits.swarms_max = conf->swarms_max;
	s->limits.bytes_max = conf->bytes_max;
	s->nshards = 1;
	while (
	    s->nshards < SHARDS_MAX && s->nshards / SHARDS_EACH < conf->workers)
		s->nshards *= 2;
	s->shards = bt_mem_zero(s->nshards, sizeof(*s->shards));
	for (unsigned i = 0; i < s->nshards; i++) {
		shard = &s->shards[i];
		pthread_mutex_init(&shard->lock, NULL);
		shard->store = bt_store_new(
		    conf->expire_ms, &s->limits, secret, key_secret);
	}
	return s;
}

void
bt_service_free(struct bt_service *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->nshards; i++) {
		bt_store_free(s->shards[i].store);
		pthread_mutex_destroy(&s->shards[i].lock);
	}
	bt_mem_free(s->shards);
	bt_mem_free(s);
}

uint64_t
bt_service_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Any byte of a SHA-1 does; strangers who choose it only crowd one lock. */
static struct shard *
shard_of(struct bt_service *s, const uint8_t info_hash[20])
{
	return &s->shards[info_hash[19] & (s->nshards - 1)];
}

/* Rule 1. */
static struct bt_addr
peer_of(const struct bt_service_ask *ask)
{
	struct bt_addr peer = ask->from, said = ask->announce->ip;

	said.port = peer.port = ask->announce->port;
	/* who takes one family alone can be told of that one alone */
	if ((ask->both || said.family == peer.family) &&
	    bt_addr_is_dialable(&said) && ask->may_say_ip)
		return said;
	return peer;
}

static uint32_t
want_of(const struct bt_service *s, const struct bt_service_ask *ask)
{
	uint32_t want = WANT_DEFAULT;

	if (ask->announce->numwant >= 0)
		want = (uint32_t)ask->announce->numwant;
	if (want > s->conf.numwant_max)
		want = s->conf.numwant_max;
	return want < ask->want_max ? want : ask->want_max;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Of all shards, the one whose oldest swarm may be the oldest. */
static struct shard *
oldest_shard(struct bt_service *s)
{
	struct shard *best = &s->shards[0];

	for (unsigned i = 1; i < s->nshards; i++)
		if (atomic_load(&s->shards[i].oldest) <
		    atomic_load(&best->oldest))
			best = &s->shards[i];
	return best;
}

/*
 * Rule 3: drop one swarm. What is known of a shard's oldest is never too late,
 * so the least that proves true is the oldest of all. False if all is gone but
 * `keep`, and what was announced at `before` or later.
 */
static bool
make_room(struct bt_service *s, const uint8_t *keep, uint64_t before)
{
	struct shard *shard;
	uint64_t said, is;
	bool gone = false;

	for (;;) {
		shard = oldest_shard(s);
		said = atomic_load(&shard->oldest);
		if (said >= before)
			break;
		pthread_mutex_lock(&shard->lock);
		if (!bt_store_oldest(shard->store, &is))
			is = UINT64_MAX;
		else if (is == said)
			gone = bt_store_evict(shard->store, keep, before);
		/* only `keep` is that old there: look elsewhere */
		if (is == said && !gone)
			is = UINT64_MAX;
		atomic_store(&shard->oldest, is);
		pthread_mutex_unlock(&shard->lock);
		if (gone)
			return true;
	}
	return false;
}

/* Rule 4. */
static void
set_intervals(
    struct bt_service *s, struct bt_clerk *c, struct bt_service_answer *answer)
{
	uint32_t whole = s->conf.interval_s;

	if (answer->store.complete + answer->store.incomplete < SMALL_SWARM)
		answer->interval_s = least(whole, SMALL_INTERVAL);
	else
		answer->interval_s =
		    whole - bt_rng_below(&c->rng, whole / JITTER + 1);
	answer->min_interval_s =
	    least(s->conf.min_interval_s, answer->interval_s);
}

/* Rule 6. */
static void
set_warning(struct bt_clerk *c, const struct bt_store_ask *q,
    struct bt_service_answer *answer)
{
	struct bt_pace_who who = { q->info_hash, q->peer, q->key };
	uint32_t left_s =
	    bt_pace_came(c->pace, &who, c->now_ms, answer->min_interval_s);

	if (answer->store.outdone)
		snprintf(answer->warning, sizeof(answer->warning),
		    "another peer at your address has port %u: you are not "
		    "listed",
		    q->peer.port);
	else if (left_s > 0 &&
		 (q->event == BT_EVENT_NONE || q->event == BT_EVENT_PAUSED))
		snprintf(answer->warning, sizeof(answer->warning),
		    "you announce too often: %u s too soon", left_s);
}

/* The store's answer, after room was made where it had none. */
static int
announce_to(struct bt_service *s, struct shard *shard,
    const struct bt_store_ask *q, struct bt_clerk *c, struct bt_store_answer *a,
    struct bt_err *err)
{
	bool again;
	int rc;

	do {
		pthread_mutex_lock(&shard->lock);
		rc = bt_store_announce(
		    shard->store, q, c->now_ms, &c->rng, a, err);
		again = rc == -1 && bt_store_may_grow(shard->store,
					q->info_hash, q->peer.family);
		/* there may be one again where there was none */
		if (atomic_load(&shard->oldest) == UINT64_MAX)
			atomic_store(&shard->oldest, 0);
		pthread_mutex_unlock(&shard->lock);
	} while (again && make_room(s, q->info_hash, UINT64_MAX));
	if (rc == -1) /* the asker's own was left out of it */
		atomic_store(&shard->oldest, 0);
	return rc;
}

int
bt_service_announce(struct bt_service *s, struct bt_clerk *c,
    const struct bt_service_ask *ask, struct bt_service_answer *answer,
    struct bt_err *err)
{
	const struct bt_announce *a = ask->announce;
	struct bt_store_ask q;
	struct shard *shard;

	if (a->port == 0)
		return bt_err_set(
		    err, BT_EINPUT, "port is not a number from 1 to 65535");
	if (!bt_gate_lets_torrent(&c->pass, a->info_hash))
		return bt_err_set(err, BT_EREFUSED, "torrent not allowed");
	if (!bt_gate_lets_client(&c->pass, a->peer_id))
		return bt_err_set(err, BT_EREFUSED, "client not allowed");
	memcpy(q.info_hash, a->info_hash, 20);
	memcpy(q.peer_id, a->peer_id, 20);
	q.key = a->has_key ? a->key : 0;
	q.peer = peer_of(ask);
	q.event = a->event;
	q.seeder = a->left == 0;
	q.both = ask->both;
	q.want = want_of(s, ask);
	answer->store.peers[0] = c->peers[0];
	answer->store.peers[1] = c->peers[1];

	shard = shard_of(s, q.info_hash);
	if (announce_to(s, shard, &q, c, &answer->store, err) == -1)
		return -1;
	set_intervals(s, c, answer);
	answer->warning[0] = '\0';
	if (ask->warns)
		set_warning(c, &q, answer);
	return 0;
}

void
bt_service_foresee(
    struct bt_service *s, const uint8_t *const info_hashes[], size_t n)
{
	struct bt_swarms_ahead ahead[BT_SERVICE_AHEAD];
	struct shard *shard;

	assert(n <= BT_SERVICE_AHEAD);
	for (size_t i = 0; i < n; i++)
		ahead[i] = (struct bt_swarms_ahead){ .hash = info_hashes[i] };
	for (unsigned step = 0; step < BT_SWARMS_FETCH_STEPS; step++)
		for (size_t i = 0; i < n; i++) {
			shard = shard_of(s, info_hashes[i]);
			/* a hint is not worth waiting for */
			if (pthread_mutex_trylock(&shard->lock) != 0)
				continue;
			bt_store_fetch(shard->store, &ahead[i]);
			pthread_mutex_unlock(&shard->lock);
		}
}

void
bt_service_counts(struct bt_service *s, struct bt_scrape_row *rows, size_t n)
{
	struct shard *shard;

	for (size_t i = 0; i < n; i++) {
		shard = shard_of(s, rows[i].info_hash);
		pthread_mutex_lock(&shard->lock);
		bt_store_scrape(shard->store, &rows[i]);
		pthread_mutex_unlock(&shard->lock);
	}
}

size_t
bt_service_scrape(struct bt_service *s, const struct bt_clerk *c,
    struct bt_scrape_row *rows, size_t n)
{
	size_t let = 0;

	for (size_t i = 0; i < n; i++)
		if (bt_gate_lets_torrent(&c->pass, rows[i].info_hash))
			rows[let++] = rows[i];
	bt_service_counts(s, rows, let);
	return let;
}

bool
bt_service_save(
    struct bt_service *s, struct bt_service_walk *w, struct bt_buf *out)
{
	struct shard *shard;
	bool all;

	for (; w->shard < s->nshards; w->shard++) {
		shard = &s->shards[w->shard];
		pthread_mutex_lock(&shard->lock);
		all = bt_store_save(
		    shard->store, &w->store, bt_service_now_ms(), out);
		pthread_mutex_unlock(&shard->lock);
		if (!all)
			return false;
		w->store = (struct bt_store_walk){ .began = false };
	}
	return true;
}

static int
restore_group(struct bt_service *s, const struct bt_saved_group *g,
    const struct bt_saved_past *past, struct bt_err *err)
{
	struct shard *shard = shard_of(s, g->hash);
	uint64_t now_ms = bt_service_now_ms();
	uint64_t touched;
	bool again;
	int rc;

	do {
		pthread_mutex_lock(&shard->lock);
		touched = bt_store_touched(shard->store, g, past, now_ms);
		rc = bt_store_restore(shard->store, g, past, now_ms, err);
		again = rc == -1 &&
			bt_store_may_grow(shard->store, g->hash, g->family);
		atomic_store(&shard->oldest, 0);
		pthread_mutex_unlock(&shard->lock);
	} while (again && make_room(s, g->hash, touched));
	if (rc == -1)
		atomic_store(&shard->oldest, 0);
	return rc;
}

int
bt_service_restore(struct bt_service *s, struct bt_str groups,
    const struct bt_saved_past *past, struct bt_err *err)
{
	struct bt_rd r = bt_rd_of(groups);
	struct bt_saved_group g;
	int rc = 0;

	while (bt_saved_group_get(&r, &g) == 1)
		if (restore_group(s, &g, past, err) == -1)
			rc = -1;
	return rc;
}

uint32_t
bt_service_tick_ms(const struct bt_service *s)
{
	return bt_store_tick_ms(s->shards[0].store);
}

void
bt_service_count(const struct bt_service *s, uint32_t *swarms, uint32_t *peers)
{
	*swarms = atomic_load(&s->limits.swarms);
	*peers = atomic_load(&s->limits.peers);
}

void
bt_service_peers(struct bt_service *s, uint64_t of[2][2])
{
	memset(of, 0, 4 * sizeof(of[0][0]));
	for (unsigned i = 0; i < s->nshards; i++) {
		pthread_mutex_lock(&s->shards[i].lock);
		bt_store_peers(s->shards[i].store, of);
		pthread_mutex_unlock(&s->shards[i].lock);
	}
}

uint64_t
bt_service_bytes(const struct bt_service *s)
{
	return atomic_load(&s->limits.bytes);
}

const struct bt_service_conf *
bt_service_conf_of(const struct bt_service *s)
{
	return &s->conf;
}

size_t
bt_service_look(struct bt_service *s, struct bt_service_tour *t,
    struct bt_scrape_row *rows, size_t n)
{
	struct shard *shard;
	size_t got;

	for (; t->shard < s->nshards; t->shard++, t->within = false) {
		if (!t->within)
			t->left = UINT32_MAX;
		t->within = true;
		shard = &s->shards[t->shard];
		pthread_mutex_lock(&shard->lock);
		got = bt_store_look(shard->store, &t->left, rows, n);
		pthread_mutex_unlock(&shard->lock);
		if (got > 0)
			return got;
	}
	return 0;
}

void
bt_service_sweep(struct bt_service *s, struct bt_clerk *c, unsigned worker)
{
	for (unsigned i = worker; i < s->nshards; i += s->conf.workers) {
		pthread_mutex_lock(&s->shards[i].lock);
		bt_store_sweep(s->shards[i].store, c->now_ms);
		pthread_mutex_unlock(&s->shards[i].lock);
	}
}
