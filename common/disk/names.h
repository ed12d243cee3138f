/*
 * names - what the files that we make for ourselves are called.
 *
 * 1. Every name fits NAME_MAX (255 bytes), cut between UTF-8 characters.
 * 2. No name leads out of its folder, whatever the torrent's name holds.
 * Touches: nothing.
 *
 * Used by  disk/files, disk/resume
 * Tests    tests/unit/test_disk_names.c
 */
#ifndef BT_DISK_NAMES_H
#define BT_DISK_NAMES_H

#include "core/layout.h"

/*
 * What belongs to the output `name` in its folder (NULL: the torrent's own) is
 * ".name.<8 hex of the info-hash>.suffix", and the lock that whoever writes it
 * holds, of whatever torrent it is, ".name.lock". gives
 */
char	*bt_names_hidden(const struct bt_layout *l, const char *name,
	    const char *suffix);
char	*bt_names_lock(const struct bt_layout *l, const char *name);

/*
 * gives path with ".part" added; where that would be too long, or `numbered`,
 * with ".<8 hex or more of number>.part" added to as much of the name as fits.
 */
char	*bt_names_part(const char *path, uint64_t number, bool numbered);
/* Could it be another path's .part, or its own .part another's numbered one? */
bool	bt_names_is_like_part(const char *path);

#endif
