/*
 * bt-make - author a torrent.
 *
 * Reads the options, has the content scanned and hashed, writes the torrent and
 * reads it back by the rules of codec/metainfo before it is given out.
 */
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/sandbox.h"
#include "cli/signal.h"
#include "cli/value.h"
#include "codec/metainfo.h"
#include "codec/metawrite.h"
#include "codec/url.h"
#include "disk/slurp.h"
#include "make.h"

enum {
	OPT_DATE = 256,
	OPT_MAGNET,
	OPT_V1,
	OPT_V2,
	OPT_HYBRID,
	OPT_FILES_FROM,
	OPT_DRY_RUN,
	OPT_EDIT,
	OPT_REUSE
};

static const struct bt_opt opts[] = {
	{ 'a', "announce", "URL[,URL]",
	    "trackers of one tier; repeat for more" },
	{ 'o', "output", "FILE", "write the torrent here, not to stdout" },
	{ 'l', "piece-length", "SIZE", "a power of two from 16K (by size)" },
	{ 'n', "name", "NAME", "what the content is called (as PATH)" },
	{ 'w', "web-seed", "URL", "the content is also here; repeatable" },
	{ 'c', "comment", "TEXT", "a comment" },
	{ 's', "source", "SOURCE", "a source tag, part of the info-hash" },
	{ 'p', "private", NULL, "peers from these trackers only" },
	{ 'x', "exclude", "GLOB", "leave out a path or name; repeatable" },
	{ 'i', "include", "GLOB", "only these paths or names; repeatable" },
	{ OPT_FILES_FROM, "files-from", "FILE",
	    "take the files listed there, or on stdin (-)" },
	{ '0', "null", NULL, "paths in that list end with NUL" },
	{ OPT_V1, "v1", NULL, "a v1 torrent (what is made unless told)" },
	{ OPT_V2, "v2", NULL, "a v2 torrent (BEP 52)" },
	{ OPT_HYBRID, "hybrid", NULL, "both in one, from one read" },
	{ OPT_REUSE, "reuse", "TORRENT",
	    "with its hashes of files that are as they were" },
	{ OPT_EDIT, "edit", "TORRENT", "change -a -w -c -s of a torrent" },
	{ OPT_DRY_RUN, "dry-run", NULL, "say what would be in it, and stop" },
	{ 'f', "force", NULL, "overwrite FILE; write to a terminal" },
	{ OPT_DATE, "date", "TIME", "creation date: seconds or YYYY-MM-DD" },
	{ OPT_MAGNET, "magnet", NULL, "print the magnet link" },
	{ 0 },
};

static const struct bt_tool tool = {
	.name = "bt-make",
	.args = "PATH | --edit TORRENT",
	.purpose = "Make a torrent of a file, a folder, or (PATH -) of stdin.",
	.opts = opts,
	.json = "print what was made as one JSON object",
	.examples =
	    "bt-make -a http://tracker.example/announce album/ >album.torrent\n"
	    "bt-make -o film.torrent --magnet film.mkv\n"
	    "tar c src | bt-make -n src.tar -o src.torrent -\n"
	    "bt-make --edit old.torrent -a http://t.example/ -o new.torrent\n",
};

#define LIST_MAX ((size_t)1 << 30) /* BT_META_FILES_MAX of 256 bytes */

/* More of an array whose count is known to be small: argc bounds it. */
#define GROW(array, n) \
	((array) = bt_mem_resize((array), (n) + 1, sizeof(*(array))))

static void
check_url(struct job *job, struct bt_str url, bool udp)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;

	if (bt_url_parse(url, &u, &err) == -1) {
		bt_cli_fail(&job->cli, &err);
		exit(bt_cli_end(&job->cli));
	}
	if (u.scheme == BT_URL_UDP && !udp)
		bt_cli_misuse(&job->cli, "'%.*s' cannot be a web seed",
		    (int)url.n, url.p);
}

static void
add_tier(struct job *job)
{
	struct bt_metawrite *w = &job->meta;
	struct bt_str rest = bt_str_of(job->cli.arg), url;
	uint32_t tier;
	size_t n;

	if (rest.n == 0) { /* --edit: none are left */
		job->no_trackers = true;
		return;
	}
	tier = w->ntrackers == 0 ? 0 : w->trackers[w->ntrackers - 1].tier + 1;
	for (;;) {
		n = bt_str_find(rest, ',');
		url = bt_str_sub(rest, 0, n);
		check_url(job, url, true);
		GROW(job->trackers, w->ntrackers);
		w->trackers = job->trackers;
		job->trackers[w->ntrackers++] =
		    (struct bt_metawrite_tracker){ url, tier };
		if (n == rest.n)
			break;
		rest = bt_str_sub(rest, n + 1, rest.n);
	}
}

static void
add_web_seed(struct job *job)
{
	struct bt_metawrite *w = &job->meta;
	struct bt_str url = bt_str_of(job->cli.arg);

	if (url.n == 0) { /* --edit: none are left */
		job->no_web_seeds = true;
		return;
	}
	check_url(job, url, false);
	GROW(job->web_seeds, w->nweb_seeds);
	w->web_seeds = job->web_seeds;
	job->web_seeds[w->nweb_seeds++] = url;
}

static uint32_t
piece_length(struct job *job)
{
	uint64_t v;

	v = bt_cli_size(
	    &job->cli, BT_METAWRITE_PIECE_MIN, BT_METAWRITE_PIECE_MAX);
	if ((v & (v - 1)) != 0)
		bt_cli_misuse(&job->cli,
		    "option '--piece-length': '%s' is not a power of two",
		    job->cli.arg);
	return (uint32_t)v;
}

/* Seconds since the epoch, a day, or a day and a time, all in UTC. */
static int64_t
date(struct job *job, const char *what, const char *s)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S",
		"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S" };
	struct bt_err err = BT_ERR_INIT;
	struct tm tm;
	const char *end;
	uint64_t v;
	time_t t;

	if (bt_value_count(s, 0, INT64_MAX, &v, &err) == 0)
		return (int64_t)v;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		end = strptime(s, forms[i], &tm);
		if (end == NULL || *end != '\0')
			continue;
		t = timegm(&tm);
		if (t >= 0)
			return t;
	}
	bt_cli_misuse(&job->cli,
	    "%s: '%s' is not a date since 1970: give "
	    "seconds, YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ",
	    what, s);
}

/* What is done, and what kind of torrent it is. */
static void
take_way(struct job *job, int ch)
{
	switch (ch) {
	case OPT_V1:
	case OPT_V2:
	case OPT_HYBRID:
		if (job->v1 || job->v2)
			bt_cli_misuse(&job->cli,
			    "--v1, --v2 and --hybrid exclude each other");
		job->v1 = ch != OPT_V2;
		job->v2 = ch != OPT_V1;
		break;
	case OPT_FILES_FROM:
		job->list = job->cli.arg;
		break;
	case OPT_REUSE:
		job->reuse = job->cli.arg;
		break;
	case OPT_EDIT:
		job->edit = job->cli.arg;
		break;
	case OPT_DRY_RUN:
		job->dry_run = true;
		break;
	}
}

static void
take_option(struct job *job, int ch)
{
	const char *arg = job->cli.arg;

	switch (ch) {
	case 'a':
		add_tier(job);
		break;
	case 'o':
		job->output = arg;
		break;
	case 'l':
		job->meta.piece_length = piece_length(job);
		break;
	case 'n':
		job->meta.name = bt_str_of(arg);
		if (!bt_meta_is_safe_name(job->meta.name))
			bt_cli_misuse(&job->cli,
			    "option '--name': '%s' cannot be a file's name",
			    arg);
		break;
	case 'w':
		add_web_seed(job);
		break;
	case 'c':
		job->meta.comment = bt_str_of(arg);
		job->has_comment = true;
		break;
	case 's':
		job->meta.source = bt_str_of(arg);
		job->has_source = true;
		break;
	case 'p':
		job->meta.private_ = true;
		break;
	case 'x':
		GROW(job->scan.exclude, job->scan.nexclude);
		job->scan.exclude[job->scan.nexclude++] = arg;
		break;
	case 'i':
		GROW(job->scan.include, job->scan.ninclude);
		job->scan.include[job->scan.ninclude++] = arg;
		break;
	case '0':
		job->scan.list_end = '\0';
		break;
	case 'f':
		job->force = true;
		break;
	case OPT_DATE:
		job->meta.creation_date = date(job, "option '--date'", arg);
		break;
	case OPT_MAGNET:
		job->magnet = true;
		break;
	default:
		take_way(job, ch);
	}
}

static bool
is_stdio(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* --edit takes what it can change, and no content. */
static void
check_edit(struct job *job)
{
	struct bt_cli *cli = &job->cli;
	const struct content_conf *scan = &job->scan;
	bool changes = job->meta.ntrackers > 0 || job->meta.nweb_seeds > 0 ||
		       job->no_trackers || job->no_web_seeds ||
		       job->has_comment || job->has_source;

	if (cli->args[0] != NULL)
		bt_cli_misuse(cli, "--edit takes no PATH");
	if (!changes)
		bt_cli_misuse(cli, "--edit goes with -a, -w, -c or -s");
	if (job->v1 || job->v2 || job->meta.piece_length != 0 ||
	    job->meta.name.n > 0 || job->meta.private_ || scan->nexclude > 0 ||
	    scan->ninclude > 0 || job->list != NULL || job->dry_run ||
	    job->reuse != NULL || job->meta.creation_date != -1 ||
	    job->magnet || cli->json)
		bt_cli_misuse(
		    cli, "--edit changes -a, -w, -c and -s, and nothing else");
}

static void
check_make(struct job *job)
{
	struct bt_cli *cli = &job->cli;
	const char *path = cli->args[0];

	if (path == NULL || cli->args[1] != NULL)
		bt_cli_usage(cli);
	if (job->no_trackers || job->no_web_seeds)
		bt_cli_misuse(cli, "an empty URL goes with --edit only");
	if (is_stdio(path) && job->meta.name.n == 0)
		bt_cli_misuse(cli, "'-' (standard input) has no name: "
				   "give -n NAME");
	if (job->list != NULL && is_stdio(path))
		bt_cli_misuse(cli, "--files-from is of a folder");
	if (job->scan.list_end == '\0' && job->list == NULL)
		bt_cli_misuse(cli, "-0 goes with --files-from");
	if (job->dry_run && is_stdio(path))
		bt_cli_misuse(cli, "--dry-run reads no content, and '-' is "
				   "known by reading it");
	if (job->reuse != NULL && (!job->v2 || is_stdio(path)))
		bt_cli_misuse(cli, "--reuse goes with --v2 or --hybrid, and "
				   "with a PATH");
	if (!job->v1 && !job->v2)
		job->v1 = true;
}

/* What can be refused before any content is read. */
static void
check_usage(struct job *job)
{
	struct bt_cli *cli = &job->cli;
	bool says = job->magnet || cli->json || job->dry_run;
	bool to_stdout = job->output != NULL ? is_stdio(job->output) : !says;

	if (job->edit != NULL)
		check_edit(job);
	else
		check_make(job);
	if (to_stdout && says)
		bt_cli_misuse(cli,
		    "the torrent and the answer to --%s cannot "
		    "both go to stdout",
		    cli->json	  ? "json"
		    : job->magnet ? "magnet"
				  : "dry-run");
	if (to_stdout && cli->out.tty && !job->force)
		bt_cli_misuse(cli, "a torrent is not written to a terminal: "
				   "give -o FILE, or -f to force it");
	if (to_stdout || job->output == NULL)
		job->output = to_stdout ? "-" : NULL;
}

/* The output as it is now: not to be overwritten, nor made part of itself. */
static int
check_output(struct job *job, struct bt_err *err)
{
	struct content_conf *scan = &job->scan;
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		scan->apart[scan->napart++] = st;
	if (job->output == NULL || is_stdio(job->output) || job->dry_run)
		return 0;
	if (stat(job->output, &st) == -1 || !S_ISREG(st.st_mode))
		return 0; /* a pipe takes it; else it is said when it is made */
	if (!job->force)
		return bt_err_set(err, BT_EFILE,
		    "'%s' exists: give -f to overwrite it", job->output);
	scan->apart[scan->napart++] = st;
	return 0;
}

/* The list of --files-from into bytes. */
static int
read_list(struct job *job, struct bt_buf *bytes, struct bt_err *err)
{
	int rc;

	bt_buf_init(bytes, LIST_MAX);
	if (job->list == NULL)
		return 0;
	if (is_stdio(job->list))
		rc = bt_slurp_fd(STDIN_FILENO, "standard input", bytes, err);
	else
		rc = bt_slurp_file(job->list, bytes, err);
	job->scan.list = bt_buf_str(bytes);
	job->scan.has_list = true;
	return rc;
}

/* Read the content, and write the torrent. */
static void
confine(struct job *job)
{
	struct bt_sandbox box = { .sockets = BT_SANDBOX_NO_SOCKETS };

	bt_sandbox_read(&box, job->cli.args[0]);
	bt_sandbox_read(&box, job->edit);
	bt_sandbox_read(&box, job->reuse);
	bt_sandbox_read(&box, job->list);
	bt_sandbox_output(&box, job->output);
	bt_sandbox_enter(&box, &job->cli);
	bt_sandbox_fini(&box);
}

int
main(int argc, char **argv)
{
	struct job job = { .output = NULL };
	struct bt_err err = BT_ERR_INIT;
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	struct bt_buf list = { .p = NULL };
	int ch, rc;

	/* by the clock that files are stamped by: never later than a change */
	clock_gettime(CLOCK_REALTIME_COARSE, &job.mtime);
	bt_cli_start(&job.cli, &tool, argc, argv);
	job.scan.list_end = '\n';
	job.meta.creation_date = -1;
	job.meta.created_by = STR("bt-make " BT_CLI_VERSION);
	while ((ch = bt_cli_next(&job.cli)) != -1)
		take_option(&job, ch);
	check_usage(&job);
	if (job.meta.creation_date == -1 && epoch != NULL && job.edit == NULL)
		job.meta.creation_date = date(&job, "SOURCE_DATE_EPOCH", epoch);
	confine(&job);
	bt_signal_catch();
	rc = check_output(&job, &err);
	if (rc == 0)
		rc = read_list(&job, &list, &err);
	if (rc == 0 && job.edit != NULL)
		rc = edit_torrent(&job, &err);
	else if (rc == 0 && is_stdio(job.cli.args[0]))
		rc = make_of_stdin(&job, &err);
	else if (rc == 0)
		rc = make_of_path(&job, job.cli.args[0], &err);
	job.cli.signal = bt_signal_caught();
	if (rc == -1 && job.cli.signal == 0)
		bt_cli_fail(&job.cli, &err);
	bt_mem_free(job.trackers);
	bt_mem_free(job.web_seeds);
	bt_mem_free(job.scan.exclude);
	bt_mem_free(job.scan.include);
	bt_buf_fini(&list);
	return bt_cli_end(&job.cli);
}
