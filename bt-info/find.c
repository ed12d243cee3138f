/*
 * A torrent's files under other names: by size, then by hash.
 *
 * A file is proven by the pieces that are its own: all of them in v2, in v1 those
 * that lie wholly in it. A v1 file without such a piece is proven by one that it
 * shares, together with the files beside it, if those are few enough to try.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/signal.h"
#include "codec/merkle.h"
#include "core/layout.h"
#include "disk/walk.h"
#include "info.h"

#define PART (16u * BT_MERKLE_BLOCK)
#define SHARE_MAX 16u	/* files of a shared piece that are tried together */
#define TRIES_MAX 4096u /* ways to choose them */

struct find {
	const struct info *in;
	const struct bt_layout *layout;
	const char *dir;
	struct bt_walk walk;
	const struct bt_walk_file **by_size;
	const struct bt_walk_file **found; /* of each file, or NULL */
	struct bt_hash *sha1;
	struct bt_merkle merkle;
	struct bt_merkle_sum sum;
	uint8_t buf[PART];
};

static int
cmp_sizes(const void *a, const void *b)
{
	const struct bt_walk_file *x = *(const struct bt_walk_file *const *)a;
	const struct bt_walk_file *y = *(const struct bt_walk_file *const *)b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* How many there are of less than size bytes, or of size too. By bisection. */
static size_t
below(const struct find *f, uint64_t size, bool too)
{
	size_t lo = 0, hi = f->walk.n, mid;
	uint64_t at;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		at = f->by_size[mid]->size;
		if (at < size || (too && at == size))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Those of this size: where they begin in by_size, and how many. */
static size_t
candidates(const struct find *f, uint64_t size, size_t *n)
{
	size_t first = below(f, size, false);

	*n = below(f, size, true) - first;
	return first;
}

static int
open_it(const struct find *f, const struct bt_walk_file *c)
{
	char *path = bt_mem_printf("%s/%s", f->dir, c->path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	bt_mem_free(path);
	return fd;
}

/* Fill buf with n bytes at `at`. */
static bool
read_at(struct find *f, int fd, uint64_t at, size_t n)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = pread(fd, f->buf + done, n - done, (off_t)(at + done));
		if (got == -1 && errno == EINTR && bt_signal_caught() == 0)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* Add n bytes of a file to the SHA-1 under way. */
static bool
add_bytes(struct find *f, int fd, uint64_t at, uint64_t n)
{
	size_t len;

	for (; n > 0; at += len, n -= len) {
		len = n < PART ? (size_t)n : PART;
		if (!read_at(f, fd, at, len))
			return false;
		bt_hash_add(f->sha1, f->buf, len);
	}
	return true;
}

static bool
ends_right(struct find *f, uint32_t piece)
{
	uint8_t got[BT_SHA1_LEN];

	bt_hash_end(f->sha1, got);
	return memcmp(got, bt_layout_hash(f->layout, piece), BT_SHA1_LEN) == 0;
}

/* v2: is the piece, which begins at `at` in the file, right there? */
static bool
is_node(struct find *f, int fd, uint64_t at, uint32_t piece)
{
	const struct bt_meta *m = &f->in->meta;
	uint8_t leaf[BT_SHA256_LEN], root[BT_SHA256_LEN];
	const uint8_t *want;
	uint32_t bytes;
	unsigned height;
	size_t len;

	want = bt_meta_piece_root(m, piece, &bytes, &height);
	bt_merkle_sum_begin(&f->sum);
	for (uint32_t i = 0; i < bytes; i += (uint32_t)len) {
		len = bytes - i < BT_MERKLE_BLOCK ? bytes - i : BT_MERKLE_BLOCK;
		if (!read_at(f, fd, at + i, len))
			return false;
		bt_hash_sha256((struct bt_str){ f->buf, len }, leaf);
		bt_merkle_sum_add(&f->merkle, &f->sum, leaf, 1);
	}
	bt_merkle_sum_end(&f->merkle, &f->sum, height, root);
	return memcmp(root, want, BT_SHA256_LEN) == 0;
}

/* The pieces that are the file's own, from .. to - 1. */
static void
own_pieces(const struct find *f, uint32_t file, uint32_t *from, uint32_t *to)
{
	const struct bt_layout *l = f->layout;
	const struct bt_file k = bt_filetab_get(l->files, file);
	uint32_t last = bt_layout_last(l, file);

	*from = bt_layout_first(l, file);
	*to = last + 1;
	if (f->in->meta.has_v2)
		return;
	if (bt_layout_offset(l, *from, 0) < k.offset)
		++*from;
	if (bt_layout_offset(l, last, 0) + bt_layout_piece_size(l, last) >
	    k.offset + k.size)
		--*to;
}

/* Are all its own pieces right in c? */
static bool
is_it(struct find *f, uint32_t file, const struct bt_walk_file *c)
{
	const struct bt_layout *l = f->layout;
	uint32_t from, to;
	int fd = open_it(f, c);
	bool right = fd != -1;
	uint64_t at;

	own_pieces(f, file, &from, &to);
	for (; right && from < to && bt_signal_caught() == 0; from++) {
		at = bt_layout_offset(l, from, 0) - l->files->at[file].offset;
		if (f->in->meta.has_v2) {
			right = is_node(f, fd, at, from);
			continue;
		}
		right = add_bytes(f, fd, at, bt_layout_piece_size(l, from));
		right = ends_right(f, from) && right;
	}
	if (fd != -1)
		close(fd);
	return right;
}

static bool
is_sought(const struct find *f, uint32_t file)
{
	const struct bt_file k = bt_filetab_get(f->layout->files, file);

	return k.size > 0 && (k.attr & (BT_META_PAD | BT_META_LINK)) == 0;
}

/* Files that have pieces of their own. */
static void
find_by_own(struct find *f)
{
	uint32_t from, to;
	size_t at, n;

	for (uint32_t i = 0; i < f->layout->files->n; i++) {
		if (!is_sought(f, i))
			continue;
		own_pieces(f, i, &from, &to);
		if (from >= to)
			continue;
		at = candidates(f, bt_filetab_size(f->layout->files, i), &n);
		for (; n > 0 && f->found[i] == NULL; at++, n--)
			if (is_it(f, i, f->by_size[at]))
				f->found[i] = f->by_size[at];
	}
}

/* One way to choose the files of a shared piece. */
struct share {
	struct bt_layout_span spans[SHARE_MAX];
	size_t first[SHARE_MAX], n[SHARE_MAX]; /* candidates of each */
	size_t count;
};

static bool
is_share(struct find *f, uint32_t piece, const struct share *s, size_t way)
{
	const struct bt_walk_file *c;
	bool right = true;
	int fd;

	for (size_t i = 0; i < s->count; i++) {
		const struct bt_layout_span *span = &s->spans[i];

		if ((f->layout->files->at[span->file].attr & BT_META_PAD) !=
		    0) {
			memset(f->buf, 0, PART);
			for (uint64_t left = span->n, len; left > 0;
			     left -= len) {
				len = left < PART ? left : PART;
				bt_hash_add(f->sha1, f->buf, (size_t)len);
			}
			continue;
		}
		c = f->found[span->file];
		if (c == NULL) {
			c = f->by_size[s->first[i] + way % s->n[i]];
			way /= s->n[i];
		}
		fd = open_it(f, c);
		right =
		    right && fd != -1 && add_bytes(f, fd, span->at, span->n);
		if (fd != -1)
			close(fd);
	}
	return ends_right(f, piece) && right;
}

static void
keep_share(struct find *f, const struct share *s, size_t way)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!is_sought(f, s->spans[i].file) ||
		    f->found[s->spans[i].file] != NULL)
			continue;
		f->found[s->spans[i].file] =
		    f->by_size[s->first[i] + way % s->n[i]];
		way /= s->n[i];
	}
}

/* A piece of which a file without one of its own is a part: was it found? */
static bool
find_by_share(struct find *f, uint32_t piece)
{
	struct bt_layout_walk w = { .offset =
					bt_layout_offset(f->layout, piece, 0),
		.left = bt_layout_piece_size(f->layout, piece) };
	struct share s = { .count = 0 };
	size_t ways = 1;

	while (s.count < SHARE_MAX &&
	       bt_layout_next_span(f->layout, &w, &s.spans[s.count])) {
		uint32_t file = s.spans[s.count].file;

		if ((f->layout->files->at[file].attr & BT_META_LINK) != 0)
			return false;
		if (is_sought(f, file) && f->found[file] == NULL) {
			s.first[s.count] = candidates(f,
			    bt_filetab_size(f->layout->files, file),
			    &s.n[s.count]);
			ways *= s.n[s.count];
		}
		s.count++;
		if (ways == 0 || ways > TRIES_MAX)
			return false;
	}
	if (w.left > 0)
		return false;
	for (size_t way = 0; way < ways && bt_signal_caught() == 0; way++)
		if (is_share(f, piece, &s, way)) {
			keep_share(f, &s, way);
			return true;
		}
	return false;
}

static void
find_shared(struct find *f)
{
	uint32_t failed = UINT32_MAX; /* not again for each file in it */
	uint32_t p, last;

	if (f->in->meta.has_v2)
		return;
	for (uint32_t i = 0; i < f->layout->files->n; i++) {
		if (!is_sought(f, i))
			continue;
		p = bt_layout_first(f->layout, i);
		last = bt_layout_last(f->layout, i);
		for (; f->found[i] == NULL && p <= last && last - p < 2; p++)
			if (p != failed)
				failed = find_by_share(f, p) ? UINT32_MAX : p;
	}
}

static void
put(const struct find *f, struct bt_cli *cli, uint32_t i, int64_t index)
{
	const struct bt_file file = bt_filetab_get(f->in->meta.files, i);
	const struct bt_walk_file *c = f->found[i];
	char *path = c == NULL ? NULL : bt_mem_printf("%s/%s", f->dir, c->path);
	struct bt_json j;

	if (cli->json) {
		bt_json_begin(&j, &cli->out);
		bt_json_int(&j, "index", index);
		bt_json_str(&j, "path", file.path);
		bt_json_int(&j, "size", (int64_t)file.size);
		if (path == NULL)
			bt_json_null(&j, "found");
		else
			bt_json_cstr(&j, "found", path);
		bt_json_end(&j);
	} else if (!cli->quiet) {
		bt_out_printf(&cli->out, "%" PRId64 "\t", index);
		bt_out_name(&cli->out, file.path);
		bt_out_raw(&cli->out, STR("\t"));
		bt_out_name(&cli->out, bt_str_of(path == NULL ? "" : path));
		bt_out_raw(&cli->out, STR("\n"));
	}
	bt_mem_free(path);
}

static int
report(const struct find *f, struct bt_cli *cli, struct bt_err *err)
{
	size_t sought = 0, missing = 0;
	int64_t index = 0;

	for (uint32_t i = 0; i < f->layout->files->n; i++) {
		index += info_is_listed(f->in, i);
		if (!is_sought(f, i))
			continue;
		sought++;
		missing += f->found[i] == NULL;
		put(f, cli, i, index);
	}
	if (missing == 0)
		return 0;
	return bt_err_set(err, BT_EANSWER,
	    "%zu of %zu files of '%s' are not in '%s'", missing, sought,
	    f->in->operand, f->dir);
}

int
info_find(const struct info *in, const char *dir, struct bt_cli *cli,
    struct bt_err *err)
{
	struct find *f = bt_mem_zero(1, sizeof(*f));
	struct bt_layout *layout = bt_layout_new(&in->meta);
	int rc;

	f->in = in;
	f->dir = dir;
	f->layout = layout;
	rc = bt_walk_run(&f->walk, dir, true, NULL, NULL, err);
	if (rc == 0 && f->walk.unseen > 0)
		bt_cli_warn(cli, "%zu paths in '%s' cannot be looked at",
		    f->walk.unseen, dir);
	if (rc == 0) {
		f->by_size = bt_mem_array(f->walk.n, sizeof(*f->by_size));
		for (size_t i = 0; i < f->walk.n; i++)
			f->by_size[i] = &f->walk.files[i];
		if (f->walk.n > 1)
			qsort(f->by_size, f->walk.n, sizeof(*f->by_size),
			    cmp_sizes);
		f->found = bt_mem_zero(layout->files->n, sizeof(*f->found));
		f->sha1 = bt_hash_new(BT_HASH_SHA1);
		bt_merkle_init(&f->merkle);
		find_by_own(f);
		find_shared(f);
		rc = bt_signal_caught() == 0
			 ? report(f, cli, err)
			 : bt_err_set(err, BT_EANSWER, "stopped");
		bt_hash_free(f->sha1);
		bt_mem_free(f->found);
		bt_mem_free(f->by_size);
		bt_walk_fini(&f->walk);
	}
	bt_layout_free(layout);
	bt_mem_free(f);
	return rc;
}
