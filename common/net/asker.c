#include "net/asker.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "codec/url.h"
#include "net/dns.h"
#include "net/httpc.h"
#include "net/turns.h"
#include "net/udp.h"

#define HTTP_TIMEOUT_US (30 * BT_LOOP_SECOND)
/* 2048 bytes of URL, what an announce adds, or 40 hashes of a scrape */
#define URL_MAX 8192
/* Questions to one tracker at once: HTTP ones have a connection each. */
#define HTTP_EACH 8u
#define UDP_EACH 32u
/* One that is silent so long keeps the others no more from being asked. */
#define PATIENCE_US (15 * BT_LOOP_SECOND)

struct bt_asker {
	struct bt_asker_conf conf;
	struct bt_dns *dns;
	struct bt_httpc *httpc;
	struct bt_udp *udp;
	struct bt_turns *turns;
	struct bt_asker_question *questions;
};

struct bt_asker_question {
	struct bt_asker *owner;
	struct bt_asker_question *next, **link;
	char *url;
	uint8_t family;
	struct bt_turn turn;
	char *full; /* what to GET; NULL: it is asked over UDP */
	struct bt_announce announce; /* UDP */
	struct bt_httpc_get *get;
	struct bt_udp_query *query;
	uint8_t (*hashes)[20]; /* of a scrape */
	size_t nhashes;
	void (*on_announce)(void *arg, const struct bt_announce_reply *r,
	    const struct bt_err *err);
	void (*on_scrape)(void *arg, const struct bt_scrape_row *rows,
	    size_t nrows, const struct bt_err *err);
	void *arg;
};

struct bt_asker *
bt_asker_new(const struct bt_asker_conf *conf)
{
	struct bt_asker *k;

	k = bt_mem_zero(1, sizeof(*k));
	k->conf = *conf;
	if (k->conf.timeout_us == 0)
		k->conf.timeout_us = HTTP_TIMEOUT_US;
	k->dns = bt_dns_new(conf->loop);
	k->turns = bt_turns_new(conf->loop, PATIENCE_US);
	return k;
}

/* Its turn was ended, or is here. */
static void
release(struct bt_asker_question *q)
{
	bt_turns_cancel(q->owner->turns, &q->turn);
	*q->link = q->next;
	if (q->next != NULL)
		q->next->link = q->link;
	bt_mem_free(q->url);
	bt_mem_free(q->full);
	bt_mem_free(q->hashes);
	bt_mem_free(q);
}

void
bt_asker_cancel(struct bt_asker_question *q)
{
	if (q == NULL)
		return;
	bt_httpc_cancel(q->get);
	bt_udp_cancel(q->query);
	release(q);
}

void
bt_asker_free(struct bt_asker *k)
{
	if (k == NULL)
		return;
	while (k->questions != NULL)
		bt_asker_cancel(k->questions);
	bt_httpc_free(k->httpc);
	bt_udp_free(k->udp);
	bt_turns_free(k->turns);
	bt_dns_free(k->dns);
	bt_mem_free(k);
}

struct bt_dns *
bt_asker_dns(struct bt_asker *k)
{
	return k->dns;
}

static bool
has_family(const struct bt_asker *k, uint8_t family)
{
	if (k->conf.bind.family != 0 && k->conf.bind.family != family)
		return false;
	return family == 4 ? k->conf.ipv4 : k->conf.ipv6;
}

bool
bt_asker_can(const struct bt_asker *k, const char *url, uint8_t family)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;
	struct bt_addr a;

	if (!has_family(k, family) ||
	    bt_url_parse(bt_str_of(url), &u, &err) == -1)
		return false;
	return bt_addr_parse_ip(u.host, &a) == -1 || a.family == family;
}

/*
 * The question is over: hand its answer on. It is released before, so that
 * the owner may do as it likes in its callback.
 */
static void
answer_announce(struct bt_asker_question *q, const struct bt_announce_reply *r,
    const struct bt_err *err)
{
	void (*done)(void *, const struct bt_announce_reply *,
	    const struct bt_err *) = q->on_announce;
	void *arg = q->arg;

	release(q);
	done(arg, r, err);
}

static void
answer_scrape(struct bt_asker_question *q, const struct bt_scrape_row *rows,
    size_t n, const struct bt_err *err)
{
	void (*done)(void *, const struct bt_scrape_row *, size_t,
	    const struct bt_err *) = q->on_scrape;
	void *arg = q->arg;

	release(q);
	done(arg, rows, n, err);
}

static void
answer_error(struct bt_asker_question *q, const struct bt_err *err)
{
	if (q->on_announce != NULL)
		answer_announce(q, NULL, err);
	else
		answer_scrape(q, NULL, 0, err);
}

static int
refused(
    const struct bt_asker_question *q, struct bt_str why, struct bt_err *err)
{
	char text[BT_ERR_TEXT_MAX];

	bt_str_printable(why, text, sizeof(text));
	return bt_err_set(
	    err, BT_EREFUSED, "tracker '%s' refused: %s", q->url, text);
}

/* The transport's reason becomes a sentence; what is not the user's fault is
 * the network's. */
static void
unreachable(struct bt_asker_question *q, const struct bt_err *why)
{
	struct bt_err err = *why;

	if (q->turn.state == BT_TURN_GOES)
		bt_turns_end(
		    q->owner->turns, &q->turn, err.kind == BT_EREFUSED);
	if (err.kind == BT_EREFUSED)
		bt_err_prefix(&err, "tracker '%s' refused", q->url);
	else
		bt_err_prefix(&err, "cannot reach '%s'", q->url);
	if (err.kind != BT_EREFUSED && err.kind != BT_ETIMEOUT)
		err.kind = BT_ENET;
	answer_error(q, &err);
}

static void
bad_status(struct bt_asker_question *q, long status)
{
	struct bt_err err = BT_ERR_INIT;

	bt_err_set(&err, BT_ENET, "tracker '%s' answered HTTP status %ld",
	    q->url, status);
	answer_error(q, &err);
}

static void
misunderstood(struct bt_asker_question *q, struct bt_err *err)
{
	bt_err_prefix(err, "tracker '%s'", q->url);
	err->kind = BT_ENET;
	answer_error(q, err);
}

static void
heard(struct bt_asker_question *q)
{
	bt_turns_end(q->owner->turns, &q->turn, true);
}

/* A refusal counts whatever its status; anything else only with 200. */
static void
on_http_announce(
    void *arg, long status, struct bt_str body, const struct bt_err *why)
{
	struct bt_asker_question *q = arg;
	struct bt_announce_reply r;
	struct bt_err err = BT_ERR_INIT;
	int rc;

	q->get = NULL;
	if (why != NULL) {
		unreachable(q, why);
		return;
	}
	heard(q);
	rc = bt_announce_reply_parse(body, &r, &err);
	if (rc == 0 && r.failure.n > 0) {
		refused(q, r.failure, &err);
		answer_announce(q, &r, &err);
	} else if (status != 200)
		bad_status(q, status);
	else if (rc == -1)
		misunderstood(q, &err);
	else
		answer_announce(q, &r, NULL);
	if (rc == 0)
		bt_announce_reply_fini(&r);
}

static void
on_http_scrape(
    void *arg, long status, struct bt_str body, const struct bt_err *why)
{
	struct bt_asker_question *q = arg;
	struct bt_scrape_row *rows;
	struct bt_err err = BT_ERR_INIT;
	size_t n;
	int rc;

	q->get = NULL;
	if (why != NULL) {
		unreachable(q, why);
		return;
	}
	heard(q);
	rows = bt_mem_array(q->nhashes, sizeof(*rows));
	rc = bt_scrape_reply_parse(body, rows, q->nhashes, &n, &err);
	if (rc == -1 && err.kind == BT_EREFUSED) {
		bt_err_prefix(&err, "tracker '%s' refused", q->url);
		answer_scrape(q, NULL, 0, &err);
	} else if (status != 200)
		bad_status(q, status);
	else if (rc == -1)
		misunderstood(q, &err);
	else
		answer_scrape(q, rows, n, NULL);
	bt_mem_free(rows);
}

static void
on_udp_announce(struct bt_asker_question *q, const struct bt_udp_reply *u)
{
	size_t size = q->family == 4 ? 6 : 18;
	struct bt_announce_reply r = { .interval = u->interval,
		.complete = u->complete,
		.incomplete = u->incomplete };
	struct bt_addr a;
	size_t n = u->peers.n / size;

	r.peers = bt_mem_array(n, sizeof(*r.peers));
	for (size_t i = 0; i < n && r.npeers < BT_ANNOUNCE_PEERS_MAX; i++) {
		a = bt_addr_unpack(u->peers.p + i * size, q->family);
		if (a.port != 0)
			r.peers[r.npeers++] = a;
	}
	answer_announce(q, &r, NULL);
	bt_announce_reply_fini(&r);
}

static void
on_udp_scrape(struct bt_asker_question *q, const struct bt_udp_reply *u)
{
	struct bt_scrape_row *rows;
	size_t n = u->nrows < q->nhashes ? u->nrows : q->nhashes;

	rows = bt_mem_array(n, sizeof(*rows));
	for (size_t i = 0; i < n; i++) {
		memcpy(rows[i].info_hash, q->hashes[i], 20);
		bt_udp_reply_row(u, i, &rows[i]);
	}
	answer_scrape(q, rows, n, NULL);
	bt_mem_free(rows);
}

static void
on_udp(void *arg, const struct bt_udp_reply *r, const struct bt_err *why)
{
	struct bt_asker_question *q = arg;

	q->query = NULL;
	if (why == NULL)
		heard(q);
	if (why != NULL)
		unreachable(q, why);
	else if (q->on_announce != NULL)
		on_udp_announce(q, r);
	else
		on_udp_scrape(q, r);
}

static void on_turn(void *arg);
static void on_lost(void *arg);

static struct bt_asker_question *
new_question(struct bt_asker *k, const char *url, uint8_t family, void *arg)
{
	struct bt_asker_question *q;

	q = bt_mem_zero(1, sizeof(*q));
	q->owner = k;
	q->url = bt_mem_strdup(url);
	q->family = family;
	q->arg = arg;
	q->turn.go = on_turn;
	q->turn.lost = on_lost;
	q->turn.arg = q;
	q->next = k->questions;
	q->link = &k->questions;
	if (q->next != NULL)
		q->next->link = &q->next;
	k->questions = q;
	return q;
}

static void
ask_http(struct bt_asker_question *q)
{
	struct bt_asker *k = q->owner;
	bool announces = q->on_announce != NULL;
	struct bt_httpc_conf get = { .url = q->full,
		.family = q->family,
		.bind = k->conf.bind,
		.insecure = k->conf.insecure,
		.body_max =
		    announces ? BT_ANNOUNCE_REPLY_MAX : BT_SCRAPE_REPLY_MAX,
		.timeout_us = k->conf.timeout_us,
		.done = announces ? on_http_announce : on_http_scrape,
		.arg = q };

	if (k->httpc == NULL)
		k->httpc = bt_httpc_new(k->conf.loop);
	q->get = bt_httpc_get(k->httpc, &get);
}

static void
ask_udp(struct bt_asker_question *q)
{
	struct bt_asker *k = q->owner;
	struct bt_udp_request request = { .action = q->on_announce != NULL
							? BT_UDP_ANNOUNCE
							: BT_UDP_SCRAPE,
		.announce = q->announce,
		.hashes = (const uint8_t(*)[20])(uintptr_t)q->hashes,
		.nhashes = q->nhashes };
	struct bt_err ignored = BT_ERR_INIT;
	struct bt_url u;
	int rc = bt_url_parse(bt_str_of(q->url), &u, &ignored);

	assert(rc == 0);
	/* BEP 41: path and query as they stand together in the URL */
	request.url_data = u.path;
	if (u.query.n > 0) {
		if (u.path.n == 0)
			request.url_data.p = u.query.p - 1;
		request.url_data.n =
		    (size_t)(u.query.p + u.query.n - request.url_data.p);
	}
	if (k->udp == NULL)
		k->udp = bt_udp_new(k->conf.loop, k->dns, &k->conf.bind);
	q->query =
	    bt_udp_ask(k->udp, u.host, u.port, q->family, &request, on_udp, q);
}

static void
on_turn(void *arg)
{
	struct bt_asker_question *q = arg;

	if (q->full != NULL)
		ask_http(q);
	else
		ask_udp(q);
}

static void
on_lost(void *arg)
{
	struct bt_err err = BT_ERR_INIT;

	bt_err_set(&err, BT_ENET, "it did not answer others either");
	unreachable(arg, &err);
}

/* Ask, now or when the tracker has answered others. */
static void
begin(struct bt_asker_question *q, const struct bt_url *u)
{
	char *place = bt_mem_printf("%c%u %u %.*s",
	    u->scheme == BT_URL_UDP ? 'u' : 'h', (unsigned)q->family,
	    (unsigned)u->port, (int)u->host.n, (const char *)u->host.p);

	if (bt_turns_take(q->owner->turns, &q->turn, place,
		u->scheme == BT_URL_UDP ? UDP_EACH : HTTP_EACH))
		on_turn(q);
	bt_mem_free(place);
}

bool
bt_asker_is_asked(const struct bt_asker_question *q, int64_t *since)
{
	*since = q->turn.since;
	return q->turn.since != 0;
}

/* The family to ask over when any will do is left to us. */
static int
choose_family(const struct bt_asker *k, const struct bt_url *u, const char *url,
    uint8_t *family, struct bt_err *err)
{
	struct bt_addr a;
	bool literal = bt_addr_parse_ip(u->host, &a) == 0;

	if (*family == 0 && literal)
		*family = a.family;
	else if (*family == 0 && !has_family(k, 6))
		*family = 4;
	else if (*family == 0 && !has_family(k, 4))
		*family = 6;
	else if (*family == 0 && u->scheme == BT_URL_UDP)
		*family = 4;
	if (*family == 0 ||
	    (has_family(k, *family) && (!literal || a.family == *family)))
		return 0;
	return bt_err_set(err, BT_ENET,
	    "cannot reach '%s': it has no address of a family that is in use",
	    url);
}

struct bt_asker_question *
bt_asker_announce(struct bt_asker *k, const char *url, uint8_t family,
    const struct bt_announce *a,
    void (*done)(
	void *arg, const struct bt_announce_reply *r, const struct bt_err *err),
    void *arg, struct bt_err *err)
{
	struct bt_asker_question *q;
	struct bt_buf full;
	struct bt_url u;

	if (bt_url_parse(bt_str_of(url), &u, err) == -1 ||
	    choose_family(k, &u, url, &family, err) == -1)
		return NULL;
	bt_buf_init(&full, URL_MAX);
	if (u.scheme != BT_URL_UDP &&
	    (bt_announce_url(&full, bt_str_of(url), a, err) == -1 ||
		bt_buf_putc(&full, 0) == -1)) {
		bt_buf_fini(&full);
		return NULL;
	}
	q = new_question(k, url, family, arg);
	q->on_announce = done;
	if (u.scheme == BT_URL_UDP)
		q->announce = *a;
	else
		q->full = bt_mem_strdup((const char *)full.p);
	begin(q, &u);
	bt_buf_fini(&full);
	return q;
}

/* Does the path's last component begin with "scrape" already? */
static bool
is_scrape_url(struct bt_str url)
{
	struct bt_err ignored = BT_ERR_INIT;
	struct bt_url u;
	size_t at;

	if (bt_url_parse(url, &u, &ignored) == -1)
		return false;
	for (at = u.path.n; at > 0 && u.path.p[at - 1] != '/'; at--)
		;
	return bt_str_starts(bt_str_sub(u.path, at, u.path.n), STR("scrape"));
}

/* What to GET, by BEP 48's rule, with a NUL at its end. */
static int
put_scrape_url(struct bt_str url, const uint8_t (*hashes)[20], size_t n,
    struct bt_buf *out, struct bt_err *err)
{
	struct bt_buf base;
	int rc;

	bt_buf_init(&base, BT_URL_MAX + 1);
	if (bt_url_scrape(url, &base) == 0)
		rc = bt_scrape_url(out, bt_buf_str(&base), hashes, n, err);
	else if (is_scrape_url(url))
		rc = bt_scrape_url(out, url, hashes, n, err);
	else
		rc = bt_err_set(err, BT_ENET,
		    "tracker '%.*s' cannot be scraped: the last part of its "
		    "path does not begin with 'announce'",
		    (int)url.n, (const char *)url.p);
	if (rc == 0 && bt_buf_putc(out, 0) == -1)
		rc = bt_err_set(err, BT_ELIMIT, "scrape URL is too long");
	bt_buf_fini(&base);
	return rc;
}

struct bt_asker_question *
bt_asker_scrape(struct bt_asker *k, const char *url, uint8_t family,
    const uint8_t (*hashes)[20], size_t n,
    void (*done)(void *arg, const struct bt_scrape_row *rows, size_t nrows,
	const struct bt_err *err),
    void *arg, struct bt_err *err)
{
	struct bt_asker_question *q;
	struct bt_buf full;
	struct bt_url u;

	if (bt_url_parse(bt_str_of(url), &u, err) == -1 ||
	    choose_family(k, &u, url, &family, err) == -1)
		return NULL;
	bt_buf_init(&full, URL_MAX);
	if (u.scheme != BT_URL_UDP &&
	    put_scrape_url(bt_str_of(url), hashes, n, &full, err) == -1) {
		bt_buf_fini(&full);
		return NULL;
	}
	q = new_question(k, url, family, arg);
	q->on_scrape = done;
	q->hashes = bt_mem_dup(hashes, n * 20);
	q->nhashes = n;
	if (u.scheme != BT_URL_UDP)
		q->full = bt_mem_strdup((const char *)full.p);
	begin(q, &u);
	bt_buf_fini(&full);
	return q;
}
