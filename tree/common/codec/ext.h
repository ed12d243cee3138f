/*
 * ext - the extension protocol's handshake, and which ids the two sides use.
 *
 * Pure. Views point into the input.
 *
 * Speaks   BEP 10 (handshake: m, v, p, reqq, yourip), 9 (metadata_size),
 *          BEP 21 (upload_only)
 * Used by  core/peer
 * Tests    tests/unit/test_ext.c, tests/fuzz/fuzz_ext.c
 */
#ifndef BT_CODEC_EXT_H
#define BT_CODEC_EXT_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/err.h"

#define BT_EXT_HANDSHAKE_MAX	(64u << 10)	/* bytes that we read of one */

struct bt_ext_handshake {
	struct bt_str client;	/* v: name and version, or empty */
	uint16_t port;		/* p: where it listens, 0 unknown */
	uint32_t reqq;		/* outstanding requests it takes, 0 unknown */
	int upload_only;	/* 0 or 1; -1 absent */
	struct bt_addr yourip;	/* how it sees us; family 0 absent, port 0 */
	/* message ids it wants us to use; 0: it does not take them */
	uint8_t id_upload_only;
	uint8_t id_metadata;	/* ut_metadata, BEP 9 */
	uint8_t id_pex;		/* ut_pex, BEP 11 */
	uint8_t id_donthave;	/* lt_donthave, BEP 54 */
	uint32_t metadata_size;	/* BEP 9, 0 absent */
};

/* The dictionary alone, without the message id. -1 when it does not fit. */
int	bt_ext_handshake_put(struct bt_buf *out,
	    const struct bt_ext_handshake *h);
/* Wrong types inside are passed over as absent; not a dictionary is -1. */
int	bt_ext_handshake_parse(struct bt_str in, struct bt_ext_handshake *h,
	    struct bt_err *err);

#endif
