/*
 * udptrk_bytes - how packets of BEP 15 are written down here.
 *
 * Used by  tests/unit/test_udptrk.c, tests/unit/test_udptrk_reply.c
 */
#ifndef BT_TESTS_UDPTRK_BYTES_H
#define BT_TESTS_UDPTRK_BYTES_H

#include "codec/udptrk.h"

#define HASH                                       \
	"\xc5\x45\x32\x29\x19\x12\xe1\x7b\x09\x1e" \
	"\xb1\x20\xcf\xd0\xe0\x87\x18\x10\xb8\x8f"

/* STR() is no constant expression to a file-scope initializer. */
#define LIT(lit)                                           \
	{                                                  \
		(const uint8_t *)("" lit), sizeof(lit) - 1 \
	}

#endif
