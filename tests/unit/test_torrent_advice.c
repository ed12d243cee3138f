#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN
#define PIECES 60u

static struct rig_peer *
taker(struct rig *r, unsigned i)
{
	struct rig_peer *p = rig_peer(r, i, true);

	MSG0(r, p, 15);
	return p;
}

/* Takers 1 .. n, of whom the first came before the others. */
static struct rig *
open_seed(unsigned n, struct rig_peer **p)
{
	struct bt_torrent_conf c = rig_conf();
	struct rig *r;

	c.slots = 8;
	r = rig_new((uint64_t)PIECES * BLOCK, BLOCK, true, &c);
	for (unsigned i = 0; i < n; i++)
		p[i] = taker(r, i + 1);
	for (unsigned i = 0; i < n; i++)
		MSG0(r, p[i], 2);
	return r;
}

/* What p is told: pieces suggested, counted in told; 1: unchoked at the end. */
static unsigned
suggestions(struct rig *r, struct rig_peer *p, unsigned *told, bool *unchoked)
{
	struct rig_said m;
	unsigned n = 0;

	*unchoked = false;
	while (rig_hear(r, p, &m)) {
		if (m.id == 13) {
			assert_false(*unchoked);
			told[m.index]++;
			n++;
		}
		*unchoked = *unchoked || m.id == 1;
	}
	return n;
}

static void
no_piece_is_promised_twice_while_another_is_not_once(void **state)
{
	struct rig_peer *p[5];
	struct rig *r = open_seed(5, p);
	unsigned told[PIECES] = { 0 };
	bool unchoked;

	(void)state;
	rig_wait(r, BT_MSEC(500));
	for (unsigned i = 1; i < 5; i++) {
		assert_in_range(suggestions(r, p[i], told, &unchoked), 8, 12);
		assert_true(unchoked); /* and heard of them before */
	}
	for (unsigned i = 0; i < PIECES; i++)
		assert_in_range(told[i], 0, 1);
	rig_free(r);
}

static void
who_asks_is_told_of_the_next(void **state)
{
	struct rig_peer *p[3];
	struct rig *r = open_seed(3, p);
	unsigned told[PIECES] = { 0 }, n, at = 0;
	bool unchoked, asked[PIECES] = { 0 };

	(void)state;
	rig_wait(r, BT_MSEC(500));
	n = suggestions(r, p[1], told, &unchoked);
	for (unsigned k = 0; k < 10; k++) {
		for (at = 0; at < PIECES && (told[at] == 0 || asked[at]); at++)
			;
		asked[at] = true;
		MSG(r, p[1], 6, at, 0, BLOCK);
		n += suggestions(r, p[1], told, &unchoked);
		MSG(r, p[1], 4, at);
	}
	assert_in_range(n, 18, 22);
	for (unsigned i = 0; i < PIECES; i++)
		assert_in_range(told[i], 0, 1);
	rig_free(r);
}

static void
one_leech_alone_is_told_nothing(void **state)
{
	struct rig_peer *p[1];
	struct rig *r = open_seed(1, p);
	unsigned told[PIECES] = { 0 };
	bool unchoked;

	(void)state;
	rig_wait(r, BT_SEC(30));
	assert_int_equal(suggestions(r, p[0], told, &unchoked), 0);
	assert_true(unchoked);
	rig_free(r);
}

static void
a_promise_to_who_leaves_is_given_to_others(void **state)
{
	struct rig_peer *p[3], *q;
	struct rig *r = open_seed(3, p);
	unsigned told[PIECES] = { 0 }, more[PIECES] = { 0 };
	bool unchoked;

	(void)state;
	rig_wait(r, BT_MSEC(500));
	suggestions(r, p[1], told, &unchoked);
	suggestions(r, p[2], more, &unchoked);
	/* all but what the first was promised is had by the other */
	for (uint32_t i = 0; i < PIECES; i++)
		if (told[i] == 0)
			MSG(r, p[2], 4, i);
	bt_torrent_on_closed(r->t, p[1]->slot, r->now);
	rig_wait(r, BT_MSEC(500));
	q = taker(r, 9);
	MSG0(r, q, 2);
	rig_wait(r, BT_MSEC(500));
	memset(more, 0, sizeof(more));
	assert_in_range(suggestions(r, q, more, &unchoked), 8, 12);
	for (unsigned i = 0; i < PIECES; i++)
		assert_true(more[i] <= told[i]);
	rig_free(r);
}

static void
rarer_pieces_are_promised_first(void **state)
{
	struct rig_peer *p[3];
	struct rig *r = open_seed(3, p);
	unsigned told[PIECES] = { 0 }, more[PIECES] = { 0 }, at = 0;
	bool unchoked;

	(void)state;
	rig_wait(r, BT_MSEC(500));
	for (uint32_t i = 0; i < PIECES; i++)
		if (i != 31)
			MSG(r, p[0], 4, i);
	suggestions(r, p[1], told, &unchoked);
	suggestions(r, p[2], more, &unchoked);
	if (told[31] + more[31] == 0) { /* then it is the next */
		while (told[at] == 0)
			at++;
		MSG(r, p[1], 6, at, 0, BLOCK);
		assert_int_equal(suggestions(r, p[1], told, &unchoked), 1);
		assert_int_equal(told[31], 1);
	}
	rig_free(r);
}

static void
what_a_peer_suggests_is_begun_first_in_its_order(void **state)
{
	static const uint32_t order[] = { 55, 3, 41, 7 };
	struct rig *r = rig_new(80 * 2 * BLOCK, 2 * BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);
	struct rig_said m;

	(void)state;
	MSG0(r, p, 14);
	for (unsigned i = 0; i < 4; i++)
		MSG(r, p, 13, order[i]);
	rig_count(r, p, -1);
	MSG0(r, p, 1);
	for (unsigned i = 0; i < 4; i++) { /* two blocks of each; 4 are out */
		assert_true(rig_hear(r, p, &m));
		assert_int_equal(m.id, 6);
		assert_int_equal(m.index, order[i / 2]);
		assert_int_equal(m.begin, i % 2 * BLOCK);
	}
	rig_free(r);
}

static void
a_choke_ends_what_was_suggested(void **state)
{
	struct rig *r = rig_new(4000 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);
	struct rig_said m;
	unsigned n = 0;

	(void)state;
	MSG0(r, p, 14);
	for (uint32_t i = 0; i < 20; i++)
		MSG(r, p, 13, i);
	MSG0(r, p, 1);
	MSG0(r, p, 0);
	rig_count(r, p, -1);
	rig_wait(r, BT_SEC(3));
	MSG0(r, p, 1);
	while (rig_hear(r, p, &m))
		n += m.id == 6 && m.index < 20;
	/* but for what was begun and then given up */
	assert_in_range(n, 0, 4);
	rig_free(r);
}

static void
a_seed_hears_what_is_had_within_a_second(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true), *q = rig_peer(r, 2, true);

	(void)state;
	MSG0(r, p, 14);
	MSG0(r, q, 14);
	MSG0(r, p, 1);
	rig_count(r, q, -1);
	rig_count(r, p, -1);
	rig_block(r, p, 0, 0, BLOCK, 0);
	rig_wait(r, BT_SEC(1));
	assert_int_equal(rig_count(r, q, 4), 1);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    no_piece_is_promised_twice_while_another_is_not_once),
		cmocka_unit_test(who_asks_is_told_of_the_next),
		cmocka_unit_test(one_leech_alone_is_told_nothing),
		cmocka_unit_test(a_promise_to_who_leaves_is_given_to_others),
		cmocka_unit_test(rarer_pieces_are_promised_first),
		cmocka_unit_test(
		    what_a_peer_suggests_is_begun_first_in_its_order),
		cmocka_unit_test(a_choke_ends_what_was_suggested),
		cmocka_unit_test(a_seed_hears_what_is_had_within_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
