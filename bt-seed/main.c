#include <string.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/signal.h"
#include "disk/slurp.h"
#include "net/fetch.h"
#include "seed.h"

#define TICK_US (BT_LOOP_SECOND / 2)

enum {
	OPT_NO_CHECK = 256,
	OPT_NO_TRACKER,
	OPT_PEER,
	OPT_PORT,
	OPT_BIND,
	OPT_LIMIT_UP,
	OPT_UP_EACH,
	OPT_SLOTS,
	OPT_MAX_PEERS,
	OPT_MEMORY,
	OPT_UNTIL_RATIO,
	OPT_UNTIL_TIME,
	OPT_UNTIL_IDLE,
	OPT_INSECURE
};

static const struct bt_opt opts[] = {
	{ 'd', "dir", "DIR",
	    "serve many torrents, whose contents are beneath DIR" },
	{ OPT_NO_CHECK, "no-check", NULL,
	    "trust the content: look at sizes only" },
	{ 'a', "announce", "URL", "ask this tracker too, first; repeatable" },
	{ OPT_NO_TRACKER, "no-tracker", NULL, "ask no tracker" },
	{ OPT_PEER, "peer", "ADDR:PORT", "a peer to dial; repeatable" },
	{ OPT_PORT, "port", "PORT",
	    "listen on PORT (6881, else any free one); 0: any" },
	{ OPT_BIND, "bind", "ADDR", "use only this local address" },
	{ '4', "ipv4", NULL, "use IPv4 only" },
	{ '6', "ipv6", NULL, "use IPv6 only" },
	{ OPT_LIMIT_UP, "limit-up", "SIZE", "send SIZE a second at most" },
	{ OPT_UP_EACH, "limit-up-each", "SIZE",
	    "send SIZE a second at most for each torrent" },
	{ OPT_SLOTS, "slots", "N", "upload to N peers at once (as fits)" },
	{ OPT_MAX_PEERS, "max-peers", "N", "connections at most (1000)" },
	{ OPT_MEMORY, "memory", "SIZE", "ceiling of buffers (64M)" },
	{ OPT_UNTIL_RATIO, "until-ratio", "RATIO",
	    "end when RATIO times the size is sent" },
	{ OPT_UNTIL_TIME, "until-time", "TIME", "end after TIME" },
	{ OPT_UNTIL_IDLE, "until-idle", "TIME",
	    "end when nobody took anything for TIME" },
	{ OPT_INSECURE, "insecure", NULL,
	    "do not verify trackers' certificates" },
	{ 0, NULL, NULL, NULL }
};

static const struct bt_tool tool = {
	.name = "bt-seed",
	.args = "TORRENT [PATH] | -d DIR TORRENT...",
	.purpose = "Serve the content of torrents to their swarms.",
	.opts = opts,
	.json = "print events, one JSON object a line",
	.examples = "bt-seed album.torrent album/\n"
		    "bt-seed -d /srv/mirror *.torrent\n"
		    "bt-seed --limit-up 4M --until-ratio 2 album.torrent\n",
};

struct run {
	struct bt_cli cli;
	struct seed_conf conf;
	struct bt_client_conf client_conf;
	struct bt_loop *loop;
	struct bt_client *client;
	struct bt_loop_timer *tick;
	struct seed *seeds;
	size_t nseeds, running;
	struct bt_input in;
	int64_t said_at;
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
add_peer(struct run *r)
{
	struct seed_conf *conf = &r->conf;
	struct bt_addr a;

	if (bt_addr_parse(bt_str_of(r->cli.arg), &a) == -1 ||
	    !bt_addr_is_dialable(&a))
		bt_cli_misuse(
		    &r->cli, "'%s' is not a peer's ADDR:PORT", r->cli.arg);
	conf->peers =
	    bt_mem_resize(conf->peers, conf->npeers + 1, sizeof(*conf->peers));
	conf->peers[conf->npeers++] = a;
}

static void
add_tracker(struct run *r)
{
	struct seed_conf *conf = &r->conf;

	conf->trackers = bt_mem_resize(
	    conf->trackers, conf->ntrackers + 1, sizeof(*conf->trackers));
	conf->trackers[conf->ntrackers++] = bt_mem_strdup(r->cli.arg);
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
	struct seed_conf *conf = &r->conf;
	struct bt_cli *cli = &r->cli;

	switch (ch) {
	case 'd':
		conf->dir = cli->arg;
		break;
	case OPT_NO_CHECK:
		conf->no_check = true;
		break;
	case 'a':
		add_tracker(r);
		break;
	case OPT_NO_TRACKER:
		conf->no_tracker = true;
		break;
	case OPT_PEER:
		add_peer(r);
		break;
	case OPT_SLOTS:
		conf->slots = (unsigned)bt_cli_count(cli, 1, 1024);
		break;
	case OPT_UP_EACH:
		conf->up_bps = bt_cli_size(cli, 1024, UINT64_MAX / 2);
		break;
	case OPT_MAX_PEERS:
		conf->peers_max = (uint32_t)bt_cli_count(cli, 1, 1000000);
		break;
	case OPT_MEMORY:
		conf->memory = bt_cli_size(cli, 1u << 20, SIZE_MAX / 2);
		break;
	case OPT_UNTIL_RATIO:
		conf->until_ratio = bt_cli_ratio(cli);
		break;
	case OPT_UNTIL_TIME:
		conf->until_us = bt_cli_time(cli);
		break;
	case OPT_UNTIL_IDLE:
		conf->idle_us = bt_cli_time(cli);
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
	r->conf.peers_max = 1000;
	bt_cli_start(cli, &tool, argc, argv);
	while ((ch = bt_cli_next(cli)) != -1)
		set_option(r, ch);
	while (cli->args[n] != NULL)
		n++;
	if (n == 0 || (r->conf.dir == NULL && n > 2))
		bt_cli_usage(cli);
	if (!r->client_conf.ipv4 && !r->client_conf.ipv6)
		bt_cli_misuse(cli, "-4 and -6 are both given");
	r->nseeds = r->conf.dir == NULL ? 1 : n;
	if (r->conf.dir == NULL && n == 2)
		r->conf.path = cli->args[1];
	r->client_conf.log = &cli->log;
	r->client_conf.peers_max = r->conf.peers_max;
}

static void
stop_all(struct run *r)
{
	for (size_t i = 0; i < r->nseeds; i++)
		if (r->seeds[i].state == SEED_RUNNING)
			seed_stop(&r->seeds[i], NULL);
}

static void
on_signal(void *arg, int signo)
{
	struct run *r = arg;

	r->cli.signal = signo;
	stop_all(r);
}

static void
on_ended(void *arg, struct seed *s)
{
	struct run *r = arg;

	(void)s;
	if (--r->running == 0)
		bt_loop_stop(r->loop);
}

static void
say_progress(struct run *r, uint64_t up, uint64_t bps, uint32_t peers)
{
	struct bt_json j;

	bt_json_event(&j, &r->cli.out, "progress");
	bt_json_int(&j, "up", (int64_t)up);
	bt_json_int(&j, "up_bps", (int64_t)bps);
	bt_json_int(&j, "peers", peers);
	bt_json_end(&j);
}

static void
on_tick(void *arg)
{
	struct run *r = arg;
	struct bt_torrent_stats st;
	uint64_t up = 0, bps = 0;
	uint32_t peers = 0;
	char more[64];
	int64_t now = bt_loop_now(r->loop);

	for (size_t i = 0; i < r->nseeds; i++) {
		if (r->seeds[i].state != SEED_RUNNING)
			continue;
		st = bt_swarm_stats(r->seeds[i].swarm);
		up += st.up;
		bps += st.up_bps;
		peers += st.peers;
		seed_tick(&r->seeds[i], now);
	}
	snprintf(more, sizeof(more), "sent  %u peer%s", peers,
	    peers == 1 ? "" : "s");
	bt_progress_draw(&r->cli.bar, (uint64_t)now, up, 0, more);
	if (r->cli.json && now - r->said_at >= BT_LOOP_SECOND) {
		r->said_at = now;
		say_progress(r, up, bps, peers);
	}
	if (bt_out_flush(&r->cli.out) == -1)
		stop_all(r); /* nobody reads: bt_cli_end() ends us */
	bt_loop_timer_in(r->tick, TICK_US);
}

/* Check every operand; what fails is said and the rest goes on. */
static bool
open_all(struct run *r)
{
	struct bt_err err = BT_ERR_INIT;
	struct seed *s;
	bool any = false;

	r->seeds = bt_mem_zero(r->nseeds, sizeof(*r->seeds));
	for (size_t i = 0; i < r->nseeds && bt_signal_caught() == 0; i++) {
		s = &r->seeds[i];
		s->conf = &r->conf;
		s->ended = on_ended;
		s->arg = r;
		if (seed_open(s, &r->in, r->cli.args[i], &err) == 0)
			any = true;
		else {
			s->state = SEED_ENDED;
			if (bt_signal_caught() == 0)
				bt_cli_fail(&r->cli, &err);
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
	for (size_t i = 0; i < r->nseeds; i++) {
		if (r->seeds[i].state == SEED_ENDED)
			continue;
		seed_start(&r->seeds[i], r->client);
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
	for (size_t i = 0; i < r->nseeds; i++)
		seed_free(&r->seeds[i]);
	bt_mem_free(r->seeds);
	bt_client_free(r->client);
	if (r->tick != NULL)
		bt_loop_timer_free(r->tick);
	if (r->loop != NULL)
		bt_loop_free(r->loop);
	for (size_t i = 0; i < r->conf.ntrackers; i++)
		bt_mem_free(r->conf.trackers[i]);
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
	if (open_all(&r) && run_all(&r, &err) == -1)
		bt_cli_fail(&r.cli, &err);
	free_all(&r);
	return bt_cli_end(&r.cli);
}
