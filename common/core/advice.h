/*
 * advice - which piece each leech is to take of a seed, said by BEP 6's suggest.
 *
 * What a seed's link carries sets the pace of a young swarm, so no piece should
 * go over it twice while another has not gone once. The leeches cannot see to
 * that: they know only some of each other. The seed can.
 *
 * The rules of a seed
 * 1. It counts for each piece who has it and to whom it is promised: suggested,
 *    or asked for, and not yet had. A promise ends when the peer has the piece,
 *    is choked or goes, or has had BT_ADVICE_MAX others since.
 * 2. Who is unchoked is told, before it can ask, of pieces that it lacks and
 *    that have the lowest count; and of the next ones as it asks, so that it
 *    always knows of two and of as many more as make up BT_ADVICE_BLOCKS.
 * 3. One leech alone needs no advice.
 * The rule of a leech
 * 4. What a peer suggests is begun first of all that is asked of it, but for
 *    what was begun for it before; until it chokes.
 * Pure.
 *
 * Speaks   BEP 6 (suggest piece)
 * Used by  core/upload, core/messages, core/requests
 * Tests    tests/unit/test_torrent_advice.c
 */
#ifndef BT_CORE_ADVICE_H
#define BT_CORE_ADVICE_H

#include "core/peer.h"
#include "core/supply.h"

#define BT_ADVICE_MAX	32u	/* promises to a peer, or suggestions of one */
#define BT_ADVICE_BLOCKS	8u	/* twice the least that a peer is asked for */

struct bt_torrent;

struct bt_advice {		/* oldest first */
	uint32_t piece[BT_ADVICE_MAX];
	bool asked[BT_ADVICE_MAX];
	uint32_t n, nasked;
};

/* Count from now on, or no more. */
void	bt_advice_turn(struct bt_torrent *t, bool on);
void	bt_advice_fini(struct bt_torrent *t);
/* What a peer has changed: as bt_supply_peer() and bt_supply_piece(). */
void	bt_advice_peer(struct bt_torrent *t, const struct bt_bits *have,
	    int by);
void	bt_advice_piece(struct bt_torrent *t, struct bt_peer *p,
	    uint32_t piece, int by);
/* p may ask from now on; it asks for a block of piece; it may no more. */
void	bt_advice_on_unchoke(struct bt_torrent *t, struct bt_peer *p);
void	bt_advice_on_ask(struct bt_torrent *t, struct bt_peer *p,
	    uint32_t piece);
void	bt_advice_on_choke(struct bt_torrent *t, struct bt_peer *p);
/* A piece that we had is offered no more. */
void	bt_advice_on_lost(struct bt_torrent *t, uint32_t piece);

/* As a leech: it suggests piece. It chokes, or goes: that is forgotten. */
void	bt_advice_hear(struct bt_peer *p, uint32_t piece);
void	bt_advice_forget(struct bt_peer *p);
/* The next piece that it suggested and that open has, or UINT32_MAX. */
uint32_t	bt_advice_next(struct bt_peer *p, const struct bt_torrent *t);

#endif
