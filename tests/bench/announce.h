/*
 * announce - what the ways to announce share: peers, where they are, and what
 * was answered so far.
 *
 * Touches: sockets, clocks.
 *
 * Used by  announce, announce_udp, announce_http
 */
#ifndef BT_BENCH_ANNOUNCE_H
#define BT_BENCH_ANNOUNCE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define ANNOUNCE_WANT 50u	/* peers */
#define ANNOUNCE_SLOTS 64u	/* at most, in flight of a source */
#define ANNOUNCE_EVENTS 256

struct announce_peer {
	uint32_t torrent;
	uint16_t port;
	bool seed;
};

struct announce_slot {
	double sent;		/* 0: free */
	uint32_t transaction;
	uint32_t peer;
	size_t n;
	uint8_t packet[98];
};

struct announce_source {	/* and its UDP socket */
	struct sockaddr_in addr;
	int fd;
	uint64_t connection;
	double since;		/* it was given */
	uint32_t next_fill;	/* how many of its peers announced */
	struct announce_slot slots[ANNOUNCE_SLOTS];
};

/* Peer i is at source i % nsources. */
struct announce {
	uint32_t ntorrents, npeers, nsources;
	uint32_t window;	/* in flight: of each source by UDP, or in all */
	struct sockaddr_in to;
	struct bt_rng rng;
	uint8_t (*hashes)[20];
	char (*escaped)[61];
	struct announce_peer *peers;
	struct announce_source *sources;
	bool filling;		/* each peer announces once */
	uint64_t replies, bad, lost, told;
};

/* One of those at that source. */
uint32_t	announce_pick_peer(struct announce *a, uint32_t source);
/* A reply came after so many seconds. */
void	announce_count_time(double took);

/* A socket for each source. */
void	announce_udp_open(struct announce *a);
/* Until `end`, or while filling until each peer has announced. */
void	announce_udp_run(struct announce *a, double end);
/* A new connection for each, or some that stay open. */
void	announce_http_run(struct announce *a, bool keep, double end);

#endif
