/*
 * slurp - a whole file or stream into memory, under a ceiling, and out of it.
 *
 * Touches: files.
 *
 * Used by  cli/input (handed in by main.c), disk/resume, disk/sealed, bt-tracker
 * Tests    tests/unit/test_disk_slurp.c
 */
#ifndef BT_DISK_SLURP_H
#define BT_DISK_SLURP_H

#include <time.h>

#include "base/buf.h"
#include "base/err.h"

/* Append all of it to out, whose ceiling bounds it. 0 or -1. */
int	bt_slurp_file(const char *path, struct bt_buf *out, struct bt_err *err);
int	bt_slurp_fd(int fd, const char *name, struct bt_buf *out,
	    struct bt_err *err);
/* Write all of data. 0 or -1. */
int	bt_slurp_put(int fd, const char *name, struct bt_str data,
	    struct bt_err *err);
/*
 * Write data to path by a temporary file beside it and rename. A symbolic link
 * is replaced and not followed; a device or a pipe is written into. mtime is the
 * new file's time of modification from the moment that it has its name; NULL is
 * now.
 */
int	bt_slurp_replace(const char *path, struct bt_str data, bool overwrite,
	    const struct timespec *mtime, struct bt_err *err);

#endif
