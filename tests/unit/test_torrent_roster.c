#include "torrent_rig.h"

#define PEERS 48u

/* BEP 3: a connection that says nothing for two minutes may be closed. */
static void
those_who_came_together_get_their_keep_alives_apart(void **state)
{
	struct rig *r = rig_new(2 * BT_BLOCK_LEN, BT_BLOCK_LEN, true, NULL);
	struct rig_peer *p[PEERS];
	unsigned told[PEERS] = { 0 }, now, most = 0, all = 0;

	(void)state;
	for (unsigned i = 0; i < PEERS; i++) {
		p[i] = rig_peer(r, i + 1, false);
		rig_count(r, p[i], 256);
	}
	for (unsigned second = 1; second <= 115; second++) {
		rig_wait(r, BT_SEC(1));
		now = 0;
		for (unsigned i = 0; i < PEERS; i++) {
			unsigned n = rig_count(r, p[i], 256);

			if (n > 0)
				assert_in_range(second, 70, 115);
			told[i] += n;
			now += n;
		}
		all += now;
		most = now > most ? now : most;
	}
	for (unsigned i = 0; i < PEERS; i++)
		assert_int_equal(told[i], 1);
	assert_int_equal(all, PEERS);
	assert_in_range(most, 1, PEERS / 8);
	rig_free(r);
}

/* We dial it, and it says that it has these of nine pieces. */
static struct rig_peer *
dialled(struct rig *r, unsigned i, const char *bitfield)
{
	struct bt_addr a = rig_addr(i);
	struct rig_peer *p;

	bt_torrent_add_peers(r->t, &a, 1, false, r->now);
	rig_wait(r, 0);
	p = rig_of(r, r->dialled_slot);
	bt_torrent_on_connected(r->t, p->slot, r->now);
	rig_hello(r, p, (uint8_t)(i + 1), false, false);
	rig_hear_hello(r, p);
	RAW(r, p, "\0\0\0\3\5");
	rig_raw(r, p, bitfield, 2);
	rig_count(r, p, -1);
	return p;
}

#define NINE (9 * BT_BLOCK_LEN)
#define FIRST_ONLY "\x80\0"

/* transmission 3.00 takes connections while it checks what it has, tells what it
 * knows by then, and nothing of what the check finds after. */
static void
who_told_too_little_is_dialled_anew(void **state)
{
	struct rig *r = rig_new(NINE, BT_BLOCK_LEN, false, NULL);
	struct rig_peer *p = dialled(r, 1, FIRST_ONLY), *again;

	(void)state;
	MSG0(r, p, 1);
	assert_int_equal(rig_count(r, p, 6), 1);
	rig_block(r, p, 0, 0, BT_BLOCK_LEN, 0);
	assert_int_equal(rig_count(r, p, 3), 1); /* nothing more for us */
	rig_wait(r, BT_SEC(29));
	assert_false(p->closed);
	rig_wait(r, BT_SEC(2));
	assert_true(p->closed);
	again = rig_of(r, r->dialled_slot);
	assert_ptr_not_equal(again, p);
	bt_torrent_on_connected(r->t, again->slot, r->now);
	rig_hello(r, again, 2, false, false);
	RAW(r, again, "\0\0\0\3\5\xff\x80");
	rig_hear_hello(r, again);
	assert_int_equal(rig_count(r, again, 2), 1);
	rig_wait(r, BT_SEC(100)); /* it has much for us, and may choke us */
	assert_false(again->closed);
	rig_free(r);
}

static void
whom_we_or_they_need_is_not_dialled_anew(void **state)
{
	struct rig *r = rig_new(NINE, BT_BLOCK_LEN, false, NULL);
	struct rig_peer *p[4];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		p[i] = dialled(r, i + 1, i == 0 ? "\xc0\0" : "\0\0");
	MSG0(r, p[1], 2);		   /* it is interested */
	p[3] = rig_peer(r, 4, false);	   /* where it listens is not known */
	for (unsigned i = 0; i < 5; i++) { /* it is not silent */
		rig_wait(r, BT_SEC(20));
		RAW(r, p[2], "\0\0\0\0");
	}
	for (unsigned i = 0; i < 4; i++)
		assert_false(p[i]->closed);
	rig_free(r);
}

static void
while_blocks_are_on_their_way_nobody_is_dialled_anew(void **state)
{
	struct rig *r = rig_new(NINE, BT_BLOCK_LEN, false, NULL);
	struct rig_peer *giver = dialled(r, 1, "\xff\x80"), *p;

	(void)state;
	p = dialled(r, 2, "\0\0");
	MSG0(r, giver, 1);
	for (unsigned i = 0; i < 8; i++) {
		rig_wait(r, BT_SEC(5));
		rig_block(r, giver, i, 0, BT_BLOCK_LEN, 0);
	}
	assert_false(p->closed);
	rig_free(r);
}

static void
they_are_dialled_anew_one_in_ten_seconds(void **state)
{
	struct rig *r = rig_new(NINE, BT_BLOCK_LEN, false, NULL);
	struct rig_peer *p[5];
	unsigned closed;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		p[i] = dialled(r, i + 1, FIRST_ONLY);
	MSG0(r, p[0], 1);
	rig_step(r);
	rig_block(r, p[0], 0, 0, BT_BLOCK_LEN, 0);
	rig_wait(r, BT_SEC(25));
	for (unsigned n = 1; n <= 5; n++) {
		rig_wait(r, BT_SEC(10));
		closed = 0;
		for (unsigned i = 0; i < 5; i++)
			closed += p[i]->closed;
		assert_int_equal(closed, n);
	}
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    those_who_came_together_get_their_keep_alives_apart),
		cmocka_unit_test(who_told_too_little_is_dialled_anew),
		cmocka_unit_test(whom_we_or_they_need_is_not_dialled_anew),
		cmocka_unit_test(
		    while_blocks_are_on_their_way_nobody_is_dialled_anew),
		cmocka_unit_test(they_are_dialled_anew_one_in_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
