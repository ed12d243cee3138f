/* loop: timers, descriptors and signals of one thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/loop.h"

struct fixture {
	struct bt_loop *loop;
	struct bt_loop_timer *a, *b;
	struct bt_loop_watch *watch;
	int fds[2];
	int fired_a, fired_b, read, written;
	int64_t at;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bt_err err;

	assert_non_null(f);
	assert_int_equal(bt_loop_new(&f->loop, &err), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->fds), 0);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	bt_loop_timer_free(f->a);
	bt_loop_timer_free(f->b);
	bt_loop_watch_free(f->watch);
	bt_loop_free(f->loop);
	close(f->fds[0]);
	close(f->fds[1]);
	free(f);
	return 0;
}

static void
fire_a(void *arg)
{
	struct fixture *f = arg;

	f->fired_a++;
	f->at = bt_loop_now(f->loop);
}

static void
fire_b(void *arg)
{
	struct fixture *f = arg;

	f->fired_b++;
}

static void
a_timer_fires_once_and_not_before_its_time(void **state)
{
	struct fixture *f = *state;
	int64_t when = bt_loop_now(f->loop) + 7500;

	f->a = bt_loop_timer_new(f->loop, fire_a, f);
	bt_loop_run(f->loop);
	assert_int_equal(f->fired_a, 0); /* a new one is not set */
	bt_loop_timer_at(f->a, when);
	bt_loop_run(f->loop); /* ends when nothing is left */
	assert_int_equal(f->fired_a, 1);
	assert_true(f->at >= when);
	bt_loop_run(f->loop);
	assert_int_equal(f->fired_a, 1);
}

static void
a_time_in_the_past_is_now(void **state)
{
	struct fixture *f = *state;

	f->a = bt_loop_timer_new(f->loop, fire_a, f);
	bt_loop_timer_at(f->a, INT64_MIN / 2);
	bt_loop_run(f->loop);
	assert_int_equal(f->fired_a, 1);
}

static void
a_timer_that_is_off_or_moved_fires_at_its_last_time_only(void **state)
{
	struct fixture *f = *state;

	f->a = bt_loop_timer_new(f->loop, fire_a, f);
	f->b = bt_loop_timer_new(f->loop, fire_b, f);
	bt_loop_timer_in(f->a, INT64_MAX / 2);
	bt_loop_timer_in(f->a, 0);
	bt_loop_timer_in(f->b, 0);
	bt_loop_timer_off(f->b);
	bt_loop_run(f->loop);
	assert_int_equal(f->fired_a, 1);
	assert_int_equal(f->fired_b, 0);
}

static void
free_both(void *arg)
{
	struct fixture *f = arg;

	f->fired_a++;
	bt_loop_timer_free(f->a);
	bt_loop_timer_free(f->b);
	f->a = f->b = NULL;
}

static void
a_callback_may_free_its_own_timer_and_one_that_is_due(void **state)
{
	struct fixture *f = *state;

	f->a = bt_loop_timer_new(f->loop, free_both, f);
	f->b = bt_loop_timer_new(f->loop, free_both, f);
	bt_loop_timer_in(f->a, 0);
	bt_loop_timer_in(f->b, 0);
	bt_loop_run(f->loop);
	assert_int_equal(f->fired_a, 1);
}

static void
on_ready(void *arg, unsigned what)
{
	struct fixture *f = arg;
	char c;

	if (what & BT_LOOP_WRITE) {
		f->written++;
		bt_loop_watch_set(f->watch, BT_LOOP_READ);
		assert_int_equal(write(f->fds[1], "x", 1), 1);
	}
	if (what & BT_LOOP_READ) {
		assert_int_equal(read(f->fds[0], &c, 1), 1);
		f->read++;
		bt_loop_watch_free(f->watch);
		f->watch = NULL;
	}
}

static void
a_watch_tells_what_it_was_set_to_and_may_free_itself(void **state)
{
	struct fixture *f = *state;

	f->watch = bt_loop_watch_new(f->loop, f->fds[0], on_ready, f);
	bt_loop_watch_set(f->watch, BT_LOOP_WRITE);
	bt_loop_run(f->loop);
	assert_int_equal(f->written, 1);
	assert_int_equal(f->read, 1);
}

static void
on_peer_gone(void *arg, unsigned what)
{
	struct fixture *f = arg;
	char c;

	assert_true(what & BT_LOOP_READ);
	assert_int_equal(read(f->fds[0], &c, 1), 0);
	f->read++;
	bt_loop_watch_set(f->watch, 0);
}

static void
the_end_of_a_stream_is_told_to_who_waits_to_read(void **state)
{
	struct fixture *f = *state;

	f->watch = bt_loop_watch_new(f->loop, f->fds[0], on_peer_gone, f);
	bt_loop_watch_set(f->watch, BT_LOOP_READ);
	shutdown(f->fds[1], SHUT_RDWR);
	bt_loop_run(f->loop);
	assert_int_equal(f->read, 1);
}

static void
keep_going(void *arg)
{
	struct fixture *f = arg;

	f->fired_b++;
	bt_loop_timer_in(f->b, 0);
	if (f->fired_b == 5)
		bt_loop_stop(f->loop);
}

static void
stop_ends_a_loop_that_has_more_to_do(void **state)
{
	struct fixture *f = *state;

	f->b = bt_loop_timer_new(f->loop, keep_going, f);
	bt_loop_timer_in(f->b, 0);
	bt_loop_run(f->loop);
	assert_int_equal(f->fired_b, 5);
}

static void
on_signal(void *arg, int signo)
{
	struct fixture *f = arg;

	f->fired_a = signo;
	bt_loop_stop(f->loop);
}

/* In a child, since the second one is to end it. */
static void
the_first_signal_is_told_and_the_second_ends_the_process(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct bt_loop *l;
		struct bt_err err;

		/* who runs tests in the background may have it ignored */
		signal(SIGINT, SIG_DFL);
		if (bt_loop_new(&l, &err) == -1)
			_exit(1);
		f->loop = l;
		bt_loop_on_signal(l, on_signal, f);
		kill(getpid(), SIGTERM);
		bt_loop_run(l);
		if (f->fired_a != SIGTERM)
			_exit(2);
		kill(getpid(), SIGINT);
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_once_and_not_before_its_time),
		cmocka_unit_test(a_time_in_the_past_is_now),
		cmocka_unit_test(
		    a_timer_that_is_off_or_moved_fires_at_its_last_time_only),
		cmocka_unit_test(
		    a_callback_may_free_its_own_timer_and_one_that_is_due),
		cmocka_unit_test(
		    a_watch_tells_what_it_was_set_to_and_may_free_itself),
		cmocka_unit_test(
		    the_end_of_a_stream_is_told_to_who_waits_to_read),
		cmocka_unit_test(stop_ends_a_loop_that_has_more_to_do),
		cmocka_unit_test(
		    the_first_signal_is_told_and_the_second_ends_the_process),
	};
	struct CMUnitTest with[sizeof(tests) / sizeof(tests[0])];

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		with[i] = tests[i];
		with[i].setup_func = set_up;
		with[i].teardown_func = tear_down;
	}
	return cmocka_run_group_tests(with, NULL, NULL);
}
