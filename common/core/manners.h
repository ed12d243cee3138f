/*
 * manners - what a peer does that it should not, short of being closed for it.
 *
 * The rules
 * 1. What is odd and forgiven is said once for each connection and kind, so
 *    that a person sees why a peer is of little use.
 * 2. A message that says nothing new, or what may go to and fro, costs a peer a
 *    millisecond, and another for each KiB of it; one that makes us work, as an
 *    unchoke does, ten. Pieces that are lost cost nothing; a have does once as
 *    many were lost as there are. Who is BT_MANNERS_BURST_US ahead of the clock
 *    is closed: a flood ends within ten thousand messages, and no program in
 *    its mind sends a thousand of these a second for long.
 * 3. Blocks and rejects that match no request are forgiven as often as we gave
 *    a request up, and BT_INBOX_UNASKED_MAX times more.
 * Pure.
 *
 * Used by  core/inbox, core/messages, core/requests, core/upload
 * Tests    tests/unit/test_torrent_manners.c, tests/evil
 */
#ifndef BT_CORE_MANNERS_H
#define BT_CORE_MANNERS_H

#include "core/peer.h"
#include "core/rate.h"

#define BT_MANNERS_IDLE_US	BT_MSEC(1)
#define BT_MANNERS_WORK_US	BT_MSEC(10)
#define BT_MANNERS_BURST_US	BT_SEC(10)

enum bt_oddity {
	BT_ODD_LATE_BITS,	/* a bitfield after other news of its pieces */
	BT_ODD_STALLS,		/* it owes blocks and sends none */
	BT_ODD_UNASKED		/* blocks or rejects that match no request */
};

struct bt_torrent;

/* Rule 1. what: a literal, as for bt_roster_close() */
void	bt_manners_note(struct bt_torrent *t, struct bt_peer *p,
	    enum bt_oddity odd, const char *what);
/* Rule 2: it said nothing new in so many bytes; it made us work. */
void	bt_manners_idle(struct bt_torrent *t, struct bt_peer *p, uint32_t bytes,
	    int64_t now);
void	bt_manners_work(struct bt_torrent *t, struct bt_peer *p, int64_t now);
/* Rule 3. what: if they are too many */
void	bt_manners_unmatched(struct bt_torrent *t, struct bt_peer *p,
	    const char *what, int64_t now);

#endif
