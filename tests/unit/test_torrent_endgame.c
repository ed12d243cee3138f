#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN

static struct rig_peer *
seed(struct rig *r, unsigned i, bool fast)
{
	struct rig_peer *p = rig_peer(r, i, fast);
	uint8_t b[] = { 0, 0, 0, 2, 5, 0x80 };

	if (fast)
		MSG0(r, p, 14);
	else
		rig_raw(r, p, b, sizeof(b));
	MSG0(r, p, 1);
	return p;
}

/* Torrents of one piece; the first peer is asked for all of its blocks. */
static void
the_last_blocks_are_asked_twice_only_when_they_are_late(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *slow = seed(r, 1, false), *q;

	(void)state;
	assert_int_equal(rig_count(r, slow, 6), 4);
	q = seed(r, 2, false);
	rig_wait(r, BT_MSEC(300));
	assert_int_equal(rig_count(r, q, 6), 0);
	rig_wait(r, BT_SEC(1));
	assert_int_equal(rig_count(r, q, 6), 4);
	rig_free(r);
}

static void
the_loser_gets_a_cancel(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *slow = seed(r, 1, false), *q;
	struct rig_said m;

	(void)state;
	assert_int_equal(rig_count(r, slow, 6), 4);
	q = seed(r, 2, false);
	rig_wait(r, BT_SEC(1));
	assert_true(rig_hear(r, q, &m));
	while (m.id != 6)
		assert_true(rig_hear(r, q, &m));
	rig_block(r, q, 0, m.begin, BLOCK, 0);
	{
		struct rig_said c;

		assert_true(rig_hear(r, slow, &c));
		assert_int_equal(c.id, 8);
		assert_int_equal(c.index, 0);
		assert_int_equal(c.begin, m.begin);
		assert_int_equal(c.length, BLOCK);
	}
	/* the block that was on its way all the same does no harm */
	rig_block(r, slow, 0, m.begin, BLOCK, 0);
	rig_step(r);
	assert_false(slow->closed);
	assert_int_equal(bt_torrent_stats(r->t, r->now).wasted, BLOCK);
	rig_free(r);
}

static void
a_block_is_never_asked_of_more_than_three(void **state)
{
	struct rig *r = rig_new(2 * BLOCK, 2 * BLOCK, false, NULL);
	struct rig_peer *p[8];
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		p[i] = seed(r, i + 1, i % 2 == 0);
	rig_wait(r, BT_SEC(20));
	for (unsigned i = 0; i < 8; i++) {
		unsigned k = rig_count(r, p[i], 6);

		assert_in_range(k, 0, 2);
		n += k;
	}
	assert_in_range(n, 4, 6);
	rig_free(r);
}

static void
few_blocks_at_a_time_are_asked_twice_of_one_peer(void **state)
{
	struct rig *r = rig_new(24 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p;
	struct rig_said m;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) { /* each sits on its own piece */
		p = rig_peer(r, i + 1, false);
		MSG(r, p, 4, i);
		MSG0(r, p, 1);
		assert_int_equal(rig_count(r, p, 6), 4);
	}
	p = rig_peer(r, 7, true);
	MSG0(r, p, 14);
	MSG0(r, p, 1);
	rig_wait(r, BT_SEC(1));
	for (unsigned i = 0; i < 12; i++) { /* it could take many more */
		while (rig_hear(r, p, &m) && m.id != 6)
			;
		assert_int_equal(m.id, 6);
		rig_block(r, p, m.index, m.begin, BLOCK, 0);
	}
	assert_int_equal(rig_count(r, p, 6), 8);
	rig_free(r);
}

/* The first half of block `begin` from p, its bytes spoiled if xor is not 0. */
static void
half(struct rig *r, struct rig_peer *p, uint32_t begin, uint8_t xor)
{
	uint8_t b[13 + 8000];

	bt_put_be32(b, 9 + BLOCK);
	b[4] = 7;
	bt_put_be32(b + 5, 0);
	bt_put_be32(b + 9, begin);
	memcpy(b + 13, r->content + begin, 8000);
	for (unsigned i = 0; i < 8000; i++)
		b[13 + i] ^= xor;
	rig_raw(r, p, b, sizeof(b));
}

static void
rest(struct rig *r, struct rig_peer *p, uint32_t begin, uint8_t xor)
{
	uint8_t b[BLOCK - 8000];

	memcpy(b, r->content + begin + 8000, sizeof(b));
	for (unsigned i = 0; i < sizeof(b); i++)
		b[i] ^= xor;
	rig_raw(r, p, b, sizeof(b));
}

/* Two bring the same block at once. xor spoils what the slow one brings. */
static void
race(bool slow_begins, bool slow_ends, bool slow_dies)
{
	struct rig *r = rig_new(2 * BLOCK, 2 * BLOCK, false, NULL);
	struct rig_peer *slow = seed(r, 1, false), *q;

	rig_step(r);
	q = seed(r, 2, true);
	rig_wait(r, BT_SEC(2));
	if (slow_begins)
		half(r, slow, 0, 0xff);
	half(r, q, 0, 0);
	if (!slow_begins)
		half(r, slow, 0, 0xff);
	if (slow_dies)
		bt_torrent_on_closed(r->t, slow->slot, r->now);
	rest(r, q, 0, 0);
	rig_step(r);
	if (slow_ends && !slow_dies)
		rest(r, slow, 0, 0xff);
	rig_block(r, q, 0, BLOCK, BLOCK, 0);
	rig_step(r);
	/* the winner's bytes are whole, whatever came of the other */
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_int_equal(rig_logged(r, BT_FX_BAN), 0);
	assert_memory_equal(r->disk, r->content, 2 * BLOCK);
	rig_free(r);
}

static void
two_bringing_one_block_do_not_mix_their_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		race(i & 1, i & 2, i & 4);
}

static void
a_fast_peer_cancelled_answers_and_all_is_well(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *slow = seed(r, 1, true), *q;
	struct rig_said m;

	(void)state;
	rig_count(r, slow, 6);
	q = seed(r, 2, true);
	rig_wait(r, BT_SEC(1));
	while (rig_hear(r, q, &m))
		if (m.id == 6)
			rig_block(r, q, 0, m.begin, BLOCK, 0);
	for (unsigned i = 0; i < 2; i++) /* BEP 6: a reject, or the block */
		MSG(r, slow, 16, 0, i * BLOCK, BLOCK);
	rig_block(r, slow, 0, 2 * BLOCK, BLOCK, 0);
	rig_step(r);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_last_blocks_are_asked_twice_only_when_they_are_late),
		cmocka_unit_test(the_loser_gets_a_cancel),
		cmocka_unit_test(a_block_is_never_asked_of_more_than_three),
		cmocka_unit_test(
		    few_blocks_at_a_time_are_asked_twice_of_one_peer),
		cmocka_unit_test(two_bringing_one_block_do_not_mix_their_bytes),
		cmocka_unit_test(a_fast_peer_cancelled_answers_and_all_is_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
