#include "torrent_rig.h"

#include "core/torrent_priv.h"

#define PLACES 8u

static struct rig *
begin_as(bool seed)
{
	struct bt_torrent_conf conf = rig_conf();

	conf.peers_max = PLACES;
	return rig_new(4 * BT_BLOCK_LEN, BT_BLOCK_LEN, seed, &conf);
}

static struct rig *
begin(void)
{
	return begin_as(true);
}

static struct bt_addr
addr_of(uint8_t host)
{
	uint8_t ip[4] = { 10, 9, 9, host };

	return bt_addr_v4(ip, 40000);
}

/* One more from 10.9.9.HOST; false: there was no place. */
static bool
comes(struct rig *r, uint8_t host)
{
	struct bt_addr a = addr_of(host);
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

/* A crowd has all places, and there are 5 to dial. */
static struct rig *
begin_crowded(bool seed)
{
	struct rig *r = begin_as(seed);
	struct bt_addr a[5];

	for (unsigned i = 0; i < PLACES; i++)
		assert_true(comes(r, 1));
	for (unsigned i = 0; i < 5; i++)
		a[i] = rig_addr(7 + i);
	bt_torrent_add_peers(r->t, a, 5, false, r->now);
	return r;
}

/* They may be addresses that nobody has. */
static void
room_is_made_for_one_of_those_to_be_dialled_at_a_time(void **state)
{
	struct rig *r = begin_crowded(false);

	(void)state;
	r->now += BT_SEC(2);
	bt_torrent_tick(r->t, r->now);
	rig_drain(r);
	assert_int_equal(closed(r), 1);
	assert_int_equal(r->dialled.family, 4);
	for (unsigned i = 0; i < 50; i++) { /* nor while it is dialled */
		r->now += BT_MSEC(100);
		bt_torrent_tick(r->t, r->now);
		rig_drain(r);
	}
	assert_int_equal(closed(r), 1);
	rig_free(r);
}

static void
none_is_made_where_nothing_is_missing(void **state)
{
	struct rig *r = begin_crowded(true);

	(void)state;
	rig_wait(r, BT_SEC(4));
	assert_int_equal(closed(r), 0);
	assert_int_equal(r->dialled.family, 0);
	rig_free(r);
}

/* Asked before somebody of another torrent goes for who comes. */
static void
whether_one_would_be_taken_is_asked_without_a_loss(void **state)
{
	struct rig *r = begin();
	struct bt_addr one = addr_of(1), two = addr_of(2);

	(void)state;
	for (unsigned i = 0; i < PLACES; i++)
		assert_true(comes(r, 1));
	assert_true(bt_crowd_would_accept(r->t, &two, r->now));
	assert_false(bt_crowd_would_accept(r->t, &one, r->now));
	bt_candidates_ban(r->t->cands, &two);
	assert_false(bt_crowd_would_accept(r->t, &two, r->now));
	rig_drain(r);
	assert_int_equal(closed(r), 0);
	bt_torrent_stop(r->t, r->now);
	rig_drain(r);
	assert_int_equal(closed(r), PLACES);
	two = addr_of(3);
	assert_false(bt_crowd_would_accept(r->t, &two, r->now));
	rig_free(r);
}

/* A flood of connections is not to sort all peers for each of them. */
static void
that_there_is_no_crowd_holds_for_a_tenth_of_a_second(void **state)
{
	struct rig *r = begin();

	(void)state;
	for (uint8_t i = 0; i < PLACES; i++)
		assert_true(comes(r, i));
	assert_false(comes(r, 100));
	for (unsigned i = 0; i < PLACES / 2; i++)
		bt_torrent_on_closed(r->t, r->peers[i].slot, r->now);
	rig_drain(r);
	for (unsigned i = 0; i < PLACES / 2; i++)
		assert_true(comes(r, 50));
	assert_false(comes(r, 100));
	r->now += BT_CROWD_LOOK_US;
	assert_true(comes(r, 100));
	assert_int_equal(closed(r), PLACES / 2 + 1);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_makes_room_for_others),
		cmocka_unit_test(nobody_gives_way_when_all_are_alone),
		cmocka_unit_test(two_crowds_do_not_trade_places_in_circles),
		cmocka_unit_test(
		    room_is_made_for_one_of_those_to_be_dialled_at_a_time),
		cmocka_unit_test(
		    whether_one_would_be_taken_is_asked_without_a_loss),
		cmocka_unit_test(
		    that_there_is_no_crowd_holds_for_a_tenth_of_a_second),
		cmocka_unit_test(none_is_made_where_nothing_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
