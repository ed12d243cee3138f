/*
 * bt-scrape - ask trackers: how many have it, and who.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/input.h"
#include "cli/json.h"
#include "codec/metainfo.h"
#include "codec/url.h"
#include "disk/slurp.h"
#include "net/fetch.h"
#include "scrape.h"

#define PORT 6881 /* what cli.md promises; nobody listens there */
#define TIMEOUT_US (15 * BT_LOOP_SECOND)

enum {
	OPT_ANNOUNCE = 256,
	OPT_EVENT,
	OPT_LEFT,
	OPT_PORT,
	OPT_NUMWANT,
	OPT_TIMEOUT,
	OPT_BIND,
	OPT_INSECURE
};

static const struct bt_opt opts[] = {
	{ 'i', "info-hash", "INFO_HASH", "ask about this torrent; repeatable" },
	{ 'a', "tracker", "URL", "ask this tracker too; repeatable" },
	{ OPT_ANNOUNCE, "announce", NULL,
	    "ask for peers: prints ADDR:PORT lines" },
	{ OPT_EVENT, "event", "EVENT",
	    "announce started, completed, stopped, paused, none" },
	{ OPT_LEFT, "left", "BYTES", "announce so much to go (all of it)" },
	{ OPT_PORT, "port", "PORT", "announce this port (6881)" },
	{ OPT_NUMWANT, "numwant", "N", "ask for at most N peers (200)" },
	{ OPT_TIMEOUT, "timeout", "TIME", "give up after this long (15s)" },
	{ OPT_BIND, "bind", "ADDR", "ask from this address" },
	{ '4', "ipv4", NULL, "ask over IPv4 only" },
	{ '6', "ipv6", NULL, "ask over IPv6 only" },
	{ OPT_INSECURE, "insecure", NULL, "take any TLS certificate" },
	{ 0 },
};

static const struct bt_tool tool = {
	.name = "bt-scrape",
	.args = "TORRENT|TRACKER-URL...",
	.purpose = "Ask trackers how many peers a torrent has, and who.",
	.opts = opts,
	.json = "print one JSON object per answer or failure",
	.examples = "bt-scrape album.torrent\n"
		    "bt-scrape -i 0123...4567 udp://tracker.example:6969\n"
		    "bt-scrape --announce album.torrent | bt-get --peers - "
		    "album.torrent\n",
};

/* More of an array whose count is small: operands and their trackers. */
#define GROW(array, n) \
	((array) = bt_mem_resize((array), (n) + 1, sizeof(*(array))))

const char *
scrape_tracker(const struct job *job, const struct torrent *t, size_t i)
{
	if (i < t->ntrackers)
		return t->trackers[i];
	i -= t->ntrackers;
	return i < job->ntrackers ? job->trackers[i] : NULL;
}

void
scrape_failed(struct job *job, const char *url, const struct bt_err *err)
{
	struct bt_json j;

	if (!job->cli.json) {
		bt_cli_fail(&job->cli, err);
		return;
	}
	bt_json_begin(&j, &job->cli.out);
	bt_json_cstr(&j, "tracker", url);
	bt_json_err(&j, err);
	bt_json_end(&j);
	bt_cli_keep(&job->cli, err->kind);
}

static void
add_hash(struct job *job, const uint8_t hash[20])
{
	struct torrent t = { .size = 1 };

	memcpy(t.info_hash, hash, 20);
	GROW(job->torrents, job->ntorrents);
	job->torrents[job->ntorrents++] = t;
}

static void
take_hash(struct job *job)
{
	uint8_t hash[20];

	if (bt_str_unhex(bt_str_of(job->cli.arg), hash, 20) == -1)
		bt_cli_misuse(&job->cli,
		    "'%s' is not an info-hash: 40 hex digits", job->cli.arg);
	add_hash(job, hash);
}

static void
add_tracker(struct job *job, const char *url)
{
	GROW(job->trackers, job->ntrackers);
	job->trackers[job->ntrackers++] = bt_mem_strdup(url);
}

static void
take_tracker(struct job *job)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;

	if (bt_url_parse(bt_str_of(job->cli.arg), &u, &err) == -1)
		bt_cli_misuse(&job->cli, "%s", err.text);
	add_tracker(job, job->cli.arg);
}

static void
take_event(struct job *job)
{
	static const struct {
		const char *name;
		enum bt_event event;
	} events[] = {
		{ "none", BT_EVENT_NONE },
		{ "started", BT_EVENT_STARTED },
		{ "completed", BT_EVENT_COMPLETED },
		{ "stopped", BT_EVENT_STOPPED },
		{ "paused", BT_EVENT_PAUSED },
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strcmp(job->cli.arg, events[i].name) == 0) {
			job->event = events[i].event;
			job->has_event = true;
			return;
		}
	}
	bt_cli_misuse(&job->cli,
	    "'%s' is not an event: started, completed, stopped, paused, none",
	    job->cli.arg);
}

static void
take_bind(struct job *job)
{
	if (bt_addr_parse_ip(bt_str_of(job->cli.arg), &job->net.bind) == -1)
		bt_cli_misuse(
		    &job->cli, "'%s' is not an IP address", job->cli.arg);
}

/* -4 and -6 together are both. */
static void
take_family(struct job *job, bool *on, bool *begun)
{
	if (!*begun)
		job->net.ipv4 = job->net.ipv6 = false;
	*begun = true;
	*on = true;
}

static void
take_announce_option(struct job *job, int ch)
{
	switch (ch) {
	case OPT_EVENT:
		take_event(job);
		break;
	case OPT_LEFT:
		job->left = bt_cli_size(&job->cli, 0, INT64_MAX);
		job->has_left = true;
		break;
	case OPT_PORT:
		job->port = (uint16_t)bt_cli_count(&job->cli, 1, UINT16_MAX);
		break;
	case OPT_NUMWANT:
		job->numwant =
		    (int32_t)bt_cli_count(&job->cli, 0, BT_ANNOUNCE_PEERS_MAX);
		break;
	}
}

static void
take_options(struct job *job)
{
	bool families = false, tuned = false;
	int ch;

	while ((ch = bt_cli_next(&job->cli)) != -1) {
		switch (ch) {
		case 'i':
			take_hash(job);
			break;
		case 'a':
			take_tracker(job);
			break;
		case OPT_ANNOUNCE:
			job->announce = true;
			break;
		case OPT_TIMEOUT:
			job->timeout_us = (int64_t)bt_cli_time(&job->cli);
			break;
		case OPT_BIND:
			take_bind(job);
			break;
		case '4':
			take_family(job, &job->net.ipv4, &families);
			break;
		case '6':
			take_family(job, &job->net.ipv6, &families);
			break;
		case OPT_INSECURE:
			job->net.insecure = true;
			break;
		default:
			take_announce_option(job, ch);
			tuned = true;
			break;
		}
	}
	if (job->net.bind.family != 0 &&
	    !(job->net.bind.family == 4 ? job->net.ipv4 : job->net.ipv6))
		bt_cli_misuse(&job->cli, "--bind ADDR is of the other family");
	if (tuned && !job->announce)
		bt_cli_misuse(&job->cli, "--event, --left, --port and "
					 "--numwant go with --announce");
}

static bool
ends_with(struct bt_str s, struct bt_str tail)
{
	return s.n >= tail.n &&
	       bt_str_eq(bt_str_sub(s, s.n - tail.n, s.n), tail);
}

/*
 * An http URL is a tracker's if its path ends in announce... or scrape..., as
 * BEP 48 has it; else a torrent is fetched from there.
 */
static bool
is_tracker(const char *operand)
{
	struct bt_err ignored = BT_ERR_INIT;
	struct bt_str last;
	struct bt_url u;
	size_t at;

	if (strncmp(operand, "udp://", 6) == 0)
		return true;
	if (bt_url_parse(bt_str_of(operand), &u, &ignored) == -1)
		return false;
	for (at = u.path.n; at > 0 && u.path.p[at - 1] != '/'; at--)
		;
	last = bt_str_sub(u.path, at, u.path.n);
	return (bt_str_starts(last, STR("announce")) ||
		   bt_str_starts(last, STR("scrape"))) &&
	       !ends_with(last, STR(".torrent"));
}

/* Lines of info-hashes, as `bt-info -p info_hash` writes; false: it is not. */
static bool
take_hashes(struct job *job, struct bt_str text)
{
	uint8_t hash[20];
	size_t n = job->ntorrents, at;
	struct bt_str line;

	while (text.n > 0) {
		at = bt_str_find(text, '\n');
		line = bt_str_sub(text, 0, at);
		text = bt_str_sub(text, at < text.n ? at + 1 : at, text.n);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			continue;
		if (bt_str_unhex(line, hash, 20) == -1) {
			job->ntorrents = n;
			return false;
		}
		add_hash(job, hash);
	}
	return job->ntorrents > n;
}

static int
take_torrent(struct job *job, struct bt_str bytes, struct bt_err *err)
{
	struct torrent t = { 0 };
	struct bt_meta meta;

	if (bt_meta_parse(bytes, &meta, err) == -1)
		return -1;
	memcpy(t.info_hash, bt_meta_wire_hash(&meta), 20);
	t.size = meta.size;
	for (uint32_t i = 0; i < meta.ntrackers; i++) {
		GROW(t.trackers, t.ntrackers);
		t.trackers[t.ntrackers++] = bt_str_dup(meta.trackers[i].url);
	}
	bt_meta_fini(&meta);
	GROW(job->torrents, job->ntorrents);
	job->torrents[job->ntorrents++] = t;
	return 0;
}

static int
take_operand(struct job *job, struct bt_input *input, const char *operand,
    struct bt_err *err)
{
	struct bt_buf bytes;
	struct bt_url u;
	int rc = 0;

	if (is_tracker(operand)) {
		if (bt_url_parse(bt_str_of(operand), &u, err) == -1)
			return -1;
		add_tracker(job, operand);
		return 0;
	}
	if (bt_input_torrent(input, operand, &bytes, err) == -1)
		rc = -1;
	else if (strcmp(operand, "-") != 0 ||
		 !take_hashes(job, bt_buf_str(&bytes))) {
		rc = take_torrent(job, bt_buf_str(&bytes), err);
		if (rc == -1)
			bt_err_prefix(err, "'%s'", operand);
	}
	bt_buf_fini(&bytes);
	return rc;
}

/* A torrent that nobody can be asked about. */
static void
check_trackers(struct job *job)
{
	struct bt_err err = BT_ERR_INIT;
	char hex[41];

	for (size_t i = 0; i < job->ntorrents; i++) {
		struct torrent *t = &job->torrents[i];

		if (scrape_tracker(job, t, 0) != NULL)
			continue;
		bt_str_hex((struct bt_str){ t->info_hash, 20 }, hex);
		bt_err_set(&err, BT_EINPUT,
		    "no tracker to ask about '%s': name one with -a", hex);
		bt_cli_fail(&job->cli, &err);
	}
}

static void
finish(struct job *job)
{
	for (size_t i = 0; i < job->ntorrents; i++) {
		for (size_t k = 0; k < job->torrents[i].ntrackers; k++)
			bt_mem_free(job->torrents[i].trackers[k]);
		bt_mem_free(job->torrents[i].trackers);
	}
	for (size_t i = 0; i < job->ntrackers; i++)
		bt_mem_free(job->trackers[i]);
	bt_mem_free(job->torrents);
	bt_mem_free(job->trackers);
}

int
main(int argc, char **argv)
{
	struct job job = { .net = { .ipv4 = true, .ipv6 = true },
		.timeout_us = TIMEOUT_US,
		.port = PORT,
		.numwant = 200 };
	struct bt_fetch_conf fetch = { 0 };
	struct bt_input input = {
		.read = bt_slurp_fd, .fetch = bt_fetch_url, .arg = &fetch
	};
	struct bt_err err = BT_ERR_INIT;
	int status;

	bt_cli_start(&job.cli, &tool, argc, argv);
	take_options(&job);
	if (job.cli.args[0] == NULL && job.ntorrents == 0)
		bt_cli_usage(&job.cli);
	fetch.insecure = job.net.insecure;
	fetch.timeout_us = job.timeout_us;
	if (job.net.ipv4 != job.net.ipv6)
		fetch.family = job.net.ipv4 ? 4 : 6;
	for (char **arg = job.cli.args; *arg != NULL; arg++)
		if (take_operand(&job, &input, *arg, &err) == -1)
			bt_cli_fail(&job.cli, &err);
	if (job.ntorrents == 0 && job.cli.status == 0)
		bt_cli_misuse(&job.cli,
		    "about which torrent? name one, or its hash with -i");
	check_trackers(&job);
	/* one tracker that answers makes up for those that do not */
	status = job.cli.status;
	job.net.timeout_us = job.timeout_us;
	job.net.log = &job.cli.log;
	if (job.announce)
		scrape_announce(&job);
	else
		scrape_ask(&job);
	if (job.answers > 0)
		job.cli.status = status;
	finish(&job);
	return bt_cli_end(&job.cli);
}
