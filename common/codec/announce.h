/*
 * announce - the announce as both sides know it, and its HTTP form.
 *
 * One request and one reply structure serve HTTP and UDP, client and tracker;
 * codec/udptrk has the UDP form. Views of a parsed message point into the
 * input. An address in a request is what `ip=` said, not who sent it.
 * Pure.
 *
 * Speaks   BEP 3 (tracker), 7 (peers6), 12, 23 (compact), 24 (external ip),
 *          27, 31 (retry in), 21 (paused)
 * Used by  net/announcer, bt-scrape, bt-tracker
 * Tests    tests/unit/test_announce.c, test_announce_query.c (the tracker's
 *          side), tests/fuzz/fuzz_announce.c
 */
#ifndef BT_CODEC_ANNOUNCE_H
#define BT_CODEC_ANNOUNCE_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"

#define BT_ANNOUNCE_PEERS_MAX	2000u	/* taken from one reply */
#define BT_ANNOUNCE_REPLY_MAX	(1u << 20)	/* bytes of a reply's body */

enum bt_event {	/* values are BEP 15's */
	BT_EVENT_NONE = 0,
	BT_EVENT_COMPLETED = 1,
	BT_EVENT_STARTED = 2,
	BT_EVENT_STOPPED = 3,
	BT_EVENT_PAUSED = 4	/* BEP 21, HTTP only */
};

struct bt_announce {
	uint8_t info_hash[20];
	uint8_t peer_id[20];
	uint16_t port;
	uint64_t uploaded, downloaded, left;	/* bytes */
	enum bt_event event;
	uint32_t key;		/* hex in HTTP; has_key says if it was there */
	bool has_key;
	int32_t numwant;	/* -1: the tracker's default */
	bool compact;
	bool no_peer_id;
	struct bt_str trackerid;	/* escaped as read; raw as written */
	struct bt_addr ip;	/* ip= parameter; family 0 if absent */
};

struct bt_peer_name {		/* a dictionary peer that is a host name */
	struct bt_str host;
	uint16_t port;
};

struct bt_announce_reply {
	struct bt_str failure;	/* failure reason; then only retry_min counts.
				   Never empty if there was one: an empty one
				   reads as a sentence of ours */
	int32_t retry_min;	/* BEP 31 minutes; 0 none, -1 "never" */
	struct bt_str warning;
	uint32_t interval;	/* seconds, clamped to 0 .. 2^31-1; 0 absent */
	uint32_t min_interval;	/* seconds, 0 absent */
	int64_t complete, incomplete;	/* -1 absent */
	struct bt_str trackerid;	/* or empty */
	struct bt_addr external;	/* BEP 24; family 0 if absent */
	struct bt_addr *peers;	/* owned by the reply */
	uint32_t npeers;
	struct bt_peer_name *names;	/* owned; views point into the input */
	uint32_t nnames;
};

/*
 * Append the announce URL: base with the query added ('?' or '&' as needed).
 * BT_ELIMIT when it does not fit out's ceiling.
 */
int	bt_announce_url(struct bt_buf *out, struct bt_str base,
	    const struct bt_announce *a, struct bt_err *err);
/*
 * Read a tracker's body. Release with bt_announce_reply_fini(), which after -1
 * is not needed and does no harm. A failure reason is a reply like another: 0.
 * What is not a bencoded dictionary is BT_ENET; a value of a wrong type is
 * absent; peers with port 0 and those past BT_ANNOUNCE_PEERS_MAX are left out.
 */
int	bt_announce_reply_parse(struct bt_str body,
	    struct bt_announce_reply *r, struct bt_err *err);
void	bt_announce_reply_fini(struct bt_announce_reply *r);

/*
 * The tracker's side: read a query string. Refuses what BEP 3 does not allow
 * (info_hash or peer_id not 20 bytes, a port that is none, signs) with a
 * sentence fit for `failure reason`. Unknown and empty parameters are passed
 * over; the first of two counts. A byte count past 64 bits, and an absent
 * `left`, is UINT64_MAX: a leecher. A key that is not hex is folded to 32 bits.
 * ip= counts only if numeric.
 */
int	bt_announce_query_parse(struct bt_str query, struct bt_announce *a,
	    struct bt_err *err);
/*
 * Write a reply's body. Peers come as packed compact bytes, 6 or 18 each;
 * ids (20 bytes each, v4 then v6) are written only if !compact && ids != NULL.
 */
struct bt_announce_answer {
	uint32_t interval, min_interval;	/* seconds */
	uint32_t complete, incomplete, downloaded;
	struct bt_str peers4;	/* 6 bytes each */
	struct bt_str peers6;	/* 18 bytes each */
	const uint8_t *ids;
	bool compact;
	struct bt_addr external;	/* BEP 24: who asked; family 0 leaves out */
	struct bt_str warning;	/* warning message; empty: none */
};
/* Both: 0, or -1 with nothing written when out's ceiling forbids it. */
int	bt_announce_answer_put(struct bt_buf *out,
	    const struct bt_announce_answer *a);
/* d14:failure reason...e; retry_min as above. */
int	bt_announce_failure_put(struct bt_buf *out, struct bt_str reason,
	    int32_t retry_min);

#endif
