/*
 * announce [-c N] [-n torrents] [-P peers] [-p pid] [-s sources] [-t seconds]
 *	MODE ADDR:PORT
 *
 * Announces to a tracker at loopback, on one thread, as fast as it answers.
 * MODE is `close` (a connection for each, N at once, 64), `keep` (N that stay
 * open; one that the tracker closes is made anew) or `udp` (a socket for each
 * source, N announces of it in flight, 6). `hashes` prints the info-hashes, for
 * a tracker that wants to be told of them.
 *
 * Peers (10,000) are in torrents (1,000) by Zipf's law with exponent 0.8, 30 %
 * of them seeds, from so many (32) addresses 127.1.x.y. Each announces once by
 * UDP; then, for so many seconds (3), peers chosen at random want 50 others.
 * Each reply is looked at: status, form, length, and that it has counts.
 *
 *	mode=M replies=N bad=N lost=N peers=N per_s=N p50_us=N p99_us=N own_us=F
 *	    [server_us=F rss_kib=N]
 *
 * peers is the mean of a reply; server_us is pid's CPU time for a reply.
 */
#include "announce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "rig.h"

#define SEEDS 30u /* percent */
#define ZIPF 0.8
#define TIMES 4096u /* 64 for each power of two of microseconds */

static enum mode { CLOSE, KEEP, UDP } mode;
static double seconds = 3;
static pid_t pid;
static uint64_t times[TIMES];
static struct announce b = {
	.ntorrents = 1000, .npeers = 10000, .nsources = 32
};

void
announce_count_time(double took)
{
	uint64_t us = (uint64_t)(took * 1e6), at = us;
	unsigned shift = 0;

	while (at >= 128) {
		at >>= 1;
		shift++;
	}
	at += 64 * shift;
	times[at < TIMES ? at : TIMES - 1]++;
}

static uint64_t
quantile(double part)
{
	uint64_t sum = 0, at;
	unsigned shift;

	for (at = 0; at < TIMES - 1; at++) {
		sum += times[at];
		if ((double)sum >= part * (double)b.replies)
			break;
	}
	shift = at < 128 ? 0 : (unsigned)(at / 64 - 1);
	return (at - 64 * shift) << shift;
}

static void
make_torrents(void)
{
	struct bt_rng rng;

	bt_rng_seed(&rng, 1);
	b.hashes = bt_mem_array(b.ntorrents, sizeof(*b.hashes));
	b.escaped = bt_mem_array(b.ntorrents, sizeof(*b.escaped));
	for (uint32_t i = 0; i < b.ntorrents; i++)
		for (unsigned j = 0; j < 20; j++) {
			b.hashes[i][j] = (uint8_t)bt_rng_u64(&rng);
			snprintf(
			    b.escaped[i] + 3 * j, 4, "%%%02x", b.hashes[i][j]);
		}
}

/* The first torrent whose share, with those before, is above v. */
static uint32_t
torrent_at(const double *sums, double v)
{
	uint32_t from = 0, to = b.ntorrents - 1, at;

	while (from < to) {
		at = from + (to - from) / 2;
		if (sums[at] < v)
			from = at + 1;
		else
			to = at;
	}
	return from;
}

static void
make_peers(void)
{
	double *sums = bt_mem_array(b.ntorrents, sizeof(*sums)), sum = 0;

	bt_rng_seed(&b.rng, 2);
	for (uint32_t i = 0; i < b.ntorrents; i++)
		sums[i] = sum += pow(i + 1, -ZIPF);
	b.peers = bt_mem_array(b.npeers, sizeof(*b.peers));
	for (uint32_t i = 0; i < b.npeers; i++)
		b.peers[i] = (struct announce_peer){
			.torrent = torrent_at(sums,
			    sum * (double)(bt_rng_u64(&b.rng) >> 11) * 0x1p-53),
			.port = (uint16_t)(1024 + i / b.nsources % 60000),
			.seed = bt_rng_below(&b.rng, 100) < SEEDS,
		};
	bt_mem_free(sums);
}

uint32_t
announce_pick_peer(struct announce *a, uint32_t source)
{
	uint32_t n = (a->npeers - source + a->nsources - 1) / a->nsources;

	return source + a->nsources * (uint32_t)bt_rng_below(&a->rng, n);
}

static void
fill(void)
{
	uint32_t window = b.window;

	b.filling = true;
	if (mode != UDP)
		b.window = 6;
	announce_udp_run(&b, 0);
	b.filling = false;
	b.window = window;
	if (b.bad > 0 || b.replies < b.npeers)
		rig_fail("the tracker refuses announces");
	memset(times, 0, sizeof(times));
	b.replies = b.lost = b.told = 0;
}

static void
measure(const char *name)
{
	double began, own, server, took;

	began = rig_now();
	own = rig_cpu(0);
	server = rig_cpu(pid);
	if (mode == UDP)
		announce_udp_run(&b, began + seconds);
	else
		announce_http_run(&b, mode == KEEP, began + seconds);
	took = rig_now() - began;
	own = rig_cpu(0) - own;
	if (b.replies == 0)
		rig_fail("no replies");
	printf("mode=%s replies=%llu bad=%llu lost=%llu peers=%.1f "
	       "per_s=%.0f p50_us=%llu p99_us=%llu own_us=%.2f",
	    name, (unsigned long long)b.replies, (unsigned long long)b.bad,
	    (unsigned long long)b.lost, (double)b.told / (double)b.replies,
	    (double)b.replies / took, (unsigned long long)quantile(0.5),
	    (unsigned long long)quantile(0.99), own * 1e6 / (double)b.replies);
	if (pid != 0)
		printf(" server_us=%.2f rss_kib=%llu",
		    (rig_cpu(pid) - server) * 1e6 / (double)b.replies,
		    (unsigned long long)rig_status(pid, "VmRSS"));
	printf("\n");
}

static int
print_hashes(void)
{
	for (uint32_t i = 0; i < b.ntorrents; i++) {
		for (unsigned j = 0; j < 20; j++)
			printf("%02x", b.hashes[i][j]);
		printf("\n");
	}
	return 0;
}

static void
take_option(int ch, const char *arg)
{
	switch (ch) {
	case 'c':
		b.window = (uint32_t)rig_number(arg, 1);
		break;
	case 'n':
		b.ntorrents = (uint32_t)rig_number(arg, 1);
		break;
	case 'P':
		b.npeers = (uint32_t)rig_number(arg, 1);
		break;
	case 'p':
		pid = (pid_t)rig_number(arg, 1);
		break;
	case 's':
		b.nsources = (uint32_t)rig_number(arg, 1);
		break;
	case 't':
		seconds = (double)rig_number(arg, 1);
		break;
	default:
		rig_fail("usage: announce [-c N] [-n torrents] [-P peers] "
			 "[-p pid] [-s sources] [-t seconds] MODE ADDR:PORT");
	}
}

int
main(int argc, char **argv)
{
	static const char *const modes[] = { "close", "keep", "udp" };
	const char *name;
	int ch;

	while ((ch = getopt(argc, argv, "c:n:P:p:s:t:")) != -1)
		take_option(ch, optarg);
	name = optind < argc ? argv[optind] : "";
	make_torrents();
	if (strcmp(name, "hashes") == 0)
		return print_hashes();
	for (ch = 0; ch < 3 && strcmp(name, modes[ch]) != 0; ch++)
		continue;
	if (ch == 3 || optind + 2 != argc)
		take_option('?', NULL);
	mode = (enum mode)ch;
	if (b.window == 0)
		b.window = mode == UDP ? 6 : 64;
	if (mode == UDP && b.window > ANNOUNCE_SLOTS)
		b.window = ANNOUNCE_SLOTS;
	if (b.nsources > b.npeers || b.npeers / b.nsources > 60000)
		rig_fail("too few peers or sources");
	b.to = rig_addr(argv[optind + 1]);
	rig_raise_files();
	make_peers();
	announce_udp_open(&b);
	fill();
	measure(name);
	return 0;
}
