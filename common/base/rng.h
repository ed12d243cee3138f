/*
 * rng - a seeded generator, so that a run can be replayed.
 *
 * xoshiro256** seeded by splitmix64 (Blackman and Vigna, public domain).
 * Not for secrets: those come from the operating system, in cli or net.
 * Pure: the seed is the caller's.
 *
 * Used by  core, tests/sim
 * Tests    tests/unit/test_rng.c
 */
#ifndef BT_BASE_RNG_H
#define BT_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct bt_rng {
	uint64_t s[4];
};

void	bt_rng_seed(struct bt_rng *r, uint64_t seed);
uint64_t	bt_rng_u64(struct bt_rng *r);
/* Uniform in 0 .. n-1, without bias; n > 0. */
uint32_t	bt_rng_below(struct bt_rng *r, uint32_t n);
/* Fill with random bytes. */
void	bt_rng_fill(struct bt_rng *r, void *p, size_t n);

#endif
