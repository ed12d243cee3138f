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

/* A job that notes with whom it ran. */
struct member {
	struct bt_pool_job pool; /* first */
	unsigned id;
	unsigned with[16], n; /* the first job of a list: all ids of it */
	atomic_int *gate;
};

static void
run_list(struct bt_pool_job *jobs)
{
	struct member *first = (struct member *)jobs;

	while (first->gate != NULL && atomic_load(first->gate) == 0)
		poll(NULL, 0, 1);
	for (; jobs != NULL; jobs = jobs->next)
		first->with[first->n++] = ((struct member *)jobs)->id;
}

static void
run_other(struct bt_pool_job *jobs)
{
	assert_null(jobs->next);
	((struct member *)jobs)->n = 1;
}

/* 0 keeps the worker while 1 .. 9 are put; 3 and 7 are of another kind. */
static void
jobs_that_gain_by_it_are_run_together(void **state)
{
	static const unsigned first[] = { 1, 2, 4, 5 }, then[] = { 6, 8, 9 };
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(1, &err);
	struct member m[10] = { 0 };
	atomic_int gate = 0;
	unsigned back = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		m[i].id = i;
		m[i].pool.together = i == 0 ? 1 : 4;
		m[i].pool.run = i == 3 || i == 7 ? run_other : run_list;
	}
	m[3].pool.together = m[7].pool.together = 0;
	m[0].gate = &gate;
	for (unsigned i = 0; i < 10; i++)
		bt_pool_put(p, &m[i].pool);
	atomic_store(&gate, 1);
	while (bt_pool_wait(p) != NULL)
		back++;
	assert_int_equal(back, 10);
	assert_int_equal(m[0].n, 1);
	assert_int_equal(m[1].n, 4);
	assert_memory_equal(m[1].with, first, sizeof(first));
	assert_int_equal(m[6].n, 3);
	assert_memory_equal(m[6].with, then, sizeof(then));
	assert_int_equal(m[3].n, 1);
	assert_int_equal(m[7].n, 1);
	assert_int_equal(m[2].n + m[4].n + m[5].n + m[8].n + m[9].n, 0);
	/* the queue is whole after that */
	m[9].n = m[8].n = 0;
	bt_pool_put(p, &m[9].pool);
	bt_pool_put(p, &m[7].pool);
	bt_pool_put(p, &m[8].pool);
	for (back = 0; bt_pool_wait(p) != NULL;)
		back++;
	assert_int_equal(back, 3);
	bt_pool_free(p);
}

/* 0 and 1 are held by the workers; of 2 .. 4 too few wait, of 2 .. 5 enough. */
static void
a_second_worker_takes_only_a_full_group(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(2, &err);
	struct member m[6] = { 0 };
	struct job alone = { .pool.run = run };
	atomic_int gate = 0;
	unsigned back = 0;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		m[i].id = i;
		m[i].pool =
		    (struct bt_pool_job){ .run = run_list, .together = 4 };
	}
	m[0].gate = &gate;
	bt_pool_put(p, &m[0].pool);
	/* a job of another kind runs meanwhile, so the second worker is there */
	bt_pool_put(p, &alone.pool);
	assert_ptr_equal(bt_pool_wait(p), &alone);
	for (unsigned i = 2; i < 5; i++)
		bt_pool_put(p, &m[i].pool);
	bt_pool_put(p, &alone.pool);
	assert_ptr_equal(bt_pool_wait(p), &alone);
	assert_int_equal(m[2].n, 0); /* passed over by the second worker */
	bt_pool_put(p, &m[5].pool);
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(bt_pool_wait(p)); /* while 0 still runs */
	assert_int_equal(m[2].n, 4);
	atomic_store(&gate, 1);
	assert_ptr_equal(bt_pool_wait(p), &m[0]);
	while (bt_pool_wait(p) != NULL)
		back++;
	assert_int_equal(back, 0);
	bt_pool_free(p);
}

/* 0 hangs, as a disk may: who is put meanwhile is not left to wait for it. */
static void
a_group_whose_worker_hangs_is_not_waited_for(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(2, &err);
	struct member m[2] = { 0 };
	struct job alone = { .pool.run = run };
	atomic_int gate = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		m[i].pool =
		    (struct bt_pool_job){ .run = run_list, .together = 4 };
	m[0].gate = &gate;
	bt_pool_put(p, &m[0].pool);
	/* a job of another kind goes to whom the first has left free */
	bt_pool_put(p, &alone.pool);
	assert_ptr_equal(bt_pool_wait(p), &alone);
	bt_pool_put(p, &m[1].pool);
	assert_ptr_equal(bt_pool_wait(p), &m[1]);
	atomic_store(&gate, 1);
	assert_ptr_equal(bt_pool_wait(p), &m[0]);
	bt_pool_free(p);
}

static void
count_run(struct bt_pool_job *jobs)
{
	((struct member *)jobs)->n = 1;
}

/*
 * They come every millisecond to a worker that is done with each long
 * before the next: without waiting for more it would run 400 times.
 */
static void
jobs_that_come_fast_wait_for_each_other_and_the_last_not_for_ever(void **state)
{
	static struct member m[400];
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *p = bt_pool_new(2, &err);
	unsigned runs = 0;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		m[i].pool =
		    (struct bt_pool_job){ .run = count_run, .together = 4 };
		bt_pool_put(p, &m[i].pool);
		poll(NULL, 0, 1);
		while (bt_pool_done(p) != NULL)
			;
	}
	while (bt_pool_wait(p) != NULL)
		;
	for (unsigned i = 0; i < 400; i++)
		runs += m[i].n;
	assert_in_range(runs, 100, 300);
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
		cmocka_unit_test(jobs_that_gain_by_it_are_run_together),
		cmocka_unit_test(a_second_worker_takes_only_a_full_group),
		cmocka_unit_test(a_group_whose_worker_hangs_is_not_waited_for),
		cmocka_unit_test(
		    jobs_that_come_fast_wait_for_each_other_and_the_last_not_for_ever),
		cmocka_unit_test(workers_leave_signals_to_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
