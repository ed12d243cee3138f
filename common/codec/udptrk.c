#include "codec/udptrk.h"

#include <assert.h>
#include <string.h>

#include "base/rd.h"

/* BEP 15: a scrape's row of seeders, completed, leechers; an announce */
#define ROW_LEN 12u
#define ACTION_AT 8u
#define HASH_AT 16u
#define ANNOUNCE_LEN 98u

enum option { /* BEP 41 */
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_URL_DATA = 2
};

#define OPTION_DATA_MAX 255u /* its length is one byte */

static int
put_url_data(struct bt_buf *out, struct bt_str s)
{
	size_t n;

	for (; s.n > 0; s = bt_str_sub(s, n, s.n)) {
		n = s.n < OPTION_DATA_MAX ? s.n : OPTION_DATA_MAX;
		if (bt_buf_putc(out, OPTION_URL_DATA) == -1 ||
		    bt_buf_putc(out, (uint8_t)n) == -1 ||
		    bt_buf_add(out, bt_str_sub(s, 0, n)) == -1)
			return -1;
	}
	return 0;
}

static int
put_announce(struct bt_buf *out, const struct bt_announce *a)
{
	struct bt_str hash = { a->info_hash, sizeof(a->info_hash) };
	struct bt_str id = { a->peer_id, sizeof(a->peer_id) };
	uint32_t ip = 0;

	if (a->ip.family == 4)
		ip = bt_be32(a->ip.ip);
	if (bt_buf_add(out, hash) == -1 || bt_buf_add(out, id) == -1 ||
	    bt_buf_be64(out, a->downloaded) == -1 ||
	    bt_buf_be64(out, a->left) == -1 ||
	    bt_buf_be64(out, a->uploaded) == -1 ||
	    bt_buf_be32(out, a->event <= BT_EVENT_STOPPED ? a->event : 0) ==
		-1 ||
	    bt_buf_be32(out, ip) == -1 ||
	    bt_buf_be32(out, a->has_key ? a->key : 0) == -1 ||
	    bt_buf_be32(out, (uint32_t)a->numwant) == -1)
		return -1;
	return bt_buf_be16(out, a->port);
}

static int
put_request(struct bt_buf *out, const struct bt_udp_request *q)
{
	uint64_t connection = q->connection;

	if (q->action == BT_UDP_CONNECT)
		connection = BT_UDP_MAGIC;
	if (bt_buf_be64(out, connection) == -1 ||
	    bt_buf_be32(out, q->action) == -1 ||
	    bt_buf_be32(out, q->transaction) == -1)
		return -1;
	if (q->action == BT_UDP_ANNOUNCE) {
		if (put_announce(out, &q->announce) == -1)
			return -1;
		return put_url_data(out, q->url_data);
	}
	if (q->action == BT_UDP_SCRAPE)
		return bt_buf_add(
		    out, (struct bt_str){ q->nhashes == 0 ? NULL : q->hashes[0],
			     q->nhashes * 20 });
	return 0;
}

int
bt_udp_request_put(struct bt_buf *out, const struct bt_udp_request *q)
{
	size_t before = out->n;

	assert(q->action != BT_UDP_ERROR);
	assert(q->nhashes <= BT_UDP_SCRAPE_MAX);
	if (put_request(out, q) == 0 && out->n - before <= BT_UDP_REQUEST_MAX)
		return 0;
	out->n = before;
	return -1;
}

static int
put_reply(struct bt_buf *out, const struct bt_udp_reply *r)
{
	if (bt_buf_be32(out, r->action) == -1 ||
	    bt_buf_be32(out, r->transaction) == -1)
		return -1;
	switch (r->action) {
	case BT_UDP_CONNECT:
		return bt_buf_be64(out, r->connection);
	case BT_UDP_ANNOUNCE:
		if (bt_buf_be32(out, r->interval) == -1 ||
		    bt_buf_be32(out, r->incomplete) == -1 ||
		    bt_buf_be32(out, r->complete) == -1)
			return -1;
		return bt_buf_add(out, r->peers);
	case BT_UDP_SCRAPE:
		return bt_buf_add(
		    out, (struct bt_str){ r->rows, r->nrows * ROW_LEN });
	case BT_UDP_ERROR:
		return bt_buf_add(out, r->error);
	}
	return -1;
}

int
bt_udp_reply_put(struct bt_buf *out, const struct bt_udp_reply *r)
{
	size_t before = out->n;

	if (put_reply(out, r) == 0)
		return 0;
	out->n = before;
	return -1;
}

/*
 * BEP 41, from the end of the announce on. An option that runs over the end
 * of the packet ends it: what came before still counts.
 */
static struct bt_str
read_url_data(struct bt_rd *r, uint8_t *to, size_t max)
{
	struct bt_str data;
	size_t n = 0, take;
	uint8_t option;

	while (r->in.n > 0) {
		option = bt_rd_u8(r);
		if (option == OPTION_END)
			break;
		if (option == OPTION_NOP)
			continue;
		data = bt_rd_take(r, bt_rd_u8(r));
		if (r->bad)
			break;
		if (option != OPTION_URL_DATA || data.n == 0)
			continue;
		take = data.n < max - n ? data.n : max - n;
		if (take > 0)
			memcpy(to + n, data.p, take);
		n += take;
	}
	return (struct bt_str){ to, n };
}

static int
read_announce(struct bt_rd *r, struct bt_announce *a)
{
	struct bt_str ip;
	uint32_t event, numwant;

	*a = (struct bt_announce){ .compact = true, .has_key = true };
	bt_rd_copy(r, a->info_hash, sizeof(a->info_hash));
	bt_rd_copy(r, a->peer_id, sizeof(a->peer_id));
	a->downloaded = bt_rd_be64(r);
	a->left = bt_rd_be64(r);
	a->uploaded = bt_rd_be64(r);
	event = bt_rd_be32(r);
	ip = bt_rd_take(r, 4);
	a->key = bt_rd_be32(r);
	numwant = bt_rd_be32(r);
	a->port = bt_rd_be16(r);
	if (r->bad)
		return -1;
	if (event <= BT_EVENT_STOPPED)
		a->event = (enum bt_event)event;
	if (bt_be32(ip.p) != 0)
		a->ip = bt_addr_v4(ip.p, 0);
	a->numwant = numwant > INT32_MAX ? -1 : (int32_t)numwant;
	return 0;
}

int
bt_udp_request_parse(struct bt_str in, struct bt_udp_request *q,
    uint8_t *url_buf, size_t url_max, bool *transaction_known)
{
	struct bt_rd r = bt_rd_of(in);
	uint32_t action;
	size_t n;

	*q = (struct bt_udp_request){ 0 };
	q->connection = bt_rd_be64(&r);
	action = bt_rd_be32(&r);
	q->transaction = bt_rd_be32(&r);
	*transaction_known = !r.bad;
	if (r.bad)
		return -1;
	switch (action) {
	case BT_UDP_CONNECT:
		if (q->connection != BT_UDP_MAGIC)
			return -1;
		break;
	case BT_UDP_ANNOUNCE:
		if (read_announce(&r, &q->announce) == -1)
			return -1;
		q->url_data = read_url_data(&r, url_buf, url_max);
		break;
	case BT_UDP_SCRAPE:
		n = r.in.n / 20;
		q->nhashes = n < BT_UDP_SCRAPE_MAX ? n : BT_UDP_SCRAPE_MAX;
		/* by way of an integer: C11 has no const arrays to cast to */
		q->hashes = (const uint8_t(*)[20])(uintptr_t)r.in.p;
		break;
	default:
		return -1;
	}
	q->action = (enum bt_udp_action)action;
	return 0;
}

const uint8_t *
bt_udp_request_hash(struct bt_str in)
{
	if (in.n < ANNOUNCE_LEN || bt_be32(in.p + ACTION_AT) != BT_UDP_ANNOUNCE)
		return NULL;
	return in.p + HASH_AT;
}

/* Some trackers end the sentence with a NUL. */
static struct bt_str
without_nuls(struct bt_str s)
{
	while (s.n > 0 && s.p[s.n - 1] == 0)
		s.n--;
	return s;
}

int
bt_udp_reply_parse(struct bt_str in, uint8_t family, struct bt_udp_reply *r)
{
	struct bt_rd rd = bt_rd_of(in);
	struct bt_udp_reply got = { 0 };
	uint32_t action, interval;
	size_t size = family == 4 ? 6 : 18;

	action = bt_rd_be32(&rd);
	got.transaction = bt_rd_be32(&rd);
	switch (action) {
	case BT_UDP_CONNECT:
		got.connection = bt_rd_be64(&rd);
		break;
	case BT_UDP_ANNOUNCE:
		interval = bt_rd_be32(&rd);
		got.interval = interval > INT32_MAX ? 0 : interval;
		got.incomplete = bt_rd_be32(&rd);
		got.complete = bt_rd_be32(&rd);
		got.peers = bt_rd_take(&rd, rd.in.n / size * size);
		break;
	case BT_UDP_SCRAPE:
		got.nrows = rd.in.n / ROW_LEN;
		got.rows = rd.in.p;
		break;
	case BT_UDP_ERROR:
		got.error = without_nuls(rd.in);
		break;
	default:
		return -1;
	}
	if (rd.bad)
		return -1;
	got.action = (enum bt_udp_action)action;
	*r = got;
	return 0;
}

void
bt_udp_reply_row(
    const struct bt_udp_reply *r, size_t i, struct bt_scrape_row *row)
{
	const uint8_t *p = r->rows + i * ROW_LEN;

	assert(i < r->nrows);
	row->complete = bt_be32(p);
	row->downloaded = bt_be32(p + 4);
	row->incomplete = row->downloaders = bt_be32(p + 8);
}
