#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "store_save.h"

#define EXPIRE_MS 100000u
#define START_MS 5000000u
#define WANT 2000u

static const uint8_t secret[16] = "sixteen bytes...";
static const uint8_t key_secret[16] = "and for the keys";

struct fixture {
	struct bt_store_limits limits;
	struct bt_store *store;
	struct bt_rng rng;
	uint64_t now_ms;
	struct bt_store_answer got;
	uint8_t room4[WANT * 6], room6[WANT * 18];
};

static struct fixture *
begin(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->limits.swarms_max = 100000;
	f->limits.bytes_max = UINT64_MAX;
	f->store = bt_store_new(EXPIRE_MS, &f->limits, secret, key_secret);
	f->now_ms = START_MS;
	f->got.peers[0] = f->room4;
	f->got.peers[1] = f->room6;
	bt_rng_seed(&f->rng, 1);
	return f;
}

static void
end(struct fixture *f)
{
	assert_true(bt_store_check(f->store));
	assert_int_equal(f->limits.bytes, bt_store_bytes(f->store));
	bt_store_free(f->store);
	free(f);
}

static void
announce(struct fixture *f, uint32_t swarm, uint32_t i, enum bt_event event)
{
	struct bt_store_ask q = { .event = event,
		.seeder = i % 3 == 0,
		.both = true,
		.want = WANT,
		.key = i };
	uint8_t ip[16] = { 0x20, 1 };
	struct bt_err err;

	bt_put_be32(q.info_hash, swarm);
	bt_put_be32(ip + 12, 0x0a000000 | i);
	bt_put_be32(q.peer_id, i);
	q.peer = i % 4 == 1 ? bt_addr_v6(ip, 6881) : bt_addr_v4(ip + 12, 6881);
	assert_int_equal(
	    bt_store_announce(f->store, &q, f->now_ms, &f->rng, &f->got, &err),
	    0);
}

static struct bt_scrape_row
counts(struct fixture *f, uint32_t swarm)
{
	struct bt_scrape_row row = { .complete = 0 };

	bt_put_be32(row.info_hash, swarm);
	bt_store_scrape(f->store, &row);
	return row;
}

static void
assert_same(struct fixture *a, struct fixture *b, uint32_t swarm)
{
	struct bt_scrape_row x = counts(a, swarm), y = counts(b, swarm);

	assert_memory_equal(&x, &y, sizeof(x));
}

/* One call of a save, and what it wrote taken in. True at the end. */
static bool
piece(struct fixture *from, struct bt_store_walk *w, size_t room,
    struct fixture *to, uint64_t passed_ms)
{
	struct bt_saved_past past = { .tick_ms = bt_store_tick_ms(from->store),
		.passed_ms = passed_ms };
	struct bt_saved_group g;
	struct bt_err err;
	struct bt_buf out;
	struct bt_rd r;
	bool all;
	int rc;

	bt_buf_init(&out, room);
	all = bt_store_save(from->store, w, from->now_ms, &out);
	assert_true(all || out.n > 0);
	r = bt_rd_of(bt_buf_str(&out));
	while ((rc = bt_saved_group_get(&r, &g)) == 1)
		assert_int_equal(
		    bt_store_restore(to->store, &g, &past, to->now_ms, &err),
		    0);
	assert_int_equal(rc, 0);
	bt_buf_fini(&out);
	return all;
}

static void
copy(struct fixture *from, struct fixture *to, uint64_t passed_ms)
{
	struct bt_store_walk w = { .began = false };

	while (!piece(from, &w, 4096, to, passed_ms))
		continue;
}

static void
what_was_saved_is_there_again(void **state)
{
	struct fixture *a = begin(), *b = begin();

	(void)state;
	for (uint32_t i = 1; i <= 2000; i++)
		announce(a, i % 7 == 0 ? i : 1, i,
		    i % 5 == 0 ? BT_EVENT_PAUSED : BT_EVENT_STARTED);
	announce(a, 1, 1, BT_EVENT_STARTED);
	announce(a, 1, 3, BT_EVENT_COMPLETED);
	copy(a, b, 0);
	assert_int_equal(a->limits.peers, b->limits.peers);
	assert_int_equal(a->limits.swarms, b->limits.swarms);
	for (uint32_t i = 1; i <= 2000; i++)
		assert_same(a, b, i);
	/* each one is who it was: it comes again and is not new */
	for (uint32_t i = 1; i <= 2000; i++)
		announce(b, i % 7 == 0 ? i : 1, i, BT_EVENT_NONE);
	assert_int_equal(a->limits.peers, b->limits.peers);
	end(a);
	end(b);
}

static void
keys_are_known_again(void **state)
{
	struct bt_store_ask q = { .event = BT_EVENT_NONE, .key = 8 };
	struct fixture *a = begin(), *b = begin();
	uint8_t ip[4] = { 10, 9, 9, 9 };
	struct bt_err err;

	(void)state;
	announce(a, 1, 8, BT_EVENT_STARTED);
	copy(a, b, 0);
	bt_put_be32(q.info_hash, 1);
	bt_put_be32(q.peer_id, 8);
	q.peer = bt_addr_v4(ip, 1);
	assert_int_equal(
	    bt_store_announce(b->store, &q, b->now_ms, &b->rng, &b->got, &err),
	    0);
	assert_int_equal(b->limits.peers, 1); /* it has moved */
	end(a);
	end(b);
}

static void
completions_of_an_empty_swarm_are_remembered(void **state)
{
	struct fixture *a = begin(), *b = begin();
	struct bt_store_ask q = { .event = BT_EVENT_STARTED, .key = 1 };
	struct bt_err err;
	uint8_t ip[4] = { 10, 9, 9, 9 };

	(void)state;
	q.peer = bt_addr_v4(ip, 1);
	for (int i = 0; i < 3; i++) {
		q.event = i == 0   ? BT_EVENT_STARTED
			  : i == 1 ? BT_EVENT_COMPLETED
				   : BT_EVENT_STOPPED;
		q.seeder = i > 0;
		bt_store_announce(
		    a->store, &q, a->now_ms, &a->rng, &a->got, &err);
	}
	copy(a, b, 0);
	assert_int_equal(b->limits.peers, 0);
	assert_int_equal(counts(b, 0).downloaded, 1);
	end(a);
	end(b);
}

/* Ages go on while nobody serves. */
static void
who_would_have_been_forgotten_is_left_out(void **state)
{
	struct fixture *a = begin(), *b = begin(), *c = begin();

	(void)state;
	announce(a, 1, 4, BT_EVENT_STARTED);
	a->now_ms += EXPIRE_MS / 2;
	announce(a, 1, 8, BT_EVENT_STARTED);
	announce(a, 2, 9, BT_EVENT_STARTED);
	copy(a, b, EXPIRE_MS * 6 / 10);
	assert_int_equal(b->limits.peers, 2);
	copy(a, c, EXPIRE_MS + 1);
	assert_int_equal(c->limits.swarms, 0);
	/* and the others go when their time has come, not later */
	for (uint64_t t = 0; t < EXPIRE_MS * 6 / 10; t += 500)
		bt_store_sweep(b->store, b->now_ms += 500);
	assert_int_equal(b->limits.peers, 0);
	end(a);
	end(b);
	end(c);
}

static void
the_oldest_swarm_is_the_oldest_again(void **state)
{
	struct fixture *a = begin(), *b = begin();

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		a->now_ms += 1000;
		announce(a, i * 37 % 50, 4, BT_EVENT_STARTED);
	}
	b->now_ms = 10; /* of a machine that has just begun */
	copy(a, b, 0);
	for (uint32_t i = 0; i < 50; i++) {
		assert_int_equal(counts(b, i * 37 % 50).incomplete, 1);
		assert_true(bt_store_evict(b->store, NULL, UINT64_MAX));
		assert_int_equal(counts(b, i * 37 % 50).incomplete, 0);
	}
	end(a);
	end(b);
}

/*
 * Between the pieces others come, leave and finish. Those who stay from the
 * first piece to the last are saved, and nobody twice.
 */
static void
nobody_who_stays_is_missed(void **state)
{
	enum { PEERS = 3000 };
	static bool stays[PEERS];
	struct bt_store_walk w = { .began = false };
	struct fixture *a = begin(), *b = begin();
	uint32_t i, n = 0, before;

	(void)state;
	for (i = 0; i < PEERS; i++) {
		stays[i] = true;
		announce(a, i % 2 == 0 ? 0 : i / 20, i + 1, BT_EVENT_STARTED);
	}
	while (!piece(a, &w, 2048, b, 0))
		for (int k = 0; k < 20; k++) {
			i = bt_rng_below(&a->rng, PEERS);
			announce(a, i % 2 == 0 ? 0 : i / 20, i + 1,
			    stays[i] ? BT_EVENT_STOPPED : BT_EVENT_STARTED);
			stays[i] = false;
			announce(a, 1000 + i, i + 1, BT_EVENT_STARTED);
		}
	before = b->limits.peers;
	for (i = 0; i < PEERS; i++)
		if (stays[i]) {
			announce(
			    b, i % 2 == 0 ? 0 : i / 20, i + 1, BT_EVENT_NONE);
			n++;
		}
	assert_true(n > 1000);
	assert_int_equal(b->limits.peers, before); /* none was new */
	end(a);
	end(b);
}

static void
what_is_there_already_stays_as_it_is(void **state)
{
	struct fixture *a = begin(), *b = begin();

	(void)state;
	announce(a, 1, 3, BT_EVENT_STARTED); /* a seeder */
	announce(a, 1, 4, BT_EVENT_STARTED);
	announce(b, 1, 4, BT_EVENT_STARTED);
	copy(a, b, 0);
	copy(a, b, 0);
	assert_int_equal(b->limits.peers, 2);
	end(a);
	end(b);
}

/* Port 0, a group address, IPv4 in IPv6 clothes, and one key for two. */
static void
no_bytes_do_harm(void **state)
{
	static const uint8_t keys[8] = { 0, 0, 0, 5, 0, 0, 0, 5 };
	static const uint8_t v4[] = { 10, 0, 0, 1, 0, 0, 224, 0, 0, 1, 1, 1 };
	static const uint8_t good[] = { 10, 0, 0, 1, 0, 1, 10, 0, 0, 2, 0, 1 };
	static const uint8_t v6[18] = { [10] = 255, 255, 10, 0, 0, 1, 1, 1 };
	static const uint8_t ages[2] = { 0x80, 0 }, hash[20];
	struct bt_saved_past past = { .tick_ms = UINT32_MAX };
	struct bt_saved_group g = { .hash = hash,
		.family = 4,
		.seeders = true,
		.n = 2,
		.keys = keys,
		.ages = ages,
		.addrs = v4 };
	struct fixture *f = begin();
	struct bt_err err;

	(void)state;
	assert_int_equal(
	    bt_store_restore(f->store, &g, &past, f->now_ms, &err), 0);
	g.family = 6;
	g.n = 1;
	g.addrs = v6;
	assert_int_equal(
	    bt_store_restore(f->store, &g, &past, f->now_ms, &err), 0);
	g.age_ms = UINT32_MAX;
	assert_int_equal(
	    bt_store_restore(f->store, &g, &past, f->now_ms, &err), 0);
	assert_int_equal(f->limits.swarms, 0);
	g.age_ms = 0;
	g.family = 4;
	g.n = 2;
	g.addrs = good;
	past.passed_ms = UINT64_MAX;
	assert_int_equal(
	    bt_store_restore(f->store, &g, &past, f->now_ms, &err), 0);
	assert_int_equal(f->limits.swarms, 0);
	past.passed_ms = 0;
	assert_int_equal(
	    bt_store_restore(f->store, &g, &past, f->now_ms, &err), 0);
	assert_int_equal(f->limits.peers, 2);
	end(f);
}

static void
where_there_is_no_room_it_says_so(void **state)
{
	struct bt_store_walk w = { .began = false };
	struct fixture *a = begin(), *b = begin();
	struct bt_saved_past past = { .tick_ms = 1 };
	struct bt_saved_group g;
	struct bt_buf out;
	struct bt_err err;
	struct bt_rd r;

	(void)state;
	announce(a, 1, 4, BT_EVENT_STARTED);
	b->limits.swarms_max = 0;
	bt_buf_init(&out, 4096);
	assert_true(bt_store_save(a->store, &w, a->now_ms, &out));
	r = bt_rd_of(bt_buf_str(&out));
	assert_int_equal(bt_saved_group_get(&r, &g), 1);
	assert_int_equal(
	    bt_store_restore(b->store, &g, &past, b->now_ms, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	bt_buf_fini(&out);
	end(a);
	end(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_is_there_again),
		cmocka_unit_test(keys_are_known_again),
		cmocka_unit_test(completions_of_an_empty_swarm_are_remembered),
		cmocka_unit_test(who_would_have_been_forgotten_is_left_out),
		cmocka_unit_test(the_oldest_swarm_is_the_oldest_again),
		cmocka_unit_test(nobody_who_stays_is_missed),
		cmocka_unit_test(what_is_there_already_stays_as_it_is),
		cmocka_unit_test(no_bytes_do_harm),
		cmocka_unit_test(where_there_is_no_room_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
