/*
 * Any bytes as a scrape's reply and as its query: what was read is written in
 * a form that reads the same, and no error text can harm a terminal.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/bencode.h"
#include "codec/scrape.h"
#include "fuzz.h"

#define ROWS 32u

static int
cmp_rows(const void *a, const void *b)
{
	const struct bt_scrape_row *x = a, *y = b;

	return memcmp(x->info_hash, y->info_hash, 20);
}

static size_t
sort_unique(struct bt_scrape_row *rows, size_t n)
{
	size_t to = 0;

	qsort(rows, n, sizeof(*rows), cmp_rows);
	for (size_t i = 0; i < n; i++)
		if (to == 0 || cmp_rows(&rows[to - 1], &rows[i]) != 0)
			rows[to++] = rows[i];
	return to;
}

static void
check_reply(struct bt_str in)
{
	struct bt_scrape_row rows[ROWS], back[ROWS];
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf out;
	struct bt_ben v;
	size_t n, m;
	int rc;

	memset(rows, 0, sizeof(rows));
	memset(back, 0, sizeof(back));
	if (bt_scrape_reply_parse(in, rows, ROWS, &n, &err) == -1) {
		assert(err.kind == BT_ENET || err.kind == BT_ELIMIT ||
		       err.kind == BT_EREFUSED);
		assert(is_harmless(err.text));
		return;
	}
	assert(n <= ROWS);
	n = sort_unique(rows, n);
	bt_buf_init(&out, BT_SCRAPE_REPLY_MAX);
	rc = bt_scrape_answer_put(&out, rows, n);
	assert(rc == 0);
	rc = bt_ben_check(bt_buf_str(&out), &v, NULL, &err);
	assert(rc == 0);
	rc = bt_scrape_reply_parse(bt_buf_str(&out), back, ROWS, &m, &err);
	assert(rc == 0);
	assert(m == n);
	assert(memcmp(rows, back, n * sizeof(rows[0])) == 0);
	bt_buf_fini(&out);
}

static void
check_query(struct bt_str in)
{
	uint8_t hashes[ROWS][20], back[ROWS][20];
	struct bt_err err = BT_ERR_INIT;
	struct bt_str query;
	struct bt_buf out;
	size_t n, m;
	int rc;

	if (bt_scrape_query_parse(in, hashes, ROWS, &n, &err) == -1) {
		assert(err.kind == BT_EINPUT);
		return;
	}
	assert(n <= ROWS);
	bt_buf_init(&out, 100 + n * 80);
	rc = bt_scrape_url(
	    &out, STR("http://t/s?"), (const uint8_t(*)[20])hashes, n, &err);
	assert(rc == 0);
	query = bt_str_sub(bt_buf_str(&out), 11, out.n);
	rc = bt_scrape_query_parse(query, back, ROWS, &m, &err);
	assert(rc == 0);
	assert(m == n);
	assert(memcmp(hashes, back, n * 20) == 0);
	bt_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };

	check_reply(in);
	check_query(in);
	return 0;
}
