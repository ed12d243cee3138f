#include "options.h"

#include <string.h>
#include <unistd.h>

#include "systemd.h"

#define SECOND_US UINT64_C(1000000)
#define TIME_MAX_US (30 * 24 * 3600 * SECOND_US) /* what 32 bits of ms hold */
#define WORKERS_MAX 256u
#define CONNS_EACH 100u	      /* of one address: households and offices fit */
#define MEMORY_MIN (1u << 20) /* an empty tracker of 256 shards fits */
#define MEMORY_MAX (UINT64_C(1) << 50)

enum {
	OPT_INTERVAL = 256,
	OPT_MIN_INTERVAL,
	OPT_EXPIRE,
	OPT_NUMWANT,
	OPT_WORKERS,
	OPT_TIMEOUT,
	OPT_TORRENTS,
	OPT_MEMORY,
	OPT_CONNS,
	OPT_STATE,
	OPT_STATE_EVERY,
	OPT_CONNS_EACH,
	OPT_CERT,
	OPT_KEY,
	OPT_TRUST,
	OPT_ALLOW_IP,
	OPT_ADMIN,
	OPT_USER,
	OPT_LOG,
	OPT_FULL,
	OPT_LOG_FULL,
	OPT_LISTS, /* BT_GATE_COUNT of them, in their order */
};

static const struct bt_opt opts[] = {
	{ 'l', "listen", "ADDR:PORT",
	    "serve it; a scheme:// narrows it (:6969)" },
	{ OPT_CERT, "tls-cert", "FILE", "certificate for https://, PEM" },
	{ OPT_KEY, "tls-key", "FILE", "its key (in the same file)" },
	{ OPT_TRUST, "trust-proxy", "CIDR",
	    "believe for whom this proxy asks" },
	{ OPT_ALLOW_IP, "allow-ip-param", NULL,
	    "any client may say its own address" },
	{ OPT_LISTS + BT_GATE_ALLOW, "allow", "FILE",
	    "serve only the torrents it lists" },
	{ OPT_LISTS + BT_GATE_DENY, "deny", "FILE",
	    "refuse the torrents it lists" },
	{ OPT_LISTS + BT_GATE_DENY_CLIENT, "deny-client", "FILE",
	    "refuse peer ids that begin so" },
	{ OPT_LISTS + BT_GATE_KEYS, "keys", "FILE",
	    "serve only /KEY/announce with a KEY it lists" },
	{ OPT_INTERVAL, "interval", "TIME", "between announces (30m)" },
	{ OPT_MIN_INTERVAL, "min-interval", "TIME",
	    "sooner is too soon (60s)" },
	{ OPT_EXPIRE, "expire", "TIME",
	    "forget who is silent so long (twice --interval)" },
	{ OPT_NUMWANT, "numwant-max", "N", "peers in one reply (200)" },
	{ OPT_FULL, "full-scrape", NULL,
	    "answer scrapes of all torrents, one at a time" },
	{ OPT_WORKERS, "workers", "N", "threads (one a core)" },
	{ OPT_TIMEOUT, "timeout", "TIME",
	    "cut an HTTP request that takes longer (10s)" },
	{ OPT_CONNS, "max-connections", "N",
	    "HTTP at once (what descriptors allow)" },
	{ OPT_CONNS_EACH, "max-per-address", "N",
	    "HTTP connections of one address (100)" },
	{ OPT_TORRENTS, "max-torrents", "N",
	    "torrents known; the oldest go first (1000000)" },
	{ OPT_MEMORY, "max-memory", "SIZE",
	    "for torrents and peers; likewise (512M)" },
	{ OPT_ADMIN, "admin", "ADDR:PORT",
	    "/stats, /stats.json and /metrics there" },
	{ OPT_STATE, "state", "FILE", "save torrents and peers there" },
	{ OPT_STATE_EVERY, "state-every", "TIME",
	    "so often, and at the end (5m)" },
	{ OPT_LOG, "log", "[FILE]", "a line for each request (on stderr)" },
	{ OPT_LOG_FULL, "log-full", NULL, "with addresses that are not cut" },
	{ OPT_USER, "user", "NAME[:GROUP]",
	    "serve as this user, once ports are bound" },
	{ 0 },
};

const struct bt_tool bt_options_tool = {
	.name = "bt-tracker",
	.args = "",
	.purpose =
	    "Tell peers of each other, by HTTP, HTTPS and UDP, IPv4 and IPv6.",
	.opts = opts,
	.json = "the URLs as JSON Lines",
	.examples = "bt-tracker\n"
		    "bt-tracker -l 127.0.0.1:0 | while read -r url; do ...\n"
		    "bt-tracker -l http://0.0.0.0:80 -l udp://0.0.0.0:6969\n"
		    "bt-tracker -l https://:443 --tls-cert site.pem\n",
};

/* A time option in milliseconds, rounded up: never 0. */
static uint64_t
take_time(struct bt_cli *cli, const char *name)
{
	uint64_t us = bt_cli_time(cli);

	if (us == 0 || us > TIME_MAX_US)
		bt_cli_misuse(cli,
		    "option '--%s': '%s' is not between 1 ms and 30 days", name,
		    cli->arg);
	return (us + 999) / 1000;
}

static uint32_t
to_seconds(uint64_t ms)
{
	return (uint32_t)((ms + 999) / 1000);
}

static unsigned
cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > (long)WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

/* What is told to whom. False for another option. */
static bool
take_service_option(struct bt_cli *cli, int ch, struct bt_options *o)
{
	struct bt_err err = BT_ERR_INIT;

	switch (ch) {
	case OPT_INTERVAL:
		o->service.interval_s = to_seconds(take_time(cli, "interval"));
		break;
	case OPT_MIN_INTERVAL:
		o->service.min_interval_s =
		    to_seconds(take_time(cli, "min-interval"));
		break;
	case OPT_EXPIRE:
		o->service.expire_ms = take_time(cli, "expire");
		break;
	case OPT_NUMWANT:
		o->service.numwant_max =
		    (uint32_t)bt_cli_count(cli, 0, BT_ANNOUNCE_PEERS_MAX);
		break;
	case OPT_TRUST:
		if (bt_proxy_trust(&o->proxy, cli->arg, &err) == -1)
			bt_cli_misuse(
			    cli, "option '--trust-proxy': %s", err.text);
		break;
	case OPT_ALLOW_IP:
		o->proxy.allow_ip = true;
		break;
	case OPT_TORRENTS:
		o->service.swarms_max =
		    (uint32_t)bt_cli_count(cli, 1, BT_STORE_SWARMS_MAX);
		break;
	case OPT_FULL:
		o->full_scrape = true;
		break;
	case OPT_MEMORY:
		o->service.bytes_max = bt_cli_size(cli, MEMORY_MIN, MEMORY_MAX);
		break;
	default:
		return false;
	}
	return true;
}

static void
take_option(struct bt_cli *cli, int ch, struct bt_options *o)
{
	struct bt_err err = BT_ERR_INIT;

	if (take_service_option(cli, ch, o))
		return;
	switch (ch) {
	case 'l':
		if (bt_listen_add(&o->listen, cli->arg, &err) == -1)
			bt_cli_misuse(cli, "option '--listen': %s", err.text);
		break;
	case OPT_WORKERS:
		o->workers = (unsigned)bt_cli_count(cli, 1, WORKERS_MAX);
		break;
	case OPT_TIMEOUT:
		o->http.timeout_ms = take_time(cli, "timeout");
		break;
	case OPT_CONNS:
		o->conns_max =
		    (uint32_t)bt_cli_count(cli, 1, BT_OPTIONS_CONNS_MAX);
		break;
	case OPT_CONNS_EACH:
		o->conns_each =
		    (uint32_t)bt_cli_count(cli, 1, BT_OPTIONS_CONNS_MAX);
		break;
	case OPT_CERT:
		o->cert = cli->arg;
		break;
	case OPT_KEY:
		o->key = cli->arg;
		break;
	case OPT_ADMIN:
		o->admin = cli->arg;
		break;
	case OPT_STATE:
		o->state = cli->arg;
		break;
	case OPT_STATE_EVERY:
		o->state_every_ms = take_time(cli, "state-every");
		break;
	case OPT_LOG:
		o->has_log = true;
		o->log = cli->arg;
		break;
	case OPT_LOG_FULL:
		o->log_whole = true;
		break;
	case OPT_USER:
		if (bt_user_find(&o->user, cli->arg, &err) == -1)
			bt_cli_misuse(cli, "option '--user': %s", err.text);
		break;
	default:
		o->lists[ch - OPT_LISTS] = cli->arg;
	}
}

/* Sockets that a service manager hands over take the place of the default. */
static void
take_sockets(struct bt_cli *cli, struct bt_options *o)
{
	struct bt_err err = BT_ERR_INIT;
	bool is_https[BT_LISTEN_MAX];
	unsigned n = bt_systemd_sockets(is_https, BT_LISTEN_MAX);

	for (unsigned i = 0; i < n; i++)
		if (bt_listen_adopt(&o->listen, BT_SYSTEMD_FIRST + (int)i,
			is_https[i], &err) == -1)
			bt_cli_misuse(cli, "%s", err.text);
}

static void
check_tls(struct bt_cli *cli, const struct bt_options *o)
{
	bool https = bt_listen_has(&o->listen, BT_LISTEN_HTTPS);

	if (https && o->cert == NULL)
		bt_cli_misuse(cli, "https:// needs --tls-cert");
	if (!https && (o->cert != NULL || o->key != NULL))
		bt_cli_misuse(cli,
		    "option '--tls-%s': no https:// address is listened on",
		    o->cert != NULL ? "cert" : "key");
}

void
bt_options_read(struct bt_cli *cli, struct bt_options *o)
{
	struct bt_err err = BT_ERR_INIT;
	int ch;

	*o = (struct bt_options){
		.service = { .interval_s = 1800,
		    .min_interval_s = 60,
		    .numwant_max = 200,
		    .swarms_max = BT_STORE_SWARMS_DEFAULT,
		    .bytes_max = BT_STORE_BYTES_DEFAULT },
		.http = { .timeout_ms = 10000 },
		.state_every_ms = 300000,
		.conns_each = CONNS_EACH,
	};
	while ((ch = bt_cli_next(cli)) != -1)
		take_option(cli, ch, o);
	if (*cli->args != NULL)
		bt_cli_usage(cli);
	if (o->log_whole && !o->has_log)
		bt_cli_misuse(cli, "--log-full goes with --log");
	if (cli->json && o->log != NULL && strcmp(o->log, "-") == 0)
		bt_cli_misuse(cli, "--json and --log=- are both for stdout");
	take_sockets(cli, o);
	check_tls(cli, o);
	if (o->listen.n == 0 && bt_listen_add(&o->listen, ":6969", &err) == -1)
		bt_cli_misuse(cli, "%s", err.text);
	if (o->admin != NULL &&
	    bt_listen_admin(&o->listen, o->admin, &err) == -1)
		bt_cli_misuse(cli, "option '--admin': %s", err.text);
	if (o->workers == 0)
		o->workers = cores();
	o->service.workers = o->workers;
	if (o->service.expire_ms == 0)
		o->service.expire_ms =
		    (uint64_t)o->service.interval_s * 2 * 1000;
	else if (o->service.expire_ms < (uint64_t)o->service.interval_s * 1000)
		bt_cli_warn(cli, "--expire is shorter than --interval: peers "
				 "are forgotten between two announces");
}
