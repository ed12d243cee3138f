#include "base/lanes.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/lanes_priv.h"
#include "base/rd.h"

#define BLOCK 64u
#define TURN 16u     /* blocks, at least: a change of streams costs some */
#define TOGETHER 64u /* streams looked at at once */

const uint32_t bt_lanes_sha1_k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
	0xca62c1d6 };
const uint32_t bt_lanes_sha256_k[64] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

static bool
is_always_here(void)
{
	return true;
}

static void
openssl_sha1(uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	bt_hash_blocks(BT_HASH_SHA1, h[0], from[0], blocks);
}

static void
openssl_sha256(uint32_t *const h[], const uint8_t *const from[], size_t blocks)
{
	bt_hash_blocks(BT_HASH_SHA256, h[0], from[0], blocks);
}

/* The cost is that of its kernels for AVX2; ours go first where SHA-NI is. */
const struct bt_lanes_kernel bt_lanes_openssl[] = {
	{ "openssl", BT_HASH_SHA1, 1, 270, is_always_here, openssl_sha1 },
	{ "openssl", BT_HASH_SHA256, 1, 500, is_always_here, openssl_sha256 },
};

/*
 * What i streams of one length cost with a kernel: those beyond its width take
 * turns (see run_all), and places that are left empty cost as much as full ones.
 */
static void
choose(struct bt_lanes *l, enum bt_hash_kind kind,
    const struct bt_lanes_kernel *const here[], size_t n)
{
	unsigned best, cost;

	l->pick[kind][0] = NULL;
	for (unsigned i = 1; i <= BT_LANES_WIDTH_MAX; i++) {
		best = UINT_MAX;
		for (size_t k = 0; k < n; k++) {
			cost = here[k]->cost * BT_LANES_WIDTH_MAX;
			if (i > here[k]->width)
				cost = cost / here[k]->width * i;
			if (cost < best) {
				best = cost;
				l->pick[kind][i] = here[k];
			}
		}
	}
}

static void
choose_all(struct bt_lanes *l, enum bt_hash_kind kind)
{
	const struct bt_lanes_kernel *here[16], *k;
	size_t n = 0;

	for (size_t i = 0; (k = bt_lanes_kernels[i]) != NULL; i++)
		if (k->kind == kind && k->is_here()) {
			assert(n < sizeof(here) / sizeof(here[0]));
			here[n++] = k;
		}
	choose(l, kind, here, n);
}

void
bt_lanes_init(struct bt_lanes *l)
{
	choose_all(l, BT_HASH_SHA1);
	choose_all(l, BT_HASH_SHA256);
}

void
bt_lanes_init_only(struct bt_lanes *l, const struct bt_lanes_kernel *k)
{
	assert(k->is_here());
	bt_lanes_init(l);
	choose(l, k->kind, &k, 1);
}

unsigned
bt_lanes_width(const struct bt_lanes *l, enum bt_hash_kind kind)
{
	return l->pick[kind][BT_LANES_WIDTH_MAX]->width;
}

/* Whole blocks of one stream. */
struct run {
	uint32_t *state;
	const uint8_t *p;
	size_t blocks;
};

/*
 * Advance the first n streams by some blocks. A kernel that is wider repeats the
 * first stream in its other places, into a state of no use.
 */
static void
advance(const struct bt_lanes_kernel *k, struct run *r, size_t n, size_t blocks)
{
	uint32_t *state[BT_LANES_WIDTH_MAX], unused[8] = { 0 };
	const uint8_t *from[BT_LANES_WIDTH_MAX];

	for (size_t i = 0; i < BT_LANES_WIDTH_MAX; i++) {
		state[i] = i < n ? r[i].state : unused;
		from[i] = i < n ? r[i].p : r[0].p;
	}
	k->run(state, from, blocks);
	for (size_t i = 0; i < n; i++) {
		r[i].p += BLOCK * blocks;
		r[i].blocks -= blocks;
	}
}

/* Longest first; how many have blocks left. */
static size_t
sort(struct run *r, size_t n)
{
	struct run t;
	size_t k;

	for (size_t i = 1; i < n; i++) {
		t = r[i];
		for (k = i; k > 0 && r[k - 1].blocks < t.blocks; k--)
			r[k] = r[k - 1];
		r[k] = t;
	}
	while (n > 0 && r[n - 1].blocks == 0)
		n--;
	return n;
}

static size_t
shortest(const struct run *r, size_t n)
{
	size_t blocks = r[0].blocks;

	for (size_t i = 1; i < n; i++)
		if (r[i].blocks < blocks)
			blocks = r[i].blocks;
	return blocks;
}

/*
 * The longest go first, to the end of the shortest of them. Where a few more are
 * left than a kernel takes, all get closer to their ends in turns: one that was
 * left over would run alone.
 */
static void
run_all(
    const struct bt_lanes *l, enum bt_hash_kind kind, struct run *r, size_t n)
{
	const struct bt_lanes_kernel *k;
	size_t m, blocks, left;

	for (n = sort(r, n); n > 0;) {
		k = l->pick[kind]
			   [n < BT_LANES_WIDTH_MAX ? n : BT_LANES_WIDTH_MAX];
		m = n < k->width ? n : k->width;
		blocks = shortest(r, m);
		if (n > m && n < 2 * m && m > 1 && blocks > TURN) {
			advance(k, r, m, blocks / 4 > TURN ? blocks / 4 : TURN);
			n = sort(r, n);
			continue;
		}
		advance(k, r, m, blocks);
		left = 0;
		for (size_t i = 0; i < n; i++)
			if (r[i].blocks > 0)
				r[left++] = r[i];
		n = left;
	}
}

static const uint32_t *
first_state(enum bt_hash_kind kind)
{
	static const uint32_t sha1[8] = { 0x67452301, 0xefcdab89, 0x98badcfe,
		0x10325476, 0xc3d2e1f0 };
	static const uint32_t sha256[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372,
		0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	return kind == BT_HASH_SHA1 ? sha1 : sha256;
}

void
bt_lanes_begin(struct bt_lane *lane, enum bt_hash_kind kind)
{
	memcpy(lane->state, first_state(kind), sizeof(lane->state));
	lane->kind = kind;
	lane->n = 0;
}

/* The blocks that parts of an earlier call and of this one make. */
static size_t
fill_tails(
    const struct bt_lanes_feed *f, size_t n, size_t *used, struct run *runs)
{
	size_t nruns = 0, held;

	for (size_t i = 0; i < n; i++) {
		held = f[i].lane->n % BLOCK;
		used[i] = 0;
		if (held == 0 || f[i].n == 0)
			continue;
		used[i] = f[i].n < BLOCK - held ? f[i].n : BLOCK - held;
		memcpy(f[i].lane->tail + held, f[i].p, used[i]);
		if (held + used[i] == BLOCK)
			runs[nruns++] = (struct run){ f[i].lane->state,
				f[i].lane->tail, 1 };
	}
	return nruns;
}

static void
add(const struct bt_lanes *l, enum bt_hash_kind kind,
    const struct bt_lanes_feed *f, size_t n)
{
	struct run runs[TOGETHER];
	size_t used[TOGETHER], nruns, rest;

	nruns = fill_tails(f, n, used, runs);
	run_all(l, kind, runs, nruns);
	nruns = 0;
	for (size_t i = 0; i < n; i++) {
		assert(f[i].lane->kind == kind);
		if (f[i].n - used[i] >= BLOCK)
			runs[nruns++] = (struct run){ f[i].lane->state,
				f[i].p + used[i], (f[i].n - used[i]) / BLOCK };
	}
	run_all(l, kind, runs, nruns);
	for (size_t i = 0; i < n; i++) {
		rest = (f[i].n - used[i]) % BLOCK;
		if (rest > 0)
			memcpy(f[i].lane->tail, f[i].p + f[i].n - rest, rest);
		f[i].lane->n += f[i].n;
	}
}

void
bt_lanes_add(const struct bt_lanes *l, const struct bt_lanes_feed *f, size_t n)
{
	size_t some;

	for (; n > 0; n -= some, f += some) {
		some = n < TOGETHER ? n : TOGETHER;
		add(l, f[0].lane->kind, f, some);
	}
}

static size_t
length_of(enum bt_hash_kind kind)
{
	return kind == BT_HASH_SHA1 ? BT_SHA1_LEN : BT_SHA256_LEN;
}

/* FIPS 180-4, 5.1.1: a one, zeros, and the length in bits. */
static size_t
pad(const struct bt_lane *lane, uint8_t to[2 * BLOCK])
{
	size_t held = lane->n % BLOCK;
	size_t blocks = held < BLOCK - 8 ? 1 : 2;

	memcpy(to, lane->tail, held);
	memset(to + held, 0, BLOCK * blocks - held);
	to[held] = 0x80;
	bt_put_be64(to + BLOCK * blocks - 8, lane->n * 8);
	return blocks;
}

static void
end(const struct bt_lanes *l, struct bt_lane *const lanes[], size_t n,
    uint8_t *out)
{
	uint8_t last[TOGETHER][2 * BLOCK];
	struct run runs[TOGETHER];
	enum bt_hash_kind kind = lanes[0]->kind;

	for (size_t i = 0; i < n; i++) {
		assert(lanes[i]->kind == kind);
		runs[i] = (struct run){ lanes[i]->state, last[i],
			pad(lanes[i], last[i]) };
	}
	run_all(l, kind, runs, n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < length_of(kind) / 4; k++, out += 4)
			bt_put_be32(out, lanes[i]->state[k]);
}

void
bt_lanes_end(const struct bt_lanes *l, struct bt_lane *const lanes[], size_t n,
    uint8_t *out)
{
	size_t some;

	for (; n > 0; n -= some, lanes += some) {
		some = n < TOGETHER ? n : TOGETHER;
		end(l, lanes, some, out);
		out += some * length_of(lanes[0]->kind);
	}
}

void
bt_lanes_whole(const struct bt_lanes *l, enum bt_hash_kind kind,
    const struct bt_str *in, size_t n, uint8_t *out)
{
	struct bt_lane lanes[TOGETHER], *ends[TOGETHER];
	struct bt_lanes_feed feeds[TOGETHER];
	size_t some;

	for (; n > 0; n -= some, in += some) {
		some = n < TOGETHER ? n : TOGETHER;
		for (size_t i = 0; i < some; i++) {
			bt_lanes_begin(&lanes[i], kind);
			ends[i] = &lanes[i];
			feeds[i] = (struct bt_lanes_feed){ &lanes[i], in[i].p,
				in[i].n };
		}
		bt_lanes_add(l, feeds, some);
		bt_lanes_end(l, ends, some, out);
		out += some * length_of(kind);
	}
}
