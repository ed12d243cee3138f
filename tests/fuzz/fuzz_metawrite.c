/*
 * Any torrent that can be read, written anew as bt-make would: the same twice,
 * and it reads as what it was. Its magnet link names its hash and is plain
 * text. Its layout puts each byte in one file.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/magnet.h"
#include "codec/metawrite.h"
#include "core/layout.h"
#include "fuzz.h"

#define ROOM (1u << 20)

static void
check_equal(const struct bt_meta *a, const struct bt_meta *b)
{
	struct bt_file x, y;

	assert(bt_str_eq(a->name, b->name));
	assert(a->size == b->size);
	assert(a->piece_length == b->piece_length);
	assert(a->pieces == b->pieces);
	assert(a->single == b->single);
	assert(a->private_ == b->private_);
	assert(bt_str_eq(a->comment, b->comment));
	assert(bt_str_eq(a->created_by, b->created_by));
	assert(bt_str_eq(a->source, b->source));
	assert(a->creation_date == b->creation_date);
	assert(a->files->n == b->files->n);
	for (uint32_t i = 0; i < a->files->n; i++) {
		x = bt_filetab_get(a->files, i);
		y = bt_filetab_get(b->files, i);
		assert(x.size == y.size);
		assert(bt_str_eq(x.path, y.path));
	}
	assert(a->ntrackers == b->ntrackers);
	for (uint32_t i = 0; i < a->ntrackers; i++) {
		assert(bt_str_eq(a->trackers[i].url, b->trackers[i].url));
		assert(a->trackers[i].tier == b->trackers[i].tier);
	}
	assert(a->nweb_seeds == b->nweb_seeds);
	for (uint32_t i = 0; i < a->nweb_seeds; i++)
		assert(bt_str_eq(a->web_seeds[i], b->web_seeds[i]));
}

/*
 * Attributes are not written: what has some is another torrent then. Nor are
 * torrents of nothing but empty files, and the trees of v2 are not here.
 */
static bool
is_plain(const struct bt_meta *m)
{
	if (!m->has_v1 || m->has_v2 || m->pieces == 0)
		return false;
	for (uint32_t i = 0; i < m->files->n; i++)
		if (m->files->at[i].attr != 0)
			return false;
	return true;
}

static void
check_written(const struct bt_meta *m)
{
	struct bt_metawrite_file *files =
	    bt_mem_array(m->files->n, sizeof(*files));
	struct bt_metawrite_tracker *trackers =
	    bt_mem_array(m->ntrackers, sizeof(*trackers));
	struct bt_metawrite w = { .name = m->name,
		.files = files,
		.nfiles = m->files->n,
		.single = m->single,
		.piece_length = m->piece_length,
		.piece_hashes = { m->piece_hashes,
		    (size_t)m->pieces * BT_SHA1_LEN },
		.private_ = m->private_,
		.source = m->source,
		.trackers = trackers,
		.ntrackers = m->ntrackers,
		.web_seeds = m->web_seeds,
		.nweb_seeds = m->nweb_seeds,
		.comment = m->comment,
		.created_by = m->created_by,
		.creation_date = m->creation_date };
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf out, twice;
	struct bt_meta again;
	int rc;

	for (uint32_t i = 0; i < m->files->n; i++)
		files[i] = (struct bt_metawrite_file){
			bt_filetab_get(m->files, i).path,
			bt_filetab_size(m->files, i)
		};
	for (uint32_t i = 0; i < m->ntrackers; i++)
		trackers[i] = (struct bt_metawrite_tracker){ m->trackers[i].url,
			m->trackers[i].tier };
	bt_buf_init(&out, ROOM);
	bt_buf_init(&twice, ROOM);
	rc = bt_metawrite_put(&w, &out, &err);
	assert(rc == 0 || err.kind == BT_ELIMIT);
	if (rc == 0) {
		rc = bt_metawrite_put(&w, &twice, &err);
		assert(rc == 0);
		assert(bt_str_eq(bt_buf_str(&out), bt_buf_str(&twice)));
		rc = bt_meta_parse(bt_buf_str(&out), &again, &err);
		assert(rc == 0);
		assert(again.oddities == 0);
		check_equal(m, &again);
		bt_meta_fini(&again);
	}
	bt_buf_fini(&out);
	bt_buf_fini(&twice);
	bt_mem_free(files);
	bt_mem_free(trackers);
}

static void
check_magnet(const struct bt_meta *m)
{
	char hex[2 * BT_SHA1_LEN + 1];
	struct bt_buf out;
	struct bt_str s;

	bt_buf_init(&out, BT_MAGNET_MAX);
	bt_magnet_put(m, &out);
	s = bt_buf_str(&out);
	bt_str_hex((struct bt_str){ m->info_hash, BT_SHA1_LEN }, hex);
	assert(s.n >= 60);
	assert(memcmp(s.p, "magnet:?xt=urn:btih:", 20) == 0);
	assert(memcmp(s.p + 20, hex, 40) == 0);
	for (size_t i = 0; i < s.n; i++)
		assert(s.p[i] > ' ' && s.p[i] < 0x7f);
	bt_buf_fini(&out);
}

static void
check_layout(const struct bt_meta *m)
{
	struct bt_layout *l = bt_layout_new(m);
	struct bt_layout_walk w = { .offset = 0, .left = m->size };
	struct bt_layout_span s;
	uint64_t at = 0;

	while (bt_layout_next_span(l, &w, &s)) {
		assert(s.file < l->files->n);
		assert(s.n > 0);
		assert(s.at + s.n <= bt_filetab_size(l->files, s.file));
		assert(l->files->at[s.file].offset + s.at == at);
		assert(bt_filetab_find(l->files, at) == s.file);
		at += s.n;
	}
	assert(at == m->size);
	for (uint32_t i = 0; i < l->pieces; i++)
		assert(
		    bt_layout_has_range(l, i, 0, bt_layout_piece_size(l, i)));
	bt_layout_free(l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;

	if (bt_meta_parse(in, &m, &err) == -1)
		return 0;
	if (is_plain(&m))
		check_written(&m);
	if (m.has_v1 && !m.has_v2)
		check_magnet(&m);
	check_layout(&m);
	bt_meta_fini(&m);
	return 0;
}
