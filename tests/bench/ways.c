/*
 * copy		one preadv into a staging buffer, one send
 * sendfile	each header by a send that says more comes, each block by sendfile
 * splice	headers lent and blocks spliced into a pipe, that into the socket
 * map		what follows in the file mapped and populated, one sendmsg
 */
#include "ways.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"

/*
 * A header stays as it is until the other side has received it, which it has
 * when it asks for the block after so many.
 */
#define HEADS 8192u
#define PIPE_BYTES (1 << 20)

struct way {
	const char *name;
	bool (*send)(
	    struct ways *w, int fd, const struct rig_block *b, unsigned n);
};

static uint64_t
offset_of(const struct ways *w, struct rig_block b)
{
	return (uint64_t)b.piece * w->t->piece_length + b.begin;
}

static bool
give(int fd, const uint8_t *p, size_t n, int flags)
{
	ssize_t did;

	while (n > 0) {
		did = send(fd, p, n, MSG_NOSIGNAL | flags);
		if (did == -1 && errno != EINTR)
			return false;
		if (did > 0) {
			p += did;
			n -= (size_t)did;
		}
	}
	return true;
}

static bool
send_copy(struct ways *w, int fd, const struct rig_block *b, unsigned n)
{
	return give(
	    fd, w->staging, rig_stage(w->in, w->t, b, n, w->staging), 0);
}

static bool
send_sendfile(struct ways *w, int fd, const struct rig_block *b, unsigned n)
{
	uint8_t head[RIG_GAP];
	off_t at;
	size_t left;
	ssize_t did;

	for (unsigned i = 0; i < n; i++) {
		rig_put_piece(head, b[i]);
		if (!give(fd, head, RIG_GAP, MSG_MORE))
			return false;
		at = (off_t)offset_of(w, b[i]);
		for (left = b[i].length; left > 0; left -= (size_t)did)
			if ((did = sendfile(fd, w->in, &at, left)) <= 0)
				return false;
	}
	return true;
}

/* All of it from the pipe to the socket. */
static bool
empty_pipe(struct ways *w, int fd, size_t n)
{
	ssize_t did;

	for (; n > 0; n -= (size_t)did)
		if ((did = splice(w->ends[0], NULL, fd, NULL, n, 0)) <= 0)
			return false;
	return true;
}

static bool
send_splice(struct ways *w, int fd, const struct rig_block *b, unsigned n)
{
	struct iovec head = { .iov_len = RIG_GAP };
	size_t in = 0, left;
	off_t at;
	ssize_t did;

	for (unsigned i = 0; i < n; i++) {
		if (in + b[i].length > PIPE_BYTES / 2) {
			if (!empty_pipe(w, fd, in))
				return false;
			in = 0;
		}
		head.iov_base = w->heads + w->next_head * RIG_GAP;
		w->next_head = (w->next_head + 1) % HEADS;
		rig_put_piece(head.iov_base, b[i]);
		if (vmsplice(w->ends[1], &head, 1, 0) != RIG_GAP)
			rig_fail("vmsplice");
		at = (off_t)offset_of(w, b[i]);
		for (left = b[i].length; left > 0; left -= (size_t)did)
			if ((did = splice(
				 w->in, &at, w->ends[1], NULL, left, 0)) <= 0)
				rig_fail("splice");
		in += RIG_GAP + b[i].length;
	}
	return empty_pipe(w, fd, in);
}

/* How many of the n blocks follow each other in the file, and their bytes. */
static unsigned
run_of(
    const struct ways *w, const struct rig_block *b, unsigned n, size_t *bytes)
{
	uint64_t from = offset_of(w, b[0]);
	unsigned i;

	*bytes = 0;
	for (i = 0; i < n && offset_of(w, b[i]) == from + *bytes; i++)
		*bytes += b[i].length;
	return i;
}

static bool
send_all(int fd, struct msghdr *m)
{
	ssize_t did;

	while (m->msg_iovlen > 0) {
		did = sendmsg(fd, m, MSG_NOSIGNAL);
		if (did == -1 && errno != EINTR)
			return false;
		for (; did > 0 && (size_t)did >= m->msg_iov->iov_len;
		     m->msg_iovlen--)
			did -= (ssize_t)m->msg_iov++->iov_len;
		if (did > 0) {
			m->msg_iov->iov_base =
			    (uint8_t *)m->msg_iov->iov_base + did;
			m->msg_iov->iov_len -= (size_t)did;
		}
	}
	return true;
}

static bool
send_map(struct ways *w, int fd, const struct rig_block *b, unsigned n)
{
	uint8_t heads[RIG_BATCH][RIG_GAP], *map, *at;
	struct iovec iov[2 * RIG_BATCH];
	struct msghdr m = { .msg_iov = iov };
	size_t bytes, page = (size_t)sysconf(_SC_PAGESIZE), before;
	unsigned i, k = run_of(w, b, n, &bytes);
	bool ok;

	before = (size_t)(offset_of(w, b[0]) % page);
	map = mmap(NULL, before + bytes, PROT_READ, MAP_SHARED | MAP_POPULATE,
	    w->in, (off_t)(offset_of(w, b[0]) - before));
	if (map == MAP_FAILED)
		rig_fail("mmap");
	at = map + before;
	for (i = 0; i < k; at += b[i++].length) {
		rig_put_piece(heads[i], b[i]);
		iov[m.msg_iovlen++] = (struct iovec){ heads[i], RIG_GAP };
		iov[m.msg_iovlen++] = (struct iovec){ at, b[i].length };
	}
	ok = send_all(fd, &m);
	munmap(map, before + bytes);
	return ok && (k == n || send_map(w, fd, b + k, n - k));
}

static const struct way ways[] = {
	{ "copy", send_copy },
	{ "sendfile", send_sendfile },
	{ "splice", send_splice },
	{ "map", send_map },
};

static const struct way *
way_of(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	return NULL;
}

bool
ways_is(const char *name)
{
	return way_of(name) != NULL;
}

void
ways_open(struct ways *w, const char *name, const struct rig_torrent *t, int in)
{
	*w = (struct ways){
		.t = t, .in = in, .way = way_of(name), .ends = { -1, -1 }
	};
	w->staging = rig_staging(BT_REQUEST_MAX);
	w->heads = rig_alloc(HEADS * RIG_GAP);
	if (w->way->send == send_splice &&
	    (pipe2(w->ends, O_CLOEXEC) == -1 ||
		fcntl(w->ends[1], F_SETPIPE_SZ, PIPE_BYTES) == -1))
		rig_fail("pipe");
}

void
ways_close(struct ways *w)
{
	if (w->ends[0] != -1) {
		close(w->ends[0]);
		close(w->ends[1]);
	}
	rig_staging_free(w->staging);
	bt_mem_free(w->heads);
}

bool
ways_send(struct ways *w, int fd, const struct rig_block *b, unsigned n)
{
	return w->way->send(w, fd, b, n);
}
