/* core/ahead: one receive fills the blocks that come next where they belong. */

#include "torrent_rig.h"

#define BLOCK BT_BLOCK_LEN
#define PIECE (4u * BLOCK)
#define SIZE (8u * PIECE)

/* A seed that unchokes us, and what we asked it for. */
struct source {
	struct rig *r;
	struct rig_peer *p;
	struct rig_said asked[64];
	unsigned n;
};

static void
hear_requests(struct source *s)
{
	struct rig_said m;

	while (rig_hear(s->r, s->p, &m))
		if (m.id == 6 && s->n < 64)
			s->asked[s->n++] = m;
}

static struct source
source_new(void)
{
	struct source s = { .r = rig_new(SIZE, PIECE, false, NULL) };

	s.r->hold_jobs = true;
	s.p = rig_peer(s.r, 1, true);
	RAW(s.r, s.p, "\0\0\0\1\016"); /* have all */
	RAW(s.r, s.p, "\0\0\0\1\1");   /* unchoke */
	hear_requests(&s);
	assert_true(s.n >= 4);
	return s;
}

static void
give(struct source *s, unsigned i)
{
	rig_block(s->r, s->p, s->asked[i].index, s->asked[i].begin,
	    s->asked[i].length, 0);
	hear_requests(s);
}

/* The bytes of request i as they go on the wire. */
static size_t
put_block(const struct source *s, uint8_t *to, unsigned i)
{
	const struct rig_said *m = &s->asked[i];

	bt_put_be32(to, 9 + m->length);
	to[4] = 7;
	bt_put_be32(to + 5, m->index);
	bt_put_be32(to + 9, m->begin);
	memcpy(to + 13,
	    s->r->content + bt_layout_offset(s->r->l, m->index, m->begin),
	    m->length);
	return 13 + m->length;
}

/* *to has places that point into itself: it stays where it is. */
static void
lend(struct source *s, size_t most, struct bt_lend *to)
{
	static uint8_t scratch[256u << 10];
	struct bt_place place = { scratch, sizeof(scratch) };

	bt_torrent_rx_space(s->r->t, s->p->slot, place, most, to);
}

/* Fill the places with bytes, as readv() would. */
static void
receive(struct source *s, const struct bt_lend *to, const uint8_t *p, size_t n)
{
	size_t at = 0, k;

	for (unsigned i = 0; at < n; i++, at += k) {
		assert_true(i < to->n);
		k = to->places[i].n < n - at ? to->places[i].n : n - at;
		memcpy(to->places[i].p, p + at, k);
	}
	bt_torrent_rx(s->r->t, s->p->slot, to, n, s->r->now);
	rig_drain(s->r);
}

static size_t
sum_of(const struct bt_lend *to)
{
	size_t sum = 0;

	for (unsigned i = 0; i < to->n; i++)
		sum += to->places[i].n;
	return sum;
}

/* After the first block, which opens the piece: head, block, head, block ... */
static void
heads_and_blocks_are_lent_in_the_order_asked(void **state)
{
	struct source s = source_new();
	struct bt_lend to;
	uint8_t *bytes = bt_mem_alloc(3 * (BLOCK + 13));
	const uint8_t *data;
	size_t n = 0;

	(void)state;
	give(&s, 0);
	lend(&s, 256u << 10, &to);
	assert_int_equal(to.n, 7);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(to.places[2 * i].n, 13);
		assert_int_equal(to.places[2 * i + 1].n, BLOCK);
		n += put_block(&s, bytes + n, 1 + i);
	}
	assert_int_equal(s.asked[3].index, s.asked[0].index);
	receive(&s, &to, bytes, n);
	/* the piece is whole, and lies where the places were */
	assert_int_equal(s.r->njobs, 1);
	data = s.r->jobs[0].job.data;
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(
		    to.places[2 * i + 1].p, data + s.asked[1 + i].begin);
	assert_memory_equal(data,
	    s.r->content + bt_layout_offset(s.r->l, s.asked[0].index, 0),
	    PIECE);
	bt_mem_free(bytes);
	rig_free(s.r);
}

static void
a_head_that_has_begun_is_lent_its_rest(void **state)
{
	struct source s = source_new();
	uint8_t bytes[13 + BLOCK];
	struct bt_lend to;

	(void)state;
	give(&s, 0);
	put_block(&s, bytes, 1);
	rig_raw(s.r, s.p, bytes, 6);
	lend(&s, 256u << 10, &to);
	assert_int_equal(to.places[0].n, 7);
	assert_int_equal(to.places[1].n, BLOCK);
	receive(&s, &to, bytes + 6, 7 + 100);
	lend(&s, 256u << 10, &to);
	assert_int_equal(to.places[0].n, BLOCK - 100);
	assert_int_equal(to.places[1].n, 13);
	rig_free(s.r);
}

static void
a_message_of_another_kind_that_has_begun_foresees_nothing(void **state)
{
	struct source s = source_new();
	struct bt_lend to;

	(void)state;
	give(&s, 0);
	RAW(s.r, s.p, "\0\0\0\5\4\0"); /* a have, cut */
	lend(&s, 256u << 10, &to);
	assert_int_equal(to.n, 1);
	rig_free(s.r);
}

static void
no_more_is_lent_than_may_be_received(void **state)
{
	struct source s = source_new();
	struct bt_lend to;

	(void)state;
	give(&s, 0);
	for (size_t most = 1; most < 4 * BLOCK; most += 1 + most / 7) {
		lend(&s, most, &to);
		assert_int_equal(sum_of(&to), most);
		assert_int_equal(to.kinds[to.n - 1], BT_LEND_SCRATCH);
	}
	rig_free(s.r);
}

/* All three at once, with a have in front, between, and cut by a head. */
static void
what_was_not_foreseen_is_read_all_the_same(void **state)
{
	static const unsigned orders[][3] = { { 1, 2, 3 }, { 3, 2, 1 },
		{ 2, 1, 3 }, { 3, 1, 2 } };

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (unsigned where = 0; where <= 3; where++) {
			struct source s = source_new();
			uint8_t *bytes = bt_mem_alloc(3 * (BLOCK + 13) + 9);
			struct bt_lend to;
			size_t n = 0;

			give(&s, 0);
			for (unsigned k = 0; k < 3; k++) {
				if (k == where) {
					memcpy(
					    bytes + n, "\0\0\0\5\4\0\0\0\1", 9);
					n += 9;
				}
				n += put_block(&s, bytes + n, orders[i][k]);
			}
			lend(&s, 256u << 10, &to);
			receive(&s, &to, bytes, n);
			assert_int_equal(s.r->njobs, 1);
			assert_memory_equal(s.r->jobs[0].job.data,
			    s.r->content +
				bt_layout_offset(s.r->l, s.asked[0].index, 0),
			    PIECE);
			assert_int_equal(
			    bt_torrent_stats(s.r->t, s.r->now).wasted, 0);
			bt_mem_free(bytes);
			rig_free(s.r);
		}
}

/* Peers whose order cannot be foreseen cost little more than a plain copy. */
static void
half_as_much_is_foreseen_after_a_misfit(void **state)
{
	struct source s = source_new();
	uint8_t bytes[13 + BLOCK];
	struct bt_lend to;
	size_t n;

	(void)state;
	give(&s, 0);
	for (unsigned i = 0; i < 4; i++) { /* 16, 8, 4, 2 */
		lend(&s, 256u << 10, &to);
		receive(&s, &to,
		    (const uint8_t *)"\0\0\0\5\4\0\0\0\1"
				     "\0\0\0\5\4\0\0\0\1",
		    18);
	}
	lend(&s, 256u << 10, &to);
	assert_int_equal(to.n, 3); /* a head, a block, scratch */
	n = put_block(&s, bytes, 1);
	receive(&s, &to, bytes, n);
	lend(&s, 256u << 10, &to);
	assert_int_equal(to.n, 5); /* and more again when it was right */
	rig_free(s.r);
}

/* A place is not lent while another peer fills it. */
static void
a_place_that_somebody_fills_is_not_lent(void **state)
{
	struct source s = source_new();
	struct rig_peer *q;
	uint8_t bytes[13 + BLOCK];
	struct bt_lend to;
	struct rig_said m;

	(void)state;
	for (unsigned i = 0; i < 31; i++)
		give(&s, i); /* all but the last block */
	q = rig_peer(s.r, 2, true);
	RAW(s.r, q, "\0\0\0\1\016");
	RAW(s.r, q, "\0\0\0\1\1");
	rig_wait(s.r, BT_SEC(1)); /* endgame: it is asked of both */
	assert_true(rig_hear(s.r, q, &m));
	while (m.id != 6)
		assert_true(rig_hear(s.r, q, &m));
	put_block(&s, bytes, 31);
	rig_raw(s.r, q, bytes, 100);
	lend(&s, 256u << 10, &to);
	assert_int_equal(to.n, 1);
	rig_free(s.r);
}

/* Lending takes kept buffers only, and gives back what was not used. */
static void
lending_changes_no_memory(void **state)
{
	struct source s = source_new();
	size_t memory;
	struct bt_lend to;
	unsigned blocks = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		give(&s, i);
	s.r->hold_jobs = false;
	rig_step(s.r); /* the first piece is stored: its buffer is kept */
	hear_requests(&s);
	memory = bt_torrent_stats(s.r->t, s.r->now).memory;
	assert_int_equal(memory, PIECE);
	for (unsigned i = 0; i < 3; i++) {
		lend(&s, 256u << 10, &to);
		for (unsigned k = 0; k < to.n; k++)
			blocks += to.kinds[k] == BT_LEND_BLOCK;
		bt_torrent_rx(s.r->t, s.p->slot, &to, 0, s.r->now);
		assert_int_equal(
		    bt_torrent_stats(s.r->t, s.r->now).memory, memory);
		assert_true(bt_torrent_check(s.r->t));
	}
	assert_int_equal(blocks, 3 * 4); /* of one piece, each time anew */
	rig_free(s.r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_and_blocks_are_lent_in_the_order_asked),
		cmocka_unit_test(a_head_that_has_begun_is_lent_its_rest),
		cmocka_unit_test(
		    a_message_of_another_kind_that_has_begun_foresees_nothing),
		cmocka_unit_test(no_more_is_lent_than_may_be_received),
		cmocka_unit_test(what_was_not_foreseen_is_read_all_the_same),
		cmocka_unit_test(half_as_much_is_foreseen_after_a_misfit),
		cmocka_unit_test(a_place_that_somebody_fills_is_not_lent),
		cmocka_unit_test(lending_changes_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
