/*
 * lanes_check - one kernel of base/lanes held against OpenSSL.
 *
 * Whole inputs and parts of random lengths, 1 to 40 streams, each ending at a
 * page that may not be touched. A failure prints the seed.
 */
#ifndef BT_TESTS_UNIT_LANES_CHECK_H
#define BT_TESTS_UNIT_LANES_CHECK_H

#include "base/lanes.h"
#include "base/rng.h"
#include "edge.h"

#define LANES_STREAMS 40u
#define LANES_ROOM 4096u

struct lanes_check {
	struct bt_lanes lanes;
	enum bt_hash_kind kind;
	size_t digest;		/* bytes */
	struct bt_rng rng;
	struct edge edges[LANES_STREAMS];
	struct bt_str in[LANES_STREAMS];
	uint8_t want[LANES_STREAMS * BT_SHA256_LEN];
	uint8_t got[LANES_STREAMS * BT_SHA256_LEN];
};

static inline void
lanes_check_init(struct lanes_check *c, const struct bt_lanes *l,
    enum bt_hash_kind kind, uint64_t seed)
{
	c->lanes = *l;
	c->kind = kind;
	c->digest = kind == BT_HASH_SHA1 ? BT_SHA1_LEN : BT_SHA256_LEN;
	bt_rng_seed(&c->rng, seed);
	for (unsigned i = 0; i < LANES_STREAMS; i++)
		edge_init(&c->edges[i], LANES_ROOM);
}

static inline void
lanes_check_fini(struct lanes_check *c)
{
	for (unsigned i = 0; i < LANES_STREAMS; i++)
		edge_fini(&c->edges[i]);
}

/* Stream i becomes n random bytes at the edge, and OpenSSL says its digest. */
static inline void
lanes_check_put(struct lanes_check *c, unsigned i, size_t n)
{
	uint8_t bytes[LANES_ROOM];

	bt_rng_fill(&c->rng, bytes, n);
	c->in[i] = edge_put(&c->edges[i], (struct bt_str){ bytes, n });
	if (c->kind == BT_HASH_SHA1)
		bt_hash_sha1(c->in[i], c->want + i * c->digest);
	else
		bt_hash_sha256(c->in[i], c->want + i * c->digest);
}

static inline void
lanes_check_same(const struct lanes_check *c, unsigned n)
{
	assert_memory_equal(c->got, c->want, n * c->digest);
}

/* n streams, whole. */
static inline void
lanes_check_whole(struct lanes_check *c, unsigned n)
{
	memset(c->got, 0, sizeof(c->got));
	bt_lanes_whole(&c->lanes, c->kind, c->in, n, c->got);
	lanes_check_same(c, n);
}

/* n streams in parts of 0 .. most bytes, of different lengths side by side. */
static inline void
lanes_check_parts(struct lanes_check *c, unsigned n, uint32_t most)
{
	struct bt_lane lanes[LANES_STREAMS], *ends[LANES_STREAMS];
	struct bt_lanes_feed f[LANES_STREAMS];
	size_t at[LANES_STREAMS] = { 0 }, left = 1;

	for (unsigned i = 0; i < n; i++) {
		bt_lanes_begin(&lanes[i], c->kind);
		ends[i] = &lanes[i];
	}
	while (left > 0) {
		left = 0;
		for (unsigned i = 0; i < n; i++) {
			size_t part = bt_rng_below(&c->rng, most + 1);

			if (part > c->in[i].n - at[i])
				part = c->in[i].n - at[i];
			f[i] = (struct bt_lanes_feed){ &lanes[i],
				c->in[i].p + at[i], part };
			at[i] += part;
			left += c->in[i].n - at[i];
		}
		bt_lanes_add(&c->lanes, f, n);
	}
	memset(c->got, 0, sizeof(c->got));
	bt_lanes_end(&c->lanes, ends, n, c->got);
	lanes_check_same(c, n);
}

static inline void
lanes_check_random(struct lanes_check *c, unsigned rounds)
{
	for (unsigned k = 0; k < rounds; k++) {
		unsigned n = 1 + k % LANES_STREAMS;
		uint32_t most = 1 + bt_rng_below(&c->rng, LANES_ROOM);

		for (unsigned i = 0; i < n; i++)
			lanes_check_put(
			    c, i, bt_rng_below(&c->rng, most));
		lanes_check_whole(c, n);
		lanes_check_parts(c, n, 1 + bt_rng_below(&c->rng, 300));
	}
}

/* Every length around the edges of blocks and of the padding. */
static inline void
lanes_check_edges(struct lanes_check *c)
{
	size_t n = 0;

	while (n <= 200)
		for (unsigned streams = 1; streams <= 17; streams += 4) {
			for (unsigned i = 0; i < streams; i++)
				lanes_check_put(c, i, n++);
			lanes_check_whole(c, streams);
			lanes_check_parts(c, streams, 70);
		}
}

#endif
