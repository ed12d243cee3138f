#include "reuse.h"

#include <sys/stat.h>

#include <string.h>

#include "codec/filetab.h"
#include "disk/slurp.h"

int
reuse_open(struct reuse *r, const char *path, struct bt_err *err)
{
	struct stat st;

	memset(r, 0, sizeof(*r));
	bt_buf_init(&r->bytes, BT_META_BYTES_MAX);
	if (stat(path, &st) == -1)
		return bt_err_sys(err, "cannot open '%s'", path);
	r->before_s = st.st_mtim.tv_sec;
	if (bt_slurp_file(path, &r->bytes, err) == -1)
		return -1;
	if (bt_meta_parse(bt_buf_str(&r->bytes), &r->old, err) == -1)
		return bt_err_prefix(err, "cannot reuse '%s'", path);
	if (!r->old.has_v2)
		return bt_err_set(err, BT_EINPUT,
		    "cannot reuse '%s': it has no v2 part, by which files are "
		    "known apart",
		    path);
	return 0;
}

void
reuse_fini(struct reuse *r)
{
	bt_meta_fini(&r->old);
	bt_bits_fini(&r->left);
	bt_buf_fini(&r->bytes);
}

static bool
is_untouched(const struct reuse *r, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_mtim.tv_sec < r->before_s &&
	       st.st_ctim.tv_sec < r->before_s;
}

/* Are there bytes behind file i, so that its last piece is filled up? */
static bool
is_padded(const struct bt_meta *m, uint32_t i)
{
	return m->files->at[i].offset + bt_filetab_size(m->files, i) < m->size;
}

/* The older torrent's file i is the content's file k, at piece `first` now. */
static void
take_file(struct reuse *r, uint32_t i, uint64_t first, uint64_t n,
    uint8_t *sha1, uint8_t *roots)
{
	const struct bt_meta *m = &r->old;
	const struct bt_file f = bt_filetab_get(m->files, i);
	const struct bt_meta_root *q = &m->roots[i];
	uint64_t was = f.offset / m->piece_length;

	memcpy(roots + first * BT_SHA256_LEN,
	    q->layer != NULL ? q->layer : q->root, n * BT_SHA256_LEN);
	if (sha1 != NULL)
		memcpy(sha1 + first * BT_SHA1_LEN,
		    m->piece_hashes + was * BT_SHA1_LEN, n * BT_SHA1_LEN);
	for (uint64_t k = 0; k < n; k++)
		bt_bits_drop(&r->left, (uint32_t)(first + k));
	r->left_bytes -= f.size;
}

/* The older torrent's file of this path from *at on, or nfiles. */
static uint32_t
find(const struct bt_meta *m, uint32_t *at, bool single, struct bt_str path)
{
	int order;

	if (single)
		return m->single ? 0 : m->files->n;
	for (; *at < m->files->n && !m->single; ++*at) {
		if ((m->files->at[*at].attr & BT_META_PAD) != 0)
			continue;
		order = bt_filetab_path_cmp(
		    bt_filetab_get(m->files, *at).path, path);
		if (order == 0)
			return *at;
		if (order > 0)
			break;
	}
	return m->files->n;
}

void
reuse_take(struct reuse *r, const struct content *c, uint64_t pieces,
    uint8_t *sha1, uint8_t *roots)
{
	const struct bt_meta *m = &r->old;
	uint64_t first = 0, n;
	uint32_t at = 0, i;

	bt_bits_init(&r->left, (uint32_t)pieces);
	bt_bits_fill(&r->left, true);
	r->left_bytes = c->size;
	for (size_t k = 0; k < c->nfiles; k++, first += n) {
		n = (c->files[k].size + m->piece_length - 1) / m->piece_length;
		i = find(m, &at, c->single, c->files[k].path);
		if (i == m->files->n || n == 0 ||
		    bt_filetab_size(m->files, i) != c->files[k].size ||
		    !is_untouched(r, c->sources[k].path))
			continue;
		if (sha1 != NULL &&
		    (!m->has_v1 || is_padded(m, i) != (first + n < pieces)) &&
		    (!m->has_v1 ||
			bt_filetab_size(m->files, i) % m->piece_length != 0))
			continue;
		take_file(r, i, first, n, sha1, roots);
	}
}
