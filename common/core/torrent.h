/*
 * torrent - one torrent's brain: told what happened, says what to do.
 *
 * 1. No callback leaves it. What it wants done is a queue of effects, drained
 *    by the caller after each step. Times are microseconds, given as `now`.
 * 2. A peer is a slot handle with a generation inside: a late result never
 *    reaches a new peer in an old slot, and after BT_FX_CLOSE, which ends every
 *    slot exactly once, the handle is named no more (calls with it do nothing).
 * 3. Bytes come in at the places _rx_space() names and go out as _tx() says.
 * 4. Disk work is a job handed out and a result handed back; a job's data stays
 *    in place until its result.
 * 5. Memory for pieces stays under the ceiling: at it no new piece is begun;
 *    a piece that the ceiling cannot hold is written block by block and hashed
 *    by reading back, and so is the coldest stalled one when peers wait.
 * 6. A piece that fails its hash goes back. Who spoiled it is found by comparing
 *    block digests with the good piece's, and banned; the innocent are not.
 *    A piece that failed with several givers is next asked of one peer alone.
 * Pure.
 *
 * Speaks   BEP 3, 6, 10, 21, 27
 * Used by  net/client, tests/sim
 * Tests    tests/unit/test_torrent*.c, tests/sim
 */
#ifndef BT_CORE_TORRENT_H
#define BT_CORE_TORRENT_H

#include "base/log.h"
#include "core/candidates.h"
#include "core/layout.h"
#include "core/rate.h"
#include "core/torrent_io.h"

#define BT_TORRENT_MEMORY	(64u << 20)	/* default ceiling, bytes */
#define BT_TORRENT_REQQ		500u	/* requests that we take from a peer */
#define BT_TORRENT_ASK_MAX	500u	/* requests that we have out at one */

struct bt_torrent_conf {
	const struct bt_layout *layout;	/* borrowed, outlives the torrent */
	uint8_t peer_id[20];
	uint64_t seed;		/* of all its randomness */
	size_t memory;		/* ceiling of piece buffers; 0: the default */
	uint32_t peers_max;	/* connections, dialled and accepted */
	uint32_t dials_max;	/* dials under way at once */
	unsigned slots;		/* upload slots; 0: as the link has room */
	uint64_t up_limit_bps, down_limit_bps;	/* of the shell; 0: none */
	uint16_t port;		/* where we listen, 0 nowhere */
	const char *client;	/* for BEP 10's v; borrowed */
	const struct bt_log *log;	/* may be NULL; borrowed */
};

struct bt_torrent;

/* gives. Everything is wanted and nothing is had until told otherwise. */
struct bt_torrent	*bt_torrent_new(const struct bt_torrent_conf *conf,
	    int64_t now);
/* No job may be out. */
void	bt_torrent_free(struct bt_torrent *t);

/* Before the first peer: what is on disk, and what is wanted. */
void	bt_torrent_set_have(struct bt_torrent *t, const struct bt_bits *have);
void	bt_torrent_set_wanted(struct bt_torrent *t, const struct bt_bits *want);
/* Pieces in order, at most window ahead of the first missing one; 0: off. */
void	bt_torrent_set_sequential(struct bt_torrent *t, uint32_t window);
/* No piece at or beyond limit is begun; moves with what was read out. */
void	bt_torrent_set_horizon(struct bt_torrent *t, uint32_t limit);

/* Peers: addresses learnt, dials that ended, connections that came. */
void	bt_torrent_add_peers(struct bt_torrent *t, const struct bt_addr *a,
	    size_t n, bool by_hand, int64_t now);
void	bt_torrent_on_connected(struct bt_torrent *t, uint64_t slot,
	    int64_t now);
/* The socket ended or could not be made. Answered by BT_FX_CLOSE. */
void	bt_torrent_on_closed(struct bt_torrent *t, uint64_t slot, int64_t now);
/* The slot, or 0: full, banned, stopped. The caller then closes. */
uint64_t	bt_torrent_on_accepted(struct bt_torrent *t,
	    const struct bt_addr *from, int64_t now);

/*
 * Receiving. Places for at most `most` bytes (> 0) and as scratch has: of the
 * blocks that come next, then scratch itself. Valid until the next call on the
 * core, which says how many bytes came (0 is fine); they fill places in order.
 */
void	bt_torrent_rx_space(struct bt_torrent *t, uint64_t slot,
	    struct bt_place scratch, size_t most, struct bt_lend *out);
void	bt_torrent_rx(struct bt_torrent *t, uint64_t slot,
	    const struct bt_lend *lend, size_t n, int64_t now);
/* The same from bytes that lie elsewhere (read ahead by an acceptor). */
void	bt_torrent_rx_bytes(struct bt_torrent *t, uint64_t slot,
	    struct bt_str in, int64_t now);

/*
 * Sending. False: nothing to send, and a BT_FX_SEND will come when there is.
 * Send what tx says in its order, as much as the socket takes, then tell how
 * many bytes went (0 is fine); what did not go is named again next time. If
 * anything went, no other call for the slot may come between the two.
 */
bool	bt_torrent_tx(struct bt_torrent *t, uint64_t slot, struct bt_tx *tx,
	    int64_t now);
void	bt_torrent_tx_done(struct bt_torrent *t, uint64_t slot, size_t n,
	    int64_t now);
/* A piece that we offered cannot be read: it is offered no more. */
void	bt_torrent_on_unreadable(struct bt_torrent *t, uint32_t piece,
	    int64_t now);

/* The result of a job that an effect handed out. */
void	bt_torrent_on_disk(struct bt_torrent *t,
	    const struct bt_disk_result *r, int64_t now);

/*
 * Let time pass: timeouts, choking, keep-alives, dials. Returns when to call
 * again at the latest. Call it also after each batch of steps.
 */
int64_t	bt_torrent_tick(struct bt_torrent *t, int64_t now);
/* False when there is none. Pointers live until the next call on the core. */
bool	bt_torrent_next_effect(struct bt_torrent *t, struct bt_effect *fx);
/* Close every slot, begin nothing. Jobs that are out still come back. */
void	bt_torrent_stop(struct bt_torrent *t, int64_t now);

/* Queries */
struct bt_torrent_stats	bt_torrent_stats(struct bt_torrent *t, int64_t now);
const struct bt_bits	*bt_torrent_have(const struct bt_torrent *t);
/* Would a piece be lost to those downloading here if we left now? O(all). */
bool	bt_torrent_is_needed(const struct bt_torrent *t);
/* Peer i of those connected and shaken hands; false past the last. */
bool	bt_torrent_peer(struct bt_torrent *t, uint32_t i,
	    struct bt_peer_info *out, int64_t now);
/* All invariants of style.md, O(everything): for tests and the simulator. */
bool	bt_torrent_check(const struct bt_torrent *t);

#endif
