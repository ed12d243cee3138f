#include "disk/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "disk/slurp.h"

#define PART ((size_t)64 << 10)

struct bt_sealed {
	int fd;
	char *path;
	struct bt_hash *sha1;
	struct bt_err err; /* the first, of a file that is written */
	size_t at, n;	   /* in part: what was taken, and what is there */
	uint8_t part[PART];
};

static struct bt_sealed *
make(int fd, const char *path)
{
	struct bt_sealed *s = bt_mem_alloc(sizeof(*s));

	s->fd = fd;
	s->path = bt_mem_strdup(path);
	s->sha1 = bt_hash_new(BT_HASH_SHA1);
	s->err = (struct bt_err)BT_ERR_INIT;
	s->at = s->n = 0;
	return s;
}

static void
drop(struct bt_sealed *s)
{
	bt_hash_free(s->sha1);
	bt_mem_free(s->path);
	bt_mem_free(s);
}

int
bt_sealed_create(struct bt_sealed **out, const char *path, struct bt_err *err)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd == -1)
		return bt_err_sys(err, "cannot write '%s'", path);
	*out = make(fd, path);
	return 0;
}

static void
write_out(struct bt_sealed *s, struct bt_str bytes)
{
	if (s->err.kind == BT_ENONE)
		bt_slurp_put(s->fd, s->path, bytes, &s->err);
}

static void
flush(struct bt_sealed *s)
{
	bt_hash_add(s->sha1, s->part, s->n);
	write_out(s, (struct bt_str){ s->part, s->n });
	s->n = 0;
}

void
bt_sealed_put(struct bt_sealed *s, struct bt_str bytes)
{
	size_t k;

	for (; bytes.n > 0; bytes = bt_str_sub(bytes, k, bytes.n)) {
		k = bytes.n < PART - s->n ? bytes.n : PART - s->n;
		memcpy(s->part + s->n, bytes.p, k);
		s->n += k;
		if (s->n == PART)
			flush(s);
	}
}

int
bt_sealed_end(struct bt_sealed *s, struct bt_err *err)
{
	uint8_t sum[BT_SHA1_LEN];
	int rc = 0;

	flush(s);
	bt_hash_end(s->sha1, sum);
	write_out(s, (struct bt_str){ sum, sizeof(sum) });
	if (close(s->fd) == -1 && s->err.kind == BT_ENONE)
		bt_err_sys(&s->err, "cannot write '%s'", s->path);
	if (s->err.kind != BT_ENONE) {
		unlink(s->path);
		*err = s->err;
		rc = -1;
	}
	drop(s);
	return rc;
}

/* The next part, all that a read gives; false: nothing. */
static bool
fill(struct bt_sealed *s)
{
	ssize_t n;

	do
		n = read(s->fd, s->part, PART);
	while (n == -1 && errno == EINTR);
	s->at = 0;
	s->n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

bool
bt_sealed_take(struct bt_sealed *s, void *to, size_t n)
{
	uint8_t *p = to;
	size_t k;

	for (; n > 0; n -= k, p += k) {
		if (s->at == s->n && !fill(s))
			return false;
		k = n < s->n - s->at ? n : s->n - s->at;
		memcpy(p, s->part + s->at, k);
		s->at += k;
	}
	return true;
}

/* Of a file that has n bytes: it may be cut under us. */
static bool
has_digest(struct bt_sealed *s, uint64_t n)
{
	uint8_t sum[BT_SHA1_LEN], want[BT_SHA1_LEN];
	size_t k;

	for (n -= BT_SHA1_LEN; n > 0; n -= k) {
		if (s->at == s->n && !fill(s))
			return false;
		k = n < s->n - s->at ? (size_t)n : s->n - s->at;
		bt_hash_add(s->sha1, s->part + s->at, k);
		s->at += k;
	}
	bt_hash_end(s->sha1, sum);
	return bt_sealed_take(s, want, sizeof(want)) &&
	       memcmp(sum, want, sizeof(sum)) == 0;
}

struct bt_sealed *
bt_sealed_open(const char *path, uint64_t n)
{
	struct bt_sealed *s;
	struct stat st;
	int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return NULL;
	s = make(fd, path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && n >= BT_SHA1_LEN &&
	    (uint64_t)st.st_size == n && has_digest(s, n) &&
	    lseek(fd, 0, SEEK_SET) == 0) {
		s->at = s->n = 0;
		return s;
	}
	bt_sealed_close(s);
	return NULL;
}

void
bt_sealed_close(struct bt_sealed *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	drop(s);
}
