/*
 * beneath - open what lies under a folder, and never what does not.
 *
 * 1. A path with "..", "." or an empty component, or an absolute one, is
 *    refused with EXDEV before anything is touched.
 * 2. No symbolic link is followed, in the middle or at the end: ELOOP.
 * 3. What is opened is opened without waiting (a FIFO, a device) and closed on
 *    exec. Whether it is a regular file is the caller's to ask.
 * Touches: files.
 *
 * Used by  disk/files, disk/resume, disk/slurp
 * Tests    tests/unit/test_disk_beneath.c
 */
#ifndef BT_DISK_BENEATH_H
#define BT_DISK_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

/* Each gives a descriptor, or -1 with errno set; a rename gives 0. */
int	bt_beneath_open(int dir, const char *path, int flags, mode_t mode);
/* The way without openat2, for kernels that lack it: the same answers. */
int	bt_beneath_open_steps(int dir, const char *path, int flags,
	    mode_t mode);
/*
 * The folder that holds path's last component, which *leaf points to. With
 * `make`, folders that are missing are made.
 */
int	bt_beneath_parent(int dir, const char *path, bool make,
	    const char **leaf);
/* Rename `from` to `to`, both in dir (or AT_FDCWD), never over another file. */
int	bt_beneath_rename_new(int dir, const char *from, const char *to);

#endif
