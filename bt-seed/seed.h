/*
 * seed - one torrent that bt-seed serves, from its bytes to its end.
 *
 * seed_open() finds the content and checks it; seed_join() joins the swarm.
 */
#ifndef BT_SEED_SEED_H
#define BT_SEED_SEED_H

#include "cli/sandbox.h"
#include "session/session.h"

/* What the command line asked for. */
struct seed_conf {
	struct bt_cli *cli;
	struct bt_netopts net;
	const char *dir;	/* -d, or NULL */
	const char *path;	/* PATH, or NULL */
	struct bt_sandbox box;
	bool no_check;
	uint64_t until_ratio;	/* thousandths; 0: none */
	uint64_t until_us, idle_us;	/* 0: none */
};

struct seed {
	struct bt_member m;	/* first */
	struct seed_conf *conf;
	int64_t busy_at;	/* when somebody took something */
	uint64_t up;		/* bytes sent, when last looked */
};

/* The session's table: m is a struct seed, session->tool begins with its conf. */
int	seed_open(struct bt_member *m, struct bt_err *err);
void	seed_join(struct bt_member *m, struct bt_client *c);
void	seed_effect(struct bt_member *m, const struct bt_effect *fx);
/* Ends it when an --until is reached. */
void	seed_tick(struct bt_member *m, const struct bt_torrent_stats *st,
	    int64_t now);
void	seed_ended(struct bt_member *m);
bool	seed_fini(struct bt_member *m);

#endif
