/*
 * options - a tool's command line, from one table, and how the tool ends.
 *
 * 1. Help, parsing and the errors about both come from one table of struct
 *    bt_opt; the man page and completions are tested against the help.
 * 2. -h -V -q -v --json --progress --no-progress --no-sandbox are the same in all
 *    tools and handled here; -h and -V end the program inside bt_cli_next().
 * 3. Options may follow operands, `--` ends them. A wrong command line is one
 *    sentence, "try 'bt-x --help'", and exit 2.
 * 4. bt_cli_start() makes the process fit (cli/process). Output that nobody
 *    reads ends the tool by SIGPIPE in bt_cli_end(), as any filter.
 * 5. -q silences warnings and the progress line, never bt_cli_fail().
 * Touches: stdout, stderr, signals, the process. One thread calls it.
 *
 * Used by  every main.c
 * Tests    tests/unit/test_cli_options.c, tests/e2e/cli.bats, tests/lint
 */
#ifndef BT_CLI_OPTIONS_H
#define BT_CLI_OPTIONS_H

#include "base/err.h"
#include "base/log.h"
#include "cli/out.h"
#include "cli/progress.h"

#define BT_CLI_VERSION "0.1.0"	/* of all the tools */

/* One option; the table ends with { 0 }. */
struct bt_opt {
	int ch;			/* its letter, or 256..511 if it has none */
	const char *name;	/* long name, without dashes; never NULL */
	const char *arg;	/* its argument's name; NULL: none; "[X]": may */
	const char *help;	/* one line, lower case */
};

struct bt_tool {
	const char *name;
	const char *args;	/* the operands as in SYNOPSIS: "TORRENT..." */
	const char *purpose;	/* one sentence */
	const struct bt_opt *opts;
	const char *json;	/* what --json does here, one line */
	const char *examples;	/* lines, each ends with \n; not indented */
};

struct bt_cli {
	const struct bt_tool *tool;
	char **args;		/* operands, once bt_cli_next() said -1 */
	const char *arg;	/* the option's argument, or NULL */
	bool json;
	bool quiet;
	unsigned verbose;	/* how many -v */
	bool no_sandbox;	/* for cli/sandbox */
	int status;		/* of the first failure, or 0 */
	int signal;		/* set by the tool: end by this signal */
	struct bt_log log;	/* to stderr by -q and -v; clears bar first */
	struct bt_out out;	/* stdout */
	struct bt_progress bar;	/* stderr; ready once bt_cli_next() said -1 */
	struct bt_cli_parse *parse;	/* options.c's own */
};

/* Begin. cli must stay where it is: cli.log points to it. */
void	bt_cli_start(struct bt_cli *cli, const struct bt_tool *tool, int argc,
	    char **argv);
/* The next option's ch with cli->arg set, or -1 with cli->args set. */
int	bt_cli_next(struct bt_cli *cli);

/* The current option's argument as a value; what is wrong is exit 2. */
uint64_t	bt_cli_size(struct bt_cli *cli, uint64_t min, uint64_t max);
uint64_t	bt_cli_time(struct bt_cli *cli);	/* microseconds */
uint64_t	bt_cli_count(struct bt_cli *cli, uint64_t min, uint64_t max);
uint64_t	bt_cli_ratio(struct bt_cli *cli);	/* thousandths */

/* Operands are missing or too many: print the synopsis, exit 2. */
void	bt_cli_usage(struct bt_cli *cli) __attribute__((noreturn));
/* Any other misuse: a sentence, the hint, exit 2. */
void	bt_cli_misuse(struct bt_cli *cli, const char *fmt, ...)
	    __attribute__((noreturn, format(printf, 2, 3)));

/* "bt-x: sentence" on stderr; the first failure's status is kept. */
void	bt_cli_fail(struct bt_cli *cli, const struct bt_err *err);
/* Keep the status only: the tool said it in its own way (JSON). */
void	bt_cli_keep(struct bt_cli *cli, enum bt_err_kind kind);
/* A sentence on stderr that is no failure; silent with -q. */
void	bt_cli_warn(struct bt_cli *cli, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * Flush and check stdout, and end: returns what main() returns, or ends by
 * SIGPIPE or by cli->signal.
 */
int	bt_cli_end(struct bt_cli *cli);

#endif
