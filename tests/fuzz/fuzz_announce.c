/*
 * Any bytes as a reply, as a query and as a tracker's URL: views lie inside,
 * limits hold, no error text can harm a terminal, and what was read is written
 * in a form that reads the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/announce.h"
#include "codec/bencode.h"
#include "codec/url.h"
#include "fuzz.h"

#define PREFIXES 200u /* of inputs up to this size all are tried */

static void
check_reply_limits(struct bt_str in, const struct bt_announce_reply *r)
{
	assert(is_inside(in, r->failure) ||
	       bt_str_eq(r->failure, STR("no reason given")));
	assert(is_inside(in, r->warning));
	assert(is_inside(in, r->trackerid));
	assert(r->retry_min >= -1);
	assert(r->interval <= INT32_MAX);
	assert(r->min_interval <= INT32_MAX);
	assert(r->complete >= -1 && r->incomplete >= -1);
	assert(r->npeers + r->nnames <= BT_ANNOUNCE_PEERS_MAX);
	for (uint32_t i = 0; i < r->npeers; i++) {
		assert(r->peers[i].port != 0);
		assert(r->peers[i].family == 4 || r->peers[i].family == 6);
	}
	for (uint32_t i = 0; i < r->nnames; i++) {
		assert(is_inside(in, r->names[i].host));
		assert(r->names[i].host.n > 0 && r->names[i].port != 0);
	}
	assert(r->failure.n == 0 || r->npeers + r->nnames == 0);
}

static void
check_reply_equal(
    const struct bt_announce_reply *a, const struct bt_announce_reply *b)
{
	assert(bt_str_eq(a->failure, b->failure));
	assert(a->retry_min == b->retry_min);
	assert(bt_str_eq(a->warning, b->warning));
	assert(a->interval == b->interval);
	assert(a->min_interval == b->min_interval);
	assert(a->complete == b->complete);
	assert(a->incomplete == b->incomplete);
	assert(bt_str_eq(a->trackerid, b->trackerid));
	assert(bt_addr_eq(&a->external, &b->external));
	assert(a->npeers == b->npeers);
	assert(a->nnames == b->nnames);
	for (uint32_t i = 0; i < a->npeers; i++)
		assert(bt_addr_eq(&a->peers[i], &b->peers[i]));
	for (uint32_t i = 0; i < a->nnames; i++) {
		assert(bt_str_eq(a->names[i].host, b->names[i].host));
		assert(a->names[i].port == b->names[i].port);
	}
}

/* The same peers, those of IPv4 before the others. */
static void
check_peers(
    const struct bt_announce_reply *r, const struct bt_announce_reply *back)
{
	const struct bt_addr *at = back->peers;

	assert(back->npeers == r->npeers);
	assert(back->nnames == 0);
	for (uint8_t family = 4; family <= 6; family += 2)
		for (uint32_t i = 0; i < r->npeers; i++) {
			if (r->peers[i].family != family)
				continue;
			assert(bt_addr_eq(at, &r->peers[i]));
			at++;
		}
}

/* What a tracker can say of a count that a reply gave. */
static uint32_t
count_of(int64_t said)
{
	return said < 0 || said > UINT32_MAX ? 0 : (uint32_t)said;
}

static void
check_answer_equal(const struct bt_announce_answer *a,
    const struct bt_announce_reply *r, const struct bt_announce_reply *back)
{
	assert(back->failure.n == 0);
	assert(back->interval == a->interval);
	assert(back->min_interval == a->min_interval);
	assert(back->complete == a->complete);
	assert(back->incomplete == a->incomplete);
	assert(bt_str_eq(back->warning, a->warning));
	assert(bt_addr_eq(&back->external, &a->external));
	check_peers(r, back);
}

/* A tracker that knows these peers answers so that a client reads them. */
static void
check_answer(const struct bt_announce_reply *r, bool compact)
{
	struct bt_announce_answer a = { .interval = r->interval,
		.min_interval = r->min_interval,
		.complete = count_of(r->complete),
		.incomplete = count_of(r->incomplete),
		.compact = compact,
		.external = r->external,
		.warning = r->warning };
	uint8_t packed[18];
	struct bt_announce_reply back;
	struct bt_buf peers[2], out;
	struct bt_err err = BT_ERR_INIT;
	struct bt_ben v;
	int rc;

	bt_buf_init(&peers[0], BT_ANNOUNCE_REPLY_MAX);
	bt_buf_init(&peers[1], BT_ANNOUNCE_REPLY_MAX);
	bt_buf_init(&out, 2 * BT_ANNOUNCE_REPLY_MAX);
	for (uint32_t i = 0; i < r->npeers; i++) {
		size_t n = bt_addr_pack(&r->peers[i], packed);

		rc = bt_buf_add(&peers[n == 18], (struct bt_str){ packed, n });
		assert(rc == 0);
	}
	a.peers4 = bt_buf_str(&peers[0]);
	a.peers6 = bt_buf_str(&peers[1]);
	rc = bt_announce_answer_put(&out, &a);
	assert(rc == 0);
	rc = bt_ben_check(bt_buf_str(&out), &v, NULL, &err);
	assert(rc == 0);
	if (out.n <= BT_ANNOUNCE_REPLY_MAX) {
		rc = bt_announce_reply_parse(bt_buf_str(&out), &back, &err);
		assert(rc == 0);
		check_answer_equal(&a, r, &back);
		bt_announce_reply_fini(&back);
	}
	bt_buf_fini(&peers[0]);
	bt_buf_fini(&peers[1]);
	bt_buf_fini(&out);
}

static void
check_failure(const struct bt_announce_reply *r)
{
	struct bt_announce_reply back;
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf out;
	int rc;

	bt_buf_init(&out, r->failure.n + 100);
	rc = bt_announce_failure_put(&out, r->failure, r->retry_min);
	assert(rc == 0);
	if (out.n <= BT_ANNOUNCE_REPLY_MAX) {
		rc = bt_announce_reply_parse(bt_buf_str(&out), &back, &err);
		assert(rc == 0);
		assert(bt_str_eq(back.failure, r->failure));
		assert(back.retry_min == r->retry_min);
	}
	bt_buf_fini(&out);
}

static void
check_reply(struct bt_str in)
{
	struct bt_announce_reply r, part;
	struct bt_err err = BT_ERR_INIT;

	if (bt_announce_reply_parse(in, &r, &err) == -1) {
		assert(err.kind == BT_ENET || err.kind == BT_ELIMIT);
		assert(is_harmless(err.text));
		return;
	}
	check_reply_limits(in, &r);
	if (r.failure.n != 0) {
		check_failure(&r);
	} else {
		check_answer(&r, true);
		check_answer(&r, false);
	}
	for (size_t n = 0; n < in.n && in.n <= PREFIXES; n++)
		if (bt_announce_reply_parse(
			bt_str_sub(in, 0, n), &part, &err) == 0) {
			check_reply_equal(&r, &part);
			bt_announce_reply_fini(&part);
		}
	bt_announce_reply_fini(&r);
}

static void
check_query_equal(const struct bt_announce *a, const struct bt_announce *b)
{
	assert(memcmp(a->info_hash, b->info_hash, 20) == 0);
	assert(memcmp(a->peer_id, b->peer_id, 20) == 0);
	assert(a->port == b->port);
	assert(a->uploaded == b->uploaded);
	assert(a->downloaded == b->downloaded);
	assert(a->left == b->left);
	assert(a->event == b->event);
	assert(a->has_key == b->has_key && a->key == b->key);
	assert(a->numwant == b->numwant);
	assert(a->compact == b->compact);
	assert(a->no_peer_id == b->no_peer_id);
	assert(bt_addr_eq(&a->ip, &b->ip));
}

/* Raw as it is written: what was escaped is escaped once more. */
static void
check_trackerid(struct bt_str a, struct bt_str twice)
{
	uint8_t *once = malloc(twice.n + 1);
	size_t n;
	int rc;

	assert(once != NULL);
	rc = bt_url_unescape(twice, once, twice.n, &n);
	assert(rc == 0);
	assert(bt_str_eq((struct bt_str){ once, n }, a));
	free(once);
}

static void
check_query(struct bt_str in)
{
	struct bt_announce a, back;
	struct bt_err err = BT_ERR_INIT;
	struct bt_str query;
	struct bt_buf out;
	int rc;

	if (bt_announce_query_parse(in, &a, &err) == -1) {
		assert(err.kind == BT_EINPUT);
		assert(is_harmless(err.text));
		return;
	}
	assert(a.port != 0 && a.numwant >= -1);
	assert(is_inside(in, a.trackerid));
	bt_buf_init(&out, 4 * in.n + 2048);
	rc = bt_announce_url(&out, STR("http://t/a?"), &a, &err);
	assert(rc == 0);
	query = bt_str_sub(bt_buf_str(&out), 11, out.n);
	rc = bt_announce_query_parse(query, &back, &err);
	assert(rc == 0);
	check_query_equal(&a, &back);
	check_trackerid(a.trackerid, back.trackerid);
	bt_buf_fini(&out);
}

static void
check_url(struct bt_str in)
{
	struct bt_announce a = { .port = 1, .numwant = -1 };
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf out;
	size_t kept = bt_str_find(in, '#');

	bt_buf_init(&out, 512);
	if (bt_announce_url(&out, in, &a, &err) == 0) {
		assert(
		    bt_str_starts(bt_buf_str(&out), bt_str_sub(in, 0, kept)));
		assert(bt_str_find(bt_buf_str(&out), '?') < out.n);
	} else {
		assert(err.kind == BT_ELIMIT);
		assert(out.n == 0);
	}
	bt_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };

	check_reply(in);
	check_query(in);
	check_url(in);
	return 0;
}
