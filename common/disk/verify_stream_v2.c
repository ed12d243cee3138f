/* Files end to end from a pipe, piece by piece against their v2 roots. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec/merkle.h"
#include "disk/verify_stream.h"

#define PART (16u * BT_MERKLE_BLOCK) /* read and hashed at a time */

struct stream {
	int fd;
	const char *name;
	struct bt_merkle merkle;
	struct bt_merkle_sum sum;
	uint8_t buf[PART];
};

/* Fill buf with n bytes unless the stream ends before. */
static ssize_t
fill(struct stream *s, size_t n, struct bt_err *err)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = read(s->fd, s->buf + done, n - done);
		if (got == -1 && errno == EINTR)
			return bt_err_set(err, BT_EANSWER, "stopped");
		if (got == -1)
			return bt_err_sys(err, "cannot read '%s'", s->name);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* The leaves over n bytes of buf. */
static void
add_leaves(struct stream *s, size_t n)
{
	struct bt_str in[PART / BT_MERKLE_BLOCK];
	uint8_t leaves[PART / BT_MERKLE_BLOCK][BT_SHA256_LEN];
	size_t count = 0;

	for (size_t at = 0; at < n; at += BT_MERKLE_BLOCK)
		in[count++] = (struct bt_str){ s->buf + at,
			n - at < BT_MERKLE_BLOCK ? n - at : BT_MERKLE_BLOCK };
	bt_lanes_whole(&s->merkle.lanes, BT_HASH_SHA256, in, count, leaves[0]);
	bt_merkle_sum_add(&s->merkle, &s->sum, leaves[0], count);
}

/* A piece of so many bytes: how many came, and its node if all did; or -1. */
static int64_t
take_piece(struct stream *s, uint32_t bytes, unsigned height,
    uint8_t root[BT_SHA256_LEN], struct bt_err *err)
{
	uint32_t done = 0, want;
	ssize_t got;

	bt_merkle_sum_begin(&s->sum);
	while (done < bytes) {
		want = bytes - done < PART ? bytes - done : PART;
		got = fill(s, want, err);
		if (got == -1)
			return -1;
		done += (uint32_t)got;
		if ((uint32_t)got < want)
			return done;
		add_leaves(s, want);
	}
	bt_merkle_sum_end(&s->merkle, &s->sum, height, root);
	return done;
}

/* All pieces in turn; *came as in the header, but for what follows the end. */
static int
run(struct stream *s, const struct bt_layout *l, const struct bt_meta *m,
    const struct bt_verify_progress *progress, struct bt_bits *good,
    uint64_t *came, struct bt_err *err)
{
	uint8_t root[BT_SHA256_LEN];
	const uint8_t *want;
	uint32_t bytes;
	unsigned height;
	int64_t got;
	bool is_good;

	for (uint32_t p = 0; p < l->pieces; p++) {
		*came = bt_layout_offset(l, p, 0);
		want = bt_meta_piece_root(m, p, &bytes, &height);
		got = take_piece(s, bytes, height, root, err);
		if (got == -1)
			return -1;
		*came += (uint64_t)got;
		if ((uint64_t)got < bytes)
			return 0;
		is_good = memcmp(root, want, BT_SHA256_LEN) == 0;
		if (is_good)
			bt_bits_put(good, p);
		if (progress != NULL && progress->piece != NULL &&
		    !progress->piece(progress->arg, p, is_good))
			return bt_err_set(err, BT_EANSWER, "stopped");
	}
	*came = l->size;
	return 0;
}

int
bt_verify_stream_v2(int fd, const char *name, const struct bt_layout *l,
    const struct bt_meta *m, const struct bt_verify_progress *progress,
    struct bt_bits *good, uint64_t *came, struct bt_err *err)
{
	struct stream *s = bt_mem_alloc(sizeof(*s));
	ssize_t past = 0;
	int rc;

	assert(good->n == l->pieces && m->has_v2);
	bt_bits_fill(good, false);
	s->fd = fd;
	s->name = name;
	bt_merkle_init(&s->merkle);
	*came = 0;
	rc = run(s, l, m, progress, good, came, err);
	if (rc == 0 && *came == l->size)
		past = fill(s, 1, err);
	bt_mem_free(s);
	if (past == -1)
		return -1;
	*came += (uint64_t)past;
	return rc;
}
