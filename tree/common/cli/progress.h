/*
 * progress - one line on stderr that tells a waiting person how far it is.
 *
 *	 42%  1.2 GiB of 2.9 GiB  11.3 MiB/s  eta 2:31  12 peers
 *
 * 1. Drawn only when stderr is a terminal, or when asked for.
 * 2. Redrawn at most every BT_PROGRESS_EVERY_US, whatever the caller does.
 * 3. Whoever writes to stderr beside it clears it first; bt_cli_fail() and
 *    cli.log do so. It is drawn again at the next call.
 * Touches: stderr.
 *
 * Used by  cli/options (which owns the one for stderr), bt-get, bt-make
 * Tests    tests/unit/test_cli_progress.c
 */
#ifndef BT_CLI_PROGRESS_H
#define BT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BT_PROGRESS_EVERY_US 200000	/* 5 a second: readable, and cheap */

struct bt_progress {
	FILE *fp;	/* borrowed */
	bool on;
	bool shown;	/* a line stands on the terminal now */
	bool begun;	/* a first sample was taken */
	uint64_t drawn_us;	/* when it was drawn last */
	uint64_t sampled_us;	/* when the rate was reckoned last */
	uint64_t sampled_done;
	double rate;	/* bytes a second, smoothed over some seconds */
};

void	bt_progress_init(struct bt_progress *p, FILE *fp, bool on);

/*
 * done of total bytes (total 0: unknown) at now_us, any clock that only goes
 * forward. more is added to the line (our own words), or NULL.
 */
void	bt_progress_draw(struct bt_progress *p, uint64_t now_us, uint64_t done,
	    uint64_t total, const char *more);

/* Wipe the line, if one stands. */
void	bt_progress_clear(struct bt_progress *p);

#endif
