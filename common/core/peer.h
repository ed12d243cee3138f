/*
 * peer - one connection: what it said, what it was told, what is under way.
 *
 * State only; the parts of core/torrent act on it. An idle peer holds this
 * struct and the set of its pieces, and no buffer: a seed's set is the
 * torrent's one full set, that of a peer with nothing the one empty set.
 * Pure.
 *
 * Used by  core/roster (life), core/inbox, core/outbox, core/requests
 * Tests    tests/unit/test_torrent*.c
 */
#ifndef BT_CORE_PEER_H
#define BT_CORE_PEER_H

#include "base/addr.h"
#include "base/bits.h"
#include "base/buf.h"
#include "codec/wire.h"
#include "core/ask.h"
#include "core/rate.h"

#define BT_PEER_CLIENT_MAX	64u	/* bytes kept of BEP 10's v */
#define BT_PEER_REQQ_DEFAULT	250u	/* libtorrent's, says BEP 10 */

enum bt_peer_state {
	BT_PEER_DIALLING,	/* no socket yet */
	BT_PEER_GREETING,	/* its handshake is not whole */
	BT_PEER_MUTE,		/* it is ourselves, seen from behind: unheard */
	BT_PEER_READY		/* both handshakes are done */
};

enum bt_rx_state {		/* what its next byte belongs to */
	BT_RX_HANDSHAKE, BT_RX_HEAD, BT_RX_BLOCK, BT_RX_BITS, BT_RX_EXT,
	BT_RX_SKIP
};
/* A block goes to its place in the piece, a buffer of the peer, or nowhere. */
enum bt_rx_to { BT_RX_PLACE, BT_RX_STRAY, BT_RX_DROP };

struct bt_peer {
	uint64_t slot;		/* index | generation << 32 */
	uint32_t index;		/* who, for the picker */
	struct bt_addr addr;
	struct bt_addr dial;	/* the candidate it stands for; family 0 none */
	uint8_t id[20];
	char *client;		/* or NULL; at most BT_PEER_CLIENT_MAX bytes */
	enum bt_peer_state state;
	bool dead;		/* closed; to be freed at the end of the step */
	bool outgoing, greeted;	/* greeted: our handshake is on its way */
	bool fast, ext;		/* BEP 6, 10: both sides speak it */
	bool known;		/* it told what it has: no bitfield after */
	bool upload_only;	/* BEP 21 */
	bool choking, interested;	/* it: us, in us */
	bool am_choking, am_interested;
	bool snubbed;		/* it owes us blocks and sends none */
	bool told_send;		/* BT_FX_SEND went, and nothing is new since */
	uint8_t id_upload_only, id_donthave;	/* BEP 10; 0: not taken */
	unsigned nonsense;	/* requests that made none, while choked ... */
	unsigned unasked;	/* blocks that nobody asked for */
	unsigned late_ok;	/* blocks that may come though given up */
	unsigned odd;		/* 1 << BT_ODD_*: said of it already */
	int64_t idle_talk;	/* core/manners' rule 2: paid for until then */

	/* what it has: NULL p of own is all (has_all) or nothing */
	struct bt_bits own;
	bool has_all;
	bool came_whole;	/* it had all when it first told */
	uint32_t lost;		/* times that it took a piece back */
	uint32_t wants;		/* pieces it has that we want and lack */
	struct bt_bits fast_in;	/* allowed fast to us; n 0 none yet */
	uint32_t fast_out[10];	/* pieces that we allowed it */
	unsigned nfast_out;
	uint64_t fast_left;	/* bytes that it may still ask for choked */
	struct bt_advice *advice, *promised;	/* its and ours; or NULL */
	int64_t asked_at;	/* when it last asked for a block */
	uint32_t asked_last;	/* piece that it asked for, or UINT32_MAX */

	/* receiving */
	enum bt_rx_state rx;
	uint8_t part[BT_HANDSHAKE_LEN];	/* an unfinished head */
	uint32_t npart;
	uint32_t rx_len, rx_got;	/* body of the message */
	uint32_t rx_piece, rx_block;	/* BT_RX_BLOCK */
	enum bt_rx_to rx_to;
	bool rx_asked;		/* a request of ours matches */
	uint8_t *stray;		/* BT_RX_STRAY: BT_BLOCK_LEN bytes */
	struct bt_buf body;	/* BT_RX_BITS, BT_RX_EXT */
	unsigned foreseen;	/* blocks that core/ahead lends places for */

	/* our requests, oldest first */
	struct bt_request *reqs;
	uint32_t reqs_from, nreqs, reqs_cap;
	uint32_t nowed, ndups;	/* of nreqs: not freed; of those: dup */
	uint32_t window;	/* how many we want out */
	uint32_t reqq;		/* how many it takes */
	bool hungry, took;	/* waits for memory; core/takeover's rule 3 */
	bool ramping;		/* slow start: the window follows each block */
	uint64_t sample_bytes, sample_bps;
	int64_t sample_at;
	int64_t latency;	/* least seen from request to block; 0 unknown */
	int64_t served_to;	/* the newest request answered was asked then */
	int64_t owed_since;	/* last payload, or first request; for snubs */
	unsigned refused;	/* rejects since the last block */
	int64_t ask_after;	/* it refused: let it alone until then */

	/* sending */
	struct bt_buf ctl;	/* whole control messages */
	size_t ctl_sent;
	struct bt_ask *asks;
	uint32_t asks_from, nasks, asks_cap;
	size_t tx_head;		/* what the last _tx named: control bytes, */
	unsigned tx_blocks;	/* and blocks */

	/* time and bytes */
	int64_t since, last_rx, last_tx;
	int64_t choked_at;	/* when it choked us */
	int64_t unchoked_at;	/* when we unchoked it; 0 never */
	uint64_t down, up, up_since;	/* payload bytes */
	struct bt_meter down_meter, up_meter;
};

#endif
