/*
 * hashfloor - how fast this machine can read and hash, with no torrent around it.
 *
 *	hashfloor [-t threads] [-s streams] [-c KiB] [-p KiB] [-m] file
 *	hashfloor -k
 *
 * Threads (two unless given) take turns at the file: each reads parts (-c KiB,
 * all of them half a MiB unless given) of some pieces (-p KiB, 2048 unless given)
 * with pread, or maps them with -m, and hashes them side by side with the best
 * kernel. With -k the kernels alone, on one thread and from the cache: GB/s by how
 * many streams there are.
 */
#include <assert.h>
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/lanes.h"

#define THREADS_MAX 64u
#define STREAMS_MAX 64u

static unsigned nthreads = 2, streams;
static size_t chunk, piece = (size_t)2 << 20;
static bool maps;
static int file;
static uint64_t size;
static atomic_ullong next;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds for 16 KiB of one stream, of n fed at once. */
static double
time_one(
    const struct bt_lanes *l, enum bt_hash_kind kind, uint8_t *buf, unsigned n)
{
	struct bt_lane lanes[STREAMS_MAX];
	struct bt_lanes_feed f[STREAMS_MAX];
	double best = 1e9, took;
	unsigned rounds = 64 / n + 1;

	for (unsigned i = 0; i < n; i++) {
		bt_lanes_begin(&lanes[i], kind);
		f[i] = (struct bt_lanes_feed){ &lanes[i], buf + i * (16 << 10),
			16 << 10 };
	}
	for (unsigned k = 0; k < 20; k++) {
		took = now();
		for (unsigned i = 0; i < rounds; i++)
			bt_lanes_add(l, f, n);
		took = (now() - took) / rounds;
		if (took < best)
			best = took;
	}
	return best / n;
}

static void
row(const char *name, const struct bt_lanes *l, enum bt_hash_kind kind,
    uint8_t *buf)
{
	static const unsigned counts[] = { 1, 2, 3, 4, 5, 6, 8, 12, 16, 32 };

	printf("| %s | %s |", kind == BT_HASH_SHA1 ? "SHA-1" : "SHA-256", name);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		printf(" %.2f |",
		    (16 << 10) / time_one(l, kind, buf, counts[i]) / 1e9);
	putchar('\n');
}

static void
table(void)
{
	uint8_t *buf = malloc(STREAMS_MAX * (16 << 10));
	struct bt_lanes l;

	assert(buf != NULL);
	memset(buf, 7, STREAMS_MAX * (16 << 10));
	puts("| digest | kernel | 1 | 2 | 3 | 4 | 5 | 6 | 8 | 12 | 16 | 32 |");
	puts("|---|---|---|---|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; bt_lanes_kernels[i] != NULL; i++) {
		const struct bt_lanes_kernel *k = bt_lanes_kernels[i];

		if (!k->is_here()) {
			printf("| %s | %s | not here |\n",
			    k->kind == BT_HASH_SHA1 ? "SHA-1" : "SHA-256",
			    k->name);
			continue;
		}
		bt_lanes_init_only(&l, k);
		row(k->name, &l, k->kind, buf);
	}
	bt_lanes_init(&l);
	row("chosen", &l, BT_HASH_SHA1, buf);
	row("chosen", &l, BT_HASH_SHA256, buf);
	free(buf);
}

/* The bytes from `at` on, in buf or in a mapping of their own. */
static uint8_t *
bytes(uint64_t at, size_t n, uint8_t *buf)
{
	size_t done = 0;
	ssize_t got;
	void *p;

	if (maps) {
		p = mmap(NULL, n, PROT_READ, MAP_SHARED | MAP_POPULATE, file,
		    (off_t)at);
		if (p == MAP_FAILED)
			err(1, "mmap");
		return p;
	}
	for (; done < n; done += (size_t)got) {
		got = pread(file, buf + done, n - done, (off_t)(at + done));
		if (got <= 0)
			err(1, "pread");
	}
	return buf;
}

/* The piece-sized streams from `at` on, chunk by chunk. */
static void
hash(const struct bt_lanes *l, uint64_t at, uint8_t *buf)
{
	struct bt_lane lanes[STREAMS_MAX], *ends[STREAMS_MAX];
	struct bt_lanes_feed f[STREAMS_MAX];
	uint8_t sums[STREAMS_MAX * BT_SHA1_LEN];
	unsigned n = 0;

	for (; n < streams && at + n * piece < size; n++) {
		bt_lanes_begin(&lanes[n], BT_HASH_SHA1);
		ends[n] = &lanes[n];
	}
	for (size_t done = 0; done < piece; done += chunk) {
		for (unsigned i = 0; i < n; i++) {
			uint64_t from = at + i * piece + done;
			size_t len =
			    piece - done < chunk ? piece - done : chunk;

			if (from >= size)
				len = 0;
			else if (size - from < len)
				len = (size_t)(size - from);
			f[i] = (struct bt_lanes_feed){ &lanes[i], NULL, len };
			if (len > 0)
				f[i].p = bytes(from, len, buf + i * chunk);
		}
		bt_lanes_add(l, f, n);
		for (unsigned i = 0; maps && i < n; i++)
			if (f[i].n > 0)
				munmap((void *)(uintptr_t)f[i].p, f[i].n);
	}
	bt_lanes_end(l, ends, n, sums);
}

static void *
work(void *arg)
{
	uint8_t *buf = aligned_alloc(4096, STREAMS_MAX * chunk);
	struct bt_lanes l;
	uint64_t at;

	assert(buf != NULL);
	bt_lanes_init(&l);
	while ((at = atomic_fetch_add(&next, streams * piece)) < size)
		hash(&l, at, buf);
	free(buf);
	return arg;
}

static void
run(const char *path)
{
	pthread_t t[THREADS_MAX];
	struct bt_lanes l;
	struct stat st;
	double took;

	bt_lanes_init(&l);
	if (streams == 0)
		streams = bt_lanes_width(&l, BT_HASH_SHA1);
	if (chunk == 0)
		chunk = ((size_t)512 << 10) / streams / 4096 * 4096;
	if (chunk > piece)
		chunk = piece;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file == -1 || fstat(file, &st) == -1)
		err(1, "%s", path);
	size = (uint64_t)st.st_size;
	took = now();
	for (unsigned i = 0; i < nthreads; i++)
		if (pthread_create(&t[i], NULL, work, NULL) != 0)
			errx(1, "no thread");
	for (unsigned i = 0; i < nthreads; i++)
		pthread_join(t[i], NULL);
	took = now() - took;
	printf("%.3f s, %.2f GB/s: %u threads, %u streams of %zu KiB, "
	       "%zu KiB of each at once, %s\n",
	    took, (double)size / took / 1e9, nthreads, streams, piece >> 10,
	    chunk >> 10,
	    l.pick[BT_HASH_SHA1]
		  [streams < BT_LANES_WIDTH_MAX ? streams : BT_LANES_WIDTH_MAX]
		      ->name);
	close(file);
}

int
main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:kmp:s:t:")) != -1)
		switch (c) {
		case 'c':
			chunk = (size_t)strtoul(optarg, NULL, 10) << 10;
			break;
		case 'k':
			table();
			return 0;
		case 'm':
			maps = true;
			break;
		case 'p':
			piece = (size_t)strtoul(optarg, NULL, 10) << 10;
			break;
		case 's':
			streams = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			nthreads = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	if (optind + 1 != argc || nthreads < 1 || nthreads > THREADS_MAX ||
	    streams > STREAMS_MAX || piece == 0 || chunk > piece) {
		fputs("usage: hashfloor [-m] [-c KiB] [-p KiB] [-s streams] "
		      "[-t threads] file\n"
		      "       hashfloor -k\n",
		    stderr);
		return 2;
	}
	run(argv[optind]);
	return 0;
}
