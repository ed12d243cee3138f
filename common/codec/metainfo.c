#include "codec/metainfo.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/bencode.h"
#include "codec/merkle.h"
#include "codec/metafiles.h"
#include "codec/metatree.h"

bool
bt_meta_is_safe_name(struct bt_str s)
{
	if (s.n == 0 || s.n > BT_META_NAME_MAX)
		return false;
	if (bt_str_eq(s, STR(".")) || bt_str_eq(s, STR("..")))
		return false;
	return bt_str_find(s, '/') == s.n && bt_str_find(s, '\0') == s.n;
}

static int
read_name(struct bt_meta *m, const struct bt_ben *name,
    const struct bt_ben *name8, struct bt_err *err)
{
	char shown[4 * BT_META_NAME_MAX + 1]; /* every byte as \xNN */

	if (name8->type != BT_BEN_NONE && bt_str_is_utf8(name8->str) &&
	    bt_meta_is_safe_name(name8->str)) {
		m->name = name8->str;
		return 0;
	}
	if (name->type == BT_BEN_NONE)
		return bt_err_set(err, BT_EINPUT, "the torrent has no name");
	if (!bt_meta_is_safe_name(name->str)) {
		bt_str_printable(name->str, shown, sizeof(shown));
		return bt_err_set(err, BT_EINPUT, "unsafe name '%s'", shown);
	}
	m->name = name->str;
	return 0;
}

static int
read_single(struct bt_meta *m, const struct bt_ben *length,
    const struct bt_ben *attr, struct bt_err *err)
{
	if (length->type != BT_BEN_INT || length->num < 0)
		return bt_err_set(err, BT_EINPUT,
		    "the file's length is negative or not an integer");
	if ((uint64_t)length->num > BT_META_SIZE_MAX)
		return bt_err_set(err, BT_ELIMIT, "the file is too large");
	m->single = true;
	m->size = (uint64_t)length->num;
	m->files = bt_filetab_new();
	bt_filetab_add(
	    m->files, m->size, bt_metafiles_attr(attr->str), m->name);
	return 0;
}

static int
read_piece_length(struct bt_meta *m, const struct bt_ben *v, struct bt_err *err)
{
	if (v->type == BT_BEN_NONE || v->num < 1)
		return bt_err_set(err, BT_EINPUT,
		    "the piece length is missing or less than 1");
	if (v->num > BT_META_PIECE_MAX)
		return bt_err_set(err, BT_ELIMIT,
		    "a piece length of more than %u bytes", BT_META_PIECE_MAX);
	m->piece_length = (uint32_t)v->num;
	if (m->has_v2 && (m->piece_length < BT_MERKLE_BLOCK ||
			     (m->piece_length & (m->piece_length - 1)) != 0))
		return bt_err_set(err, BT_EINPUT,
		    "the piece length of a v2 torrent is not a power of two "
		    "from 16 KiB");
	return 0;
}

/* m->size is known: the number of hashes follows from it. */
static int
read_pieces(struct bt_meta *m, const struct bt_ben *pieces, struct bt_err *err)
{
	uint64_t want;

	want = m->size / m->piece_length + (m->size % m->piece_length != 0);
	if (!m->has_v1) {
		if (want > BT_META_PIECES_MAX)
			return bt_err_set(err, BT_ELIMIT, "more than %u pieces",
			    BT_META_PIECES_MAX);
		m->pieces = (uint32_t)want; /* see metatree: by its files */
		return 0;
	}
	if (pieces->str.n % BT_SHA1_LEN != 0)
		return bt_err_set(err, BT_EINPUT,
		    "the piece hashes are not a multiple of %d bytes",
		    BT_SHA1_LEN);
	if (pieces->str.n / BT_SHA1_LEN != want)
		return bt_err_set(err, BT_EINPUT,
		    "there are %zu piece hashes where the sizes need %llu",
		    pieces->str.n / BT_SHA1_LEN, (unsigned long long)want);
	m->pieces = (uint32_t)want; /* bounded by the input's size */
	m->piece_hashes = pieces->str.p;
	return 0;
}

/* What of the info dictionary says where the bytes are. */
struct content {
	struct bt_ben name, name8, piece_length, pieces, length, files;
	struct bt_ben attr, version, tree;
};

/* Which halves there are, by their form. BEP 52: the version comes first. */
static int
read_halves(struct bt_meta *m, const struct content *c, struct bt_err *err)
{
	if (c->version.num > 2)
		return bt_err_set(err, BT_EINPUT,
		    "meta version %lld is not known here",
		    (long long)c->version.num);
	m->has_v2 = c->version.num == 2;
	m->has_v1 = c->pieces.type != BT_BEN_NONE;
	if (m->has_v2 && c->tree.type != BT_BEN_DICT)
		return bt_err_set(
		    err, BT_EINPUT, "the v2 torrent has no file tree");
	if (!m->has_v1 && !m->has_v2)
		return bt_err_set(
		    err, BT_EINPUT, "the torrent has no piece hashes");
	if (!m->has_v1)
		return 0;
	if ((c->length.type == BT_BEN_NONE) == (c->files.type == BT_BEN_NONE))
		return bt_err_set(err, BT_EINPUT,
		    "the torrent needs either 'length' or 'files'");
	if (c->files.type != BT_BEN_NONE && c->files.type != BT_BEN_LIST)
		return bt_err_set(
		    err, BT_EINPUT, "the torrent's 'files' is not a list");
	return 0;
}

static int
read_content(struct bt_meta *m, const struct content *c, struct bt_err *err)
{
	int rc;

	if (read_halves(m, c, err) == -1 ||
	    read_name(m, &c->name, &c->name8, err) == -1 ||
	    read_piece_length(m, &c->piece_length, err) == -1)
		return -1;
	if (!m->has_v1)
		rc = bt_metatree_parse(m, &c->tree, err);
	else if (c->files.type == BT_BEN_LIST)
		rc = bt_metafiles_parse(m, &c->files, err);
	else
		rc = read_single(m, &c->length, &c->attr, err);
	if (rc == 0 && m->has_v1 && m->has_v2)
		rc = bt_metatree_join(m, &c->tree, err);
	return rc == 0 ? read_pieces(m, &c->pieces, err) : -1;
}

static int
read_info(struct bt_meta *m, const struct bt_ben *info, struct bt_err *err)
{
	struct bt_ben private, source;
	struct content c;
	const struct bt_ben_want want[] = {
		{ STR("name"), BT_BEN_STR, &c.name },
		{ STR("name.utf-8"), BT_BEN_STR, &c.name8 },
		{ STR("piece length"), BT_BEN_INT, &c.piece_length },
		{ STR("pieces"), BT_BEN_STR, &c.pieces },
		{ STR("length"), BT_BEN_NONE, &c.length },
		{ STR("files"), BT_BEN_NONE, &c.files },
		{ STR("private"), BT_BEN_INT, &private },
		{ STR("source"), BT_BEN_STR, &source },
		{ STR("attr"), BT_BEN_STR, &c.attr },
		{ STR("meta version"), BT_BEN_INT, &c.version },
		{ STR("file tree"), BT_BEN_DICT, &c.tree },
	};

	bt_ben_pick(info, want, sizeof(want) / sizeof(want[0]));
	if (read_content(m, &c, err) == -1)
		return -1;
	if (m->has_v1)
		bt_hash_sha1(m->info, m->info_hash);
	if (m->has_v2)
		bt_hash_sha256(m->info, m->info_hash_v2);
	m->private_ = private.num != 0;
	m->source = source.str;
	return 0;
}

static struct bt_str
trim(struct bt_str s)
{
	size_t from = 0, to = s.n;

	while (from < to && s.p[from] <= ' ')
		from++;
	while (to > from && s.p[to - 1] <= ' ')
		to--;
	return bt_str_sub(s, from, to);
}

/* Room for one more of n items, or NULL when there are enough of them. */
static void *
grow(void *p, uint32_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return p; /* room up to the next power of two */
	return bt_mem_resize(p, n == 0 ? 1 : (size_t)n * 2, size);
}

static bool
add_tracker(struct bt_meta *m, const struct bt_ben *v, uint32_t tier)
{
	struct bt_str url = trim(v->str);

	if (v->type != BT_BEN_STR || url.n == 0 ||
	    m->ntrackers == BT_META_LINKS_MAX)
		return false;
	m->trackers = grow(m->trackers, m->ntrackers, sizeof(*m->trackers));
	m->trackers[m->ntrackers++] = (struct bt_meta_tracker){ url, tier };
	return true;
}

static void
read_trackers(
    struct bt_meta *m, const struct bt_ben *announce, const struct bt_ben *list)
{
	struct bt_ben_iter it = { 0 }, in_tier;
	struct bt_ben tier, url;
	uint32_t ntiers = 0;
	bool any;

	m->announce = trim(announce->str);
	while (bt_ben_next(list, &it, &tier)) {
		any = false;
		in_tier.at = 0;
		while (bt_ben_next(&tier, &in_tier, &url))
			any |= add_tracker(m, &url, ntiers);
		ntiers += any;
	}
	if (ntiers == 0)
		add_tracker(m, announce, 0);
}

static void
add_url(struct bt_str **urls, uint32_t *n, const struct bt_ben *v)
{
	struct bt_str url = trim(v->str);

	if (v->type != BT_BEN_STR || url.n == 0 || *n == BT_META_LINKS_MAX)
		return;
	*urls = grow(*urls, *n, sizeof(**urls));
	(*urls)[(*n)++] = url;
}

/* A list of URLs, or one URL without a list around it. */
static void
read_urls(struct bt_str **urls, uint32_t *n, const struct bt_ben *v)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben item;

	add_url(urls, n, v);
	while (bt_ben_next(v, &it, &item))
		add_url(urls, n, &item);
}

static void
read_nodes(struct bt_meta *m, const struct bt_ben *list)
{
	struct bt_ben_iter it = { 0 }, pair;
	struct bt_ben item, host, port;

	while (m->nnodes < BT_META_LINKS_MAX && bt_ben_next(list, &it, &item)) {
		pair.at = 0;
		if (!bt_ben_next(&item, &pair, &host) ||
		    !bt_ben_next(&item, &pair, &port) ||
		    host.type != BT_BEN_STR || host.str.n == 0 ||
		    port.type != BT_BEN_INT || port.num < 1 || port.num > 65535)
			continue;
		m->nodes = grow(m->nodes, m->nnodes, sizeof(*m->nodes));
		m->nodes[m->nnodes++] =
		    (struct bt_meta_node){ host.str, (uint16_t)port.num };
	}
}

static int
read_root(struct bt_meta *m, const struct bt_ben *root, struct bt_err *err)
{
	struct bt_ben info, announce, list, comment, created_by, date;
	struct bt_ben encoding, url_list, httpseeds, nodes, layers;
	const struct bt_ben_want want[] = {
		{ STR("info"), BT_BEN_DICT, &info },
		{ STR("announce"), BT_BEN_STR, &announce },
		{ STR("announce-list"), BT_BEN_LIST, &list },
		{ STR("comment"), BT_BEN_STR, &comment },
		{ STR("created by"), BT_BEN_STR, &created_by },
		{ STR("creation date"), BT_BEN_INT, &date },
		{ STR("encoding"), BT_BEN_STR, &encoding },
		{ STR("url-list"), BT_BEN_NONE, &url_list },
		{ STR("httpseeds"), BT_BEN_NONE, &httpseeds },
		{ STR("nodes"), BT_BEN_LIST, &nodes },
		{ STR("piece layers"), BT_BEN_DICT, &layers },
	};

	if (root->type != BT_BEN_DICT)
		return bt_err_set(
		    err, BT_EINPUT, "not a torrent: it is not a dictionary");
	bt_ben_pick(root, want, sizeof(want) / sizeof(want[0]));
	if (info.type == BT_BEN_NONE)
		return bt_err_set(err, BT_EINPUT,
		    "not a torrent: it has no 'info' dictionary");
	m->info = info.raw;
	if (read_info(m, &info, err) == -1 ||
	    (m->has_v2 && bt_metatree_layers(m, &layers, err) == -1))
		return -1;
	m->comment = comment.str;
	m->created_by = created_by.str;
	m->encoding = encoding.str;
	m->creation_date =
	    date.type == BT_BEN_INT && date.num >= 0 ? date.num : -1;
	read_trackers(m, &announce, &list);
	read_urls(&m->web_seeds, &m->nweb_seeds, &url_list);
	read_urls(&m->http_seeds, &m->nhttp_seeds, &httpseeds);
	read_nodes(m, &nodes);
	return 0;
}

int
bt_meta_parse(struct bt_str in, struct bt_meta *m, struct bt_err *err)
{
	struct bt_meta got = { .raw = in, .creation_date = -1 };
	struct bt_ben root;

	if (in.n > BT_META_BYTES_MAX)
		return bt_err_set(err, BT_ELIMIT,
		    "a torrent of more than %u bytes", BT_META_BYTES_MAX);
	if (bt_ben_check(in, &root, &got.oddities, err) == -1)
		return bt_err_prefix(err, "not a torrent");
	if (read_root(&got, &root, err) == -1) {
		bt_meta_fini(&got);
		return -1;
	}
	*m = got;
	return 0;
}

void
bt_meta_fini(struct bt_meta *m)
{
	bt_filetab_free(m->files);
	bt_mem_free(m->roots);
	bt_mem_free(m->trackers);
	bt_mem_free(m->web_seeds);
	bt_mem_free(m->http_seeds);
	bt_mem_free(m->nodes);
	*m = (struct bt_meta){ .creation_date = -1 };
}

uint64_t
bt_meta_payload(const struct bt_meta *m)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < m->files->n; i++)
		if ((m->files->at[i].attr & BT_META_PAD) == 0)
			n += bt_filetab_size(m->files, i);
	return n;
}

const uint8_t *
bt_meta_wire_hash(const struct bt_meta *m)
{
	return m->has_v1 ? m->info_hash : m->info_hash_v2;
}

const uint8_t *
bt_meta_piece_root(
    const struct bt_meta *m, uint32_t i, uint32_t *bytes, unsigned *height)
{
	uint64_t at = (uint64_t)i * m->piece_length, left;
	uint32_t file = bt_filetab_find(m->files, at), n;
	struct bt_file f = bt_filetab_get(m->files, file);
	const struct bt_meta_root *r = &m->roots[file];

	assert(m->has_v2 && i < m->pieces);
	assert(r->root != NULL);
	left = f.size - (at - f.offset);
	n = left < m->piece_length ? (uint32_t)left : m->piece_length;
	if (bytes != NULL)
		*bytes = n;
	if (r->layer != NULL)
		n = m->piece_length;
	if (height != NULL)
		*height = bt_merkle_height((n - 1) / BT_MERKLE_BLOCK + 1);
	if (r->layer == NULL)
		return r->root;
	return r->layer + (at - f.offset) / m->piece_length * BT_SHA256_LEN;
}
