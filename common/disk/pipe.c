#include "disk/pipe.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/files_priv.h"

#define SIZE (1 << 20) /* a page takes a place, and so do a few bytes */
#define WINDOW ((size_t)1 << 30)
#define ROOM ((size_t)128 << 10)
#define PAGES_MAX 1024u /* that are looked at: more than BT_PIPE_BYTES */

struct bt_pipe {
	int ends[2];
	size_t holds;  /* bytes */
	uint8_t *room; /* for bytes of ours; those before `used` are lent */
	size_t used;
	uint8_t *map; /* a file, to ask what of it is cached; never read */
	uint64_t from;
	dev_t dev;
	ino_t ino;
};

static void
close_ends(struct bt_pipe *p)
{
	if (p->ends[0] == -1)
		return;
	close(p->ends[0]);
	close(p->ends[1]);
	p->ends[0] = p->ends[1] = -1;
}

static bool
open_ends(struct bt_pipe *p)
{
	p->holds = 0;
	if (pipe2(p->ends, O_CLOEXEC | O_NONBLOCK) == -1) {
		p->ends[0] = p->ends[1] = -1;
		return false;
	}
	if (fcntl(p->ends[1], F_SETPIPE_SZ, SIZE) >= SIZE)
		return true;
	close_ends(p);
	return false;
}

static void
unmap(struct bt_pipe *p)
{
	if (p->map != NULL)
		munmap(p->map, WINDOW);
	p->map = NULL;
}

/* There was a moment without descriptors, maybe: then again. */
static bool
has_ends(struct bt_pipe *p)
{
	return p->ends[0] != -1 || open_ends(p);
}

struct bt_pipe *
bt_pipe_new(void)
{
	struct bt_pipe *p = bt_mem_zero(1, sizeof(*p));

	p->ends[0] = p->ends[1] = -1;
	p->room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->room != MAP_FAILED && open_ends(p))
		return p;
	bt_pipe_free(p);
	return NULL;
}

void
bt_pipe_free(struct bt_pipe *p)
{
	if (p == NULL)
		return;
	close_ends(p);
	unmap(p);
	if (p->room != MAP_FAILED)
		munmap(p->room, ROOM);
	bt_mem_free(p);
}

/* A new one costs less than to take out what an old one holds. */
void
bt_pipe_empty(struct bt_pipe *p)
{
	if (p->holds == 0)
		return;
	close_ends(p);
	open_ends(p);
}

/*
 * Our bytes are lent too, so they must stay as they are until the other side
 * has them. When the room is used up its pages go: the socket keeps those that
 * it has still to send.
 */
static uint8_t *
room_for(struct bt_pipe *p, size_t n)
{
	uint8_t *room;

	if (n > ROOM - p->used) {
		if (madvise(p->room, ROOM, MADV_DONTNEED) == -1)
			return NULL;
		p->used = 0;
	}
	room = p->room + p->used;
	p->used += n;
	return room;
}

bool
bt_pipe_put(struct bt_pipe *p, struct bt_str bytes)
{
	struct iovec iov = { .iov_len = bytes.n };
	ssize_t n;

	if (bytes.n == 0)
		return true;
	if (!has_ends(p) || bytes.n > ROOM ||
	    bytes.n > BT_PIPE_BYTES - p->holds ||
	    (iov.iov_base = room_for(p, bytes.n)) == NULL)
		return false;
	memcpy(iov.iov_base, bytes.p, bytes.n);
	n = vmsplice(p->ends[1], &iov, 1, SPLICE_F_NONBLOCK);
	if (n > 0)
		p->holds += (size_t)n;
	return n == (ssize_t)bytes.n;
}

/* Some file systems wait even for what is cached: the network's, and others. */
static bool
is_read_at_once(int fd, uint64_t at)
{
	uint8_t byte = 0; /* it is to be in memory, too */
	struct iovec iov = { &byte, 1 };

	return preadv2(fd, &iov, 1, (off_t)at, RWF_NOWAIT) == 1;
}

/* mincore(2) tells of a file to its owner and to who may write it. */
static bool
may_look(int fd, const struct stat *st)
{
	return st->st_uid == geteuid() ||
	       faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) == 0;
}

/* Map the window of the file that has the byte at; no page of it is touched. */
static bool
map_window(struct bt_pipe *p, int fd, uint64_t at)
{
	uint64_t from = at - at % WINDOW;
	struct stat st;
	void *map;

	if (fstat(fd, &st) == -1 || !may_look(fd, &st))
		return false; /* asked each time: a file may change hands */
	if (p->map != NULL && p->from == from && p->dev == st.st_dev &&
	    p->ino == st.st_ino)
		return true;
	unmap(p);
	if (!is_read_at_once(fd, at))
		return false;
	map = mmap(NULL, WINDOW, PROT_READ, MAP_SHARED, fd, (off_t)from);
	if (map == MAP_FAILED)
		return false;
	p->map = map;
	p->from = from;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	return true;
}

/*
 * Are n bytes at offset at of fd in the page cache? cachestat(2) is quicker, and
 * counts pages that are still being read, too: a splice would wait for them.
 */
static bool
is_cached(struct bt_pipe *p, int fd, uint64_t at, size_t n)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), before = at % page;
	unsigned char in[PAGES_MAX];
	size_t pages = (size_t)((before + n + page - 1) / page), i;

	if (pages > PAGES_MAX || !map_window(p, fd, at) ||
	    at + n > p->from + WINDOW ||
	    mincore(p->map + (at - before - p->from), before + n, in) == -1)
		return false;
	for (i = 0; i < pages && (in[i] & 1) != 0; i++)
		;
	return i == pages;
}

static bool
lend_bytes(struct bt_pipe *p, int fd, off_t *at, size_t n)
{
	ssize_t did;

	if (n > BT_PIPE_BYTES - p->holds)
		return false;
	while (n > 0) {
		did = splice(fd, at, p->ends[1], NULL, n, SPLICE_F_NONBLOCK);
		if (did == -1 && errno == EINTR)
			continue;
		if (did <= 0)
			return false;
		p->holds += (size_t)did;
		n -= (size_t)did;
	}
	return true;
}

bool
bt_pipe_lend(struct bt_pipe *p, struct bt_files *f, uint64_t offset,
    const struct bt_pipe_part *parts, unsigned n)
{
	struct bt_layout_walk w = { .offset = offset };
	struct bt_layout_span s;
	struct bt_files_ref ref;
	bool ok;
	off_t at;

	assert(n >= 1 && offset <= f->layout->size);
	for (unsigned i = 0; i < n; i++)
		w.left += parts[i].n;
	assert(w.left <= f->layout->size - offset);
	if (!has_ends(p) || !bt_layout_next_span(f->layout, &w, &s) ||
	    w.left > 0 || bt_files_is_pad(f, s.file) ||
	    !bt_files_get_open(f, s.file, &ref))
		return false; /* of more than one file: few are, and read */
	at = (off_t)(ref.base + s.at);
	ok = (f->mode == BT_FILES_READ || ref.is_final) &&
	     is_cached(p, ref.fd, ref.base + s.at, (size_t)s.n);
	for (unsigned i = 0; ok && i < n; i++)
		ok = bt_pipe_put(p, parts[i].head) &&
		     lend_bytes(p, ref.fd, &at, parts[i].n);
	ok = ok && bt_files_is_same(f, &ref); /* after: what was lent counts */
	bt_files_put(f, &ref);
	return ok;
}

ssize_t
bt_pipe_send(struct bt_pipe *p, int fd, size_t n)
{
	ssize_t sent = 0, did = 0;
	int code = 0;

	assert(n <= p->holds);
	while ((size_t)sent < n) {
		did = splice(p->ends[0], NULL, fd, NULL, n - (size_t)sent,
		    SPLICE_F_NONBLOCK);
		if (did == -1 && errno == EINTR)
			continue;
		if (did <= 0)
			break;
		sent += did;
		p->holds -= (size_t)did;
	}
	if (did == -1)
		code = errno;
	bt_pipe_empty(p);
	errno = code;
	return sent > 0 || n == 0 ? sent : -1;
}
