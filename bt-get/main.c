#include <string.h>

#include "base/mem.h"
#include "cli/signal.h"
#include "cli/value.h"
#include "disk/slurp.h"
#include "get.h"
#include "net/fetch.h"

#define TICK_US (BT_LOOP_SECOND / 5) /* the progress line's pace */
#define PEERS_MAX 10000u	     /* addresses from --peers */

enum {
	OPT_SEQUENTIAL = 256,
	OPT_LIMIT_RATE,
	OPT_LIMIT_UP,
	OPT_RATE_EACH,
	OPT_UP_EACH,
	OPT_PEER,
	OPT_PEERS,
	OPT_NO_TRACKER,
	OPT_PORT,
	OPT_BIND,
	OPT_SEED,
	OPT_TIMEOUT,
	OPT_STALL,
	OPT_MAX_PEERS,
	OPT_SLOTS,
	OPT_MEMORY,
	OPT_INSECURE
};

static const struct bt_opt opts[] = { { 'd', "dir", "DIR",
					  "put the files beneath DIR (.)" },
	{ 'o', "output", "FILE",
	    "where to put the one file that is wanted; - is stdout" },
	{ 's', "select", "LIST|GLOB",
	    "only these files: 1-3,8 as in bt-info -l, or a glob; repeatable" },
	{ '0', "null", NULL, "end each path with NUL, written raw" },
	{ 'f', "force", NULL,
	    "adopt files that exist with other content: good pieces stay" },
	{ OPT_SEQUENTIAL, "sequential", NULL, "pieces in order" },
	{ OPT_LIMIT_RATE, "limit-rate", "SIZE",
	    "receive SIZE a second at most" },
	{ OPT_LIMIT_UP, "limit-up", "SIZE", "send SIZE a second at most" },
	{ OPT_RATE_EACH, "limit-rate-each", "SIZE",
	    "receive SIZE a second at most for each torrent" },
	{ OPT_UP_EACH, "limit-up-each", "SIZE",
	    "send SIZE a second at most for each torrent" },
	{ OPT_PEER, "peer", "ADDR:PORT", "a peer to dial; repeatable" },
	{ OPT_PEERS, "peers", "FILE", "peers to dial, one a line; - is stdin" },
	{ 'a', "announce", "URL", "ask this tracker too, first; repeatable" },
	{ OPT_NO_TRACKER, "no-tracker", NULL, "ask no tracker" },
	{ OPT_PORT, "port", "PORT",
	    "listen on PORT (6881, else any free one); 0: any" },
	{ OPT_BIND, "bind", "ADDR", "use only this local address" },
	{ '4', "ipv4", NULL, "use IPv4 only" },
	{ '6', "ipv6", NULL, "use IPv6 only" },
	{ OPT_SEED, "seed", "[RATIO|TIME]",
	    "then go on serving, until RATIO is sent or TIME is over" },
	{ OPT_TIMEOUT, "timeout", "TIME", "give up after TIME (exit 6)" },
	{ OPT_STALL, "stall-timeout", "TIME",
	    "give up when nothing came for TIME (exit 6)" },
	{ OPT_MAX_PEERS, "max-peers", "N", "connections at most (200)" },
	{ OPT_SLOTS, "slots", "N", "upload to N peers at once (as fits)" },
	{ OPT_MEMORY, "memory", "SIZE", "ceiling of piece buffers (64M)" },
	{ OPT_INSECURE, "insecure", NULL,
	    "do not verify trackers' certificates" },
	{ 0, NULL, NULL, NULL } };

static const struct bt_tool tool = {
	.name = "bt-get",
	.args = "TORRENT...",
	.purpose = "Download torrents; print each file's path as it finishes.",
	.opts = opts,
	.json = "print events, one JSON object a line, instead of paths",
	.examples =
	    "bt-get album.torrent\n"
	    "bt-get -d music album.torrent | xargs -d '\\n' sha256sum\n"
	    "bt-get -o - album.tar.torrent | tar x\n"
	    "bt-get -s '*.flac' --stall-timeout 5m album.torrent\n"
	    "bt-scrape --announce a.torrent | bt-get --peers - a.torrent\n",
};

/* All that a run has. */
struct run {
	struct bt_cli cli;
	struct get_conf conf;
	struct bt_client_conf client_conf;
	struct bt_loop *loop;
	struct bt_client *client;
	struct bt_loop_timer *tick;
	struct get *gets;
	size_t ngets, running;
	uint64_t timeout_us, stall_us;
	const char *peers_file;
	struct bt_input in;
	int64_t begun, moved_at, said_at;
	uint64_t moved; /* bytes come, when last looked */
	bool said_stalled;
};

static int
fetch(void *arg, const char *url, struct bt_buf *out, struct bt_err *err)
{
	const struct run *r = arg;
	const struct bt_client_conf *cc = &r->client_conf;
	struct bt_fetch_conf fc = { .family = !cc->ipv6	  ? 4
					      : !cc->ipv4 ? 6
							  : 0,
		.insecure = cc->insecure };

	return bt_fetch_url(&fc, url, out, err);
}

static void
append(char ***list, size_t *n, const char *s)
{
	*list = bt_mem_resize(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = bt_mem_strdup(s);
}

static int
add_peer(struct run *r, struct bt_str s, struct bt_err *err)
{
	struct get_conf *conf = &r->conf;
	struct bt_addr a;

	if (bt_addr_parse(s, &a) == -1 || !bt_addr_is_dialable(&a))
		return bt_err_set(err, BT_EUSAGE,
		    "'%.*s' is not a peer's ADDR:PORT", (int)s.n,
		    (const char *)s.p);
	if (conf->npeers == PEERS_MAX)
		return bt_err_set(
		    err, BT_ELIMIT, "more than %u peers are given", PEERS_MAX);
	conf->peers =
	    bt_mem_resize(conf->peers, conf->npeers + 1, sizeof(*conf->peers));
	conf->peers[conf->npeers++] = a;
	return 0;
}

/* One address a line; what follows a tab or blank is another program's. */
static int
read_peers(struct run *r, struct bt_err *err)
{
	struct bt_buf text;
	struct bt_str left, line;
	size_t n;
	int rc;

	bt_buf_init(&text, PEERS_MAX * (size_t)BT_ADDR_TEXT_MAX);
	if (strcmp(r->peers_file, "-") != 0)
		rc = bt_slurp_file(r->peers_file, &text, err);
	else if ((rc = bt_input_take_stdin(&r->in, err)) == 0)
		rc = bt_slurp_fd(0, "standard input", &text, err);
	left = bt_buf_str(&text);
	while (rc == 0 && left.n > 0) {
		n = bt_str_find(left, '\n');
		line = bt_str_sub(left, 0, n);
		left = bt_str_sub(left, n < left.n ? n + 1 : n, left.n);
		line = bt_str_sub(line, 0, bt_str_find(line, '\t'));
		line = bt_str_sub(line, 0, bt_str_find(line, ' '));
		line = bt_str_sub(line, 0, bt_str_find(line, '\r'));
		if (line.n > 0)
			rc = add_peer(r, line, err);
	}
	bt_buf_fini(&text);
	return rc;
}

/* --seed, --seed=2, --seed=1.5, --seed=90m: a bare number is a ratio. */
static void
set_seed(struct run *r)
{
	const char *s = r->cli.arg;

	r->conf.seed = true;
	r->conf.seed_ratio = r->conf.seed_us = 0;
	if (s == NULL)
		return;
	if (s[0] != '\0' && strchr("smhd", s[strlen(s) - 1]) != NULL)
		r->conf.seed_us = bt_cli_time(&r->cli);
	else
		r->conf.seed_ratio = bt_cli_ratio(&r->cli);
}

static void
set_network(struct run *r, int ch)
{
	struct bt_client_conf *cc = &r->client_conf;

	switch (ch) {
	case OPT_PORT:
		cc->port = (uint16_t)bt_cli_count(&r->cli, 0, 65535);
		cc->or_any = false;
		break;
	case OPT_BIND:
		if (bt_addr_parse_ip(bt_str_of(r->cli.arg), &cc->bind) == -1)
			bt_cli_misuse(&r->cli,
			    "'%s' is not an IP address to bind to", r->cli.arg);
		break;
	case '4':
		cc->ipv6 = false;
		break;
	case '6':
		cc->ipv4 = false;
		break;
	case OPT_LIMIT_RATE:
		cc->down_bps = bt_cli_size(&r->cli, 1024, UINT64_MAX / 2);
		break;
	case OPT_LIMIT_UP:
		cc->up_bps = bt_cli_size(&r->cli, 1024, UINT64_MAX / 2);
		break;
	case OPT_INSECURE:
		cc->insecure = true;
		break;
	}
}

static void
set_option(struct run *r, int ch)
{
	struct get_conf *conf = &r->conf;
	struct bt_cli *cli = &r->cli;
	struct bt_err err = BT_ERR_INIT;

	switch (ch) {
	case 'd':
		conf->dir = cli->arg;
		break;
	case 'o':
		conf->out = cli->arg;
		break;
	case 's':
		append(&conf->selects, &conf->nselects, cli->arg);
		break;
	case '0':
		conf->nul = true;
		break;
	case 'f':
		conf->force = true;
		break;
	case 'a':
		append(&conf->trackers, &conf->ntrackers, cli->arg);
		break;
	case OPT_SEQUENTIAL:
		conf->sequential = true;
		break;
	case OPT_PEER:
		if (add_peer(r, bt_str_of(cli->arg), &err) == -1)
			bt_cli_misuse(cli, "%s", err.text);
		break;
	case OPT_PEERS:
		r->peers_file = cli->arg;
		break;
	case OPT_NO_TRACKER:
		conf->no_tracker = true;
		break;
	case OPT_SEED:
		set_seed(r);
		break;
	case OPT_TIMEOUT:
		r->timeout_us = bt_cli_time(cli);
		break;
	case OPT_STALL:
		r->stall_us = bt_cli_time(cli);
		break;
	case OPT_RATE_EACH:
		conf->down_bps = bt_cli_size(cli, 1024, UINT64_MAX / 2);
		break;
	case OPT_UP_EACH:
		conf->up_bps = bt_cli_size(cli, 1024, UINT64_MAX / 2);
		break;
	case OPT_MAX_PEERS:
		conf->peers_max = (uint32_t)bt_cli_count(cli, 1, 100000);
		break;
	case OPT_SLOTS:
		conf->slots = (unsigned)bt_cli_count(cli, 1, 1024);
		break;
	case OPT_MEMORY:
		conf->memory = bt_cli_size(cli, 1u << 20, SIZE_MAX / 2);
		break;
	default:
		set_network(r, ch);
	}
}

static void
parse(struct run *r, int argc, char **argv)
{
	struct bt_cli *cli = &r->cli;
	size_t n = 0;
	int ch;

	r->client_conf = (struct bt_client_conf){
		.ipv4 = true, .ipv6 = true, .port = 6881, .or_any = true
	};
	r->conf.cli = cli;
	r->conf.memory = BT_TORRENT_MEMORY;
	bt_cli_start(cli, &tool, argc, argv);
	while ((ch = bt_cli_next(cli)) != -1)
		set_option(r, ch);
	while (cli->args[n] != NULL)
		n++;
	if (n == 0)
		bt_cli_usage(cli);
	if (r->conf.out != NULL && n > 1)
		bt_cli_misuse(cli,
		    "-o names one file and %zu torrents are "
		    "given: use -d",
		    n);
	if (r->conf.out != NULL && r->conf.dir != NULL &&
	    strcmp(r->conf.out, "-") != 0)
		bt_cli_misuse(cli, "-o and -d are both given");
	if (!r->client_conf.ipv4 && !r->client_conf.ipv6)
		bt_cli_misuse(cli, "-4 and -6 are both given");
	if (cli->json && r->conf.out != NULL && strcmp(r->conf.out, "-") == 0)
		bt_cli_misuse(cli, "-o - and --json both want stdout");
	r->client_conf.log = &cli->log;
	r->client_conf.peers_max =
	    r->conf.peers_max == 0 ? 1000 : r->conf.peers_max;
	r->ngets = n;
}

static void
stop_all(struct run *r, const struct bt_err *err)
{
	bool said = false;

	for (size_t i = 0; i < r->ngets; i++) {
		if (r->gets[i].state != GET_RUNNING)
			continue;
		get_stop(&r->gets[i], said ? NULL : err);
		said = true;
	}
}

static void
on_signal(void *arg, int signo)
{
	struct run *r = arg;

	r->cli.signal = signo;
	stop_all(r, NULL);
}

static void
on_ended(void *arg, struct get *g)
{
	struct run *r = arg;

	(void)g;
	if (--r->running == 0)
		bt_loop_stop(r->loop);
}

static void
watch_stall(struct run *r, uint64_t down, bool is_whole, int64_t now)
{
	struct bt_err err = BT_ERR_INIT;

	if (down != r->moved || is_whole) {
		r->moved = down;
		r->moved_at = now;
		r->said_stalled = false;
	}
	if (r->stall_us != 0 && (uint64_t)(now - r->moved_at) >= r->stall_us) {
		bt_err_set(&err, BT_ETIMEOUT,
		    "nothing came for %lld s (--stall-timeout)",
		    (long long)(r->stall_us / BT_LOOP_SECOND));
		stop_all(r, &err);
	}
	if (!r->cli.json || r->said_stalled || now - r->moved_at < BT_SEC(10))
		return;
	r->said_stalled = true;
	for (size_t i = 0; i < r->ngets; i++)
		if (r->gets[i].state == GET_RUNNING && !r->gets[i].is_whole)
			events_plain(&r->gets[i], "stalled");
}

static void
show_progress(
    struct run *r, uint64_t done, uint64_t total, uint32_t peers, int64_t now)
{
	char more[64];

	snprintf(more, sizeof(more), "%u peer%s", peers, peers == 1 ? "" : "s");
	bt_progress_draw(&r->cli.bar, (uint64_t)now, done, total, more);
	if (!r->cli.json || now - r->said_at < BT_LOOP_SECOND)
		return;
	r->said_at = now;
	for (size_t i = 0; i < r->ngets; i++)
		if (r->gets[i].state == GET_RUNNING)
			events_progress(&r->gets[i]);
}

static void
on_tick(void *arg)
{
	struct run *r = arg;
	struct bt_torrent_stats st;
	struct bt_err err = BT_ERR_INIT;
	uint64_t done = 0, total = 0, down = 0;
	uint32_t peers = 0;
	int64_t now = bt_loop_now(r->loop);

	for (size_t i = 0; i < r->ngets; i++) {
		if (r->gets[i].state != GET_RUNNING)
			continue;
		st = bt_swarm_stats(r->gets[i].swarm);
		done += st.size_have;
		total += st.size_wanted;
		down += st.down;
		peers += st.peers;
		get_tick(&r->gets[i], now);
	}
	show_progress(r, done, total, peers, now);
	watch_stall(r, down, done == total, now);
	if (r->timeout_us != 0 && done < total &&
	    (uint64_t)(now - r->begun) >= r->timeout_us) {
		bt_err_set(&err, BT_ETIMEOUT,
		    "not whole after %lld s (--timeout)",
		    (long long)(r->timeout_us / BT_LOOP_SECOND));
		stop_all(r, &err);
	}
	if (bt_out_flush(&r->cli.out) == -1)
		stop_all(r, NULL); /* nobody reads: bt_cli_end() ends us */
	bt_loop_timer_in(r->tick, TICK_US);
}

/* Open every operand; what fails is said and the rest goes on. */
static bool
open_all(struct run *r)
{
	struct bt_err err = BT_ERR_INIT;
	struct get *g;
	bool any = false;

	r->gets = bt_mem_zero(r->ngets, sizeof(*r->gets));
	for (size_t i = 0; i < r->ngets && bt_signal_caught() == 0; i++) {
		g = &r->gets[i];
		g->conf = &r->conf;
		g->ended = on_ended;
		g->arg = r;
		if (get_open(g, &r->in, r->cli.args[i], &err) == -1) {
			g->state = GET_ENDED;
			if (bt_signal_caught() != 0)
				break;
			bt_cli_fail(&r->cli, &err);
			if (r->cli.json)
				events_error(g, &err);
		} else if (get_needs_network(g))
			any = true;
		else {
			g->state = GET_ENDED;
			if (r->cli.json) {
				events_start(g, NULL);
				events_done(g);
			}
		}
	}
	r->cli.signal = bt_signal_caught();
	return any && r->cli.signal == 0;
}

static int
run_all(struct run *r, struct bt_err *err)
{
	if (bt_loop_new(&r->loop, err) == -1)
		return -1;
	r->client_conf.loop = r->loop;
	if (bt_client_new(&r->client, &r->client_conf, err) == -1)
		return -1;
	bt_loop_on_signal(r->loop, on_signal, r);
	r->tick = bt_loop_timer_new(r->loop, on_tick, r);
	r->begun = r->moved_at = bt_loop_now(r->loop);
	for (size_t i = 0; i < r->ngets; i++) {
		if (r->gets[i].state == GET_ENDED)
			continue;
		if (r->gets[i].stream != NULL &&
		    stream_begin(r->gets[i].stream, r->loop, err) == -1)
			return -1;
		get_start(&r->gets[i], r->client);
		r->running++;
	}
	bt_loop_timer_in(r->tick, TICK_US);
	bt_loop_run(r->loop);
	bt_progress_clear(&r->cli.bar);
	return 0;
}

static void
free_all(struct run *r)
{
	for (size_t i = 0; i < r->ngets; i++)
		get_free(&r->gets[i]);
	bt_mem_free(r->gets);
	bt_client_free(r->client);
	if (r->tick != NULL)
		bt_loop_timer_free(r->tick);
	if (r->loop != NULL)
		bt_loop_free(r->loop);
	for (size_t i = 0; i < r->conf.nselects; i++)
		bt_mem_free(r->conf.selects[i]);
	for (size_t i = 0; i < r->conf.ntrackers; i++)
		bt_mem_free(r->conf.trackers[i]);
	bt_mem_free(r->conf.selects);
	bt_mem_free(r->conf.trackers);
	bt_mem_free(r->conf.peers);
}

int
main(int argc, char **argv)
{
	static struct run r;
	struct bt_err err = BT_ERR_INIT;

	parse(&r, argc, argv);
	r.in.read = bt_slurp_fd;
	r.in.fetch = fetch;
	r.in.arg = &r;
	bt_signal_catch();
	if (r.peers_file != NULL && read_peers(&r, &err) == -1) {
		bt_cli_fail(&r.cli, &err);
		free_all(&r);
		return bt_cli_end(&r.cli);
	}
	if (open_all(&r) && run_all(&r, &err) == -1)
		bt_cli_fail(&r.cli, &err);
	free_all(&r);
	return bt_cli_end(&r.cli);
}
