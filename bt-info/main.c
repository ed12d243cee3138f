/*
 * bt-info - look at torrents, list them, and verify content against them.
 */
#include <string.h>

#include "base/mem.h"
#include "cli/input.h"
#include "cli/sandbox.h"
#include "cli/signal.h"
#include "codec/magnet.h"
#include "disk/slurp.h"
#include "info.h"
#include "net/fetch.h"

enum { OPT_CHECK = 256 };

static const struct bt_opt opts[] = {
	{ 'p', "print", "FIELD", "print only this fact; repeatable" },
	{ 'l', "list", NULL, "list the files: INDEX, SIZE, PATH" },
	{ '0', "null", NULL, "with -l: paths only, each ended by NUL" },
	{ OPT_CHECK, "check", "PATH",
	    "verify the content at PATH, or - (stdin)" },
	{ 0 },
};

static const struct bt_tool tool = {
	.name = "bt-info",
	.args = "TORRENT...",
	.purpose = "Show what torrents say, and verify content against them.",
	.opts = opts,
	.json = "print one JSON object per torrent",
	.examples = "bt-info album.torrent\n"
		    "bt-info -p info_hash -p magnet *.torrent\n"
		    "bt-info -l album.torrent\n"
		    "bt-info --check copy/album album.torrent\n",
};

struct job {
	struct bt_cli cli;
	struct bt_input input;
	int *fields; /* -p, in the order given */
	size_t nfields;
	bool list, nul;
	const char *check; /* --check PATH, or NULL */
	bool again;	   /* something was shown before */
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

static void
take_option(struct job *job, int ch)
{
	switch (ch) {
	case 'p':
		add_field(job);
		break;
	case 'l':
		job->list = true;
		break;
	case '0':
		job->nul = true;
		break;
	case OPT_CHECK:
		job->check = job->cli.arg;
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
	int stdins = job->check != NULL && is_stdin(job->check);
	int ways = (job->nfields > 0) + job->list + (job->check != NULL);

	if (cli->args[0] == NULL)
		bt_cli_usage(cli);
	for (char **arg = cli->args; *arg != NULL; arg++)
		stdins += is_stdin(*arg);
	if (stdins > 1)
		bt_cli_misuse(cli, "'-' (standard input) is given twice");
	if (ways > 1)
		bt_cli_misuse(cli, "-p, -l and --check exclude each other");
	if (cli->json && (job->nfields > 0 || job->list))
		bt_cli_misuse(cli, "--json excludes -p and -l");
	if (job->nul && !job->list)
		bt_cli_misuse(cli, "-0 goes with -l");
	if ((job->list || job->check != NULL) && cli->args[1] != NULL)
		bt_cli_misuse(
		    cli, "%s takes one TORRENT", job->list ? "-l" : "--check");
}

static int
tell(struct job *job, const struct info *in, struct bt_err *err)
{
	struct bt_out *o = &job->cli.out;

	if (job->check != NULL) {
		bt_signal_catch(); /* from here on ^C wipes the progress line */
		return info_check(in, job->check, &job->cli, err);
	}
	if (job->list) {
		info_list(in, o, job->nul);
	} else if (job->nfields > 0) {
		for (size_t i = 0; i < job->nfields; i++)
			info_print_field(in, o, job->fields[i]);
	} else if (job->cli.json) {
		info_json(in, o);
	} else {
		if (job->again)
			bt_out_raw(o, STR("\n"));
		info_show(in, o);
		job->again = true;
	}
	return 0;
}

static int
look_at(struct job *job, const char *operand, struct bt_err *err)
{
	struct info in = { .operand = operand };
	struct bt_buf bytes;
	int rc = -1;

	if (bt_input_torrent(&job->input, operand, &bytes, err) == -1)
		goto out;
	if (bt_meta_parse(bt_buf_str(&bytes), &in.meta, err) == -1) {
		bt_err_prefix(err, "'%s'", operand);
		goto out;
	}
	if (in.meta.has_v1)
		bt_str_hex(
		    (struct bt_str){ in.meta.info_hash, BT_SHA1_LEN }, in.hash);
	if (in.meta.has_v2)
		bt_str_hex(
		    (struct bt_str){ in.meta.info_hash_v2, BT_SHA256_LEN },
		    in.hash_v2);
	for (uint32_t i = 0; i < in.meta.nfiles; i++)
		in.listed += info_is_listed(&in.meta.files[i]);
	bt_buf_init(&in.magnet, BT_MAGNET_MAX);
	bt_magnet_put(&in.meta, &in.magnet);
	rc = tell(job, &in, err);
	bt_buf_fini(&in.magnet);
	bt_meta_fini(&in.meta);
out:
	bt_buf_fini(&bytes);
	return rc;
}

/* Read what is named, and write nothing. */
static void
confine(struct job *job)
{
	struct bt_sandbox box = { .sockets = BT_SANDBOX_NO_SOCKETS };

	bt_sandbox_operands(&box, job->cli.args);
	bt_sandbox_read(&box, job->check);
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
	for (arg = job.cli.args; *arg != NULL; arg++) {
		if (look_at(&job, *arg, &err) == 0)
			continue;
		if (bt_signal_caught() != 0)
			break;
		bt_cli_fail(&job.cli, &err);
	}
	job.cli.signal = bt_signal_caught();
	bt_mem_free(job.fields);
	return bt_cli_end(&job.cli);
}
