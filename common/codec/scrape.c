#include "codec/scrape.h"

#include <assert.h>
#include <string.h>

#include "codec/bencode.h"
#include "codec/httptrk.h"
#include "codec/url.h"

static int
put_hashes(struct bt_buf *out, const uint8_t (*hashes)[20], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && bt_buf_putc(out, '&') == -1)
			return -1;
		if (bt_buf_puts(out, "info_hash=") == -1 ||
		    bt_url_escape(out, (struct bt_str){ hashes[i], 20 }) == -1)
			return -1;
	}
	return 0;
}

int
bt_scrape_url(struct bt_buf *out, struct bt_str base,
    const uint8_t (*hashes)[20], size_t n, struct bt_err *err)
{
	size_t before = out->n;
	int rc;

	if (n == 0)
		rc = bt_buf_add(out, base);
	else
		rc = bt_httptrk_put_base(out, base);
	if (rc == 0 && put_hashes(out, hashes, n) == 0)
		return 0;
	out->n = before;
	return bt_err_set(err, BT_ELIMIT, "scrape URL is longer than %zu bytes",
	    out->max - before);
}

/* A count; trackers that write nonsense have nobody or very many. */
static uint32_t
count_of(const struct bt_ben *dict, const char *key)
{
	struct bt_ben v = bt_ben_get_type(dict, key, BT_BEN_INT);

	if (v.type == BT_BEN_NONE || v.num < 0)
		return 0;
	return v.num > UINT32_MAX ? UINT32_MAX : (uint32_t)v.num;
}

int
bt_scrape_reply_parse(struct bt_str body, struct bt_scrape_row *rows,
    size_t max, size_t *n, struct bt_err *err)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben top, files, row;
	struct bt_str key, reason;
	size_t got = 0;

	if (bt_httptrk_dict(body, BT_SCRAPE_REPLY_MAX, &top, err) == -1)
		return -1;
	if (bt_httptrk_failure(&top, &reason))
		return bt_err_set(err, BT_EREFUSED, "%.*s", (int)reason.n,
		    (const char *)reason.p);
	files = bt_ben_get(&top, "files");
	/* PHP writes an empty array as a list: a tracker that knows none */
	if (files.type != BT_BEN_DICT && files.type != BT_BEN_LIST)
		return bt_err_set(err, BT_ENET, "reply has no 'files'");
	while (got < max && files.type == BT_BEN_DICT &&
	       bt_ben_next_key(&files, &it, &key, &row)) {
		if (key.n != 20 || row.type != BT_BEN_DICT)
			continue;
		memcpy(rows[got].info_hash, key.p, 20);
		rows[got].complete = count_of(&row, "complete");
		rows[got].incomplete = count_of(&row, "incomplete");
		rows[got].downloaded = count_of(&row, "downloaded");
		rows[got].downloaders = rows[got].incomplete;
		if (bt_ben_get(&row, "downloaders").type == BT_BEN_INT)
			rows[got].downloaders = count_of(&row, "downloaders");
		got++;
	}
	*n = got;
	return 0;
}

int
bt_scrape_query_parse(struct bt_str query, uint8_t (*hashes)[20], size_t max,
    size_t *n, struct bt_err *err)
{
	struct bt_str name, value;
	uint8_t hash[20];
	size_t got = 0, len;

	while (bt_url_next_param(&query, &name, &value)) {
		if (!bt_str_eq(name, STR("info_hash")))
			continue;
		if (bt_url_unescape(value, hash, sizeof(hash), &len) == -1 ||
		    len != sizeof(hash))
			return bt_err_set(
			    err, BT_EINPUT, "info_hash is not 20 bytes");
		if (got < max)
			memcpy(hashes[got++], hash, sizeof(hash));
	}
	*n = got;
	return 0;
}

static int
add_row(struct bt_buf *out, const struct bt_scrape_row *row)
{
	struct bt_str hash = { row->info_hash, 20 };

	if (bt_ben_put_str(out, hash) == -1 ||
	    bt_buf_add(out, STR("d8:complete")) == -1 ||
	    bt_ben_put_int(out, row->complete) == -1 ||
	    bt_buf_add(out, STR("10:downloaded")) == -1 ||
	    bt_ben_put_int(out, row->downloaded) == -1 ||
	    bt_buf_add(out, STR("11:downloaders")) == -1 ||
	    bt_ben_put_int(out, row->downloaders) == -1 ||
	    bt_buf_add(out, STR("10:incomplete")) == -1 ||
	    bt_ben_put_int(out, row->incomplete) == -1)
		return -1;
	return bt_ben_put_char(out, 'e');
}

static int
put_rows(struct bt_buf *out, const struct bt_scrape_row *rows, size_t n)
{
	if (bt_buf_add(out, STR("d5:filesd")) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		assert(i == 0 || memcmp(rows[i - 1].info_hash,
				     rows[i].info_hash, 20) < 0);
		if (add_row(out, &rows[i]) == -1)
			return -1;
	}
	return bt_buf_add(out, STR("ee"));
}

int
bt_scrape_row_put(struct bt_buf *out, const struct bt_scrape_row *row)
{
	size_t before = out->n;

	if (add_row(out, row) == 0)
		return 0;
	out->n = before;
	return -1;
}

int
bt_scrape_answer_put(
    struct bt_buf *out, const struct bt_scrape_row *rows, size_t n)
{
	size_t before = out->n;

	if (put_rows(out, rows, n) == 0)
		return 0;
	out->n = before;
	return -1;
}
