/*
 * get - one download of bt-get, from the torrent's bytes to its end.
 *
 * get_open() does all that needs no network: takes the lock, believes or checks
 * what is on disk. get_join() joins the swarm.
 */
#ifndef BT_GET_GET_H
#define BT_GET_GET_H

#include "cli/sandbox.h"
#include "disk/resume.h"
#include "session/session.h"

struct stream;

/* What the command line asked for. */
struct get_conf {
	struct bt_cli *cli;
	struct bt_netopts net;
	const char *dir;		/* -d */
	const char *out;		/* -o: a path, "-", or NULL */
	char *root;			/* get_root() */
	struct bt_sandbox box;
	const char **selects;		/* -s, in order */
	size_t nselects;
	bool nul;			/* -0 */
	bool force;			/* -f */
	bool sequential;
	bool seed;			/* --seed */
	uint64_t seed_ratio;		/* thousandths; 0: none */
	uint64_t seed_us;		/* 0: none */
};

struct get {
	struct bt_member m;		/* first */
	struct get_conf *conf;
	struct bt_bits selected;	/* files */
	struct bt_bits want;		/* pieces */
	struct bt_resume *resume;	/* NULL with -o - */
	struct stream *stream;		/* -o - */
	struct bt_bits told;		/* files whose path was printed */
	bool is_whole;			/* all that is selected is on disk */
	int64_t whole_since, lonely_since, saved_at;
	uint64_t taken;			/* bytes sent, when last looked */
	int64_t taken_at;
	uint32_t saved_pieces;		/* have.set when the state was saved */
	bool is_unsaved;		/* the last save failed, and that was said */
	int64_t synced_at;
	uint32_t synced_pieces;		/* have.set when the last sync began */
	bool is_syncing;
};

/* gives the folder of all that is written, by what -d and -o say */
char	*get_root(const struct get_conf *conf);

/* The session's table: m is a struct get, session->tool begins with its conf. */
int	get_open(struct bt_member *m, struct bt_err *err);
void	get_join(struct bt_member *m, struct bt_client *c);
void	get_effect(struct bt_member *m, const struct bt_effect *fx);
/* Saves state, ends seeding, says that nobody is there. */
void	get_tick(struct bt_member *m, const struct bt_torrent_stats *st,
	    int64_t now);
void	get_ended(struct bt_member *m);
void	get_synced(struct bt_member *m, const struct bt_err *err);
bool	get_fini(struct bt_member *m);

/* Has all of it come out where it was wanted? */
bool	get_is_done(const struct get *g);
/* Leave if that is so and nobody needs us. */
void	get_leave_if_free(struct get *g);
/* Is the download held back by a reader of stdout who is slow? */
bool	get_is_held(const struct get *g);

/* select.c: mark in `selected` what -s says. 0 or -1. */
int	select_files(struct get *g, struct bt_err *err);

/* place.c: what of it is on disk already. 0 or -1. */
int	place_check(struct get *g, struct bt_err *err);
/* Print the path of a file that is whole, once; of all that are. */
void	place_print(struct get *g, uint32_t file);
void	place_print_all(struct get *g);

/* stream.c: verified content in order to stdout. */
struct stream	*stream_new(struct get *g, struct bt_err *err);	/* or NULL */
/* Not while it is busy: a write that nobody reads may never return. */
void	stream_free(struct stream *s);
/* Bytes that are there wait for their reader. */
bool	stream_is_busy(const struct stream *s);
/* A piece is on disk: go on if it is the next. */
void	stream_go_on(struct stream *s);
bool	stream_is_done(const struct stream *s);

/* events.c: JSON lines. */
void	events_start(const struct get *g, const struct bt_client *c);
void	events_progress(struct get *g);
void	events_effect(const struct get *g, const struct bt_effect *fx);
void	events_file(const struct get *g, uint32_t file);
void	events_done(struct get *g);
void	events_stalled(const struct get *g);

#endif
