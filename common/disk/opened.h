/*
 * opened - the descriptors of all content of a process, few of them.
 *
 * 1. However many torrents there are, they have at most `max` files open: when
 *    one more is wanted the one that nobody used for longest is closed.
 * 2. A folder is opened once for all torrents in it.
 * 3. Its lock guards also what a bt_files has of its own.
 * A bt_files is given one that others share, or makes one for itself.
 * Touches: files.
 *
 * Used by  disk/files*.c; made by session/session
 * Tests    tests/unit/test_disk_opened.c, tests/e2e/scale.bats
 */
#ifndef BT_DISK_OPENED_H
#define BT_DISK_OPENED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"

#define BT_OPENED_MAX	1024u	/* by default; and fewer: an eighth of what */
#define BT_OPENED_MIN	4u	/* the process may have, but these */

struct bt_files;

struct bt_open_file {
	int fd;			/* -1: free, or being opened */
	uint32_t store;
	unsigned refs;		/* who use fd now; > 0 while being opened */
	struct bt_files *owner;	/* whose store names this entry; or NULL */
	TAILQ_ENTRY(bt_open_file) idle;	/* if refs is 0 */
};
TAILQ_HEAD(bt_open_list, bt_open_file);

struct bt_opened {
	pthread_mutex_t lock;
	pthread_cond_t changed;	/* an entry was released or opened */
	struct bt_open_file *entries;
	unsigned n;
	struct bt_open_list idle;	/* free ones, then the longest unused */
	struct bt_opened_folder {
		struct bt_opened_folder *next;
		int fd;
		unsigned refs;
		char *path;
	} *folders;
};

/* gives; max 0: the default */
struct bt_opened	*bt_opened_new(unsigned max);
/* All that used it is closed. */
void	bt_opened_free(struct bt_opened *o);

/* Locked: */
/* The entry to use next, its fd perhaps open still; NULL: all are in use. */
struct bt_open_file	*bt_opened_next(struct bt_opened *o);
/* Its store names it no more. Returns the descriptor to be closed, or -1. */
int	bt_opened_vacate(struct bt_opened *o, struct bt_open_file *e);
/* Is used from now on, by one more; and by one fewer. */
void	bt_opened_hold(struct bt_opened *o, struct bt_open_file *e);
void	bt_opened_drop(struct bt_opened *o, struct bt_open_file *e);

/* Not locked: */
/* O_PATH and borrowed until _leave(); -1: `cannot open '...'`. */
int	bt_opened_enter(struct bt_opened *o, const char *folder,
	    struct bt_err *err);
/* -1 is fine. */
void	bt_opened_leave(struct bt_opened *o, int fd);

#endif
