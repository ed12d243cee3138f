#include "disk/holes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "disk/files_priv.h"

/* SHA-1 of n zeros. */
static void
hash_zeros(uint64_t n, uint8_t sum[BT_SHA1_LEN])
{
	static const uint8_t zeros[1 << 16];
	struct bt_hash *h = bt_hash_new(BT_HASH_SHA1);
	size_t k;

	for (; n > 0; n -= k) {
		k = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);
		bt_hash_add(h, zeros, k);
	}
	bt_hash_end(h, sum);
	bt_hash_free(h);
}

/* What a piece of zeros hashes to: all but the last are of one size. */
struct zeros {
	uint8_t sum[2][BT_SHA1_LEN];
	bool known[2];
};

static bool
is_of_zeros(const struct bt_layout *l, uint32_t piece, struct zeros *z)
{
	bool last = piece == l->pieces - 1;

	if (!z->known[last])
		hash_zeros(bt_layout_piece_size(l, piece), z->sum[last]);
	z->known[last] = true;
	return memcmp(z->sum[last], bt_layout_hash(l, piece), BT_SHA1_LEN) == 0;
}

/* Pieces wholly in from .. to of the content, a hole, are not there. */
static void
skip_hole(const struct bt_layout *l, uint64_t from, uint64_t to,
    struct zeros *z, struct bt_bits *check)
{
	uint64_t piece = (from + l->piece_length - 1) / l->piece_length;

	for (; piece < l->pieces; piece++) {
		uint32_t i = (uint32_t)piece;
		uint64_t end =
		    bt_layout_offset(l, i, 0) + bt_layout_piece_size(l, i);

		if (end > to)
			break;
		if (bt_bits_has(check, i) && !is_of_zeros(l, i, z))
			bt_bits_drop(check, i);
	}
}

static void
skip_holes(const struct bt_layout *l, struct bt_files *files, uint32_t file,
    struct zeros *z, struct bt_bits *check)
{
	const struct bt_file f = bt_filetab_get(l->files, file);
	struct bt_err ignored = BT_ERR_INIT; /* hashing will say it */
	struct bt_files_ref ref;
	uint64_t at = 0, data;
	off_t found;

	if (bt_files_get(files, file, false, &ref, &ignored) == -1)
		return;
	while (at < f.size) {
		found = lseek(ref.fd, (off_t)(ref.base + at), SEEK_DATA);
		if (found == -1 && errno != ENXIO)
			break;
		data = found == -1 ? f.size : (uint64_t)found - ref.base;
		if (data > f.size)
			data = f.size;
		skip_hole(l, f.offset + at, f.offset + data, z, check);
		if (data == f.size)
			break;
		found = lseek(ref.fd, (off_t)(ref.base + data), SEEK_HOLE);
		if (found == -1)
			break;
		at = (uint64_t)found - ref.base;
	}
	bt_files_put(files, &ref);
}

void
bt_holes_skip(const struct bt_layout *l, struct bt_files *files,
    const struct bt_bits *which, struct bt_bits *check)
{
	struct zeros z = { .known = { false, false } };

	for (uint32_t i = bt_bits_next(which, 0); i < which->n;
	     i = bt_bits_next(which, i + 1))
		skip_holes(l, files, i, &z, check);
}
