/*
 * bt-tracker - tell peers of each other, by HTTP and UDP.
 *
 * The start and the end are here. options.c reads the command line, listen.c
 * binds, worker.c runs a loop a core, http.c and udp.c turn bytes into
 * questions, service.c brings them to the shard that knows, and store.c
 * answers. proxy.c decides who asks, quota.c how many at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/sandbox.h"
#include "cli/signal.h"
#include "net/coin.h"
#include "options.h"
#include "record.h"
#include "state.h"
#include "systemd.h"
#include "worker.h"

#define FDS_KEPT 64u /* beside connections: standard streams and so on */
#define TICK_MAX_MS 1000u

/*
 * How many connections there may be of the descriptors that we may have: they
 * then never come to an end.
 */
static void
count_descriptors(struct bt_cli *cli, struct bt_options *o)
{
	struct rlimit rl;
	uint64_t fds = 1024, kept, conns;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0)
		fds = rl.rlim_cur;
	kept = FDS_KEPT + o->workers * (o->listen.n + 4);
	conns = fds > kept ? fds - kept : 1;
	if (conns > BT_OPTIONS_CONNS_MAX)
		conns = BT_OPTIONS_CONNS_MAX;
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
has_lists(const struct bt_options *o)
{
	for (unsigned i = 0; i < BT_GATE_COUNT; i++)
		if (o->lists[i] != NULL)
			return true;
	return false;
}

static int
open_gate(struct bt_options *o, struct bt_err *err)
{
	uint8_t secret[16];

	if (!has_lists(o))
		return 0;
	bt_coin_fill(secret, sizeof(secret));
	return bt_gate_new(&o->service.gate, o->lists, secret, err);
}

static void
reload_lists(struct bt_cli *cli, struct bt_options *o)
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
reload(struct bt_cli *cli, struct bt_options *o)
{
	struct bt_err err = BT_ERR_INIT;

	bt_systemd_reloading();
	reload_lists(cli, o);
	if (o->http.tls != NULL && bt_tls_reload(o->http.tls, &err) == -1)
		bt_cli_warn(cli, "%s; the old one is kept", err.text);
	else if (o->http.tls != NULL)
		bt_log_put(&cli->log, BT_LOG_INFO, "read '%s' again", o->cert);
	else if (o->service.gate == NULL && o->http.record == NULL)
		bt_log_put(&cli->log, BT_LOG_INFO, "nothing to read again");
	if (o->http.record != NULL &&
	    bt_record_reopen(o->http.record, &err) == -1)
		bt_cli_warn(cli, "%s; the old one is kept", err.text);
	bt_systemd_notify("READY=1");
}

/*
 * Sleep until a signal that ends it, and save now and then. Each save counts
 * from the end of the last one, so a slow disk gets a rest.
 */
static void
wait_for_end(struct bt_cli *cli, struct bt_options *o, const sigset_t *signals,
    struct bt_state *state, struct bt_service *service)
{
	uint64_t due = bt_service_now_ms() + o->state_every_ms, left;
	struct bt_err err = BT_ERR_INIT;
	struct timespec ts;

	bt_systemd_notify("READY=1");
	while (cli->signal == 0 || cli->signal == SIGHUP) {
		/* signals do not put it off */
		left = bt_service_now_ms();
		left = left < due ? due - left : 0;
		ts = (struct timespec){ .tv_sec = (time_t)(left / 1000),
			.tv_nsec = (long)(left % 1000 * 1000000) };
		cli->signal =
		    sigtimedwait(signals, NULL, state == NULL ? NULL : &ts);
		if (cli->signal == SIGHUP)
			reload(cli, o);
		if (cli->signal != -1)
			continue;
		cli->signal = 0;
		if (errno != EAGAIN)
			continue;
		if (bt_state_save(state, service, &err) == -1)
			bt_cli_warn(cli, "%s", err.text);
		due = bt_service_now_ms() + o->state_every_ms;
	}
	bt_systemd_notify("STOPPING=1");
}

static void
make_conf(struct bt_options *o, struct bt_workers_conf *conf)
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
serve(struct bt_cli *cli, struct bt_options *o, struct bt_state *state,
    struct bt_err *err)
{
	struct bt_workers *workers;
	struct bt_workers_conf conf;
	uint8_t secrets[4][16];
	uint64_t *seeds;
	sigset_t signals;
	bool printed;
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
	if (rc == 0 && o->full_scrape)
		rc = bt_full_new(&conf.http.full, conf.service, o->http.quota,
		    o->http.timeout_ms, err);
	/* before a line of the log, and what comes by then waits in sockets */
	printed = rc == 0 && print_urls(cli, &o->listen) == 0;
	if (rc == 0)
		rc = bt_workers_start(&workers, &conf, &o->listen, err);
	bt_mem_free(seeds);
	if (rc == 0) {
		if (printed) {
			wait_for_end(cli, o, &signals, state, conf.service);
			bt_signal_came(cli->signal);
		}
		sigdelset(&signals, SIGHUP);
		pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
		bt_workers_stop(workers);
		if (state != NULL)
			rc = bt_state_save(state, conf.service, err);
	}
	bt_full_free(conf.http.full);
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
confine(struct bt_cli *cli, const struct bt_options *o)
{
	struct bt_sandbox box = { .sockets = BT_SANDBOX_OPEN_SOCKETS };

	for (unsigned i = 0; i < BT_GATE_COUNT; i++)
		bt_sandbox_reread(&box, o->lists[i]);
	bt_sandbox_reread(&box, o->cert);
	bt_sandbox_reread(&box, o->key);
	bt_sandbox_state(&box, o->state);
	bt_sandbox_log(&box, o->log);
	bt_sandbox_enter(&box, cli);
	bt_sandbox_fini(&box);
}

/*
 * All that is read or written, as the user that we serve as: what it may not
 * read again later, or not save, is so known now.
 */
static int
open_files(struct bt_cli *cli, struct bt_options *o, struct bt_state **state,
    struct bt_err *err)
{
	const char *damage = NULL;
	int rc = 0;

	if (o->cert != NULL)
		rc = bt_tls_new(&o->http.tls, o->cert,
		    o->key != NULL ? o->key : o->cert, err);
	if (rc == 0)
		rc = open_gate(o, err);
	if (rc == 0 && o->state != NULL)
		rc = bt_state_open(state, o->state, &damage, err);
	if (damage != NULL)
		bt_cli_warn(cli, "%s", damage);
	if (rc == 0 && o->has_log)
		rc = bt_record_new(&o->http.record, o->log, o->log_whole, err);
	if (rc == -1 && o->user.name[0] != '\0')
		bt_err_prefix(err, "as user '%s'", o->user.name);
	return rc;
}

/* The log has a thread, which is to be as confined as the rest. */
static int
begin_log(struct bt_cli *cli, struct bt_options *o, struct bt_err *err)
{
	confine(cli, o);
	return o->has_log ? bt_record_start(o->http.record, err) : 0;
}

int
main(int argc, char **argv)
{
	struct bt_options o;
	struct bt_state *state = NULL;
	struct bt_err err = BT_ERR_INIT;
	struct bt_cli cli;
	uint64_t lost;

	bt_cli_start(&cli, &bt_options_tool, argc, argv);
	bt_options_read(&cli, &o);
	count_descriptors(&cli, &o);
	if (bt_listen_open(&o.listen, o.workers, &err) == -1 ||
	    bt_user_become(&o.user, &err) == -1 ||
	    open_files(&cli, &o, &state, &err) == -1 ||
	    begin_log(&cli, &o, &err) == -1 ||
	    serve(&cli, &o, state, &err) == -1)
		bt_cli_fail(&cli, &err);
	lost = bt_record_free(o.http.record);
	if (lost > 0)
		bt_cli_warn(
		    &cli, "%" PRIu64 " lines of the log were lost", lost);
	bt_state_close(state);
	bt_listen_close(&o.listen);
	bt_tls_free(o.http.tls);
	bt_gate_free(o.service.gate);
	return bt_cli_end(&cli);
}
