/*
 * client_priv - what client, swarm and conn know of each other.
 *
 * A conn is a socket: dialling, a stranger (its torrent is not known yet), or a
 * peer of a swarm. A swarm runs one core torrent. The client has what they
 * share. Used only by client.c, swarm.c, conn.c and send.c.
 */
#ifndef BT_NET_CLIENT_PRIV_H
#define BT_NET_CLIENT_PRIV_H

#include <sys/queue.h>

#include "base/htab.h"
#include "codec/wire.h"
#include "disk/jobs.h"
#include "disk/pipe.h"
#include "net/client.h"

#define SCRATCH_LEN	(256u << 10)	/* one receive */
#define STAGING_LEN	(320u << 10)	/* one send: 16 blocks, heads, control */
#define BATCH_LEN	(256u << 10)	/* block bytes in a send */
#define EVENT_BYTES	(1u << 20)	/* moved for one conn before the next */

enum conn_state { CONN_DIALLING, CONN_STRANGER, CONN_PEER };

struct bt_conn {
	struct bt_client *client;
	struct bt_swarm *swarm;		/* NULL: a stranger */
	uint64_t slot;
	enum conn_state state;
	int fd;
	struct bt_loop_watch *watch;
	struct bt_addr addr;
	unsigned waits;			/* BT_LOOP_* it watches for */
	bool in_up, in_down;		/* waits for its turn under a limit */
	bool blocked;			/* the socket took less than we had */
	bool wants_send;		/* in the swarm's list of senders */
	size_t batch;			/* block bytes to try in one send */
	struct bt_job *cold;		/* blocks a worker reads or has read */
	bool cold_out;			/* it is with the worker */
	uint8_t hello[BT_HANDSHAKE_LEN];	/* a stranger's first bytes */
	size_t nhello;
	int64_t since;
	TAILQ_ENTRY(bt_conn) up;
	TAILQ_ENTRY(bt_conn) down;
	TAILQ_ENTRY(bt_conn) stranger;
	TAILQ_ENTRY(bt_conn) sender;
};
TAILQ_HEAD(conn_list, bt_conn);

struct bt_swarm {
	struct bt_client *client;
	struct bt_torrent *torrent;
	const struct bt_layout *layout;
	struct bt_files *files;
	struct bt_announcer *announcer;
	struct bt_swarm_told told;
	struct bt_loop_timer *tick;
	struct bt_bucket up, down;
	struct bt_conn **conns;		/* by the low half of the slot */
	uint32_t nconns;		/* room in conns */
	struct conn_list senders;
	unsigned jobs;			/* with the workers */
	bool finish;
	bool is_running;		/* between start and stop */
	bool stopping, announcer_ended, told_stopped;
	bool draining;			/* effects are being obeyed now */
	bool failed;
	uint8_t peer_id[20];
};

struct bt_client {
	struct bt_client_conf conf;
	struct bt_tcp_listener *listener;
	struct bt_asker *asker;
	struct bt_pool *pool;
	struct bt_loop_watch *pool_watch;
	struct bt_htab *swarms;		/* by info-hash */
	struct bt_bucket up, down;
	struct conn_list up_line, down_line, strangers;
	unsigned nstrangers, nup, ndown;	/* how many in each line */
	unsigned strangers_max;
	uint32_t nconns, peers_max;	/* not counting strangers */
	bool pumping;			/* bt_send_pump() is at work */
	struct bt_loop_timer *up_timer, *down_timer, *stranger_timer;
	uint8_t *scratch, *staging;
	struct bt_pipe *pipe;		/* NULL: there is none here */
};

/* conn.c: sockets in, and their life */
void	bt_conn_accept(struct bt_client *c, int fd, const struct bt_addr *from);
void	bt_conn_dial(struct bt_swarm *s, uint64_t slot,
	    const struct bt_addr *to);
/* Closes and frees; unlinks it from every line. */
void	bt_conn_free(struct bt_conn *conn);
void	bt_conn_watch(struct bt_conn *conn, unsigned add, unsigned remove);
/* Bytes of a turn under the limits of all and of a torrent's own. */
uint64_t	bt_conn_turn(const struct bt_bucket *all,
	    const struct bt_bucket *own);
/* Give those who wait for the download limit their turns. */
void	bt_conn_pump_down(struct bt_client *c);
/* Drop strangers that took too long; sets the timer for the next. */
void	bt_conn_expire(struct bt_client *c);

/* send.c: bytes out */
/* Send what there is, as the limits and the socket allow. */
void	bt_send_run(struct bt_conn *conn);
void	bt_send_pump(struct bt_client *c);
/* Free what a worker has read and is not needed. */
void	bt_send_drop(struct bt_conn *conn);
/* A worker has read the blocks that were not in the page cache. */
void	bt_send_on_cold(struct bt_swarm *s, struct bt_job *job);

/* swarm.c */
/* Obey effects, send, and set the timer: after each step of the core. */
void	bt_swarm_step(struct bt_swarm *s);
struct bt_conn	*bt_swarm_conn(const struct bt_swarm *s, uint64_t slot);
void	bt_swarm_link(struct bt_swarm *s, struct bt_conn *conn);
/* A worker is done with the job, which is taken; a step is due after it. */
void	bt_swarm_on_job(struct bt_swarm *s, struct bt_job *job);

#endif
