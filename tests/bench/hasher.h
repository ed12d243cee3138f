/*
 * hasher - the one seam through which the bench programs hash pieces.
 *
 * Used by  floor, hashfloor
 */
#ifndef BT_BENCH_HASHER_H
#define BT_BENCH_HASHER_H

#include <stddef.h>
#include <stdint.h>

#define HASHER_MAX 64u /* pieces together */

enum hasher { HASHER_OPENSSL, HASHER_BEST = HASHER_OPENSSL };

struct hasher_job {
	const uint8_t *p;
	size_t n;
	uint8_t digest[20];
};

enum hasher	hasher_named(const char *name); /* "openssl" */
const char	*hasher_name(enum hasher with);
void	hasher_sha1(enum hasher with, struct hasher_job *j, unsigned n);

#endif
