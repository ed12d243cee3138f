#include "torrent_rig.h"

#include "core/greet.h"

#define BLOCK BT_BLOCK_LEN

/* BEP 6's own example, and the same set cut short. */
static void
the_allowed_fast_set_is_that_of_bep_6(void **state)
{
	static const uint32_t nine[] = { 1059, 431, 808, 1217, 287, 376, 1188,
		353, 508 };
	const uint8_t ip[4] = { 80, 4, 4, 200 }, near[4] = { 80, 4, 4, 7 };
	uint8_t hash[20];
	uint32_t out[9];

	(void)state;
	memset(hash, 0xaa, 20);
	bt_greet_fast_set(ip, hash, 1313, 7, out);
	assert_memory_equal(out, nine, 7 * sizeof(*nine));
	bt_greet_fast_set(ip, hash, 1313, 9, out);
	assert_memory_equal(out, nine, sizeof(nine));
	bt_greet_fast_set(near, hash, 1313, 9, out);
	assert_memory_equal(out, nine, sizeof(nine));
}

static void
a_set_of_all_pieces_ends(void **state)
{
	const uint8_t ip[4] = { 1, 2, 3, 4 };
	uint8_t hash[20] = { 0 };
	uint32_t out[4];
	unsigned seen = 0;

	(void)state;
	bt_greet_fast_set(ip, hash, 4, 4, out);
	for (unsigned i = 0; i < 4; i++)
		seen |= 1u << out[i];
	assert_int_equal(seen, 15);
}

static void
a_starting_peer_is_allowed_pieces_and_gets_them_choked(void **state)
{
	struct rig *r = rig_new(1313 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;
	uint32_t allowed[16], want[10];
	unsigned n = 0;
	const uint8_t ip[4] = { 10, 0, 0, 1 };

	(void)state;
	rig_hello(r, p, 'x', true, false);
	rig_hear_hello(r, p);
	MSG0(r, p, 15); /* have none */
	while (rig_hear(r, p, &m))
		if (m.id == 0x11)
			allowed[n++] = m.index;
	assert_int_equal(n, 10);
	bt_greet_fast_set(ip, r->l->info_hash, 1313, 10, want);
	assert_memory_equal(allowed, want, sizeof(want));
	MSG(r, p, 6, allowed[0], 0, BLOCK);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 7);
	assert_int_equal(m.index, allowed[0]);
	/* another piece is rejected */
	MSG(r, p, 6, allowed[0] + 1 == allowed[1] ? 0 : allowed[0] + 1, 0,
	    BLOCK);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 16);
	rig_free(r);
}

static void
one_connection_of_a_network_is_allowed_its_set(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = rig_peer(r, 1, true), *q = rig_peer(r, 2, true);
	struct rig_peer *n = rig_peer(r, 256, true); /* of another /24 */

	(void)state;
	MSG0(r, p, 15);
	MSG0(r, q, 15);
	MSG0(r, n, 15);
	assert_int_equal(rig_count(r, p, 0x11), 10);
	assert_int_equal(rig_count(r, q, 0x11), 0);
	assert_int_equal(rig_count(r, n, 0x11), 10);
	rig_free(r);
}

static void
the_choked_get_nothing_when_all_slots_are_used(void **state)
{
	struct bt_torrent_conf c = rig_conf();
	struct rig_peer *p, *q;
	struct rig_said m;
	struct rig *r;

	(void)state;
	c.slots = 1;
	r = rig_new(80 * BLOCK, BLOCK, true, &c);
	p = rig_peer(r, 1, true);
	MSG0(r, p, 15);
	MSG0(r, p, 2);
	rig_wait(r, BT_SEC(1));
	q = rig_peer(r, 256, true);
	MSG0(r, q, 15);
	assert_true(rig_hear(r, q, &m));
	assert_int_equal(m.id, 0x11);
	rig_count(r, q, -1);
	MSG(r, q, 6, m.index, 0, BLOCK);
	assert_true(rig_hear(r, q, &m));
	assert_int_equal(m.id, 16);
	rig_free(r);
}

static void
a_peer_with_many_pieces_is_allowed_none(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);

	(void)state;
	rig_hello(r, p, 'x', true, false);
	rig_hear_hello(r, p);
	MSG0(r, p, 14);
	assert_int_equal(rig_count(r, p, 0x11), 0);
	rig_free(r);
}

static void
fast_messages_that_were_not_agreed_end_the_connection(void **state)
{
	static const struct {
		uint8_t id;
		unsigned nf;
	} all[] = { { 13, 1 }, { 14, 0 }, { 15, 0 }, { 16, 3 }, { 17, 1 } };
	uint32_t f[3] = { 0, 0, BLOCK };
	struct rig_peer *p;
	struct rig *r;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		r = rig_new(80 * BLOCK, BLOCK, false, NULL);
		p = rig_peer(r, 1, false);
		rig_msg(r, p, all[i].id, f, all[i].nf);
		assert_true(p->closed);
		rig_free(r);
	}
}

static void
what_it_has_is_told_once(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true), *q = rig_peer(r, 2, true);

	(void)state;
	MSG0(r, p, 15);
	assert_false(p->closed);
	MSG0(r, p, 14);
	assert_true(p->closed);
	MSG(r, q, 4, 1);
	MSG0(r, q, 15);
	assert_true(q->closed);
	rig_free(r);
}

static void
a_choke_is_followed_by_a_reject_for_each_request(void **state)
{
	struct bt_torrent_conf c = rig_conf();
	struct rig_peer *p, *q;
	struct rig_said m;
	struct rig *r;
	unsigned n = 0;

	(void)state;
	c.slots = 1;
	r = rig_new(80 * BLOCK, BLOCK, true, &c);
	p = rig_peer(r, 1, true);
	MSG0(r, p, 15);
	MSG0(r, p, 2);
	assert_int_equal(rig_count(r, p, 1), 1); /* unchoked */
	p->deaf = true;
	for (uint32_t i = 0; i < 5; i++)
		MSG(r, p, 6, i + 20, 0, BLOCK);
	/* it reads nothing; another waits until its time is over */
	q = rig_peer(r, 2, true);
	MSG0(r, q, 15);
	MSG0(r, q, 2);
	rig_wait(r, BT_SEC(50));
	p->deaf = false;
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 0); /* choke first */
	for (; n < 5; n++) {
		assert_true(rig_hear(r, p, &m));
		assert_int_equal(m.id, 16);
		assert_int_equal(m.index, 20 + n);
		assert_int_equal(m.length, BLOCK);
	}
	assert_int_equal(rig_count(r, q, 1), 1);
	rig_free(r);
}

static void
a_cancel_is_answered_by_a_reject(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);
	struct rig_said m;

	(void)state;
	MSG0(r, p, 15);
	MSG0(r, p, 2);
	assert_int_equal(rig_count(r, p, 1), 1);
	MSG(r, p, 6, 3, 0, BLOCK);
	MSG(r, p, 6, 4, 0, BLOCK);
	MSG(r, p, 8, 3, 0, BLOCK);
	MSG(r, p, 8, 9, 0, BLOCK); /* never asked: no answer */
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 16);
	assert_int_equal(m.index, 3);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 7);
	assert_int_equal(m.index, 4);
	assert_false(rig_hear(r, p, &m));
	rig_free(r);
}

static void
an_allowed_piece_is_asked_of_a_choker(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);
	struct rig_said m;

	(void)state;
	MSG(r, p, 17, 7); /* before what it has */
	MSG0(r, p, 14);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 2);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 6);
	assert_int_equal(m.index, 7);
	assert_false(rig_hear(r, p, &m));
	MSG(r, p, 17, 9);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.index, 9);
	rig_block(r, p, 7, 0, BLOCK, 0);
	rig_step(r);
	assert_int_equal(rig_logged(r, BT_FX_PIECE), 1);
	/* rejected, it is not asked again while choked */
	MSG(r, p, 16, 9, 0, BLOCK);
	rig_wait(r, BT_SEC(5));
	assert_int_equal(rig_count(r, p, 6), 0);
	assert_false(p->closed);
	rig_free(r);
}

static void
an_allowed_piece_that_it_lacks_is_not_asked(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);

	(void)state;
	MSG0(r, p, 15);
	MSG(r, p, 17, 7);
	MSG(r, p, 4, 8);
	assert_int_equal(rig_count(r, p, 6), 0);
	MSG(r, p, 4, 7);
	assert_int_equal(rig_count(r, p, 6), 1);
	rig_free(r);
}

static void
a_choke_leaves_what_is_allowed_fast_asked(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true), *q;
	struct rig_said m;
	unsigned n = 0;
	uint32_t got[16];

	(void)state;
	MSG0(r, p, 14);
	MSG0(r, p, 1);
	while (rig_hear(r, p, &m))
		if (m.id == 6)
			got[n++] = m.index;
	assert_true(n >= 4);
	MSG(r, p, 17, got[0]);
	MSG0(r, p, 0);
	/* it never says reject; its blocks are free after a while all the same */
	rig_wait(r, BT_SEC(4));
	q = rig_peer(r, 2, true);
	for (unsigned i = 0; i < n; i++)
		MSG(r, q, 4, got[i]);
	MSG0(r, q, 1);
	while (rig_hear(r, q, &m))
		if (m.id == 6) {
			assert_int_not_equal(m.index, got[0]);
			n--;
		}
	assert_int_equal(n, 1);
	rig_free(r);
}

static void
a_rejected_block_is_asked_of_another_and_the_refuser_let_alone(void **state)
{
	struct rig *r = rig_new(4 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true), *q;

	(void)state;
	MSG0(r, p, 14);
	MSG0(r, p, 1);
	assert_int_equal(rig_count(r, p, 6), 4);
	for (uint32_t i = 0; i < 4; i++)
		MSG(r, p, 16, 0, i * BLOCK, BLOCK);
	assert_int_equal(rig_count(r, p, 6), 0);
	q = rig_peer(r, 2, true);
	MSG0(r, q, 14);
	MSG0(r, q, 1);
	assert_int_equal(rig_count(r, q, 6), 4);
	rig_free(r);
}

/* BEP 54: an extended message of the peer's own id, with the piece's index. */
static void
a_piece_that_is_lost_is_told_to_who_takes_it(void **state)
{
	static const char hello[] = "d1:md11:lt_donthavei9eee";
	struct rig *r = rig_new(16 * BLOCK, 4 * BLOCK, true, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;
	uint8_t head[6] = { 0, 0, 0, 2 + sizeof(hello) - 1, 20, 0 };
	unsigned told = 0;

	(void)state;
	rig_hello(r, p, 2, true, true);
	rig_hear_hello(r, p);
	rig_raw(r, p, head, sizeof(head));
	rig_raw(r, p, hello, sizeof(hello) - 1);
	rig_count(r, p, 20);
	bt_torrent_on_unreadable(r->t, 3, r->now);
	while (rig_hear(r, p, &m))
		if (m.id == 20 && m.nbody == 5) {
			assert_memory_equal(m.body, "\x9\0\0\0\x3", 5);
			told++;
		}
	assert_int_equal(told, 1);
	rig_free(r);
}

/* It rejects what it lost, and gives the rest at once. */
static void
who_says_what_it_lost_is_asked_for_the_rest_at_once(void **state)
{
	struct rig *r = rig_new(16 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	uint8_t lost[10] = { 0, 0, 0, 6, 20, 4 };
	struct rig_said m;

	(void)state;
	rig_hello(r, p, 2, true, true);
	rig_hear_hello(r, p);
	MSG0(r, p, 14);
	MSG0(r, p, 1);
	while (rig_hear(r, p, &m) && m.id != 6)
		;
	assert_int_equal(m.id, 6);
	rig_count(r, p, 6);
	bt_put_be32(lost + 6, m.index);
	rig_raw(r, p, lost, sizeof(lost));
	for (uint32_t i = 0; i < 4; i++)
		MSG(r, p, 16, m.index, i * BLOCK, BLOCK);
	rig_wait(r, BT_MSEC(500));
	assert_in_range(rig_count(r, p, 6), 1, 64);
	rig_free(r);
}

/* All at once, as a seed does whose file is gone: the rest of it is good. */
static void
who_rejects_a_whole_piece_is_asked_again_after_a_second(void **state)
{
	struct rig *r = rig_new(16 * BLOCK, 4 * BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);
	struct rig_said m;
	uint8_t out[17 * 64];
	size_t n = 0;

	(void)state;
	MSG0(r, p, 14);
	MSG0(r, p, 1);
	while (rig_hear(r, p, &m) && n < sizeof(out)) {
		if (m.id != 6)
			continue;
		bt_put_be32(out + n, 13);
		out[n + 4] = 16;
		bt_put_be32(out + n + 5, m.index);
		bt_put_be32(out + n + 9, m.begin);
		bt_put_be32(out + n + 13, m.length);
		n += 17;
	}
	assert_in_range(n, 17, sizeof(out));
	rig_raw(r, p, out, n);
	rig_step(r);
	assert_int_equal(rig_count(r, p, 6), 0);
	rig_wait(r, BT_SEC(2));
	assert_in_range(rig_count(r, p, 6), 1, 64);
	rig_free(r);
}

static void
a_peer_that_rejects_for_ever_is_not_asked_for_ever(void **state)
{
	struct rig *r = rig_new(BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);
	unsigned n = 0;

	(void)state;
	MSG0(r, p, 14);
	MSG0(r, p, 1);
	for (unsigned i = 0; i < 60 && !p->closed; i++) {
		if (rig_count(r, p, 6) == 1) {
			n++;
			MSG(r, p, 16, 0, 0, BLOCK);
		}
		rig_wait(r, BT_SEC(1));
	}
	assert_in_range(n, 1, 10);
	rig_free(r);
}

static void
a_suggested_piece_is_asked_next(void **state)
{
	struct rig *r = rig_new(80 * BLOCK, BLOCK, false, NULL);
	struct rig_peer *p = rig_peer(r, 1, true);
	struct rig_said m;

	(void)state;
	MSG0(r, p, 14);
	MSG(r, p, 13, 55);
	rig_count(r, p, -1);
	MSG0(r, p, 1);
	assert_true(rig_hear(r, p, &m));
	assert_int_equal(m.id, 6);
	assert_int_equal(m.index, 55);
	rig_free(r);
}

static void
indices_beyond_the_torrent_end_the_connection(void **state)
{
	static const uint8_t ids[] = { 4, 13, 17 };
	struct rig_peer *p;
	struct rig *r;

	(void)state;
	for (unsigned i = 0; i < sizeof(ids); i++) {
		r = rig_new(80 * BLOCK, BLOCK, false, NULL);
		p = rig_peer(r, 1, true);
		MSG(r, p, ids[i], 80);
		assert_true(p->closed);
		rig_free(r);
	}
}

/* One of a seed's that is unchoked, and whose socket takes nothing. */
static struct rig_peer *
deaf_taker(struct rig *r)
{
	struct rig_peer *p = rig_peer(r, 1, true);

	MSG0(r, p, 15);
	MSG0(r, p, 2);
	rig_step(r);
	assert_int_equal(rig_count(r, p, 1), 1);
	p->deaf = true;
	return p;
}

/* Each of them has us answer: whoever sends them for ever is sent away. */
static void
who_asks_for_more_than_the_queue_holds_is_closed(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = deaf_taker(r);

	(void)state;
	for (unsigned i = 0; i < 1500; i++)
		MSG(r, p, 6, i % 8, 0, BLOCK);
	assert_false(p->closed);
	for (unsigned i = 0; i < 10; i++)
		MSG(r, p, 6, i % 8, 0, BLOCK);
	assert_true(p->closed);
	rig_free(r);
}

static void
who_asks_and_takes_it_back_for_ever_is_closed(void **state)
{
	struct rig *r = rig_new(8 * BLOCK, BLOCK, true, NULL);
	struct rig_peer *p = deaf_taker(r);

	(void)state;
	for (unsigned i = 0; i < 1010; i++) {
		MSG(r, p, 6, i % 8, 0, BLOCK);
		MSG(r, p, 8, i % 8, 0, BLOCK);
	}
	assert_true(p->closed);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_allowed_fast_set_is_that_of_bep_6),
		cmocka_unit_test(a_set_of_all_pieces_ends),
		cmocka_unit_test(
		    a_starting_peer_is_allowed_pieces_and_gets_them_choked),
		cmocka_unit_test(
		    one_connection_of_a_network_is_allowed_its_set),
		cmocka_unit_test(
		    the_choked_get_nothing_when_all_slots_are_used),
		cmocka_unit_test(a_peer_with_many_pieces_is_allowed_none),
		cmocka_unit_test(
		    fast_messages_that_were_not_agreed_end_the_connection),
		cmocka_unit_test(what_it_has_is_told_once),
		cmocka_unit_test(
		    a_choke_is_followed_by_a_reject_for_each_request),
		cmocka_unit_test(a_cancel_is_answered_by_a_reject),
		cmocka_unit_test(an_allowed_piece_is_asked_of_a_choker),
		cmocka_unit_test(an_allowed_piece_that_it_lacks_is_not_asked),
		cmocka_unit_test(a_choke_leaves_what_is_allowed_fast_asked),
		cmocka_unit_test(
		    a_rejected_block_is_asked_of_another_and_the_refuser_let_alone),
		cmocka_unit_test(a_piece_that_is_lost_is_told_to_who_takes_it),
		cmocka_unit_test(
		    who_says_what_it_lost_is_asked_for_the_rest_at_once),
		cmocka_unit_test(
		    who_rejects_a_whole_piece_is_asked_again_after_a_second),
		cmocka_unit_test(
		    a_peer_that_rejects_for_ever_is_not_asked_for_ever),
		cmocka_unit_test(a_suggested_piece_is_asked_next),
		cmocka_unit_test(indices_beyond_the_torrent_end_the_connection),
		cmocka_unit_test(
		    who_asks_for_more_than_the_queue_holds_is_closed),
		cmocka_unit_test(who_asks_and_takes_it_back_for_ever_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
