#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN

/* BEP 3: 68 bytes, from the definition and not from our encoder. */
static void
hello(uint8_t h[68], uint8_t hash, uint8_t id)
{
	memset(h, 0, 68);
	h[0] = 19;
	memcpy(h + 1, "BitTorrent protocol", 19);
	memset(h + 28, hash, 20);
	memset(h + 48, id, 20);
}

static void
ours_goes_out_as_soon_as_the_info_hash_is_seen(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	uint8_t h[68];

	(void)state;
	hello(h, 0xaa, 'x');
	rig_raw(r, p, h, 47);
	rig_step(r);
	assert_int_equal(p->nout, 0);
	rig_raw(r, p, h + 47, 1);
	rig_step(r);
	assert_int_equal(p->nout, 68);
	assert_memory_equal(p->out, h, 20);
	assert_memory_equal(p->out + 28, h + 28, 20);
	assert_memory_equal(p->out + 48, "-RG0001-selfselfself", 20);
	rig_free(r);
}

static void
the_reserved_bits_tell_of_bep_6_and_10_only(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	uint8_t h[68];

	(void)state;
	hello(h, 0xaa, 'x');
	rig_raw(r, p, h, 48);
	rig_step(r);
	assert_memory_equal(p->out + 20, "\0\0\0\0\0\x10\0\x04", 8);
	rig_free(r);
}

static void
another_torrents_info_hash_ends_the_connection_unanswered(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	uint8_t h[68];

	(void)state;
	hello(h, 0xab, 'x');
	rig_raw(r, p, h, 68);
	rig_step(r);
	assert_true(p->closed);
	assert_int_equal(p->nout, 0);
	rig_free(r);
}

static void
the_first_wrong_byte_ends_the_connection(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);

	(void)state;
	RAW(r, p, "\023BitT");
	assert_false(p->closed);
	RAW(r, p, "u");
	assert_true(p->closed);
	rig_free(r);
}

static struct rig_peer *
dial(struct rig *r, unsigned i)
{
	struct bt_addr a = rig_addr(i);

	bt_torrent_add_peers(r->t, &a, 1, false, r->now);
	rig_wait(r, 0);
	assert_true(bt_addr_eq(&r->dialled, &a));
	return rig_of(r, r->dialled_slot);
}

static void
a_dialled_peer_is_greeted_first(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = dial(r, 1);

	(void)state;
	rig_step(r);
	assert_int_equal(p->nout, 0);
	bt_torrent_on_connected(r->t, p->slot, r->now);
	rig_step(r);
	assert_int_equal(p->nout, 68);
	rig_free(r);
}

static void
a_dial_times_out_within_20_seconds(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = dial(r, 1);

	(void)state;
	rig_wait(r, BT_SEC(9));
	assert_false(p->closed);
	rig_wait(r, BT_SEC(11));
	assert_true(p->closed);
	rig_free(r);
}

static void
a_handshake_times_out_within_20_seconds(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	uint8_t h[68];

	(void)state;
	hello(h, 0xaa, 'x');
	for (unsigned i = 0; i < 60; i++) { /* dripping does not help */
		rig_raw(r, p, h + i, 1);
		rig_wait(r, BT_MSEC(400));
	}
	assert_true(p->closed);
	rig_free(r);
}

static void
a_connection_to_ourselves_ends_and_is_not_dialled_again(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = dial(r, 1);
	uint8_t h[68];

	(void)state;
	bt_torrent_on_connected(r->t, p->slot, r->now);
	hello(h, 0xaa, 0);
	memcpy(h + 48, "-RG0001-selfselfself", 20);
	rig_raw(r, p, h, 68);
	rig_step(r);
	assert_true(p->closed);
	rig_wait(r, BT_SEC(2000));
	assert_int_equal(rig_logged(r, BT_FX_CONNECT), 1);
	assert_int_equal(rig_logged(r, BT_FX_PEER), 0);
	rig_free(r);
}

static void
the_accepting_end_of_ourselves_still_greets(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	uint8_t h[68];

	(void)state;
	hello(h, 0xaa, 0);
	memcpy(h + 48, "-RG0001-selfselfself", 20);
	rig_raw(r, p, h, 68);
	RAW(r, p, "\0\0\0\1\1");
	rig_step(r);
	assert_int_equal(p->nout, 68);
	rig_wait(r, BT_SEC(21));
	assert_true(p->closed);
	assert_int_equal(rig_logged(r, BT_FX_PEER), 0);
	rig_free(r);
}

static void
a_second_connection_of_one_peer_is_closed(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1), *q;

	(void)state;
	rig_hello(r, p, 'x', false, false);
	q = rig_accept(r, 2);
	rig_hello(r, q, 'x', false, false);
	rig_step(r);
	assert_false(p->closed);
	assert_true(q->closed);
	rig_free(r);
}

/* id: of the peer; ours begins with '-'. Both shake hands, ours dialled first
 * or second. Returns true if the one that we dialled stays. */
static bool
cross(uint8_t id, bool dialled_first)
{
	struct rig *r = rig_new(4 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *out = dial(r, 1), *in = rig_accept(r, 2);
	bool stays;

	bt_torrent_on_connected(r->t, out->slot, r->now);
	if (dialled_first)
		rig_hello(r, out, id, false, false);
	rig_hello(r, in, id, false, false);
	if (!dialled_first)
		rig_hello(r, out, id, false, false);
	rig_step(r);
	assert_true(out->closed != in->closed);
	stays = !out->closed;
	rig_free(r);
	return stays;
}

static void
of_two_that_crossed_the_greater_ids_dial_stays(void **state)
{
	(void)state;
	assert_false(cross('z', true));
	assert_false(cross('z', false));
	assert_true(cross('!', true));
	assert_true(cross('!', false));
}

static void
messages_glued_to_the_handshake_are_heard(void **state)
{
	struct rig *r = rig_new(9 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;
	uint8_t all[68 + 7 + 5];

	(void)state;
	hello(all, 0xaa, 'x');
	/* bitfield of 9 pieces, the last one had; unchoke */
	memcpy(all + 68, "\0\0\0\3\5\0\x80\0\0\0\1\1", 12);
	rig_raw(r, p, all, sizeof(all));
	rig_hear_hello(r, p);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 2); /* interested */
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 6); /* request */
	assert_int_equal(m.index, 8);
	assert_int_equal(m.begin, 0);
	assert_int_equal(m.length, BLOCK);
	assert_false(rig_hear(r, p, &m));
	rig_free(r);
}

static int
first_said(bool seed, bool fast)
{
	struct rig *r = rig_new(9 * BLOCK, BLOCK, seed, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;
	int id = -1;

	rig_hello(r, p, 'x', fast, false);
	rig_hear_hello(r, p);
	if (rig_hear(r, p, &m)) {
		id = m.id;
		if (id == 5) {
			assert_int_equal(m.nbody, 2);
			assert_memory_equal(m.body, "\xff\x80", 2);
		}
	}
	rig_free(r);
	return id;
}

static void
what_we_have_follows_in_the_words_that_were_agreed(void **state)
{
	(void)state;
	assert_int_equal(first_said(true, true), 0x0e);	 /* have all */
	assert_int_equal(first_said(false, true), 0x0f); /* have none */
	assert_int_equal(first_said(true, false), 5);	 /* bitfield */
	assert_int_equal(first_said(false, false), -1);	 /* may be skipped */
}

static bool
says(const struct rig_said *m, const char *what, size_t n)
{
	return memmem(m->body, m->nbody, what, n) != NULL;
}

static void
the_extension_handshake_tells_what_bep_10_lists(void **state)
{
	struct rig *r = rig_new(9 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;

	(void)state;
	rig_hello(r, p, 'x', false, true);
	rig_hear_hello(r, p);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 20);
	assert_int_equal(m.body[0], 0);
	assert_true(says(&m, "1:v7:rig 1.0", 12));
	assert_true(says(&m, "4:reqqi500e", 11));
	assert_true(says(&m, "1:pi6881e", 9));
	assert_true(says(&m, "6:yourip4:\x0a\0\0\1", 14));
	assert_false(says(&m, "11:upload_onlyi1e", 17));
	rig_free(r);
}

static void
who_needs_nothing_says_upload_only(void **state)
{
	struct rig *r = rig_new(9 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;

	(void)state;
	rig_hello(r, p, 'x', true, true);
	rig_hear_hello(r, p);
	assert_true(rig_hear(r, p, &m));
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 20);
	assert_true(says(&m, "11:upload_onlyi1e", 17)); /* BEP 21 */
	rig_free(r);
}

static void
an_idle_connection_is_kept_alive_and_a_silent_one_closed(void **state)
{
	struct rig *r = rig_new(9 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, false), *q = rig_peer(r, 2, false);

	(void)state;
	rig_wait(r, BT_SEC(119)); /* BEP 3: every two minutes */
	assert_int_equal(p->nout, 4);
	assert_memory_equal(p->out, "\0\0\0\0", 4);
	RAW(r, p, "\0\0\0\0");
	rig_wait(r, BT_SEC(122));
	assert_false(p->closed);
	assert_true(q->closed);
	rig_free(r);
}

static void
a_peer_beyond_the_most_is_not_taken(void **state)
{
	struct bt_torrent_conf c = rig_conf();
	struct bt_addr a = rig_addr(9);
	struct rig *r;

	(void)state;
	c.peers_max = 2;
	r = rig_new(9 * BLOCK, BLOCK, false, &c);
	rig_peer(r, 1, false);
	rig_peer(r, 2, false);
	assert_int_equal(bt_torrent_on_accepted(r->t, &a, r->now), 0);
	bt_torrent_add_peers(r->t, &a, 1, true, r->now);
	rig_wait(r, BT_SEC(1));
	assert_int_equal(rig_logged(r, BT_FX_CONNECT), 0);
	rig_free(r);
}

static void
a_handle_of_a_closed_slot_reaches_nobody(void **state)
{
	struct rig *r = rig_new(9 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, false), *q;
	struct bt_place scratch = { r->scratch, RIG_SCRATCH };
	struct bt_lend to;
	struct bt_tx tx;

	(void)state;
	bt_torrent_on_closed(r->t, p->slot, r->now);
	rig_step(r);
	assert_true(p->closed);
	q = rig_peer(r, 2, false);
	assert_int_equal((uint32_t)q->slot, (uint32_t)p->slot);
	assert_int_not_equal(q->slot, p->slot);
	bt_torrent_on_closed(r->t, p->slot, r->now);
	bt_torrent_on_connected(r->t, p->slot, r->now);
	bt_torrent_rx_space(r->t, p->slot, scratch, RIG_SCRATCH, &to);
	assert_int_equal(to.n, 0);
	assert_false(bt_torrent_tx(r->t, p->slot, &tx, r->now));
	bt_torrent_tx_done(r->t, p->slot, 0, r->now);
	rig_step(r);
	assert_false(q->closed);
	assert_int_equal(rig_logged(r, BT_FX_CLOSE), 1);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    ours_goes_out_as_soon_as_the_info_hash_is_seen),
		cmocka_unit_test(the_reserved_bits_tell_of_bep_6_and_10_only),
		cmocka_unit_test(
		    another_torrents_info_hash_ends_the_connection_unanswered),
		cmocka_unit_test(the_first_wrong_byte_ends_the_connection),
		cmocka_unit_test(a_dialled_peer_is_greeted_first),
		cmocka_unit_test(a_dial_times_out_within_20_seconds),
		cmocka_unit_test(a_handshake_times_out_within_20_seconds),
		cmocka_unit_test(
		    a_connection_to_ourselves_ends_and_is_not_dialled_again),
		cmocka_unit_test(the_accepting_end_of_ourselves_still_greets),
		cmocka_unit_test(a_second_connection_of_one_peer_is_closed),
		cmocka_unit_test(
		    of_two_that_crossed_the_greater_ids_dial_stays),
		cmocka_unit_test(messages_glued_to_the_handshake_are_heard),
		cmocka_unit_test(
		    what_we_have_follows_in_the_words_that_were_agreed),
		cmocka_unit_test(
		    the_extension_handshake_tells_what_bep_10_lists),
		cmocka_unit_test(who_needs_nothing_says_upload_only),
		cmocka_unit_test(
		    an_idle_connection_is_kept_alive_and_a_silent_one_closed),
		cmocka_unit_test(a_peer_beyond_the_most_is_not_taken),
		cmocka_unit_test(a_handle_of_a_closed_slot_reaches_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
