/*
 * get - one download of bt-get, from the torrent's bytes to its end.
 *
 * get_open() does all that needs no network: reads the torrent, takes the lock,
 * believes or checks what is on disk. get_start() joins the swarm. Everything
 * that can fail on the way ends in `done` being told once.
 */
#ifndef BT_GET_GET_H
#define BT_GET_GET_H

#include "cli/input.h"
#include "cli/options.h"
#include "disk/resume.h"
#include "net/client.h"

struct stream;

/* What the command line asked for. */
struct get_conf {
	struct bt_cli *cli;
	const char *dir;		/* -d */
	const char *out;		/* -o: a path, "-", or NULL */
	char **selects;			/* -s, in order */
	size_t nselects;
	bool nul;			/* -0 */
	bool force;			/* -f */
	bool sequential;
	bool no_tracker;
	bool seed;			/* --seed */
	uint64_t seed_ratio;		/* thousandths; 0: none */
	uint64_t seed_us;		/* 0: none */
	char **trackers;		/* -a, a tier each */
	size_t ntrackers;
	struct bt_addr *peers;		/* --peer, --peers */
	size_t npeers;
	uint64_t down_bps, up_bps;	/* of each torrent; 0: no limit */
	uint32_t peers_max;
	unsigned slots;
	size_t memory;
};

enum get_state { GET_IDLE, GET_RUNNING, GET_STOPPING, GET_ENDED };

struct get {
	const struct get_conf *conf;
	struct bt_buf bytes;		/* the torrent; meta points into it */
	struct bt_meta meta;
	struct bt_layout *layout;
	struct bt_bits selected;	/* files */
	struct bt_bits have, want;	/* pieces */
	char *root;			/* folder of state and side file */
	struct bt_files *files;
	struct bt_resume *resume;	/* NULL with -o - */
	struct stream *stream;		/* -o - */
	struct bt_swarm *swarm;		/* NULL: nothing was missing */
	struct bt_bits told;		/* files whose path was printed */
	enum get_state state;
	bool is_whole;			/* all that is selected is on disk */
	int64_t whole_since, lonely_since, saved_at;
	uint64_t taken;			/* bytes sent, when last looked */
	int64_t taken_at;
	uint32_t saved_pieces;		/* have.set when the state was saved */
	void (*ended)(void *arg, struct get *g);
	void *arg;
};

/* g is zero but for conf, ended and arg. 0 or -1; get_free() either way. */
int	get_open(struct get *g, struct bt_input *in, const char *operand,
	    struct bt_err *err);
void	get_free(struct get *g);
/* Is there something to do that needs the network? */
bool	get_needs_network(const struct get *g);
void	get_start(struct get *g, struct bt_client *c);
/* End it: err says why, or NULL when all is well. `ended` comes later. */
void	get_stop(struct get *g, const struct bt_err *err);
/* Once a second or so: saves state, ends seeding, says that nobody is there. */
void	get_tick(struct get *g, int64_t now);

/* select.c: mark in `selected` what -s says. 0 or -1. */
int	select_files(struct get *g, struct bt_err *err);

/* place.c: what of it is on disk already. 0 or -1. */
int	place_check(struct get *g, struct bt_err *err);
void	place_print(struct get *g, uint32_t file);

/* stream.c: verified content in order to stdout. */
struct stream	*stream_new(struct get *g);
/* Not while it is busy: a write that nobody reads may never return. */
void	stream_free(struct stream *s);
bool	stream_is_busy(const struct stream *s);
int	stream_begin(struct stream *s, struct bt_loop *loop,
	    struct bt_err *err);
/* A piece is on disk: go on if it is the next. */
void	stream_go_on(struct stream *s);
bool	stream_is_done(const struct stream *s);

/* events.c: JSON lines. */
void	events_start(const struct get *g, const struct bt_client *c);
void	events_progress(struct get *g);
void	events_effect(const struct get *g, const struct bt_effect *fx);
void	events_file(const struct get *g, uint32_t file);
void	events_done(struct get *g);
void	events_plain(const struct get *g, const char *event);
void	events_error(const struct get *g, const struct bt_err *err);

#endif
