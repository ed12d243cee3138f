#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/exit.h"

static void
each_kind_has_the_status_of_the_table(void **state)
{
	/* cli.md, "Exit codes" */
	(void)state;
	assert_int_equal(bt_exit_status(BT_ENONE), 0);
	assert_int_equal(bt_exit_status(BT_EANSWER), 1);
	assert_int_equal(bt_exit_status(BT_EUSAGE), 2);
	assert_int_equal(bt_exit_status(BT_EINPUT), 3);
	assert_int_equal(bt_exit_status(BT_ELIMIT), 3);
	assert_int_equal(bt_exit_status(BT_ENET), 4);
	assert_int_equal(bt_exit_status(BT_EREFUSED), 5);
	assert_int_equal(bt_exit_status(BT_ETIMEOUT), 6);
	assert_int_equal(bt_exit_status(BT_EFILE), 7);
	assert_int_equal(bt_exit_status(BT_EMISMATCH), 8);
}

/* Run fn in a child with its stderr in text; gives the wait status. */
static int
in_child(void (*fn)(void), char *text, size_t max)
{
	int fds[2], status;
	size_t sum = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		fn();
		_exit(99);
	}
	close(fds[1]);
	while ((n = read(fds[0], text + sum, max - 1 - sum)) > 0)
		sum += (size_t)n;
	text[sum] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
eat(void)
{
	bt_exit_on_exhausted();
	bt_mem_array(SIZE_MAX / 2, 4);
}

static void
out_of_memory_is_one_line_and_status_3(void **state)
{
	char text[256];
	int status;

	(void)state;
	status = in_child(eat, text, sizeof(text));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_string_equal(text, "test_cli_exit: out of memory\n");
}

static void
end_by_ignored_and_blocked_pipe(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	bt_exit_by_signal(SIGPIPE);
}

static void
ending_by_a_signal_is_seen_by_the_parent(void **state)
{
	char text[256];
	int status;

	(void)state;
	status = in_child(end_by_ignored_and_blocked_pipe, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGPIPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_the_status_of_the_table),
		cmocka_unit_test(out_of_memory_is_one_line_and_status_3),
		cmocka_unit_test(ending_by_a_signal_is_seen_by_the_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
