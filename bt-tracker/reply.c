#include "reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "stats_page.h"

#define RETRY_MIN 5 /* BEP 31: minutes, as its own example has it */

/* One reply's body and head above the mark where replies are sent. */
#define OUT_MAX (BT_ANNOUNCE_REPLY_MAX + (128u << 10))

void
bt_reply_init(struct bt_reply *r, const struct bt_proxy *proxy,
    struct bt_stats *stats, struct bt_full *full)
{
	r->full = full;
	r->is_full = false;
	r->proxy = proxy;
	r->stats = stats;
	bt_buf_init(&r->out, OUT_MAX);
	bt_buf_init(&r->body, BT_ANNOUNCE_REPLY_MAX);
}

void
bt_reply_fini(struct bt_reply *r)
{
	bt_buf_fini(&r->out);
	bt_buf_fini(&r->body);
}

/* The ceilings are above whatever is written: see BT_ANNOUNCE_PEERS_MAX. */
static void
add(struct bt_buf *b, struct bt_str s)
{
	int rc = bt_buf_add(b, s);

	assert(rc == 0);
}

static void
add_number(struct bt_buf *b, size_t v)
{
	uint8_t digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	add(b, (struct bt_str){ digits + at, sizeof(digits) - at });
}

static struct bt_str
first_line(int status)
{
	switch (status) {
	case 200:
		return STR("HTTP/1.1 200 OK\r\n");
	case 400:
		return STR("HTTP/1.1 400 Bad Request\r\n");
	case 404:
		return STR("HTTP/1.1 404 Not Found\r\n");
	case 405:
		return STR("HTTP/1.1 405 Method Not Allowed\r\n"
			   "Allow: GET, HEAD\r\n");
	case 413:
		return STR("HTTP/1.1 413 Content Too Large\r\n");
	case 429:
		return STR("HTTP/1.1 429 Too Many Requests\r\n");
	case 431:
		return STR("HTTP/1.1 431 Request Header Fields Too Large\r\n");
	case 503:
		return STR("HTTP/1.1 503 Service Unavailable\r\n");
	default:
		assert(status == 505);
		return STR("HTTP/1.1 505 HTTP Version Not Supported\r\n");
	}
}

/* Add a whole reply; `head_only` leaves the body out. */
static void
put_as(struct bt_reply *r, int status, struct bt_str type, struct bt_str body,
    bool keep, bool head_only)
{
	add(&r->out, first_line(status));
	add(&r->out, STR("Content-Type: "));
	add(&r->out, type);
	add(&r->out, STR("\r\nContent-Length: "));
	add_number(&r->out, body.n);
	if (keep)
		add(&r->out, STR("\r\nConnection: keep-alive\r\n\r\n"));
	else
		add(&r->out, STR("\r\nConnection: close\r\n\r\n"));
	if (!head_only)
		add(&r->out, body);
}

static void
put(struct bt_reply *r, int status, struct bt_str body, bool keep,
    bool head_only)
{
	put_as(r, status, STR("text/plain"), body, keep, head_only);
}

/*
 * BEP 31: what is not let in need not ask again, and who finds no room may do so
 * later. A request that is wrong says nothing of the next one.
 */
static int32_t
retry_of(enum bt_err_kind kind)
{
	switch (kind) {
	case BT_EREFUSED:
		return -1;
	case BT_ELIMIT:
		return RETRY_MIN;
	default:
		return 0;
	}
}

static void
put_failure(struct bt_buf *body, const struct bt_err *err)
{
	int rc;

	bt_buf_clear(body);
	rc = bt_announce_failure_put(
	    body, bt_str_of(err->text), retry_of(err->kind));
	assert(rc == 0);
}

/* Both fill in what the log is to say of it, as far as they come. */
static int
announce(struct bt_reply *r, struct bt_service *s, struct bt_clerk *clerk,
    const struct bt_request *q, struct bt_record_line *line, struct bt_err *err)
{
	struct bt_announce *a = &r->announce;
	struct bt_announce_answer put;
	struct bt_proxy_client client =
	    bt_proxy_decide(r->proxy, &line->client, q);
	struct bt_service_ask ask = { .announce = a,
		.from = client.addr,
		.may_say_ip = client.may_say_ip,
		.both = true,
		.want_max = BT_ANNOUNCE_PEERS_MAX,
		.warns = true };
	struct bt_service_answer got;
	int rc;

	line->client = client.addr;
	if (client.addr.family == 0)
		return bt_err_set(err, BT_EINPUT,
		    "the proxy in between does not say who asks");
	if (bt_announce_query_parse(q->query, a, err) == -1)
		return -1;
	line->event = a->event;
	line->info_hash = a->info_hash;
	if (bt_service_announce(s, clerk, &ask, &got, err) == -1)
		return -1;
	line->n = got.store.n[0] + got.store.n[1];
	put = (struct bt_announce_answer){
		.interval = got.interval_s,
		.min_interval = got.min_interval_s,
		.complete = got.store.complete,
		.incomplete = got.store.incomplete,
		.downloaded = got.store.downloaded,
		.peers4 = { got.store.peers[0], got.store.n[0] * 6 },
		.peers6 = { got.store.peers[1], got.store.n[1] * 18 },
		.compact = a->compact,
		.external = client.addr,
		.warning = bt_str_of(got.warning),
	};
	rc = bt_announce_answer_put(&r->body, &put);
	assert(rc == 0);
	return 0;
}

static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, 20);
}

static int
scrape_all(struct bt_reply *r, const struct bt_service *s,
    struct bt_record_line *line, struct bt_err *err)
{
	uint32_t peers;

	if (r->full == NULL)
		return bt_err_set(err, BT_EREFUSED,
		    "info_hash is missing: no scrape of all torrents here");
	if (!bt_full_reserve(r->full))
		return bt_err_set(err, BT_ELIMIT,
		    "another scrape of all torrents is being answered");
	r->is_full = true;
	bt_service_count(s, &line->n, &peers);
	return 0;
}

static int
scrape(struct bt_reply *r, struct bt_service *s, const struct bt_clerk *clerk,
    const struct bt_request *q, struct bt_record_line *line, struct bt_err *err)
{
	size_t n = 0, unique = 0;
	int rc;

	line->client = bt_proxy_decide(r->proxy, &line->client, q).addr;
	if (bt_scrape_query_parse(
		q->query, r->hashes, BT_REPLY_SCRAPE_MAX, &n, err) == -1)
		return -1;
	if (n == 0)
		return scrape_all(r, s, line, err);
	/* BEP 3: keys are sorted, and are there once */
	qsort(r->hashes, n, sizeof(r->hashes[0]), by_hash);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_hash(r->hashes[i - 1], r->hashes[i]) != 0)
			memcpy(r->rows[unique++].info_hash, r->hashes[i], 20);
	unique = bt_service_scrape(s, clerk, r->rows, unique);
	if (n == 1)
		line->info_hash = r->hashes[0];
	line->n = (uint32_t)unique;
	rc = bt_scrape_answer_put(&r->body, r->rows, unique);
	assert(rc == 0);
	return 0;
}

/* HEAD of what a GET would change or reckon: the head without a length. */
static void
put_bare_head(struct bt_reply *r, bool keep)
{
	add(&r->out, first_line(200));
	add(&r->out, STR("Content-Type: text/plain\r\n"));
	if (keep)
		add(&r->out, STR("Connection: keep-alive\r\n\r\n"));
	else
		add(&r->out, STR("Connection: close\r\n\r\n"));
}

/*
 * Is it a client on this machine, with nobody in between? A trusted proxy may
 * forward without saying so.
 */
static bool
is_direct(const struct bt_reply *r, const struct bt_request *q,
    const struct bt_addr *from)
{
	return !q->forwarded && bt_addr_is_loopback(from) &&
	       !bt_proxy_is_trusted(r->proxy, from);
}

/* True when it was for the statistics, and is answered. */
static bool
put_stats(struct bt_reply *r, const struct bt_request *q,
    const struct bt_reply_asker *from)
{
	struct bt_stats_now now;
	struct bt_str type;
	int (*write)(const struct bt_stats_now *, struct bt_buf *);
	int rc;

	if (bt_str_eq(q->path, STR("/stats"))) {
		write = bt_stats_page_html;
		type = STR("text/html; charset=utf-8");
	} else if (bt_str_eq(q->path, STR("/stats.json"))) {
		write = bt_stats_page_json;
		type = STR("application/json");
	} else if (bt_str_eq(q->path, STR("/metrics"))) {
		write = bt_stats_page_metrics;
		type = STR("text/plain; version=0.0.4; charset=utf-8");
	} else
		return false;
	if (from->stats == BT_REPLY_STATS_HOST && !is_direct(r, q, &from->addr))
		return false;
	bt_stats_read(r->stats, write != bt_stats_page_metrics, &now);
	bt_buf_clear(&r->body);
	rc = write(&now, &r->body);
	assert(rc == 0);
	put_as(r, 200, type, bt_buf_str(&r->body), q->keep,
	    q->method == BT_METHOD_HEAD);
	return true;
}

void
bt_reply_put(struct bt_reply *r, struct bt_service *s, struct bt_clerk *clerk,
    const struct bt_request *q, const struct bt_reply_asker *from)
{
	struct bt_err err;
	struct bt_record_line line = { .client = from->addr,
		.front = from->front };
	struct bt_str path = q->path;
	bool knows_key = bt_gate_take_key(&clerk->pass, &path);
	bool is_announce = bt_str_eq(path, STR("/announce"));
	int rc;

	if (q->method == BT_METHOD_OTHER) {
		put(r, 405, STR("only GET and HEAD\n"), q->keep, false);
		return;
	}
	if (from->stats != BT_REPLY_STATS_NOBODY && put_stats(r, q, from))
		return;
	if (from->stats == BT_REPLY_STATS_ADMIN ||
	    (!is_announce && !bt_str_eq(path, STR("/scrape")))) {
		put(r, 404, STR("not found\n"), q->keep,
		    q->method == BT_METHOD_HEAD);
		return;
	}
	if (q->method == BT_METHOD_HEAD) {
		put_bare_head(r, q->keep);
		return;
	}
	bt_buf_clear(&r->body);
	if (!knows_key)
		rc = bt_err_set(&err, BT_EREFUSED, "unknown key");
	else if (is_announce)
		rc = announce(r, s, clerk, q, &line, &err);
	else
		rc = scrape(r, s, clerk, q, &line, &err);
	if (rc == -1)
		put_failure(&r->body, &err);
	if (clerk->record != NULL) {
		line.is_scrape = !is_announce;
		line.refusal = rc == -1 ? err.text : NULL;
		bt_record_put(clerk->record, &line);
	}
	bt_stats_count(clerk->tally, from->front, from->addr.family,
	    rc == -1	  ? BT_STATS_REFUSED
	    : is_announce ? BT_STATS_ANNOUNCE
			  : BT_STATS_SCRAPE);
	if (r->is_full)
		put_bare_head(r, false);
	else
		put(r, 200, bt_buf_str(&r->body), q->keep, false);
}

void
bt_reply_turn_away(struct bt_reply *r, enum bt_quota_verdict verdict,
    enum bt_reply_stats stats)
{
	struct bt_err err;

	if (stats == BT_REPLY_STATS_ADMIN) {
		bt_reply_refuse(r, verdict == BT_QUOTA_ALL ? 503 : 429);
		return;
	}
	bt_err_set(&err, BT_ELIMIT,
	    verdict == BT_QUOTA_ALL
		? "this tracker has no room for another connection"
		: "too many connections from your address");
	put_failure(&r->body, &err);
	put(r, 200, bt_buf_str(&r->body), false, false);
}

void
bt_reply_refuse(struct bt_reply *r, int status)
{
	struct bt_str line = first_line(status);

	/* the body is the status again, for people: "400 Bad Request" */
	line = bt_str_sub(line, strlen("HTTP/1.1 "), line.n);
	line.n = bt_str_find(line, '\r');
	put(r, status, line, false, false);
}
