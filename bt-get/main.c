#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/sandbox.h"
#include "disk/slurp.h"
#include "get.h"

#define TICK_US (BT_LOOP_SECOND / 5) /* the progress line's pace */
#define STALLED_US (10 * BT_LOOP_SECOND)
#define PEERS_LEN (1u << 20) /* bytes of --peers that are read */

enum {
	OPT_SEQUENTIAL = 256,
	OPT_LIMIT_RATE,
	OPT_RATE_EACH,
	OPT_PEERS,
	OPT_SEED,
	OPT_TIMEOUT,
	OPT_STALL
};

static const struct bt_opt opts[] = { { 'd', "dir", "DIR",
					  "put the files beneath DIR (.)" },
	{ 'o', "output", "FILE", "path of the one file wanted; - is stdout" },
	{ 's', "select", "LIST|GLOB",
	    "only these: 1-3,8 as in bt-info -l, or a glob" },
	{ '0', "null", NULL, "end each path with NUL, written raw" },
	{ 'f', "force", NULL,
	    "adopt files with other content: good pieces stay" },
	{ OPT_SEQUENTIAL, "sequential", NULL, "pieces in order" },
	{ OPT_SEED, "seed", "[RATIO|TIME]",
	    "then serve on, until RATIO is sent or TIME over" },
	{ OPT_TIMEOUT, "timeout", "TIME", "give up after TIME (exit 6)" },
	{ OPT_STALL, "stall-timeout", "TIME",
	    "give up when nothing came for TIME (exit 6)" },
	{ OPT_LIMIT_RATE, "limit-rate", "SIZE",
	    "receive SIZE a second at most" },
	{ OPT_RATE_EACH, "limit-rate-each", "SIZE",
	    "receive SIZE a second at most for each torrent" },
	{ OPT_PEERS, "peers", "FILE", "peers to dial, one a line; - is stdin" },
	BT_NETOPTS("200 a torrent"), { 0, NULL, NULL, NULL } };

static const struct bt_tool tool = {
	.name = "bt-get",
	.args = "TORRENT...",
	.purpose = "Download torrents; print each file's path as it finishes.",
	.opts = opts,
	.json = "print events, one JSON object a line",
	.examples =
	    "bt-get album.torrent\n"
	    "bt-get -d music album.torrent | xargs -d '\\n' sha256sum\n"
	    "bt-get -o - album.tar.torrent | tar x\n"
	    "bt-get -s '*.flac' --stall-timeout 5m album.torrent\n"
	    "bt-scrape --announce a.torrent | bt-get --peers - a.torrent\n",
};

/* All that a run has. */
struct run {
	struct get_conf conf; /* first: it is the session's tool */
	struct bt_cli cli;
	struct bt_session session;
	uint64_t timeout_us, stall_us;
	const char *peers_file;
	int64_t moved_at, said_at;
	uint64_t moved; /* bytes come, when last looked */
	bool said_stalled;
};

/*
 * What stands in a file may be from a tracker: an address that nobody can dial
 * is passed over, and only what is no address at all is an error.
 */
static int
add_line(struct run *r, struct bt_str s, struct bt_err *err)
{
	struct bt_addr a;

	if (bt_addr_parse(s, &a) == -1)
		return bt_err_set(err, BT_EINPUT,
		    "'%.*s' in '%s' is not a peer's ADDR:PORT", (int)s.n,
		    (const char *)s.p, r->peers_file);
	if (!bt_addr_is_dialable(&a))
		return 0;
	return bt_netopts_add_peer(&r->conf.net, s, err);
}

/* One address a line; what follows a tab or blank is another program's. */
static int
read_peers(struct run *r, struct bt_err *err)
{
	struct bt_buf text;
	struct bt_str left, line;
	size_t n;
	int rc;

	bt_buf_init(&text, PEERS_LEN);
	if (strcmp(r->peers_file, "-") != 0)
		rc = bt_slurp_file(r->peers_file, &text, err);
	else if ((rc = bt_input_take_stdin(&r->session.in, err)) == 0)
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
			rc = add_line(r, line, err);
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
add_select(struct get_conf *conf, const char *s)
{
	conf->selects = bt_mem_resize(
	    conf->selects, conf->nselects + 1, sizeof(*conf->selects));
	conf->selects[conf->nselects++] = s;
}

static void
take_option(struct run *r, int ch)
{
	struct get_conf *conf = &r->conf;
	struct bt_cli *cli = &r->cli;

	switch (ch) {
	case 'd':
		conf->dir = cli->arg;
		break;
	case 'o':
		conf->out = cli->arg;
		break;
	case 's':
		add_select(conf, cli->arg);
		break;
	case '0':
		conf->nul = true;
		break;
	case 'f':
		conf->force = true;
		break;
	case OPT_SEQUENTIAL:
		conf->sequential = true;
		break;
	case OPT_PEERS:
		r->peers_file = cli->arg;
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
	case OPT_LIMIT_RATE:
		conf->net.down_bps = bt_cli_size(cli, 1024, UINT64_MAX / 2);
		break;
	case OPT_RATE_EACH:
		conf->net.down_each_bps =
		    bt_cli_size(cli, 1024, UINT64_MAX / 2);
		break;
	default:
		bt_netopts_take(&conf->net, cli, ch);
	}
}

/* Returns how many operands there are. */
static size_t
parse(struct run *r, int argc, char **argv)
{
	struct bt_cli *cli = &r->cli;
	const char *out;
	size_t n = 0;
	int ch;

	r->conf.cli = cli;
	bt_netopts_init(&r->conf.net);
	bt_cli_start(cli, &tool, argc, argv);
	while ((ch = bt_cli_next(cli)) != -1)
		take_option(r, ch);
	while (cli->args[n] != NULL)
		n++;
	if (n == 0)
		bt_cli_usage(cli);
	out = r->conf.out;
	if (out != NULL && n > 1)
		bt_cli_misuse(cli,
		    "-o names one file and %zu torrents are "
		    "given: use -d",
		    n);
	if (out != NULL && r->conf.dir != NULL && strcmp(out, "-") != 0)
		bt_cli_misuse(cli, "-o and -d are both given");
	if (out != NULL && (*out == '\0' || out[strlen(out) - 1] == '/'))
		bt_cli_misuse(cli,
		    "-o '%s' is not a file's path: -d is for folders", out);
	if (cli->json && out != NULL && strcmp(out, "-") == 0)
		bt_cli_misuse(cli, "-o - and --json both want stdout");
	/* content on the terminal: a progress line would lie in it */
	if (out != NULL && strcmp(out, "-") == 0 && cli->out.tty)
		cli->bar.on = false;
	return n;
}

static struct get *
get_at(const struct bt_session *s, size_t i)
{
	return (struct get *)(void *)s->members[i];
}

/* Nothing came for STALLED_US: who is to blame? */
static void
say_stalled(struct get *g)
{
	struct bt_torrent_stats st = bt_swarm_stats(g->m.swarm);

	if (g->conf->cli->json)
		events_stalled(g);
	bt_log_put(&g->conf->cli->log, BT_LOG_INFO,
	    "nothing came of '%s' for 10 s: of %u peers %u choke us and %u "
	    "owe us blocks",
	    g->m.layout->name, st.peers, st.choking, st.late);
}

/*
 * Nothing came, and neither what is there nor a reader of ours who is slow is
 * the reason.
 */
static void
watch_stall(struct run *r, uint64_t down, int64_t now)
{
	struct bt_session *s = &r->session;
	struct bt_err err = BT_ERR_INIT;
	bool waits = false;

	for (size_t i = 0; i < s->n; i++)
		waits = waits || (s->members[i]->state == BT_MEMBER_RUNNING &&
				     !get_at(s, i)->is_whole &&
				     !get_is_held(get_at(s, i)));
	if (down != r->moved || !waits) {
		r->moved = down;
		r->moved_at = now;
		r->said_stalled = false;
	}
	if (r->stall_us != 0 && (uint64_t)(now - r->moved_at) >= r->stall_us) {
		bt_err_set(&err, BT_ETIMEOUT,
		    "nothing came for %lld s (--stall-timeout)",
		    (long long)(r->stall_us / BT_LOOP_SECOND));
		bt_session_stop(s, &err);
	}
	if (r->said_stalled || now - r->moved_at < STALLED_US)
		return;
	r->said_stalled = true;
	for (size_t i = 0; i < s->n; i++)
		if (s->members[i]->state == BT_MEMBER_RUNNING &&
		    !get_at(s, i)->is_whole)
			say_stalled(get_at(s, i));
}

static void
watch_timeout(struct run *r, int64_t now)
{
	struct bt_session *s = &r->session;
	struct bt_err err = BT_ERR_INIT;
	bool is_due = false;

	if (r->timeout_us == 0 || (uint64_t)(now - s->begun) < r->timeout_us)
		return;
	for (size_t i = 0; i < s->n; i++)
		is_due = is_due || (s->members[i]->state == BT_MEMBER_RUNNING &&
				       !get_is_done(get_at(s, i)));
	if (!is_due)
		return;
	bt_err_set(&err, BT_ETIMEOUT, "not whole after %lld s (--timeout)",
	    (long long)(r->timeout_us / BT_LOOP_SECOND));
	bt_session_stop(s, &err);
}

static void
show(struct bt_session *s, const struct bt_session_sums *sums, int64_t now)
{
	struct run *r = s->tool;
	char more[64];

	if (r->moved_at == 0)
		r->moved_at = s->begun;
	snprintf(more, sizeof(more), "%u peer%s", sums->peers,
	    sums->peers == 1 ? "" : "s");
	bt_progress_draw(
	    &r->cli.bar, (uint64_t)now, sums->done, sums->total, more);
	if (r->cli.json && now - r->said_at >= BT_LOOP_SECOND) {
		r->said_at = now;
		for (size_t i = 0; i < s->n; i++)
			if (s->members[i]->state == BT_MEMBER_RUNNING)
				events_progress(get_at(s, i));
	}
	watch_stall(r, sums->down, now);
	watch_timeout(r, now);
}

/* Read the torrents, and write beneath the output's folder. */
static void
confine(struct run *r)
{
	struct bt_sandbox *box = &r->conf.box;

	box->sockets = BT_SANDBOX_SOCKETS;
	bt_sandbox_operands(box, r->cli.args);
	bt_sandbox_read(box, r->peers_file);
	bt_sandbox_write(box, r->conf.root);
	bt_sandbox_enter(box, &r->cli);
}

static const struct bt_session_ops ops = {
	.member_size = sizeof(struct get),
	.tick_us = TICK_US,
	.open = get_open,
	.join = get_join,
	.effect = get_effect,
	.tick = get_tick,
	.synced = get_synced,
	.show = show,
	.ended = get_ended,
	.fini = get_fini,
};

int
main(int argc, char **argv)
{
	static struct run r;
	struct bt_err err = BT_ERR_INIT;
	size_t n = parse(&r, argc, argv);

	r.session = (struct bt_session){
		.cli = &r.cli, .net = &r.conf.net, .ops = &ops, .tool = &r
	};
	r.conf.root = get_root(&r.conf);
	confine(&r);
	bt_session_init(&r.session);
	if (bt_netopts_check(&r.conf.net, &err) == -1 ||
	    (r.peers_file != NULL && read_peers(&r, &err) == -1))
		bt_session_fail(&r.session, NULL, &err);
	else
		bt_session_run(&r.session, r.cli.args, n);
	bt_netopts_fini(&r.conf.net);
	bt_sandbox_fini(&r.conf.box);
	bt_mem_free(r.conf.root);
	bt_mem_free(r.conf.selects);
	return bt_cli_end(&r.cli);
}
