/*
 * options - what the command line asks for.
 *
 * The table that help, parsing, man page and completions agree on, the defaults,
 * and what cannot be together.
 * Touches: the environment (sockets of a service manager), stderr.
 *
 * Used by  bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker.bats, tests/lint/help.bats
 */
#ifndef BT_TRACKER_OPTIONS_H
#define BT_TRACKER_OPTIONS_H

#include "cli/options.h"
#include "http.h"
#include "listen.h"
#include "user.h"

#define BT_OPTIONS_CONNS_MAX	1000000u	/* some 400 bytes each when idle */

struct bt_options {
	struct bt_service_conf service;
	struct bt_http_conf http;
	struct bt_listen listen;
	struct bt_proxy proxy;
	const char *cert, *key;	/* or NULL */
	const char *lists[BT_GATE_COUNT];	/* files, or NULL */
	uint32_t conns_max;	/* 0: as many as descriptors allow */
	uint32_t conns_each;
	unsigned workers;
	const char *state, *admin;	/* or NULL */
	uint64_t state_every_ms;
	struct bt_user user;
	bool full_scrape;
	bool has_log, log_whole;
	const char *log;	/* a file, or NULL: stderr */
};

extern const struct bt_tool bt_options_tool;

/*
 * Read all options into o, whose place must not change; what is wrong is exit
 * 2.
 */
void	bt_options_read(struct bt_cli *cli, struct bt_options *o);

#endif
