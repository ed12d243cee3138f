#include "cli/sandbox.h"
#include "seed.h"

#define TICK_US (BT_LOOP_SECOND / 2)

enum { OPT_NO_CHECK = 256, OPT_UNTIL_RATIO, OPT_UNTIL_TIME, OPT_UNTIL_IDLE };

static const struct bt_opt opts[] = {
	{ 'd', "dir", "DIR", "many torrents, with their contents beneath DIR" },
	{ OPT_NO_CHECK, "no-check", NULL,
	    "trust the content: look at sizes only" },
	{ OPT_UNTIL_RATIO, "until-ratio", "RATIO",
	    "end when RATIO times the size is sent" },
	{ OPT_UNTIL_TIME, "until-time", "TIME", "end after TIME" },
	{ OPT_UNTIL_IDLE, "until-idle", "TIME",
	    "end when nobody took anything for TIME" },
	BT_NETOPTS("1000"), { 0, NULL, NULL, NULL }
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
	struct seed_conf conf; /* first: it is the session's tool */
	struct bt_cli cli;
	struct bt_session session;
	int64_t said_at;
};

static void
take_option(struct run *r, int ch)
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
		bt_netopts_take(&conf->net, cli, ch);
	}
}

/* Returns how many operands are torrents. */
static size_t
parse(struct run *r, int argc, char **argv)
{
	struct bt_cli *cli = &r->cli;
	size_t n = 0;
	int ch;

	r->conf.cli = cli;
	bt_netopts_init(&r->conf.net);
	bt_cli_start(cli, &tool, argc, argv);
	while ((ch = bt_cli_next(cli)) != -1)
		take_option(r, ch);
	while (cli->args[n] != NULL)
		n++;
	if (n == 0 || (r->conf.dir == NULL && n > 2))
		bt_cli_usage(cli);
	if (r->conf.dir != NULL || n == 1)
		return n;
	r->conf.path = cli->args[1];
	return 1;
}

static void
say_progress(struct run *r, const struct bt_session_sums *sums)
{
	struct bt_json j;

	bt_json_event(&j, &r->cli.out, "progress");
	bt_json_int(&j, "up", (int64_t)sums->up);
	bt_json_int(&j, "up_bps", (int64_t)sums->up_bps);
	bt_json_int(&j, "peers", sums->peers);
	bt_json_end(&j);
}

static void
show(struct bt_session *s, const struct bt_session_sums *sums, int64_t now)
{
	struct run *r = s->tool;
	char more[64];

	snprintf(more, sizeof(more), "sent  %u peer%s", sums->peers,
	    sums->peers == 1 ? "" : "s");
	bt_progress_draw(&r->cli.bar, (uint64_t)now, sums->up, 0, more);
	if (r->cli.json && now - r->said_at >= BT_LOOP_SECOND) {
		r->said_at = now;
		say_progress(r, sums);
	}
}

/* Read the torrents and their contents, serve, and write nothing. */
static void
confine(struct run *r)
{
	struct seed_conf *conf = &r->conf;
	struct bt_sandbox *box = &conf->box;

	box->sockets = BT_SANDBOX_SOCKETS;
	bt_sandbox_operands(box, r->cli.args);
	if (conf->dir == NULL && conf->path == NULL)
		bt_sandbox_read(box, "."); /* until its name is known */
	bt_sandbox_read(box, conf->dir);
	bt_sandbox_read(box, conf->path);
	bt_sandbox_enter(box, &r->cli);
}

static const struct bt_session_ops ops = {
	.member_size = sizeof(struct seed),
	.tick_us = TICK_US,
	.open = seed_open,
	.join = seed_join,
	.effect = seed_effect,
	.tick = seed_tick,
	.show = show,
	.ended = seed_ended,
	.fini = seed_fini,
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
	confine(&r);
	bt_session_init(&r.session);
	if (bt_netopts_check(&r.conf.net, &err) == -1)
		bt_session_fail(&r.session, NULL, &err);
	else
		bt_session_run(&r.session, r.cli.args, n);
	bt_sandbox_fini(&r.conf.box);
	bt_netopts_fini(&r.conf.net);
	return bt_cli_end(&r.cli);
}
