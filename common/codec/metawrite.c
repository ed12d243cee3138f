#include "codec/metawrite.h"

#include <assert.h>
#include <stdio.h>

#include "codec/bencode.h"

uint32_t
bt_metawrite_piece_length(uint64_t size)
{
	uint64_t p = BT_METAWRITE_PIECE_MIN;

	/* p <= 2^24, so its square fits; size * 512 might not */
	while (p < BT_METAWRITE_PIECE_AUTO_MAX && p * p / 512 < size)
		p *= 2;
	return (uint32_t)p;
}

/* An optional key with text. */
static int
put_text(struct bt_buf *b, const char *key, struct bt_str s)
{
	if (s.n == 0)
		return 0;
	return bt_ben_put_cstr(b, key) | bt_ben_put_str(b, s);
}

static int
put_path(struct bt_buf *b, struct bt_str path)
{
	size_t n;
	int rc = 0;

	rc |= bt_ben_put_cstr(b, "path");
	rc |= bt_ben_put_char(b, 'l');
	for (;;) {
		n = bt_str_find(path, '/');
		rc |= bt_ben_put_str(b, bt_str_sub(path, 0, n));
		if (n == path.n)
			break;
		path = bt_str_sub(path, n + 1, path.n);
	}
	rc |= bt_ben_put_char(b, 'e');
	return rc;
}

/* BEP 47: zeros, so that the next file begins a piece. */
static int
put_padding(struct bt_buf *b, uint64_t n)
{
	char text[24];
	int rc = 0;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	rc |= bt_ben_put_char(b, 'd');
	rc |= bt_ben_put_cstr(b, "attr");
	rc |= bt_ben_put_cstr(b, "p");
	rc |= bt_ben_put_cstr(b, "length");
	rc |= bt_ben_put_int(b, (int64_t)n);
	rc |= bt_ben_put_cstr(b, "path");
	rc |= bt_ben_put_char(b, 'l');
	rc |= bt_ben_put_cstr(b, ".pad");
	rc |= bt_ben_put_cstr(b, text);
	rc |= bt_ben_put_char(b, 'e');
	rc |= bt_ben_put_char(b, 'e');
	return rc;
}

static int
put_file(struct bt_buf *b, const struct bt_metawrite_file *f)
{
	int rc = 0;

	rc |= bt_ben_put_char(b, 'd');
	rc |= bt_ben_put_cstr(b, "length");
	rc |= bt_ben_put_int(b, (int64_t)f->size);
	rc |= put_path(b, f->path);
	rc |= bt_ben_put_char(b, 'e');
	return rc;
}

static int
put_files(const struct bt_metawrite *w, struct bt_buf *b)
{
	uint64_t over = 0; /* of the last piece, by the files so far */
	int rc = 0;

	if (w->single) {
		rc |= bt_ben_put_cstr(b, "length");
		rc |= bt_ben_put_int(b, (int64_t)w->files[0].size);
		return rc;
	}
	rc |= bt_ben_put_cstr(b, "files");
	rc |= bt_ben_put_char(b, 'l');
	for (size_t i = 0; i < w->nfiles && rc == 0; i++) {
		if (w->roots != NULL && over > 0 && w->files[i].size > 0) {
			rc |= put_padding(b, w->piece_length - over);
			over = 0;
		}
		rc |= put_file(b, &w->files[i]);
		over = (over + w->files[i].size) % w->piece_length;
	}
	rc |= bt_ben_put_char(b, 'e');
	return rc;
}

static int
put_info(const struct bt_metawrite *w, struct bt_buf *b)
{
	int rc = 0;

	rc |= bt_ben_put_cstr(b, "info");
	rc |= bt_ben_put_char(b, 'd');
	if (w->roots != NULL) {
		rc |= bt_ben_put_cstr(b, "file tree");
		rc |= bt_metawrite_tree(w, b);
	}
	if (w->piece_hashes.n > 0)
		rc |= put_files(w, b);
	if (w->roots != NULL) {
		rc |= bt_ben_put_cstr(b, "meta version");
		rc |= bt_ben_put_int(b, 2);
	}
	rc |= bt_ben_put_cstr(b, "name");
	rc |= bt_ben_put_str(b, w->name);
	rc |= bt_ben_put_cstr(b, "piece length");
	rc |= bt_ben_put_int(b, w->piece_length);
	if (w->piece_hashes.n > 0) {
		rc |= bt_ben_put_cstr(b, "pieces");
		rc |= bt_ben_put_str(b, w->piece_hashes);
	}
	if (w->private_) {
		rc |= bt_ben_put_cstr(b, "private");
		rc |= bt_ben_put_int(b, 1);
	}
	rc |= put_text(b, "source", w->source);
	rc |= bt_ben_put_char(b, 'e');
	return rc;
}

int
bt_metawrite_tiers(const struct bt_metawrite *w, struct bt_buf *b)
{
	int rc = 0;

	rc |= bt_ben_put_char(b, 'l');
	for (size_t i = 0; i < w->ntrackers; i++) {
		if (i == 0 || w->trackers[i].tier != w->trackers[i - 1].tier)
			rc |= bt_ben_put_char(b, 'l');
		rc |= bt_ben_put_str(b, w->trackers[i].url);
		if (i + 1 == w->ntrackers ||
		    w->trackers[i].tier != w->trackers[i + 1].tier)
			rc |= bt_ben_put_char(b, 'e');
	}
	return rc | bt_ben_put_char(b, 'e');
}

int
bt_metawrite_seeds(const struct bt_metawrite *w, struct bt_buf *b)
{
	int rc = bt_ben_put_char(b, 'l');

	for (size_t i = 0; i < w->nweb_seeds; i++)
		rc |= bt_ben_put_str(b, w->web_seeds[i]);
	return rc | bt_ben_put_char(b, 'e');
}

static int
put_trackers(const struct bt_metawrite *w, struct bt_buf *b)
{
	int rc = 0;

	if (w->ntrackers == 0)
		return 0;
	rc |= put_text(b, "announce", w->trackers[0].url);
	if (w->ntrackers == 1)
		return rc;
	rc |= bt_ben_put_cstr(b, "announce-list");
	rc |= bt_metawrite_tiers(w, b);
	return rc;
}

int
bt_metawrite_put(
    const struct bt_metawrite *w, struct bt_buf *out, struct bt_err *err)
{
	int rc = 0;

	assert(w->nfiles > 0);
	assert(w->piece_hashes.n > 0 || w->roots != NULL);
	rc |= bt_ben_put_char(out, 'd');
	rc |= put_trackers(w, out);
	rc |= put_text(out, "comment", w->comment);
	rc |= put_text(out, "created by", w->created_by);
	if (w->creation_date >= 0) {
		rc |= bt_ben_put_cstr(out, "creation date");
		rc |= bt_ben_put_int(out, w->creation_date);
	}
	rc |= put_info(w, out);
	if (w->roots != NULL) {
		rc |= bt_ben_put_cstr(out, "piece layers");
		rc |= bt_metawrite_layers(w, out);
	}
	if (w->nweb_seeds > 0) {
		rc |= bt_ben_put_cstr(out, "url-list");
		rc |= bt_metawrite_seeds(w, out);
	}
	rc |= bt_ben_put_char(out, 'e');
	if (rc != 0)
		return bt_err_set(err, BT_ELIMIT,
		    "the torrent would be larger than %zu bytes", out->max);
	return 0;
}
