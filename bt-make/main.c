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
#include "cli/json.h"
#include "cli/options.h"
#include "cli/signal.h"
#include "cli/value.h"
#include "codec/magnet.h"
#include "codec/metainfo.h"
#include "codec/metawrite.h"
#include "codec/url.h"
#include "content.h"
#include "disk/slurp.h"
#include "disk/verify_stream.h"
#include "stream.h"

enum { OPT_DATE = 256, OPT_MAGNET };

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
	{ 'f', "force", NULL, "overwrite FILE; write to a terminal" },
	{ OPT_DATE, "date", "TIME", "creation date: seconds or YYYY-MM-DD" },
	{ OPT_MAGNET, "magnet", NULL, "print the magnet link" },
	{ 0 },
};

static const struct bt_tool tool = {
	.name = "bt-make",
	.args = "PATH",
	.purpose = "Make a torrent of a file, a folder, or (PATH -) of stdin.",
	.opts = opts,
	.json = "print what was made as one JSON object",
	.examples =
	    "bt-make -a http://tracker.example/announce album/ >album.torrent\n"
	    "bt-make -o film.torrent --magnet film.mkv\n"
	    "tar c src | bt-make -n src.tar -o src.torrent -\n",
};

struct job {
	struct bt_cli cli;
	const char *output; /* -o, or NULL */
	bool force, magnet;
	struct bt_metawrite meta;
	struct bt_metawrite_tracker *trackers;
	struct bt_str *web_seeds;
	struct content_conf scan;
	uint64_t total; /* bytes to hash; 0 if unknown */
};

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
		break;
	case 's':
		job->meta.source = bt_str_of(arg);
		break;
	case 'p':
		job->meta.private_ = true;
		break;
	case 'x':
		GROW(job->scan.globs, job->scan.nglobs);
		job->scan.globs[job->scan.nglobs++] = arg;
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
	}
}

static bool
is_stdio(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* What can be refused before any content is read. */
static void
check_usage(struct job *job)
{
	struct bt_cli *cli = &job->cli;
	bool says = job->magnet || cli->json;
	bool to_stdout = job->output != NULL ? is_stdio(job->output) : !says;

	if (cli->args[0] == NULL || cli->args[1] != NULL)
		bt_cli_usage(cli);
	if (to_stdout && says)
		bt_cli_misuse(cli,
		    "the torrent and the answer to --%s cannot "
		    "both go to stdout",
		    cli->json ? "json" : "magnet");
	if (to_stdout && cli->out.tty && !job->force)
		bt_cli_misuse(cli, "a torrent is not written to a terminal: "
				   "give -o FILE, or -f to force it");
	if (is_stdio(cli->args[0]) && job->meta.name.n == 0)
		bt_cli_misuse(cli, "'-' (standard input) has no name: "
				   "give -n NAME");
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
	if (job->output == NULL || is_stdio(job->output))
		return 0;
	if (stat(job->output, &st) == -1 || !S_ISREG(st.st_mode))
		return 0; /* a pipe takes it; else it is said when it is made */
	if (!job->force)
		return bt_err_set(err, BT_EFILE,
		    "'%s' exists: give -f to overwrite it", job->output);
	scan->apart[scan->napart++] = st;
	return 0;
}

static bool
progress(void *arg, uint64_t done)
{
	struct job *job = arg;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	bt_progress_draw(&job->cli.bar,
	    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, done,
	    job->total, NULL);
	return bt_signal_caught() == 0;
}

/* Write the torrent, read it back, and give it out. */
static int
give_out(struct job *job, struct bt_err *err)
{
	struct bt_cli *cli = &job->cli;
	struct bt_buf out, link;
	struct bt_meta m;
	char hex[2 * BT_SHA1_LEN + 1];
	struct bt_json j;
	int rc = -1;

	bt_buf_init(&out, BT_META_BYTES_MAX);
	if (bt_metawrite_put(&job->meta, &out, err) == -1)
		goto free_out;
	if (bt_meta_parse(bt_buf_str(&out), &m, err) == -1)
		goto free_out;
	bt_buf_init(&link, BT_MAGNET_MAX);
	bt_magnet_put(&m, &link);
	if (job->output != NULL && is_stdio(job->output))
		bt_out_raw(&cli->out, bt_buf_str(&out));
	else if (job->output != NULL &&
		 bt_slurp_replace(
		     job->output, bt_buf_str(&out), job->force, err) == -1)
		goto free_link;
	if (cli->json) {
		bt_str_hex((struct bt_str){ m.info_hash, BT_SHA1_LEN }, hex);
		bt_json_begin(&j, &cli->out);
		bt_json_str(&j, "name", m.name);
		bt_json_cstr(&j, "info_hash", hex);
		bt_json_int(&j, "size", (int64_t)m.size);
		bt_json_int(&j, "piece_length", m.piece_length);
		bt_json_int(&j, "pieces", m.pieces);
		bt_json_int(&j, "files", m.nfiles);
		bt_json_int(&j, "torrent_size", (int64_t)out.n);
		bt_json_str(&j, "magnet", bt_buf_str(&link));
		bt_json_end(&j);
	} else if (job->magnet) {
		bt_out_raw(&cli->out, bt_buf_str(&link));
		bt_out_raw(&cli->out, STR("\n"));
	}
	rc = 0;
free_link:
	bt_buf_fini(&link);
	bt_meta_fini(&m);
free_out:
	bt_buf_fini(&out);
	return rc;
}

/* How much is left in a plain file on stdin; 0 if it is none, or a pipe. */
static uint64_t
size_of_stdin(void)
{
	struct stat st;
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

	if (at == -1 || fstat(STDIN_FILENO, &st) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_size < at)
		return 0;
	return (uint64_t)(st.st_size - at);
}

/* Fill s by whichever reader fits: the piece length is known, or is not yet. */
static int
hash_stdin(struct job *job, struct stream *s, struct bt_err *err)
{
	uint32_t length = job->meta.piece_length;
	uint64_t size = size_of_stdin();

	job->total = size;
	if (length == 0 && size == 0)
		return stream_hash(s, STDIN_FILENO, progress, job, err);
	s->piece_length =
	    length != 0 ? length : bt_metawrite_piece_length(size);
	bt_buf_init(&s->hashes, BT_META_BYTES_MAX);
	if (bt_verify_author_fd(STDIN_FILENO, "standard input", s->piece_length,
		0, progress, job, &s->hashes, &s->size, err) == -1)
		goto fail;
	if (size != 0 && s->size != size) {
		bt_err_set(err, BT_EFILE,
		    "standard input changed its size while it was read");
		goto fail;
	}
	return 0;
fail:
	bt_buf_fini(&s->hashes);
	return -1;
}

static int
make_of_stream(struct job *job, struct bt_err *err)
{
	struct bt_metawrite_file file = { { NULL, 0 }, 0 };
	struct bt_metawrite *w = &job->meta;
	struct stream s;
	int rc;

	if (hash_stdin(job, &s, err) == -1)
		return -1;
	file.size = s.size;
	w->files = &file;
	w->nfiles = 1;
	w->single = true;
	w->piece_length = s.piece_length;
	w->piece_hashes = bt_buf_str(&s.hashes);
	if (s.size == 0)
		rc = bt_err_set(err, BT_EINPUT,
		    "standard input has nothing to share in it");
	else
		rc = give_out(job, err);
	bt_buf_fini(&s.hashes);
	return rc;
}

static int
hash_content(struct job *job, const struct content *c, struct bt_err *err)
{
	struct bt_metawrite *w = &job->meta;
	uint64_t pieces;
	uint8_t *hashes;
	int rc = -1;

	pieces = (c->size - 1) / w->piece_length + 1;
	if (pieces > BT_META_BYTES_MAX / BT_SHA1_LEN)
		return bt_err_set(err, BT_ELIMIT,
		    "too many pieces of %u bytes "
		    "for one torrent: give a larger -l",
		    w->piece_length);
	hashes = bt_mem_array(pieces, BT_SHA1_LEN);
	if (bt_author_run(&(struct bt_author){ .files = c->sources,
			      .n = c->nfiles,
			      .piece_length = w->piece_length,
			      .progress = progress,
			      .arg = job,
			      .sha1 = hashes },
		err) == 0) {
		w->piece_hashes =
		    (struct bt_str){ hashes, pieces * BT_SHA1_LEN };
		rc = give_out(job, err);
	}
	bt_mem_free(hashes);
	return rc;
}

static int
make_of_path(struct job *job, const char *path, struct bt_err *err)
{
	struct bt_metawrite *w = &job->meta;
	struct content c;
	int rc = -1;

	if (content_scan(&c, path, &job->scan, err) == -1)
		return -1;
	if (c.passed_over > 0)
		bt_cli_warn(&job->cli,
		    "left out of '%s': %zu that are links or special files",
		    path, c.passed_over);
	if (w->name.n == 0)
		w->name = bt_str_of(c.name);
	if (w->piece_length == 0)
		w->piece_length = bt_metawrite_piece_length(c.size);
	w->files = c.files;
	w->nfiles = c.nfiles;
	w->single = c.single;
	job->total = c.size;
	if (!bt_meta_is_safe_name(w->name))
		bt_err_set(err, BT_EUSAGE,
		    "'%s' has no name of its own: give -n NAME", path);
	else
		rc = hash_content(job, &c, err);
	content_fini(&c);
	return rc;
}

int
main(int argc, char **argv)
{
	struct job job = { .output = NULL };
	struct bt_err err = BT_ERR_INIT;
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	int ch, rc;

	bt_cli_start(&job.cli, &tool, argc, argv);
	job.meta.creation_date = -1;
	job.meta.created_by = STR("bt-make " BT_CLI_VERSION);
	while ((ch = bt_cli_next(&job.cli)) != -1)
		take_option(&job, ch);
	if (job.meta.creation_date == -1 && epoch != NULL)
		job.meta.creation_date = date(&job, "SOURCE_DATE_EPOCH", epoch);
	check_usage(&job);
	bt_signal_catch();
	rc = check_output(&job, &err);
	if (rc == 0 && is_stdio(job.cli.args[0]))
		rc = make_of_stream(&job, &err);
	else if (rc == 0)
		rc = make_of_path(&job, job.cli.args[0], &err);
	job.cli.signal = bt_signal_caught();
	if (rc == -1 && job.cli.signal == 0)
		bt_cli_fail(&job.cli, &err);
	bt_mem_free(job.trackers);
	bt_mem_free(job.web_seeds);
	bt_mem_free(job.scan.globs);
	return bt_cli_end(&job.cli);
}
