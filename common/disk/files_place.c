/* files_place - finish, adopt, make, look at and sync a torrent's files. */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/beneath.h"
#include "disk/files_priv.h"

static void
set_state(struct bt_files *f, uint32_t file, enum bt_store_state state)
{
	pthread_mutex_lock(&f->opened->lock);
	f->stores[file].state = (uint8_t)state;
	f->stores[file].settled = false;
	pthread_mutex_unlock(&f->opened->lock);
}

static void
unsettle(struct bt_files *f, uint32_t store)
{
	pthread_mutex_lock(&f->opened->lock);
	f->stores[store].settled = false;
	pthread_mutex_unlock(&f->opened->lock);
}

static enum bt_store_state
state_of(struct bt_files *f, uint32_t file)
{
	enum bt_store_state state;

	pthread_mutex_lock(&f->opened->lock);
	state = f->stores[file].state;
	pthread_mutex_unlock(&f->opened->lock);
	return state;
}

/* Which of its stores a file has now, looking if it is not known. -1: error */
static int
find_state(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	int state = (int)state_of(f, file);

	if (state != BT_STORE_UNKNOWN && f->mode == BT_FILES_WRITE)
		return state;
	state = bt_files_look(f, file);
	if (state == -1)
		return bt_files_fail_open(f, file, BT_STORE_FINAL, err);
	if (state != BT_STORE_UNKNOWN)
		set_state(f, file, (enum bt_store_state)state);
	return state;
}

/* Give file's store the name it has in another state. -1: errno */
static int
rename_to(struct bt_files *f, uint32_t file, enum bt_store_state from,
    enum bt_store_state to)
{
	const char *old_leaf, *new_leaf;
	char *old_path, *new_path;
	int dir, at, rc = -1, code;

	old_path = bt_files_where(f, file, from, &dir);
	new_path = bt_files_where(f, file, to, &dir);
	at = bt_beneath_parent(dir, old_path, false, &old_leaf);
	if (at != -1) {
		new_leaf = new_path + (old_leaf - old_path);
		if (to == BT_STORE_FINAL)
			rc = bt_beneath_rename_new(at, old_leaf, new_leaf);
		else
			rc = renameat(at, old_leaf, at, new_leaf);
		code = errno;
		close(at);
		errno = code;
	}
	code = errno;
	bt_mem_free(old_path);
	bt_mem_free(new_path);
	errno = code;
	return rc;
}

/*
 * As large as the torrent says, and executable for whom it is readable where
 * attr 'x' says so: thus the umask counts. A file that was adopted may have
 * been larger.
 */
static int
set_shape(int fd, const struct bt_file *file)
{
	struct stat st;
	mode_t mode;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size > file->size &&
	    ftruncate(fd, (off_t)file->size) == -1)
		return -1;
	mode = st.st_mode & 07777;
	if ((file->attr & BT_META_EXEC) != 0 &&
	    fchmod(fd, mode | (mode & 0444) >> 2) == -1)
		return -1;
	return 0;
}

static int
fail_final(
    struct bt_files *f, uint32_t file, const char *what, struct bt_err *err)
{
	int code = errno;
	char *path = bt_files_path(f, file);

	bt_err_code(err, BT_EFILE, code, "cannot %s '%s'", what, path);
	bt_mem_free(path);
	return -1;
}

/* What lay there held the right bytes; it may hold more. */
static int
expect_size(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	struct bt_files_stat st;
	char *path;

	if (bt_files_stat(f, file, &st, err) == -1)
		return -1;
	if (st.size == bt_filetab_size(f->layout->files, file))
		return 0;
	path = bt_files_path(f, file);
	bt_err_set(err, BT_EFILE, "'%s' exists with other content", path);
	bt_mem_free(path);
	return -1;
}

int
bt_files_finish(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	const struct bt_file l = bt_filetab_get(f->layout->files, file);
	struct bt_files_ref ref;
	int state, rc, code;

	assert(f->mode == BT_FILES_WRITE);
	assert(file < f->layout->files->n);
	if (f->anonymous || l.size == 0 || (l.attr & BT_META_PAD) != 0)
		return 0;
	state = find_state(f, file, err);
	if (state == -1)
		return -1;
	if (state == BT_STORE_SIDE)
		return 0;
	if (state == BT_STORE_FINAL)
		return expect_size(f, file, err);
	if (bt_files_get(f, file, false, &ref, err) == -1)
		return -1;
	/*
	 * While we hold the descriptor nobody opens the file anew, so none
	 * looks for the old name after it is gone.
	 */
	ref.wrote = true;
	rc = set_shape(ref.fd, &l);
	if (rc == 0)
		rc = rename_to(f, file, BT_STORE_PART, BT_STORE_FINAL);
	if (rc == 0)
		set_state(f, file, BT_STORE_FINAL);
	code = errno;
	bt_files_put(f, &ref);
	errno = code;
	if (rc == -1)
		return fail_final(f, file, "finish", err);
	return 0;
}

/* Close a file's descriptor once nobody uses it. */
static void
forget_fd(struct bt_files *f, uint32_t store)
{
	struct bt_open_file *e;
	int fd = -1;

	pthread_mutex_lock(&f->opened->lock);
	while ((e = bt_files_entry(f, store)) != NULL) {
		if (e->refs > 0) {
			pthread_cond_wait(
			    &f->opened->changed, &f->opened->lock);
			continue;
		}
		fd = bt_opened_vacate(f->opened, e);
	}
	pthread_mutex_unlock(&f->opened->lock);
	if (fd != -1)
		close(fd);
}

/* An empty file has no .part: what is there is made to be it. */
static int
empty_final(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	int fd =
	    bt_files_open_state(f, file, BT_STORE_FINAL, O_WRONLY | O_TRUNC);

	if (fd == -1)
		return bt_files_fail_open(f, file, BT_STORE_FINAL, err);
	close(fd);
	set_state(f, file, BT_STORE_FINAL);
	return 0;
}

int
bt_files_adopt(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	int state;

	assert(f->mode == BT_FILES_WRITE);
	assert(file < f->layout->files->n);
	if (f->anonymous || !bt_files_is_selected(f, file) ||
	    bt_files_is_pad(f, file))
		return 0;
	state = find_state(f, file, err);
	if (state == -1)
		return -1;
	if (state != BT_STORE_FINAL)
		return 0;
	if (bt_filetab_size(f->layout->files, file) == 0)
		return empty_final(f, file, err);
	forget_fd(f, file); /* it cannot be written */
	if (rename_to(f, file, BT_STORE_FINAL, BT_STORE_PART) == -1)
		return fail_final(f, file, "adopt", err);
	set_state(f, file, BT_STORE_PART);
	return 0;
}

static int
make_empty(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	const struct bt_file l = bt_filetab_get(f->layout->files, file);
	struct stat st;
	int fd, rc;

	fd = bt_files_open_state(f, file, BT_STORE_FINAL, O_WRONLY | O_CREAT);
	if (fd == -1)
		return bt_files_fail_open(f, file, BT_STORE_FINAL, err);
	rc = fstat(fd, &st);
	if (rc == 0 && st.st_size > 0) {
		errno = EEXIST;
		rc = -1;
	}
	if (rc == 0)
		rc = set_shape(fd, &l);
	if (rc == -1)
		fail_final(f, file, "make", err);
	close(fd);
	if (rc == 0)
		set_state(f, file, BT_STORE_FINAL);
	return rc;
}

int
bt_files_make_empty(struct bt_files *f, struct bt_err *err)
{
	const struct bt_layout *l = f->layout;

	assert(f->mode == BT_FILES_WRITE);
	if (f->anonymous)
		return 0;
	for (uint32_t i = 0; i < l->files->n; i++)
		if (bt_filetab_size(l->files, i) == 0 &&
		    bt_files_is_selected(f, i) &&
		    (l->files->at[i].attr & (BT_META_PAD | BT_META_LINK)) ==
			0 &&
		    make_empty(f, i, err) == -1)
			return -1;
	return 0;
}

/* Any file whose bytes are in that store, for bt_files_get(); or nfiles. */
static uint32_t
user_of(struct bt_files *f, uint32_t store)
{
	uint32_t n = f->layout->files->n;

	if (store < n)
		return store;
	for (uint32_t i = 0; i < n; i++)
		if (state_of(f, i) == BT_STORE_SIDE)
			return i;
	return n;
}

static int
sync_store(struct bt_files *f, uint32_t store, struct bt_err *err)
{
	uint32_t file = user_of(f, store);
	struct bt_files_ref ref;
	bool unsynced;
	int rc, code;

	pthread_mutex_lock(&f->opened->lock);
	unsynced = f->stores[store].unsynced;
	if (unsynced) /* what comes now sets it again */
		f->stores[store].unsynced = false;
	pthread_mutex_unlock(&f->opened->lock);
	if (!unsynced || file == f->layout->files->n)
		return 0;
	if (bt_files_get(f, file, false, &ref, err) == -1) {
		pthread_mutex_lock(&f->opened->lock);
		f->stores[store].unsynced = true;
		pthread_mutex_unlock(&f->opened->lock);
		return -1;
	}
	rc = fdatasync(ref.fd);
	code = errno;
	ref.wrote = rc == -1; /* still not on disk */
	bt_files_put(f, &ref);
	if (rc == -1) {
		pthread_mutex_lock(&f->opened->lock);
		f->sync_failed = true;
		pthread_mutex_unlock(&f->opened->lock);
	}
	errno = code;
	return rc == -1 ? fail_final(f, file, "sync", err) : 0;
}

static void
count_syncs(struct bt_files *f, int by)
{
	pthread_mutex_lock(&f->opened->lock);
	f->syncs = (unsigned)((int)f->syncs + by);
	pthread_mutex_unlock(&f->opened->lock);
}

int
bt_files_sync(struct bt_files *f, struct bt_err *err)
{
	int rc = 0;

	if (f->anonymous) /* nothing of it outlives us */
		return 0;
	count_syncs(f, 1);
	for (uint32_t i = 0; i <= f->layout->files->n && rc == 0; i++)
		rc = sync_store(f, i, err);
	count_syncs(f, -1);
	return rc;
}

bool
bt_files_is_synced(struct bt_files *f)
{
	bool synced;

	pthread_mutex_lock(&f->opened->lock);
	synced = !f->sync_failed && f->syncs == 0;
	for (uint32_t i = 0; i <= f->layout->files->n && synced; i++)
		synced = !f->stores[i].unsynced;
	pthread_mutex_unlock(&f->opened->lock);
	return synced;
}

bool
bt_files_has_lost(struct bt_files *f)
{
	bool lost;

	pthread_mutex_lock(&f->opened->lock);
	lost = f->sync_failed;
	pthread_mutex_unlock(&f->opened->lock);
	return lost;
}

void
bt_files_drop_side(struct bt_files *f)
{
	assert(f->mode == BT_FILES_WRITE);
	if (f->anonymous)
		return;
	forget_fd(f, f->layout->files->n);
	unlinkat(f->root_fd, f->side_name, 0); /* most often there is none */
	unsettle(f, f->layout->files->n);
}

bool
bt_files_has_changed(struct bt_files *f, uint32_t file, bool side)
{
	const struct bt_store *s = &f->stores[file];
	bool changed;

	pthread_mutex_lock(&f->opened->lock);
	changed = !s->settled || (side && s->state == BT_STORE_SIDE);
	pthread_mutex_unlock(&f->opened->lock);
	return changed;
}

/* Ask for a store's size and time; *out says ABSENT if nothing is there. */
static int
stat_store(struct bt_files *f, uint32_t file, enum bt_store_state state,
    struct bt_files_stat *out, struct bt_err *err)
{
	static const enum bt_files_state told[] = {
		[BT_STORE_PART] = BT_FILE_PART,
		[BT_STORE_FINAL] = BT_FILE_FINAL,
		[BT_STORE_SIDE] = BT_FILE_SIDE,
	};
	struct stat st;
	int fd = bt_files_open_state(f, file, state, O_PATH);

	*out = (struct bt_files_stat){ .state = BT_FILE_ABSENT };
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return bt_files_fail_open(f, file, state, err);
	if (fstat(fd, &st) == 0) {
		out->state = told[state];
		out->size = (uint64_t)st.st_size;
		out->allocated = (uint64_t)st.st_blocks * 512; /* stat(3) */
		out->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
				st.st_mtim.tv_nsec;
	}
	close(fd);
	return 0;
}

/* The side file is asked once, however many files' bytes lie there. */
static int
stat_side(struct bt_files *f, uint32_t file, struct bt_files_stat *out,
    struct bt_err *err)
{
	struct bt_store *s = &f->stores[f->layout->files->n];
	bool known;

	pthread_mutex_lock(&f->opened->lock);
	known = s->settled;
	if (known)
		*out = f->side;
	s->settled = true; /* before: a write meanwhile unsettles it again */
	pthread_mutex_unlock(&f->opened->lock);
	if (known)
		return 0;
	if (stat_store(f, file, BT_STORE_SIDE, out, err) == -1) {
		unsettle(f, f->layout->files->n);
		return -1;
	}
	pthread_mutex_lock(&f->opened->lock);
	f->side = *out;
	pthread_mutex_unlock(&f->opened->lock);
	return 0;
}

int
bt_files_stat(struct bt_files *f, uint32_t file, struct bt_files_stat *out,
    struct bt_err *err)
{
	int state;

	assert(file < f->layout->files->n);
	*out = (struct bt_files_stat){ .state = BT_FILE_ABSENT };
	/* of an empty file that nobody wants nothing is read or written */
	if (f->anonymous || bt_files_is_pad(f, file) ||
	    (bt_filetab_size(f->layout->files, file) == 0 &&
		!bt_files_is_selected(f, file)))
		return 0;
	state = find_state(f, file, err);
	if (state == -1)
		return -1;
	pthread_mutex_lock(&f->opened->lock);
	f->stores[file].settled = true;
	pthread_mutex_unlock(&f->opened->lock);
	if (state == BT_STORE_UNKNOWN)
		return 0;
	if (state == BT_STORE_SIDE)
		return stat_side(f, file, out, err);
	return stat_store(f, file, (enum bt_store_state)state, out, err);
}
