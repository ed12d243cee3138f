#include "torrent_rig.h"

#include "core/manners.h"
#include "core/messages.h"

#define IDLE_MAX (BT_MANNERS_BURST_US / BT_MANNERS_IDLE_US)
#define WORK_MAX (BT_MANNERS_BURST_US / BT_MANNERS_WORK_US)

static struct rig *
begin(struct rig_peer **p)
{
	struct rig *r = rig_new(4 * BT_BLOCK_LEN, BT_BLOCK_LEN, true, NULL);

	*p = rig_peer(r, 1, false);
	return r;
}

static void
a_flood_of_keep_alives_ends_the_connection(void **state)
{
	struct rig_peer *p;
	struct rig *r = begin(&p);

	(void)state;
	for (int64_t i = 0; i < IDLE_MAX; i++)
		RAW(r, p, "\0\0\0\0");
	assert_false(p->closed);
	for (int64_t i = 0; i < 2; i++)
		RAW(r, p, "\0\0\0\0");
	assert_true(p->closed);
	assert_string_equal(p->why, "it says nothing new, again and again");
	rig_free(r);
}

static void
what_is_said_at_leisure_is_no_flood(void **state)
{
	struct rig_peer *p;
	struct rig *r = begin(&p);

	(void)state;
	for (int64_t i = 0; i < 4 * IDLE_MAX; i++) {
		RAW(r, p, "\0\0\0\0");
		r->now += BT_MANNERS_IDLE_US;
	}
	assert_false(p->closed);
	rig_free(r);
}

static void
chokes_that_change_all_the_time_end_it_sooner(void **state)
{
	struct rig_peer *p;
	struct rig *r = begin(&p);

	(void)state;
	for (int64_t i = 0; i < WORK_MAX; i++)
		MSG0(r, p, i % 2 ? BT_CHOKE : BT_UNCHOKE);
	assert_false(p->closed);
	for (int64_t i = 0; i < 2; i++)
		MSG0(r, p, i % 2 ? BT_CHOKE : BT_UNCHOKE);
	assert_true(p->closed);
	rig_free(r);
}

static void
haves_that_are_new_cost_nothing(void **state)
{
	struct rig *r = rig_new((uint64_t)(IDLE_MAX + 100) * BT_BLOCK_LEN,
	    BT_BLOCK_LEN, true, NULL);
	struct rig_peer *p = rig_peer(r, 1, false);

	(void)state;
	for (uint32_t i = 0; i < IDLE_MAX + 99; i++)
		MSG(r, p, BT_HAVE, i);
	assert_false(p->closed);
	rig_free(r);
}

static void
send_lost(struct rig *r, struct rig_peer *p, uint32_t piece)
{
	uint8_t m[10] = { 0, 0, 0, 6, 20, BT_EXT_ID_DONTHAVE };

	bt_put_be32(m + 6, piece);
	rig_raw(r, p, m, sizeof(m));
}

/* BEP 54: whoever loses a large file tells so of each piece, at once. */
static void
pieces_that_are_lost_cost_nothing_however_many(void **state)
{
	struct rig *r = rig_new((uint64_t)(IDLE_MAX + 100) * BT_BLOCK_LEN,
	    BT_BLOCK_LEN, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);

	(void)state;
	rig_hello(r, p, 2, true, true);
	MSG0(r, p, BT_HAVE_ALL);
	for (uint32_t i = 0; i < IDLE_MAX + 90; i++)
		send_lost(r, p, i);
	for (uint32_t i = 0; i < IDLE_MAX + 90; i++)
		MSG(r, p, BT_HAVE, i); /* the disk is there again */
	for (uint32_t i = 0; i < IDLE_MAX + 90; i++)
		send_lost(r, p, i);
	assert_false(p->closed);
	/* news of what it lost before is none */
	for (uint32_t i = 0; i < IDLE_MAX + 2; i++)
		send_lost(r, p, i);
	assert_true(p->closed);
	assert_string_equal(p->why, "it says nothing new, again and again");
	rig_free(r);
}

static void
a_piece_that_comes_and_goes_ends_the_connection(void **state)
{
	struct rig *r = rig_new(4 * BT_BLOCK_LEN, BT_BLOCK_LEN, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);

	(void)state;
	rig_hello(r, p, 2, true, true);
	MSG0(r, p, BT_HAVE_NONE);
	for (int64_t i = 0; i < IDLE_MAX; i++) {
		MSG(r, p, BT_HAVE, 1);
		send_lost(r, p, 1);
	}
	assert_false(p->closed);
	for (int64_t i = 0; i < 10; i++) {
		MSG(r, p, BT_HAVE, 1);
		send_lost(r, p, 1);
	}
	assert_true(p->closed);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_keep_alives_ends_the_connection),
		cmocka_unit_test(what_is_said_at_leisure_is_no_flood),
		cmocka_unit_test(chokes_that_change_all_the_time_end_it_sooner),
		cmocka_unit_test(haves_that_are_new_cost_nothing),
		cmocka_unit_test(
		    pieces_that_are_lost_cost_nothing_however_many),
		cmocka_unit_test(
		    a_piece_that_comes_and_goes_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
