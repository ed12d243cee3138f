/*
 * ask - a block that one side has asked the other for.
 *
 * Messages only.
 * Pure.
 *
 * Used by  core/peer
 * Tests    tests/unit/test_torrent*.c
 */
#ifndef BT_CORE_ASK_H
#define BT_CORE_ASK_H

#include <stdbool.h>
#include <stdint.h>

struct bt_request {		/* that we have out at a peer */
	uint32_t piece, block;
	int64_t at;		/* when it was asked */
	bool freed;		/* the picker may ask others; it may yet come */
	bool dup;		/* asked of another too when it was asked */
	bool cancelled;		/* and told so: a reject or the block will come */
};

struct bt_ask {			/* that a peer has out at us */
	uint32_t piece, begin, length;
	uint32_t sent;		/* of header and block; > 0: committed */
};

#endif
