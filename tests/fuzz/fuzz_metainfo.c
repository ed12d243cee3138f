/*
 * Any bytes: what passes as a torrent keeps every promise of metainfo.h.
 */
#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "codec/bencode.h"
#include "codec/merkle.h"
#include "codec/metainfo.h"
#include "fuzz.h"

static void
check_path(struct bt_str path)
{
	size_t slash;

	for (;;) {
		slash = bt_str_find(path, '/');
		assert(bt_meta_is_safe_name(bt_str_sub(path, 0, slash)));
		if (slash == path.n)
			return;
		path = bt_str_sub(path, slash + 1, path.n);
	}
}

static void
check_files(const struct bt_meta *m)
{
	uint64_t at = 0, payload = 0;
	struct bt_file f;

	assert(m->files->n >= 1);
	for (uint32_t i = 0; i < m->files->n; i++) {
		f = bt_filetab_get(m->files, i);
		assert(f.offset == at);
		assert(f.size <= BT_META_SIZE_MAX);
		if (f.path.n != 0 || (f.attr & BT_META_PAD) == 0)
			check_path(f.path);
		assert(f.path.n + m->name.n + 1 <= BT_META_PATH_MAX);
		at += f.size;
		payload += (f.attr & BT_META_PAD) != 0 ? 0 : f.size;
	}
	assert(at == m->size);
	assert(payload == bt_meta_payload(m));
	if (m->single) {
		assert(m->files->n == 1);
		assert(bt_str_eq(f.path, m->name));
	}
}

static void
check_pieces(const struct bt_meta *m)
{
	struct bt_str hashes = { m->piece_hashes,
		m->has_v1 ? (size_t)m->pieces * BT_SHA1_LEN : 0 };
	struct bt_str root = { NULL, BT_SHA256_LEN };
	uint64_t whole = m->piece_length, of_files = 0;
	uint32_t bytes;
	unsigned height;

	assert(m->piece_length >= 1);
	assert(m->piece_length <= BT_META_PIECE_MAX);
	assert(is_inside(m->info, hashes));
	assert(m->size <= m->pieces * whole);
	assert(m->pieces == 0 || m->size > (m->pieces - 1) * whole);
	if (!m->has_v2)
		return;
	for (uint32_t i = 0; i < m->pieces; i++) {
		root.p = bt_meta_piece_root(m, i, &bytes, &height);
		assert(is_inside(m->raw, root));
		assert(bytes >= 1 && bytes <= m->piece_length);
		assert((bytes - 1) >> height < BT_MERKLE_BLOCK);
		of_files += bytes;
	}
	assert(of_files == bt_meta_payload(m));
}

static void
check_links(const struct bt_meta *m)
{
	uint32_t tier = 0;

	for (uint32_t i = 0; i < m->ntrackers; i++) {
		assert(m->trackers[i].url.n != 0);
		assert(is_inside(m->raw, m->trackers[i].url));
		assert(m->trackers[i].tier - tier <= (i != 0));
		tier = m->trackers[i].tier;
	}
	for (uint32_t i = 0; i < m->nweb_seeds; i++)
		assert(is_inside(m->raw, m->web_seeds[i]));
	for (uint32_t i = 0; i < m->nhttp_seeds; i++)
		assert(is_inside(m->raw, m->http_seeds[i]));
	for (uint32_t i = 0; i < m->nnodes; i++) {
		assert(is_inside(m->raw, m->nodes[i].host));
		assert(m->nodes[i].port != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_err err = BT_ERR_INIT;
	uint8_t want[EVP_MAX_MD_SIZE];
	struct bt_meta m;
	struct bt_ben info;

	if (bt_meta_parse(in, &m, &err) == -1) {
		assert(err.kind == BT_EINPUT || err.kind == BT_ELIMIT);
		assert(err.text[0] != '\0');
		return 0;
	}
	assert(err.kind == BT_ENONE);
	assert(is_inside(in, m.info));
	info = bt_ben_at(m.info);
	assert(info.type == BT_BEN_DICT);
	assert(info.raw.n == m.info.n);
	assert(m.has_v1 || m.has_v2);
	EVP_Digest(m.info.p, m.info.n, want, NULL, EVP_sha1(), NULL);
	assert(!m.has_v1 || memcmp(m.info_hash, want, BT_SHA1_LEN) == 0);
	EVP_Digest(m.info.p, m.info.n, want, NULL, EVP_sha256(), NULL);
	assert(!m.has_v2 || memcmp(m.info_hash_v2, want, BT_SHA256_LEN) == 0);
	assert(bt_meta_is_safe_name(m.name));
	assert(is_inside(m.info, m.name));
	assert(is_inside(m.info, m.source));
	assert(is_inside(in, m.comment));
	assert(is_inside(in, m.created_by));
	assert(is_inside(in, m.encoding));
	assert(m.creation_date >= -1);
	check_files(&m);
	check_pieces(&m);
	check_links(&m);
	bt_meta_fini(&m);
	return 0;
}
