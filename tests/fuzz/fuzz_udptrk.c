/*
 * Any bytes as a UDP tracker's request and as its reply: views lie inside, and
 * what was read is written to the same bytes, but for what the parser says it
 * normalises (events, num_want, options).
 */
#include <assert.h>
#include <string.h>

#include "base/rd.h"
#include "codec/udptrk.h"
#include "fuzz.h"

#define ANNOUNCE_LEN 98u
#define ROW_LEN 12u

static void
check_announce(
    struct bt_str in, const struct bt_udp_request *q, struct bt_str out)
{
	uint32_t event = bt_be32(in.p + 80), want = bt_be32(in.p + 92);

	assert(memcmp(in.p, out.p, 80) == 0);
	assert(memcmp(in.p + 84, out.p + 84, 8) == 0);
	assert(memcmp(in.p + 96, out.p + 96, 2) == 0);
	assert(bt_be32(out.p + 80) == (event <= 3 ? event : 0));
	assert(bt_be32(out.p + 92) == (want <= INT32_MAX ? want : UINT32_MAX));
	assert(q->announce.numwant >= -1);
	assert(out.n ==
	       ANNOUNCE_LEN + q->url_data.n + (q->url_data.n + 254) / 255 * 2);
}

static void
check_again(const struct bt_udp_request *q, struct bt_str out)
{
	uint8_t url[BT_UDP_PACKET_MAX];
	struct bt_udp_request again;
	struct bt_buf twice;
	bool known;
	int rc;

	rc = bt_udp_request_parse(out, &again, url, sizeof(url), &known);
	assert(rc == 0);
	assert(known);
	assert(again.action == q->action);
	assert(bt_str_eq(again.url_data, q->url_data));
	bt_buf_init(&twice, BT_UDP_PACKET_MAX);
	rc = bt_udp_request_put(&twice, &again);
	assert(rc == 0);
	assert(bt_str_eq(bt_buf_str(&twice), out));
	bt_buf_fini(&twice);
}

static size_t
hashes_in(struct bt_str in, enum bt_udp_action action)
{
	size_t n = (in.n - 16) / 20;

	if (action != BT_UDP_SCRAPE)
		return 0;
	return n < BT_UDP_SCRAPE_MAX ? n : BT_UDP_SCRAPE_MAX;
}

static void
check_request(struct bt_str in)
{
	uint8_t url[BT_UDP_PACKET_MAX];
	const uint8_t *hash;
	struct bt_udp_request q;
	struct bt_buf out;
	bool known;
	int rc;

	hash = bt_udp_request_hash(in);
	assert(hash == NULL || is_inside(in, (struct bt_str){ hash, 20 }));
	rc = bt_udp_request_parse(in, &q, url, sizeof(url), &known);
	assert(known == (in.n >= 16));
	if (known) {
		assert(q.connection == bt_be64(in.p));
		assert(q.transaction == bt_be32(in.p + 12));
	}
	if (rc == -1)
		return;
	assert(known);
	assert((hash != NULL) == (q.action == BT_UDP_ANNOUNCE));
	if (hash != NULL)
		assert(memcmp(hash, q.announce.info_hash, 20) == 0);
	assert(is_inside((struct bt_str){ url, sizeof(url) }, q.url_data));
	bt_buf_init(&out, BT_UDP_PACKET_MAX);
	if (bt_udp_request_put(&out, &q) == -1) {
		assert(q.action == BT_UDP_ANNOUNCE);
		assert(q.url_data.n > BT_UDP_REQUEST_MAX - ANNOUNCE_LEN - 12);
		bt_buf_fini(&out);
		return;
	}
	if (q.action == BT_UDP_ANNOUNCE) {
		check_announce(in, &q, bt_buf_str(&out));
	} else {
		assert(q.nhashes == hashes_in(in, q.action));
		assert(out.n == 16 + q.nhashes * 20);
		assert(memcmp(out.p, in.p, out.n) == 0);
	}
	check_again(&q, bt_buf_str(&out));
	bt_buf_fini(&out);
}

/* How much of a reply counts; 0: it is none. */
static size_t
length_of(struct bt_str in, uint8_t family)
{
	size_t size = family == 4 ? 6 : 18, n = in.n;

	if (n < 8)
		return 0;
	switch (bt_be32(in.p)) {
	case BT_UDP_CONNECT:
		return n < 16 ? 0 : 16;
	case BT_UDP_ANNOUNCE:
		return n < 20 ? 0 : 20 + (n - 20) / size * size;
	case BT_UDP_SCRAPE:
		return 8 + (n - 8) / ROW_LEN * ROW_LEN;
	case BT_UDP_ERROR:
		while (n > 8 && in.p[n - 1] == 0)
			n--;
		return n;
	default:
		return 0;
	}
}

static void
check_rows(const struct bt_udp_reply *r, struct bt_str in)
{
	struct bt_scrape_row row;
	const uint8_t *p = in.p + 8;

	for (size_t i = 0; i < r->nrows; i++, p += ROW_LEN) {
		bt_udp_reply_row(r, i, &row);
		assert(row.complete == bt_be32(p));
		assert(row.downloaded == bt_be32(p + 4));
		assert(row.incomplete == bt_be32(p + 8));
		assert(row.downloaders == row.incomplete);
	}
}

/* All that counts is in one view, of the kind that the action has. */
static void
check_views(const struct bt_udp_reply *r, struct bt_str in, size_t length)
{
	bool is_announce = r->action == BT_UDP_ANNOUNCE;

	assert(r->peers.n == (is_announce ? length - 20 : 0));
	assert(r->nrows * ROW_LEN ==
	       (r->action == BT_UDP_SCRAPE ? length - 8 : 0));
	assert(r->error.n == (r->action == BT_UDP_ERROR ? length - 8 : 0));
	assert(is_inside(in, r->peers));
	assert(is_inside(in, r->error));
	assert(is_inside(in, (struct bt_str){ r->rows, r->nrows * ROW_LEN }));
}

/* The same bytes, but that a negative interval is 0. */
static void
check_reply(struct bt_str in, uint8_t family)
{
	size_t length = length_of(in, family);
	struct bt_udp_reply r;
	uint32_t interval;
	struct bt_buf out;
	int rc;

	rc = bt_udp_reply_parse(in, family, &r);
	assert(rc == (length == 0 ? -1 : 0));
	if (rc == -1)
		return;
	check_views(&r, in, length);
	check_rows(&r, in);
	bt_buf_init(&out, in.n);
	rc = bt_udp_reply_put(&out, &r);
	assert(rc == 0);
	assert(out.n == length);
	if (r.action == BT_UDP_ANNOUNCE) {
		interval = bt_be32(in.p + 8);
		interval = interval <= INT32_MAX ? interval : 0;
		assert(bt_be32(out.p + 8) == interval);
		bt_put_be32(out.p + 8, bt_be32(in.p + 8));
	}
	assert(memcmp(out.p, in.p, out.n) == 0);
	bt_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };

	check_request(in);
	check_reply(in, 4);
	check_reply(in, 6);
	return 0;
}
