/*
 * wire - peer messages: bytes in, struct out, and the way back.
 *
 * Touches no heap. A decoded message borrows from the input, so use it before
 * those bytes are consumed. A fault cannot be resumed.
 * Pure.
 *
 * Speaks   BEP 3 (handshake, ids 0-9), BEP 6 (13-17), BEP 10 (20); other ids
 *          pass through unread
 * Used by  core/peer, tests/sim
 * Tests    tests/unit/test_wire.c, tests/fuzz/fuzz_wire.c
 */
#ifndef BT_CODEC_WIRE_H
#define BT_CODEC_WIRE_H

#include <sys/types.h>

#include "base/str.h"

#define BT_BLOCK_LEN	16384u	/* BEP 3: 2^14, what all clients ask for */
#define BT_REQUEST_MAX	131072u	/* BEP 3: 2^17, the most a request may ask */
#define BT_HANDSHAKE_LEN	68u
#define BT_WIRE_HEAD_MAX	17u	/* longest fixed part: length to request */

enum bt_wire_id {
	BT_CHOKE = 0, BT_UNCHOKE = 1, BT_INTERESTED = 2,
	BT_NOT_INTERESTED = 3, BT_HAVE = 4, BT_BITFIELD = 5, BT_REQUEST = 6,
	BT_PIECE = 7, BT_CANCEL = 8, BT_PORT = 9,
	BT_SUGGEST = 13, BT_HAVE_ALL = 14, BT_HAVE_NONE = 15, BT_REJECT = 16,
	BT_ALLOWED_FAST = 17,	/* BEP 6 */
	BT_EXTENDED = 20,	/* BEP 10 */
	BT_KEEPALIVE = 256	/* not on the wire: a length of zero */
};

struct bt_handshake {
	uint8_t reserved[8];
	uint8_t info_hash[20];
	uint8_t peer_id[20];
};

#define BT_RESERVED_EXT(r)	((r)[5] & 0x10)	/* BEP 10 */
#define BT_RESERVED_FAST(r)	((r)[7] & 0x04)	/* BEP 6 */
#define BT_RESERVED_DHT(r)	((r)[7] & 0x01)	/* BEP 5 */

/* Our reserved bits: BEP 6 and BEP 10. */
void	bt_handshake_put(uint8_t out[BT_HANDSHAKE_LEN],
	    const uint8_t info_hash[20], const uint8_t peer_id[20]);
/*
 * Bytes taken (68), 0 when more are needed, BT_WIRE_ESHAPE as soon as a byte
 * cannot be of a handshake.
 */
ssize_t	bt_handshake_parse(struct bt_str in, struct bt_handshake *h);

/*
 * index is BT_PORT's port too. The payload of BT_EXTENDED has at least one
 * byte, the extended message's own id.
 */
struct bt_wire_msg {
	unsigned id;			/* enum bt_wire_id, or an unknown id */
	uint32_t index, begin, length;	/* zero when the message has none */
	struct bt_str payload;		/* what follows the fixed fields */
};

#define BT_WIRE_ETOOBIG	(-1)
#define BT_WIRE_ESHAPE	(-2)

/*
 * Decode the first message in `in`, whose length prefix may not exceed `max`
 * (itself below 2^31 - 4).
 * Returns the bytes it took, 0 when more are needed, or a negative fault;
 * after a fault the stream cannot be resumed. Fails at the earliest byte
 * that proves the message bad (a length that does not fit its id).
 */
ssize_t	bt_wire_decode(struct bt_str in, uint32_t max, struct bt_wire_msg *m);

/*
 * Decode only the fixed part, for messages whose body is streamed (piece,
 * bitfield, extended, unknown): returns the bytes of the fixed part, and
 * *body_len the bytes still to come; 0 or a fault as above. m->payload is
 * empty, m->length of a piece is its block's length.
 */
ssize_t	bt_wire_decode_head(struct bt_str in, uint32_t max,
	    struct bt_wire_msg *m, uint32_t *body_len);

/* Write the fixed part; returns its bytes. body_len counts what will follow. */
size_t	bt_wire_encode_head(uint8_t out[BT_WIRE_HEAD_MAX],
	    const struct bt_wire_msg *m, uint32_t body_len);

#endif
