#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN

/* A seed with one slot's worth of conf, and a leech that is interested. */
static struct rig_peer *
taker(struct rig *r, unsigned i, bool fast)
{
	struct rig_peer *p = rig_peer(r, i, fast);

	if (fast)
		MSG0(r, p, 15);
	MSG0(r, p, 2);
	return p;
}

static void
an_interested_peer_is_unchoked_at_once_when_there_is_room(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = rig_peer(r, 1, false);

	(void)state;
	rig_wait(r, BT_SEC(3));
	assert_int_equal(rig_count(r, p, 1), 0);
	MSG0(r, p, 2);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, p, 1), 1);
	rig_free(r);
}

/* Whoever comes just after another waits for no timer that the other began. */
static void
peers_that_come_one_after_the_other_are_unchoked_at_once(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p;

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		p = taker(r, i, true);
		rig_wait(r, BT_MSEC(1));
		assert_int_equal(rig_count(r, p, 1), 1);
		bt_torrent_on_closed(r->t, p->slot, r->now);
		rig_step(r);
	}
	rig_free(r);
}

/*
 * Nor for the pause that going through a crowd of idle peers has after it: when
 * a peer leaves that nobody waits behind there is nothing to go through.
 */
static void
who_comes_amid_a_crowd_after_another_left_is_unchoked_at_once(void **state)
{
	struct bt_torrent_conf c = rig_conf();
	struct rig_peer *p;
	struct rig *r;

	(void)state;
	c.peers_max = RIG_PEERS;
	r = rig_new(40 * BLOCK, BLOCK, true, &c);
	for (unsigned i = 1; i <= 55; i++)
		rig_peer(r, i, true);
	rig_wait(r, BT_SEC(3));
	for (unsigned i = 1; i <= 4; i++) {
		p = taker(r, 55 + i, true);
		rig_wait(r, BT_MSEC(1));
		assert_int_equal(rig_count(r, p, 1), 1);
		rig_wait(r, BT_MSEC(300));
		bt_torrent_on_closed(r->t, p->slot, r->now);
		rig_step(r);
	}
	rig_free(r);
}

static void
a_slot_that_frees_goes_to_the_next_at_once(void **state)
{
	struct bt_torrent_conf c = rig_conf();
	struct rig_peer *p, *q;
	struct rig *r;

	(void)state;
	c.slots = 1;
	r = rig_new(40 * BLOCK, BLOCK, true, &c);
	p = taker(r, 1, false);
	rig_wait(r, BT_SEC(1));
	assert_int_equal(rig_count(r, p, 1), 1);
	p->deaf = true;
	MSG(r, p, 6, 0, 0, BLOCK);
	q = taker(r, 2, false);
	rig_wait(r, BT_SEC(2));
	assert_int_equal(rig_count(r, q, 1), 0);
	bt_torrent_on_closed(r->t, p->slot, r->now);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, q, 1), 1);
	rig_free(r);
}

static struct rig *
one_slot(struct rig_peer **p, struct rig_peer **q)
{
	struct bt_torrent_conf c = rig_conf();
	struct rig *r;

	c.slots = 1;
	r = rig_new(40 * BLOCK, BLOCK, true, &c);
	*p = taker(r, 1, false);
	rig_wait(r, BT_MSEC(500));
	assert_int_equal(rig_count(r, *p, 1), 1);
	MSG(r, *p, 6, 0, 0, BLOCK);
	*q = taker(r, 2, false);
	rig_wait(r, BT_MSEC(500));
	assert_int_equal(rig_count(r, *q, 1), 0);
	return r;
}

static void
a_slot_whose_peer_asks_for_nothing_goes_to_another(void **state)
{
	struct rig_peer *p, *q;
	struct rig *r = one_slot(&p, &q);

	(void)state;
	rig_wait(r, BT_SEC(3));
	assert_int_equal(rig_count(r, q, 1), 1);
	assert_int_equal(rig_count(r, p, 0), 0); /* and it may ask again */
	rig_free(r);
}

static void
a_slot_whose_peer_loses_interest_goes_to_another_at_once(void **state)
{
	struct rig_peer *p, *q;
	struct rig *r = one_slot(&p, &q);

	(void)state;
	MSG0(r, p, 3);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, q, 1), 1);
	assert_int_equal(rig_count(r, p, 0), 1);
	rig_free(r);
}

static void
a_request_is_served_with_the_very_bytes(void **state)
{
	struct rig *r = rig_new(40 * BLOCK + 5, 4 * BLOCK, true, NULL);
	struct rig_peer *p = taker(r, 1, false);
	struct rig_said m;

	(void)state;
	rig_wait(r, BT_MSEC(100));
	rig_count(r, p, -1);
	MSG(r, p, 6, 10, 0, 5); /* the short last piece */
	MSG(r, p, 6, 3, 100, 300);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 7);
	assert_int_equal(m.nbody, 5);
	assert_memory_equal(m.body, r->content + 40 * BLOCK, 5);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.begin, 100);
	assert_memory_equal(m.body, r->content + 12 * BLOCK + 100, 300);
	assert_int_equal(bt_torrent_stats(r->t, r->now).up, 305);
	rig_free(r);
}

/* What the torrent answers to one request of a fast or plain unchoked peer:
 * a message id, -1 for silence, -2 for a close. */
static int
answer(bool seed, bool fast, bool choked, uint32_t piece, uint32_t begin,
    uint32_t len)
{
	struct rig *r = rig_new(39 * 16 * BLOCK + 7, 16 * BLOCK, seed, NULL);
	struct rig_peer *p = rig_peer(r, 1, fast);
	struct rig_said m;
	int id;

	if (!choked)
		MSG0(r, p, 2);
	rig_wait(r, BT_SEC(1));
	rig_count(r, p, -1);
	MSG(r, p, 6, piece, begin, len);
	rig_hear(r, p, &m);
	id = p->closed ? -2 : m.id;
	rig_free(r);
	return id;
}

static void
requests_that_cannot_be_served_are_rejected_or_ignored(void **state)
{
	uint32_t k128 = 131072;

	(void)state;
	assert_int_equal(answer(true, true, false, 1, 0, k128), 7);
	assert_int_equal(answer(true, true, false, 1, 0, k128 + 1), 16);
	assert_int_equal(answer(true, false, false, 1, 0, k128 + 1), -1);
	/* beyond the piece, and with sums that wrap */
	assert_int_equal(answer(true, true, false, 1, 16 * BLOCK, 1), 16);
	assert_int_equal(answer(true, false, false, 39, 0, 8), -1);
	assert_int_equal(answer(true, true, false, 39, 0xffffffff, 8), 16);
	assert_int_equal(answer(true, true, false, 39, 4, 0xffffffff), 16);
	assert_int_equal(answer(true, true, false, 39, 0, 7), 7);
	/* while choked */
	assert_int_equal(answer(true, true, true, 1, 0, BLOCK), 16);
	assert_int_equal(answer(true, false, true, 1, 0, BLOCK), -1);
	/* pieces that we lack */
	assert_int_equal(answer(false, true, false, 1, 0, BLOCK), 16);
	assert_int_equal(answer(false, false, false, 1, 0, BLOCK), -1);
	/* no such piece, or nothing at all */
	assert_int_equal(answer(true, true, false, 40, 0, BLOCK), -2);
	assert_int_equal(answer(true, false, false, 1, 0, 0), -2);
}

static void
asking_for_ever_while_choked_ends_the_connection(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = rig_peer(r, 1, false);

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		MSG(r, p, 6, 1, 0, BLOCK);
	assert_false(p->closed);
	for (unsigned i = 0; i < 2000 && !p->closed; i++)
		MSG(r, p, 6, 1, 0, BLOCK);
	assert_true(p->closed);
	rig_free(r);
}

static void
the_queue_of_requests_ends_at_what_we_said(void **state)
{
	struct rig *r = rig_new(600 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = taker(r, 1, true);
	struct rig_said m;
	unsigned served = 0, rejected = 0;

	(void)state;
	rig_wait(r, BT_MSEC(100));
	rig_count(r, p, -1);
	p->deaf = true;
	for (uint32_t i = 0; i < 510; i++)
		MSG(r, p, 6, i, 0, BLOCK);
	p->deaf = false;
	while (rig_hear(r, p, &m)) {
		served += m.id == 7;
		rejected += m.id == 16;
	}
	assert_int_equal(served, 500);
	assert_int_equal(rejected, 10);
	rig_free(r);
}

static void
a_peer_that_asks_and_does_not_read_is_closed(void **state)
{
	struct bt_torrent_conf c = rig_conf();
	struct rig_peer *p;
	struct rig *r;

	(void)state;
	r = rig_new(40 * BLOCK, BLOCK, true, &c);
	p = taker(r, 1, true);
	rig_wait(r, BT_MSEC(100));
	p->deaf = true;
	for (unsigned i = 0; i < 500; i++)
		MSG(r, p, 6, 1, 0, BLOCK);
	for (unsigned i = 0; i < 100000 && !p->closed; i++)
		MSG(r, p, 6, 1, 0, BLOCK); /* each brings a reject */
	assert_true(p->closed);
	rig_free(r);
}

static void
a_block_whose_first_byte_went_is_finished(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = taker(r, 1, true);
	struct rig_said m;
	struct bt_tx tx;

	(void)state;
	rig_wait(r, BT_MSEC(100));
	rig_count(r, p, -1);
	p->deaf = true;
	MSG(r, p, 6, 1, 0, BLOCK);
	MSG(r, p, 6, 2, 0, BLOCK);
	rig_send(r, p, 1); /* one byte of the header */
	MSG(r, p, 8, 1, 0, BLOCK);
	MSG(r, p, 8, 2, 0, BLOCK);
	/* the rest of the block comes before the reject */
	assert_true(bt_torrent_tx(r->t, p->slot, &tx, r->now));
	assert_int_equal(tx.nblocks, 1);
	assert_int_equal(tx.blocks[0].skip, 1);
	assert_int_equal(tx.head.n, 17);
	bt_torrent_tx_done(r->t, p->slot, 0, r->now);
	p->deaf = false;
	p->wants_send = true;
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 7);
	assert_int_equal(m.index, 1);
	assert_memory_equal(m.body, r->content + BLOCK, 512);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 16);
	assert_int_equal(m.index, 2);
	assert_false(rig_hear(r, p, &m));
	rig_free(r);
}

static void
control_goes_before_blocks_that_have_not_begun(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = taker(r, 1, true);
	struct rig_said m;

	(void)state;
	rig_wait(r, BT_MSEC(100));
	rig_count(r, p, -1);
	p->deaf = true;
	MSG(r, p, 6, 1, 0, BLOCK);
	MSG(r, p, 6, 2, 0, 131073); /* brings a reject */
	p->deaf = false;
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 16);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 7);
	rig_free(r);
}

static void
control_is_told_of_though_blocks_wait(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, 4 * BLOCK, true, NULL);
	struct rig_peer *p = taker(r, 1, true);

	(void)state;
	rig_wait(r, BT_MSEC(100));
	p->deaf = true; /* its blocks wait, as under a limit */
	MSG(r, p, 6, 0, 0, BLOCK);
	rig_step(r);
	assert_true(p->wants_send);
	p->wants_send = false;
	MSG(r, p, 6, 1, 0, BLOCK);
	rig_step(r);
	assert_false(p->wants_send);
	MSG(r, p, 6, 0, 0, 131073); /* rejected */
	rig_step(r);
	assert_true(p->wants_send);
	rig_free(r);
}

static void
sending_in_any_slices_gives_the_same_bytes(void **state)
{
	size_t slices[] = { 1, 13, 14, 1000, 16384, 100000 };
	uint8_t *whole = NULL;
	size_t nwhole = 0;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
		struct rig_peer *p = taker(r, 1, true);

		rig_wait(r, BT_MSEC(100));
		p->deaf = true;
		for (uint32_t j = 0; j < 20; j++)
			MSG(r, p, 6, 39 - j, 1, BLOCK - 1);
		p->deaf = false;
		while (p->wants_send) {
			bool more;
			struct bt_tx tx;

			rig_send(r, p, slices[i]);
			more = bt_torrent_tx(r->t, p->slot, &tx, r->now);
			p->wants_send = more;
		}
		if (whole == NULL) {
			nwhole = p->nout;
			whole = bt_mem_dup(p->out, p->nout);
		}
		assert_int_equal(p->nout, nwhole);
		assert_memory_equal(p->out, whole, nwhole);
		assert_int_equal(
		    bt_torrent_stats(r->t, r->now).up, 20 * (BLOCK - 1));
		rig_free(r);
	}
	bt_mem_free(whole);
}

static void
an_unreadable_piece_is_offered_no_more(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = taker(r, 1, true), *q;
	struct rig_said m;

	(void)state;
	rig_wait(r, BT_MSEC(100));
	rig_count(r, p, -1);
	p->deaf = true;
	MSG(r, p, 6, 1, 0, BLOCK);
	MSG(r, p, 6, 2, 0, BLOCK);
	bt_torrent_on_unreadable(r->t, 1, r->now);
	p->deaf = false;
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 16);
	assert_int_equal(m.index, 1);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 7);
	/* and who comes later is told of the others alone */
	q = rig_accept(r, 2);
	rig_hello(r, q, 'q', true, false);
	rig_hear_hello(r, q);
	assert_true(rig_hear(r, q, &m));
	assert_int_equal(m.id, 5);
	assert_memory_equal(m.body, "\xbf\xff\xff\xff\xff", 5);
	rig_free(r);
}

static void
half_a_block_that_cannot_be_read_on_ends_the_connection(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = taker(r, 1, true);

	(void)state;
	rig_wait(r, BT_MSEC(100));
	p->deaf = true;
	rig_count(r, p, -1);
	MSG(r, p, 6, 1, 0, BLOCK);
	rig_send(r, p, 100);
	bt_torrent_on_unreadable(r->t, 1, r->now);
	rig_drain(r);
	assert_true(p->closed);
	rig_free(r);
}

static void
seeds_and_upload_only_peers_part(void **state)
{
	struct rig *r = rig_new(40 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = rig_peer(r, 1, true), *q, *n;

	(void)state;
	MSG0(r, p, 14);
	assert_true(p->closed);
	q = rig_accept(r, 2);
	rig_hello(r, q, 'q', true, true);
	MSG0(r, q, 15);
	RAW(r, q, "\0\0\0\025\024\0d11:upload_onlyi1ee");
	assert_true(q->closed);
	n = rig_peer(r, 3, true);
	MSG0(r, n, 15);
	rig_wait(r, BT_SEC(60));
	assert_false(n->closed);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_interested_peer_is_unchoked_at_once_when_there_is_room),
		cmocka_unit_test(
		    peers_that_come_one_after_the_other_are_unchoked_at_once),
		cmocka_unit_test(
		    who_comes_amid_a_crowd_after_another_left_is_unchoked_at_once),
		cmocka_unit_test(a_slot_that_frees_goes_to_the_next_at_once),
		cmocka_unit_test(
		    a_slot_whose_peer_asks_for_nothing_goes_to_another),
		cmocka_unit_test(
		    a_slot_whose_peer_loses_interest_goes_to_another_at_once),
		cmocka_unit_test(a_request_is_served_with_the_very_bytes),
		cmocka_unit_test(
		    requests_that_cannot_be_served_are_rejected_or_ignored),
		cmocka_unit_test(
		    asking_for_ever_while_choked_ends_the_connection),
		cmocka_unit_test(the_queue_of_requests_ends_at_what_we_said),
		cmocka_unit_test(a_peer_that_asks_and_does_not_read_is_closed),
		cmocka_unit_test(a_block_whose_first_byte_went_is_finished),
		cmocka_unit_test(
		    control_goes_before_blocks_that_have_not_begun),
		cmocka_unit_test(control_is_told_of_though_blocks_wait),
		cmocka_unit_test(sending_in_any_slices_gives_the_same_bytes),
		cmocka_unit_test(an_unreadable_piece_is_offered_no_more),
		cmocka_unit_test(
		    half_a_block_that_cannot_be_read_on_ends_the_connection),
		cmocka_unit_test(seeds_and_upload_only_peers_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
