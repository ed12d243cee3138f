/*
 * walk - the files beneath a folder, in byte order.
 *
 * Regular files only; hidden ones included; symlinks are not followed, so it
 * cannot loop. What cannot be looked at is an error, or, where `lenient` is set,
 * is counted and passed over: what may not be read, vanishes, or is too deep.
 * Depth and count are capped by codec/metainfo's limits. Order is of the bytes
 * of the whole path, components compared one by one.
 * Touches: files.
 *
 * Used by  bt-make, bt-info
 * Tests    tests/unit/test_disk_walk.c
 */
#ifndef BT_DISK_WALK_H
#define BT_DISK_WALK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_walk_file {
	char *path;	/* relative to the root, '/' between components */
	uint64_t size;
	bool executable;
};
struct bt_walk {
	struct bt_walk_file *files;
	size_t n;
	size_t passed_over;	/* links, devices, ...; not what skip left out */
	size_t unseen;	/* lenient: could not be looked at */
};

/* skip may be NULL; true leaves a path (file, or folder with all) out. */
int	bt_walk_run(struct bt_walk *w, const char *root, bool lenient,
	    bool (*skip)(void *arg, const char *path, bool is_dir), void *arg,
	    struct bt_err *err);
void	bt_walk_fini(struct bt_walk *w);

#endif
