/*
 * reader - cuts a stream of peer messages, whatever the slices it comes in.
 *
 * By codec/wire alone, so that what it sees does not depend on core/.
 */
#ifndef SIM_READER_H
#define SIM_READER_H

#include "codec/wire.h"

enum sim_read {
	SIM_READ_MORE,		/* all bytes are taken, no message ended */
	SIM_READ_HANDSHAKE,	/* hello is set */
	SIM_READ_HEAD,		/* msg is set; a block's bytes follow */
	SIM_READ_MESSAGE,	/* msg is whole; body if it was kept */
	SIM_READ_BAD		/* not a stream of messages */
};

struct sim_reader {
	bool shaken;
	struct bt_handshake hello;
	uint8_t head[BT_HANDSHAKE_LEN];
	size_t nhead;
	struct bt_wire_msg msg;
	uint32_t left;		/* of the body */
	bool in_body;
	uint8_t *body;		/* of a bitfield, nbody bytes */
	uint32_t nbody;
};

/* Take bytes up to the next of the above; returns how many. */
size_t	sim_reader_take(struct sim_reader *r, struct bt_str in,
	    enum sim_read *what);
/* Bytes of a block's body that came before its end. */
uint32_t	sim_reader_partial(const struct sim_reader *r);
void	sim_reader_fini(struct sim_reader *r);

#endif
