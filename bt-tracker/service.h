/*
 * service - what both fronts ask: an announce or a scrape, answered.
 *
 * The rules
 * 1. A peer is where its packets come from, by what bt-tracker/proxy.c decides,
 *    and so is if what it says of its own address counts.
 * 2. Nobody gets more peers than --numwant-max, and 50 if it did not say.
 * 3. At the limits the swarm that was announced longest ago goes, of all shards
 *    the oldest, until there is room; who announces its own is never that one.
 * 4. While a swarm has fewer than 5 peers they are asked to come again in 5 s,
 *    so that the first ones find each other. All others in nine to ten tenths
 *    of --interval, each time other ones, so that those who came together are
 *    soon spread over all of it. `min interval` is never longer than that.
 * 5. What bt-tracker/gate.h does not let in is refused, and left out of a
 *    scrape.
 * 6. Who comes sooner than its `min interval`, and says no event, is answered
 *    like others and warned (pace.h); so is who is not kept since another
 *    program has its address and port. UDP has no place for warnings.
 * Shared by all workers: swarms lie in shards by info-hash, each under a lock
 * that is held for one call of the store.
 * Touches: locks.
 *
 * Speaks   BEP 3 (tracker), 7, 15, 48
 * Used by  bt-tracker/http.c, bt-tracker/udp.c, bt-tracker/worker.c
 * Tests    tests/e2e/bt-tracker.bats
 */
#ifndef BT_TRACKER_SERVICE_H
#define BT_TRACKER_SERVICE_H

#include "clerk.h"
#include "store_save.h"

struct bt_service_conf {
	uint32_t interval_s, min_interval_s;
	uint64_t expire_ms;
	uint32_t numwant_max;	/* at most BT_ANNOUNCE_PEERS_MAX */
	uint32_t swarms_max;
	uint64_t bytes_max;
	unsigned workers;
	struct bt_gate *gate;	/* NULL: all are let in; shared */
};

struct bt_service;

/* gives. Both are 16 random bytes; keys are kept hashed under the second. */
struct bt_service	*bt_service_new(const struct bt_service_conf *conf,
			    const uint8_t secret[16],
			    const uint8_t key_secret[16]);
void	bt_service_free(struct bt_service *s);

struct bt_service_ask {
	const struct bt_announce *announce;
	struct bt_addr from;	/* who sent it */
	bool may_say_ip;	/* what it says of its address counts */
	bool both;		/* it can be told of both families */
	uint32_t want_max;	/* as many peers as the reply has room for */
	bool warns;		/* the reply has room for a warning */
};

#define BT_SERVICE_WARNING_MAX	96u

struct bt_service_answer {
	struct bt_store_answer store;	/* its peers lie in the clerk's room */
	uint32_t interval_s, min_interval_s;
	char warning[BT_SERVICE_WARNING_MAX];	/* empty: none */
};

/*
 * -1 with a sentence fit for `failure reason`: BT_EREFUSED for what will never
 * be let in, BT_ELIMIT where there is no room now, BT_EINPUT.
 */
int	bt_service_announce(struct bt_service *s, struct bt_clerk *c,
	    const struct bt_service_ask *ask, struct bt_service_answer *answer,
	    struct bt_err *err);
/* Announces to n torrents come next: have their memory on its way at once. */
#define BT_SERVICE_AHEAD	32u	/* n at most */
void	bt_service_foresee(struct bt_service *s,
	    const uint8_t *const info_hashes[], size_t n);
/*
 * Fill in the counts of n rows, after those that are let in were moved to the
 * front. How many these are.
 */
size_t	bt_service_scrape(struct bt_service *s, const struct bt_clerk *c,
	    struct bt_scrape_row *rows, size_t n);
/* The counts of n torrents, whoever is let in. */
void	bt_service_counts(struct bt_service *s, struct bt_scrape_row *rows,
	    size_t n);
/* What the clock of the store says: CLOCK_MONOTONIC. */
uint64_t	bt_service_now_ms(void);

/*
 * Swarms to bytes and back (store_save.h), shard by shard, while others
 * announce: add to out up to its ceiling; true when that was all. Begins as
 * { 0 }. Any thread.
 */
struct bt_service_walk {
	unsigned shard;
	struct bt_store_walk store;
};
bool	bt_service_save(struct bt_service *s, struct bt_service_walk *w,
	    struct bt_buf *out);
/* Take in the groups of a frame. BT_ELIMIT when not all of it found room. */
int	bt_service_restore(struct bt_service *s, struct bt_str groups,
	    const struct bt_saved_past *past, struct bt_err *err);
uint32_t	bt_service_tick_ms(const struct bt_service *s);
void	bt_service_count(const struct bt_service *s, uint32_t *swarms,
	    uint32_t *peers);
/* How many peers, by family (IPv4, IPv6): leechers, seeders. Any thread. */
void	bt_service_peers(struct bt_service *s, uint64_t of[2][2]);
/* Bytes of torrents and peers. */
uint64_t	bt_service_bytes(const struct bt_service *s);
const struct bt_service_conf	*bt_service_conf_of(const struct bt_service *s);
/*
 * Counts of up to n swarms in one turn of one lock. A tour begins as { 0 };
 * 0 is its end. Any thread.
 */
struct bt_service_tour {
	unsigned shard;
	bool within;
	uint32_t left;
};
size_t	bt_service_look(struct bt_service *s, struct bt_service_tour *t,
	    struct bt_scrape_row *rows, size_t n);

/* One worker's share of dropping what is too old; several times a second. */
void	bt_service_sweep(struct bt_service *s, struct bt_clerk *c,
	    unsigned worker);

#endif
