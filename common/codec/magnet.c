#include "codec/magnet.h"

#include <assert.h>

#include "codec/url.h"

#define URLS_MAX (BT_MAGNET_MAX / 5) /* "&tr=x": no more would fit */

/* "&key=value" whole, or not at all: then false. */
static bool
put_part(struct bt_buf *out, const char *key, struct bt_str value)
{
	size_t was = out->n;

	if (value.n == 0)
		return true;
	if (bt_buf_printf(out, "&%s=", key) == 0 &&
	    bt_url_escape(out, value) == 0)
		return true;
	out->n = was;
	return false;
}

/* A quadratic look is fine under URLS_MAX. */
static bool
is_repeat(const struct bt_meta *m, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (bt_str_eq(m->trackers[k].url, m->trackers[i].url))
			return true;
	return false;
}

void
bt_magnet_put(const struct bt_meta *m, struct bt_buf *out)
{
	char hex[2 * BT_SHA256_LEN + 1];
	int rc = 0;

	assert(out->max - out->n >= BT_MAGNET_MAX);
	assert(m->has_v1 || m->has_v2);
	if (m->has_v1) {
		bt_str_hex((struct bt_str){ m->info_hash, BT_SHA1_LEN }, hex);
		rc |= bt_buf_printf(out, "magnet:?xt=urn:btih:%s", hex);
	}
	if (m->has_v2) {
		bt_str_hex(
		    (struct bt_str){ m->info_hash_v2, BT_SHA256_LEN }, hex);
		rc |= bt_buf_printf(out, "%sxt=urn:btmh:1220%s",
		    m->has_v1 ? "&" : "magnet:?", hex);
	}
	assert(rc == 0);
	put_part(out, "dn", m->name);
	for (uint32_t i = 0; i < m->ntrackers && i < URLS_MAX; i++)
		if (!is_repeat(m, i) &&
		    !put_part(out, "tr", m->trackers[i].url))
			return;
	for (uint32_t i = 0; i < m->nweb_seeds && i < URLS_MAX; i++)
		if (!put_part(out, "ws", m->web_seeds[i]))
			return;
}
