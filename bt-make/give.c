#include <string.h>

#include "base/mem.h"
#include "cli/json.h"
#include "codec/magnet.h"
#include "codec/metainfo.h"
#include "disk/slurp.h"
#include "make.h"

int
give_bytes(struct job *job, struct bt_str bytes, struct bt_err *err)
{
	if (job->output == NULL)
		return 0;
	if (strcmp(job->output, "-") != 0)
		return bt_slurp_replace(
		    job->output, bytes, job->force, &job->mtime, err);
	bt_out_raw(&job->cli.out, bytes);
	return 0;
}

static void
put_hash(struct bt_json *j, const char *key, const uint8_t *hash, size_t n,
    bool is_there)
{
	char hex[2 * BT_SHA256_LEN + 1];

	if (!is_there) {
		bt_json_null(j, key);
		return;
	}
	bt_str_hex((struct bt_str){ hash, n }, hex);
	bt_json_cstr(j, key, hex);
}

static void
tell(struct job *job, const struct bt_meta *m, struct bt_str link)
{
	struct bt_out *o = &job->cli.out;
	struct bt_json j;
	uint32_t files = 0;

	if (!job->cli.json) {
		if (job->magnet) {
			bt_out_raw(o, link);
			bt_out_raw(o, STR("\n"));
		}
		return;
	}
	for (uint32_t i = 0; i < m->files->n; i++)
		files += (m->files->at[i].attr & BT_META_PAD) == 0;
	bt_json_begin(&j, o);
	bt_json_str(&j, "name", m->name);
	put_hash(&j, "info_hash", m->info_hash, BT_SHA1_LEN, m->has_v1);
	put_hash(&j, "info_hash_v2", m->info_hash_v2, BT_SHA256_LEN, m->has_v2);
	bt_json_int(&j, "size", (int64_t)bt_meta_payload(m));
	bt_json_int(&j, "piece_length", m->piece_length);
	bt_json_int(&j, "pieces", m->pieces);
	bt_json_int(&j, "files", files);
	bt_json_int(&j, "torrent_size", (int64_t)m->raw.n);
	bt_json_str(&j, "magnet", link);
	bt_json_end(&j);
}

int
give_new(struct job *job, struct bt_err *err)
{
	struct bt_buf out, link;
	struct bt_meta m;
	int rc = -1;

	bt_buf_init(&out, BT_META_BYTES_MAX);
	if (bt_metawrite_put(&job->meta, &out, err) == -1)
		goto free_out;
	if (bt_meta_parse(bt_buf_str(&out), &m, err) == -1)
		goto free_out;
	bt_buf_init(&link, BT_MAGNET_MAX);
	bt_magnet_put(&m, &link);
	rc = give_bytes(job, bt_buf_str(&out), err);
	if (rc == 0)
		tell(job, &m, bt_buf_str(&link));
	bt_buf_fini(&link);
	bt_meta_fini(&m);
free_out:
	bt_buf_fini(&out);
	return rc;
}

void
give_plan(struct job *job, const struct content *c)
{
	const struct bt_metawrite *w = &job->meta;
	struct bt_out *o = &job->cli.out;
	struct bt_json j;
	uint64_t pieces =
	    bt_author_pieces(c->sources, c->nfiles, w->piece_length, job->v2);

	if (job->cli.json) {
		bt_json_begin(&j, o);
		bt_json_str(&j, "name", w->name);
		bt_json_int(&j, "size", (int64_t)c->size);
		bt_json_int(&j, "piece_length", w->piece_length);
		bt_json_int(&j, "pieces", (int64_t)pieces);
		bt_json_int(&j, "files", (int64_t)c->nfiles);
		bt_json_end(&j);
		return;
	}
	bt_out_field(o, "name", w->name);
	bt_out_field_num(o, "size", c->size);
	bt_out_field_num(o, "piece_length", w->piece_length);
	bt_out_field_num(o, "pieces", pieces);
	for (size_t i = 0; i < c->nfiles; i++)
		bt_out_field(o, "file", w->single ? w->name : w->files[i].path);
}
