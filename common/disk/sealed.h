/*
 * sealed - a file that ends with the SHA-1 of all before, a part at a time.
 *
 * However long it is, no more of it is in memory than a part of 64 KiB. Read, it
 * is gone through twice: once for its digest, and then for what it says. Who
 * reads it sees to it that none of ours writes it meanwhile.
 * Touches: files.
 *
 * Used by  disk/resume
 * Tests    tests/unit/test_disk_sealed.c
 */
#ifndef BT_DISK_SEALED_H
#define BT_DISK_SEALED_H

#include "base/err.h"
#include "base/str.h"

struct bt_sealed;

/* gives *out, a new file at path. What is there already is an error. 0 or -1. */
int	bt_sealed_create(struct bt_sealed **out, const char *path,
	    struct bt_err *err);
/* What goes wrong is told in the end. */
void	bt_sealed_put(struct bt_sealed *s, struct bt_str bytes);
/* takes s. The digest is added; where not all could be written, nothing is left. */
int	bt_sealed_end(struct bt_sealed *s, struct bt_err *err);

/* gives NULL if path is no file of n bytes with the right digest at its end */
struct bt_sealed	*bt_sealed_open(const char *path, uint64_t n);
/* The next n bytes, from the beginning on. False: they are not to be had. */
bool	bt_sealed_take(struct bt_sealed *s, void *to, size_t n);
void	bt_sealed_close(struct bt_sealed *s);

#endif
