/*
 * picker_rig - swarms drawn as strings, and what a picker asks of them.
 *
 * Used by  tests/unit/test_picker.c, tests/unit/test_picker_order.c
 */
#ifndef BT_TESTS_PICKER_RIG_H
#define BT_TESTS_PICKER_RIG_H

#include <string.h>

#include "codec/wire.h"
#include "core/picker.h"

#define BLOCKS 4u /* in a piece of the drawn swarms */
#define PEERS 9u
#define SEED 7u

/*
 * A swarm drawn as "3 1 1 0": how many peers have each piece. Peer k has the
 * pieces whose number is over k; peer SEED has all and is not counted.
 * "x" instead of a number is a piece that we have already.
 */
struct swarm {
	struct bt_layout layout;
	struct bt_picker *p;
	struct bt_bits peer[PEERS], all;
};

static inline void
open_swarm(struct swarm *s, uint32_t pieces, uint32_t blocks, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->layout.piece_length = blocks * BT_BLOCK_LEN;
	s->layout.pieces = pieces;
	s->layout.size = (uint64_t)pieces * s->layout.piece_length;
	s->p = bt_picker_new(&s->layout, seed);
	bt_bits_init(&s->all, pieces);
	bt_bits_fill(&s->all, true);
	for (uint32_t i = 0; i < PEERS; i++)
		bt_bits_init(&s->peer[i], pieces);
	for (uint32_t i = 0; i < pieces; i++)
		bt_picker_want(s->p, i, true);
}

static inline void
draw_swarm(struct swarm *s, const char *drawing, uint64_t seed)
{
	uint32_t pieces = (uint32_t)(strlen(drawing) + 1) / 2;

	open_swarm(s, pieces, BLOCKS, seed);
	for (uint32_t i = 0; i < pieces; i++) {
		if (drawing[2 * i] == 'x') {
			bt_picker_done(s->p, i);
			continue;
		}
		for (int k = 0; k < drawing[2 * i] - '0'; k++)
			(void)bt_bits_put(&s->peer[k], i);
	}
	for (uint32_t k = 0; k < PEERS; k++)
		bt_picker_peer_bits(s->p, &s->peer[k], 1);
}

static inline void
close_swarm(struct swarm *s)
{
	assert_true(bt_picker_check(s->p));
	bt_picker_free(s->p);
	bt_bits_fini(&s->all);
	for (uint32_t i = 0; i < PEERS; i++)
		bt_bits_fini(&s->peer[i]);
}

static inline bool
try_pick(struct swarm *s, uint32_t who, const struct bt_bits *have,
    struct bt_pick *b)
{
	bool dup, ok = bt_picker_pick(s->p, who, have, NULL, true, b, &dup);

	assert_true(bt_picker_check(s->p));
	return ok;
}

/* A pick that must succeed, and be the only request for its block. */
static inline struct bt_pick
pick(struct swarm *s, uint32_t who)
{
	const struct bt_bits *have = who < SEED ? &s->peer[who] : &s->all;
	struct bt_pick b = { 0, 0 };
	bool dup = true;

	assert_true(bt_picker_pick(s->p, who, have, NULL, true, &b, &dup));
	assert_false(dup);
	return b;
}

static inline bool
got(struct swarm *s, uint32_t who, struct bt_pick b)
{
	uint32_t others[BT_PICK_DUP_MAX], n;
	bool news = bt_picker_got(s->p, who, b, others, BT_PICK_DUP_MAX, &n);

	assert_true(bt_picker_check(s->p));
	return news;
}

#endif
