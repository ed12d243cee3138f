/*
 * holes - pieces that cannot be there, since their files have a hole in place.
 *
 * A file just begun is one large hole, and hashing zeros takes as long as hashing
 * data. A piece that is of zeros may be in a hole all the same. A file system
 * that knows no holes says that all is data.
 * Touches: files.
 *
 * Used by  disk/resume
 * Tests    tests/unit/test_disk_resume.c
 */
#ifndef BT_DISK_HOLES_H
#define BT_DISK_HOLES_H

#include "disk/files.h"

/* Drop from check what lies wholly in a hole of one of these files. */
void	bt_holes_skip(const struct bt_layout *l, struct bt_files *files,
	    const struct bt_bits *which, struct bt_bits *check);

#endif
