/*
 * outbox - what goes to a peer: control messages, and the blocks it asked for.
 *
 * Control messages go first, unless a block is partly sent. A block whose first
 * byte went is committed: no cancel or choke touches it. Queued bytes have a
 * ceiling: a peer that asks without reading is closed.
 * Pure.
 *
 * Speaks   BEP 3, 6 (every request gets one answer)
 * Used by  core/torrent, core/messages, core/requests, core/upload
 * Tests    tests/unit/test_torrent_choke.c, test_torrent_fast.c
 */
#ifndef BT_CORE_OUTBOX_H
#define BT_CORE_OUTBOX_H

#include "core/peer.h"
#include "core/torrent_io.h"

#define BT_OUTBOX_MAX	(256u << 10)	/* queued control, bitfield apart */
#define BT_OUTBOX_BATCH	(256u << 10)	/* block bytes named in one tx */
#define BT_OUTBOX_BODY_MAX	(1u << 20)

struct bt_torrent;

/* A message without a body: id, and what of the fields it has. */
void	bt_outbox_put(struct bt_torrent *t, struct bt_peer *p, unsigned id,
	    uint32_t index, uint32_t begin, uint32_t length);
void	bt_outbox_put_body(struct bt_torrent *t, struct bt_peer *p,
	    unsigned id, struct bt_str body);
void	bt_outbox_put_raw(struct bt_torrent *t, struct bt_peer *p,
	    struct bt_str bytes);
/* Soon: at once. Else with what goes next, or at the latest when flushed. */
void	bt_outbox_put_have(struct bt_torrent *t, struct bt_peer *p,
	    uint32_t piece, bool soon);
void	bt_outbox_flush(struct bt_torrent *t, struct bt_peer *p);
/* It asks for a block; false if the queue is full. */
bool	bt_outbox_ask(struct bt_torrent *t, struct bt_peer *p,
	    const struct bt_ask *a);
/* Take back the request if nothing of it went; false if there is none. */
bool	bt_outbox_cancel(struct bt_peer *p, const struct bt_ask *a);
/*
 * Take back all requests that are not committed and that drop says yes to;
 * with the fast extension each is rejected.
 */
void	bt_outbox_refuse(struct bt_torrent *t, struct bt_peer *p,
	    bool (*drop)(const struct bt_torrent *t, const struct bt_peer *p,
	    const struct bt_ask *a));
bool	bt_outbox_tx(struct bt_peer *p, struct bt_tx *tx);
void	bt_outbox_sent(struct bt_torrent *t, struct bt_peer *p, size_t n,
	    int64_t now);
void	bt_outbox_fini(struct bt_peer *p);

#endif
