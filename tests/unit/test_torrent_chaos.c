#include "torrent_rig.h"

/*
 * Peers that do anything at any time, cut into any segments, over a small
 * ceiling; the invariants are checked after each step by the bench. In the end
 * an honest peer comes, and all must be whole. A failing seed is printed.
 */

#define BLOCK BT_BLOCK_LEN
#define ACTORS 6u
#define STEPS 1500u
#define OUT_MAX 512u

struct actor {
	struct rig_peer *p; /* NULL: gone */
	struct {
		uint32_t piece, begin, len;
	} q[OUT_MAX];
	unsigned nq; /* requests that it has not answered */
	bool fast, liar;
	unsigned born;
	uint8_t half[13 + BLOCK]; /* a block that it is in the middle of */
	size_t nhalf, athalf;
};

struct chaos {
	struct rig *r;
	struct bt_rng rng;
	struct actor a[ACTORS];
	unsigned born;
	bool lied[64]; /* by the order of birth, which is the address */
};

static uint32_t
below(struct chaos *c, uint32_t n)
{
	return bt_rng_below(&c->rng, n);
}

static void
hear(struct chaos *c, struct actor *a)
{
	struct rig_said m;

	while (!a->p->closed && rig_hear(c->r, a->p, &m)) {
		if (m.id == 6 && a->nq < OUT_MAX) {
			a->q[a->nq].piece = m.index;
			a->q[a->nq].begin = m.begin;
			a->q[a->nq++].len = m.length;
		}
		if (m.id != 8 || a->nhalf > 0 || below(c, 2) == 0)
			continue;
		for (unsigned i = 0; i < a->nq; i++) /* heed the cancel */
			if (a->q[i].piece == m.index &&
			    a->q[i].begin == m.begin) {
				a->q[i] = a->q[--a->nq];
				if (a->fast)
					MSG(c->r, a->p, 16, m.index, m.begin,
					    m.length);
				break;
			}
	}
}

static void
finish_half(struct chaos *c, struct actor *a, size_t n)
{
	if (n > a->nhalf - a->athalf)
		n = a->nhalf - a->athalf;
	rig_raw(c->r, a->p, a->half + a->athalf, n);
	a->athalf += n;
	if (a->athalf == a->nhalf)
		a->nhalf = 0;
}

static void
answer(struct chaos *c, struct actor *a)
{
	unsigned i = below(c, 3) == 0 ? below(c, a->nq) : 0;
	uint32_t len = a->q[i].len;

	bt_put_be32(a->half, 9 + len);
	a->half[4] = 7;
	bt_put_be32(a->half + 5, a->q[i].piece);
	bt_put_be32(a->half + 9, a->q[i].begin);
	memcpy(a->half + 13,
	    c->r->content +
		bt_layout_offset(c->r->l, a->q[i].piece, a->q[i].begin),
	    len);
	if (a->liar && below(c, 4) == 0) {
		a->half[13 + below(c, len)] ^= 1;
		c->lied[a->born] = true;
	}
	memmove(a->q + i, a->q + i + 1, (--a->nq - i) * sizeof(a->q[0]));
	a->nhalf = 13 + len;
	a->athalf = 0;
	finish_half(c, a, below(c, 3) == 0 ? below(c, 13 + len) : SIZE_MAX);
}

static void
refuse(struct chaos *c, struct actor *a)
{
	unsigned i = below(c, a->nq);

	if (a->fast)
		MSG(c->r, a->p, 16, a->q[i].piece, a->q[i].begin, a->q[i].len);
	a->q[i] = a->q[--a->nq];
}

static void
choke(struct chaos *c, struct actor *a, bool choked)
{
	MSG0(c->r, a->p, choked ? 0 : 1);
	if (!choked)
		return;
	if (a->fast && below(c, 4) > 0)
		while (a->nq > 0 && !a->p->closed)
			refuse(c, a);
	if (!a->fast && below(c, 2) == 0)
		a->nq = 0;
}

static void
be_born(struct chaos *c, struct actor *a)
{
	uint8_t bits[64] = { 0, 0, 0, 0, 5 };
	uint32_t n = c->r->l->pieces, bytes = (n + 7) / 8;
	unsigned kind = below(c, 4);

	memset(a, 0, sizeof(*a));
	if (c->r->npeers == RIG_PEERS || c->born >= 55)
		return;
	a->fast = below(c, 2) == 0;
	a->liar = below(c, 5) == 0;
	a->born = ++c->born;
	a->p = rig_accept(c->r, a->born);
	rig_hello(c->r, a->p, (uint8_t)c->born, a->fast, below(c, 2) == 0);
	rig_hear_hello(c->r, a->p);
	if (kind == 0 && a->fast) {
		MSG0(c->r, a->p, 14);
	} else if (kind != 1) {
		bt_put_be32(bits, 1 + bytes);
		for (uint32_t i = 0; i < n; i++)
			if (kind == 2 || below(c, 2) == 0)
				bits[5 + i / 8] |= (uint8_t)(0x80 >> i % 8);
		rig_raw(c->r, a->p, bits, 5 + bytes);
	}
}

static void
act(struct chaos *c, struct actor *a)
{
	struct rig *r = c->r;
	uint32_t n = r->l->pieces;

	if (a->p == NULL || a->p->closed) {
		be_born(c, a);
		return;
	}
	hear(c, a);
	if (a->p->closed)
		return;
	if (a->nhalf > 0) {
		finish_half(c, a, 1 + below(c, 9000));
		return;
	}
	switch (below(c, 24)) {
	case 0:
		choke(c, a, true);
		break;
	case 1:
	case 2:
		choke(c, a, false);
		break;
	case 3:
	case 4:
		MSG(r, a->p, 4, below(c, n));
		break;
	case 5:
		MSG0(r, a->p, 2 + below(c, 2));
		break;
	case 6:
		MSG(r, a->p, 6, below(c, n), 0, BLOCK);
		break;
	case 7:
		MSG(r, a->p, 8, below(c, n), 0, BLOCK);
		break;
	case 8:
		if (a->fast)
			MSG(r, a->p, below(c, 2) == 0 ? 13 : 17, below(c, n));
		break;
	case 9:
		if (a->nq > 0)
			refuse(c, a);
		break;
	case 10:
		if (below(c, 6) == 0)
			bt_torrent_on_closed(r->t, a->p->slot, r->now);
		break;
	case 11:
		if (a->nq > 0 && below(c, 3) == 0) /* twice the same */
			rig_block(r, a->p, a->q[0].piece, a->q[0].begin,
			    a->q[0].len, 0);
		break;
	default:
		if (a->nq > 0)
			answer(c, a);
		break;
	}
}

static void
end_well(struct chaos *c)
{
	struct rig *r = c->r;
	struct rig_peer *p;
	struct rig_said m;

	r->hold_jobs = false;
	for (unsigned i = 0; i < ACTORS; i++)
		if (c->a[i].p != NULL && !c->a[i].p->closed)
			bt_torrent_on_closed(r->t, c->a[i].p->slot, r->now);
	rig_step(r);
	if (bt_torrent_stats(r->t, r->now).is_done)
		return;
	p = rig_peer(r, 200, true);
	MSG0(r, p, 14);
	MSG0(r, p, 1);
	for (unsigned i = 0; i < 400 && !p->closed; i++) {
		while (!p->closed && rig_hear(r, p, &m))
			if (m.id == 6)
				rig_block(r, p, m.index, m.begin, m.length, 0);
		rig_wait(r, BT_MSEC(200));
	}
}

static bool
is_whole(const struct rig *r)
{
	return memcmp(r->disk, r->content, r->l->size) == 0;
}

static void
play(uint64_t seed, uint64_t size, uint32_t piece, size_t memory)
{
	struct bt_torrent_conf conf = rig_conf();
	struct chaos *c = bt_mem_zero(1, sizeof(*c));

	print_message("seed %u\n", (unsigned)seed);
	bt_rng_seed(&c->rng, seed);
	conf.seed = seed;
	conf.memory = memory;
	conf.slots = 2;
	c->r = rig_new(size, piece, false, &conf);
	for (unsigned i = 0; i < STEPS; i++) {
		c->r->hold_jobs = below(c, 3) == 0;
		act(c, &c->a[below(c, ACTORS)]);
		rig_step(c->r);
		if (below(c, 3) == 0)
			rig_wait(c->r,
			    below(c, below(c, 20) == 0 ? 40000000 : 400000));
	}
	end_well(c);
	assert_int_equal(rig_logged(c->r, BT_FX_DONE), 1);
	assert_true(is_whole(c->r));
	assert_int_equal(bt_torrent_stats(c->r->t, c->r->now).jobs, 0);
	for (unsigned i = 0; i < c->r->nlog; i++) /* the innocent are not */
		if (c->r->log[i].kind == BT_FX_BAN)
			assert_true(c->lied[c->r->log[i].addr.ip[3]]);
	rig_free(c->r);
	bt_mem_free(c);
}

static void
whatever_peers_do_the_content_becomes_whole(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 12; i++)
		play(i, 240 * BLOCK + 100, 4 * BLOCK, 0);
}

static void
so_it_does_under_a_small_ceiling(void **state)
{
	(void)state;
	for (uint64_t i = 21; i <= 30; i++)
		play(i, 240 * BLOCK + 100, 8 * BLOCK, 24 * BLOCK);
}

static void
and_with_pieces_above_the_ceiling(void **state)
{
	(void)state;
	for (uint64_t i = 41; i <= 48; i++)
		play(i, 240 * BLOCK + 100, 20 * BLOCK, 16 * BLOCK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_peers_do_the_content_becomes_whole),
		cmocka_unit_test(so_it_does_under_a_small_ceiling),
		cmocka_unit_test(and_with_pieces_above_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
