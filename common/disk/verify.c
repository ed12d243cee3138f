#include "disk/verify.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "codec/merkle.h"
#include "disk/files_priv.h"
#include "disk/sweep.h"

struct check {
	struct bt_files *files;
	const struct bt_layout *layout;
	const struct bt_meta *meta; /* v2's hashes; NULL: v1's alone */
	const struct bt_verify_progress *progress;
	struct bt_bits *good;
};

static int
check_read(void *arg, unsigned seat, uint64_t offset, uint8_t *to, size_t n,
    struct bt_err *err)
{
	const struct check *c = arg;

	(void)seat;
	return bt_files_read(c->files, offset, to, n, err);
}

static void
check_advise(void *arg, unsigned seat, uint64_t offset, uint64_t n)
{
	const struct check *c = arg;

	(void)seat;
	bt_files_advise(c->files, offset, n);
}

static bool
tell(struct check *c, uint32_t piece, bool good)
{
	if (good)
		bt_bits_put(c->good, piece);
	else
		bt_bits_drop(c->good, piece);
	if (c->progress == NULL || c->progress->piece == NULL)
		return true;
	return c->progress->piece(c->progress->arg, piece, good);
}

/* In a hybrid check_root() came before, and left its answer in good. */
static bool
check_piece(void *arg, uint32_t piece, const uint8_t *sha1)
{
	struct check *c = arg;
	bool good;

	good = sha1 != NULL &&
	       memcmp(sha1, bt_layout_hash(c->layout, piece), BT_SHA1_LEN) == 0;
	if (c->meta != NULL && c->meta->has_v2)
		good = good && bt_bits_has(c->good, piece);
	return tell(c, piece, good);
}

/* How much of a piece is of a file, and how high its tree is. */
static uint32_t
check_span(void *arg, uint32_t piece, unsigned *height)
{
	const struct check *c = arg;
	uint32_t bytes;

	bt_meta_piece_root(c->meta, piece, &bytes, height);
	return bytes;
}

static bool
check_root(void *arg, uint32_t piece, const uint8_t *root)
{
	struct check *c = arg;
	bool good;

	good = root != NULL &&
	       memcmp(root, bt_meta_piece_root(c->meta, piece, NULL, NULL),
		   BT_SHA256_LEN) == 0;
	if (!c->meta->has_v1)
		return tell(c, piece, good);
	if (good)
		bt_bits_put(c->good, piece);
	else
		bt_bits_drop(c->good, piece);
	return true;
}

int
bt_verify_meta(struct bt_files *f, const struct bt_layout *l,
    const struct bt_meta *m, unsigned threads,
    const struct bt_verify_progress *progress, struct bt_bits *good,
    struct bt_err *err)
{
	struct check c = { .files = f,
		.layout = l,
		.meta = m,
		.progress = progress,
		.good = good };
	struct bt_sweep s = { .size = l->size,
		.piece_length = l->piece_length,
		.threads = threads,
		.read = check_read,
		.advise = check_advise,
		.piece = check_piece,
		.arg = &c };

	assert(good->n == l->pieces);
	if (m->has_v2) {
		s.span = check_span;
		s.root = check_root;
		s.no_sha1 = !m->has_v1;
	}
	return bt_sweep_run(&s, err);
}

int
bt_verify_run(struct bt_files *f, const struct bt_layout *l,
    const struct bt_bits *which, unsigned threads,
    const struct bt_verify_progress *progress, struct bt_bits *good,
    struct bt_err *err)
{
	struct check c = {
		.files = f, .layout = l, .progress = progress, .good = good
	};
	struct bt_sweep s = { .size = l->size,
		.piece_length = l->piece_length,
		.which = which,
		.threads = threads,
		.read = check_read,
		.advise = check_advise,
		.piece = check_piece,
		.arg = &c };

	assert(good->n == l->pieces);
	return bt_sweep_run(&s, err);
}
