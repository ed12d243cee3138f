/*
 * udptrk - UDP tracker packets, both directions.
 *
 * Pure: a packet in, a struct out, and back. Transaction and connection ids
 * are the caller's, and so is what to say to a port of 0. Views point into the
 * input. Packets longer than they need to be are no fault.
 *
 * Speaks   BEP 15, BEP 41 (URLData option)
 * Used by  net/udp, bt-tracker/udp
 * Tests    tests/unit/test_udptrk.c, test_udptrk_reply.c,
 *          tests/fuzz/fuzz_udptrk.c
 */
#ifndef BT_CODEC_UDPTRK_H
#define BT_CODEC_UDPTRK_H

#include "codec/announce.h"
#include "codec/scrape.h"

#define BT_UDP_MAGIC	UINT64_C(0x41727101980)	/* BEP 15 protocol_id */
#define BT_UDP_SCRAPE_MAX	74u	/* BEP 15: hashes in one packet */
#define BT_UDP_PACKET_MAX	2048u	/* what is read of a packet */
#define BT_UDP_REQUEST_MAX	1500u	/* what is written */

enum bt_udp_action {
	BT_UDP_CONNECT = 0,
	BT_UDP_ANNOUNCE = 1,
	BT_UDP_SCRAPE = 2,
	BT_UDP_ERROR = 3
};

struct bt_udp_request {
	enum bt_udp_action action;
	uint64_t connection;	/* BT_UDP_MAGIC for connect */
	uint32_t transaction;
	struct bt_announce announce;	/* BT_UDP_ANNOUNCE */
	struct bt_str url_data;	/* BEP 41, the path and query, or empty */
	const uint8_t (*hashes)[20];	/* BT_UDP_SCRAPE */
	size_t nhashes;
};

struct bt_udp_reply {
	enum bt_udp_action action;
	uint32_t transaction;
	uint64_t connection;	/* BT_UDP_CONNECT */
	uint32_t interval, incomplete, complete;	/* BT_UDP_ANNOUNCE */
	struct bt_str peers;	/* packed: 6 or 18 bytes each, by family */
	const uint8_t *rows;	/* BT_UDP_SCRAPE: 12 bytes each */
	size_t nrows;
	struct bt_str error;	/* BT_UDP_ERROR */
};

/*
 * Write a packet; url_data longer than 255 goes in several options. 0, or -1
 * when it does not fit out or, for a request, BT_UDP_REQUEST_MAX.
 */
int	bt_udp_request_put(struct bt_buf *out, const struct bt_udp_request *q);
int	bt_udp_reply_put(struct bt_buf *out, const struct bt_udp_reply *r);
/*
 * Read a packet. url_buf receives joined BEP 41 URLData, cut at url_max bytes;
 * hashes beyond BT_UDP_SCRAPE_MAX are left out, an unknown event is none, a
 * negative num_want -1.
 * -1 for what is not a request; *transaction_known says whether an error reply
 * could be addressed (the first 16 bytes were there): then q->connection and
 * q->transaction are filled even so.
 */
int	bt_udp_request_parse(struct bt_str in, struct bt_udp_request *q,
	    uint8_t *url_buf, size_t url_max, bool *transaction_known);
/* The info-hash of what begins as an announce, or NULL: all else is unread. */
const uint8_t	*bt_udp_request_hash(struct bt_str in);
/*
 * Read a reply; peers must divide by 6 or 18 (family 4 or 6), or be cut. A
 * negative interval is 0. -1 for what is not a reply.
 */
int	bt_udp_reply_parse(struct bt_str in, uint8_t family,
	    struct bt_udp_reply *r);
/* Row i of a scrape reply: the counts; row->info_hash is left as it is. */
void	bt_udp_reply_row(const struct bt_udp_reply *r, size_t i,
	    struct bt_scrape_row *row);

#endif
