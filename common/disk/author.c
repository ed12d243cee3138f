#include "disk/author.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "codec/merkle.h"
#include "codec/metainfo.h"
#include "disk/sweep.h"

#define OPEN_MAX_HERE 8u /* files of a seat: 65 of them stay below 1024 */

/* What a file was like when we began. */
struct look {
	uint64_t offset; /* of its first byte in the content */
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
};

struct author {
	const struct bt_author *conf;
	const struct bt_author_file *files;
	size_t n;
	struct look *looks; /* n + 1: the last one's offset is the size */
	uint64_t done;	    /* bytes of files */
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

/* Zeros from `at` in the file's gap on; how many. */
static size_t
read_gap(
    const struct author *a, size_t file, uint64_t offset, uint8_t *to, size_t n)
{
	if (n > a->looks[file + 1].offset - offset)
		n = (size_t)(a->looks[file + 1].offset - offset);
	memset(to, 0, n);
	return n;
}

/* At most n bytes of the file at offset. How many, or -1. */
static ssize_t
read_some(struct author *a, unsigned seat, size_t file, uint64_t offset,
    uint8_t *to, size_t n, struct bt_err *err)
{
	uint64_t at = offset - a->looks[file].offset;
	int fd = seat_open(a, seat, file, err);
	ssize_t got;

	if (fd == -1)
		return -1;
	if (n > a->files[file].size - at)
		n = (size_t)(a->files[file].size - at);
	do
		got = pread(fd, to, n, (off_t)at);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		bt_err_sys(err, "cannot read '%s'", a->files[file].path);
	if (got == 0)
		return fail_changed(a->files[file].path, err);
	return got;
}

static int
author_read(void *arg, unsigned seat, uint64_t offset, uint8_t *to, size_t n,
    struct bt_err *err)
{
	struct author *a = arg;
	size_t file = file_at(a, offset);
	ssize_t got;

	while (n > 0) {
		if (offset == a->looks[file + 1].offset) {
			file++; /* its end, or it is empty */
			continue;
		}
		if (offset - a->looks[file].offset < a->files[file].size)
			got = read_some(a, seat, file, offset, to, n, err);
		else
			got = (ssize_t)read_gap(a, file, offset, to, n);
		if (got == -1)
			return -1;
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

/* The bytes of files in a piece, whose trees are one file's each. */
static uint32_t
author_span(void *arg, uint32_t piece, unsigned *height)
{
	const struct author *a = arg;
	uint64_t at = (uint64_t)piece * a->conf->piece_length;
	size_t file = file_at(a, at);
	uint64_t size = a->files[file].size;
	uint64_t left = size - (at - a->looks[file].offset);

	if (size > a->conf->piece_length)
		size = a->conf->piece_length;
	*height =
	    bt_merkle_height((size + BT_MERKLE_BLOCK - 1) / BT_MERKLE_BLOCK);
	return left < size ? (uint32_t)left : (uint32_t)size;
}

static bool
more_done(struct author *a, uint64_t bytes)
{
	a->done += bytes;
	return a->conf->progress == NULL ||
	       a->conf->progress(a->conf->arg, a->done);
}

static bool
author_root(void *arg, uint32_t piece, const uint8_t *root)
{
	struct author *a = arg;
	unsigned height;

	assert(root != NULL); /* author_read() never says that it is absent */
	memcpy(a->conf->roots + (size_t)piece * BT_SHA256_LEN, root,
	    BT_SHA256_LEN);
	return more_done(a, author_span(a, piece, &height));
}

static bool
author_piece(void *arg, uint32_t piece, const uint8_t *sha1)
{
	struct author *a = arg;
	uint64_t from = (uint64_t)piece * a->conf->piece_length;
	uint64_t left = a->looks[a->n].offset - from;

	assert(sha1 != NULL);
	memcpy(a->conf->sha1 + (size_t)piece * BT_SHA1_LEN, sha1, BT_SHA1_LEN);
	if (a->conf->roots != NULL)
		return true; /* author_root() has counted it */
	return more_done(
	    a, left < a->conf->piece_length ? left : a->conf->piece_length);
}

/* The zeros before a file of these bytes that is to begin a piece. */
static uint64_t
gap_before(uint64_t end, uint64_t bytes, uint32_t piece_length)
{
	return bytes == 0 ? 0
			  : (piece_length - end % piece_length) % piece_length;
}

uint64_t
bt_author_pieces(const struct bt_author_file *files, size_t n,
    uint32_t piece_length, bool aligned)
{
	uint64_t size = 0;

	for (size_t i = 0; i < n; i++) {
		if (aligned)
			size += gap_before(size, files[i].size, piece_length);
		size += files[i].size;
	}
	return (size + piece_length - 1) / piece_length;
}

/* See that each file is as the caller says, and remember how it is. */
static int
look_before(struct author *a, struct bt_err *err)
{
	struct stat st;
	uint64_t size = 0, gap;

	for (size_t i = 0; i < a->n; i++) {
		const struct bt_author_file *f = &a->files[i];

		if (stat(f->path, &st) == -1)
			return bt_err_sys(err, "cannot open '%s'", f->path);
		if (!S_ISREG(st.st_mode))
			return bt_err_set(err, BT_EFILE,
			    "cannot read '%s': not a regular file", f->path);
		if ((uint64_t)st.st_size != f->size)
			return fail_changed(f->path, err);
		gap = 0;
		if (a->conf->roots != NULL)
			gap = gap_before(size, f->size, a->conf->piece_length);
		if (f->size > BT_META_SIZE_MAX - size - gap)
			return bt_err_set(err, BT_ELIMIT,
			    "the content is larger than a torrent can be");
		size += gap;
		a->looks[i] = (struct look){ .offset = size,
			.dev = st.st_dev,
			.ino = st.st_ino,
			.mtime = st.st_mtim };
		size += f->size;
	}
	a->looks[a->n].offset = size;
	if (size / a->conf->piece_length >= UINT32_MAX)
		return bt_err_set(
		    err, BT_ELIMIT, "the content has too many pieces");
	return 0;
}

static int
look_after(const struct author *a, struct bt_err *err)
{
	struct stat st;

	for (size_t i = 0; i < a->n; i++) {
		const struct bt_author_file *f = &a->files[i];
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
bt_author_run(const struct bt_author *conf, struct bt_err *err)
{
	struct author *a = bt_mem_zero(1, sizeof(*a));
	struct bt_sweep s = { .piece_length = conf->piece_length,
		.threads = conf->threads,
		.which = conf->which,
		.read = author_read,
		.advise = author_advise,
		.piece = author_piece,
		.span = conf->roots != NULL ? author_span : NULL,
		.root = author_root,
		.no_sha1 = conf->sha1 == NULL,
		.arg = a };
	int rc;

	assert(conf->piece_length > 0);
	assert(conf->sha1 != NULL || conf->roots != NULL);
	a->conf = conf;
	a->files = conf->files;
	a->n = conf->n;
	a->looks = bt_mem_zero(a->n + 1, sizeof(*a->looks));
	for (unsigned i = 0; i < BT_SWEEP_SEATS * OPEN_MAX_HERE; i++)
		a->seats[i / OPEN_MAX_HERE][i % OPEN_MAX_HERE].fd = -1;
	rc = look_before(a, err);
	s.size = a->looks[a->n].offset;
	if (rc == 0 && s.size > 0)
		rc = bt_sweep_run(&s, err);
	close_all(a);
	if (rc == 0)
		rc = look_after(a, err);
	bt_mem_free(a->looks);
	bt_mem_free(a);
	return rc;
}
