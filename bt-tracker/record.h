/*
 * record - a line for each request, for who wants to read what was asked.
 *
 * The rules
 * 1. Whoever puts a line never waits for who reads it: lines go to memory, and a
 *    thread of its own writes them. Where it comes behind, lines are lost, and
 *    the next ones say how many.
 * 2. Addresses are cut to their /24 or /48, unless all of them is asked for.
 *    Keys of paths are in no line.
 * 3. On SIGHUP the file is opened again, so that it can be moved away.
 * A line is TIME, CLIENT, FRONT, REQUEST, TORRENT, RESULT with tabs in between.
 * Touches: files, threads, the clock.
 *
 * Used by  bt-tracker/reply.c, bt-tracker/udp.c, bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker-log.bats
 */
#ifndef BT_TRACKER_RECORD_H
#define BT_TRACKER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "codec/announce.h"
#include "stats.h"

struct bt_record;

struct bt_record_line {
	struct bt_addr client;	/* family 0: not known */
	enum bt_stats_front front;
	bool is_scrape;
	enum bt_event event;	/* of an announce */
	const uint8_t *info_hash;	/* 20 bytes, or NULL: several, or none */
	uint32_t n;		/* peers or torrents that were told */
	const char *refusal;	/* NULL: none */
};

/*
 * gives *out. path: a file to add to, which is opened at once, NULL for stderr,
 * "-" for stdout. whole: addresses are not cut. BT_EFILE. 0 or -1.
 */
int	bt_record_new(struct bt_record **out, const char *path, bool whole,
	    struct bt_err *err);
/* Once, before any line: the thread that writes. BT_EFILE. 0 or -1. */
int	bt_record_start(struct bt_record *r, struct bt_err *err);
/*
 * Write what is there, unless nobody takes it for some seconds, and end. How
 * many lines were lost in all. NULL is fine.
 */
uint64_t	bt_record_free(struct bt_record *r);
/* Open the file again. 0, or -1 and the old one goes on. */
int	bt_record_reopen(struct bt_record *r, struct bt_err *err);
/* Any thread. */
void	bt_record_put(struct bt_record *r, const struct bt_record_line *line);

#endif
