#include "service.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define WANT_DEFAULT 50u  /* BEP 3: what a client gets that does not say */
#define SMALL_SWARM 5u	  /* peers; rule 3 */
#define SMALL_INTERVAL 5u /* seconds */
#define SHARDS_EACH 8u	  /* shards for each worker: two seldom meet */
#define SHARDS_MAX 256u	  /* one byte of the info-hash chooses */
#define SHARD_SIZE 128u	  /* two cache lines: locks share none */

struct shard {
	union {
		struct {
			pthread_mutex_t lock;
			struct bt_store *store;
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
bt_service_new(const struct bt_service_conf *conf, const uint8_t secret[16])
{
	struct bt_service *s = bt_mem_zero(1, sizeof(*s));
	struct shard *shard;

	assert(conf->workers > 0);
	assert(conf->numwant_max <= BT_ANNOUNCE_PEERS_MAX);
	s->conf = *conf;
	s->limits.swarms_max = conf->swarms_max;
	s->limits.peers_max = conf->peers_max;
	s->nshards = 1;
	while (
	    s->nshards < SHARDS_MAX && s->nshards / SHARDS_EACH < conf->workers)
		s->nshards *= 2;
	s->shards = bt_mem_zero(s->nshards, sizeof(*s->shards));
	for (unsigned i = 0; i < s->nshards; i++) {
		shard = &s->shards[i];
		pthread_mutex_init(&shard->lock, NULL);
		shard->store =
		    bt_store_new(conf->expire_ms, &s->limits, secret);
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

void
bt_clerk_init(struct bt_clerk *c, const struct bt_service *s, uint64_t seed)
{
	bt_rng_seed(&c->rng, seed);
	c->peers[0] = bt_mem_array(s->conf.numwant_max + 1, 6);
	c->peers[1] = bt_mem_array(s->conf.numwant_max + 1, 18);
	bt_clerk_now(c);
}

void
bt_clerk_fini(struct bt_clerk *c)
{
	bt_mem_free(c->peers[0]);
	bt_mem_free(c->peers[1]);
}

uint64_t
bt_clerk_now(struct bt_clerk *c)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	c->now_ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
	return c->now_ms;
}

/* Any byte of a SHA-1 does; strangers who choose it only crowd one lock. */
static struct shard *
shard_of(struct bt_service *s, const uint8_t info_hash[20])
{
	return &s->shards[info_hash[19] & (s->nshards - 1)];
}

static bool
is_private(const struct bt_addr *a)
{
	const uint8_t *ip = a->ip;

	if (bt_addr_is_loopback(a))
		return true;
	if (a->family == 4)
		return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
		       (ip[0] == 192 && ip[1] == 168) ||
		       (ip[0] == 169 && ip[1] == 254);
	return (ip[0] & 0xfe) == 0xfc ||
	       (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

/* Rule 1. */
static struct bt_addr
peer_of(const struct bt_service_ask *ask)
{
	struct bt_addr peer = ask->from, said = ask->announce->ip;

	said.port = peer.port = ask->announce->port;
	/* who takes one family alone can be told of that one alone */
	if ((ask->both || said.family == peer.family) &&
	    bt_addr_is_dialable(&said) && is_private(&ask->from))
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

int
bt_service_announce(struct bt_service *s, struct bt_clerk *c,
    const struct bt_service_ask *ask, struct bt_service_answer *answer,
    struct bt_err *err)
{
	const struct bt_announce *a = ask->announce;
	struct bt_store_ask q;
	struct shard *shard;
	int rc;

	if (a->port == 0)
		return bt_err_set(
		    err, BT_EINPUT, "port is not a number from 1 to 65535");
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
	pthread_mutex_lock(&shard->lock);
	rc = bt_store_announce(
	    shard->store, &q, c->now_ms, &c->rng, &answer->store, err);
	pthread_mutex_unlock(&shard->lock);
	if (rc == -1)
		return -1;
	answer->interval_s = s->conf.interval_s;
	if (answer->store.complete + answer->store.incomplete < SMALL_SWARM)
		answer->interval_s = least(answer->interval_s, SMALL_INTERVAL);
	answer->min_interval_s =
	    least(s->conf.min_interval_s, answer->interval_s);
	return 0;
}

void
bt_service_scrape(struct bt_service *s, struct bt_scrape_row *rows, size_t n)
{
	struct shard *shard;

	for (size_t i = 0; i < n; i++) {
		shard = shard_of(s, rows[i].info_hash);
		pthread_mutex_lock(&shard->lock);
		bt_store_scrape(shard->store, &rows[i]);
		pthread_mutex_unlock(&shard->lock);
	}
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
