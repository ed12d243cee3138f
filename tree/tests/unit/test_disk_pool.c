#include "disk/pool.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct job {
	struct bt_pool_job pool; /* first */
	int runs;
	sigset_t blocked;
	atomic_int *gate; /* waited for until it is not 0 */
};

static void
run(struct bt_pool_job *p)
{
	struct job *j = (struct job *)p;

	while (j->gate != NULL && atomic_load(j->gate) == 0)
		poll(NULL, 0, 1);
	pthread_sigmask(SIG_BLOCK, NULL, &j->blocked);
	j->runs++;
}

static bool
is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void
every_job_runs_once_and_comes_back_once(void **state)
{
	static struct job jobs[1000];
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(4, &err);
	size_t back = 0;

	(void)state;
	assert_non_null(p);
	assert_int_equal(bt_pool_threads(p), 4);
	for (size_t i = 0; i < 1000; i++) {
		jobs[i] = (struct job){ .pool.run = run };
		bt_pool_put(p, &jobs[i].pool);
	}
	while (bt_pool_wait(p) != NULL)
		back++;
	assert_int_equal(back, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(jobs[i].runs, 1);
	bt_pool_free(p);
}

static void
waiting_with_nothing_out_gives_null_at_once(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(0, &err);

	(void)state;
	assert_true(bt_pool_threads(p) >= 1);
	assert_null(bt_pool_wait(p));
	assert_null(bt_pool_done(p));
	bt_pool_free(p);
}

static void
the_descriptor_is_readable_exactly_while_results_wait(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(1, &err);
	struct job a = { .pool.run = run }, b = { .pool.run = run };
	struct pollfd fd = { .fd = bt_pool_fd(p), .events = POLLIN };

	(void)state;
	assert_false(is_readable(bt_pool_fd(p)));
	bt_pool_put(p, &a.pool);
	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_ptr_equal(bt_pool_done(p), &a);
	assert_false(is_readable(bt_pool_fd(p)));
	bt_pool_put(p, &a.pool);
	bt_pool_put(p, &b.pool);
	assert_ptr_equal(bt_pool_wait(p), &a);
	assert_ptr_equal(bt_pool_wait(p), &b);
	assert_false(is_readable(bt_pool_fd(p)));
	bt_pool_free(p);
}

static void
a_job_that_runs_is_waited_for_when_the_pool_is_freed(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(1, &err);
	atomic_int gate = 1;
	struct job j = { .pool.run = run, .gate = &gate };

	(void)state;
	bt_pool_put(p, &j.pool);
	assert_ptr_equal(bt_pool_wait(p), &j);
	bt_pool_put(p, &j.pool);
	bt_pool_free(p);
	assert_in_range(j.runs, 1, 2);
}

static void
done_does_not_wait_for_what_runs(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(1, &err);
	atomic_int gate = 0;
	struct job j = { .pool.run = run, .gate = &gate };

	(void)state;
	bt_pool_put(p, &j.pool);
	assert_null(bt_pool_done(p));
	atomic_store(&gate, 1);
	assert_ptr_equal(bt_pool_wait(p), &j);
	bt_pool_free(p);
}

static void
workers_leave_signals_to_the_loop(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(1, &err);
	struct job j = { .pool.run = run };

	(void)state;
	bt_pool_put(p, &j.pool);
	assert_non_null(bt_pool_wait(p));
	assert_int_equal(sigismember(&j.blocked, SIGINT), 1);
	assert_int_equal(sigismember(&j.blocked, SIGTERM), 1);
	bt_pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_once_and_comes_back_once),
		cmocka_unit_test(waiting_with_nothing_out_gives_null_at_once),
		cmocka_unit_test(
		    the_descriptor_is_readable_exactly_while_results_wait),
		cmocka_unit_test(
		    a_job_that_runs_is_waited_for_when_the_pool_is_freed),
		cmocka_unit_test(done_does_not_wait_for_what_runs),
		cmocka_unit_test(workers_leave_signals_to_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
