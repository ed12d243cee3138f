#include "codec/announce.h"

#include <assert.h>
#include <inttypes.h>

#include "base/mem.h"
#include "codec/bencode.h"
#include "codec/httptrk.h"
#include "codec/url.h"

#define HOST_MAX 253u /* RFC 1035: the longest name as text */

static const char *
event_name(enum bt_event event)
{
	switch (event) {
	case BT_EVENT_COMPLETED:
		return "completed";
	case BT_EVENT_STARTED:
		return "started";
	case BT_EVENT_STOPPED:
		return "stopped";
	case BT_EVENT_PAUSED:
		return "paused";
	case BT_EVENT_NONE:
		break;
	}
	return NULL;
}

static int
put_escaped(struct bt_buf *out, const char *name, struct bt_str value)
{
	if (bt_buf_printf(out, "%s=", name) == -1)
		return -1;
	return bt_url_escape(out, value);
}

static int
put_numbers(struct bt_buf *out, const struct bt_announce *a)
{
	const char *event = event_name(a->event);

	if (bt_buf_printf(out,
		"&port=%u&uploaded=%" PRIu64 "&downloaded=%" PRIu64
		"&left=%" PRIu64 "&compact=%d",
		a->port, a->uploaded, a->downloaded, a->left,
		a->compact ? 1 : 0) == -1)
		return -1;
	if (a->numwant >= 0 &&
	    bt_buf_printf(out, "&numwant=%" PRId32, a->numwant) == -1)
		return -1;
	if (a->has_key && bt_buf_printf(out, "&key=%08" PRIx32, a->key) == -1)
		return -1;
	if (event != NULL && bt_buf_printf(out, "&event=%s", event) == -1)
		return -1;
	return 0;
}

static int
put_url(struct bt_buf *out, struct bt_str base, const struct bt_announce *a)
{
	struct bt_str hash = { a->info_hash, sizeof(a->info_hash) };
	struct bt_str id = { a->peer_id, sizeof(a->peer_id) };
	char ip[BT_ADDR_TEXT_MAX];

	if (bt_httptrk_put_base(out, base) == -1 ||
	    put_escaped(out, "info_hash", hash) == -1 ||
	    put_escaped(out, "&peer_id", id) == -1 || put_numbers(out, a) == -1)
		return -1;
	if (a->trackerid.n != 0 &&
	    put_escaped(out, "&trackerid", a->trackerid) == -1)
		return -1;
	if (a->no_peer_id && bt_buf_puts(out, "&no_peer_id=1") == -1)
		return -1;
	if (a->ip.family == 0)
		return 0;
	return put_escaped(out, "&ip", bt_str_of(bt_addr_ip_text(&a->ip, ip)));
}

int
bt_announce_url(struct bt_buf *out, struct bt_str base,
    const struct bt_announce *a, struct bt_err *err)
{
	size_t before = out->n;

	if (put_url(out, base, a) == 0)
		return 0;
	out->n = before;
	return bt_err_set(err, BT_ELIMIT,
	    "announce URL is longer than %zu bytes", out->max - before);
}

/* A number of seconds or minutes: nonsense reads as absent, much as most. */
static int32_t
clamped(int64_t v)
{
	if (v < 0)
		return 0;
	return v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

static int32_t
number_of(const struct bt_ben *dict, const char *key)
{
	struct bt_ben v = bt_ben_get_type(dict, key, BT_BEN_INT);

	return v.type == BT_BEN_INT ? clamped(v.num) : 0;
}

static int64_t
count_of(const struct bt_ben *dict, const char *key)
{
	struct bt_ben v = bt_ben_get_type(dict, key, BT_BEN_INT);

	return v.type == BT_BEN_INT && v.num >= 0 ? v.num : -1;
}

static struct bt_str
text_of(const struct bt_ben *dict, const char *key)
{
	return bt_ben_get_type(dict, key, BT_BEN_STR).str;
}

/* BEP 31: minutes as an integer or, as its examples have it, as text. */
static int32_t
retry_of(const struct bt_ben *dict)
{
	struct bt_ben v = bt_ben_get(dict, "retry in");
	uint64_t minutes;

	if (v.type == BT_BEN_INT)
		return clamped(v.num);
	if (v.type != BT_BEN_STR)
		return 0;
	if (bt_str_eq(v.str, STR("never")))
		return -1;
	if (bt_str_u64(v.str, &minutes) == -1)
		return 0;
	return minutes > INT32_MAX ? INT32_MAX : (int32_t)minutes;
}

/* BEP 24: 4 or 16 bytes. */
static struct bt_addr
external_of(const struct bt_ben *dict)
{
	struct bt_str ip = text_of(dict, "external ip");

	if (ip.n == 4)
		return bt_addr_v4(ip.p, 0);
	if (ip.n == 16)
		return bt_addr_v6(ip.p, 0);
	return (struct bt_addr){ 0 };
}

/* May it be looked up: letters, digits, '.', '-', '_', and not too long. */
static bool
is_host(struct bt_str s)
{
	if (s.n == 0 || s.n > HOST_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') && c != '.' && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool
is_full(const struct bt_announce_reply *r)
{
	return r->npeers + r->nnames >= BT_ANNOUNCE_PEERS_MAX;
}

/* The next place in an array of n that doubles whenever n is a power of 2. */
static void *
grown(void *p, uint32_t n, size_t size)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return p;
	return bt_mem_resize(p, n == 0 ? 1 : (size_t)n * 2, size);
}

static void
add_peer(struct bt_announce_reply *r, struct bt_addr a)
{
	if (a.port == 0 || is_full(r))
		return;
	r->peers = grown(r->peers, r->npeers, sizeof(*r->peers));
	r->peers[r->npeers++] = a;
}

static void
add_name(struct bt_announce_reply *r, struct bt_str host, uint16_t port)
{
	if (!is_host(host) || is_full(r))
		return;
	r->names = grown(r->names, r->nnames, sizeof(*r->names));
	r->names[r->nnames++] = (struct bt_peer_name){ host, port };
}

static void
add_compact(struct bt_announce_reply *r, struct bt_str s, uint8_t family)
{
	size_t size = family == 4 ? 6 : 18;

	for (; s.n >= size && !is_full(r); s = bt_str_sub(s, size, s.n))
		add_peer(r, bt_addr_unpack(s.p, family));
}

static void
add_dicts(struct bt_announce_reply *r, const struct bt_ben *list)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben peer, port;
	struct bt_addr a;
	struct bt_str ip;

	while (!is_full(r) && bt_ben_next(list, &it, &peer)) {
		if (peer.type != BT_BEN_DICT)
			continue;
		ip = text_of(&peer, "ip");
		port = bt_ben_get_type(&peer, "port", BT_BEN_INT);
		if (port.num < 1 || port.num > UINT16_MAX)
			continue;
		if (bt_addr_parse_ip(ip, &a) == 0) {
			a.port = (uint16_t)port.num;
			add_peer(r, a);
		} else {
			add_name(r, ip, (uint16_t)port.num);
		}
	}
}

static void
add_peers(struct bt_announce_reply *r, const struct bt_ben *top,
    const char *key, uint8_t family)
{
	struct bt_ben v = bt_ben_get(top, key);

	if (v.type == BT_BEN_STR)
		add_compact(r, v.str, family);
	else if (v.type == BT_BEN_LIST)
		add_dicts(r, &v);
}

int
bt_announce_reply_parse(
    struct bt_str body, struct bt_announce_reply *r, struct bt_err *err)
{
	struct bt_ben top;

	*r = (struct bt_announce_reply){ .complete = -1, .incomplete = -1 };
	if (bt_httptrk_dict(body, BT_ANNOUNCE_REPLY_MAX, &top, err) == -1)
		return -1;
	if (bt_httptrk_failure(&top, &r->failure)) {
		r->retry_min = retry_of(&top);
		return 0;
	}
	r->warning = text_of(&top, "warning message");
	r->interval = (uint32_t)number_of(&top, "interval");
	r->min_interval = (uint32_t)number_of(&top, "min interval");
	r->complete = count_of(&top, "complete");
	r->incomplete = count_of(&top, "incomplete");
	r->trackerid = text_of(&top, "tracker id");
	r->external = external_of(&top);
	add_peers(r, &top, "peers", 4);
	add_peers(r, &top, "peers6", 6);
	return 0;
}

void
bt_announce_reply_fini(struct bt_announce_reply *r)
{
	bt_mem_free(r->peers);
	bt_mem_free(r->names);
	*r = (struct bt_announce_reply){ .complete = -1, .incomplete = -1 };
}

static int
put_count(struct bt_buf *out, struct bt_str key, uint32_t v)
{
	if (bt_buf_add(out, key) == -1)
		return -1;
	return bt_ben_put_int(out, v);
}

/* The form of BEP 3: a dictionary for each peer of size bytes in packed. */
static int
put_dicts(struct bt_buf *out, struct bt_str packed, uint8_t family,
    const uint8_t *ids)
{
	size_t size = family == 4 ? 6 : 18;
	char text[BT_ADDR_TEXT_MAX];
	struct bt_addr a;

	for (; packed.n >= size; packed = bt_str_sub(packed, size, packed.n)) {
		a = bt_addr_unpack(packed.p, family);
		if (bt_buf_add(out, STR("d2:ip")) == -1 ||
		    bt_ben_put_cstr(out, bt_addr_ip_text(&a, text)) == -1)
			return -1;
		if (ids != NULL) {
			if (bt_buf_add(out, STR("7:peer id20:")) == -1 ||
			    bt_buf_add(out, (struct bt_str){ ids, 20 }) == -1)
				return -1;
			ids += 20;
		}
		if (put_count(out, STR("4:port"), a.port) == -1 ||
		    bt_buf_putc(out, 'e') == -1)
			return -1;
	}
	return 0;
}

static int
put_peers(struct bt_buf *out, const struct bt_announce_answer *a)
{
	const uint8_t *ids6 = NULL;

	if (a->ids != NULL)
		ids6 = a->ids + a->peers4.n / 6 * 20;
	if (bt_buf_add(out, STR("5:peers")) == -1)
		return -1;
	if (!a->compact) {
		if (bt_buf_putc(out, 'l') == -1 ||
		    put_dicts(out, a->peers4, 4, a->ids) == -1 ||
		    put_dicts(out, a->peers6, 6, ids6) == -1)
			return -1;
		return bt_buf_putc(out, 'e');
	}
	if (bt_ben_put_str(out, a->peers4) == -1)
		return -1;
	if (a->peers6.n == 0)
		return 0;
	if (bt_buf_add(out, STR("6:peers6")) == -1)
		return -1;
	return bt_ben_put_str(out, a->peers6);
}

static int
put_answer(struct bt_buf *out, const struct bt_announce_answer *a)
{
	struct bt_str ip = { a->external.ip, a->external.family == 4 ? 4 : 16 };

	if (put_count(out, STR("d8:complete"), a->complete) == -1 ||
	    put_count(out, STR("10:downloaded"), a->downloaded) == -1)
		return -1;
	if (a->external.family != 0 &&
	    (bt_buf_add(out, STR("11:external ip")) == -1 ||
		bt_ben_put_str(out, ip) == -1))
		return -1;
	if (put_count(out, STR("10:incomplete"), a->incomplete) == -1 ||
	    put_count(out, STR("8:interval"), a->interval) == -1)
		return -1;
	if (a->min_interval != 0 &&
	    put_count(out, STR("12:min interval"), a->min_interval) == -1)
		return -1;
	if (put_peers(out, a) == -1)
		return -1;
	if (a->warning.n > 0 &&
	    (bt_buf_add(out, STR("15:warning message")) == -1 ||
		bt_ben_put_str(out, a->warning) == -1))
		return -1;
	return bt_buf_putc(out, 'e');
}

int
bt_announce_answer_put(struct bt_buf *out, const struct bt_announce_answer *a)
{
	size_t before = out->n;

	assert(a->peers4.n % 6 == 0);
	assert(a->peers6.n % 18 == 0);
	if (put_answer(out, a) == 0)
		return 0;
	out->n = before;
	return -1;
}

static int
put_failure(struct bt_buf *out, struct bt_str reason, int32_t retry_min)
{
	if (bt_buf_add(out, STR("d14:failure reason")) == -1 ||
	    bt_ben_put_str(out, reason) == -1)
		return -1;
	if (retry_min < 0 && bt_buf_add(out, STR("8:retry in5:never")) == -1)
		return -1;
	if (retry_min > 0 &&
	    put_count(out, STR("8:retry in"), (uint32_t)retry_min) == -1)
		return -1;
	return bt_buf_putc(out, 'e');
}

int
bt_announce_failure_put(
    struct bt_buf *out, struct bt_str reason, int32_t retry_min)
{
	size_t before = out->n;

	if (put_failure(out, reason, retry_min) == 0)
		return 0;
	out->n = before;
	return -1;
}
