/*
 * log - where a module says what it saw, without knowing who listens.
 *
 * A sink is a value that its owner passes down; there is no global one. A
 * message below the sink's level costs one comparison.
 * Pure: the sink's function prints, not this.
 *
 * Used by  core/torrent, net
 * Tests    tests/unit/test_log.c
 */
#ifndef BT_BASE_LOG_H
#define BT_BASE_LOG_H

#include <stdarg.h>

enum bt_log_level {
	BT_LOG_ERROR,	/* always shown, unless -q */
	BT_LOG_WARN,	/* always shown, unless -q */
	BT_LOG_INFO,	/* -v */
	BT_LOG_DEBUG	/* -vv */
};

struct bt_log {
	enum bt_log_level level;	/* messages above it are dropped */
	void (*put)(void *arg, enum bt_log_level level, const char *text);
	void *arg;
};

/* log may be NULL. Control bytes are written \xNN. */
void	bt_log_put(const struct bt_log *log, enum bt_log_level level,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
