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
	struct bt_bits good;	/* pieces whose hash is right */
	enum verdict *verdicts;	/* of each file; sizes' part is filled first */
	bool trailing;		/* stdin went on after the last file */
	uint64_t done;		/* bytes looked at, for the progress line */
};

/* check_report.c: settle BAD and UNPROVEN; print. 0 if all is whole, or -1. */
int	check_report(struct check *c, const char *path, struct bt_err *err);

#endif
