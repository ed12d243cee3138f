/*
 * session - the life of a process that takes part in swarms.
 *
 * 1. All operands are read before anything else is done, while a signal still
 *    ends the process by itself. What fails is said, and the rest goes on. One
 *    torrent given twice is BT_EUSAGE.
 * 2. Then each is opened (the disk is looked at), and a signal is remembered.
 *    Only if one of them wants the network a port is bound and the loop run.
 * 3. A signal stops all members; a second one ends the process at once. Nobody
 *    reading stdout stops them too. The end of the last one is the end.
 * The tool is asked by a table of functions and has the word in all that users
 * see of a torrent.
 * Touches: files, sockets, signals, the terminal (through cli).
 *
 * Used by  bt-get, bt-seed
 * Tests    tests/e2e/bt-get.bats, tests/e2e/bt-get-end.bats,
 *          tests/e2e/bt-seed.bats
 */
#ifndef BT_SESSION_SESSION_H
#define BT_SESSION_SESSION_H

#include "net/fetch.h"
#include "session/member.h"
#include "session/netopts.h"

/* Sums over the members that run. */
struct bt_session_sums {
	uint64_t done, total;	/* bytes wanted */
	uint64_t down, up, up_bps;
	uint32_t peers;
};

struct bt_session_ops {
	size_t member_size;	/* of the tool's struct, a bt_member first */
	int64_t tick_us;
	/* Look at the disk; leaves it ENDED if nothing else is to be done. */
	int (*open)(struct bt_member *m, struct bt_err *err);
	/* Calls bt_member_join(). */
	void (*join)(struct bt_member *m, struct bt_client *c);
	void (*effect)(struct bt_member *m, const struct bt_effect *fx);
	/* While it runs, every tick_us. */
	void (*tick)(struct bt_member *m, const struct bt_torrent_stats *st,
	    int64_t now);
	/* Of bt_swarm_sync(), for who calls that. */
	void (*synced)(struct bt_member *m, const struct bt_err *err);
	/* After all the ticks: progress. */
	void (*show)(struct bt_session *s, const struct bt_session_sums *sums,
	    int64_t now);
	/* Nothing of it is under way any more. */
	void (*ended)(struct bt_member *m);
	/* Free what is the tool's. False: a thread still uses it; it stays. */
	bool (*fini)(struct bt_member *m);
};

struct bt_session {
	struct bt_cli *cli;		/* these four are borrowed for life */
	const struct bt_netopts *net;
	const struct bt_session_ops *ops;
	void *tool;			/* the tool's own */
	struct bt_input in;
	struct bt_fetch_conf fetch;
	struct bt_opened *opened;	/* files of all torrents; for ->open */
	struct bt_loop *loop;
	struct bt_client *client;	/* NULL: no need of it */
	struct bt_loop_timer *tick;
	struct bt_member **members;
	size_t n, running;
	int64_t begun;			/* when the loop was */
};

/* s has cli, net, ops and tool, and is zero else; stdin may be read by s->in. */
void	bt_session_init(struct bt_session *s);
/* From the first operand to the end of all. What fails is in cli's status. */
void	bt_session_run(struct bt_session *s, char **operands, size_t n);
/* Stop all members; err (or NULL) is said once. */
void	bt_session_stop(struct bt_session *s, const struct bt_err *err);
/* Say it on stderr and as an event, of a member or (NULL) of none. */
void	bt_session_fail(struct bt_session *s, const struct bt_member *m,
	    const struct bt_err *err);
/* session/member's alone. */
void	bt_session_on_ended(struct bt_session *s, struct bt_member *m);

#endif
