#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#include "codec/bencode.h"
#include "codec/metaedit.h"
#include "codec/metainfo.h"
#include "disk/slurp.h"
#include "make.h"

#define EDITS_MAX 5u

/* The new values, bencoded one after the other; then the edits point to them. */
struct edits {
	struct bt_buf text;
	size_t n, ends[EDITS_MAX];
	struct bt_metaedit e[EDITS_MAX];
};

static void
add(struct edits *e, struct bt_str key)
{
	e->ends[e->n] = e->text.n;
	e->e[e->n++].key = key;
}

/* Once all are there: text moves while it grows. */
static void
point(struct edits *e)
{
	size_t from = 0;

	for (size_t i = 0; i < e->n; from = e->ends[i++])
		e->e[i].raw =
		    bt_str_sub(bt_buf_str(&e->text), from, e->ends[i]);
}

/* Keys ascend: announce, announce-list, comment, info, url-list. */
static int
write_values(struct edits *e, const struct job *job, struct bt_str info)
{
	const struct bt_metawrite *w = &job->meta;
	int rc = 0;

	if (w->ntrackers > 0 || job->no_trackers) {
		if (w->ntrackers > 0)
			rc |= bt_ben_put_str(&e->text, w->trackers[0].url);
		add(e, STR("announce"));
		if (w->ntrackers > 1)
			rc |= bt_metawrite_tiers(w, &e->text);
		add(e, STR("announce-list"));
	}
	if (job->has_comment) {
		if (w->comment.n > 0)
			rc |= bt_ben_put_str(&e->text, w->comment);
		add(e, STR("comment"));
	}
	if (job->has_source) {
		rc |= bt_buf_add(&e->text, info);
		add(e, STR("info"));
	}
	if (w->nweb_seeds > 0 || job->no_web_seeds) {
		if (w->nweb_seeds > 0)
			rc |= bt_metawrite_seeds(w, &e->text);
		add(e, STR("url-list"));
	}
	return rc;
}

/* The info dictionary with another source key, or without one. */
static int
edit_info(const struct job *job, const struct bt_meta *m, struct bt_buf *out)
{
	struct bt_ben info = bt_ben_at(m->info);
	struct bt_metaedit e = { .key = STR("source") };
	struct bt_buf value;
	int rc = 0;

	bt_buf_init(&value, BT_META_BYTES_MAX);
	if (job->meta.source.n > 0)
		rc = bt_ben_put_str(&value, job->meta.source);
	e.raw = bt_buf_str(&value);
	rc |= bt_metaedit_put(&info, &e, 1, out);
	bt_buf_fini(&value);
	return rc;
}

static int
edit_bytes(const struct job *job, const struct bt_meta *m, struct bt_buf *out,
    struct bt_err *err)
{
	struct bt_ben root = bt_ben_at(m->raw);
	struct edits e = { .n = 0 };
	struct bt_buf info;
	int rc = 0;

	bt_buf_init(&info, BT_META_BYTES_MAX);
	bt_buf_init(&e.text, 2 * (size_t)BT_META_BYTES_MAX);
	if (job->has_source)
		rc |= edit_info(job, m, &info);
	rc |= write_values(&e, job, bt_buf_str(&info));
	point(&e);
	rc |= bt_metaedit_put(&root, e.e, e.n, out);
	bt_buf_fini(&e.text);
	bt_buf_fini(&info);
	if (rc != 0)
		return bt_err_set(err, BT_ELIMIT,
		    "the torrent would be larger than %u bytes",
		    BT_META_BYTES_MAX);
	return 0;
}

/* "info_hash<TAB>HEX", and what it was if it is another now. */
static void
tell_hash(struct job *job, bool to_stdout, const char *name, const uint8_t *was,
    const uint8_t *is, size_t n)
{
	char a[2 * BT_SHA256_LEN + 1], b[2 * BT_SHA256_LEN + 1];

	bt_str_hex((struct bt_str){ was, n }, a);
	bt_str_hex((struct bt_str){ is, n }, b);
	if (to_stdout)
		bt_out_printf(&job->cli.out, "%s\t%s\n", name, b);
	else
		bt_cli_warn(&job->cli, "%s %s", name, b);
	if (memcmp(was, is, n) != 0)
		bt_cli_warn(&job->cli, "this is another torrent now: %s was %s",
		    name, a);
}

static int
give_edited(struct job *job, const struct bt_meta *was, struct bt_str bytes,
    struct bt_err *err)
{
	bool to_stdout = strcmp(job->output, "-") != 0;
	struct bt_meta is;

	if (bt_meta_parse(bytes, &is, err) == -1)
		return -1;
	if (give_bytes(job, bytes, err) == -1) {
		bt_meta_fini(&is);
		return -1;
	}
	if (is.has_v1)
		tell_hash(job, to_stdout, "info_hash", was->info_hash,
		    is.info_hash, BT_SHA1_LEN);
	if (is.has_v2)
		tell_hash(job, to_stdout, "info_hash_v2", was->info_hash_v2,
		    is.info_hash_v2, BT_SHA256_LEN);
	bt_meta_fini(&is);
	return 0;
}

/*
 * The new torrent is as old as the one that it is of: by its time --reuse knows
 * what has changed since the content was read. Of a pipe nothing is known.
 */
static void
keep_time(struct job *job)
{
	bool from_stdin = strcmp(job->edit, "-") == 0;
	struct stat st;

	if ((from_stdin ? fstat(STDIN_FILENO, &st) : stat(job->edit, &st)) ==
		0 &&
	    S_ISREG(st.st_mode))
		job->mtime = st.st_mtim;
}

int
edit_torrent(struct job *job, struct bt_err *err)
{
	struct bt_buf bytes, out;
	struct bt_meta m;
	int rc;

	keep_time(job);
	bt_buf_init(&bytes, BT_META_BYTES_MAX);
	bt_buf_init(&out, BT_META_BYTES_MAX);
	if (strcmp(job->edit, "-") == 0)
		rc = bt_slurp_fd(STDIN_FILENO, "standard input", &bytes, err);
	else
		rc = bt_slurp_file(job->edit, &bytes, err);
	if (rc == 0 && bt_meta_parse(bt_buf_str(&bytes), &m, err) == -1)
		rc = bt_err_prefix(err, "cannot edit '%s'", job->edit);
	if (rc == 0) {
		rc = edit_bytes(job, &m, &out, err);
		if (rc == 0)
			rc = give_edited(job, &m, bt_buf_str(&out), err);
		bt_meta_fini(&m);
	}
	bt_buf_fini(&bytes);
	bt_buf_fini(&out);
	return rc;
}
