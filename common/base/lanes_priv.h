/*
 * lanes_priv - the kernels of lanes, for its own files and their tests.
 *
 * lanes_x86*.c are built for that processor family and lanes_other.c for all
 * others (the Makefile chooses); both have the same names.
 */
#ifndef BT_BASE_LANES_PRIV_H
#define BT_BASE_LANES_PRIV_H

#include "base/lanes.h"

/* On functions and never on files: the rest of the program runs anywhere. */
#define LANES_TARGET(isa)	__attribute__((target(isa)))
#define LANES_INLINE	static inline __attribute__((always_inline))

extern const uint32_t bt_lanes_sha1_k[4];	/* FIPS 180-4, 4.2.1 */
extern const uint32_t bt_lanes_sha256_k[64];	/* FIPS 180-4, 4.2.2 */

/* kernels, OpenSSL's first */
extern const struct bt_lanes_kernel bt_lanes_openssl[2];
extern const struct bt_lanes_kernel bt_lanes_shani[5];
extern const struct bt_lanes_kernel bt_lanes_avx2[2];
extern const struct bt_lanes_kernel bt_lanes_avx512[2];

#endif
