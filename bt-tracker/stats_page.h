/*
 * stats_page - what stats.h knows, for people and for programs.
 *
 * 1. The page has no script and loads nothing: it asks the browser to fetch it
 *    anew every five seconds, and is light or dark as the browser is.
 * 2. Whatever comes from outside the program is a number or hex.
 * Each adds to out, and returns 0, or -1 where out has no room for it.
 * Pure.
 *
 * Speaks   HTML 5, RFC 8259 (JSON), Prometheus text format 0.0.4
 * Used by  bt-tracker/reply.c
 * Tests    tests/unit/test_tracker_stats_page.c,
 *          tests/e2e/bt-tracker-stats.bats
 */
#ifndef BT_TRACKER_STATS_PAGE_H
#define BT_TRACKER_STATS_PAGE_H

#include "base/buf.h"
#include "stats.h"

int	bt_stats_page_html(const struct bt_stats_now *now,
	    struct bt_buf *out);
int	bt_stats_page_json(const struct bt_stats_now *now,
	    struct bt_buf *out);
int	bt_stats_page_metrics(const struct bt_stats_now *now,
	    struct bt_buf *out);

#endif
