#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rd.h"
#include "codec/metainfo.h"

void
rig_fail(const char *fmt, ...)
{
	int code = errno;
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (code != 0)
		fprintf(stderr, ": %s", strerror(code));
	fputc('\n', stderr);
	exit(1);
}

uint64_t
rig_number(const char *s, uint64_t least)
{
	char *end;
	unsigned long long v = strtoull(s, &end, 10);

	switch (*end) {
	case 'G':
		v <<= 10; /* fall through */
	case 'M':
		v <<= 10; /* fall through */
	case 'K':
		v <<= 10;
		end++;
	}
	errno = 0;
	if (end == s || *end != '\0' || v < least)
		rig_fail("not a number from %llu: '%s'",
		    (unsigned long long)least, s);
	return v;
}

void *
rig_alloc(size_t n)
{
	void *p = bt_mem_alloc(n);

	memset(p, 1, n);
	return p;
}

double
rig_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
rig_cpu(pid_t pid)
{
	struct timespec t;
	clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;

	if (pid != 0 && clock_getcpuclockid(pid, &clock) != 0)
		return 0;
	if (clock_gettime(clock, &t) == -1)
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint64_t
rig_status(pid_t pid, const char *name)
{
	char path[64], line[256];
	unsigned long long v = 0;
	size_t n = strlen(name);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			v = strtoull(line + n + 1, NULL, 10);
	fclose(f);
	return v;
}

void
rig_raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		rig_fail("getrlimit");
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) == -1)
		rig_fail("setrlimit");
}

struct sockaddr_in
rig_addr(const char *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	const char *colon = strchr(s, ':');
	char host[64];
	size_t n = colon != NULL ? (size_t)(colon - s) : strlen(s);

	errno = 0;
	snprintf(host, sizeof(host), "%.*s", (int)n, s);
	if (n >= sizeof(host) || inet_pton(AF_INET, host, &a.sin_addr) != 1)
		rig_fail("not an address: '%s'", s);
	if (colon != NULL)
		a.sin_port = htons((uint16_t)rig_number(colon + 1, 0));
	return a;
}

int
rig_dial(const struct sockaddr_in *from, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1)
		rig_fail("socket");
	if (from != NULL &&
	    bind(fd, (const struct sockaddr *)from, sizeof(*from)) == -1)
		rig_fail("bind");
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == -1)
		rig_fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int
rig_listen(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1)
		rig_fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)at, sizeof(*at)) == -1 ||
	    listen(fd, 128) == -1 ||
	    getsockname(fd, (struct sockaddr *)at, &len) == -1)
		rig_fail("listen");
	return fd;
}

void
rig_send(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;
	ssize_t did;

	while (n > 0) {
		did = send(fd, at, n, MSG_NOSIGNAL);
		if (did == -1 && errno == EINTR)
			continue;
		if (did == -1)
			rig_fail("send");
		at += did;
		n -= (size_t)did;
	}
}

size_t
rig_recv(int fd, void *p, size_t n)
{
	ssize_t did;

	do
		did = recv(fd, p, n, 0);
	while (did == -1 && errno == EINTR);
	if (did == -1 && errno == ECONNRESET)
		return 0;
	if (did == -1)
		rig_fail("recv");
	return (size_t)did;
}

void
rig_recv_all(int fd, void *p, size_t n)
{
	uint8_t *at = p;
	size_t did;

	while (n > 0) {
		did = rig_recv(fd, at, n);
		errno = 0;
		if (did == 0)
			rig_fail("the other side closed");
		at += did;
		n -= did;
	}
}

void
rig_torrent_read(struct rig_torrent *t, const char *path)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;
	FILE *f = fopen(path, "r");
	uint8_t *all;
	long size;

	if (f == NULL)
		rig_fail("cannot open '%s'", path);
	if (fseek(f, 0, SEEK_END) == -1 || (size = ftell(f)) == -1)
		rig_fail("cannot seek in '%s'", path);
	rewind(f);
	all = bt_mem_alloc((size_t)size);
	if (fread(all, 1, (size_t)size, f) != (size_t)size)
		rig_fail("cannot read '%s'", path);
	fclose(f);
	errno = 0;
	if (bt_meta_parse((struct bt_str){ all, (size_t)size }, &m, &err) == -1)
		rig_fail("%s: %s", path, err.text);
	memcpy(t->hash, m.info_hash, sizeof(t->hash));
	t->size = m.size;
	t->piece_length = m.piece_length;
	t->pieces = m.pieces;
	t->hashes = bt_mem_dup(m.piece_hashes, (size_t)m.pieces * 20);
	bt_meta_fini(&m);
	bt_mem_free(all);
	if (t->size == 0)
		rig_fail("%s: nothing in it", path);
}

uint32_t
rig_piece_size(const struct rig_torrent *t, uint32_t piece)
{
	uint64_t left = t->size - (uint64_t)piece * t->piece_length;

	return left < t->piece_length ? (uint32_t)left : t->piece_length;
}

static uint32_t
blocks_in(uint32_t bytes)
{
	return (bytes + BT_BLOCK_LEN - 1) / BT_BLOCK_LEN;
}

uint64_t
rig_blocks(const struct rig_torrent *t)
{
	return (uint64_t)(t->pieces - 1) * blocks_in(t->piece_length) +
	       blocks_in(rig_piece_size(t, t->pieces - 1));
}

struct rig_block
rig_block(const struct rig_torrent *t, uint64_t n)
{
	uint32_t per = blocks_in(t->piece_length), left;
	struct rig_block b;

	b.piece = (uint32_t)(n / per);
	b.begin = (uint32_t)(n % per) * BT_BLOCK_LEN;
	left = rig_piece_size(t, b.piece) - b.begin;
	b.length = left < BT_BLOCK_LEN ? left : BT_BLOCK_LEN;
	return b;
}

void
rig_hello(
    const struct rig_torrent *t, uint32_t who, uint8_t out[BT_HANDSHAKE_LEN])
{
	char id[21];

	snprintf(id, sizeof(id), "-bench-%04x%09u", (unsigned)getpid() & 0xffff,
	    who);
	bt_handshake_put(out, t->hash, (const uint8_t *)id);
	memset(out + 20, 0, 8); /* BEP 3 alone: everybody speaks it */
}

size_t
rig_put_plain(uint8_t *p, enum bt_wire_id id)
{
	bt_put_be32(p, 1);
	p[4] = (uint8_t)id;
	return 5;
}

size_t
rig_put_request(uint8_t *p, struct rig_block b)
{
	bt_put_be32(p, 13);
	p[4] = BT_REQUEST;
	bt_put_be32(p + 5, b.piece);
	bt_put_be32(p + 9, b.begin);
	bt_put_be32(p + 13, b.length);
	return 17;
}

void
rig_put_piece(uint8_t *p, struct rig_block b)
{
	bt_put_be32(p, 9 + b.length);
	p[4] = BT_PIECE;
	bt_put_be32(p + 5, b.piece);
	bt_put_be32(p + 9, b.begin);
}

uint8_t *
rig_staging(size_t block)
{
	size_t n = RIG_BATCH * (RIG_GAP + block);
	uint8_t *p = bt_mem_pages(BT_MEM_CLEAR + n);

	memset(p, 1, BT_MEM_CLEAR + n);
	return p + BT_MEM_CLEAR;
}

void
rig_staging_free(uint8_t *staging)
{
	bt_mem_free(staging - BT_MEM_CLEAR);
}

/* Blocks that follow each other in the file are read in one call. */
size_t
rig_stage(int fd, const struct rig_torrent *t, const struct rig_block *b,
    unsigned n, uint8_t *staging)
{
	struct iovec iov[RIG_BATCH];
	uint64_t from = 0, at;
	size_t want = 0, used = 0;
	unsigned i, k = 0;

	for (i = 0; i < n; i++) {
		at = (uint64_t)b[i].piece * t->piece_length + b[i].begin;
		if (k > 0 && at != from + want) {
			if (preadv(fd, iov, (int)k, (off_t)from) !=
			    (ssize_t)want)
				rig_fail("preadv");
			k = 0;
			want = 0;
		}
		if (k == 0)
			from = at;
		rig_put_piece(staging + used, b[i]);
		iov[k].iov_base = staging + used + RIG_GAP;
		iov[k++].iov_len = b[i].length;
		want += b[i].length;
		used += RIG_GAP + b[i].length;
	}
	if (preadv(fd, iov, (int)k, (off_t)from) != (ssize_t)want)
		rig_fail("preadv");
	return used;
}
