#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/exit.h"
#include "cli/process.h"
#include "cli/value.h"

/* The letters of options that only have a long name; tools use 256..511. */
enum { OPT_JSON = 512, OPT_PROGRESS, OPT_NO_PROGRESS, OPT_NO_SANDBOX };

struct bt_cli_parse {
	int argc;
	char **argv;
	struct option *longs; /* the tool's, then the common ones */
	char *shorts;
	int progress;  /* -1: as stderr is, else no or yes */
	char name[64]; /* the current option, for errors: "--json" */
};

static const struct bt_opt common[] = {
	{ OPT_JSON, "json", NULL, "print JSON" },
	{ OPT_PROGRESS, "progress", NULL,
	    "draw the progress line, terminal or not" },
	{ OPT_NO_PROGRESS, "no-progress", NULL, "never draw it" },
	{ OPT_NO_SANDBOX, "no-sandbox", NULL,
	    "keep all rights, on systems that it does not fit" },
	{ 'q', "quiet", NULL, "say only what failed" },
	{ 'v', "verbose", NULL, "say more; twice for everything" },
	{ 'h', "help", NULL, "this text" },
	{ 'V', "version", NULL, "the version" },
	{ 0 },
};

static int
arg_kind(const struct bt_opt *opt)
{
	if (opt->arg == NULL)
		return no_argument;
	return opt->arg[0] == '[' ? optional_argument : required_argument;
}

static size_t
count_opts(const struct bt_opt *opts)
{
	size_t n = 0;

	while (opts[n].name != NULL)
		n++;
	return n;
}

/* Add a table's options to getopt's two. Returns where shorts end now. */
static char *
add_opts(const struct bt_opt *opts, struct option *longs, char *shorts)
{
	for (; opts->name != NULL; opts++, longs++) {
		longs->name = opts->name;
		longs->has_arg = arg_kind(opts);
		longs->val = opts->ch;
		if (opts->ch >= 256)
			continue;
		*shorts++ = (char)opts->ch;
		if (longs->has_arg != no_argument)
			*shorts++ = ':';
		if (longs->has_arg == optional_argument)
			*shorts++ = ':';
	}
	return shorts;
}

/* Every message of ours to stderr, so that the progress line gives way. */
static void __attribute__((format(printf, 2, 0)))
say(struct bt_cli *cli, const char *fmt, va_list ap)
{
	struct bt_err text = BT_ERR_INIT;

	bt_err_vset(&text, BT_EUSAGE, fmt, ap);
	bt_progress_clear(&cli->bar);
	fprintf(stderr, "%s: %s\n", cli->tool->name, text.text);
}

static void
put_log(void *arg, enum bt_log_level level, const char *text)
{
	struct bt_cli *cli = arg;

	(void)level;
	if (cli->quiet)
		return;
	bt_progress_clear(&cli->bar);
	fprintf(stderr, "%s: %s\n", cli->tool->name, text);
}

void
bt_cli_start(
    struct bt_cli *cli, const struct bt_tool *tool, int argc, char **argv)
{
	struct bt_cli_parse *p;
	size_t own = count_opts(tool->opts), shared = count_opts(common);
	char *end;

	bt_process_begin();
	bt_exit_on_exhausted();
	memset(cli, 0, sizeof(*cli));
	cli->tool = tool;
	cli->args = argv + argc;
	cli->log = (struct bt_log){ BT_LOG_WARN, put_log, cli };
	bt_out_init(&cli->out, stdout);
	cli->out.bar = &cli->bar;
	bt_progress_init(&cli->bar, stderr, false);

	p = bt_mem_zero(1, sizeof(*p));
	p->argc = argc;
	p->argv = argv;
	p->progress = -1;
	p->longs = bt_mem_zero(own + shared + 1, sizeof(*p->longs));
	p->shorts = bt_mem_zero(3 * (own + shared) + 2, 1);
	p->shorts[0] = ':'; /* tell a missing argument from a wrong option */
	end = add_opts(tool->opts, p->longs, p->shorts + 1);
	add_opts(common, p->longs + own, end);
	cli->parse = p;
	optind = 0; /* GNU: start anew */
	opterr = 0;
}

static void
end_parse(struct bt_cli *cli)
{
	struct bt_cli_parse *p = cli->parse;
	bool bar;

	cli->args = p->argv + optind;
	bar = p->progress == -1 ? isatty(STDERR_FILENO) == 1 : p->progress == 1;
	bt_progress_init(&cli->bar, stderr, bar && !cli->quiet);
	if (cli->verbose > 0)
		cli->log.level = cli->verbose > 1 ? BT_LOG_DEBUG : BT_LOG_INFO;
	bt_mem_free(p->longs);
	bt_mem_free(p->shorts);
	bt_mem_free(p);
	cli->parse = NULL;
}

static void
print_opt(const struct bt_opt *opt, const char *help)
{
	char left[64];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%s --%s",
	    opt->ch < 256 ? '-' : ' ', opt->ch < 256 ? opt->ch : ' ',
	    opt->ch < 256 ? "," : " ", opt->name);
	if (opt->arg != NULL && opt->arg[0] == '[')
		snprintf(
		    left + n, sizeof(left) - (size_t)n, "[=%s", opt->arg + 1);
	else if (opt->arg != NULL)
		snprintf(left + n, sizeof(left) - (size_t)n, " %s", opt->arg);
	printf("%-29s %s\n", left, help);
}

static void
print_help(const struct bt_tool *tool)
{
	const struct bt_opt *opt;
	const char *line, *end;

	printf("usage: %s [OPTION]... %s\n%s\n\n", tool->name, tool->args,
	    tool->purpose);
	for (opt = tool->opts; opt->name != NULL; opt++)
		print_opt(opt, opt->help);
	for (opt = common; opt->name != NULL; opt++)
		if (opt->ch == OPT_JSON && tool->json != NULL)
			print_opt(opt, tool->json);
		else
			print_opt(opt, opt->help);
	printf("\nExamples:\n");
	for (line = tool->examples; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		assert(end != NULL);
		printf("  %.*s\n", (int)(end - line), line);
	}
}

/* What getopt refused, in words. Does not return. */
static void
refuse(struct bt_cli *cli, int ch)
{
	const struct bt_cli_parse *p = cli->parse;
	const char *typed = p->argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };
	bool is_long = strncmp(typed, "--", 2) == 0;

	if (ch == ':')
		bt_cli_misuse(cli, "option '%s' needs an argument",
		    is_long ? typed : letter);
	if (is_long && optopt != 0)
		bt_cli_misuse(cli, "option '%.*s' takes no argument",
		    (int)strcspn(typed, "="), typed);
	bt_cli_misuse(cli, "unknown option '%s'",
	    is_long || optopt == 0 ? typed : letter);
}

/* Options of all tools; false if it is not one of them. */
static bool
take_common(struct bt_cli *cli, int ch)
{
	switch (ch) {
	case OPT_JSON:
		cli->json = true;
		return true;
	case OPT_PROGRESS:
	case OPT_NO_PROGRESS:
		cli->parse->progress = ch == OPT_PROGRESS;
		return true;
	case OPT_NO_SANDBOX:
		cli->no_sandbox = true;
		return true;
	case 'q':
		cli->quiet = true;
		return true;
	case 'v':
		cli->verbose++;
		return true;
	case 'h':
		print_help(cli->tool);
		exit(bt_cli_end(cli));
	case 'V':
		printf("%s %s\n", cli->tool->name, BT_CLI_VERSION);
		exit(bt_cli_end(cli));
	default:
		return false;
	}
}

int
bt_cli_next(struct bt_cli *cli)
{
	struct bt_cli_parse *p = cli->parse;
	int ch, at;

	do {
		at = -1;
		ch = getopt_long(p->argc, p->argv, p->shorts, p->longs, &at);
		if (ch == '?' || ch == ':')
			refuse(cli, ch);
		if (ch == -1) {
			end_parse(cli);
			return -1;
		}
	} while (take_common(cli, ch));
	cli->arg = optarg;
	if (at >= 0)
		snprintf(p->name, sizeof(p->name), "--%s", p->longs[at].name);
	else
		snprintf(p->name, sizeof(p->name), "-%c", ch);
	return ch;
}

/* The current option's argument was no good. Does not return. */
static void
bad_value(struct bt_cli *cli, const struct bt_err *err)
{
	bt_cli_misuse(cli, "option '%s': %s", cli->parse->name, err->text);
}

uint64_t
bt_cli_size(struct bt_cli *cli, uint64_t min, uint64_t max)
{
	struct bt_err err = BT_ERR_INIT;
	char low[BT_OUT_SIZE_LEN], high[BT_OUT_SIZE_LEN];
	uint64_t v = 0;

	if (bt_value_size(cli->arg, &v, &err) == -1)
		bad_value(cli, &err);
	if (v < min || v > max) {
		bt_err_set(&err, BT_EUSAGE, "'%s' is not between %s and %s",
		    cli->arg, bt_out_size(low, min), bt_out_size(high, max));
		bad_value(cli, &err);
	}
	return v;
}

uint64_t
bt_cli_time(struct bt_cli *cli)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t v = 0;

	if (bt_value_time(cli->arg, &v, &err) == -1)
		bad_value(cli, &err);
	return v;
}

uint64_t
bt_cli_count(struct bt_cli *cli, uint64_t min, uint64_t max)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t v = 0;

	if (bt_value_count(cli->arg, min, max, &v, &err) == -1)
		bad_value(cli, &err);
	return v;
}

uint64_t
bt_cli_ratio(struct bt_cli *cli)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t v = 0;

	if (bt_value_ratio(cli->arg, &v, &err) == -1)
		bad_value(cli, &err);
	return v;
}

void
bt_cli_usage(struct bt_cli *cli)
{
	fprintf(stderr, "usage: %s [OPTION]... %s\ntry '%s --help'\n",
	    cli->tool->name, cli->tool->args, cli->tool->name);
	exit(bt_exit_status(BT_EUSAGE));
}

void
bt_cli_misuse(struct bt_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
	fprintf(stderr, "try '%s --help'\n", cli->tool->name);
	exit(bt_exit_status(BT_EUSAGE));
}

void
bt_cli_fail(struct bt_cli *cli, const struct bt_err *err)
{
	assert(err->kind != BT_ENONE);
	bt_progress_clear(&cli->bar);
	fprintf(stderr, "%s: %s\n", cli->tool->name, err->text);
	bt_cli_keep(cli, err->kind);
}

void
bt_cli_keep(struct bt_cli *cli, enum bt_err_kind kind)
{
	if (cli->status == 0)
		cli->status = bt_exit_status(kind);
}

void
bt_cli_warn(struct bt_cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
}

int
bt_cli_end(struct bt_cli *cli)
{
	struct bt_err err = BT_ERR_INIT;

	bt_progress_clear(&cli->bar);
	if (bt_out_flush(&cli->out) == -1) {
		if (cli->out.error == EPIPE)
			bt_exit_by_signal(SIGPIPE);
		bt_err_code(
		    &err, BT_EFILE, cli->out.error, "cannot write output");
		bt_cli_fail(cli, &err);
	}
	if (cli->signal != 0)
		bt_exit_by_signal(cli->signal);
	return cli->status;
}
