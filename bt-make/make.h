/*
 * make - a new torrent, as the command line describes it.
 *
 * Touches: files, stdin, stdout, threads.
 *
 * Used by  bt-make/main.c
 * Tests    tests/e2e/bt-make.bats, tests/e2e/bt-make-v2.bats
 */
#ifndef BT_MAKE_MAKE_H
#define BT_MAKE_MAKE_H

#include <time.h>

#include "cli/options.h"
#include "codec/metawrite.h"
#include "content.h"

struct job {
	struct bt_cli cli;
	const char *output;	/* "-", a path, or NULL: nowhere */
	bool force, magnet, dry_run;
	bool v1, v2;		/* a hybrid is both */
	const char *edit;	/* --edit TORRENT, or NULL */
	const char *reuse;	/* --reuse TORRENT, or NULL */
	const char *list;	/* --files-from FILE, or NULL */
	bool has_comment, has_source;	/* given, if only as empty */
	bool no_trackers, no_web_seeds;	/* given as '' */
	struct bt_metawrite meta;
	struct bt_metawrite_tracker *trackers;
	struct bt_str *web_seeds;
	struct content_conf scan;
	uint64_t total;		/* bytes to hash; 0 if unknown */
	/* of what -o writes: before the content was looked at, or --edit's */
	struct timespec mtime;
};

/* make.c: of the content at path, or of stdin. 0 or -1. */
int	make_of_path(struct job *job, const char *path, struct bt_err *err);
int	make_of_stdin(struct job *job, struct bt_err *err);
/* Draws the progress line; false: a signal came. */
bool	make_progress(void *job, uint64_t done);

/* give.c: write the torrent, read it back, and give it out. */
int	give_new(struct job *job, struct bt_err *err);
/* The torrent's bytes to where -o says. */
int	give_bytes(struct job *job, struct bt_str bytes, struct bt_err *err);
/* --dry-run: what would be in it. */
void	give_plan(struct job *job, const struct content *c);

/* edit.c: the torrent at job->edit with what was asked changed. */
int	edit_torrent(struct job *job, struct bt_err *err);

#endif
