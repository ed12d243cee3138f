/*
 * job - what bt-info is asked to do, and doing it for one operand.
 *
 * Touches: stdout, files, and sockets where an operand or a web seed is a URL.
 *
 * Used by  bt-info/main.c, tests/fuzz/mutate.c
 * Tests    tests/e2e/bt-info.bats
 */
#ifndef BT_INFO_JOB_H
#define BT_INFO_JOB_H

#include "cli/input.h"
#include "cli/options.h"

enum job_mode { SHOW, PRINT, LIST, TREE, CHECK, LINT, SEEDS, FIND };

struct job {
	struct bt_cli cli;
	struct bt_input input;
	enum job_mode mode;
	int *fields;		/* PRINT: in the order given */
	size_t nfields;
	const char *path;	/* CHECK: the content, or "-"; FIND: a folder */
	bool fail_fast;		/* CHECK: the first fault is enough */
	bool nul;		/* LIST: paths ended by NUL */
	bool strict;		/* LINT: warnings are a failure too */
	int64_t timeout_us;	/* SEEDS: of each request */
	bool again;		/* something was shown before */
};

/* Read the operand, and tell of it what is asked. 0 or -1. */
int	job_run(struct job *job, const char *operand, struct bt_err *err);
/* The same for a torrent's bytes that were read from the operand. */
int	job_run_bytes(struct job *job, const char *operand, struct bt_str bytes,
	    struct bt_err *err);

#endif
