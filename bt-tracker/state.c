#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/coin.h"

#define OPEN_ALWAYS (O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct bt_state {
	char *path, *new_path, *lock_path, *damaged_path;
	int lock;
	bool there; /* there is a whole file */
	struct bt_saved_head head;
	char *damage;
	struct bt_buf frame; /* what is being written or read */
};

static uint64_t
wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
bt_state_close(struct bt_state *st)
{
	if (st == NULL)
		return;
	if (st->lock != -1) {
		unlink(st->lock_path);
		close(st->lock);
	}
	bt_mem_free(st->path);
	bt_mem_free(st->new_path);
	bt_mem_free(st->lock_path);
	bt_mem_free(st->damaged_path);
	bt_mem_free(st->damage);
	bt_buf_fini(&st->frame);
	bt_mem_free(st);
}

static bool
is_named(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * Whoever closes removes the file while it holds the lock: a lock on a file
 * that has no name any more locks nothing.
 */
static int
take_lock(struct bt_state *st, struct bt_err *err)
{
	int failed;

	for (;;) {
		st->lock = open(st->lock_path,
		    O_RDWR | O_CREAT | O_NOFOLLOW | OPEN_ALWAYS, 0600);
		if (st->lock == -1)
			return bt_err_sys(
			    err, "cannot write '%s'", st->lock_path);
		failed = flock(st->lock, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
		if (is_named(st->lock, st->lock_path) && failed != EINTR)
			break;
		close(st->lock);
	}
	if (failed == 0)
		return 0;
	close(st->lock);
	st->lock = -1;
	if (failed == EWOULDBLOCK)
		return bt_err_set(err, BT_EFILE,
		    "'%s' is in use by another bt-tracker", st->path);
	errno = failed;
	return bt_err_sys(err, "cannot lock '%s'", st->lock_path);
}

/* Bytes to the end of the frame buffer: what is there, less at the end. */
static int
fill(struct bt_state *st, int fd, struct bt_err *err)
{
	uint8_t *to;
	ssize_t n;

	while (st->frame.n < BT_SAVED_FRAME_MAX) {
		to = bt_buf_room(&st->frame, BT_SAVED_FRAME_MAX - st->frame.n);
		n = read(fd, to, BT_SAVED_FRAME_MAX - st->frame.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return bt_err_sys(err, "cannot read '%s'", st->path);
		if (n == 0)
			break;
		st->frame.n += (size_t)n;
	}
	return 0;
}

static bool
has_groups(struct bt_str groups)
{
	struct bt_rd r = bt_rd_of(groups);
	struct bt_saved_group g;
	int rc;

	while ((rc = bt_saved_group_get(&r, &g)) == 1)
		continue;
	return rc == 0;
}

/*
 * Go through the frames after the head, and take them in if s is not NULL.
 * -1 when reading fails, or there was no room.
 */
static int
read_frames(struct bt_state *st, int fd, struct bt_service *s,
    enum bt_saved_is *is, struct bt_err *err)
{
	uint64_t now = wall_ms(), number = 0;
	struct bt_saved_past past = { .tick_ms = st->head.tick_ms };
	struct bt_str groups;
	size_t took;
	int rc = 0;

	/* a clock that was set back tells nothing of how long it was */
	if (now > st->head.wall_ms)
		past.passed_ms = now - st->head.wall_ms;
	for (;; number++) {
		if (fill(st, fd, err) == -1)
			return -1;
		*is = bt_saved_frame_get(bt_buf_str(&st->frame), number,
		    st->head.key_secret, &groups, &took);
		if (*is != BT_SAVED_WHOLE)
			return rc;
		if (groups.n == 0)
			break;
		if (s == NULL && !has_groups(groups)) {
			*is = BT_SAVED_DAMAGED;
			return rc;
		}
		if (s != NULL &&
		    bt_service_restore(s, groups, &past, err) == -1)
			rc = -1;
		bt_buf_drop(&st->frame, took);
	}
	if (st->frame.n != took)
		*is = BT_SAVED_DAMAGED; /* nothing is to follow */
	return rc;
}

/* Read it all: the head, and then as read_frames(). */
static int
read_file(struct bt_state *st, int fd, struct bt_service *s,
    enum bt_saved_is *is, struct bt_err *err)
{
	bt_buf_clear(&st->frame);
	if (fill(st, fd, err) == -1)
		return -1;
	*is = bt_saved_head_get(bt_buf_str(&st->frame), &st->head);
	if (*is != BT_SAVED_WHOLE)
		return 0;
	bt_buf_drop(&st->frame, BT_SAVED_HEAD_LEN);
	return read_frames(st, fd, s, is, err);
}

/* -1 as fd where there is no file, or an empty one. */
static int
open_file(struct bt_state *st, int *fd, struct bt_err *err)
{
	struct stat sb;

	*fd = open(st->path, O_RDONLY | OPEN_ALWAYS);
	if (*fd == -1 && errno == ENOENT)
		return 0;
	if (*fd == -1)
		return bt_err_sys(err, "cannot open '%s'", st->path);
	if (fstat(*fd, &sb) == -1 || !S_ISREG(sb.st_mode)) {
		close(*fd);
		return bt_err_set(err, BT_EFILE,
		    "cannot use '%s': not a regular file", st->path);
	}
	if (sb.st_size == 0) {
		close(*fd);
		*fd = -1;
	}
	return 0;
}

/* Rule 3. */
static int
judge(struct bt_state *st, enum bt_saved_is is, struct bt_err *err)
{
	switch (is) {
	case BT_SAVED_WHOLE:
		st->there = true;
		return 0;
	case BT_SAVED_OTHER:
		return bt_err_set(err, BT_EINPUT,
		    "'%s' is no state file of bt-tracker", st->path);
	case BT_SAVED_LATER:
		return bt_err_set(err, BT_EINPUT,
		    "'%s' was written by a later bt-tracker", st->path);
	case BT_SAVED_CUT:
	case BT_SAVED_DAMAGED:
		break;
	}
	if (rename(st->path, st->damaged_path) == -1)
		return bt_err_sys(err, "cannot rename '%s'", st->path);
	st->damage = bt_mem_printf("'%s' %s: it is now '%s', and no swarms are "
				   "restored",
	    st->path, is == BT_SAVED_CUT ? "ends too early" : "is damaged",
	    st->damaged_path);
	return 0;
}

static int
look(struct bt_state *st, struct bt_err *err)
{
	enum bt_saved_is is;
	int fd, rc;

	if (open_file(st, &fd, err) == -1)
		return -1;
	if (fd == -1)
		return 0;
	rc = read_file(st, fd, NULL, &is, err);
	close(fd);
	return rc == -1 ? -1 : judge(st, is, err);
}

int
bt_state_open(struct bt_state **out, const char *path, const char **damage,
    struct bt_err *err)
{
	struct bt_state *st = bt_mem_zero(1, sizeof(*st));
	char real[PATH_MAX];
	struct stat sb;

	/* a link stays one, and what it names is replaced */
	if (lstat(path, &sb) == 0 && S_ISLNK(sb.st_mode) &&
	    realpath(path, real) != NULL)
		path = real;
	st->path = bt_mem_strdup(path);
	st->new_path = bt_mem_printf("%s.new", path);
	st->lock_path = bt_mem_printf("%s.lock", path);
	st->damaged_path = bt_mem_printf("%s.damaged", path);
	st->lock = -1;
	bt_buf_init(&st->frame, BT_SAVED_FRAME_MAX);
	if (take_lock(st, err) == -1 || look(st, err) == -1) {
		bt_state_close(st);
		return -1;
	}
	if (!st->there)
		bt_coin_fill(st->head.key_secret, sizeof(st->head.key_secret));
	*damage = st->damage;
	*out = st;
	return 0;
}

const uint8_t *
bt_state_key_secret(const struct bt_state *st)
{
	return st->head.key_secret;
}

int
bt_state_restore(struct bt_state *st, struct bt_service *s, struct bt_err *err)
{
	enum bt_saved_is is;
	int fd, rc;

	if (!st->there || open_file(st, &fd, err) == -1)
		return st->there ? -1 : 0;
	if (fd == -1)
		return 0;
	rc = read_file(st, fd, s, &is, err);
	close(fd);
	return rc;
}

static int
write_frame(int fd, const uint8_t *p, size_t n)
{
	ssize_t sent;

	for (; n > 0; p += sent, n -= (size_t)sent) {
		do
			sent = write(fd, p, n);
		while (sent == -1 && errno == EINTR);
		if (sent == -1)
			return -1;
	}
	return 0;
}

static int
write_all(struct bt_state *st, int fd, struct bt_service *s)
{
	struct bt_service_walk walk = { .shard = 0 };
	uint8_t head[BT_SAVED_HEAD_LEN];
	bool all = false, end = false;

	st->head.tick_ms = bt_service_tick_ms(s);
	st->head.wall_ms = wall_ms();
	bt_saved_head_put(head, &st->head);
	if (write_frame(fd, head, sizeof(head)) == -1)
		return -1;
	for (uint64_t number = 0; !end; number++) {
		bt_buf_clear(&st->frame);
		bt_saved_frame_begin(&st->frame, number);
		if (!all)
			all = bt_service_save(s, &walk, &st->frame);
		end = st->frame.n == BT_SAVED_FRAME_LEN;
		bt_saved_frame_seal(&st->frame, st->head.key_secret);
		if (write_frame(fd, st->frame.p, st->frame.n) == -1)
			return -1;
	}
	return 0;
}

/* The name is on disk too; where folders cannot be synced, it soon is. */
static void
sync_folder(const char *path)
{
	char *dir = bt_str_folder(path);
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		(void)!fsync(fd);
		close(fd);
	}
	bt_mem_free(dir);
}

int
bt_state_save(struct bt_state *st, struct bt_service *s, struct bt_err *err)
{
	int fd, rc;

	unlink(st->new_path); /* of one that was killed */
	fd = open(st->new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return bt_err_sys(err, "cannot write '%s'", st->new_path);
	rc = write_all(st, fd, s);
	if (rc == 0)
		rc = fsync(fd);
	if (rc == -1)
		bt_err_sys(err, "cannot write '%s'", st->new_path);
	if (close(fd) == -1 && rc == 0)
		rc = bt_err_sys(err, "cannot write '%s'", st->new_path);
	if (rc == 0 && rename(st->new_path, st->path) == -1)
		rc = bt_err_sys(err, "cannot write '%s'", st->path);
	if (rc == -1)
		unlink(st->new_path);
	else
		sync_folder(st->path);
	return rc;
}
