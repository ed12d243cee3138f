/* Web seeds: reached, asked for ranges, lengths, and some pieces' hashes. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/json.h"
#include "codec/merkle.h"
#include "codec/url.h"
#include "core/layout.h"
#include "info.h"
#include "net/fetch.h"

#define SAMPLES 4u	       /* pieces: the first, the last, and between */
#define SAMPLE_MAX (64u << 20) /* bytes of one that are held */
#define FILES_MAX 64u	       /* asked for of one: two requests each */
#define URL_MAX (BT_URL_MAX + 3 * (BT_META_PATH_MAX + 2))

struct seed {
	const struct info *in;
	const struct bt_layout *layout;
	struct bt_fetch_conf conf;
	struct bt_str base; /* as the torrent has it */
	bool reachable, ranges, length;
	unsigned asked, good; /* pieces */
	uint32_t sized;	      /* 1 + the file whose length was right last */
};

/* BEP 19: a URL that ends with '/' is of a folder that holds NAME. */
static char *
url_of(const struct seed *s, uint32_t file)
{
	const struct bt_meta *m = &s->in->meta;
	bool slash = s->base.p[s->base.n - 1] == '/';
	struct bt_str path = bt_filetab_get(m->files, file).path, part;
	struct bt_buf b;
	char *url;

	bt_buf_init(&b, URL_MAX);
	bt_buf_add(&b, s->base);
	if (!m->single) {
		bt_buf_puts(&b, slash ? "" : "/");
		bt_url_escape(&b, m->name);
	}
	for (; path.n > 0 && (slash || !m->single);
	     path = bt_str_sub(path, part.n + (part.n < path.n), path.n)) {
		part = bt_str_sub(path, 0, bt_str_find(path, '/'));
		bt_buf_puts(&b, m->single ? "" : "/");
		bt_url_escape(&b, part);
	}
	url = bt_str_dup(bt_buf_str(&b));
	bt_buf_fini(&b);
	return url;
}

/* What an answer that is not the part means. */
static int
judge(struct seed *s, long status, struct bt_err *err)
{
	if (status == 206) {
		s->ranges = true;
		return 0;
	}
	if (status == 200)
		return bt_err_set(err, BT_ENET,
		    "it answers no range requests: all comes at once");
	if (status == 416) {
		s->ranges = true;
		return bt_err_set(err, BT_EMISMATCH,
		    "the file there is shorter than the torrent's");
	}
	return bt_err_set(err, BT_ENET, "HTTP status %ld", status);
}

/* Add n bytes at `at` of a file to out. */
static int
ask(struct seed *s, uint32_t file, uint64_t at, uint64_t n, struct bt_buf *out,
    struct bt_err *err)
{
	char *url = url_of(s, file);
	long status = 0;
	int rc;

	rc = bt_fetch_range(&s->conf, url, at, n, out, &status, err);
	bt_mem_free(url);
	if (rc == -1 && err->kind == BT_ELIMIT) {
		s->reachable = true;
		return bt_err_set(err, BT_ENET,
		    "it answers no range requests: more comes than was asked");
	}
	if (rc == -1)
		return -1;
	s->reachable = true;
	return judge(s, status, err);
}

/* Its last byte and one more: the second one must not be there. */
static int
check_length(struct seed *s, uint32_t file, struct bt_err *err)
{
	uint64_t size = bt_filetab_size(s->layout->files, file);
	struct bt_buf b;
	int rc;

	if (s->sized == file + 1)
		return 0;
	bt_buf_init(&b, 2);
	rc = ask(s, file, size - 1, 2, &b, err);
	if (rc == 0 && b.n != 1)
		rc = bt_err_set(err, BT_EMISMATCH,
		    "the file there is %s than the torrent's",
		    b.n == 0 ? "shorter" : "longer");
	bt_buf_fini(&b);
	if (rc == 0)
		s->sized = file + 1;
	return rc;
}

static bool
is_right(const struct seed *s, uint32_t piece, struct bt_str got)
{
	const struct bt_meta *m = &s->in->meta;
	uint8_t sha1[BT_SHA1_LEN], root[BT_SHA256_LEN], *leaves;
	struct bt_merkle k;
	const uint8_t *want;
	uint32_t bytes;
	unsigned height;
	size_t n = 0;

	if (m->has_v1) {
		bt_hash_sha1(got, sha1);
		return memcmp(sha1, bt_layout_hash(s->layout, piece),
			   BT_SHA1_LEN) == 0;
	}
	want = bt_meta_piece_root(m, piece, &bytes, &height);
	leaves = bt_mem_array(bytes / BT_MERKLE_BLOCK + 1, BT_SHA256_LEN);
	for (size_t at = 0, len; at < bytes; at += len, n++) {
		len =
		    bytes - at < BT_MERKLE_BLOCK ? bytes - at : BT_MERKLE_BLOCK;
		bt_hash_sha256(
		    bt_str_sub(got, at, at + len), leaves + n * BT_SHA256_LEN);
	}
	bt_merkle_init(&k);
	bt_merkle_up(&k, leaves, n, 0, height, root);
	bt_mem_free(leaves);
	return memcmp(root, want, BT_SHA256_LEN) == 0;
}

static struct bt_layout_walk
walk_of(const struct seed *s, uint32_t piece)
{
	return (struct bt_layout_walk){
		.offset = bt_layout_offset(s->layout, piece, 0),
		.left = bt_layout_piece_size(s->layout, piece),
	};
}

static bool
is_padding(const struct seed *s, const struct bt_layout_span *span)
{
	return (s->layout->files->at[span->file].attr & BT_META_PAD) != 0;
}

static bool
has_few_files(const struct seed *s, uint32_t piece)
{
	struct bt_layout_walk w = walk_of(s, piece);
	struct bt_layout_span span;
	unsigned n = 0;

	while (n <= FILES_MAX && bt_layout_next_span(s->layout, &w, &span))
		n += !is_padding(s, &span);
	return n <= FILES_MAX;
}

/* The next one from here on that has few files, else the one before. */
static uint32_t
choose(const struct seed *s, uint32_t from)
{
	uint32_t piece = from;

	while (piece < s->layout->pieces && !has_few_files(s, piece))
		piece++;
	if (piece < s->layout->pieces)
		return piece;
	for (piece = from; piece > 0 && !has_few_files(s, piece);)
		piece--;
	return piece;
}

/*
 * The parts of files that make a piece, with zeros for padding; *cut: only of
 * FILES_MAX of them.
 */
static int
read_piece(struct seed *s, uint32_t piece, struct bt_buf *b, bool *cut,
    struct bt_err *err)
{
	struct bt_layout_walk w = walk_of(s, piece);
	struct bt_layout_span span;
	unsigned files = 0;
	size_t was;

	*cut = false;
	while (!*cut && bt_layout_next_span(s->layout, &w, &span)) {
		was = b->n;
		if (is_padding(s, &span)) {
			memset(
			    bt_buf_room(b, (size_t)span.n), 0, (size_t)span.n);
			b->n += (size_t)span.n;
			continue;
		}
		if (check_length(s, span.file, err) == -1 ||
		    ask(s, span.file, span.at, span.n, b, err) == -1)
			return -1;
		if (b->n - was != span.n)
			return bt_err_set(err, BT_EMISMATCH,
			    "%zu bytes came where %" PRIu64 " were asked",
			    b->n - was, span.n);
		*cut = ++files == FILES_MAX && w.left > 0;
	}
	s->length = true;
	return 0;
}

static int
check_piece(struct seed *s, uint32_t piece, struct bt_err *err)
{
	struct bt_buf b;
	bool cut;
	int rc;

	bt_buf_init(&b, s->layout->piece_length);
	rc = read_piece(s, piece, &b, &cut, err);
	if (rc == 0 && !cut) {
		s->asked++;
		if (is_right(s, piece, bt_buf_str(&b)))
			s->good++;
		else
			rc = bt_err_set(err, BT_EMISMATCH,
			    "piece %" PRIu32 " there is another", piece);
	}
	bt_buf_fini(&b);
	return rc;
}

static int
check_seed(struct seed *s, struct bt_err *err)
{
	uint32_t n = s->layout->pieces, last = UINT32_MAX, piece;
	struct bt_url url;

	if (bt_url_parse(s->base, &url, err) == -1)
		return -1;
	if (url.scheme == BT_URL_UDP)
		return bt_err_set(
		    err, BT_EINPUT, "a web seed is not reached by udp");
	if (s->layout->piece_length > SAMPLE_MAX)
		return bt_err_set(err, BT_ELIMIT,
		    "pieces of more than %u MiB are not asked for",
		    SAMPLE_MAX >> 20);
	for (uint32_t i = 0; i < SAMPLES && n > 0; i++) {
		piece = (uint32_t)((uint64_t)(n - 1) * i / (SAMPLES - 1));
		piece = choose(s, piece);
		if (piece != last && check_piece(s, piece, err) == -1)
			return -1;
		last = piece;
	}
	return 0;
}

static void
put(const struct seed *s, struct bt_cli *cli, const struct bt_err *err)
{
	bool ok = err->kind == BT_ENONE;
	struct bt_json j;

	if (cli->json) {
		bt_json_begin(&j, &cli->out);
		bt_json_str(&j, "url", s->base);
		bt_json_bool(&j, "ok", ok);
		bt_json_bool(&j, "reachable", s->reachable);
		bt_json_bool(&j, "ranges", s->ranges);
		bt_json_bool(&j, "length", s->length);
		bt_json_int(&j, "pieces", s->asked);
		bt_json_int(&j, "good_pieces", s->good);
		if (ok) {
			bt_json_null(&j, "error");
		} else {
			bt_json_open(&j, "error", '{');
			bt_json_err(&j, err);
			bt_json_close(&j);
		}
		bt_json_end(&j);
	} else if (!cli->quiet) {
		bt_out_name(&cli->out, s->base);
		bt_out_printf(&cli->out, cli->out.tty ? ": %s%s" : "\t%s\t%s",
		    ok ? "ok" : "bad", ok || !cli->out.tty ? "" : ", ");
		bt_out_name(&cli->out, bt_str_of(err->text));
		bt_out_raw(&cli->out, STR("\n"));
		bt_out_flush(&cli->out);
	}
}

int
info_seeds(const struct info *in, int64_t timeout_us, struct bt_cli *cli,
    struct bt_err *err)
{
	struct bt_layout *layout;
	struct bt_err first = BT_ERR_INIT;
	uint32_t bad = 0, n = in->meta.nweb_seeds;

	if (n == 0)
		return bt_err_set(
		    err, BT_EANSWER, "'%s' has no web seeds", in->operand);
	layout = bt_layout_new(&in->meta);
	for (uint32_t i = 0; i < n; i++) {
		struct bt_err e = BT_ERR_INIT;
		struct seed s = { .in = in,
			.layout = layout,
			.conf = { .timeout_us = timeout_us },
			.base = in->meta.web_seeds[i] };

		if (check_seed(&s, &e) == -1 && bad++ == 0)
			first = e;
		put(&s, cli, &e);
	}
	bt_layout_free(layout);
	if (bad == 0)
		return 0;
	return bt_err_set(err, first.kind,
	    "%" PRIu32 " of %" PRIu32 " web seeds of '%s' cannot be used", bad,
	    n, in->operand);
}
