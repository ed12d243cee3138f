/*
 * store_rig - a store of bt-tracker, and what is asked of it by letters.
 */
#ifndef BT_TESTS_UNIT_STORE_RIG_H
#define BT_TESTS_UNIT_STORE_RIG_H

#include <string.h>

#include "base/rd.h"
#include "store.h"

#define EXPIRE_MS 100000u
#define START_MS 5000000u

/* A store and what is asked of it, with an answer's room. */
struct fixture {
	struct bt_store_limits limits;
	struct bt_store *store;
	struct bt_rng rng;
	uint64_t now_ms;
	struct bt_store_answer got;
	uint8_t room4[200 * 6], room6[200 * 18];
	struct bt_err err;
};

static inline void
begin(struct fixture *f, uint32_t swarms_max)
{
	static const uint8_t secret[16] = "sixteen bytes...";

	memset(f, 0, sizeof(*f));
	f->limits.swarms_max = swarms_max;
	f->limits.bytes_max = UINT64_MAX;
	f->store = bt_store_new(EXPIRE_MS, &f->limits, secret, secret);
	f->now_ms = START_MS;
	f->got.peers[0] = f->room4;
	f->got.peers[1] = f->room6;
	bt_rng_seed(&f->rng, 7);
}

static inline void
end(struct fixture *f)
{
	assert_true(bt_store_check(f->store));
	assert_int_equal(f->limits.bytes, bt_store_bytes(f->store));
	bt_store_free(f->store);
}

/* Who asks: "a" is 10.0.0.97 port 97 with that in its peer id and key. */
static inline struct bt_store_ask
who(char c, enum bt_event event, bool seeder)
{
	struct bt_store_ask q = { .event = event,
		.seeder = seeder,
		.both = true,
		.want = 200,
		.key = (uint32_t)c };
	uint8_t ip[4] = { 10, 0, 0, (uint8_t)c };

	memset(q.info_hash, 1, 20);
	memset(q.peer_id, c, 20);
	q.peer = bt_addr_v4(ip, (uint16_t)c);
	return q;
}

static inline struct bt_store_ask
who6(char c, enum bt_event event, bool seeder)
{
	struct bt_store_ask q = who(c, event, seeder);
	uint8_t ip[16] = { 0x20, 1, [15] = (uint8_t)c };

	q.peer = bt_addr_v6(ip, (uint16_t)c);
	return q;
}

static inline int
ask(struct fixture *f, struct bt_store_ask q)
{
	return bt_store_announce(
	    f->store, &q, f->now_ms, &f->rng, &f->got, &f->err);
}

static inline void
join(struct fixture *f, char c, bool seeder)
{
	assert_int_equal(ask(f, who(c, BT_EVENT_STARTED, seeder)), 0);
}

/* The peers of the answer as their letters: IPv4, then IPv6 in capitals. */
static inline const char *
told(const struct fixture *f, char out[402])
{
	char *to = out;
	uint8_t least = 0, c;

	/* sorted by picking the next larger letter each time */
	for (;;) {
		c = 255;
		for (uint32_t i = 0; i < f->got.n[0]; i++)
			if (f->room4[6 * i + 3] > least &&
			    f->room4[6 * i + 3] < c)
				c = f->room4[6 * i + 3];
		if (c == 255)
			break;
		*to++ = (char)(least = c);
	}
	least = 0;
	for (;;) {
		c = 255;
		for (uint32_t i = 0; i < f->got.n[1]; i++)
			if (f->room6[18 * i + 15] > least &&
			    f->room6[18 * i + 15] < c)
				c = f->room6[18 * i + 15];
		if (c == 255)
			break;
		least = c;
		*to++ = (char)(c - 'a' + 'A');
	}
	*to = '\0';
	assert_int_equal(to - out, f->got.n[0] + f->got.n[1]);
	return out;
}

static inline void
assert_counts(struct fixture *f, uint32_t complete, uint32_t incomplete,
    uint32_t downloaded)
{
	struct bt_scrape_row row = { .complete = 99 };

	memset(row.info_hash, 1, 20);
	bt_store_scrape(f->store, &row);
	assert_int_equal(row.complete, complete);
	assert_int_equal(row.incomplete, incomplete);
	assert_int_equal(row.downloaded, downloaded);
}

/* Who 'z', a leecher that is gone again at once, is told of. */
static inline const char *
all(struct fixture *f, char out[402])
{
	assert_int_equal(ask(f, who('z', BT_EVENT_STARTED, false)), 0);
	told(f, out);
	assert_int_equal(ask(f, who('z', BT_EVENT_STOPPED, false)), 0);
	return out;
}

static inline struct bt_store_ask
in(uint8_t swarm, char c)
{
	struct bt_store_ask q = who(c, BT_EVENT_STARTED, false);

	memset(q.info_hash, swarm, 20);
	return q;
}

static inline bool
has(struct fixture *f, uint8_t swarm)
{
	struct bt_scrape_row row;

	memset(row.info_hash, swarm, 20);
	bt_store_scrape(f->store, &row);
	return row.complete + row.incomplete + row.downloaded > 0;
}

#endif
