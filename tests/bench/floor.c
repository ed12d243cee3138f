/*
 * floor [-h openssl|lanes] [-k pieces] [-t 1|2] [-w 1|2] TORRENT FILE COPY
 *
 * What moving these bytes costs without a protocol: a process sends the blocks
 * of FILE with the headers of piece messages, 16 in one preadv into a staging
 * buffer and one send; this one receives 256 KiB at a time straight to their
 * place, hashes so many pieces together (16), and writes each whole piece.
 *
 * -t 2 hashes on a thread of its own, where -w 2 writes too. COPY is written
 * and compared by whoever asks. Prints one line:
 *
 *	floor wall=S recv_cpu=S/GB send_cpu=S/GB bytes=N ...
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rd.h"
#include "hasher.h"
#include "rig.h"

#define BATCHES 3u /* being received, waiting, being hashed */

/* Pieces received and not yet hashed. */
struct batch {
	uint8_t *bytes;
	uint32_t first, n; /* pieces */
	bool full;
};

struct job {
	struct rig_torrent t;
	struct hasher hasher;
	unsigned together, threads, writer;
	int out;
	struct batch batch[BATCHES];
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

static void
send_all_of(const struct rig_torrent *t, int in, int fd)
{
	uint8_t *staging = rig_staging(BT_BLOCK_LEN);
	uint64_t n, all = rig_blocks(t);
	struct rig_block b[RIG_BATCH];
	unsigned k;

	for (n = 0; n < all; n += k) {
		for (k = 0; k < RIG_BATCH && n + k < all; k++)
			b[k] = rig_block(t, n + k);
		rig_send(fd, staging, rig_stage(in, t, b, k, staging));
	}
}

/*
 * Receive the blocks of a batch in order, each to its place and its header
 * aside, as much as one call takes up to 256 KiB.
 */
static void
receive(struct job *j, int fd, struct batch *b)
{
	static uint8_t heads[RIG_BATCH][RIG_GAP];
	struct iovec iov[2 * RIG_BATCH];
	uint64_t bytes = 0, at = 0;	       /* at: of the payload */
	uint32_t i, into = 0, left, take, put; /* into: of header and block */
	struct msghdr m = { .msg_iov = iov };
	ssize_t did;

	for (i = 0; i < b->n; i++)
		bytes += rig_piece_size(&j->t, b->first + i);
	while (at < bytes) {
		m.msg_iovlen = 0;
		for (i = 0, put = into;
		     i < RIG_BATCH && at + (uint64_t)i * BT_BLOCK_LEN < bytes;
		     i++, put = 0) {
			uint8_t *block =
			    b->bytes + at + (uint64_t)i * BT_BLOCK_LEN;

			left = (uint32_t)(b->bytes + bytes - block);
			take = left < BT_BLOCK_LEN ? left : BT_BLOCK_LEN;
			if (put < RIG_GAP)
				iov[m.msg_iovlen++] =
				    (struct iovec){ heads[i] + put,
					    RIG_GAP - put };
			put = put > RIG_GAP ? put - RIG_GAP : 0;
			iov[m.msg_iovlen++] =
			    (struct iovec){ block + put, take - put };
		}
		if ((did = recvmsg(fd, &m, 0)) <= 0)
			rig_fail("recvmsg");
		for (;; did -= put, into = 0, at += take) {
			left = (uint32_t)(bytes - at);
			take = left < BT_BLOCK_LEN ? left : BT_BLOCK_LEN;
			put = RIG_GAP + take - into;
			if (did < (ssize_t)put)
				break;
		}
		into += (uint32_t)did;
	}
}

static void
write_batch(struct job *j, const struct batch *b)
{
	uint32_t i, n;

	for (i = 0; i < b->n; i++) {
		n = rig_piece_size(&j->t, b->first + i);
		if (pwrite(j->out, b->bytes + (size_t)i * j->t.piece_length, n,
			(off_t)(b->first + i) * j->t.piece_length) !=
		    (ssize_t)n)
			rig_fail("pwrite");
	}
}

static void
hash_batch(struct job *j, const struct batch *b)
{
	uint8_t digests[HASHER_MAX * BT_SHA1_LEN];
	struct bt_str in[HASHER_MAX];
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		in[i].p = b->bytes + (size_t)i * j->t.piece_length;
		in[i].n = rig_piece_size(&j->t, b->first + i);
	}
	hasher_run(&j->hasher, in, b->n, digests);
	if (memcmp(digests, j->t.hashes + (size_t)b->first * BT_SHA1_LEN,
		(size_t)b->n * BT_SHA1_LEN) != 0)
		rig_fail("a piece is not what was sent");
}

static void *
hash_beside(void *arg)
{
	struct job *j = arg;
	struct batch *b;
	uint32_t done = 0;
	unsigned i;

	for (i = 0; done < j->t.pieces; i = (i + 1) % BATCHES) {
		b = &j->batch[i];
		pthread_mutex_lock(&j->lock);
		while (!b->full)
			pthread_cond_wait(&j->moved, &j->lock);
		pthread_mutex_unlock(&j->lock);
		hash_batch(j, b);
		if (j->writer == 2)
			write_batch(j, b);
		done += b->n;
		pthread_mutex_lock(&j->lock);
		b->full = false;
		pthread_cond_signal(&j->moved);
		pthread_mutex_unlock(&j->lock);
	}
	return NULL;
}

static void
receive_all(struct job *j, int fd)
{
	uint32_t first = 0;
	pthread_t beside;
	struct batch *b;
	unsigned i;

	if (j->threads == 2 &&
	    pthread_create(&beside, NULL, hash_beside, j) != 0)
		rig_fail("pthread_create");
	for (i = 0; first < j->t.pieces; i = (i + 1) % BATCHES) {
		b = &j->batch[j->threads == 2 ? i : 0];
		pthread_mutex_lock(&j->lock);
		while (b->full)
			pthread_cond_wait(&j->moved, &j->lock);
		pthread_mutex_unlock(&j->lock);
		b->first = first;
		b->n = j->t.pieces - first < j->together ? j->t.pieces - first
							 : j->together;
		first += b->n;
		receive(j, fd, b);
		if (j->threads == 1)
			hash_batch(j, b);
		if (j->writer == 1)
			write_batch(j, b);
		if (j->threads == 2) {
			pthread_mutex_lock(&j->lock);
			b->full = true;
			pthread_cond_signal(&j->moved);
			pthread_mutex_unlock(&j->lock);
		}
	}
	if (j->threads == 2)
		pthread_join(beside, NULL);
}

static void
run(struct job *j, const char *file)
{
	struct sockaddr_in at = rig_addr("127.0.0.1");
	int listening = rig_listen(&at), fd, in = open(file, O_RDONLY);
	double began, cpu, wall, gb = (double)j->t.size / 1e9;
	struct rusage sender;
	unsigned i;
	pid_t pid;

	if (in == -1)
		rig_fail("cannot open '%s'", file);
	/* Before the buffers are there, or each page would be copied. */
	if ((pid = fork()) == -1)
		rig_fail("fork");
	if (pid == 0) {
		send_all_of(&j->t, in, rig_dial(NULL, &at));
		_exit(0);
	}
	for (i = 0; i < (j->threads == 2 ? BATCHES : 1); i++)
		j->batch[i].bytes =
		    rig_alloc((size_t)j->together * j->t.piece_length);
	if ((fd = accept(listening, NULL, NULL)) == -1)
		rig_fail("accept");
	began = rig_now();
	cpu = rig_cpu(0);
	receive_all(j, fd);
	if (close(j->out) == -1)
		rig_fail("close");
	wall = rig_now() - began;
	cpu = rig_cpu(0) - cpu;
	if (wait4(pid, NULL, 0, &sender) == -1)
		rig_fail("wait4");
	printf("floor wall=%.3f recv_cpu=%.3f send_cpu=%.3f bytes=%llu hash=%s "
	       "together=%u threads=%u writer=%u vmhwm_kib=%llu\n",
	    wall, cpu / gb,
	    ((double)sender.ru_utime.tv_sec + (double)sender.ru_stime.tv_sec +
		(double)(sender.ru_utime.tv_usec + sender.ru_stime.tv_usec) /
		    1e6) /
		gb,
	    (unsigned long long)j->t.size, j->hasher.name, j->together,
	    j->threads, j->writer,
	    (unsigned long long)rig_status(getpid(), "VmHWM"));
}

int
main(int argc, char **argv)
{
	static struct job j = { .together = 16,
		.threads = 1,
		.writer = 1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.moved = PTHREAD_COND_INITIALIZER };
	const char *hash = "lanes";
	int c;

	while ((c = getopt(argc, argv, "h:k:t:w:")) != -1) {
		if (c == 'h')
			hash = optarg;
		else if (c == 'k')
			j.together = (unsigned)rig_number(optarg, 1);
		else if (c == 't')
			j.threads = (unsigned)rig_number(optarg, 1);
		else if (c == 'w')
			j.writer = (unsigned)rig_number(optarg, 1);
		else
			return 2;
	}
	if (argc - optind != 3 || j.together > HASHER_MAX || j.threads > 2 ||
	    j.writer > j.threads) {
		fprintf(stderr, "usage: floor [-h openssl|lanes] [-k pieces] "
				"[-t 1|2] [-w 1|2] TORRENT FILE COPY\n");
		return 2;
	}
	hasher_init(&j.hasher, hash);
	rig_torrent_read(&j.t, argv[optind]);
	j.out = open(argv[optind + 2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (j.out == -1)
		rig_fail("cannot open '%s'", argv[optind + 2]);
	run(&j, argv[optind + 1]);
	return 0;
}
