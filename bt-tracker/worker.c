#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "udp.h"

#define LINGER_MS 1000 /* for replies not yet taken, at the end */

struct worker {
	struct bt_service *service;
	struct bt_stats *stats;
	struct bt_clerk clerk;
	unsigned number;
	struct event_base *base;
	struct bt_http *http;
	struct bt_udp *udp;
	struct event *tick, *wake;
	int wake_fd;
	bool stopping;
	uint64_t stop_ms; /* when it began to stop */
	pthread_t thread;
	bool running;
};

struct bt_workers {
	unsigned n;
	struct worker *each;
};

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	bt_clerk_now(&w->clerk);
	bt_service_sweep(w->service, &w->clerk, w->number);
	bt_http_tick(w->http);
	if (w->number == 0)
		bt_stats_tick(w->stats, w->clerk.now_ms);
	if (w->stopping && (bt_http_stop(w->http) ||
			       w->clerk.now_ms - w->stop_ms >= LINGER_MS))
		event_base_loopbreak(w->base);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	static const struct timeval soon = { .tv_usec = 20000 };

	(void)fd;
	(void)what;
	event_del(w->wake);
	w->stopping = true;
	w->stop_ms = bt_clerk_now(&w->clerk);
	bt_udp_free(w->udp);
	w->udp = NULL;
	if (bt_http_stop(w->http))
		event_base_loopbreak(w->base);
	else
		event_add(w->tick, &soon);
}

static void *
run(void *arg)
{
	struct worker *w = arg;

	event_base_dispatch(w->base);
	return NULL;
}

/* No locks in the loop: whoever wakes it writes to its eventfd. */
static struct event_base *
base_new(void)
{
	struct event_config *conf = event_config_new();
	struct event_base *base;

	if (conf == NULL)
		return NULL;
	event_config_set_flag(conf, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(conf);
	event_config_free(conf);
	return base;
}

/* Who may see the statistics at a place. */
static enum bt_reply_stats
stats_at(const struct bt_listen *listen, size_t i)
{
	if (listen->places[i].admin)
		return BT_REPLY_STATS_ADMIN;
	if (!listen->has_admin && bt_addr_is_loopback(&listen->places[i].addr))
		return BT_REPLY_STATS_HOST;
	return BT_REPLY_STATS_NOBODY;
}

static int
setup(struct worker *w, const struct bt_workers_conf *conf,
    struct bt_listen *listen, struct bt_err *err)
{
	struct timeval tick = { .tv_sec = (time_t)(conf->tick_ms / 1000),
		.tv_usec = (suseconds_t)(conf->tick_ms % 1000 * 1000) };
	const struct bt_service_conf *sc = bt_service_conf_of(conf->service);
	int fd;

	bt_clerk_init(
	    &w->clerk, sc->numwant_max, sc->gate, conf->seeds[w->number]);
	w->stats = conf->http.stats;
	w->clerk.record = conf->http.record;
	w->clerk.tally = bt_stats_tally_of(w->stats, w->number);
	w->base = base_new();
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->base == NULL || w->wake_fd == -1)
		return bt_err_code(
		    err, BT_ENET, errno, "cannot start a worker");
	w->service = conf->service;
	w->http = bt_http_new(w->base, w->service, &w->clerk, &conf->http);
	w->udp = bt_udp_new(
	    w->base, w->service, &w->clerk, conf->http.proxy, conf->secret);
	w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	w->wake = event_new(w->base, w->wake_fd, EV_READ, on_wake, w);
	assert(w->tick != NULL);
	assert(w->wake != NULL);
	event_add(w->tick, &tick);
	event_add(w->wake, NULL);
	for (size_t i = 0; i < listen->n; i++) {
		fd = bt_listen_take(listen, i, w->number);
		if (listen->places[i].kind == BT_LISTEN_UDP)
			bt_udp_listen(w->udp, fd);
		else
			bt_http_listen(w->http, fd,
			    listen->places[i].kind == BT_LISTEN_HTTPS,
			    stats_at(listen, i));
	}
	return 0;
}

static void
cleanup(struct worker *w)
{
	if (w->tick != NULL)
		event_free(w->tick);
	if (w->wake != NULL)
		event_free(w->wake);
	bt_http_free(w->http);
	bt_udp_free(w->udp);
	if (w->base != NULL)
		event_base_free(w->base);
	if (w->wake_fd != -1)
		close(w->wake_fd);
	bt_clerk_fini(&w->clerk);
}

int
bt_workers_start(struct bt_workers **out, const struct bt_workers_conf *conf,
    struct bt_listen *listen, struct bt_err *err)
{
	struct bt_workers *ws = bt_mem_zero(1, sizeof(*ws));
	struct worker *w;
	int code;

	ws->each = bt_mem_zero(conf->n, sizeof(*ws->each));
	for (; ws->n < conf->n; ws->n++) {
		w = &ws->each[ws->n];
		w->number = ws->n;
		w->wake_fd = -1;
		if (setup(w, conf, listen, err) == -1) {
			ws->n++;
			goto fail;
		}
	}
	for (unsigned i = 0; i < ws->n; i++) {
		w = &ws->each[i];
		code = pthread_create(&w->thread, NULL, run, w);
		if (code != 0) {
			bt_err_code(
			    err, BT_ENET, code, "cannot start a worker");
			goto fail;
		}
		w->running = true;
	}
	*out = ws;
	return 0;
fail:
	bt_workers_stop(ws);
	return -1;
}

void
bt_workers_stop(struct bt_workers *ws)
{
	static const uint64_t one = 1;
	ssize_t n;

	for (unsigned i = 0; i < ws->n; i++) {
		if (!ws->each[i].running)
			continue;
		n = write(ws->each[i].wake_fd, &one, sizeof(one));
		assert(n == sizeof(one));
	}
	for (unsigned i = 0; i < ws->n; i++)
		if (ws->each[i].running)
			pthread_join(ws->each[i].thread, NULL);
	for (unsigned i = 0; i < ws->n; i++)
		cleanup(&ws->each[i]);
	bt_mem_free(ws->each);
	bt_mem_free(ws);
}
