/*
 * Any bytes as what a tracker's HTTP connection brings: views lie inside, each
 * prefix asks for more until the head is whole and reads the same from there
 * on, what follows a request changes nothing, and whoever it is said to be
 * forwarded for is an address or nobody.
 */
#include <assert.h>
#include <string.h>

#include "codec/announce.h"
#include "codec/scrape.h"
#include "fuzz.h"
#include "proxy.h"

#define PREFIXES 300u /* of inputs up to this size all are tried */
#define HASHES 8u

static void
check_views(struct bt_str in, const struct bt_request *r)
{
	assert(is_inside(in, r->path) && r->path.n > 0);
	assert(is_inside(in, r->query));
	assert(bt_str_find(r->path, '?') == r->path.n);
	for (size_t i = 0; i < r->path.n; i++)
		assert(r->path.p[i] > ' ');
	assert(r->nvia <= BT_REQUEST_VIA_MAX);
	assert(r->forwarded || r->nvia == 0);
	for (unsigned i = 0; i < r->nvia; i++)
		assert(is_inside(in, r->via[i].value));
}

static void
check_client(const struct bt_request *r)
{
	static const uint8_t lo[4] = { 127, 0, 0, 1 };
	struct bt_addr from = bt_addr_v4(lo, 9);
	struct bt_proxy p = { .n = 0 };
	struct bt_proxy_client c = bt_proxy_decide(&p, &from, r);
	struct bt_err err;
	int rc;

	assert(bt_addr_eq(&c.addr, &from));
	assert(c.may_say_ip == !r->forwarded);
	rc = bt_proxy_trust(&p, "127.0.0.0/8", &err);
	assert(rc == 0);
	c = bt_proxy_decide(&p, &from, r);
	assert(c.addr.family == 0 || c.addr.family == 4 || c.addr.family == 6);
	assert(c.addr.port == 9);
	assert(r->forwarded || bt_addr_eq(&c.addr, &from));
	assert(c.addr.family != 0 || !c.may_say_ip);
}

static void
check_query(struct bt_str query)
{
	uint8_t hashes[HASHES][20];
	struct bt_announce a;
	struct bt_err err = BT_ERR_INIT;
	size_t n = 0;

	if (bt_announce_query_parse(query, &a, &err) == 0)
		assert(a.port != 0);
	if (bt_scrape_query_parse(query, hashes, HASHES, &n, &err) == 0)
		assert(n <= HASHES);
}

static void
check_prefixes(struct bt_str in, ssize_t took, const struct bt_request *r)
{
	struct bt_request part;
	ssize_t rc;

	for (size_t n = 0; n < in.n && in.n <= PREFIXES; n++) {
		rc = bt_request_parse(bt_str_sub(in, 0, n), &part);
		if (took == 0)
			assert(rc == 0);
		else if (took > 0)
			assert(rc == ((ssize_t)n < took ? 0 : took));
		else
			assert(
			    rc == 0 || (rc == -1 && part.status == r->status));
		if (rc <= 0)
			continue;
		assert(bt_str_eq(part.path, r->path));
		assert(bt_str_eq(part.query, r->query));
		assert(part.keep == r->keep && part.nvia == r->nvia);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_request r;
	ssize_t took;

	while (in.n > 0) {
		took = bt_request_parse(in, &r);
		check_prefixes(in, took, &r);
		if (took <= 0) {
			assert(took == 0 || r.status >= 400);
			assert(took != 0 || in.n < BT_REQUEST_MAX);
			return 0;
		}
		assert((size_t)took <= in.n && took <= BT_REQUEST_MAX);
		check_views(bt_str_sub(in, 0, (size_t)took), &r);
		check_client(&r);
		check_query(r.query);
		in = bt_str_sub(in, (size_t)took, in.n);
	}
	return 0;
}
