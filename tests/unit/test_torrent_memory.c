#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN
#define MIB (1u << 20)

struct asked {
	uint32_t piece, begin, len;
};

/* Collect p's requests; returns how many. */
static unsigned
hear_all(struct rig *r, struct rig_peer *p, struct asked *q, unsigned max)
{
	struct rig_said m;
	unsigned n = 0;

	while (rig_hear(r, p, &m))
		if (m.id == 6 && n < max)
			q[n++] = (struct asked){ m.index, m.begin, m.length };
	return n;
}

/* Give all that is asked, for so many rounds. */
static void
give(struct rig *r, struct rig_peer *p, unsigned rounds)
{
	static struct asked q[600];

	for (unsigned i = 0; i < rounds && !p->closed; i++) {
		unsigned n = hear_all(r, p, q, 600);

		for (unsigned j = 0; j < n; j++)
			rig_block(r, p, q[j].piece, q[j].begin, q[j].len, 0);
		rig_wait(r, BT_MSEC(50));
	}
}

static struct rig *
bench(uint64_t size, uint32_t piece, size_t memory)
{
	struct bt_torrent_conf c = rig_conf();

	c.memory = memory;
	return rig_new(size, piece, false, &c);
}

static struct rig_peer *
seed(struct rig *r, unsigned i)
{
	struct rig_peer *p = rig_peer(r, i, true);

	MSG0(r, p, 14);
	MSG0(r, p, 1);
	return p;
}

static void
nothing_is_begun_beyond_the_ceiling(void **state)
{
	struct rig *r = bench(16 * MIB, MIB, 4 * MIB);
	struct rig_peer *p[8];
	struct rig_said m;
	bool begun[16] = { false };
	unsigned n = 0;

	(void)state;
	r->hold_jobs = true; /* a disk that never answers */
	for (unsigned i = 0; i < 8; i++)
		p[i] = seed(r, i + 1);
	for (unsigned round = 0; round < 40; round++)
		for (unsigned i = 0; i < 8; i++)
			while (rig_hear(r, p[i], &m))
				if (m.id == 6) {
					begun[m.index] = true;
					rig_block(r, p[i], m.index, m.begin,
					    m.length, 0);
				}
	for (unsigned i = 0; i < 16; i++)
		n += begun[i];
	assert_in_range(n, 1, 4);
	assert_in_range(r->memory_peak, 1, 4 * MIB);
	r->hold_jobs = false;
	for (unsigned i = 0; i < 8; i++)
		give(r, p[i], 100);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 16 * MIB);
	assert_in_range(r->memory_peak, 1, 4 * MIB);
	rig_free(r);
}

static void
nothing_is_begun_while_the_disk_is_behind(void **state)
{
	struct rig *r = bench(64 * MIB, MIB, 64 * MIB);
	struct rig_peer *p = seed(r, 1);
	struct rig_said m;
	size_t got = 0;

	(void)state;
	r->hold_jobs = true;
	while (rig_hear(r, p, &m))
		if (m.id == 6) {
			rig_block(r, p, m.index, m.begin, m.length, 0);
			got += m.length;
		}
	/* eight MiB of backlog, and what was asked before it grew so */
	assert_in_range(got, 8 * MIB, 17 * MIB);
	r->hold_jobs = false;
	give(r, p, 60);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	rig_free(r);
}

/*
 * All but the first block of each piece comes, so that no piece ends: beyond
 * half of the ceiling nothing is begun for who owes us those first blocks, and
 * up to the ceiling for who owes nothing.
 */
static void
the_upper_half_of_memory_is_for_peers_that_would_be_idle(void **state)
{
	struct rig *r = bench(64 * MIB, MIB, 32 * MIB);
	struct rig_peer *p[2] = { seed(r, 1) };
	bool begun[2][64] = { { false } };
	unsigned n[2] = { 0 };
	struct rig_said m;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		if (i == 1)
			p[1] = seed(r, 2);
		while (rig_hear(r, p[i], &m)) {
			if (m.id != 6)
				continue;
			n[i] += !begun[i][m.index];
			begun[i][m.index] = true;
			if (m.begin > 0)
				rig_block(
				    r, p[i], m.index, m.begin, m.length, 0);
		}
	}
	assert_int_equal(n[0], 16);
	assert_in_range(n[1], 4, 16);
	assert_in_range(r->memory_peak, 20 * MIB, 32 * MIB);
	rig_free(r);
}

/* Windows of 500 each would be 48 MiB on their way. */
static void
what_is_asked_of_all_together_is_bounded(void **state)
{
	struct rig *r = bench(128 * MIB, 256 << 10, 16 * MIB);
	static struct asked q[6][1000];
	unsigned n[6] = { 0 }, out = 0;
	struct rig_peer *p[6];

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		p[i] = seed(r, i + 1);
	for (unsigned round = 0; round < 9; round++)
		for (unsigned i = 0; i < 6; i++) {
			for (unsigned j = 0; round > 0 && j < n[i]; j++)
				rig_block(r, p[i], q[i][j].piece, q[i][j].begin,
				    q[i][j].len, 0);
			n[i] = hear_all(r, p[i], q[i], 1000);
		}
	for (unsigned i = 0; i < 6; i++) {
		assert_true(n[i] >= 4);
		out += n[i];
	}
	/* 3/8 of the ceiling, and four blocks a peer */
	assert_in_range(out, 200, 6 * MIB / BLOCK + 6 * 4);
	rig_free(r);
}

static void
a_piece_above_the_ceiling_is_written_in_blocks_and_read_back(void **state)
{
	struct rig *r = bench(9 * MIB + 5, 4 * MIB, MIB);
	struct rig_peer *p = seed(r, 1);

	(void)state;
	give(r, p, 300);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 9 * MIB + 5);
	assert_int_equal(r->stores, 0);
	assert_int_equal(r->verifies, 3);
	assert_int_equal(r->writes, 9 * 64 + 1);
	assert_in_range(r->memory_peak, 1, MIB);
	rig_free(r);
}

static void
a_slow_disk_does_not_break_the_ceiling_of_blocks(void **state)
{
	struct rig *r = bench(9 * MIB, 4 * MIB, MIB);
	struct rig_peer *p[4];
	static struct asked q[600];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		p[i] = seed(r, i + 1);
	r->hold_jobs = true;
	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < 4; i++) {
			unsigned n = hear_all(r, p[i], q, 600);

			for (unsigned j = 0; j < n; j++)
				rig_block(r, p[i], q[j].piece, q[j].begin,
				    q[j].len, 0);
		}
	assert_in_range(r->memory_peak, MIB / 2, MIB);
	r->hold_jobs = false;
	for (unsigned i = 0; i < 300; i++)
		give(r, p[i % 4], 1);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 9 * MIB);
	rig_free(r);
}

/* Has one piece, gives some blocks of it and goes. */
static void
leave_begun(struct rig *r, unsigned i, uint32_t piece, unsigned blocks)
{
	struct rig_peer *p = rig_peer(r, i, true);
	struct rig_said m;

	MSG0(r, p, 15);
	MSG(r, p, 4, piece);
	MSG0(r, p, 1);
	while (blocks > 0) {
		assert_true(rig_hear(r, p, &m));
		if (m.id != 6)
			continue;
		rig_block(r, p, m.index, m.begin, m.length, 0);
		blocks--;
	}
	/* and half of another */
	while (rig_hear(r, p, &m) && m.id != 6)
		;
	if (m.id == 6) {
		uint8_t head[13];

		bt_put_be32(head, 9 + m.length);
		head[4] = 7;
		bt_put_be32(head + 5, m.index);
		bt_put_be32(head + 9, m.begin);
		rig_raw(r, p, head, 13);
		rig_raw(r, p, r->content + m.begin, 1000);
	}
	bt_torrent_on_closed(r->t, p->slot, r->now);
	rig_step(r);
}

static void
the_coldest_piece_makes_room_when_all_are_stalled(void **state)
{
	struct rig *r = bench(5 * MIB, MIB, 2 * MIB);
	struct rig_peer *p;

	(void)state;
	leave_begun(r, 1, 3, 10);
	rig_wait(r, BT_SEC(1));
	leave_begun(r, 2, 1, 5);
	/* a third can give another piece alone */
	p = rig_peer(r, 3, true);
	MSG0(r, p, 15);
	MSG(r, p, 4, 0);
	MSG0(r, p, 1);
	assert_int_equal(rig_count(r, p, 6), 0);
	rig_wait(r, BT_SEC(9));
	assert_int_equal(r->writes, 0);
	rig_wait(r, BT_SEC(6));
	assert_int_not_equal(r->writes, 0);
	assert_int_not_equal(rig_count(r, p, 6), 0);
	bt_torrent_on_closed(r->t, p->slot, r->now);
	/* one who has all ends it */
	p = seed(r, 4);
	give(r, p, 400);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 5 * MIB);
	assert_int_equal(r->verifies, 1);
	assert_int_equal(r->stores, 4);
	assert_in_range(r->memory_peak, MIB, 2 * MIB + 16 * BLOCK);
	rig_free(r);
}

/* One that is in the middle of a block keeps what it has when its piece is
 * written out. */
static void
a_block_that_is_coming_in_survives_the_spill(void **state)
{
	struct rig *r = bench(5 * MIB, MIB, 2 * MIB);
	struct rig_peer *slow = rig_peer(r, 1, false), *p;
	struct rig_said m;
	uint8_t head[13];

	(void)state;
	MSG(r, slow, 4, 3);
	MSG0(r, slow, 1);
	rig_hear(r, slow, &m);
	rig_hear(r, slow, &m);
	assert_int_equal(m.id, 6);
	bt_put_be32(head, 9 + BLOCK);
	head[4] = 7;
	bt_put_be32(head + 5, 3);
	bt_put_be32(head + 9, m.begin);
	rig_raw(r, slow, head, 13);
	rig_raw(r, slow, r->content + 3 * MIB + m.begin, 5000);
	leave_begun(r, 2, 1, 5);
	p = rig_peer(r, 3, true);
	MSG0(r, p, 15);
	MSG(r, p, 4, 0);
	MSG0(r, p, 1);
	rig_wait(r, BT_SEC(80)); /* snubbed, stalled, and both spilled */
	assert_int_not_equal(rig_count(r, p, 6), 0);
	rig_raw(r, slow, r->content + 3 * MIB + m.begin + 5000, BLOCK - 5000);
	rig_step(r);
	assert_false(slow->closed);
	bt_torrent_on_closed(r->t, slow->slot, r->now);
	bt_torrent_on_closed(r->t, p->slot, r->now);
	rig_step(r);
	assert_int_equal(bt_torrent_stats(r->t, r->now).wasted, 1000);
	p = seed(r, 4);
	give(r, p, 400);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 5 * MIB);
	rig_free(r);
}

static void
memory_is_given_back_when_all_is_done(void **state)
{
	struct rig *r = bench(9 * MIB, 256 << 10, 0);
	struct rig_peer *p = seed(r, 1);

	(void)state;
	give(r, p, 100);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_int_not_equal(r->memory_peak, 0);
	rig_wait(r, BT_SEC(5));
	assert_int_equal(bt_torrent_stats(r->t, r->now).memory, 0);
	rig_free(r);
}

static void
a_spilled_piece_that_is_bad_goes_back(void **state)
{
	struct rig *r = bench(4 * MIB, 2 * MIB, MIB);
	struct rig_peer *p = seed(r, 1);
	struct rig_said m;
	unsigned n = 0;

	(void)state;
	while (!p->closed && rig_hear(r, p, &m))
		if (m.id == 6)
			rig_block(r, p, m.index, m.begin, m.length, n++ == 7);
	assert_true(p->closed);
	assert_int_equal(rig_logged(r, BT_FX_BAN), 1);
	p = seed(r, 2);
	give(r, p, 200);
	assert_int_equal(rig_logged(r, BT_FX_DONE), 1);
	assert_memory_equal(r->disk, r->content, 4 * MIB);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_begun_beyond_the_ceiling),
		cmocka_unit_test(nothing_is_begun_while_the_disk_is_behind),
		cmocka_unit_test(
		    the_upper_half_of_memory_is_for_peers_that_would_be_idle),
		cmocka_unit_test(what_is_asked_of_all_together_is_bounded),
		cmocka_unit_test(
		    a_piece_above_the_ceiling_is_written_in_blocks_and_read_back),
		cmocka_unit_test(
		    a_slow_disk_does_not_break_the_ceiling_of_blocks),
		cmocka_unit_test(
		    the_coldest_piece_makes_room_when_all_are_stalled),
		cmocka_unit_test(a_block_that_is_coming_in_survives_the_spill),
		cmocka_unit_test(memory_is_given_back_when_all_is_done),
		cmocka_unit_test(a_spilled_piece_that_is_bad_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
