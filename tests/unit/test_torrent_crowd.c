#include "torrent_rig.h"

#include "core/crowd.h"

#define PLACES 8u

static struct rig *
begin(void)
{
	struct bt_torrent_conf conf = rig_conf();

	conf.peers_max = PLACES;
	return rig_new(4 * BT_BLOCK_LEN, BT_BLOCK_LEN, true, &conf);
}

/* One more from 10.9.9.HOST; false: there was no place. */
static bool
comes(struct rig *r, uint8_t host)
{
	uint8_t ip[4] = { 10, 9, 9, host };
	struct bt_addr a = bt_addr_v4(ip, 40000);
	uint64_t slot = bt_torrent_on_accepted(r->t, &a, r->now);

	r->now += BT_MSEC(1);
	if (slot == 0)
		return false;
	r->peers[r->npeers++] = (struct rig_peer){ .slot = slot };
	rig_drain(r);
	return true;
}

static unsigned
closed(const struct rig *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->npeers; i++)
		n += r->peers[i].closed;
	return n;
}

static void
a_crowd_makes_room_for_others(void **state)
{
	struct rig *r = begin();

	(void)state;
	for (unsigned i = 0; i < PLACES; i++)
		assert_true(comes(r, 1));
	assert_false(comes(r, 1));
	assert_true(comes(r, 2));
	assert_int_equal(closed(r), 1);
	/* the youngest of those that gave nothing */
	assert_true(r->peers[PLACES - 1].closed);
	assert_string_equal(
	    r->peers[PLACES - 1].why, "it makes room for others");
	rig_free(r);
}

static void
nobody_gives_way_when_all_are_alone(void **state)
{
	struct rig *r = begin();

	(void)state;
	for (uint8_t i = 0; i < PLACES; i++)
		assert_true(comes(r, i));
	assert_false(comes(r, 100));
	assert_int_equal(closed(r), 0);
	rig_free(r);
}

static void
two_crowds_do_not_trade_places_in_circles(void **state)
{
	struct rig *r = begin();

	(void)state;
	for (unsigned i = 0; i < PLACES; i++)
		assert_true(comes(r, 1));
	for (unsigned i = 0; i < PLACES / 2; i++)
		assert_true(comes(r, 2));
	assert_false(comes(r, 1));
	assert_false(comes(r, 2));
	assert_int_equal(closed(r), PLACES / 2);
	rig_free(r);
}

static void
room_is_made_for_who_is_to_be_dialled(void **state)
{
	struct rig *r = begin();
	struct bt_addr a = rig_addr(7);

	(void)state;
	for (unsigned i = 0; i < PLACES; i++)
		assert_true(comes(r, 1));
	bt_torrent_add_peers(r->t, &a, 1, false, r->now);
	rig_wait(r, BT_SEC(2));
	assert_true(bt_addr_eq(&r->dialled, &a));
	assert_int_equal(closed(r), 1);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_makes_room_for_others),
		cmocka_unit_test(nobody_gives_way_when_all_are_alone),
		cmocka_unit_test(two_crowds_do_not_trade_places_in_circles),
		cmocka_unit_test(room_is_made_for_who_is_to_be_dialled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
