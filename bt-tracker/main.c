/*
 * bt-tracker - tell peers of each other, by HTTP and UDP.
 *
 * The command line, the start and the end are here. listen.c binds, worker.c
 * runs a loop a core, http.c and udp.c turn bytes into questions, service.c
 * brings them to the shard that knows, and store.c answers. proxy.c decides who
 * asks, quota.c how many at once.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/sandbox.h"
#include "cli/signal.h"
#include "listen.h"
#include "net/coin.h"
#include "state.h"
#include "systemd.h"
#include "worker.h"

#define SECOND_US UINT64_C(1000000)
#define TIME_MAX_US (30 * 24 * 3600 * SECOND_US) /* what 32 bits of ms hold */
#define WORKERS_MAX 256u
#define CONNS_MAX 1000000u /* some 400 bytes each when idle */
#define CONNS_EACH 100u	   /* of one address: households and offices fit */
#define FDS_KEPT 64u	   /* beside connections: standard streams and so on */
#define TICK_MAX_MS 1000u
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
	{ 0 },
};

static const struct bt_tool tool = {
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

struct options {
	struct bt_service_conf service;
	struct bt_http_conf http;
	struct bt_listen listen;
	struct bt_proxy proxy;
	const char *cert, *key;
	const char *lists[BT_GATE_COUNT]; /* files, or NULL */
	uint32_t conns_max, conns_each;
	unsigned workers;
	const char *state, *admin; /* or NULL */
	uint64_t state_every_ms;
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

static void
take_option(struct bt_cli *cli, int ch, struct options *o)
{
	struct bt_err err = BT_ERR_INIT;

	switch (ch) {
	case 'l':
		if (bt_listen_add(&o->listen, cli->arg, &err) == -1)
			bt_cli_misuse(cli, "option '--listen': %s", err.text);
		break;
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
	case OPT_WORKERS:
		o->workers = (unsigned)bt_cli_count(cli, 1, WORKERS_MAX);
		break;
	case OPT_TIMEOUT:
		o->http.timeout_ms = take_time(cli, "timeout");
		break;
	case OPT_CONNS:
		o->conns_max = (uint32_t)bt_cli_count(cli, 1, CONNS_MAX);
		break;
	case OPT_CONNS_EACH:
		o->conns_each = (uint32_t)bt_cli_count(cli, 1, CONNS_MAX);
		break;
	case OPT_CERT:
		o->cert = cli->arg;
		break;
	case OPT_KEY:
		o->key = cli->arg;
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
	case OPT_ADMIN:
		o->admin = cli->arg;
		break;
	case OPT_STATE:
		o->state = cli->arg;
		break;
	case OPT_STATE_EVERY:
		o->state_every_ms = take_time(cli, "state-every");
		break;
	case OPT_MEMORY:
		o->service.bytes_max = bt_cli_size(cli, MEMORY_MIN, MEMORY_MAX);
		break;
	default:
		o->lists[ch - OPT_LISTS] = cli->arg;
	}
}

/* Sockets that a service manager hands over take the place of the default. */
static void
take_sockets(struct bt_cli *cli, struct options *o)
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
check_tls(struct bt_cli *cli, const struct options *o)
{
	bool https = bt_listen_has(&o->listen, BT_LISTEN_HTTPS);

	if (https && o->cert == NULL)
		bt_cli_misuse(cli, "https:// needs --tls-cert");
	if (!https && (o->cert != NULL || o->key != NULL))
		bt_cli_misuse(cli,
		    "option '--tls-%s': no https:// address is listened on",
		    o->cert != NULL ? "cert" : "key");
}

static void
read_options(struct bt_cli *cli, struct options *o)
{
	struct bt_err err = BT_ERR_INIT;
	int ch;

	while ((ch = bt_cli_next(cli)) != -1)
		take_option(cli, ch, o);
	if (*cli->args != NULL)
		bt_cli_usage(cli);
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

/*
 * How many connections there may be of the descriptors that we may have: they
 * then never come to an end.
 */
static void
count_descriptors(struct bt_cli *cli, struct options *o)
{
	struct rlimit rl;
	uint64_t fds = 1024, kept, conns;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0)
		fds = rl.rlim_cur;
	kept = FDS_KEPT + o->workers * (o->listen.n + 4);
	conns = fds > kept ? fds - kept : 1;
	if (conns > CONNS_MAX)
		conns = CONNS_MAX;
	if (o->conns_max == 0 || o->conns_max > conns)
		o->conns_max = (uint32_t)conns;
	bt_log_put(&cli->log, BT_LOG_INFO, "%u workers, at most %u connections",
	    o->workers, o->conns_max);
}

static void
print_url(struct bt_cli *cli, const struct bt_listen_place *p)
{
	char url[BT_LISTEN_URL_MAX];
	struct bt_json j;

	bt_listen_url(p, url);
	if (!cli->json) {
		bt_out_printf(&cli->out, "%s\n", url);
		return;
	}
	bt_json_event(&j, &cli->out, p->admin ? "admin" : "listening");
	bt_json_cstr(&j, "url", url);
	bt_json_end(&j);
}

/*
 * HTTP first: a script that reads one line gets what every client speaks. The
 * statistics last.
 */
static int
print_urls(struct bt_cli *cli, const struct bt_listen *l)
{
	for (unsigned kind = 0; kind <= BT_LISTEN_UDP; kind++)
		for (size_t i = 0; i < l->n; i++)
			if (l->places[i].kind == kind && !l->places[i].admin)
				print_url(cli, &l->places[i]);
	if (l->has_admin)
		print_url(cli, &l->places[l->n - 1]);
	return bt_out_flush(&cli->out);
}

static bool
has_lists(const struct options *o)
{
	for (unsigned i = 0; i < BT_GATE_COUNT; i++)
		if (o->lists[i] != NULL)
			return true;
	return false;
}

static int
open_gate(struct options *o, struct bt_err *err)
{
	uint8_t secret[16];

	if (!has_lists(o))
		return 0;
	bt_coin_fill(secret, sizeof(secret));
	return bt_gate_new(&o->service.gate, o->lists, secret, err);
}

static void
reload_lists(struct bt_cli *cli, struct options *o)
{
	struct bt_err err = BT_ERR_INIT;

	for (unsigned i = 0; i < BT_GATE_COUNT; i++) {
		if (o->lists[i] == NULL)
			continue;
		if (bt_gate_reload(
			o->service.gate, (enum bt_gate_list)i, &err) == -1)
			bt_cli_warn(cli, "%s; the old one is kept", err.text);
		else
			bt_log_put(&cli->log, BT_LOG_INFO,
			    "read '%s' again: %zu entries", o->lists[i],
			    bt_gate_entries(
				o->service.gate, (enum bt_gate_list)i));
	}
}

/* SIGHUP: the files that may have changed are read again. */
static void
reload(struct bt_cli *cli, struct options *o)
{
	struct bt_err err = BT_ERR_INIT;

	bt_systemd_reloading();
	reload_lists(cli, o);
	if (o->http.tls != NULL && bt_tls_reload(o->http.tls, &err) == -1)
		bt_cli_warn(cli, "%s; the old one is kept", err.text);
	else if (o->http.tls != NULL)
		bt_log_put(&cli->log, BT_LOG_INFO, "read '%s' again", o->cert);
	else if (o->service.gate == NULL)
		bt_log_put(&cli->log, BT_LOG_INFO, "nothing to read again");
	bt_systemd_notify("READY=1");
}

/*
 * Sleep until a signal that ends it, and save now and then. Each save counts
 * from the end of the last one, so a slow disk gets a rest.
 */
static void
wait_for_end(struct bt_cli *cli, struct options *o, const sigset_t *signals,
    struct bt_state *state, struct bt_service *service)
{
	struct timespec every = { .tv_sec = (time_t)(o->state_every_ms / 1000),
		.tv_nsec = (long)(o->state_every_ms % 1000 * 1000000) };
	struct bt_err err = BT_ERR_INIT;

	bt_systemd_notify("READY=1");
	while (cli->signal == 0 || cli->signal == SIGHUP) {
		cli->signal =
		    sigtimedwait(signals, NULL, state == NULL ? NULL : &every);
		if (cli->signal == SIGHUP)
			reload(cli, o);
		if (cli->signal != -1)
			continue;
		cli->signal = 0;
		if (errno == EAGAIN &&
		    bt_state_save(state, service, &err) == -1)
			bt_cli_warn(cli, "%s", err.text);
	}
	bt_systemd_notify("STOPPING=1");
}

static void
make_conf(struct options *o, struct bt_workers_conf *conf)
{
	*conf = (struct bt_workers_conf){
		.n = o->workers,
		.http = o->http,
		.tick_ms = TICK_MAX_MS,
	};
	if (conf->tick_ms > o->service.expire_ms / 64 + 1)
		conf->tick_ms = o->service.expire_ms / 64 + 1;
	if (conf->tick_ms > o->http.timeout_ms / 4 + 1)
		conf->tick_ms = o->http.timeout_ms / 4 + 1;
}

/* Take in what was saved. -1 when it cannot be read. */
static int
restore(struct bt_cli *cli, struct bt_state *state, struct bt_service *service,
    struct bt_err *err)
{
	uint32_t swarms, peers;

	if (bt_state_restore(state, service, err) == -1) {
		if (err->kind != BT_ELIMIT)
			return -1;
		bt_cli_warn(cli, "%s", err->text);
	}
	bt_service_count(service, &swarms, &peers);
	bt_log_put(&cli->log, BT_LOG_INFO, "%u torrents and %u peers restored",
	    swarms, peers);
	return 0;
}

/* Serve until a signal. -1 when it could not begin, or end well. */
static int
serve(struct bt_cli *cli, struct options *o, struct bt_state *state,
    struct bt_err *err)
{
	struct bt_workers *workers;
	struct bt_workers_conf conf;
	uint8_t secrets[4][16];
	uint64_t *seeds;
	sigset_t signals;
	int rc;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	bt_coin_fill(secrets, sizeof(secrets));
	seeds = bt_mem_array(o->workers, sizeof(*seeds));
	bt_coin_fill(seeds, o->workers * sizeof(*seeds));

	o->http.proxy = &o->proxy;
	o->http.quota =
	    bt_quota_new(o->conns_max, o->conns_each, &o->proxy, secrets[3]);
	make_conf(o, &conf);
	conf.service = bt_service_new(&o->service, secrets[0],
	    state == NULL ? secrets[2] : bt_state_key_secret(state));
	o->http.stats = conf.http.stats =
	    bt_stats_new(conf.service, o->workers, BT_CLI_VERSION);
	conf.secret = secrets[1];
	conf.seeds = seeds;
	rc = state == NULL ? 0 : restore(cli, state, conf.service, err);
	if (rc == 0)
		rc = bt_workers_start(&workers, &conf, &o->listen, err);
	bt_mem_free(seeds);
	if (rc == 0) {
		if (print_urls(cli, &o->listen) == 0) {
			wait_for_end(cli, o, &signals, state, conf.service);
			bt_signal_came(cli->signal);
		}
		sigdelset(&signals, SIGHUP);
		pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
		bt_workers_stop(workers);
		if (state != NULL)
			rc = bt_state_save(state, conf.service, err);
	}
	bt_stats_free(o->http.stats);
	bt_service_free(conf.service);
	bt_quota_free(o->http.quota);
	return rc;
}

/*
 * Keep the sockets that are open, what SIGHUP reads again, and the state. After
 * all that needs more, and before the workers.
 */
static void
confine(struct bt_cli *cli, const struct options *o)
{
	struct bt_sandbox box = { .sockets = BT_SANDBOX_OPEN_SOCKETS };

	for (unsigned i = 0; i < BT_GATE_COUNT; i++)
		bt_sandbox_reread(&box, o->lists[i]);
	bt_sandbox_reread(&box, o->cert);
	bt_sandbox_reread(&box, o->key);
	bt_sandbox_state(&box, o->state);
	bt_sandbox_enter(&box, cli);
	bt_sandbox_fini(&box);
}

int
main(int argc, char **argv)
{
	struct options o = {
		.service = { .interval_s = 1800,
		    .min_interval_s = 60,
		    .numwant_max = 200,
		    .swarms_max = BT_STORE_SWARMS_DEFAULT,
		    .bytes_max = BT_STORE_BYTES_DEFAULT },
		.http = { .timeout_ms = 10000 },
		.state_every_ms = 300000,
		.conns_each = CONNS_EACH,
	};
	struct bt_state *state = NULL;
	const char *damage = NULL;
	struct bt_err err = BT_ERR_INIT;
	struct bt_cli cli;
	int rc = 0;

	bt_cli_start(&cli, &tool, argc, argv);
	read_options(&cli, &o);
	count_descriptors(&cli, &o);
	if (o.cert != NULL)
		rc = bt_tls_new(
		    &o.http.tls, o.cert, o.key != NULL ? o.key : o.cert, &err);
	if (rc == 0)
		rc = open_gate(&o, &err);
	if (rc == 0 && o.state != NULL)
		rc = bt_state_open(&state, o.state, &damage, &err);
	if (damage != NULL)
		bt_cli_warn(&cli, "%s", damage);
	if (rc == 0)
		rc = bt_listen_open(&o.listen, o.workers, &err);
	if (rc == 0)
		confine(&cli, &o);
	if (rc == -1 || serve(&cli, &o, state, &err) == -1)
		bt_cli_fail(&cli, &err);
	bt_state_close(state);
	bt_listen_close(&o.listen);
	bt_tls_free(o.http.tls);
	bt_gate_free(o.service.gate);
	return bt_cli_end(&cli);
}
