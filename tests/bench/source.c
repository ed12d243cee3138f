/*
 * source [-w WAY] ADDR[:PORT] TORRENT FILE
 *
 * A fixed sender: a seed that unchokes whoever is interested and answers
 * requests in order, 16 blocks in one preadv into a staging buffer and one
 * send, on a thread for each connection. A receiver's cost moves with who
 * sends, so leeches are compared by this.
 *
 * It is also what a seed costs at the least: -w says how blocks come to the
 * socket (ways.c): copy, as above, sendfile, splice or map.
 *
 * Prints "listening ADDR:PORT", serves until SIGTERM, and then tells
 *
 *	source wall=S mbps=N bytes=N cpu=S/GB connections=N
 *
 * where wall is from the first request to the last block sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "rig.h"
#include "ways.h"

#define QUEUE 4096u /* requests of one connection */
#define INPUT (64u << 10)

static struct {
	struct rig_torrent t;
	int in, listening;
	const char *way;
	pthread_mutex_t lock; /* of what follows */
	uint64_t bytes;
	unsigned connections;
	double first, last;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct connection {
	int fd;
	bool is_over;
	size_t have; /* bytes in input */
	unsigned head, queued;
	struct rig_block queue[QUEUE];
	uint8_t input[INPUT];
	struct ways ways;
};

/* Whoever goes away ends its connection and nothing else. */
static void
give(struct connection *c, const void *p, size_t n)
{
	const uint8_t *at = p;
	ssize_t did;

	while (n > 0 && !c->is_over) {
		did = send(c->fd, at, n, MSG_NOSIGNAL);
		if (did > 0) {
			at += did;
			n -= (size_t)did;
		} else if (errno != EINTR)
			c->is_over = true;
	}
}

static void
take_message(struct connection *c, const struct bt_wire_msg *m)
{
	struct rig_block b = { m->index, m->begin, m->length };
	uint8_t out[5];

	if (m->id == BT_INTERESTED)
		give(c, out, rig_put_plain(out, BT_UNCHOKE));
	if (m->id != BT_REQUEST)
		return;
	if (c->queued == QUEUE || b.piece >= all.t.pieces || b.length == 0 ||
	    b.length > BT_REQUEST_MAX ||
	    b.begin > rig_piece_size(&all.t, b.piece) ||
	    b.length > rig_piece_size(&all.t, b.piece) - b.begin) {
		c->is_over = true;
		return;
	}
	c->queue[(c->head + c->queued++) % QUEUE] = b;
}

static void
take_input(struct connection *c)
{
	struct bt_wire_msg m;
	size_t at = 0;
	ssize_t n;

	while (
	    (n = bt_wire_decode((struct bt_str){ c->input + at, c->have - at },
		 INPUT - 4, &m)) > 0) {
		at += (size_t)n;
		take_message(c, &m);
	}
	if (n < 0)
		c->is_over = true;
	memmove(c->input, c->input + at, c->have - at);
	c->have -= at;
}

static void
hear(struct connection *c, int flags)
{
	ssize_t n = recv(c->fd, c->input + c->have, INPUT - c->have, flags);

	if (n > 0) {
		c->have += (size_t)n;
		take_input(c);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->is_over = true;
}

static void
serve_batch(struct connection *c)
{
	struct rig_block b[RIG_BATCH];
	uint64_t bytes = 0;
	unsigned n;

	for (n = 0; n < RIG_BATCH && n < c->queued; n++) {
		b[n] = c->queue[(c->head + n) % QUEUE];
		bytes += b[n].length;
	}
	c->head = (c->head + n) % QUEUE;
	c->queued -= n;
	pthread_mutex_lock(&all.lock);
	if (all.first == 0)
		all.first = rig_now();
	pthread_mutex_unlock(&all.lock);
	if (!ways_send(&c->ways, c->fd, b, n))
		c->is_over = true;
	pthread_mutex_lock(&all.lock);
	all.bytes += bytes;
	all.last = rig_now();
	pthread_mutex_unlock(&all.lock);
}

static bool
greet(struct connection *c)
{
	uint8_t hello[BT_HANDSHAKE_LEN];
	uint32_t n = (all.t.pieces + 7) / 8, i;
	struct bt_wire_msg m = { .id = BT_BITFIELD };
	uint8_t *bits, start[BT_WIRE_HEAD_MAX];
	struct bt_handshake h;
	size_t have = 0;
	ssize_t did;

	while (have < sizeof(hello)) {
		did = recv(c->fd, hello + have, sizeof(hello) - have, 0);
		if (did <= 0)
			return false;
		have += (size_t)did;
	}
	if (bt_handshake_parse((struct bt_str){ hello, have }, &h) !=
		BT_HANDSHAKE_LEN ||
	    memcmp(h.info_hash, all.t.hash, 20) != 0)
		return false;
	rig_hello(&all.t, 1, hello);
	give(c, hello, sizeof(hello));
	bits = bt_mem_zero(n, 1);
	for (i = 0; i < all.t.pieces; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	give(c, start, bt_wire_encode_head(start, &m, n));
	give(c, bits, n);
	bt_mem_free(bits);
	return true;
}

static void *
serve(void *arg)
{
	struct connection *c = arg;
	int on = 1;

	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ways_open(&c->ways, all.way, &all.t, all.in);
	if (greet(c)) {
		while (!c->is_over) {
			hear(c, c->queued > 0 ? MSG_DONTWAIT : 0);
			if (c->queued > 0 && !c->is_over)
				serve_batch(c);
		}
	}
	close(c->fd);
	ways_close(&c->ways);
	bt_mem_free(c);
	return NULL;
}

static void *
accept_all(void *arg)
{
	struct connection *c;
	pthread_t thread;
	int fd;

	(void)arg;
	while ((fd = accept4(all.listening, NULL, NULL, SOCK_CLOEXEC)) != -1) {
		c = rig_alloc(sizeof(*c));
		memset(c, 0, sizeof(*c));
		c->fd = fd;
		pthread_mutex_lock(&all.lock);
		all.connections++;
		pthread_mutex_unlock(&all.lock);
		if (pthread_create(&thread, NULL, serve, c) != 0)
			rig_fail("pthread_create");
		pthread_detach(thread);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at;
	char host[INET_ADDRSTRLEN];
	pthread_t thread;
	sigset_t ends;
	double cpu;
	int number;

	all.way = "copy";
	if (argc == 6 && strcmp(argv[1], "-w") == 0) {
		all.way = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc != 4 || !ways_is(all.way)) {
		fprintf(stderr,
		    "usage: source [-w copy|sendfile|splice|map] ADDR[:PORT] "
		    "TORRENT FILE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	at = rig_addr(argv[1]);
	rig_torrent_read(&all.t, argv[2]);
	if ((all.in = open(argv[3], O_RDONLY)) == -1)
		rig_fail("cannot open '%s'", argv[3]);
	all.listening = rig_listen(&at);
	printf("listening %s:%u\n",
	    inet_ntop(AF_INET, &at.sin_addr, host, sizeof(host)),
	    ntohs(at.sin_port));
	fflush(stdout);
	cpu = rig_cpu(0);
	if (pthread_create(&thread, NULL, accept_all, NULL) != 0)
		rig_fail("pthread_create");
	sigwait(&ends, &number);
	cpu = rig_cpu(0) - cpu;
	pthread_mutex_lock(&all.lock);
	printf("source wall=%.3f mbps=%.0f bytes=%llu cpu=%.3f "
	       "connections=%u\n",
	    all.last - all.first,
	    all.bytes > 0 ? (double)all.bytes / 1e6 / (all.last - all.first)
			  : 0,
	    (unsigned long long)all.bytes,
	    all.bytes > 0 ? cpu / ((double)all.bytes / 1e9) : 0,
	    all.connections);
	return 0;
}
