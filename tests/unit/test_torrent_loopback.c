#include "torrent_rig.h"

/* Two torrents wired to each other in memory: what one sends the other gets. */
struct wire {
	struct rig *a, *b; /* b dialled a */
	uint64_t slot_a, slot_b;
	size_t most; /* bytes in one go */
};

static struct wire
connect(struct rig *a, struct rig *b, size_t most)
{
	struct bt_addr to = rig_addr(1), from = rig_addr(2);
	struct wire w = { .a = a, .b = b, .most = most };
	struct rig_peer *p;

	bt_torrent_add_peers(b->t, &to, 1, false, b->now);
	rig_wait(b, 0);
	assert_true(bt_addr_eq(&b->dialled, &to));
	w.slot_b = b->dialled_slot;
	bt_torrent_on_connected(b->t, w.slot_b, b->now);
	w.slot_a = bt_torrent_on_accepted(a->t, &from, a->now);
	p = &a->peers[a->npeers++];
	*p = (struct rig_peer){ .slot = w.slot_a };
	return w;
}

/* Pass bytes on, as many as there are up to most; a closed end ends both. */
static bool
pass(struct rig *from, uint64_t slot, struct rig *to, uint64_t to_slot,
    size_t most)
{
	struct rig_peer *p = rig_of(from, slot), *q = rig_of(to, to_slot);
	size_t n = p->nout < most ? p->nout : most;

	if (n > 0) {
		rig_raw(to, q, p->out, n);
		memmove(p->out, p->out + n, p->nout - n);
		p->nout -= n;
	}
	if (p->closed && !q->closed)
		bt_torrent_on_closed(to->t, to_slot, to->now);
	return n > 0;
}

static void
run(struct wire *w, int64_t us)
{
	int64_t end = w->a->now + us;
	bool busy;

	while (w->a->now < end) {
		rig_step(w->a);
		rig_step(w->b);
		busy = pass(w->a, w->slot_a, w->b, w->slot_b, w->most);
		busy |= pass(w->b, w->slot_b, w->a, w->slot_a, w->most);
		if (busy)
			continue;
		rig_wait(w->a, BT_MSEC(50));
		rig_wait(w->b, BT_MSEC(50));
	}
}

static void
transfer(uint64_t size, uint32_t piece_length, size_t most, size_t memory)
{
	struct bt_torrent_conf conf = rig_conf();
	struct rig *a, *b;
	struct wire w;

	a = rig_new(size, piece_length, true, &conf);
	memcpy(conf.peer_id, "-RG0001-leechleechle", 20);
	conf.memory = memory;
	b = rig_new(size, piece_length, false, &conf);
	w = connect(a, b, most);
	run(&w, BT_SEC(3));
	assert_true(bt_torrent_stats(b->t, b->now).is_done);
	assert_memory_equal(b->disk, b->content, size);
	assert_int_equal(rig_logged(b, BT_FX_DONE), 1);
	assert_int_equal(rig_logged(b, BT_FX_PIECE), b->l->pieces);
	assert_int_equal(rig_logged(b, BT_FX_FILE), 1);
	/* nothing came twice */
	assert_int_equal(bt_torrent_stats(b->t, b->now).down, size);
	assert_int_equal(bt_torrent_stats(a->t, a->now).up, size);
	assert_int_equal(bt_torrent_stats(b->t, b->now).wasted, 0);
	/* and two seeds part */
	assert_int_equal(bt_torrent_stats(a->t, a->now).peers, 0);
	assert_int_equal(bt_torrent_stats(b->t, b->now).peers, 0);
	assert_int_equal(bt_torrent_stats(b->t, b->now).memory, 0);
	rig_free(a);
	rig_free(b);
}

static void
a_leech_gets_all_from_a_seed_once(void **state)
{
	(void)state;
	transfer(3000001, 65536, SIZE_MAX, 0);
}

static void
a_torrent_of_one_short_block_passes(void **state)
{
	(void)state;
	transfer(1, 16384, SIZE_MAX, 0);
}

static void
pieces_smaller_than_a_block_pass(void **state)
{
	(void)state;
	transfer(100000, 1000, SIZE_MAX, 0);
}

static void
small_segments_change_nothing(void **state)
{
	(void)state;
	transfer(300001, 65536, 1, 0);
	transfer(300001, 65536, 7, 0);
	transfer(300001, 65536, 1460, 0);
}

static void
a_ceiling_below_a_piece_still_finishes(void **state)
{
	(void)state;
	transfer(9000001, 4u << 20, 65536, 1u << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leech_gets_all_from_a_seed_once),
		cmocka_unit_test(a_torrent_of_one_short_block_passes),
		cmocka_unit_test(pieces_smaller_than_a_block_pass),
		cmocka_unit_test(small_segments_change_nothing),
		cmocka_unit_test(a_ceiling_below_a_piece_still_finishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
