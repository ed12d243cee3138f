#include "codec/magnetread.h"

#include <string.h>

#include "base/mem.h"
#include "codec/url.h"

#define PREFIX "magnet:?"
#define BTIH "urn:btih:"
#define BTMH "urn:btmh:1220" /* multihash: SHA-256, 32 bytes */
#define BASE32_LEN 32u

/* Does s begin with lit, which is in lower case? */
static bool
has_prefix(struct bt_str s, const char *lit)
{
	size_t n = strlen(lit);

	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s.p[i] != lit[i] &&
		    (s.p[i] < 'A' || s.p[i] > 'Z' || (s.p[i] | 0x20) != lit[i]))
			return false;
	return true;
}

bool
bt_magnetread_is(struct bt_str link)
{
	return has_prefix(link, "magnet:");
}

/* RFC 4648 base 32 of 20 bytes: 32 letters and digits of either case. */
static int
unbase32(struct bt_str s, uint8_t out[BT_SHA1_LEN])
{
	uint32_t bits = 0, v;
	unsigned held = 0;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i] | 0x20;

		if (c >= 'a' && c <= 'z')
			v = c - 'a';
		else if (s.p[i] >= '2' && s.p[i] <= '7')
			v = s.p[i] - '2' + 26u;
		else
			return -1;
		bits = bits << 5 | v;
		held += 5;
		if (held >= 8) {
			held -= 8;
			out[n++] = (uint8_t)(bits >> held);
		}
	}
	return 0;
}

static int
take_topic(struct bt_magnetread *m, struct bt_str xt, struct bt_err *err)
{
	bool v1 = has_prefix(xt, BTIH), v2 = has_prefix(xt, "urn:btmh:");
	struct bt_str hash;
	int rc;

	if (!v1 && !v2)
		return 0;
	if (v1 ? m->has_v1 : m->has_v2)
		return bt_err_set(err, BT_EINPUT,
		    "malformed magnet link: it names two torrents");
	if (v2) {
		rc = -1;
		if (has_prefix(xt, BTMH)) {
			hash = bt_str_sub(xt, strlen(BTMH), xt.n);
			rc = bt_str_unhex(hash, m->info_hash_v2, BT_SHA256_LEN);
		}
		m->has_v2 = true;
	} else {
		hash = bt_str_sub(xt, strlen(BTIH), xt.n);
		rc = hash.n == BASE32_LEN
			 ? unbase32(hash, m->info_hash)
			 : bt_str_unhex(hash, m->info_hash, BT_SHA1_LEN);
		m->has_v1 = true;
	}
	return rc == 0 ? 0
		       : bt_err_set(err, BT_EINPUT,
			     "malformed magnet link: its %s is not a hash",
			     v1 ? "btih" : "btmh");
}

static void
add(struct bt_magnetread_list *l, struct bt_str item)
{
	if (item.n == 0 || l->n == BT_MAGNETREAD_LIST_MAX)
		return;
	if ((l->n & (l->n - 1)) == 0)
		l->items = bt_mem_resize(
		    l->items, l->n == 0 ? 1 : 2 * l->n, sizeof(*l->items));
	l->items[l->n++] = item;
}

/* "tr" of "tr.1"; "x.pe" stays. */
static struct bt_str
base_name(struct bt_str name)
{
	size_t n = name.n;

	while (n > 0 && name.p[n - 1] >= '0' && name.p[n - 1] <= '9')
		n--;
	if (n == name.n || n == 0 || name.p[n - 1] != '.')
		return name;
	return bt_str_sub(name, 0, n - 1);
}

static int
take(struct bt_magnetread *m, struct bt_str name, struct bt_str value,
    struct bt_err *err)
{
	uint64_t size;

	name = base_name(name);
	if (bt_str_eq(name, STR("xt")))
		return take_topic(m, value, err);
	if (bt_str_eq(name, STR("dn")) && m->name.n == 0)
		m->name = value;
	else if (bt_str_eq(name, STR("so")) && m->select.n == 0)
		m->select = value;
	else if (bt_str_eq(name, STR("xl")) && bt_str_u64(value, &size) == 0 &&
		 size <= INT64_MAX)
		m->size = (int64_t)size;
	else if (bt_str_eq(name, STR("tr")))
		add(&m->trackers, value);
	else if (bt_str_eq(name, STR("ws")) || bt_str_eq(name, STR("as")))
		add(&m->web_seeds, value);
	else if (bt_str_eq(name, STR("x.pe")) &&
		 bt_str_find(value, ':') < value.n)
		add(&m->peers, value);
	return 0;
}

/* The value decoded at `to`, where it needs no more room than it had. */
static int
decode(struct bt_str raw, bool plus_is_blank, uint8_t *to, struct bt_str *out,
    struct bt_err *err)
{
	size_t at = 0, n = 0, end, got;

	while (at < raw.n) {
		end = plus_is_blank
			  ? bt_str_find(bt_str_sub(raw, at, raw.n), '+') + at
			  : raw.n;
		if (bt_url_unescape(
			bt_str_sub(raw, at, end), to + n, end - at, &got) == -1)
			return bt_err_set(err, BT_EINPUT,
			    "malformed magnet link: a '%%' without two hex "
			    "digits");
		n += got;
		if (end < raw.n)
			to[n++] = ' ';
		at = end + 1;
	}
	*out = (struct bt_str){ to, n };
	return 0;
}

int
bt_magnetread_parse(
    struct bt_str link, struct bt_magnetread *m, struct bt_err *err)
{
	struct bt_magnetread got = { .size = -1 };
	struct bt_str query, name, value;
	size_t at = 0;
	bool is_name;
	int rc = 0;

	if (!has_prefix(link, PREFIX))
		return bt_err_set(err, BT_EINPUT,
		    "malformed magnet link: it does not begin with '%s'",
		    PREFIX);
	if (link.n > BT_MAGNETREAD_MAX)
		return bt_err_set(err, BT_ELIMIT,
		    "a magnet link of more than %u bytes", BT_MAGNETREAD_MAX);
	got.arena = bt_mem_alloc(link.n);
	query = bt_str_sub(link, strlen(PREFIX), link.n);
	while (rc == 0 && bt_url_next_param(&query, &name, &value)) {
		is_name = bt_str_eq(base_name(name), STR("dn"));
		rc = decode(value, is_name, got.arena + at, &value, err);
		at += rc == 0 ? value.n : 0;
		if (rc == 0)
			rc = take(&got, name, value, err);
	}
	if (rc == 0 && !got.has_v1 && !got.has_v2)
		rc = bt_err_set(err, BT_EINPUT,
		    "the magnet link names no torrent: it has neither btih nor "
		    "btmh");
	if (rc == 0)
		*m = got;
	else
		bt_magnetread_fini(&got);
	return rc;
}

void
bt_magnetread_fini(struct bt_magnetread *m)
{
	bt_mem_free(m->trackers.items);
	bt_mem_free(m->web_seeds.items);
	bt_mem_free(m->peers.items);
	bt_mem_free(m->arena);
	*m = (struct bt_magnetread){ .size = -1 };
}
