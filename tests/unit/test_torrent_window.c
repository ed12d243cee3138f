/*
 * How much is asked of a peer at a time: its window, and the limit of the rate.
 */
#include "torrent_giver.h"

static void
the_window_grows_by_one_block_for_each_that_comes(void **state)
{
	struct rig *r = rig_new(2048 * BLOCK, 64 * BLOCK, false, NULL);
	struct rig_peer *p = giver(r, 1, false);
	struct rig_said m;
	unsigned asked = 0, given = 0, floor = 0;
	struct {
		uint32_t i, b;
	} q[600];

	(void)state;
	while (rig_hear(r, p, &m))
		if (m.id == 6) {
			q[asked].i = m.index;
			q[asked++].b = m.begin;
		}
	floor = asked;
	assert_in_range(floor, 4, 8);
	while (given < 40) {
		rig_block(r, p, q[given].i, q[given].b, BLOCK, 0);
		given++;
		while (rig_hear(r, p, &m))
			if (m.id == 6) {
				q[asked].i = m.index;
				q[asked++].b = m.begin;
			}
		/* out: floor + given */
		assert_int_equal(asked - given, floor + given);
	}
	rig_free(r);
}

/* Give for a while at one block each us; returns how many are out then. */
static unsigned
pace(int64_t us, unsigned blocks, unsigned reqq)
{
	struct rig *r = rig_new(4096 * BLOCK, 64 * BLOCK, false, NULL);
	struct rig_peer *p = rig_accept(r, 1);
	struct rig_said m;
	unsigned asked = 0, given = 0;
	struct {
		uint32_t i, b;
	} *q = bt_mem_zero(5000, sizeof(*q));
	char ext[64];
	int n;

	rig_hello(r, p, 'x', true, true);
	rig_hear_hello(r, p);
	MSG0(r, p, 14); /* have all */
	n = snprintf(ext + 6, sizeof(ext) - 6, "d4:reqqi%uee", reqq);
	bt_put_be32((uint8_t *)ext, (uint32_t)n + 2);
	ext[4] = 20;
	ext[5] = 0;
	rig_raw(r, p, ext, (size_t)n + 6);
	MSG0(r, p, 1);
	do {
		while (rig_hear(r, p, &m))
			if (m.id == 6) {
				q[asked].i = m.index;
				q[asked++].b = m.begin;
			}
		rig_wait(r, us);
		rig_block(r, p, q[given].i, q[given].b, BLOCK, 0);
		assert_in_range(asked - given, 1, reqq);
	} while (++given < blocks);
	rig_free(r);
	bt_mem_free(q);
	return asked - given;
}

static void
the_window_follows_the_rate_and_heeds_reqq(void **state)
{
	(void)state;
	/* 1000 blocks a second want more than 500 */
	assert_in_range(pace(BT_MSEC(1), 3000, 2000), 490, 500);
	assert_in_range(pace(BT_MSEC(1), 3000, 100), 99, 100);
	/* 20 blocks a second: those of latency and a second */
	assert_in_range(pace(BT_MSEC(50), 200, 250), 15, 30);
	/* a block in two seconds: a short queue */
	assert_in_range(pace(BT_MSEC(2000), 30, 250), 1, 3);
}

/* Rule 7: four peers answer at once, and yet no more is asked than may come. */
static void
under_a_limit_no_more_is_asked_than_may_come_and_all_alike(void **state)
{
	struct bt_torrent_conf conf = rig_conf();
	struct rig_peer *p[4];
	struct rig_said m;
	struct rig *r;
	uint64_t sum[4] = { 0 }, all = 0, limit = 40 * BLOCK;
	int64_t begun;

	(void)state;
	conf.down_limit_bps = limit;
	r = rig_new(1024 * BLOCK, 4 * BLOCK, false, &conf);
	for (unsigned i = 0; i < 4; i++)
		p[i] = giver(r, i + 1, false);
	begun = r->now;
	while (r->now < begun + BT_SEC(10)) {
		for (unsigned i = 0; i < 4; i++)
			while (rig_hear(r, p[i], &m))
				if (m.id == 6) {
					sum[i] += m.length + BT_TX_HEADER;
					rig_block(r, p[i], m.index, m.begin,
					    m.length, 0);
				}
		rig_wait(r, BT_MSEC(5));
	}
	for (unsigned i = 0; i < 4; i++)
		all += sum[i];
	assert_in_range(all, limit * 10 - limit / 5, limit * 10 + limit / 5);
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(
		    sum[i], all / 4 - 4 * BLOCK, all / 4 + 4 * BLOCK);
	rig_free(r);
}

/* What is given up is not counted: another peer is asked for it at once. */
static void
a_choke_gives_back_what_was_asked_under_a_limit(void **state)
{
	struct bt_torrent_conf conf = rig_conf();
	struct rig_peer *p, *q;
	struct rig *r;

	(void)state;
	conf.down_limit_bps = 2 * BLOCK;
	r = rig_new(8 * BLOCK, BLOCK, false, &conf);
	p = giver(r, 1, false);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, p, 6), 1);
	q = giver(r, 2, false);
	assert_int_equal(rig_count(r, q, 6), 0);
	MSG0(r, p, 0);
	rig_wait(r, BT_MSEC(100));
	assert_int_equal(rig_count(r, q, 6), 1);
	rig_free(r);
}

/*
 * Two peers are asked for all that may come and give nothing; as they go, what
 * they were asked for is asked of another, and no second of the limit is lost.
 */
static void
who_goes_without_giving_costs_nothing_under_a_limit(void **state)
{
	struct bt_torrent_conf conf = rig_conf();
	struct rig_peer *p, *q, *g;
	unsigned asked;
	struct rig *r;

	(void)state;
	conf.down_limit_bps = 2 * BLOCK;
	r = rig_new(64 * BLOCK, BLOCK, false, &conf);
	p = giver(r, 1, false);
	q = giver(r, 2, false);
	rig_wait(r, BT_SEC(4));
	asked = rig_count(r, p, 6) + rig_count(r, q, 6);
	assert_in_range(asked, 7, 8); /* four each, in four seconds */
	bt_torrent_on_closed(r->t, p->slot, r->now);
	bt_torrent_on_closed(r->t, q->slot, r->now);
	g = giver(r, 3, false);
	rig_wait(r, BT_SEC(1));
	/* its floor at once, and not a block each half second */
	assert_in_range(rig_count(r, g, 6), 4, 10);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_window_grows_by_one_block_for_each_that_comes),
		cmocka_unit_test(the_window_follows_the_rate_and_heeds_reqq),
		cmocka_unit_test(
		    under_a_limit_no_more_is_asked_than_may_come_and_all_alike),
		cmocka_unit_test(
		    a_choke_gives_back_what_was_asked_under_a_limit),
		cmocka_unit_test(
		    who_goes_without_giving_costs_nothing_under_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
