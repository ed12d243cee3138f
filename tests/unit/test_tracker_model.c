/*
 * The store beside the simplest thing that keeps its rules: a list. After each
 * of many random announces both must say the same counts, and an answer must
 * hold only peers that the list would tell of, each once, as many as it may.
 * Now and then the oldest swarm goes in both, or the store is one that was made
 * of what the last one saved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/rd.h"
#include "store_save.h"

#define EXPIRE_MS 60000u
#define SWARMS 6u
#define MODEL_MAX 4096u
#define WANT_MAX 120u

static const uint8_t secret[16] = "sixteen bytes...";

struct one {
	uint8_t swarm;
	struct bt_addr addr;
	uint32_t id, key;
	bool seeder, paused;
	uint64_t seen_ms;
};

struct model {
	struct one list[MODEL_MAX];
	size_t n;
	uint32_t downloaded[SWARMS];
	uint64_t touched_ms[SWARMS]; /* 0: there is no such swarm */
};

static struct one *
by_addr(struct model *m, uint8_t swarm, const struct bt_addr *a)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].swarm == swarm &&
		    bt_addr_eq(&m->list[i].addr, a))
			return &m->list[i];
	return NULL;
}

static struct one *
by_key(struct model *m, const struct one *like)
{
	for (size_t i = 0; i < m->n; i++)
		if (like->key != 0 && m->list[i].swarm == like->swarm &&
		    m->list[i].addr.family == like->addr.family &&
		    m->list[i].key == like->key && m->list[i].id == like->id)
			return &m->list[i];
	return NULL;
}

static void
forget(struct model *m, struct one *o)
{
	*o = m->list[--m->n];
}

static bool
differs(const struct one *a, const struct one *b)
{
	return a->key != 0 && b->key != 0 &&
	       (a->key != b->key || a->id != b->id);
}

static void
touch(struct model *m, const struct one *o, enum bt_event event)
{
	if (m->touched_ms[o->swarm] != 0 || event != BT_EVENT_STOPPED)
		m->touched_ms[o->swarm] = o->seen_ms;
}

/* The rules of store.h, word for word. Is the asker in the list now? */
static bool
model_announce(struct model *m, struct one new, enum bt_event event)
{
	struct one *own = by_addr(m, new.swarm, &new.addr);
	struct one *keyed = by_key(m, &new);
	bool was_leecher;

	if (own != NULL && own->seeder &&
	    !new.seeder &&event != BT_EVENT_STARTED &&differs(own, &new))
		return false;
	if (event == BT_EVENT_STOPPED) {
		if (own != NULL)
			forget(m, own);
		else if (keyed != NULL)
			forget(m, keyed);
		return false;
	}
	was_leecher = own != NULL     ? !own->seeder
		      : keyed != NULL ? !keyed->seeder
				      : false;
	if (own != NULL && new.key == 0) {
		new.key = own->key;
		new.id = own->id;
	}
	if (own != NULL)
		forget(m, own);
	keyed = by_key(m, &new);
	if (keyed != NULL)
		forget(m, keyed);
	assert_true(m->n < MODEL_MAX);
	m->list[m->n++] = new;
	if (event == BT_EVENT_COMPLETED && new.seeder && was_leecher)
		m->downloaded[new.swarm]++;
	return true;
}

static void
count(const struct model *m, uint8_t swarm, struct bt_scrape_row *row)
{
	memset(row, 0, sizeof(*row));
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].swarm == swarm && m->list[i].seeder)
			row->complete++;
		else if (m->list[i].swarm == swarm) {
			row->incomplete++;
			row->downloaders += !m->list[i].paused;
		}
	row->downloaded = m->downloaded[swarm];
}

/* How many of a family the asker may be told of. */
static uint32_t
eligible(const struct model *m, const struct one *asker, bool entered,
    uint8_t family)
{
	uint32_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].swarm == asker->swarm &&
		    m->list[i].addr.family == family &&
		    !(asker->seeder && m->list[i].seeder) &&
		    !(entered && bt_addr_eq(&m->list[i].addr, &asker->addr)))
			n++;
	return n;
}

static void
check_peers(struct model *m, const struct one *asker, bool entered,
    uint8_t family, const uint8_t *p, uint32_t n)
{
	size_t size = family == 4 ? 6 : 18;
	struct bt_addr a;
	struct one *o;

	for (uint32_t i = 0; i < n; i++) {
		a = bt_addr_unpack(p + i * size, family);
		o = by_addr(m, asker->swarm, &a);
		assert_non_null(o);
		assert_false(asker->seeder && o->seeder);
		assert_false(entered && bt_addr_eq(&a, &asker->addr));
		for (uint32_t k = 0; k < i; k++)
			assert_memory_not_equal(
			    p + i * size, p + k * size, size);
	}
}

/* A random peer: few addresses and ids, so that they meet. */
static struct one
random_one(struct bt_rng *rng, uint64_t now_ms)
{
	struct one o = { .seen_ms = now_ms };
	uint8_t ip[16] = { 0x20, 1 };

	o.swarm = (uint8_t)(bt_rng_below(rng, 10) < 8
				? 0
				: 1 + bt_rng_below(rng, SWARMS - 1));
	bt_put_be32(ip + 12, 0x0a000000 | bt_rng_below(rng, 60));
	if (bt_rng_below(rng, 3) == 0)
		o.addr = bt_addr_v6(ip, (uint16_t)(1 + bt_rng_below(rng, 4)));
	else
		o.addr =
		    bt_addr_v4(ip + 12, (uint16_t)(1 + bt_rng_below(rng, 4)));
	o.key = bt_rng_below(rng, 4) == 0 ? 0 : 1 + bt_rng_below(rng, 150);
	o.id = o.key % 13;
	if (bt_rng_below(rng, 10) == 0)
		o.id = bt_rng_below(rng, 13);
	o.seeder = bt_rng_below(rng, 2) == 0;
	return o;
}

static enum bt_event
random_event(struct bt_rng *rng)
{
	static const enum bt_event events[] = { BT_EVENT_NONE, BT_EVENT_NONE,
		BT_EVENT_STARTED, BT_EVENT_COMPLETED, BT_EVENT_STOPPED,
		BT_EVENT_PAUSED };

	return events[bt_rng_below(rng, sizeof(events) / sizeof(events[0]))];
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
step(struct bt_store *s, struct model *m, struct bt_rng *rng, uint64_t now_ms)
{
	struct one o = random_one(rng, now_ms);
	struct bt_store_ask q = { .event = random_event(rng),
		.seeder = o.seeder,
		.key = o.key,
		.peer = o.addr,
		.both = bt_rng_below(rng, 2) == 0,
		.want = bt_rng_below(rng, WANT_MAX + 1) };
	uint8_t room4[WANT_MAX * 6], room6[WANT_MAX * 18];
	struct bt_store_answer got = { .peers = { room4, room6 } };
	struct bt_scrape_row want, row;
	struct bt_err err;
	uint32_t own_n, other_n;
	int f = o.addr.family == 4 ? 0 : 1;
	bool entered;

	memset(q.info_hash, o.swarm, 20);
	bt_put_be32(q.peer_id, o.id);
	assert_int_equal(bt_store_announce(s, &q, now_ms, rng, &got, &err), 0);
	o.paused = q.event == BT_EVENT_PAUSED;
	touch(m, &o, q.event);
	entered = model_announce(m, o, q.event);

	count(m, o.swarm, &want);
	memset(row.info_hash, o.swarm, 20);
	bt_store_scrape(s, &row);
	assert_int_equal(row.complete, want.complete);
	assert_int_equal(row.incomplete, want.incomplete);
	assert_int_equal(row.downloaded, want.downloaded);
	assert_int_equal(row.downloaders, want.downloaders);
	assert_int_equal(got.downloaders, want.downloaders);
	assert_int_equal(got.complete, want.complete);
	assert_int_equal(got.incomplete, want.incomplete);

	own_n = other_n = 0;
	if (q.event != BT_EVENT_STOPPED) {
		own_n = least(q.want, eligible(m, &o, entered, o.addr.family));
		if (q.both)
			other_n = least(q.want - own_n,
			    eligible(m, &o, entered, f == 0 ? 6 : 4));
	}
	assert_int_equal(got.n[f], own_n);
	assert_int_equal(got.n[!f], other_n);
	check_peers(m, &o, entered, 4, room4, got.n[0]);
	check_peers(m, &o, entered, 6, room6, got.n[1]);
}

/* Whoever is old in the store is old in the list; ages in between may differ. */
static void
expire(struct bt_store *s, struct model *m, uint64_t *now_ms)
{
	uint64_t until = *now_ms + 2 * EXPIRE_MS;

	for (; *now_ms < until; *now_ms += EXPIRE_MS / 50)
		bt_store_sweep(s, *now_ms);
	memset(m, 0, sizeof(*m));
}

static void
check_counts(struct bt_store *s, const struct model *m)
{
	struct bt_scrape_row want, row;

	for (uint8_t i = 0; i < SWARMS; i++) {
		count(m, i, &want);
		memset(row.info_hash, i, 20);
		memset(want.info_hash, i, 20);
		bt_store_scrape(s, &row);
		assert_memory_equal(&row, &want, sizeof(row));
	}
}

static void
evict(struct bt_store *s, struct model *m)
{
	uint8_t oldest = 0;
	size_t kept = 0;

	for (uint8_t i = 1; i < SWARMS; i++)
		if (m->touched_ms[i] != 0 &&
		    (m->touched_ms[oldest] == 0 ||
			m->touched_ms[i] < m->touched_ms[oldest]))
			oldest = i;
	assert_int_equal(
	    bt_store_evict(s, NULL, UINT64_MAX), m->touched_ms[oldest] != 0);
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].swarm != oldest)
			m->list[kept++] = m->list[i];
	m->n = kept;
	m->touched_ms[oldest] = 0;
	m->downloaded[oldest] = 0;
	check_counts(s, m);
}

/* A swarm that nobody is in and nobody completed is not worth saving. */
static void
forget_empty(struct model *m)
{
	struct bt_scrape_row row;

	for (uint8_t i = 0; i < SWARMS; i++) {
		count(m, i, &row);
		if (row.complete + row.incomplete + row.downloaded == 0)
			m->touched_ms[i] = 0;
	}
}

/* Gives a store of what the old one saved, piece by piece. */
static struct bt_store *
reborn(struct bt_store *old, struct bt_store_limits *limits,
    struct bt_store_limits *old_limits, struct model *m, uint64_t now_ms)
{
	struct bt_store *new = bt_store_new(EXPIRE_MS, limits, secret, secret);
	struct bt_saved_past past = { .tick_ms = bt_store_tick_ms(old) };
	struct bt_store_walk w = { .began = false };
	struct bt_saved_group g;
	struct bt_err err;
	struct bt_buf out;
	struct bt_rd r;
	bool all;
	int rc;

	bt_buf_init(&out, 2000);
	do {
		bt_buf_clear(&out);
		all = bt_store_save(old, &w, now_ms, &out);
		r = bt_rd_of(bt_buf_str(&out));
		while ((rc = bt_saved_group_get(&r, &g)) == 1)
			assert_int_equal(
			    bt_store_restore(new, &g, &past, now_ms, &err), 0);
		assert_int_equal(rc, 0);
	} while (!all);
	bt_buf_fini(&out);
	bt_store_free(old);
	old_limits->swarms = old_limits->peers = 0;
	old_limits->bytes = 0;
	forget_empty(m);
	check_counts(new, m);
	return new;
}

static void
run(uint64_t seed)
{
	struct bt_store_limits both[2] = { { .swarms_max = 100,
					       .bytes_max = UINT64_MAX },
		{ .swarms_max = 100, .bytes_max = UINT64_MAX } };
	struct bt_store_limits *limits = &both[0];
	struct bt_store *s = bt_store_new(EXPIRE_MS, limits, secret, secret);
	struct model m = { .n = 0 };
	uint64_t now_ms = 1;
	struct bt_rng rng;

	bt_rng_seed(&rng, seed);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4000; i++) {
			step(s, &m, &rng, now_ms++);
			if (bt_rng_below(&rng, 1000) == 0)
				evict(s, &m);
			if (bt_rng_below(&rng, 1000) == 0) {
				struct bt_store_limits *other =
				    limits == &both[0] ? &both[1] : &both[0];

				s = reborn(s, other, limits, &m, now_ms);
				limits = other;
			}
			if (i % 100 == 0)
				assert_true(bt_store_check(s));
			assert_int_equal(limits->peers, m.n);
			assert_int_equal(limits->bytes, bt_store_bytes(s));
		}
		expire(s, &m, &now_ms);
		assert_int_equal(limits->peers, 0);
		assert_int_equal(limits->swarms, 0);
	}
	bt_store_free(s);
}

static void
the_store_says_what_the_rules_say_in_any_sequence(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		print_message("seed %d\n", (int)seed);
		run(seed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_store_says_what_the_rules_say_in_any_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
