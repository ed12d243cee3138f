#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN

static struct rig_peer *
giver(struct rig *r, unsigned i)
{
	struct rig_peer *p = rig_peer(r, i, true);

	MSG0(r, p, 14);
	MSG0(r, p, 1);
	return p;
}

/* Answer every request that p got; spoil says what each block's first byte is
 * xored with. Returns how many. */
static unsigned
give(struct rig *r, struct rig_peer *p, uint8_t spoil)
{
	struct rig_said m;
	unsigned n = 0;

	while (!p->closed && rig_hear(r, p, &m))
		if (m.id == 6) {
			rig_block(r, p, m.index, m.begin, m.length, spoil);
			n++;
		}
	return n;
}

static void
the_only_giver_of_a_bad_piece_is_banned_at_once(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1);
	struct bt_addr again = rig_addr(1);

	(void)state;
	give(r, p, 1);
	rig_step(r);
	assert_true(p->closed);
	assert_int_equal(rig_logged(r, BT_FX_BAN), 1);
	assert_int_equal(rig_logged(r, BT_FX_PIECE), 0);
	again.port = 1234; /* whatever its port */
	assert_int_equal(bt_torrent_on_accepted(r->t, &again, r->now), 0);
	/* another brings it all */
	p = giver(r, 2);
	give(r, p, 0);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 8 * BLOCK);
	rig_free(r);
}

/* Two share a piece's requests; the first is then the one who spoils. */
static void
of_several_givers_the_spoiler_is_found_and_the_innocent_kept(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, 8 * BLOCK, false, NULL);
	struct rig_peer *bad = giver(r, 1), *good = giver(r, 2);
	struct rig_said m;
	unsigned n = 0;

	(void)state;
	/* four blocks each: window is four at first */
	while (rig_hear(r, bad, &m))
		if (m.id == 6 && n++ < 4)
			rig_block(
			    r, bad, m.index, m.begin, m.length, n == 2 ? 1 : 0);
	r->hold_jobs = true;
	give(r, good, 0);
	give(r, bad, 0);
	rig_disk(r);
	r->hold_jobs = false;
	assert_int_equal(r->stores, 1);
	assert_int_equal(rig_logged(r, BT_FX_PIECE), 0);
	assert_int_equal(rig_logged(r, BT_FX_BAN), 0); /* who was it? */
	for (unsigned i = 0; i < 20 && r->stores < 2; i++) {
		give(r, bad, 0); /* it behaves from now on: too late */
		give(r, good, 0);
		rig_wait(r, BT_MSEC(200));
	}
	rig_step(r);
	assert_int_equal(rig_logged(r, BT_FX_PIECE), 1);
	assert_int_equal(rig_logged(r, BT_FX_BAN), 1);
	assert_true(bad->closed);
	assert_int_equal(r->stores, 2);
	assert_int_equal(bt_torrent_stats(r->t, r->now).wasted, 8 * BLOCK);
	for (unsigned i = 0; i < r->nlog; i++)
		if (r->log[i].kind == BT_FX_BAN)
			assert_true(bt_addr_eq_ip(&r->log[i].addr,
			    &(struct bt_addr){ 4, { 10, 0, 0, 1 }, 0 }));
	rig_free(r);
}

static void
a_piece_that_failed_is_next_asked_of_one_peer_alone(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, 8 * BLOCK, false, NULL);
	struct rig_peer *bad = giver(r, 1), *good = giver(r, 2);
	unsigned a, b;

	(void)state;
	r->hold_jobs = true;
	a = 0;
	while (a < 8)
		a += give(r, bad, 1) + give(r, good, 0);
	r->hold_jobs = false;
	rig_wait(r, BT_MSEC(200));
	a = rig_count(r, bad, 6);
	b = rig_count(r, good, 6);
	assert_true((a == 0) != (b == 0));
	rig_free(r);
}

static void
a_piece_that_failed_is_asked_of_who_gave_before(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, 8 * BLOCK, false, NULL);
	struct rig_peer *idle = rig_peer(r, 3, true);
	struct rig_peer *bad = giver(r, 1), *good = giver(r, 2);
	unsigned n = 0;

	(void)state;
	MSG0(r, idle, 14);
	r->hold_jobs = true;
	while (n < 8)
		n += give(r, bad, 1) + give(r, good, 0);
	MSG0(r, idle, 1); /* it unchokes, and has given nothing yet */
	r->hold_jobs = false;
	rig_wait(r, BT_MSEC(200));
	assert_int_equal(rig_count(r, idle, 6), 0);
	assert_int_not_equal(rig_count(r, bad, 6) + rig_count(r, good, 6), 0);
	/* when no such peer is left, it gets its chance */
	bt_torrent_on_closed(r->t, bad->slot, r->now);
	bt_torrent_on_closed(r->t, good->slot, r->now);
	rig_wait(r, BT_MSEC(200));
	assert_int_not_equal(rig_count(r, idle, 6), 0);
	rig_free(r);
}

static void
a_piece_whose_owner_dies_is_open_to_all(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, 8 * BLOCK, false, NULL);
	struct rig_peer *p[2] = { giver(r, 1), giver(r, 2) };
	unsigned n[2], owner;

	(void)state;
	r->hold_jobs = true;
	n[0] = 0;
	while (n[0] < 8)
		n[0] += give(r, p[0], 1) + give(r, p[1], 0);
	r->hold_jobs = false;
	rig_wait(r, BT_MSEC(200));
	n[0] = rig_count(r, p[0], 6);
	n[1] = rig_count(r, p[1], 6);
	owner = n[0] == 0;
	bt_torrent_on_closed(r->t, p[owner]->slot, r->now);
	rig_wait(r, BT_MSEC(200));
	assert_int_not_equal(give(r, p[!owner], 0), 0);
	rig_free(r);
}

/* What was cancelled at one may still come while another owns the piece. */
static void
a_late_block_is_not_mixed_into_a_piece_on_parole(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, 8 * BLOCK, false, NULL);
	struct rig_peer *x = giver(r, 1), *y = giver(r, 2);
	struct rig_said m, late = { .id = -1 };
	unsigned n = 0;

	(void)state;
	rig_step(r);
	r->hold_jobs = true;
	while (n < 2) { /* y gives one of its four and sits on the others */
		assert_true(rig_hear(r, y, &m));
		if (m.id != 6)
			continue;
		late = m;
		if (n++ == 0)
			rig_block(r, y, 0, m.begin, BLOCK, 1);
	}
	give(r, x, 0);
	rig_wait(r, BT_SEC(2));
	give(r, x, 0); /* endgame */
	assert_int_equal(r->stores, 1);
	r->hold_jobs = false;
	rig_wait(r, BT_MSEC(200));
	assert_int_not_equal(x->nout, 0); /* the owner */
	rig_block(r, y, 0, late.begin, BLOCK, 0);
	rig_step(r);
	assert_int_equal(bt_torrent_stats(r->t, r->now).wasted, 9 * BLOCK);
	give(r, x, 0);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_true(y->closed);
	assert_false(x->closed && rig_logged(r, BT_FX_BAN) != 1);
	rig_free(r);
}

/* A liar among many: every piece that it touches fails, and all still ends. */
static void
a_swarm_with_a_liar_finishes_and_bans_the_liar_alone(void **state)
{
	struct rig *r = rig_new(64 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		p[i] = giver(r, i + 1);
	for (unsigned i = 0; i < 200; i++) {
		struct rig_said m;

		for (unsigned j = 0; j < 4; j++) /* a block each in turn */
			while (!p[j]->closed && rig_hear(r, p[j], &m))
				if (m.id == 6) {
					rig_block(r, p[j], m.index, m.begin,
					    m.length, j == 2);
					break;
				}
		rig_wait(r, BT_MSEC(10));
	}
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 64 * BLOCK);
	assert_int_equal(rig_logged(r, BT_FX_BAN), 1);
	for (unsigned i = 0; i < r->nlog; i++)
		if (r->log[i].kind == BT_FX_BAN)
			assert_int_equal(r->log[i].addr.ip[3], 3);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_only_giver_of_a_bad_piece_is_banned_at_once),
		cmocka_unit_test(
		    of_several_givers_the_spoiler_is_found_and_the_innocent_kept),
		cmocka_unit_test(
		    a_piece_that_failed_is_next_asked_of_one_peer_alone),
		cmocka_unit_test(
		    a_piece_that_failed_is_asked_of_who_gave_before),
		cmocka_unit_test(a_piece_whose_owner_dies_is_open_to_all),
		cmocka_unit_test(
		    a_late_block_is_not_mixed_into_a_piece_on_parole),
		cmocka_unit_test(
		    a_swarm_with_a_liar_finishes_and_bans_the_liar_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
