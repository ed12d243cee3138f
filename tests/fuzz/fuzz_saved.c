/*
 * Any bytes: as a state file they are read without harm, a head that is whole
 * is written as it was, and as groups they leave a store whose rules hold and
 * which, saved and restored, is the same.
 */
#include <assert.h>
#include <string.h>

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

static void
take_in(struct shard *s, struct bt_str groups, uint32_t tick_ms)
{
	struct bt_saved_past past = { .tick_ms = tick_ms, .passed_ms = 1000 };
	struct bt_rd r = bt_rd_of(groups);
	struct bt_saved_group g;
	struct bt_err err;

	while (bt_saved_group_get(&r, &g) == 1) {
		assert(is_inside(groups, (struct bt_str){ g.keys, 4 * g.n }));
		assert(is_inside(groups, (struct bt_str){ g.addrs,
					     (g.family == 4 ? 6 : 18) * g.n }));
		while (
		    bt_store_restore(s->store, &g, &past, NOW_MS, &err) == -1 &&
		    bt_store_evict(s->store, g.hash, UINT64_MAX))
			continue;
	}
}

/* Its groups in pieces, and what is made of these. */
static void
check_round(struct shard *s)
{
	struct bt_store_walk w = { .began = false };
	struct shard again;
	struct bt_buf out;
	bool all;

	begin(&again);
	again.limits.bytes_max = UINT64_MAX;
	bt_buf_init(&out, 4096);
	do {
		bt_buf_clear(&out);
		all = bt_store_save(s->store, &w, NOW_MS, &out);
		take_in(&again, bt_buf_str(&out), bt_store_tick_ms(s->store));
	} while (!all);
	bt_buf_fini(&out);
	/* some are a second older now: too old, perhaps */
	assert(again.limits.peers <= s->limits.peers);
	end(&again);
}

static void
read_file(struct bt_str in)
{
	uint8_t back[BT_SAVED_HEAD_LEN];
	struct bt_saved_head h;
	struct bt_str groups;
	struct shard s;
	size_t took;

	if (bt_saved_head_get(in, &h) != BT_SAVED_WHOLE)
		return;
	bt_saved_head_put(back, &h);
	begin(&s);
	in = bt_str_sub(in, BT_SAVED_HEAD_LEN, in.n);
	for (uint64_t i = 0; bt_saved_frame_get(in, i, h.key_secret, &groups,
				 &took) == BT_SAVED_WHOLE;
	     i++) {
		assert(is_inside(in, groups));
		if (groups.n == 0)
			break;
		take_in(&s, groups, h.tick_ms);
		in = bt_str_sub(in, took, in.n);
	}
	end(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct shard s;

	read_file(in);
	begin(&s);
	take_in(&s, in, 2000);
	check_round(&s);
	end(&s);
	return 0;
}
