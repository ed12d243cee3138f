/*
 * resume - what of a download is on disk, kept across stops and kills.
 *
 * The rules
 * 1. State is ROOT/.NAME.<8 hex of the info-hash>.bt (NAME is the torrent's, or
 *    that of the one file that is wanted): have bits, and each
 *    file's state, size and time when they were written. It is replaced
 *    atomically (write beside, rename) and removed when all is whole.
 * 2. Data is written before state says so; state that says less is fine. What
 *    a power cut may have undone (this is another boot, and the state has no
 *    clean mark) is hashed again: the pieces since the last sync, and all of a
 *    file that was changed before that sync or BT_RESUME_LATE_S after the save.
 *    Once a sync has failed, state says no more than the last good one did: the
 *    kernel may have dropped the rest, and a read now may still give it.
 * 3. What state says is believed only if the files still have their sizes and
 *    times; where they differ, the pieces they hold are hashed again. A save
 *    amid writes does not vouch for a file written in the last seconds: more
 *    may be in it than is known, under the same time.
 * 4. A lock (flock on ROOT/.NAME.lock) keeps a second download off the same
 *    output, also one of another torrent: BT_EFILE. It ends with the process;
 *    its file with close.
 * 5. A state file from elsewhere is data from outside: lengths, info-hash and
 *    checksum are verified before anything is believed, and one that fails is
 *    no state. One that is no regular file is BT_EFILE.
 * NAME is cut to fit NAME_MAX. The side file of disk/files lies beside it.
 * Touches: files.
 *
 * Used by  bt-get
 * Tests    tests/unit/test_disk_resume.c, test_disk_resume_state.c,
 *          test_disk_resume_sync.c; tests/e2e/faults.bats
 */
#ifndef BT_DISK_RESUME_H
#define BT_DISK_RESUME_H

#include "disk/files.h"

#define BT_RESUME_LATE_S 15 /* saves come sooner than that while we write */

struct bt_resume;

/*
 * gives *out with the lock taken; ROOT must be there. leaf is the name in ROOT
 * of the one file that is wanted, or NULL: all have their own. 0 or -1.
 */
int	bt_resume_open(struct bt_resume **out, const char *root,
	    const struct bt_layout *layout, const char *leaf,
	    struct bt_err *err);
/* Ends the lock and removes its file; the state stays. */
void	bt_resume_close(struct bt_resume *r);
/*
 * Read the state: have receives the pieces believed, check those to be hashed
 * (all that lie in files present but not vouched for, and not in their holes).
 * Both have `pieces` bits. No state is no error. 0 or -1.
 */
int	bt_resume_load(struct bt_resume *r, struct bt_files *files,
	    struct bt_bits *have, struct bt_bits *check, struct bt_err *err);
/*
 * at_rest: no write is under way, and have knows of all. Also with
 * bt_files_sync() before it, at the end. 0 or -1.
 */
int	bt_resume_save(struct bt_resume *r, struct bt_files *files,
	    const struct bt_bits *have, bool at_rest, struct bt_err *err);
/*
 * Around bt_files_sync(), which may run on another thread between the two: what
 * is had when it begins is on the disk if it ends well. Told by the next save.
 */
int	bt_resume_sync_begin(struct bt_resume *r, struct bt_files *files,
	    const struct bt_bits *have, struct bt_err *err);
void	bt_resume_sync_end(struct bt_resume *r, bool ok);
/* All is whole: remove the state. Close comes after it. */
void	bt_resume_remove(struct bt_resume *r);

#endif
