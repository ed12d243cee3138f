#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/bencode.h"
#include "codec/merkle.h"
#include "codec/metawrite.h"

/* A file's layer among all roots. */
struct layer {
	const uint8_t *hashes;
	uint64_t n;
	uint8_t root[BT_SHA256_LEN];
};

static uint64_t
pieces_of(const struct bt_metawrite *w, size_t file)
{
	uint64_t size = w->files[file].size;

	return size / w->piece_length + (size % w->piece_length != 0);
}

/* The hashes at `at` are the file's; it has some bytes. */
static struct layer
layer_of(const struct bt_metawrite *w, const struct bt_merkle *k, size_t file,
    const uint8_t *at)
{
	struct layer l = { .hashes = at, .n = pieces_of(w, file) };

	if (l.n == 1)
		memcpy(l.root, at, BT_SHA256_LEN);
	else
		bt_merkle_up(k, at, l.n,
		    bt_merkle_height(w->piece_length / BT_MERKLE_BLOCK),
		    bt_merkle_height(l.n), l.root);
	return l;
}

/* The dictionary of a file's properties, and the one around it. */
static int
put_leaf(struct bt_buf *b, uint64_t size, const uint8_t *root)
{
	int rc = 0;

	rc |= bt_ben_put_char(b, 'd');
	rc |= bt_ben_put_cstr(b, "");
	rc |= bt_ben_put_char(b, 'd');
	rc |= bt_ben_put_cstr(b, "length");
	rc |= bt_ben_put_int(b, (int64_t)size);
	if (size > 0) {
		rc |= bt_ben_put_cstr(b, "pieces root");
		rc |= bt_ben_put_str(b, (struct bt_str){ root, BT_SHA256_LEN });
	}
	rc |= bt_ben_put_char(b, 'e');
	rc |= bt_ben_put_char(b, 'e');
	return rc;
}

/* The bytes at the start of b that name folders which a is in too. */
static size_t
shared_folders(struct bt_str a, struct bt_str b)
{
	size_t n = a.n < b.n ? a.n : b.n, shared = 0;

	for (size_t i = 0; i < n && a.p[i] == b.p[i]; i++)
		if (a.p[i] == '/')
			shared = i + 1;
	return shared;
}

static size_t
count_folders(struct bt_str path)
{
	size_t n = 0;

	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '/';
	return n;
}

/* From the folders of the file before to those of this one, and its name. */
static int
put_way(struct bt_buf *b, struct bt_str before, struct bt_str path)
{
	size_t at = shared_folders(before, path), n;
	int rc = 0;

	for (n = count_folders(
		 bt_str_sub(before, at < before.n ? at : before.n, before.n));
	     n > 0; n--)
		rc |= bt_ben_put_char(b, 'e');
	for (path = bt_str_sub(path, at, path.n);;) {
		n = bt_str_find(path, '/');
		rc |= bt_ben_put_str(b, bt_str_sub(path, 0, n));
		if (n == path.n)
			return rc;
		rc |= bt_ben_put_char(b, 'd');
		path = bt_str_sub(path, n + 1, path.n);
	}
}

int
bt_metawrite_tree(const struct bt_metawrite *w, struct bt_buf *b)
{
	const uint8_t *at = w->roots;
	struct bt_str path, before = { NULL, 0 };
	struct layer l = { .hashes = NULL };
	struct bt_merkle k;
	int rc = bt_ben_put_char(b, 'd');

	bt_merkle_init(&k);
	for (size_t i = 0; i < w->nfiles && rc == 0; i++) {
		path = w->single ? w->name : w->files[i].path;
		rc |= put_way(b, before, path);
		before = path;
		if (w->files[i].size > 0) {
			l = layer_of(w, &k, i, at);
			at += l.n * BT_SHA256_LEN;
		}
		rc |= put_leaf(b, w->files[i].size, l.root);
	}
	for (size_t n = count_folders(before); n > 0; n--)
		rc |= bt_ben_put_char(b, 'e');
	rc |= bt_ben_put_char(b, 'e');
	return rc;
}

static int
by_root(const void *a, const void *b)
{
	const struct layer *x = a, *y = b;

	return memcmp(x->root, y->root, BT_SHA256_LEN);
}

int
bt_metawrite_layers(const struct bt_metawrite *w, struct bt_buf *b)
{
	struct layer *all = bt_mem_array(w->nfiles, sizeof(*all));
	const uint8_t *at = w->roots;
	struct bt_merkle k;
	size_t n = 0;
	int rc = bt_ben_put_char(b, 'd');

	bt_merkle_init(&k);
	for (size_t i = 0; i < w->nfiles; i++) {
		if (pieces_of(w, i) > 1)
			all[n++] = layer_of(w, &k, i, at);
		at += pieces_of(w, i) * BT_SHA256_LEN;
	}
	if (n > 0)
		qsort(all, n, sizeof(*all), by_root);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (i > 0 && by_root(&all[i - 1], &all[i]) == 0)
			continue; /* files with the same bytes */
		rc |= bt_ben_put_str(
		    b, (struct bt_str){ all[i].root, BT_SHA256_LEN });
		rc |= bt_ben_put_str(b,
		    (struct bt_str){ all[i].hashes, all[i].n * BT_SHA256_LEN });
	}
	rc |= bt_ben_put_char(b, 'e');
	bt_mem_free(all);
	return rc;
}
