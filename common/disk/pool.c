#include "disk/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define SOON_US INT64_C(1000000) /* a worker that is longer away may hang */
#define HOLD_US INT64_C(12000) /* one job waits for a second, less than this */
#define HOLD_GAPS 2	       /* and so often the usual time */
#define THREADS_MAX 64u	       /* more than a disk or a memory bus can feed */

struct queue {
	struct bt_pool_job *first;
	struct bt_pool_job *last;
};

struct bt_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;	 /* for workers: something waits, or stop */
	pthread_cond_t finished; /* for bt_pool_wait */
	struct queue waiting;
	struct queue done;
	size_t out; /* put and not given back */
	/* of jobs that are run together: when the last came, us, and how far
	 * apart they come */
	int64_t came_at, gap;
	/* what each worker runs together; NULL: nothing */
	void (*groups[THREADS_MAX])(struct bt_pool_job *jobs);
	int64_t since[THREADS_MAX]; /* when it began with that, us */
	int64_t watch; /* an idle worker looks again then; INT64_MAX: none */
	bool stopping;
	int fd; /* an eventfd: not 0 while done has jobs */
	pthread_t threads[THREADS_MAX];
	unsigned nthreads;
};

static void
push(struct queue *q, struct bt_pool_job *job)
{
	job->next = NULL;
	if (q->first == NULL)
		q->first = job;
	else
		q->last->next = job;
	q->last = job;
}

static struct bt_pool_job *
pop(struct queue *q)
{
	struct bt_pool_job *job = q->first;

	if (job == NULL)
		return NULL;
	q->first = job->next;
	job->next = NULL;
	return job;
}

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Until when is somebody expected back who runs such jobs? Locked. */
static int64_t
attended_until(const struct bt_pool *p, const struct bt_pool_job *job)
{
	int64_t until = 0;

	for (unsigned i = 0; i < p->nthreads; i++)
		if (p->groups[i] == job->run && p->since[i] + SOON_US > until)
			until = p->since[i] + SOON_US;
	return until;
}

/*
 * When may a worker begin with this job, the first of its kind that waits? 0:
 * now. Locked.
 */
static int64_t
begins_at(const struct bt_pool *p, const struct bt_pool_job *job)
{
	const struct bt_pool_job *other = job;
	int64_t now, at;
	unsigned n = 0;

	if (job->together <= 1)
		return 0;
	for (; other != NULL && n < job->together; other = other->next)
		n += other->run == job->run;
	if (n == job->together)
		return 0;
	now = now_us();
	at = attended_until(p, job);
	if (at > now)
		return at;
	if (n > 1 || p->gap * HOLD_GAPS >= HOLD_US)
		return 0;
	at = job->put_at + p->gap * HOLD_GAPS;
	return at > now ? at : 0;
}

/* The first job that may begin, or NULL and when one may. Locked. */
static struct bt_pool_job *
first_ready(const struct bt_pool *p, int64_t *when)
{
	void (*held)(struct bt_pool_job *) = NULL;
	struct bt_pool_job *job;
	int64_t at;

	*when = INT64_MAX;
	for (job = p->waiting.first; job != NULL; job = job->next) {
		if (job->run == held)
			continue; /* behind one of its kind that waits */
		at = begins_at(p, job);
		if (at == 0)
			return job;
		held = job->run;
		if (at < *when)
			*when = at;
	}
	return NULL;
}

/* Take ready, and those that wait and are run with it. Locked. */
static struct bt_pool_job *
take(struct bt_pool *p, const struct bt_pool_job *ready)
{
	struct bt_pool_job *first = NULL, *last = NULL, *before = NULL, *job;
	struct bt_pool_job **at = &p->waiting.first;
	unsigned left = 1;

	while (left > 0 && (job = *at) != NULL) {
		if (first == NULL ? job != ready : job->run != first->run) {
			before = job;
			at = &job->next;
			continue;
		}
		*at = job->next;
		if (job->next == NULL)
			p->waiting.last = before;
		job->next = NULL;
		if (first == NULL) {
			first = job;
			left = job->together > 1 ? job->together : 1;
		} else
			last->next = job;
		last = job;
		left--;
	}
	return first;
}

static void
raise_fd(struct bt_pool *p)
{
	ssize_t n = write(p->fd, &(uint64_t){ 1 }, sizeof(uint64_t));

	assert(n == (ssize_t)sizeof(uint64_t)); /* the count is 0 or 1 */
}

static void
lower_fd(struct bt_pool *p)
{
	uint64_t count;
	ssize_t n = read(p->fd, &count, sizeof(count));

	assert(n == (ssize_t)sizeof(count));
}

/* These were run. Locked. */
static void
finish(struct bt_pool *p, struct bt_pool_job *jobs)
{
	struct bt_pool_job *next;

	if (p->done.first == NULL)
		raise_fd(p);
	for (; jobs != NULL; jobs = next) {
		next = jobs->next;
		push(&p->done, jobs);
	}
	pthread_cond_signal(&p->finished);
}

/*
 * Until there is something that may begin, which one of the idle watches for
 * where time alone makes it so. Locked.
 */
static void
wait_for_work(struct bt_pool *p, int64_t at)
{
	struct timespec until;

	if (at >= p->watch) { /* somebody looks sooner, or nobody need */
		pthread_cond_wait(&p->work, &p->lock);
		return;
	}
	until.tv_sec = at / 1000000;
	until.tv_nsec = at % 1000000 * 1000;
	p->watch = at;
	pthread_cond_timedwait(&p->work, &p->lock, &until);
	if (p->watch == at)
		p->watch = INT64_MAX;
}

/* A worker's own place, where it says what it runs. Locked. */
static unsigned
place_of(const struct bt_pool *p)
{
	unsigned i = 0;

	while (!pthread_equal(p->threads[i], pthread_self()))
		i++;
	return i;
}

static void *
work(void *arg)
{
	struct bt_pool *p = arg;
	struct bt_pool_job *jobs, *next = NULL;
	int64_t when;
	unsigned me;

	pthread_mutex_lock(&p->lock); /* start() has it until all are there */
	me = place_of(p);
	for (;;) {
		while (!p->stopping && (next = first_ready(p, &when)) == NULL)
			wait_for_work(p, when);
		if (p->stopping)
			break;
		jobs = take(p, next);
		p->since[me] = now_us();
		p->groups[me] = jobs->together > 1 ? jobs->run : NULL;
		if (first_ready(p, &when) != NULL || when < p->watch)
			pthread_cond_signal(&p->work); /* for what I left */
		pthread_mutex_unlock(&p->lock);
		jobs->run(jobs);
		pthread_mutex_lock(&p->lock);
		p->groups[me] = NULL;
		finish(p, jobs);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

unsigned
bt_pool_cores(void)
{
	cpu_set_t set;
	long n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	else
		n = sysconf(_SC_NPROCESSORS_ONLN); /* above 1024 of them */
	if (n < 1)
		return 1;
	return n > (long)THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

/*
 * Workers take no signal: those are the loop's, and a system call of a worker
 * is never interrupted.
 */
static int
start(struct bt_pool *p, unsigned threads)
{
	sigset_t all, was;
	int code = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	pthread_mutex_lock(&p->lock); /* they look for their places */
	while (p->nthreads < threads && code == 0) {
		code = pthread_create(&p->threads[p->nthreads], NULL, work, p);
		if (code == 0)
			p->nthreads++;
	}
	pthread_mutex_unlock(&p->lock);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return p->nthreads > 0 ? 0 : code; /* fewer than asked is fine */
}

struct bt_pool *
bt_pool_new(unsigned threads, struct bt_err *err)
{
	struct bt_pool *p = bt_mem_zero(1, sizeof(*p));
	pthread_condattr_t attr;
	int code;

	if (threads == 0)
		threads = bt_pool_cores();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	p->gap = HOLD_US;
	p->watch = INT64_MAX;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->work, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&p->finished, NULL);
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->fd == -1) {
		bt_err_sys(err, "cannot make an eventfd");
		bt_pool_free(p);
		return NULL;
	}
	code = start(p, threads);
	if (code != 0) {
		bt_err_code(err, BT_EFILE, code, "cannot start a thread");
		bt_pool_free(p);
		return NULL;
	}
	return p;
}

void
bt_pool_free(struct bt_pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->nthreads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->finished);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	if (p->fd != -1)
		close(p->fd);
	bt_mem_free(p);
}

void
bt_pool_put(struct bt_pool *p, struct bt_pool_job *job)
{
	int64_t gap, when;
	bool wake;

	assert(job->run != NULL);
	job->put_at = now_us();
	pthread_mutex_lock(&p->lock);
	if (job->together > 1) {
		gap = job->put_at - p->came_at;
		p->gap += ((gap < HOLD_US ? gap : HOLD_US) - p->gap) / 2;
		p->came_at = job->put_at;
	}
	push(&p->waiting, job);
	p->out++;
	wake = first_ready(p, &when) != NULL || when < p->watch;
	pthread_mutex_unlock(&p->lock);
	if (wake) /* who wakes finds the lock free */
		pthread_cond_signal(&p->work);
}

static struct bt_pool_job *
take_done(struct bt_pool *p)
{
	struct bt_pool_job *job = pop(&p->done);

	if (job == NULL)
		return NULL;
	assert(p->out > 0);
	p->out--;
	if (p->done.first == NULL)
		lower_fd(p);
	return job;
}

struct bt_pool_job *
bt_pool_done(struct bt_pool *p)
{
	struct bt_pool_job *job;

	pthread_mutex_lock(&p->lock);
	job = take_done(p);
	pthread_mutex_unlock(&p->lock);
	return job;
}

struct bt_pool_job *
bt_pool_wait(struct bt_pool *p)
{
	struct bt_pool_job *job;

	pthread_mutex_lock(&p->lock);
	while (p->out > 0 && p->done.first == NULL)
		pthread_cond_wait(&p->finished, &p->lock);
	job = take_done(p);
	pthread_mutex_unlock(&p->lock);
	return job;
}

int
bt_pool_fd(const struct bt_pool *p)
{
	return p->fd;
}

unsigned
bt_pool_threads(const struct bt_pool *p)
{
	return p->nthreads;
}
