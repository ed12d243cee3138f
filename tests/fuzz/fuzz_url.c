/*
 * Any bytes: a URL that parses has parts inside it, its scrape form parses
 * too, percent coding comes back, and no error text can harm a terminal.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codec/url.h"
#include "fuzz.h"

static void
check_scrape(struct bt_str in, const struct bt_url *u)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf out;
	struct bt_url scrape;
	int rc;

	bt_buf_init(&out, in.n + 1);
	if (bt_url_scrape(in, &out) == 0) {
		assert(out.p[out.n] == '\0');
		assert(out.n == strlen((char *)out.p));
		rc = bt_url_parse(bt_buf_str(&out), &scrape, &err);
		assert(rc == 0);
		assert(scrape.scheme == u->scheme);
		assert(scrape.port == u->port);
		assert(bt_str_eq(scrape.host, u->host));
		assert(bt_str_eq(scrape.query, u->query));
	}
	bt_buf_fini(&out);
}

static void
check_url(struct bt_str in)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_str query, name, value;
	struct bt_url u;
	size_t params = 0;

	if (bt_url_parse(in, &u, &err) == -1) {
		assert(err.kind == BT_EINPUT);
		assert(is_harmless(err.text));
		assert(bt_str_is_utf8(bt_str_of(err.text)));
		return;
	}
	assert(in.n <= BT_URL_MAX);
	assert(u.host.n != 0);
	assert(u.port != 0);
	assert(bt_str_find(u.host, '@') == u.host.n);
	assert(is_inside(in, u.host));
	assert(is_inside(in, u.path));
	assert(is_inside(in, u.query));
	assert(u.path.n == 0 || u.path.p[0] == '/');
	for (query = u.query; bt_url_next_param(&query, &name, &value);) {
		assert(is_inside(u.query, name));
		assert(is_inside(u.query, value));
		params++;
	}
	assert(params <= u.query.n);
	check_scrape(in, &u);
}

static void
check_escape(struct bt_str in)
{
	uint8_t *back = malloc(in.n + 1);
	struct bt_buf b;
	size_t n;
	int rc;

	assert(back != NULL);
	bt_buf_init(&b, 3 * in.n);
	rc = bt_url_escape(&b, in);
	assert(rc == 0);
	rc = bt_url_unescape(bt_buf_str(&b), back, in.n, &n);
	assert(rc == 0);
	assert(bt_str_eq((struct bt_str){ back, n }, in));
	if (bt_url_unescape(in, back, in.n, &n) == 0)
		assert(n <= in.n);
	bt_buf_fini(&b);
	free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };

	check_url(in);
	check_escape(in);
	return 0;
}
