#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/options.h"

#define ARGS_MAX 16

static const struct bt_opt opts[] = {
	{ 'o', "output", "FILE", "write here" },
	{ 'f', "force", NULL, "overwrite" },
	{ 256, "seed", "[RATIO|TIME]", "go on" },
	{ 257, "memory", "SIZE", "how much" },
	{ 0 },
};

static const struct bt_tool tool = {
	.name = "bt-x",
	.args = "TORRENT...",
	.purpose = "Test.",
	.opts = opts,
	.examples = "bt-x a\n",
};

/* Split words at blanks into an argument vector. */
struct line {
	char text[256];
	char *argv[ARGS_MAX];
	int argc;
};

static void
split(struct line *l, const char *words)
{
	char *at;

	snprintf(l->text, sizeof(l->text), "bt-x %s", words);
	l->argc = 0;
	for (at = strtok(l->text, " "); at != NULL; at = strtok(NULL, " "))
		l->argv[l->argc++] = at;
	l->argv[l->argc] = NULL;
}

/* "o=x f 256= | a b": options as they come, then operands. */
static void
assert_parsed(const char *words, const char *drawn)
{
	struct bt_cli cli;
	struct line l;
	char got[512];
	size_t n = 0;
	int ch;

	split(&l, words);
	bt_cli_start(&cli, &tool, l.argc, l.argv);
	while ((ch = bt_cli_next(&cli)) != -1) {
		if (ch < 256)
			n += (size_t)snprintf(
			    got + n, sizeof(got) - n, "%c", ch);
		else
			n += (size_t)snprintf(
			    got + n, sizeof(got) - n, "%d", ch);
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s ",
		    cli.arg != NULL ? "=" : "", cli.arg != NULL ? cli.arg : "");
	}
	n += (size_t)snprintf(got + n, sizeof(got) - n, "|");
	for (; *cli.args != NULL; cli.args++)
		n += (size_t)snprintf(
		    got + n, sizeof(got) - n, " %s", *cli.args);
	assert_string_equal(got, drawn);
	assert_int_equal(bt_cli_end(&cli), 0);
}

static void
options_are_short_or_long_with_their_argument(void **state)
{
	(void)state;
	assert_parsed("-o x -f", "o=x f |");
	assert_parsed("-fox", "f o=x |");
	assert_parsed("--output x", "o=x |");
	assert_parsed("--output=x --force", "o=x f |");
}

static void
options_may_follow_operands_until_two_dashes(void **state)
{
	(void)state;
	assert_parsed("a -f b -o x c", "f o=x | a b c");
	assert_parsed("a -f -- b -o", "f | a b -o");
	assert_parsed("-", "| -");
}

static void
an_optional_argument_is_taken_only_when_joined(void **state)
{
	(void)state;
	assert_parsed("--seed a", "256 | a");
	assert_parsed("--seed=2.5 a", "256=2.5 | a");
	assert_parsed("--seed=", "256= |");
}

static void
common_options_are_taken_before_the_tool_sees_them(void **state)
{
	struct bt_cli cli;
	struct line l;

	(void)state;
	split(&l, "--json -v a -vq");
	bt_cli_start(&cli, &tool, l.argc, l.argv);
	assert_int_equal(bt_cli_next(&cli), -1);
	assert_true(cli.json);
	assert_true(cli.quiet);
	assert_int_equal(cli.verbose, 2);
	assert_int_equal(cli.log.level, BT_LOG_DEBUG);
	assert_string_equal(cli.args[0], "a");
	assert_int_equal(bt_cli_end(&cli), 0);
}

/* What a command line that ends the program says, on both streams. */
struct ending {
	int status;
	char out[2048], err[1024];
};

static void catch (int fd, char *text, size_t max)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, text + n, max - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
}

static void
run(struct ending *e, const char *words, void (*body)(struct bt_cli *))
{
	int out[2], err[2];
	struct bt_cli cli;
	struct line l;
	pid_t pid;

	split(&l, words);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	fflush(stdout);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		bt_cli_start(&cli, &tool, l.argc, l.argv);
		body(&cli);
		_exit(bt_cli_end(&cli));
	}
	close(out[1]);
	close(err[1]);
	catch (out[0], e->out, sizeof(e->out));
	catch (err[0], e->err, sizeof(e->err));
	assert_int_equal(waitpid(pid, &e->status, 0), pid);
}

static void
parse(struct bt_cli *cli)
{
	int ch;

	while ((ch = bt_cli_next(cli)) != -1)
		if (ch == 257)
			bt_cli_size(cli, 1, 1 << 20);
}

static void
assert_misuse(const char *words, const char *sentence)
{
	struct ending e;
	char want[512];

	run(&e, words, parse);
	snprintf(want, sizeof(want), "bt-x: %s\ntry 'bt-x --help'\n", sentence);
	assert_true(WIFEXITED(e.status));
	assert_int_equal(WEXITSTATUS(e.status), 2);
	assert_string_equal(e.err, want);
	assert_string_equal(e.out, "");
}

static void
a_wrong_command_line_is_one_sentence_and_status_2(void **state)
{
	(void)state;
	assert_misuse("--nope", "unknown option '--nope'");
	assert_misuse("a -z", "unknown option '-z'");
	assert_misuse("-fz", "unknown option '-z'");
	assert_misuse("-o", "option '-o' needs an argument");
	assert_misuse("--output", "option '--output' needs an argument");
	assert_misuse("--force=1", "option '--force' takes no argument");
	assert_misuse("--json=1", "option '--json' takes no argument");
	assert_misuse("--memory 2M", "option '--memory': '2M' is not between "
				     "1 B and 1.0 MiB");
	assert_misuse("--memory x",
	    "option '--memory': 'x' is not a size: "
	    "give bytes, or a number with K, M, G or T");
}

static void
help_goes_to_stdout_and_lists_every_option_and_examples(void **state)
{
	struct ending e;

	(void)state;
	run(&e, "--help --nope", parse);
	assert_int_equal(e.status, 0);
	assert_string_equal(e.err, "");
	assert_non_null(strstr(e.out, "usage: bt-x [OPTION]... TORRENT...\n"));
	assert_non_null(strstr(e.out, "  -o, --output FILE "));
	assert_non_null(strstr(e.out, "  --seed[=RATIO|TIME] "));
	assert_non_null(strstr(e.out, "  -V, --version "));
	assert_non_null(strstr(e.out, "\nExamples:\n  bt-x a\n"));
	run(&e, "-V", parse);
	assert_int_equal(e.status, 0);
	assert_string_equal(e.out, "bt-x " BT_CLI_VERSION "\n");
}

static void
fail_thrice(struct bt_cli *cli)
{
	struct bt_err err = BT_ERR_INIT;

	parse(cli);
	bt_log_put(&cli->log, BT_LOG_WARN, "warned");
	bt_log_put(&cli->log, BT_LOG_INFO, "informed");
	bt_err_set(&err, BT_EFILE, "one");
	bt_cli_fail(cli, &err);
	bt_err_set(&err, BT_EINPUT, "two");
	bt_cli_fail(cli, &err);
	bt_cli_keep(cli, BT_ENET);
}

static void
the_first_failure_gives_the_status_and_all_are_said(void **state)
{
	struct ending e;

	(void)state;
	run(&e, "", fail_thrice);
	assert_int_equal(WEXITSTATUS(e.status), 7);
	assert_string_equal(e.err, "bt-x: warned\nbt-x: one\nbt-x: two\n");
}

static void
quiet_silences_warnings_and_verbose_adds_to_them(void **state)
{
	struct ending e;

	(void)state;
	run(&e, "-q", fail_thrice);
	assert_string_equal(e.err, "bt-x: one\nbt-x: two\n");
	run(&e, "-v", fail_thrice);
	assert_string_equal(
	    e.err, "bt-x: warned\nbt-x: informed\nbt-x: one\nbt-x: two\n");
}

static void
break_the_pipe(struct bt_cli *cli)
{
	parse(cli);
	bt_out_on_error(&cli->out, EPIPE);
}

static void
end_by_term(struct bt_cli *cli)
{
	parse(cli);
	cli->signal = SIGTERM;
}

static void
a_reader_that_is_gone_and_a_signal_end_by_that_signal(void **state)
{
	struct ending e;

	(void)state;
	run(&e, "", break_the_pipe);
	assert_true(WIFSIGNALED(e.status));
	assert_int_equal(WTERMSIG(e.status), SIGPIPE);
	assert_string_equal(e.err, "");
	run(&e, "", end_by_term);
	assert_true(WIFSIGNALED(e.status));
	assert_int_equal(WTERMSIG(e.status), SIGTERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_short_or_long_with_their_argument),
		cmocka_unit_test(options_may_follow_operands_until_two_dashes),
		cmocka_unit_test(
		    an_optional_argument_is_taken_only_when_joined),
		cmocka_unit_test(
		    common_options_are_taken_before_the_tool_sees_them),
		cmocka_unit_test(
		    a_wrong_command_line_is_one_sentence_and_status_2),
		cmocka_unit_test(
		    help_goes_to_stdout_and_lists_every_option_and_examples),
		cmocka_unit_test(
		    the_first_failure_gives_the_status_and_all_are_said),
		cmocka_unit_test(
		    quiet_silences_warnings_and_verbose_adds_to_them),
		cmocka_unit_test(
		    a_reader_that_is_gone_and_a_signal_end_by_that_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
