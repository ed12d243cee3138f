/*
 * drain [-f FROM] [-n bytes] [-o FILE] [-p pid] [-w blocks] ADDR:PORT TORRENT
 *
 * A fixed receiver: takes each block of TORRENT once from one seed, with so many
 * requests (256) in flight in the order of the content, 256 KiB a receive, and
 * throws them away. A sender's cost moves with who receives, so seeds are
 * compared by this.
 *
 * -f binds FROM; -n stops after so many bytes; -o keeps the blocks in FILE; -p
 * tells the processor time that pid took meanwhile, and its memory. One line:
 *
 *	drain wall=S first=S mbps=N bytes=N cpu=S/GB [seed_cpu=S/GB ...]
 *
 * wall begins with the dial; first is when the first block had come.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "rig.h"

#define WINDOW 256u	    /* 4 MiB: more than any of them has in the socket */
#define SLACK 16u	    /* requests in one send */
#define WIRE_MAX (2u << 20) /* a message */

struct drain {
	struct rig_torrent t;
	int fd, out;
	unsigned window;
	uint64_t blocks; /* wanted */
	uint64_t next;	 /* the first that may have to be asked */
	uint64_t asked;	 /* and not here */
	uint64_t got, bytes;
	uint8_t *is_here; /* of each block; 2 is asked */
	bool is_unchoked;
	double began, first;

	/* of the message whose body comes */
	uint64_t body_left;
	struct bt_wire_msg m;
};

static void
ask(struct drain *d)
{
	uint8_t out[SLACK * 17];
	size_t n = 0;

	while (d->is_unchoked && d->asked < d->window) {
		while (d->next < d->blocks && d->is_here[d->next] != 0)
			d->next++;
		if (d->next == d->blocks)
			break;
		n += rig_put_request(out + n, rig_block(&d->t, d->next));
		d->is_here[d->next++] = 2;
		d->asked++;
		if (n == sizeof(out)) {
			rig_send(d->fd, out, n);
			n = 0;
		}
	}
	if (n > 0)
		rig_send(d->fd, out, n);
}

/* BEP 3: whoever chokes drops the requests. */
static void
forget(struct drain *d)
{
	uint64_t i;

	for (i = d->blocks; i-- > 0;)
		if (d->is_here[i] == 2) {
			d->is_here[i] = 0;
			d->next = i;
		}
	d->asked = 0;
	d->is_unchoked = false;
}

static void
begin_message(struct drain *d)
{
	uint64_t n;

	switch (d->m.id) {
	case BT_UNCHOKE:
		d->is_unchoked = true;
		break;
	case BT_CHOKE:
		forget(d);
		break;
	case BT_PIECE:
		n = ((uint64_t)d->m.index * d->t.piece_length + d->m.begin) /
		    BT_BLOCK_LEN;
		errno = 0;
		if (n >= d->blocks ||
		    rig_block(&d->t, n).length != d->m.length ||
		    rig_block(&d->t, n).begin != d->m.begin)
			rig_fail("a block that nobody asked for");
		if (d->is_here[n] == 2)
			d->asked--;
		if (d->is_here[n] != 1) {
			d->is_here[n] = 1;
			d->got++;
			d->bytes += d->m.length;
		}
		break;
	}
}

static void
take_body(struct drain *d, const uint8_t *p, size_t n)
{
	off_t at;

	if (d->m.id == BT_PIECE && d->out != -1) {
		at = (off_t)d->m.index * d->t.piece_length + d->m.begin +
		     d->m.length - (off_t)d->body_left;
		if (pwrite(d->out, p, n, at) != (ssize_t)n)
			rig_fail("pwrite");
	}
	d->body_left -= n;
	if (d->m.id == BT_PIECE && d->body_left == 0 && d->first == 0)
		d->first = rig_now() - d->began;
}

/* Returns the bytes of an unfinished head, moved to the front. */
static size_t
take(struct drain *d, uint8_t *buf, size_t n)
{
	size_t at = 0, some;
	uint32_t body;
	ssize_t head;

	while (at < n) {
		if (d->body_left > 0) {
			some = n - at < d->body_left ? n - at
						     : (size_t)d->body_left;
			take_body(d, buf + at, some);
			at += some;
			continue;
		}
		head = bt_wire_decode_head((struct bt_str){ buf + at, n - at },
		    WIRE_MAX, &d->m, &body);
		errno = 0;
		if (head < 0)
			rig_fail("a message that is not one");
		if (head == 0)
			break;
		at += (size_t)head;
		d->body_left = body;
		begin_message(d);
	}
	memmove(buf, buf + at, n - at);
	return n - at;
}

static void
run(struct drain *d, const struct sockaddr_in *from,
    const struct sockaddr_in *to)
{
	uint8_t *buf = rig_alloc(RIG_RECV + BT_WIRE_HEAD_MAX);
	uint8_t hello[BT_HANDSHAKE_LEN], interested[5];
	struct bt_handshake h;
	size_t n, left = 0;

	d->fd = rig_dial(from, to);
	rig_hello(&d->t, 0, hello);
	rig_send(d->fd, hello, sizeof(hello));
	rig_recv_all(d->fd, hello, sizeof(hello));
	errno = 0;
	if (bt_handshake_parse((struct bt_str){ hello, sizeof(hello) }, &h) !=
		BT_HANDSHAKE_LEN ||
	    memcmp(h.info_hash, d->t.hash, 20) != 0)
		rig_fail("not a handshake of this torrent");
	/* aria2 loses what comes with the handshake: so only now. */
	rig_send(d->fd, interested, rig_put_plain(interested, BT_INTERESTED));
	while (d->got < d->blocks || d->body_left > 0) {
		n = rig_recv(d->fd, buf + left, RIG_RECV);
		errno = 0;
		if (n == 0)
			rig_fail("the seed closed after %llu bytes",
			    (unsigned long long)d->bytes);
		left = take(d, buf, left + n);
		if (d->asked + SLACK <= d->window)
			ask(d);
	}
	close(d->fd);
	bt_mem_free(buf);
}

static void
report(const struct drain *d, pid_t pid, double wall, double seed_cpu)
{
	double gb = (double)d->bytes / 1e9;

	printf("drain wall=%.3f first=%.4f mbps=%.0f bytes=%llu cpu=%.3f", wall,
	    d->first, gb * 1e3 / wall, (unsigned long long)d->bytes,
	    rig_cpu(0) / gb);
	if (pid != 0)
		printf(" seed_cpu=%.3f vmhwm_kib=%llu rssanon_kib=%llu",
		    seed_cpu / gb, (unsigned long long)rig_status(pid, "VmHWM"),
		    (unsigned long long)rig_status(pid, "RssAnon"));
	putchar('\n');
}

int
main(int argc, char **argv)
{
	static struct drain d = { .out = -1, .window = WINDOW };
	struct sockaddr_in from = { .sin_family = AF_INET }, to;
	uint64_t most = UINT64_MAX;
	double cpu;
	pid_t pid = 0;
	int c;

	while ((c = getopt(argc, argv, "f:n:o:p:w:")) != -1) {
		if (c == 'f')
			from = rig_addr(optarg);
		else if (c == 'n')
			most = rig_number(optarg, 1);
		else if (c == 'o')
			d.out =
			    open(optarg, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		else if (c == 'p')
			pid = (pid_t)rig_number(optarg, 1);
		else if (c == 'w')
			d.window = (unsigned)rig_number(optarg, SLACK);
		else
			return 2;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "usage: drain [-f FROM] [-n bytes] [-o FILE] "
				"[-p pid] [-w blocks] ADDR:PORT TORRENT\n");
		return 2;
	}
	to = rig_addr(argv[optind]);
	rig_torrent_read(&d.t, argv[optind + 1]);
	d.blocks = rig_blocks(&d.t);
	if (most / BT_BLOCK_LEN < d.blocks)
		d.blocks = (most + BT_BLOCK_LEN - 1) / BT_BLOCK_LEN;
	d.is_here = bt_mem_zero(d.blocks, 1);
	cpu = rig_cpu(pid);
	d.began = rig_now();
	run(&d, &from, &to);
	report(&d, pid, rig_now() - d.began, rig_cpu(pid) - cpu);
	return 0;
}
