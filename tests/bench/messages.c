/*
 * messages PEERS PIECES
 *
 * What the core does for one message, by how many peers a torrent has and how
 * many pieces: nothing of it may grow with either. Random peers tell of random
 * pieces, and say that they are interested and that they are not. One line:
 *
 *	messages peers=N pieces=N have_ns=N interest_ns=N
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "base/rng.h"
#include "core/torrent.h"
#include "rig.h"

#define MESSAGES 200000u
#define PIECE 16384u

struct box {
	struct bt_layout *layout;
	struct bt_torrent *t;
	uint64_t *slots;
	uint32_t peers;
	int64_t now;
	struct bt_rng rng;
};

static void
drain(struct box *b)
{
	struct bt_effect fx;
	struct bt_tx tx;

	while (bt_torrent_next_effect(b->t, &fx))
		while (fx.kind == BT_FX_SEND &&
		       bt_torrent_tx(b->t, fx.slot, &tx, b->now))
			bt_torrent_tx_done(b->t, fx.slot, tx.head.n, b->now);
}

static void
say(struct box *b, uint32_t peer, const void *p, size_t n)
{
	bt_torrent_rx_bytes(
	    b->t, b->slots[peer], (struct bt_str){ p, n }, b->now);
	drain(b);
}

static struct bt_layout *
layout_new(uint32_t pieces)
{
	struct bt_meta m = { .has_v1 = true,
		.size = (uint64_t)pieces * PIECE,
		.piece_length = PIECE,
		.pieces = pieces,
		.single = true,
		.name = STR("content"),
		.files = bt_filetab_new() };
	uint8_t *hashes = bt_mem_zero(pieces, 20);
	struct bt_layout *l;

	m.piece_hashes = hashes;
	bt_filetab_add(m.files, m.size, 0, m.name);
	l = bt_layout_new(&m);
	bt_filetab_free(m.files);
	bt_mem_free(hashes);
	return l;
}

/* A leech with so many peers that have nothing yet. */
static void
fill(struct box *b, uint32_t peers, uint32_t pieces)
{
	struct bt_torrent_conf conf = { .seed = 1, .peers_max = peers };
	uint8_t hello[68] = "\023BitTorrent protocol", ip[4] = { 10 };
	struct bt_addr a;

	b->now = 1000000000;
	b->peers = peers;
	b->layout = layout_new(pieces);
	conf.layout = b->layout;
	b->t = bt_torrent_new(&conf, b->now);
	b->slots = bt_mem_zero(peers, sizeof(*b->slots));
	bt_rng_seed(&b->rng, 3);
	hello[27] = 4; /* BEP 6 */
	for (uint32_t i = 0; i < peers; i++) {
		bt_put_be32(hello + 60, i + 1);
		memcpy(ip + 1, hello + 61, 3);
		a = bt_addr_v4(ip, 6881);
		b->slots[i] = bt_torrent_on_accepted(b->t, &a, b->now);
		say(b, i, hello, sizeof(hello));
		say(b, i, "\0\0\0\1\017", 5); /* have none */
	}
	bt_torrent_tick(b->t, b->now);
	drain(b);
}

int
main(int argc, char **argv)
{
	struct box b = { 0 };
	uint8_t have[9] = { 0, 0, 0, 5, 4 }, wish[5] = { 0, 0, 0, 1, 2 };
	uint32_t pieces;
	double from, mid;

	if (argc != 3)
		rig_fail("usage: messages PEERS PIECES");
	pieces = (uint32_t)rig_number(argv[2], 1);
	fill(&b, (uint32_t)rig_number(argv[1], 1), pieces);
	from = rig_cpu(0);
	for (uint32_t i = 0; i < MESSAGES; i++) {
		bt_put_be32(have + 5, bt_rng_below(&b.rng, pieces));
		say(&b, bt_rng_below(&b.rng, b.peers), have, sizeof(have));
		b.now += 10;
	}
	mid = rig_cpu(0);
	for (uint32_t i = 0; i < MESSAGES; i++) {
		wish[4] = 2 + i % 2;
		say(&b, bt_rng_below(&b.rng, b.peers), wish, sizeof(wish));
		b.now += 10;
	}
	printf("messages peers=%u pieces=%u have_ns=%.0f interest_ns=%.0f\n",
	    b.peers, pieces, (mid - from) / MESSAGES * 1e9,
	    (rig_cpu(0) - mid) / MESSAGES * 1e9);
	bt_torrent_stop(b.t, b.now);
	bt_torrent_free(b.t);
	bt_layout_free(b.layout);
	bt_mem_free(b.slots);
	return 0;
}
