/*
 * storebench - what an announce costs in the tracker's store, alone.
 *
 *	storebench [TORRENTS PEERS [ANNOUNCES]]...
 *
 * Without operands: 1,000 torrents with 10,000 peers, 100,000 with 1,000,000,
 * one with 1,000,000, and 1,000,000 with one each. Peers are spread over the
 * torrents by zipf 0.8, three in ten are seeders, and each is told of up to 50.
 * Says for each: bytes of resident memory and of the store's own account for a
 * peer, and nanoseconds for one that joins, for one that comes again, and for
 * one that leaves while another joins.
 */
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"
#include "store.h"

#define WANT 50
#define ZIPF 0.8

struct bench {
	struct bt_store_limits limits;
	struct bt_store *store;
	struct bt_rng rng;
	uint32_t torrents, peers, announces;
	uint32_t *swarm_of; /* by peer */
	uint8_t room4[WANT * 6], room6[WANT * 18];
	uint64_t told;
};

static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static size_t
resident(void)
{
	unsigned long all, rss;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%lu %lu", &all, &rss) != 2)
		err(1, "/proc/self/statm");
	fclose(f);
	return (size_t)rss * (size_t)sysconf(_SC_PAGESIZE);
}

/* Each torrent has one peer, and the others fall by zipf. */
static void
spread(struct bench *b)
{
	double *cum = bt_mem_array(b->torrents, sizeof(*cum)), sum = 0, u;
	uint32_t lo, hi, mid;

	for (uint32_t i = 0; i < b->torrents; i++)
		cum[i] = sum += pow(i + 1, -ZIPF);
	b->swarm_of = bt_mem_array(b->peers, sizeof(*b->swarm_of));
	for (uint32_t i = 0; i < b->peers; i++) {
		u = (double)(bt_rng_u64(&b->rng) >> 11) / 9007199254740992.0 *
		    sum;
		for (lo = 0, hi = b->torrents - 1; lo < hi;) {
			mid = (lo + hi) / 2;
			if (cum[mid] > u)
				hi = mid;
			else
				lo = mid + 1;
		}
		b->swarm_of[i] = i < b->torrents ? i : lo;
	}
	bt_mem_free(cum);
}

static void
announce(struct bench *b, uint32_t i, uint32_t gen, enum bt_event event)
{
	struct bt_store_ask q = {
		.event = event, .seeder = i % 10 < 3, .want = WANT
	};
	struct bt_store_answer got = { .peers = { b->room4, b->room6 } };
	struct bt_err e;
	uint8_t ip[4];

	/* an odd multiple: different hashes, far apart */
	bt_put_be64(
	    q.info_hash, (b->swarm_of[i] + 1) * UINT64_C(0x9e3779b97f4a7c15));
	bt_put_be32(ip, 0x0b000000 + i);
	q.peer = bt_addr_v4(ip, (uint16_t)(6881 + gen));
	bt_put_be32(q.peer_id, i);
	bt_put_be32(q.peer_id + 4, gen);
	q.key = i + 1;
	if (bt_store_announce(b->store, &q, 1000, &b->rng, &got, &e) == -1)
		errx(1, "%s", e.text);
	b->told += got.n[0];
}

static void
run(uint32_t torrents, uint32_t peers, uint32_t announces)
{
	static const uint8_t secret[16] = "sixteen bytes...";
	struct bench *b = bt_mem_zero(1, sizeof(*b));
	uint32_t *order, *gen;
	double t0, t1, t2, t3;
	size_t before, after;

	b->torrents = torrents;
	b->peers = peers;
	b->announces = announces;
	b->limits.swarms_max = BT_STORE_SWARMS_MAX;
	b->limits.bytes_max = UINT64_MAX;
	bt_rng_seed(&b->rng, 1);
	spread(b);
	order = bt_mem_array(announces, sizeof(*order));
	gen = bt_mem_zero(peers, sizeof(*gen));
	for (uint32_t i = 0; i < announces; i++)
		order[i] = bt_rng_below(&b->rng, peers);
	before = resident();
	b->store = bt_store_new(1800000, &b->limits, secret, secret);
	t0 = now_ns();
	for (uint32_t i = 0; i < peers; i++)
		announce(b, i, 0, BT_EVENT_STARTED);
	t1 = now_ns();
	after = resident();
	for (uint32_t i = 0; i < announces; i++)
		announce(b, order[i], 0, BT_EVENT_NONE);
	t2 = now_ns();
	for (uint32_t i = 0; i < announces; i++) {
		announce(b, order[i], gen[order[i]], BT_EVENT_STOPPED);
		gen[order[i]]++;
		announce(b, order[i], gen[order[i]], BT_EVENT_STARTED);
	}
	t3 = now_ns();
	printf("%8u torrents %8u peers: %5.1f (%5.1f) bytes a peer, "
	       "join %4.0f ns, again %4.0f ns, leave and join %4.0f ns\n",
	    torrents, peers, (double)(after - before) / peers,
	    (double)bt_store_bytes(b->store) / peers, (t1 - t0) / peers,
	    (t2 - t1) / announces, (t3 - t2) / announces);
	fflush(stdout);
	bt_store_free(b->store);
	bt_mem_free(b->swarm_of);
	bt_mem_free(order);
	bt_mem_free(gen);
	bt_mem_free(b);
}

int
main(int argc, char **argv)
{
	if (argc == 1) {
		run(1000, 10000, 1000000);
		run(100000, 1000000, 1000000);
		run(1, 1000000, 1000000);
		run(1000000, 1000000, 1000000);
	}
	for (int i = 1; i + 1 < argc; i += 2)
		run((uint32_t)strtoul(argv[i], NULL, 10),
		    (uint32_t)strtoul(argv[i + 1], NULL, 10), 1000000);
	return 0;
}
