/*
 * bt-scrape - ask trackers: how many have it, and who.
 */
#include <string.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/sandbox.h"
#include "codec/url.h"
#include "disk/slurp.h"
#include "net/coin.h"
#include "net/fetch.h"
#include "scrape.h"

#define PORT 6881 /* what cli.md promises; nobody listens there */
#define TIMEOUT_US (15 * BT_LOOP_SECOND)

enum {
	OPT_ANNOUNCE = 256,
	OPT_CHECK,
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
	{ OPT_CHECK, "check", NULL,
	    "is each tracker alive and right? for monitoring" },
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
		    "bt-scrape --check udp://tracker.example:6969\n"
		    "bt-scrape --announce album.torrent | bt-get --peers - "
		    "album.torrent\n",
};

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
take_hash(struct job *job)
{
	uint8_t hash[20];

	if (bt_str_unhex(bt_str_of(job->cli.arg), hash, 20) == -1)
		bt_cli_misuse(&job->cli,
		    "'%s' is not an info-hash: 40 hex digits", job->cli.arg);
	scrape_add_hash(job, hash);
}

static void
take_tracker(struct job *job)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;

	if (bt_url_parse(bt_str_of(job->cli.arg), &u, &err) == -1)
		bt_cli_misuse(&job->cli, "%s", err.text);
	scrape_add_tracker(job, job->cli.arg);
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
		case OPT_CHECK:
			job->check = true;
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
	if (job->check && job->announce)
		bt_cli_misuse(&job->cli, "either --check or --announce");
	if (tuned && !job->announce)
		bt_cli_misuse(&job->cli, "--event, --left, --port and "
					 "--numwant go with --announce");
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

/* A torrent that nobody has, where trackers are to be checked without one. */
static void
add_stranger(struct job *job)
{
	uint8_t hash[20];

	if (job->ntorrents > 0 || job->ntrackers == 0)
		return;
	bt_coin_fill(hash, sizeof(hash));
	scrape_add_hash(job, hash);
}

/*
 * Read the torrents, ask, and write nothing. What the lines of standard input
 * will name is not known yet.
 */
static void
confine(struct job *job)
{
	struct bt_sandbox box = { .sockets = BT_SANDBOX_SOCKETS };

	bt_sandbox_operands(&box, job->cli.args);
	for (char **arg = job->cli.args; *arg != NULL; arg++)
		if (strcmp(*arg, "-") == 0)
			bt_sandbox_read(&box, "/");
	bt_sandbox_enter(&box, &job->cli);
	bt_sandbox_fini(&box);
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
	int status;

	bt_cli_start(&job.cli, &tool, argc, argv);
	take_options(&job);
	if (job.cli.args[0] == NULL && job.ntorrents == 0 &&
	    !(job.check && job.ntrackers > 0))
		bt_cli_usage(&job.cli);
	confine(&job);
	fetch.insecure = job.net.insecure;
	fetch.timeout_us = job.timeout_us;
	if (job.net.ipv4 != job.net.ipv6)
		fetch.family = job.net.ipv4 ? 4 : 6;
	for (char **arg = job.cli.args; *arg != NULL; arg++)
		scrape_take_operand(&job, &input, *arg);
	if (job.check)
		add_stranger(&job);
	if (job.ntorrents == 0 && job.cli.status == 0)
		bt_cli_misuse(&job.cli,
		    job.check ? "which tracker is to be checked?"
			      : "about which torrent? name one, or its hash "
				"with -i");
	check_trackers(&job);
	/* one tracker that answers makes up for those that do not */
	status = job.cli.status;
	job.net.timeout_us = job.timeout_us;
	job.net.log = &job.cli.log;
	if (job.check)
		scrape_check(&job);
	else if (job.announce)
		scrape_announce(&job);
	else
		scrape_ask(&job);
	if (job.answers > 0)
		job.cli.status = status;
	scrape_free(&job);
	return bt_cli_end(&job.cli);
}
