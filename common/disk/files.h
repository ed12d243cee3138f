/*
 * files - a torrent's content on disk, beneath one folder.
 *
 * The rules
 * 1. Nothing outside the root is ever touched: every path is opened beneath it
 *    (openat2 RESOLVE_BENEATH and no symlinks; where the kernel lacks it,
 *    component by component with O_NOFOLLOW).
 * 2. While downloading, a file is PATH.part and becomes PATH when it is whole;
 *    never over an existing file. Empty files and folders are made. What lies
 *    at PATH already is read, and never written: bytes that are to be written
 *    there are compared, and an error if they differ.
 * 3. Padding is never written and reads as zeros.
 * 4. Files are sparse: nothing is allocated ahead.
 * 5. Bytes of files that are not selected but share a piece with a selected
 *    one go to one hidden side file, .NAME.<8 hex of info-hash>.side in root
 *    (where one file has a path of its own, its name is NAME here),
 *    unless such a file is there already (whole in size, or a .part).
 * 6. Open descriptors lie in a cache with a ceiling (disk/opened), which all
 *    torrents of a process may share. READ: a file that was changed or removed
 *    since it was first opened is read no more (BT_EMISMATCH). Reads and writes may come from several
 *    threads at once; everything else from one.
 * Touches: files.
 *
 * Used by  disk/jobs, disk/verify, disk/resume, net/send, bt-get, bt-seed
 * Tests    tests/unit/test_disk_files.c, test_disk_files_paths.c,
 *          test_disk_files_io.c
 */
#ifndef BT_DISK_FILES_H
#define BT_DISK_FILES_H

#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"
#include "core/layout.h"

struct bt_files;
struct bt_opened;

enum bt_files_mode {
	BT_FILES_READ,	/* content is there; missing files are errors on read */
	BT_FILES_WRITE	/* download: .part files, made as they are needed */
};

struct bt_files_conf {
	const struct bt_layout *layout;	/* borrowed for life */
	const char *root;	/* output folder, or the content's own parent */
	/*
	 * The content's own path in place of root/NAME (bt-seed's PATH): a file
	 * if the torrent has one, a folder else. NULL: by name.
	 */
	const char *content;
	/*
	 * WRITE: file number `only` has this path of its own (bt-get -o FILE),
	 * in a folder that is there; root is best that folder. NULL: none.
	 */
	const char *only_path;
	uint32_t only;
	enum bt_files_mode mode;
	const struct bt_bits *selected;	/* bits of nfiles; NULL: all */
	bool anonymous;		/* WRITE: unlinked temporary files in root */
	struct bt_opened *opened;	/* of rule 6, borrowed; NULL: its own */
};

/*
 * gives *out. READ: the content's file or folder must be there. WRITE takes no
 * lock and makes only root where it is missing, no file yet; a selected
 * symbolic link is refused (BT_EINPUT).
 */
int	bt_files_open(struct bt_files **out, const struct bt_files_conf *conf,
	    struct bt_err *err);
void	bt_files_close(struct bt_files *f);

/*
 * Read or write n bytes at offset of the whole content. 0 or -1; a file that
 * is missing or short is BT_EMISMATCH naming it, all else BT_EFILE. Thread
 * safe.
 */
int	bt_files_read(struct bt_files *f, uint64_t offset, uint8_t *to,
	    size_t n, struct bt_err *err);
int	bt_files_write(struct bt_files *f, uint64_t offset,
	    const uint8_t *from, size_t n, struct bt_err *err);
/*
 * Scatter from offset into iov only what is in the page cache, without
 * waiting. Returns bytes read, or -1 with errno EAGAIN (would wait, is not
 * open, is short, or this file system cannot say: read it with a job) or
 * another errno. Crosses files where needed.
 */
ssize_t	bt_files_read_now(struct bt_files *f, uint64_t offset,
	    const struct iovec *iov, int iovcnt);

/* Every piece of this file is on disk: sync is not waited for; rename it. */
int	bt_files_finish(struct bt_files *f, uint32_t file, struct bt_err *err);
/* Make empty selected files and folders; once, when the download starts. */
int	bt_files_make_empty(struct bt_files *f, struct bt_err *err);
/* Flush what was written to the disk. */
int	bt_files_sync(struct bt_files *f, struct bt_err *err);
/* Remove the side file (rule 5); all is done. */
void	bt_files_drop_side(struct bt_files *f);

/* What is there now, of one file: which name, how large, when changed. */
enum bt_files_state {
	BT_FILE_ABSENT, BT_FILE_PART, BT_FILE_FINAL,
	BT_FILE_SIDE	/* rule 5; size and time are the side file's */
};
struct bt_files_stat {
	enum bt_files_state state;
	uint64_t size;
	uint64_t allocated;	/* bytes of the disk that it has */
	int64_t mtime_ns;
};
int	bt_files_stat(struct bt_files *f, uint32_t file,
	    struct bt_files_stat *st, struct bt_err *err);
/* gives where it is or will be for the user: its path joined to root */
char	*bt_files_path(const struct bt_files *f, uint32_t file);
/* WRITE with -f: turn a final file that is there back into .part. */
int	bt_files_adopt(struct bt_files *f, uint32_t file, struct bt_err *err);
/* Bytes free for us on the root's file system. */
int	bt_files_space(const struct bt_files *f, uint64_t *out,
	    struct bt_err *err);

#endif
