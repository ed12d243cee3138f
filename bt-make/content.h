/*
 * content - what a new torrent is made of: one file, or a folder's files.
 *
 * Files are in byte order of their full paths. Hidden files are in; symbolic
 * links inside the folder, devices, sockets and pipes are not. PATH itself may
 * be a symbolic link.
 * Touches: files.
 *
 * Used by  bt-make/main.c
 * Tests    tests/e2e/bt-make.bats
 */
#ifndef BT_MAKE_CONTENT_H
#define BT_MAKE_CONTENT_H

#include <sys/stat.h>

#include "codec/metawrite.h"
#include "disk/author.h"

#define CONTENT_APART_MAX 2	/* the output by -o, and stdout */

struct content_conf {
	const char **globs;	/* left out: by path beneath PATH, or by name */
	size_t nglobs;
	struct stat apart[CONTENT_APART_MAX];	/* our own output, left out */
	size_t napart;
};

struct content {
	char *name;		/* what PATH is called */
	bool single;
	uint64_t size;		/* bytes of all files */
	size_t nfiles;
	struct bt_metawrite_file *files;
	struct bt_author_file *sources;	/* the same files, where they are */
	size_t passed_over;	/* links and special files, not in it */
	char *text;		/* what the paths point into */
};

/* gives *c, to be ended with content_fini(); conf is borrowed. 0 or -1. */
int	content_scan(struct content *c, const char *path,
	    const struct content_conf *conf, struct bt_err *err);
void	content_fini(struct content *c);

#endif
