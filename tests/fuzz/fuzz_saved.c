/*
 * Any bytes: as a state file they are read without harm, a head that is whole
 * is written as it was, and as groups they leave a store whose rules hold and
 * which, saved and restored, is the same.
 */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "fuzz.h"
#include "store_save.h"

#define NOW_MS 5000000u
#define ROOM (1u << 20)

static const uint8_t secret[16] = "sixteen bytes...";

struct shard {
	struct bt_store_limits limits;
	struct bt_store *store;
};

static void
begin(struct shard *s)
{
	memset(s, 0, sizeof(*s));
	s->limits.swarms_max = 1000;
	s->limits.bytes_max = ROOM;
	s->store = bt_store_new(100000, &s->limits, secret, secret);
}

static void
end(struct shard *s)
{
	assert(bt_store_check(s->store));
	assert(s->limits.bytes == bt_store_bytes(s->store));
	bt_store_free(s->store);
}

/* What the last call for a group said: 0, or -1 for what is none. */
static int
take_in(struct shard *s, struct bt_str groups, const struct bt_saved_past *past)
{
	struct bt_rd r = bt_rd_of(groups);
	struct bt_saved_group g;
	struct bt_err err;
	int rc;

	while ((rc = bt_saved_group_get(&r, &g)) == 1) {
		assert(is_inside(groups, (struct bt_str){ g.keys, 4 * g.n }));
		assert(is_inside(groups, (struct bt_str){ g.addrs,
					     (g.family == 4 ? 6 : 18) * g.n }));
		while (
		    bt_store_restore(s->store, &g, past, NOW_MS, &err) == -1 &&
		    bt_store_evict(s->store, g.hash, UINT64_MAX))
			continue;
	}
	return rc;
}

/* A sum over all that is said of each peer: in which order does not matter. */
static uint64_t
sum_of(struct bt_str groups)
{
	struct bt_rd r = bt_rd_of(groups);
	struct bt_saved_group g;
	uint8_t rec[29 + 5 + 18];
	uint64_t sum = 0;
	size_t len;

	while (bt_saved_group_get(&r, &g) == 1) {
		memset(rec, 0, sizeof(rec));
		memcpy(rec, g.hash, 20);
		bt_put_be32(rec + 20, g.downloaded);
		bt_put_be32(rec + 24, g.age_ms);
		rec[28] = (uint8_t)(g.family + g.seeders);
		if (g.n == 0)
			sum += bt_hash_sip(
			    secret, (struct bt_str){ rec, sizeof(rec) });
		len = g.family == 4 ? 6 : 18;
		for (uint32_t i = 0; i < g.n; i++) {
			memcpy(rec + 29, g.keys + 4 * i, 4);
			rec[33] = g.ages[i];
			memcpy(rec + 34, g.addrs + len * i, len);
			sum += bt_hash_sip(
			    secret, (struct bt_str){ rec, sizeof(rec) });
		}
	}
	return sum;
}

/* Save it in pieces, and take these into `to` if that is not NULL. */
static uint64_t
save(struct shard *s, struct shard *to)
{
	struct bt_saved_past past = { .tick_ms = bt_store_tick_ms(s->store) };
	struct bt_store_walk w = { .began = false };
	uint64_t sum = 0;
	struct bt_buf out;
	bool all;
	int rc;

	bt_buf_init(&out, 4096);
	do {
		bt_buf_clear(&out);
		all = bt_store_save(s->store, &w, NOW_MS, &out);
		assert(all || out.n > 0);
		sum += sum_of(bt_buf_str(&out));
		if (to == NULL)
			continue;
		rc = take_in(to, bt_buf_str(&out), &past);
		assert(rc == 0);
	} while (!all);
	bt_buf_fini(&out);
	return sum;
}

/* A sum over the counts of all swarms. */
static uint64_t
counts_of(struct shard *s)
{
	struct bt_scrape_row rows[64];
	uint32_t left = UINT32_MAX;
	uint64_t sum = 0;
	size_t n;

	memset(rows, 0, sizeof(rows));
	while ((n = bt_store_look(s->store, &left, rows, 64)) > 0)
		for (size_t i = 0; i < n; i++)
			sum += bt_hash_sip(
			    secret, (struct bt_str){ (const uint8_t *)&rows[i],
					sizeof(rows[i]) });
	return sum;
}

/* No time has passed: what is made of what is saved is the same. */
static void
check_round(struct shard *s)
{
	struct shard again;
	uint64_t was, is;

	begin(&again);
	again.limits.bytes_max = UINT64_MAX;
	was = save(s, &again);
	is = save(&again, NULL);
	assert(again.limits.swarms == s->limits.swarms);
	assert(again.limits.peers == s->limits.peers);
	assert(counts_of(&again) == counts_of(s));
	assert(is == was);
	end(&again);
}

/* What it holds as it was; the zeros behind are not looked at when read. */
static void
check_head(struct bt_str in, const struct bt_saved_head *h)
{
	static const uint8_t zeros[16];
	uint8_t back[BT_SAVED_HEAD_LEN];

	bt_saved_head_put(back, h);
	assert(memcmp(back, in.p, 40) == 0);
	if (memcmp(in.p + 40, zeros, sizeof(zeros)) == 0)
		assert(memcmp(back, in.p, sizeof(back)) == 0);
}

static void
read_file(struct bt_str in)
{
	struct bt_saved_past past = { .passed_ms = 1000 };
	struct bt_saved_head h;
	struct bt_str groups;
	struct shard s;
	size_t took;

	if (bt_saved_head_get(in, &h) != BT_SAVED_WHOLE)
		return;
	check_head(in, &h);
	past.tick_ms = h.tick_ms;
	begin(&s);
	in = bt_str_sub(in, BT_SAVED_HEAD_LEN, in.n);
	for (uint64_t i = 0; bt_saved_frame_get(in, i, h.key_secret, &groups,
				 &took) == BT_SAVED_WHOLE;
	     i++) {
		assert(is_inside(in, groups));
		if (groups.n == 0)
			break;
		take_in(&s, groups, &past);
		in = bt_str_sub(in, took, in.n);
	}
	end(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_saved_past past = { .tick_ms = 2000, .passed_ms = 1000 };
	struct bt_str in = { p, n };
	struct shard s;

	read_file(in);
	begin(&s);
	take_in(&s, in, &past);
	check_round(&s);
	end(&s);
	return 0;
}
