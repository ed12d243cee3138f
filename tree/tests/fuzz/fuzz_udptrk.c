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

static void
check_request(struct bt_str in)
{
	uint8_t url[BT_UDP_PACKET_MAX];
	struct bt_udp_request q;
	struct bt_buf out;
	bool known;
	int rc;

	rc = bt_udp_request_parse(in, &q, url, sizeof(url), &known);
	assert(known == (in.n >= 16));
	if (known) {
		assert(q.connection == bt_be64(in.p));
		assert(q.transaction == bt_be32(in.p + 12));
	}
	if (rc == -1)
		return;
	assert(known);
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
		assert(out.n <= in.n);
		assert(memcmp(out.p, in.p, out.n) == 0);
		assert(out.n == 16 + q.nhashes * 20);
	}
	check_again(&q, bt_buf_str(&out));
	bt_buf_fini(&out);
}

static void
check_reply(struct bt_str in, uint8_t family)
{
	struct bt_scrape_row row;
	struct bt_udp_reply r;
	struct bt_buf out;
	int rc;

	if (bt_udp_reply_parse(in, family, &r) == -1)
		return;
	assert(is_inside(in, r.peers));
	assert(r.peers.n % (family == 4 ? 6 : 18) == 0);
	assert(is_inside(in, r.error));
	assert(is_inside(in, (struct bt_str){ r.rows, r.nrows * 12 }));
	assert(r.interval <= INT32_MAX);
	for (size_t i = 0; i < r.nrows; i++) {
		bt_udp_reply_row(&r, i, &row);
		assert(row.downloaded == bt_be32(in.p + 8 + 12 * i + 4));
	}
	bt_buf_init(&out, in.n);
	rc = bt_udp_reply_put(&out, &r);
	assert(rc == 0);
	assert(memcmp(out.p, in.p, 8) == 0);
	if (r.action != BT_UDP_ANNOUNCE || r.interval != 0)
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
