/*
 * worker - one thread, one loop, one front of each kind; one worker a core.
 *
 * Workers share the service and nothing else. To stop, each one closes what it
 * listens on and who waits for nothing, and gives those who are still to take
 * a reply a second.
 * Touches: threads, sockets.
 *
 * Used by  bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker.bats
 */
#ifndef BT_TRACKER_WORKER_H
#define BT_TRACKER_WORKER_H

#include "http.h"
#include "listen.h"
#include "service.h"

struct bt_workers;

struct bt_workers_conf {
	unsigned n;
	struct bt_service *service;
	struct bt_http_conf http;	/* for each worker */
	uint64_t tick_ms;		/* between sweeps */
	const uint8_t *secret;		/* 16 bytes: connection ids */
	const uint64_t *seeds;		/* one for each worker */
};

/* gives *out: they run. Takes the sockets of `listen`. 0 or -1. */
int	bt_workers_start(struct bt_workers **out,
	    const struct bt_workers_conf *conf, struct bt_listen *listen,
	    struct bt_err *err);
/* Stop them, wait for their end, and free all. */
void	bt_workers_stop(struct bt_workers *w);

#endif
