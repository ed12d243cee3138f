/*
 * hasher - the one seam through which the bench programs hash pieces: with
 * OpenSSL one by one, or side by side with the best of base/lanes here.
 *
 * Used by  floor
 */
#ifndef BT_BENCH_HASHER_H
#define BT_BENCH_HASHER_H

#include "base/lanes.h"

#define HASHER_MAX 64u /* pieces together */

struct hasher {
	const char *name; /* "openssl" or "lanes" */
	bool is_lanes;
	struct bt_lanes lanes;
};

void	hasher_init(struct hasher *h, const char *name);
/* The SHA-1 of each of n whole pieces, one after the other in out. */
void	hasher_run(const struct hasher *h, const struct bt_str *in, unsigned n,
	    uint8_t *out);

#endif
