/* files_io - bytes of the whole content, in and out of the files under it. */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/files_priv.h"

#define COMPARE_LEN 16384u
#define IOV_MAX_HERE 32 /* for one call; a batch has BT_TX_BLOCKS_MAX */

/* "cannot <what> 'path'" with errno's reason; kind BT_EFILE. Returns -1. */
static int
fail(struct bt_files *f, uint32_t file, const char *what, struct bt_err *err)
{
	int code = errno;
	enum bt_store_state state;
	char *path;

	pthread_mutex_lock(&f->opened->lock);
	state = f->stores[file].state;
	pthread_mutex_unlock(&f->opened->lock);
	path = bt_files_shown(f, file, state);
	bt_err_code(err, BT_EFILE, code, "cannot %s '%s'", what, path);
	bt_mem_free(path);
	return -1;
}

static int
fail_short(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	char *path;

	fail(f, file, "read", err); /* finds the name under the lock */
	path = bt_files_path(f, file);
	bt_err_set(err, BT_EMISMATCH, "'%s' is shorter than %llu bytes", path,
	    (unsigned long long)bt_filetab_size(f->layout->files, file));
	bt_mem_free(path);
	return -1;
}

static int
fail_changed(struct bt_files *f, uint32_t file, struct bt_err *err)
{
	char *path = bt_files_path(f, file);

	bt_err_set(err, BT_EMISMATCH,
	    "'%s' has been changed or removed since it was opened", path);
	bt_mem_free(path);
	return -1;
}

/* Read n bytes; how many there are before the end, or -1. */
static ssize_t
read_fd(int fd, uint64_t at, uint8_t *to, size_t n)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = pread(fd, to + done, n - done, (off_t)(at + done));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static int
write_fd(int fd, uint64_t at, const uint8_t *from, size_t n)
{
	ssize_t put;

	while (n > 0) {
		put = pwrite(fd, from, n, (off_t)at);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return -1;
		from += put;
		at += (uint64_t)put;
		n -= (size_t)put;
	}
	return 0;
}

static int
read_span(struct bt_files *f, const struct bt_layout_span *s, uint8_t *to,
    struct bt_err *err)
{
	struct bt_files_ref ref;
	bool is_same;
	ssize_t got;
	int code;

	if (bt_files_is_pad(f, s->file)) {
		memset(to, 0, (size_t)s->n);
		return 0;
	}
	if (bt_files_get(f, s->file, false, &ref, err) == -1)
		return -1;
	got = read_fd(ref.fd, ref.base + s->at, to, (size_t)s->n);
	code = errno;
	is_same = bt_files_is_same(f, &ref); /* after: what was read counts */
	bt_files_put(f, &ref);
	errno = code;
	if (got == -1)
		return fail(f, s->file, "read", err);
	if ((uint64_t)got < s->n)
		return fail_short(f, s->file, err);
	return is_same ? 0 : fail_changed(f, s->file, err);
}

int
bt_files_read(struct bt_files *f, uint64_t offset, uint8_t *to, size_t n,
    struct bt_err *err)
{
	struct bt_layout_walk w = { .offset = offset, .left = n };
	struct bt_layout_span s;

	assert(offset <= f->layout->size);
	assert(n <= f->layout->size - offset);
	while (bt_layout_next_span(f->layout, &w, &s)) {
		if (read_span(f, &s, to, err) == -1)
			return -1;
		to += s.n;
	}
	return 0;
}

/* Does fd hold these bytes there? 1 or 0, or -1 with errno. */
static int
holds(int fd, uint64_t at, const uint8_t *bytes, size_t n)
{
	uint8_t buf[COMPARE_LEN];
	size_t want;
	ssize_t got;

	for (; n > 0; n -= want, at += want, bytes += want) {
		want = n < sizeof(buf) ? n : sizeof(buf);
		got = read_fd(fd, at, buf, want);
		if (got == -1)
			return -1;
		if ((size_t)got < want || memcmp(buf, bytes, want) != 0)
			return 0;
	}
	return 1;
}

/*
 * A file that lies there under its own name is compared. What differs goes to
 * the side if the file is not selected: nobody asked for it to be right.
 * Returns 1 if the bytes are to be written after all.
 */
static int
compare_final(struct bt_files *f, const struct bt_layout_span *s,
    const struct bt_files_ref *ref, const uint8_t *from, struct bt_err *err)
{
	char *path;
	int same = holds(ref->fd, s->at, from, (size_t)s->n);

	if (same == -1)
		return fail(f, s->file, "read", err);
	if (same == 1)
		return 0;
	if (!bt_files_is_selected(f, s->file)) {
		pthread_mutex_lock(&f->opened->lock);
		f->stores[s->file].state = BT_STORE_SIDE;
		f->stores[s->file].settled = false;
		pthread_mutex_unlock(&f->opened->lock);
		return 1;
	}
	path = bt_files_path(f, s->file);
	bt_err_set(err, BT_EFILE, "'%s' exists with other content", path);
	bt_mem_free(path);
	return -1;
}

static int
write_span(struct bt_files *f, const struct bt_layout_span *s,
    const uint8_t *from, struct bt_err *err)
{
	struct bt_files_ref ref;
	int rc, code;

	if (bt_files_is_pad(f, s->file))
		return 0;
	do {
		if (bt_files_get(f, s->file, true, &ref, err) == -1)
			return -1;
		if (ref.is_final) {
			rc = compare_final(f, s, &ref, from, err);
			bt_files_put(f, &ref);
		}
	} while (ref.is_final && rc == 1);
	if (ref.is_final)
		return rc;
	ref.wrote = true; /* even if it fails half way */
	pthread_mutex_lock(&f->write_turn);
	rc = write_fd(ref.fd, ref.base + s->at, from, (size_t)s->n);
	code = errno;
	pthread_mutex_unlock(&f->write_turn);
	bt_files_put(f, &ref);
	errno = code;
	return rc == -1 ? fail(f, s->file, "write", err) : 0;
}

int
bt_files_write(struct bt_files *f, uint64_t offset, const uint8_t *from,
    size_t n, struct bt_err *err)
{
	struct bt_layout_walk w = { .offset = offset, .left = n };
	struct bt_layout_span s;

	assert(f->mode == BT_FILES_WRITE);
	assert(offset <= f->layout->size);
	assert(n <= f->layout->size - offset);
	while (bt_layout_next_span(f->layout, &w, &s)) {
		if (write_span(f, &s, from, err) == -1)
			return -1;
		from += s.n;
	}
	return 0;
}

/* Where in an iovec we are. */
struct place {
	const struct iovec *iov;
	int left;    /* of iov */
	size_t skip; /* bytes of iov[0] that are filled */
};

/* The next places for at most n bytes; how many, and their sum in *sum. */
static int
gather(const struct place *p, uint64_t n, struct iovec *out, size_t *sum)
{
	int k = 0;
	size_t skip = p->skip, len;

	*sum = 0;
	while (k < p->left && k < IOV_MAX_HERE && n > 0) {
		len = p->iov[k].iov_len - skip;
		if (len > n)
			len = (size_t)n;
		out[k].iov_base = (uint8_t *)p->iov[k].iov_base + skip;
		out[k].iov_len = len;
		*sum += len;
		n -= len;
		skip = 0;
		k++;
	}
	return k;
}

static void
advance(struct place *p, size_t n)
{
	size_t len;

	while (n > 0) {
		len = p->iov->iov_len - p->skip;
		if (n < len) {
			p->skip += n;
			return;
		}
		n -= len;
		p->iov++;
		p->left--;
		p->skip = 0;
	}
}

static ssize_t
read_span_now(struct bt_files *f, const struct bt_layout_span *s,
    const struct iovec *iov, int n)
{
	struct bt_files_ref ref;
	bool is_same;
	ssize_t got;
	int code;

	if (bt_files_is_pad(f, s->file)) {
		got = 0;
		for (int i = 0; i < n; i++) {
			memset(iov[i].iov_base, 0, iov[i].iov_len);
			got += (ssize_t)iov[i].iov_len;
		}
		return got;
	}
	if (!bt_files_get_open(f, s->file, &ref)) {
		errno = EAGAIN;
		return -1;
	}
	got = preadv2(ref.fd, iov, n, (off_t)(ref.base + s->at), RWF_NOWAIT);
	code = errno;
	if (got == -1 && (code == EOPNOTSUPP || code == EINVAL)) {
		pthread_mutex_lock(&f->opened->lock);
		f->stores[ref.store].no_nowait = true;
		pthread_mutex_unlock(&f->opened->lock);
		code = EAGAIN;
	}
	is_same = bt_files_is_same(f, &ref);
	bt_files_put(f, &ref);
	if (got == 0 || (got > 0 && !is_same)) { /* a worker says so in words */
		got = -1;
		code = EAGAIN;
	}
	errno = code == EINTR ? EAGAIN : code;
	return got;
}

ssize_t
bt_files_read_now(
    struct bt_files *f, uint64_t offset, const struct iovec *iov, int iovcnt)
{
	struct place at = { .iov = iov, .left = iovcnt };
	struct bt_layout_walk w = { .offset = offset };
	struct iovec part[IOV_MAX_HERE];
	struct bt_layout_span s;
	ssize_t got, done = 0;
	size_t want;
	int n;

	for (int i = 0; i < iovcnt; i++)
		w.left += iov[i].iov_len;
	assert(offset <= f->layout->size);
	assert(w.left <= f->layout->size - offset);
	while (bt_layout_next_span(f->layout, &w, &s)) {
		while (s.n > 0) {
			n = gather(&at, s.n, part, &want);
			got = read_span_now(f, &s, part, n);
			if (got == -1)
				return done > 0 ? done : -1;
			done += got;
			if ((size_t)got < want)
				return done;
			advance(&at, want);
			s.at += want;
			s.n -= want;
		}
	}
	return done;
}

void
bt_files_advise(struct bt_files *f, uint64_t offset, uint64_t n)
{
	struct bt_layout_walk w = { .offset = offset, .left = n };
	struct bt_err ignored = BT_ERR_INIT; /* reading will say it again */
	struct bt_files_ref ref;
	struct bt_layout_span s;

	while (bt_layout_next_span(f->layout, &w, &s)) {
		if (bt_files_is_pad(f, s.file) ||
		    bt_files_get(f, s.file, false, &ref, &ignored) == -1)
			continue;
		posix_fadvise(ref.fd, (off_t)(ref.base + s.at), (off_t)s.n,
		    POSIX_FADV_WILLNEED);
		bt_files_put(f, &ref);
	}
}
