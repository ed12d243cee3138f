/*
 * seed - one torrent that bt-seed serves, from its bytes to its end.
 *
 * seed_open() finds the content and checks it; seed_start() joins the swarm.
 */
#ifndef BT_SEED_SEED_H
#define BT_SEED_SEED_H

#include "cli/input.h"
#include "cli/options.h"
#include "net/client.h"

/* What the command line asked for. */
struct seed_conf {
	struct bt_cli *cli;
	const char *dir;	/* -d, or NULL */
	const char *path;	/* PATH, or NULL */
	bool no_check;
	bool no_tracker;
	char **trackers;	/* -a, a tier each */
	size_t ntrackers;
	struct bt_addr *peers;	/* --peer */
	size_t npeers;
	uint32_t peers_max;
	unsigned slots;
	uint64_t up_bps;	/* of each torrent; 0: no limit */
	size_t memory;
	uint64_t until_ratio;	/* thousandths; 0: none */
	uint64_t until_us, idle_us;	/* 0: none */
};

enum seed_state { SEED_IDLE, SEED_RUNNING, SEED_STOPPING, SEED_ENDED };

struct seed {
	const struct seed_conf *conf;
	struct bt_buf bytes;	/* the torrent; meta points into it */
	struct bt_meta meta;
	struct bt_layout *layout;
	struct bt_bits have;
	struct bt_files *files;
	struct bt_swarm *swarm;
	enum seed_state state;
	int64_t begun, busy_at;	/* busy: somebody took something */
	uint64_t up;		/* bytes sent, when last looked */
	void (*ended)(void *arg, struct seed *s);
	void *arg;
};

/* s is zero but for conf, ended and arg. 0 or -1; seed_free() either way. */
int	seed_open(struct seed *s, struct bt_input *in, const char *operand,
	    struct bt_err *err);
void	seed_free(struct seed *s);
void	seed_start(struct seed *s, struct bt_client *c);
void	seed_stop(struct seed *s, const struct bt_err *err);
/* Once a second or so: ends it when an --until is reached. */
void	seed_tick(struct seed *s, int64_t now);

#endif
