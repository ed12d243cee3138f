/*
 * check - what comparing content with a torrent found.
 *
 * A piece that spans files cannot say which of them is wrong. So a file is
 * "bad" if a bad piece lies in it that no missing or short file explains,
 * and "unproven" if all its bad pieces are shared with such files.
 * Touches: stdout (check_report.c).
 *
 * Used by  bt-info/check.c, bt-info/check_report.c
 * Tests    tests/e2e/bt-info.bats
 */
#ifndef BT_INFO_CHECK_H
#define BT_INFO_CHECK_H

#include "base/bits.h"
#include "core/layout.h"
#include "info.h"

enum verdict { WHOLE, BAD, MISSING, SHORT, LONG, UNPROVEN };

struct check {
	const struct info *in;
	struct bt_cli *cli;
	struct bt_layout *layout;
	bool fail_fast;		/* the first fault is enough */
	bool stopped;		/* by that */
	bool is_sized;		/* the sizes' part of verdicts is filled */
	struct bt_bits good;	/* pieces whose hash is right */
	struct bt_bits bad;	/* and those whose is not, or are not there */
	struct bt_bits explained;	/* touch a missing or short file */
	struct bt_bits told;	/* files whose line went out (--json) */
	enum verdict *verdicts;	/* of each file; sizes' part is filled first */
	uint32_t *left;		/* of each file: pieces not looked at */
	uint32_t *index;	/* of each file: its number for people */
	bool trailing;		/* stdin went on after the last file */
	uint64_t done;		/* bytes looked at, for the progress line */
};

/*
 * check_report.c. The sizes are known, and so which pieces cannot be there; with
 * --json files without bytes are told.
 */
void	check_on_sizes(struct check *c);
/* A piece was looked at: with --json files that are done with it are told. */
void	check_on_piece(struct check *c, uint32_t piece, bool good);
/* Tell the rest. 0 if all is whole, or -1. */
int	check_report(struct check *c, const char *path, struct bt_err *err);

#endif
