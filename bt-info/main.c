/*
 * bt-info - look at torrents, list them, and verify content against them.
 */
#include <string.h>

#include "base/mem.h"
#include "cli/sandbox.h"
#include "cli/signal.h"
#include "disk/slurp.h"
#include "info.h"
#include "job.h"
#include "net/fetch.h"

enum {
	OPT_CHECK = 256,
	OPT_LINT,
	OPT_STRICT,
	OPT_TREE,
	OPT_FAIL_FAST,
	OPT_SEEDS,
	OPT_TIMEOUT,
	OPT_FIND
};

#define TIMEOUT_US INT64_C(15000000) /* as bt-scrape's */

static const struct bt_opt opts[] = {
	{ 'p', "print", "FIELD", "print only this fact; repeatable" },
	{ 'l', "list", NULL, "list the files: INDEX, SIZE, PATH" },
	{ '0', "null", NULL, "with -l: paths only, each ended by NUL" },
	{ OPT_TREE, "tree", NULL, "show folders and files as a tree" },
	{ OPT_CHECK, "check", "PATH",
	    "verify the content at PATH, or - (stdin)" },
	{ OPT_FAIL_FAST, "fail-fast", NULL,
	    "with --check: stop at the first fault" },
	{ OPT_SEEDS, "web-seeds", NULL,
	    "ask each web seed for parts of the content" },
	{ OPT_TIMEOUT, "timeout", "TIME",
	    "with --web-seeds: of each request (15s)" },
	{ OPT_FIND, "find", "DIR",
	    "find the files in DIR under whatever names" },
	{ OPT_LINT, "lint", NULL, "tell all that is wrong or unwise" },
	{ OPT_STRICT, "strict", NULL, "with --lint: warnings exit 1" },
	{ 0 },
};

static const struct bt_tool tool = {
	.name = "bt-info",
	.args = "TORRENT...",
	.purpose = "Show what torrents say, lint them, verify content.",
	.opts = opts,
	.json = "print one JSON object per torrent",
	.examples = "bt-info album.torrent\n"
		    "bt-info -p info_hash -p magnet *.torrent\n"
		    "bt-info -l album.torrent\n"
		    "bt-info --lint *.torrent\n"
		    "bt-info --check copy/album album.torrent\n",
};

static void
add_field(struct job *job)
{
	struct bt_buf names;
	int field = info_field_find(job->cli.arg);

	if (field == -1) {
		bt_buf_init(&names, 512);
		info_field_names(&names);
		bt_cli_misuse(&job->cli,
		    "'%s' is not a field: it is one of "
		    "%.*s",
		    job->cli.arg, (int)names.n, (char *)names.p);
	}
	job->fields =
	    bt_mem_resize(job->fields, job->nfields + 1, sizeof(*job->fields));
	job->fields[job->nfields++] = field;
}

/* Each way of telling excludes the others. */
static void
take_mode(struct job *job, enum job_mode mode)
{
	if (job->mode != SHOW && job->mode != mode)
		bt_cli_misuse(&job->cli,
		    "-p, -l, --tree, --check, --lint, --find and --web-seeds "
		    "exclude each other");
	job->mode = mode;
}

static void
take_option(struct job *job, int ch)
{
	switch (ch) {
	case 'p':
		take_mode(job, PRINT);
		add_field(job);
		break;
	case 'l':
		take_mode(job, LIST);
		break;
	case '0':
		job->nul = true;
		break;
	case OPT_TREE:
		take_mode(job, TREE);
		break;
	case OPT_CHECK:
		take_mode(job, CHECK);
		job->path = job->cli.arg;
		break;
	case OPT_SEEDS:
		take_mode(job, SEEDS);
		break;
	case OPT_TIMEOUT:
		job->timeout_us = (int64_t)bt_cli_time(&job->cli);
		break;
	case OPT_FIND:
		take_mode(job, FIND);
		job->path = job->cli.arg;
		break;
	case OPT_FAIL_FAST:
		job->fail_fast = true;
		break;
	case OPT_LINT:
		take_mode(job, LINT);
		break;
	case OPT_STRICT:
		job->strict = true;
		break;
	}
}

static bool
is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

static void
check_usage(struct job *job)
{
	struct bt_cli *cli = &job->cli;
	int stdins = job->mode == CHECK && is_stdin(job->path);
	bool one = job->mode == LIST || job->mode == CHECK || job->mode == FIND;

	if (cli->args[0] == NULL)
		bt_cli_usage(cli);
	for (char **arg = cli->args; *arg != NULL; arg++)
		stdins += is_stdin(*arg);
	if (stdins > 1)
		bt_cli_misuse(cli, "'-' (standard input) is given twice");
	if (cli->json &&
	    (job->mode == PRINT || job->mode == LIST || job->mode == TREE))
		bt_cli_misuse(cli, "--json excludes -p, -l and --tree");
	if (job->nul && job->mode != LIST)
		bt_cli_misuse(cli, "-0 goes with -l");
	if (job->fail_fast && job->mode != CHECK)
		bt_cli_misuse(cli, "--fail-fast goes with --check");
	if (job->timeout_us != 0 && job->mode != SEEDS)
		bt_cli_misuse(cli, "--timeout goes with --web-seeds");
	if (job->strict && job->mode != LINT)
		bt_cli_misuse(cli, "--strict goes with --lint");
	if (one && cli->args[1] != NULL)
		bt_cli_misuse(cli, "%s takes one TORRENT",
		    job->mode == LIST	 ? "-l"
		    : job->mode == CHECK ? "--check"
					 : "--find");
}

/* Read what is named, and write nothing. */
static void
confine(struct job *job)
{
	struct bt_sandbox box = { .sockets = BT_SANDBOX_NO_SOCKETS };

	if (job->mode == SEEDS)
		box.sockets = BT_SANDBOX_SOCKETS;
	bt_sandbox_operands(&box, job->cli.args);
	bt_sandbox_read(&box, job->path);
	bt_sandbox_enter(&box, &job->cli);
	bt_sandbox_fini(&box);
}

int
main(int argc, char **argv)
{
	struct job job = { .input.read = bt_slurp_fd,
		.input.fetch = bt_fetch_url };
	struct bt_err err = BT_ERR_INIT;
	char **arg;
	int ch;

	bt_cli_start(&job.cli, &tool, argc, argv);
	while ((ch = bt_cli_next(&job.cli)) != -1)
		take_option(&job, ch);
	check_usage(&job);
	confine(&job);
	if (job.timeout_us == 0)
		job.timeout_us = TIMEOUT_US;
	for (arg = job.cli.args; *arg != NULL; arg++) {
		if (job_run(&job, *arg, &err) == 0)
			continue;
		if (bt_signal_caught() != 0)
			break;
		bt_cli_fail(&job.cli, &err);
	}
	job.cli.signal = bt_signal_caught();
	bt_mem_free(job.fields);
	return bt_cli_end(&job.cli);
}
