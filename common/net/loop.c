#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/mem.h"

struct bt_loop {
	struct event_base *base;
	int64_t now;
	bool running;
	bool fresh; /* now was read in this iteration */
	bool stopping;
	struct event *signals[2];
	void (*on_signal)(void *arg, int signo);
	void *signal_arg;
};

struct bt_loop_timer {
	struct event ev;
	struct bt_loop *loop;
	int64_t when;
	void (*fire)(void *arg);
	void *arg;
};

/*
 * One event for each direction: turning one on or off is then one change to
 * the kernel's set, where a single event would have to leave it and come back.
 */
struct bt_loop_watch {
	struct event in, out;
	unsigned what;
	void (*ready)(void *arg, unsigned what);
	void *arg;
};

/*
 * What libevent would print of its own accord (that a nameserver is silent) the
 * one who asked is told too, and tells the user.
 */
static void
hush(int severity, const char *text)
{
	(void)severity;
	(void)text;
}

/* libevent ends the process when it lacks one of the few that it opens. */
static bool
has_descriptors(void)
{
	int pairs[2][2] = { { -1, -1 }, { -1, -1 } };
	bool has =
	    pipe2(pairs[0], O_CLOEXEC) == 0 && pipe2(pairs[1], O_CLOEXEC) == 0;
	int code = errno;

	for (int i = 0; i < 2; i++) {
		if (pairs[i][0] == -1)
			continue;
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	errno = code;
	return has;
}

int
bt_loop_new(struct bt_loop **out, struct bt_err *err)
{
	struct event_config *config;
	struct bt_loop *l;

	if (!has_descriptors())
		return bt_err_sys(err, "cannot start the event loop");
	event_set_log_callback(hush);
	config = event_config_new();
	if (config == NULL)
		return bt_err_set(err, BT_EFILE, "cannot start the event loop");
	/* one thread alone touches it */
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	l = bt_mem_zero(1, sizeof(*l));
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	if (l->base == NULL) {
		bt_mem_free(l);
		return bt_err_sys(err, "cannot start the event loop");
	}
	*out = l;
	return 0;
}

void
bt_loop_free(struct bt_loop *l)
{
	if (l == NULL)
		return;
	for (int i = 0; i < 2; i++)
		if (l->signals[i] != NULL)
			event_free(l->signals[i]);
	/* what evdns and net/dns put off, so that their memory is given back */
	for (int i = 0; i < 4; i++)
		event_base_loop(l->base, EVLOOP_NONBLOCK);
	event_base_free(l->base);
	bt_mem_free(l);
}

void
bt_loop_run(struct bt_loop *l)
{
	l->running = true;
	l->stopping = false;
	while (!l->stopping) {
		l->fresh = false;
		if (event_base_loop(l->base, EVLOOP_ONCE) != 0)
			break;
	}
	l->running = false;
}

void
bt_loop_stop(struct bt_loop *l)
{
	l->stopping = true;
}

int64_t
bt_loop_now(struct bt_loop *l)
{
	struct timespec ts;

	if (!l->running || !l->fresh) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		l->now =
		    (int64_t)ts.tv_sec * BT_LOOP_SECOND + ts.tv_nsec / 1000;
		l->fresh = true;
	}
	return l->now;
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct bt_loop *l = arg;
	sigset_t both, before;

	(void)what;
	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &both, &before);
	for (int i = 0; i < 2; i++)
		event_del(l->signals[i]);
	l->on_signal(l->signal_arg, (int)signo);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
bt_loop_on_signal(
    struct bt_loop *l, void (*on)(void *arg, int signo), void *arg)
{
	l->on_signal = on;
	l->signal_arg = arg;
	l->signals[0] = evsignal_new(l->base, SIGINT, on_signal, l);
	l->signals[1] = evsignal_new(l->base, SIGTERM, on_signal, l);
	event_add(l->signals[0], NULL);
	event_add(l->signals[1], NULL);
	signal(SIGPIPE, SIG_IGN);
}

/*
 * libevent's clock is coarser than ours and may be behind it, so a timer can
 * come a little early; then it waits for the rest.
 */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct bt_loop_timer *t = arg;

	(void)fd;
	(void)what;
	if (bt_loop_now(t->loop) < t->when) {
		bt_loop_timer_at(t, t->when);
		return;
	}
	t->fire(t->arg);
}

struct bt_loop_timer *
bt_loop_timer_new(struct bt_loop *l, void (*fire)(void *arg), void *arg)
{
	struct bt_loop_timer *t;

	t = bt_mem_zero(1, sizeof(*t));
	t->loop = l;
	t->fire = fire;
	t->arg = arg;
	evtimer_assign(&t->ev, l->base, on_timer, t);
	return t;
}

void
bt_loop_timer_free(struct bt_loop_timer *t)
{
	if (t == NULL)
		return;
	event_del(&t->ev);
	bt_mem_free(t);
}

void
bt_loop_timer_at(struct bt_loop_timer *t, int64_t when)
{
	struct timeval tv = { 0, 0 };
	int64_t wait;

	t->when = when;
	wait = when - bt_loop_now(t->loop);
	if (wait > 0) {
		/* a year is for ever, and libevent adds without looking */
		if (wait > 31536000 * BT_LOOP_SECOND)
			wait = 31536000 * BT_LOOP_SECOND;
		tv.tv_sec = (time_t)(wait / BT_LOOP_SECOND);
		tv.tv_usec = (suseconds_t)(wait % BT_LOOP_SECOND);
	}
	evtimer_add(&t->ev, &tv);
}

void
bt_loop_timer_in(struct bt_loop_timer *t, int64_t us)
{
	bt_loop_timer_at(t, bt_loop_now(t->loop) + us);
}

void
bt_loop_timer_off(struct bt_loop_timer *t)
{
	event_del(&t->ev);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct bt_loop_watch *w = arg;

	(void)fd;
	w->ready(w->arg, (what & EV_READ ? BT_LOOP_READ : 0) |
			     (what & EV_WRITE ? BT_LOOP_WRITE : 0));
}

struct bt_loop_watch *
bt_loop_watch_new(struct bt_loop *l, int fd,
    void (*ready)(void *arg, unsigned what), void *arg)
{
	struct bt_loop_watch *w;

	w = bt_mem_zero(1, sizeof(*w));
	w->ready = ready;
	w->arg = arg;
	event_assign(&w->in, l->base, fd, EV_READ | EV_PERSIST, on_ready, w);
	event_assign(&w->out, l->base, fd, EV_WRITE | EV_PERSIST, on_ready, w);
	return w;
}

void
bt_loop_watch_free(struct bt_loop_watch *w)
{
	if (w == NULL)
		return;
	bt_loop_watch_set(w, 0);
	bt_mem_free(w);
}

static void
turn(struct event *ev, bool on)
{
	if (on)
		event_add(ev, NULL);
	else
		event_del(ev);
}

void
bt_loop_watch_set(struct bt_loop_watch *w, unsigned what)
{
	if ((w->what ^ what) & BT_LOOP_READ)
		turn(&w->in, what & BT_LOOP_READ);
	if ((w->what ^ what) & BT_LOOP_WRITE)
		turn(&w->out, what & BT_LOOP_WRITE);
	w->what = what;
}

void *
bt_loop_base(struct bt_loop *l)
{
	return l->base;
}
