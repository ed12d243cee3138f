/* files_fd - which store holds a file, and its descriptor. */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/beneath.h"
#include "disk/files_priv.h"

#define RESERVE_FROM ((uint64_t)1 << 20) /* below, a call is not worth it */
#define NOT_REGULAR EBADFD		 /* an errno that open() never sets */

int
bt_files_fail_open(struct bt_files *f, uint32_t file, enum bt_store_state state,
    struct bt_err *err)
{
	int code = errno;
	char *path = bt_files_shown(f, file, state);

	switch (code) {
	case ELOOP:
		bt_err_set(err, BT_EFILE,
		    "cannot open '%s': a symbolic link is in the way", path);
		break;
	case EXDEV:
		bt_err_set(err, BT_EFILE,
		    "cannot open '%s': it leads out of '%s'", path, f->base);
		break;
	case ENXIO:
	case NOT_REGULAR:
		bt_err_set(err, BT_EFILE,
		    "cannot open '%s': not a regular file", path);
		break;
	default:
		bt_err_code(err, code == ENOENT ? BT_EMISMATCH : BT_EFILE, code,
		    "cannot open '%s'", path);
		break;
	}
	bt_mem_free(path);
	errno = code;
	return -1;
}

/* Anything but a regular file is closed and told by errno. */
static int
regular_only(int fd)
{
	struct stat st;
	int code;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (S_ISREG(st.st_mode))
			return fd;
		errno = S_ISDIR(st.st_mode)   ? EISDIR
			: S_ISLNK(st.st_mode) ? ELOOP /* by O_PATH */
					      : NOT_REGULAR;
	}
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

int
bt_files_open_state(
    struct bt_files *f, uint32_t file, enum bt_store_state state, int flags)
{
	const char *leaf;
	int dir, at, fd, code;
	char *path = bt_files_where(f, file, state, &dir);

	if (f->mode == BT_FILES_READ && file == f->only) {
		/* the user named it: a link is what the user wants read */
		fd = openat(
		    dir, path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	} else if ((flags & O_CREAT) == 0) {
		fd = bt_beneath_open(dir, path, flags, 0);
	} else {
		at = bt_beneath_parent(dir, path, true, &leaf);
		fd = -1;
		if (at != -1) {
			fd = bt_beneath_open(at, leaf, flags, 0666);
			code = errno;
			close(at);
			errno = code;
		}
	}
	fd = regular_only(fd);
	code = errno;
	bt_mem_free(path);
	errno = code;
	return fd;
}

/* Its size if it is there, -1 with errno ENOENT if not, or another errno. */
static int64_t
size_of(struct bt_files *f, uint32_t file, enum bt_store_state state)
{
	struct stat st;
	int fd = bt_files_open_state(f, file, state, O_PATH);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		st.st_size = 0;
	close(fd);
	return st.st_size;
}

int
bt_files_look(struct bt_files *f, uint32_t file)
{
	bool selected = bt_files_is_selected(f, file);
	uint64_t want = bt_filetab_size(f->layout->files, file);
	int64_t size;

	if (f->mode == BT_FILES_READ)
		return BT_STORE_FINAL;
	size = size_of(f, file, BT_STORE_FINAL);
	if (size >= 0 && (selected || (uint64_t)size == want))
		return BT_STORE_FINAL;
	if (size == -1 && errno != ENOENT && selected)
		return -1;
	size = size_of(f, file, BT_STORE_PART);
	if (size >= 0)
		return BT_STORE_PART;
	if (!selected)
		return BT_STORE_SIDE; /* whatever else has the name */
	return errno == ENOENT ? BT_STORE_UNKNOWN : -1;
}

/*
 * The store that holds file's bytes, looked for if it is not known: with make,
 * one is chosen for a file that is not there yet. -1: errno. Locked.
 */
static int64_t
store_of(struct bt_files *f, uint32_t file, bool make)
{
	struct bt_store *s = &f->stores[file];
	int found;

	if (f->anonymous)
		return f->layout->files->n;
	if (s->state == BT_STORE_UNKNOWN) {
		pthread_mutex_unlock(&f->opened->lock);
		found = bt_files_look(f, file);
		pthread_mutex_lock(&f->opened->lock);
		if (found == -1)
			return -1;
		if (s->state == BT_STORE_UNKNOWN)
			s->state = (uint8_t)found;
	}
	if (s->state == BT_STORE_UNKNOWN) {
		if (!make) {
			errno = ENOENT;
			return -1;
		}
		s->state = BT_STORE_PART;
	}
	return s->state == BT_STORE_SIDE ? f->layout->files->n : file;
}

/* A file that has no name, for what is not to be seen. */
static int
open_nameless(struct bt_files *f)
{
	int fd, code;

	fd = openat(f->root_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR &&
			    errno != EINVAL && errno != ENOENT))
		return fd;
	/* this file system has no O_TMPFILE */
	fd = openat(f->root_fd, f->side_name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1 && unlinkat(f->root_fd, f->side_name, 0) == -1) {
		code = errno;
		close(fd);
		errno = code;
		return -1;
	}
	return fd;
}

/*
 * Where it is a note in the file system's books, as in ext4 and XFS, the whole
 * file's room is taken at once: the blocks lie together, and a write costs a
 * quarter less than one that has to find its own. Elsewhere it may cost more
 * than it gives (tmpfs would allocate the pages, btrfs copies on write anyhow).
 * The size grows with what is written, as ever. Where there is not room for all
 * of it none is taken: others need what is left. Failure is for the write to
 * tell.
 */
static void
reserve(int fd, uint64_t size)
{
	struct statfs fs;
	struct stat st;
	uint64_t there;

	if (size < RESERVE_FROM || fstat(fd, &st) == -1)
		return;
	there = (uint64_t)st.st_blocks * 512; /* stat(3) */
	if (there >= size || fstatfs(fd, &fs) == -1 ||
	    (fs.f_type != EXT4_SUPER_MAGIC && fs.f_type != XFS_SUPER_MAGIC) ||
	    fs.f_bsize <= 0 ||
	    fs.f_bavail < (size - there) / (uint64_t)fs.f_bsize + 1)
		return;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == -1)
		(void)!ftruncate(fd, st.st_size); /* what it got goes back */
}

static int
open_store(struct bt_files *f, uint32_t store, uint32_t file,
    enum bt_store_state state, bool make)
{
	int fd;

	if (store == f->layout->files->n && f->anonymous)
		return open_nameless(f);
	if (store == f->layout->files->n)
		state = BT_STORE_SIDE;
	if (state == BT_STORE_FINAL)
		return bt_files_open_state(f, file, state, O_RDONLY);
	fd = bt_files_open_state(f, file, state, O_RDWR | (make ? O_CREAT : 0));
	if (fd != -1 && make && state == BT_STORE_PART)
		reserve(fd, bt_filetab_size(f->layout->files, file));
	return fd;
}

static int64_t
changed_ns(const struct stat *st)
{
	int64_t ns =
	    (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;

	return ns == 0 ? 1 : ns;
}

/* READ: what is served is what was checked, so note when it was changed. */
static void
note_time(struct bt_files *f, uint32_t store, int fd)
{
	struct stat st;

	if (f->mode == BT_FILES_READ && f->since_ns[store] == 0 &&
	    fstat(fd, &st) == 0)
		f->since_ns[store] = changed_ns(&st);
}

bool
bt_files_is_same(struct bt_files *f, const struct bt_files_ref *ref)
{
	struct stat st;

	/* written once, before it was lent for the first time */
	return f->mode != BT_FILES_READ ||
	       (fstat(ref->fd, &st) == 0 && st.st_nlink > 0 &&
		   f->since_ns[ref->store] == changed_ns(&st));
}

struct bt_open_file *
bt_files_entry(const struct bt_files *f, uint32_t store)
{
	uint32_t entry = f->stores[store].entry;

	return entry == 0 ? NULL : &f->opened->entries[entry - 1];
}

/* Close a descriptor that nobody uses, for want of others. Locked. */
static bool
give_one_up(struct bt_files *f)
{
	struct bt_open_file *e;

	TAILQ_FOREACH(e, &f->opened->idle, idle)
	if (e->fd != -1) {
		close(bt_opened_vacate(f->opened, e));
		return true;
	}
	return false;
}

/*
 * Open a store into an entry claimed for it. The lock is left while the file
 * system works: others that want this store wait, the rest go on.
 */
static int
fill_entry(struct bt_files *f, struct bt_open_file *e, uint32_t store,
    uint32_t file, bool make)
{
	enum bt_store_state state = f->stores[file].state;
	int fd, code, old = bt_opened_vacate(f->opened, e);
	bool again;

	bt_opened_hold(f->opened, e);
	e->store = store;
	e->owner = f;
	f->stores[store].entry = (uint32_t)(e - f->opened->entries) + 1;
	f->stores[store].no_nowait = false;
	pthread_mutex_unlock(&f->opened->lock);
	if (old != -1)
		close(old);
	if (f->mode == BT_FILES_READ)
		state = BT_STORE_FINAL;
	do {
		fd = open_store(f, store, file, state, make);
		code = errno;
		pthread_mutex_lock(&f->opened->lock);
		again = fd == -1 && (code == EMFILE || code == ENFILE) &&
			give_one_up(f);
		if (again)
			pthread_mutex_unlock(&f->opened->lock);
	} while (again);
	e->fd = fd;
	if (fd != -1)
		note_time(f, store, fd);
	if (fd == -1) {
		bt_opened_vacate(f->opened, e);
		bt_opened_drop(f->opened, e);
	} else if (f->anonymous) {
		/* never closed before the end: it has no name */
		bt_opened_hold(f->opened, e);
	}
	pthread_cond_broadcast(&f->opened->changed);
	errno = code;
	return fd == -1 ? -1 : 0;
}

static void
lend(
    struct bt_files *f, uint32_t store, uint32_t file, struct bt_files_ref *ref)
{
	const struct bt_open_file *e = bt_files_entry(f, store);
	bool own = store != f->layout->files->n;

	*ref = (struct bt_files_ref){
		.fd = e->fd,
		.entry = (uint32_t)(e - f->opened->entries),
		.store = store,
		.base = own ? 0 : f->layout->files->at[file].offset,
		.is_final = own && f->mode == BT_FILES_WRITE &&
			    f->stores[file].state == BT_STORE_FINAL,
	};
}

/* Locked. Waits while another opens the store, or all entries are used. */
static int
get(struct bt_files *f, uint32_t file, bool make, struct bt_files_ref *ref)
{
	struct bt_open_file *e;
	int64_t store;

	for (;;) {
		if (f->mode == BT_FILES_READ)
			store = file;
		else
			store = store_of(f, file, make);
		if (store == -1)
			return -1;
		e = bt_files_entry(f, (uint32_t)store);
		if (e != NULL && e->fd != -1) {
			bt_opened_hold(f->opened, e);
			break;
		}
		e = e == NULL ? bt_opened_next(f->opened) : NULL;
		if (e == NULL) {
			pthread_cond_wait(
			    &f->opened->changed, &f->opened->lock);
			continue;
		}
		if (fill_entry(f, e, (uint32_t)store, file, make) == -1)
			return -1;
		break;
	}
	lend(f, (uint32_t)store, file, ref);
	return 0;
}

int
bt_files_get(struct bt_files *f, uint32_t file, bool make,
    struct bt_files_ref *ref, struct bt_err *err)
{
	enum bt_store_state state;
	int rc, code;

	assert(file < f->layout->files->n);
	pthread_mutex_lock(&f->opened->lock);
	rc = get(f, file, make, ref);
	code = errno;
	state = f->stores[file].state;
	pthread_mutex_unlock(&f->opened->lock);
	errno = code;
	if (rc == -1)
		bt_files_fail_open(f, file, state, err);
	return rc;
}

bool
bt_files_get_open(struct bt_files *f, uint32_t file, struct bt_files_ref *ref)
{
	const struct bt_store *s = &f->stores[file];
	struct bt_open_file *e;
	uint32_t store = file;
	bool ok;

	assert(file < f->layout->files->n);
	pthread_mutex_lock(&f->opened->lock);
	if (f->anonymous || s->state == BT_STORE_SIDE)
		store = f->layout->files->n;
	e = bt_files_entry(f, store);
	ok = e != NULL && e->fd != -1 && !f->stores[store].no_nowait;
	if (ok) {
		bt_opened_hold(f->opened, e);
		lend(f, store, file, ref);
	}
	pthread_mutex_unlock(&f->opened->lock);
	return ok;
}

void
bt_files_put(struct bt_files *f, const struct bt_files_ref *ref)
{
	struct bt_open_file *e = &f->opened->entries[ref->entry];

	pthread_mutex_lock(&f->opened->lock);
	assert(e->refs > 0);
	assert(e->fd == ref->fd);
	if (ref->wrote) {
		f->stores[ref->store].unsynced = true;
		f->stores[ref->store].settled = false;
	}
	bt_opened_drop(f->opened, e);
	pthread_mutex_unlock(&f->opened->lock);
}
