/*
 * client - torrents under libevent: one loop, one port, one pool of workers.
 *
 * 1. The loop thread owns every torrent, peer and socket; workers only hash,
 *    read and write. The core decides, this obeys.
 * 2. A connection that came in is matched to its torrent by the info-hash of
 *    its handshake; at most BT_CLIENT_STRANGERS wait for that, the oldest goes.
 *    They do not count as peers. Of few descriptors peers have half at most.
 * 3. Limits hold over all torrents, at the socket, and are shared in turns of
 *    a block, so that no peer takes what others could have.
 * 4. Reads for uploads are taken from the page cache on the loop; what is not
 *    there is read by a worker while the connection waits.
 * Touches: sockets, files, threads.
 *
 * Used by  bt-get, bt-seed
 * Tests    tests/e2e/swarm.bats, tests/interop
 */
#ifndef BT_NET_CLIENT_H
#define BT_NET_CLIENT_H

#include "core/torrent.h"
#include "disk/files.h"
#include "net/announcer.h"
#include "net/tcp.h"

#define BT_CLIENT_STRANGERS	256u	/* connections without a torrent yet */
#define BT_CLIENT_STRANGER_US	(15 * BT_LOOP_SECOND)

struct bt_client;
struct bt_swarm;

struct bt_client_conf {
	struct bt_loop *loop;	/* borrowed for life */
	bool ipv4, ipv6;	/* families to use; at least one */
	struct bt_addr bind;	/* family 0: any */
	uint16_t port;		/* 0: any free one */
	bool or_any;		/* where port is taken, any free one */
	uint64_t down_bps, up_bps;	/* limits over all; 0: none */
	uint32_t peers_max;	/* connections of all torrents together */
	unsigned threads;	/* workers; 0: one a core, and two at least */
	bool insecure;		/* trackers' certificates are not verified */
	const struct bt_log *log;	/* may be NULL; borrowed */
};

/* gives *out; listens. 0 or -1. */
int	bt_client_new(struct bt_client **out, const struct bt_client_conf *conf,
	    struct bt_err *err);
/* Every swarm was freed before. */
void	bt_client_free(struct bt_client *c);
/* Where it listens: of family 4, else 6; a wildcard is told as loopback. */
struct bt_addr	bt_client_addr(const struct bt_client *c);

/* What a swarm tells its owner; from the loop, and freeing it is forbidden. */
struct bt_swarm_told {
	/* PIECE, FILE (renamed by then), DONE, PEER, BAN, CLOSE */
	void (*effect)(void *arg, const struct bt_effect *fx);
	/* The disk failed; it has stopped asking for pieces. */
	void (*failed)(void *arg, const struct bt_err *err);
	/* What bt_swarm_sync() began has ended; err NULL: all is on the disk */
	void (*synced)(void *arg, const struct bt_err *err);
	/* All that bt_swarm_stop() began has ended: it may be freed now. */
	void (*stopped)(void *arg);
	void *arg;
};

struct bt_swarm_conf {
	const struct bt_layout *layout;	/* borrowed for life */
	struct bt_files *files;		/* borrowed for life */
	const struct bt_bits *have;	/* pieces on disk; copied */
	const struct bt_bits *want;	/* NULL: all; copied */
	size_t memory;			/* of piece buffers; 0: the default */
	uint32_t peers_max;		/* 0: 200 */
	unsigned slots;			/* 0: as the link has room */
	uint32_t sequential;		/* window in pieces; 0: rarest first */
	uint64_t down_bps, up_bps;	/* of this torrent; 0: none */
	bool finish;			/* rename files as they become whole */
	struct bt_swarm_told told;
};

/* gives; of each info-hash one. Nothing happens until bt_swarm_start(). */
struct bt_swarm	*bt_client_add(struct bt_client *c,
	    const struct bt_swarm_conf *conf);
/* Before the start: false if it is known or cannot be asked. */
bool	bt_swarm_tracker(struct bt_swarm *s, struct bt_str url, uint32_t tier);
void	bt_swarm_peers(struct bt_swarm *s, const struct bt_addr *a, size_t n);
void	bt_swarm_start(struct bt_swarm *s);
/* Close peers, tell trackers (3 s at most), let jobs end; then `stopped`. */
void	bt_swarm_stop(struct bt_swarm *s);
void	bt_swarm_free(struct bt_swarm *s);	/* stopped, or never started */

struct bt_torrent_stats	bt_swarm_stats(struct bt_swarm *s);
const struct bt_bits	*bt_swarm_have(const struct bt_swarm *s);
/* Would a piece be lost to those downloading here if we left now? */
bool	bt_swarm_is_needed(const struct bt_swarm *s);
void	bt_swarm_horizon(struct bt_swarm *s, uint32_t limit);
/* Have a worker sync what was written; then `synced`. While it runs. */
void	bt_swarm_sync(struct bt_swarm *s);
/* How it stands with its trackers. */
void	bt_swarm_trackers(const struct bt_swarm *s,
	    struct bt_announcer_state *out);

#endif
