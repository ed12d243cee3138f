#include "disk/verify.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "disk/files_priv.h"
#include "disk/sweep.h"

#define OPEN_MAX_HERE 8u /* files of a seat: 65 of them stay below 1024 */

struct check {
	struct bt_files *files;
	const struct bt_layout *layout;
	const struct bt_verify_progress *progress;
	struct bt_bits *good;
};

static int
check_read(void *arg, unsigned seat, uint64_t offset, uint8_t *to, size_t n,
    struct bt_err *err)
{
	const struct check *c = arg;

	(void)seat;
	return bt_files_read(c->files, offset, to, n, err);
}

static void
check_advise(void *arg, unsigned seat, uint64_t offset, uint64_t n)
{
	const struct check *c = arg;

	(void)seat;
	bt_files_advise(c->files, offset, n);
}

static bool
check_piece(void *arg, uint32_t piece, const uint8_t *sha1)
{
	const struct check *c = arg;
	bool good;

	good = sha1 != NULL &&
	       memcmp(sha1, bt_layout_hash(c->layout, piece), BT_SHA1_LEN) == 0;
	if (good)
		bt_bits_put(c->good, piece);
	else
		bt_bits_drop(c->good, piece);
	if (c->progress == NULL || c->progress->piece == NULL)
		return true;
	return c->progress->piece(c->progress->arg, piece, good);
}

int
bt_verify_run(struct bt_files *f, const struct bt_layout *l,
    const struct bt_bits *which, unsigned threads,
    const struct bt_verify_progress *progress, struct bt_bits *good,
    struct bt_err *err)
{
	struct check c = {
		.files = f, .layout = l, .progress = progress, .good = good
	};
	struct bt_sweep s = { .size = l->size,
		.piece_length = l->piece_length,
		.which = which,
		.threads = threads,
		.read = check_read,
		.advise = check_advise,
		.piece = check_piece,
		.arg = &c };

	assert(good->n == l->pieces);
	return bt_sweep_run(&s, err);
}

/* What a file was like when we began. */
struct look {
	uint64_t offset; /* of its first byte in the content */
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
};

struct author {
	const struct bt_hasher_file *files;
	size_t n;
	struct look *looks; /* n + 1: the last one's offset is the size */
	uint32_t piece_length;
	bool (*progress)(void *arg, uint64_t bytes_done);
	void *arg;
	uint64_t done; /* bytes */
	uint8_t *hashes;
	struct opened {
		int fd;
		size_t file; /* that fd is of */
	} seats[BT_SWEEP_SEATS][OPEN_MAX_HERE];
};

/* The file with the byte at offset: never an empty one, as in core/layout. */
static size_t
file_at(const struct author *a, uint64_t offset)
{
	size_t lo = 0, hi = a->n, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (a->looks[mid].offset <= offset)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Pieces read in turn are of files some distance apart: each has a place. */
static int
seat_open(struct author *a, unsigned seat, size_t file, struct bt_err *err)
{
	struct opened *d = &a->seats[seat][file % OPEN_MAX_HERE];

	if (d->fd != -1 && d->file == file)
		return d->fd;
	if (d->fd != -1)
		close(d->fd);
	d->file = file;
	d->fd = open(
	    a->files[file].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (d->fd == -1)
		bt_err_sys(err, "cannot open '%s'", a->files[file].path);
	return d->fd;
}

static int
fail_changed(const char *path, struct bt_err *err)
{
	return bt_err_set(
	    err, BT_EFILE, "'%s' changed while it was read", path);
}

static int
author_read(void *arg, unsigned seat, uint64_t offset, uint8_t *to, size_t n,
    struct bt_err *err)
{
	struct author *a = arg;
	size_t file = file_at(a, offset), want;
	uint64_t at;
	ssize_t got;
	int fd;

	while (n > 0) {
		if (offset == a->looks[file + 1].offset) {
			file++; /* its end, or it is empty */
			continue;
		}
		fd = seat_open(a, seat, file, err);
		if (fd == -1)
			return -1;
		at = offset - a->looks[file].offset;
		want = n;
		if (want > a->looks[file + 1].offset - offset)
			want = (size_t)(a->looks[file + 1].offset - offset);
		got = pread(fd, to, want, (off_t)at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return bt_err_sys(
			    err, "cannot read '%s'", a->files[file].path);
		if (got == 0)
			return fail_changed(a->files[file].path, err);
		to += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

/* Only of the first file: the others begin too late to wait for this. */
static void
author_advise(void *arg, unsigned seat, uint64_t offset, uint64_t n)
{
	struct author *a = arg;
	struct bt_err ignored = BT_ERR_INIT; /* reading will say it again */
	size_t file;
	int fd;

	if (n == 0)
		return;
	file = file_at(a, offset);
	fd = seat_open(a, seat, file, &ignored);
	if (fd != -1)
		posix_fadvise(fd, (off_t)(offset - a->looks[file].offset),
		    (off_t)n, POSIX_FADV_WILLNEED);
}

static bool
author_piece(void *arg, uint32_t piece, const uint8_t *sha1)
{
	struct author *a = arg;
	uint64_t from = (uint64_t)piece * a->piece_length;
	uint64_t left = a->looks[a->n].offset - from;

	assert(sha1 != NULL); /* author_read() never says that it is absent */
	memcpy(a->hashes + (size_t)piece * BT_SHA1_LEN, sha1, BT_SHA1_LEN);
	a->done += left < a->piece_length ? left : a->piece_length;
	return a->progress == NULL || a->progress(a->arg, a->done);
}

/* See that each file is as the caller says, and remember how it is. */
static int
look_before(struct author *a, struct bt_err *err)
{
	struct stat st;
	uint64_t size = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct bt_hasher_file *f = &a->files[i];

		if (stat(f->path, &st) == -1)
			return bt_err_sys(err, "cannot open '%s'", f->path);
		if (!S_ISREG(st.st_mode))
			return bt_err_set(err, BT_EFILE,
			    "cannot read '%s': not a regular file", f->path);
		if ((uint64_t)st.st_size != f->size)
			return fail_changed(f->path, err);
		if (f->size > BT_META_SIZE_MAX - size)
			return bt_err_set(err, BT_ELIMIT,
			    "the content is larger than a torrent can be");
		a->looks[i] = (struct look){ .offset = size,
			.dev = st.st_dev,
			.ino = st.st_ino,
			.mtime = st.st_mtim };
		size += f->size;
	}
	a->looks[a->n].offset = size;
	if (size / a->piece_length >= UINT32_MAX)
		return bt_err_set(
		    err, BT_ELIMIT, "the content has too many pieces");
	return 0;
}

static int
look_after(const struct author *a, struct bt_err *err)
{
	struct stat st;

	for (size_t i = 0; i < a->n; i++) {
		const struct bt_hasher_file *f = &a->files[i];
		const struct look *l = &a->looks[i];

		if (stat(f->path, &st) == -1)
			return bt_err_sys(err, "cannot open '%s'", f->path);
		if ((uint64_t)st.st_size != f->size || st.st_dev != l->dev ||
		    st.st_ino != l->ino ||
		    st.st_mtim.tv_sec != l->mtime.tv_sec ||
		    st.st_mtim.tv_nsec != l->mtime.tv_nsec)
			return fail_changed(f->path, err);
	}
	return 0;
}

static void
close_all(struct author *a)
{
	struct opened *d;

	for (unsigned i = 0; i < BT_SWEEP_SEATS * OPEN_MAX_HERE; i++) {
		d = &a->seats[i / OPEN_MAX_HERE][i % OPEN_MAX_HERE];
		if (d->fd != -1)
			close(d->fd);
	}
}

int
bt_verify_author(const struct bt_hasher_file *files, size_t n,
    uint32_t piece_length, unsigned threads,
    bool (*progress)(void *arg, uint64_t bytes_done), void *arg,
    uint8_t *hashes, struct bt_err *err)
{
	struct author *a = bt_mem_zero(1, sizeof(*a));
	struct bt_sweep s = { .piece_length = piece_length,
		.threads = threads,
		.read = author_read,
		.advise = author_advise,
		.piece = author_piece,
		.arg = a };
	int rc;

	assert(piece_length > 0);
	a->files = files;
	a->n = n;
	a->piece_length = piece_length;
	a->progress = progress;
	a->arg = arg;
	a->hashes = hashes;
	a->looks = bt_mem_zero(n + 1, sizeof(*a->looks));
	for (unsigned i = 0; i < BT_SWEEP_SEATS * OPEN_MAX_HERE; i++)
		a->seats[i / OPEN_MAX_HERE][i % OPEN_MAX_HERE].fd = -1;
	rc = look_before(a, err);
	s.size = a->looks[n].offset;
	if (rc == 0 && s.size > 0)
		rc = bt_sweep_run(&s, err);
	close_all(a);
	if (rc == 0)
		rc = look_after(a, err);
	bt_mem_free(a->looks);
	bt_mem_free(a);
	return rc;
}
