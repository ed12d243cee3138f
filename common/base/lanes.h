/*
 * lanes - SHA-1 and SHA-256 of many streams side by side.
 *
 * A lane is one digest under way: a value of some hundred bytes without heap,
 * fed in parts of any length. Several lanes fed in one call share a processor's
 * vectors: which kernel runs is chosen by what the processor has and by how
 * many streams are left, so one stream alone costs no more than with OpenSSL,
 * which is what processors without a kernel of ours get for all.
 * Pure: what the processor has is a value that the caller holds.
 *
 * Used by  disk/sweep, disk/verify_stream, disk/jobs, bt-make
 * Tests    tests/unit/test_lanes.c, tests/unit/test_lanes_x16.c
 */
#ifndef BT_BASE_LANES_H
#define BT_BASE_LANES_H

#include "base/hash.h"

#define BT_LANES_WIDTH_MAX	16u	/* streams of the widest kernel */

/* Advances `width` states, each over its own `blocks` blocks of 64 bytes. */
struct bt_lanes_kernel {
	const char *name;
	enum bt_hash_kind kind;
	unsigned width;
	unsigned cost;		/* of a step of all, against the others */
	bool (*is_here)(void);	/* has this processor what it takes? */
	void (*run)(uint32_t *const state[], const uint8_t *const from[],
	    size_t blocks);
};

/* All kernels of this build, also those the processor lacks; NULL at the end. */
extern const struct bt_lanes_kernel *const bt_lanes_kernels[];

/* What runs when 1 .. BT_LANES_WIDTH_MAX streams wait. Open, no owner. */
struct bt_lanes {
	const struct bt_lanes_kernel *pick[2][BT_LANES_WIDTH_MAX + 1];
};

/* The best of this processor. Costs microseconds: once a thread or a sweep. */
void	bt_lanes_init(struct bt_lanes *l);
/* Always this kernel for its kind, which must be here. Tests, measurements. */
void	bt_lanes_init_only(struct bt_lanes *l, const struct bt_lanes_kernel *k);
/* How many streams side by side pay best: as many as are fed at once. */
unsigned	bt_lanes_width(const struct bt_lanes *l, enum bt_hash_kind kind);

/* A digest under way. */
struct bt_lane {
	uint32_t state[8];
	enum bt_hash_kind kind;
	uint64_t n;		/* bytes so far */
	uint8_t tail[64];	/* the last n % 64 of them */
};

/* Bytes for a lane; no lane is in a call twice, all are of one kind. */
struct bt_lanes_feed {
	struct bt_lane *lane;
	const uint8_t *p;	/* borrowed; may be NULL when n is 0 */
	size_t n;
};

void	bt_lanes_begin(struct bt_lane *lane, enum bt_hash_kind kind);
void	bt_lanes_add(const struct bt_lanes *l, const struct bt_lanes_feed *f,
	    size_t n);
/*
 * The digests of n lanes, one after the other in out, BT_SHA1_LEN or
 * BT_SHA256_LEN bytes each. A lane is begun anew before it is fed again.
 */
void	bt_lanes_end(const struct bt_lanes *l, struct bt_lane *const lanes[],
	    size_t n, uint8_t *out);
/* All of that for whole inputs: out receives a digest for each of n. */
void	bt_lanes_whole(const struct bt_lanes *l, enum bt_hash_kind kind,
	    const struct bt_str *in, size_t n, uint8_t *out);

#endif
