#include "codec/url.h"

#include "base/addr.h"

#define HOST_MAX 253  /* RFC 1035: what fits a name of 255 wire bytes */
#define SHOWN_MAX 256 /* bytes of a URL repeated in an error */

static int
bad(struct bt_err *err, struct bt_str s, const char *why)
{
	char shown[SHOWN_MAX];

	bt_str_printable(s, shown, sizeof(shown));
	return bt_err_set(err, BT_EINPUT, "malformed URL '%s': %s", shown, why);
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool
is_alnum(uint8_t c)
{
	return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/* Takes prefix, which is in lower case, from the front of s. */
static bool
take_prefix(struct bt_str *s, struct bt_str prefix)
{
	if (s->n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++)
		if (lower(s->p[i]) != prefix.p[i])
			return false;
	*s = bt_str_sub(*s, prefix.n, s->n);
	return true;
}

static bool
take_scheme(struct bt_str *s, struct bt_url *u)
{
	u->scheme = BT_URL_HTTP;
	u->port = 80;
	if (take_prefix(s, STR("http://")))
		return true;
	u->scheme = BT_URL_HTTPS;
	u->port = 443;
	if (take_prefix(s, STR("https://")))
		return true;
	u->scheme = BT_URL_UDP;
	u->port = 0;
	return take_prefix(s, STR("udp://"));
}

/* Takes what stands before the first of the bytes in `stops`. */
static struct bt_str
take_until(struct bt_str *s, const char *stops)
{
	size_t n = s->n, at;
	struct bt_str head;

	for (; *stops != '\0'; stops++) {
		at = bt_str_find(bt_str_sub(*s, 0, n), (uint8_t)*stops);
		n = at < n ? at : n;
	}
	head = bt_str_sub(*s, 0, n);
	*s = bt_str_sub(*s, n, s->n);
	return head;
}

/* NULL, or what is wrong. *rest is what follows the host: "" or ":80". */
static const char *
parse_host(struct bt_str authority, struct bt_url *u, struct bt_str *rest)
{
	struct bt_addr ip;
	uint8_t c;

	*rest = authority;
	if (bt_str_starts(authority, STR("["))) {
		u->host = take_until(rest, "]");
		if (rest->n == 0)
			return "an IPv6 address without its ']'";
		u->host = bt_str_sub(u->host, 1, u->host.n);
		*rest = bt_str_sub(*rest, 1, rest->n);
		if (bt_str_find(u->host, ':') == u->host.n ||
		    bt_str_find(u->host, '[') != u->host.n ||
		    bt_addr_parse_ip(u->host, &ip) == -1)
			return "not an IPv6 address in brackets";
		return NULL;
	}
	u->host = take_until(rest, ":");
	if (u->host.n == 0)
		return "it names no host";
	if (u->host.n > HOST_MAX)
		return "the host's name is too long";
	for (size_t i = 0; i < u->host.n; i++) {
		c = u->host.p[i];
		if (!is_alnum(c) && c != '.' && c != '-' && c != '_')
			return "the host's name holds a strange character";
	}
	return NULL;
}

static const char *
parse_authority(struct bt_str authority, struct bt_url *u)
{
	struct bt_str rest;
	const char *why;
	uint64_t port;

	if (bt_str_find(authority, '@') != authority.n)
		return "a user name is not supported";
	why = parse_host(authority, u, &rest);
	if (why != NULL)
		return why;
	if (rest.n > 1 || (rest.n == 1 && rest.p[0] != ':')) {
		if (rest.p[0] != ':' ||
		    bt_str_u64(bt_str_sub(rest, 1, rest.n), &port) == -1 ||
		    port < 1 || port > 65535)
			return "not a port from 1 to 65535";
		u->port = (uint16_t)port;
	}
	return u->port == 0 ? "udp needs a port" : NULL;
}

int
bt_url_parse(struct bt_str s, struct bt_url *u, struct bt_err *err)
{
	struct bt_str rest = s;
	struct bt_url got;
	const char *why;

	if (s.n > BT_URL_MAX)
		return bad(err, s, "it is too long");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return bad(err, s, "it holds a space or control byte");
	if (!take_scheme(&rest, &got))
		return bad(err, s, "it begins with none of http, https, udp");
	why = parse_authority(take_until(&rest, "/?#"), &got);
	if (why != NULL)
		return bad(err, s, why);
	got.path = take_until(&rest, "?#");
	got.query = take_until(&rest, "#");
	if (got.query.n != 0)
		got.query = bt_str_sub(got.query, 1, got.query.n);
	*u = got;
	return 0;
}

/* Where the last component of path begins. */
static size_t
last_component(struct bt_str path)
{
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	return at;
}

int
bt_url_scrape(struct bt_str announce, struct bt_buf *out)
{
	const struct bt_str word = STR("announce");
	struct bt_err ignored = BT_ERR_INIT;
	struct bt_str rest = announce;
	struct bt_url u;
	size_t at;

	if (bt_url_parse(announce, &u, &ignored) == -1)
		return -1;
	bt_buf_clear(out);
	if (u.scheme != BT_URL_UDP) {
		at = last_component(u.path);
		if (!bt_str_starts(bt_str_sub(u.path, at, u.path.n), word))
			return -1;
		at += (size_t)(u.path.p - announce.p);
		if (bt_buf_add(out, bt_str_sub(announce, 0, at)) == -1 ||
		    bt_buf_puts(out, "scrape") == -1)
			return -1;
		rest = bt_str_sub(announce, at + word.n, announce.n);
		rest = take_until(&rest, "#");
	}
	if (bt_buf_add(out, rest) == -1 || bt_buf_putc(out, '\0') == -1)
		return -1;
	out->n--;
	return 0;
}

static bool
is_unreserved(uint8_t c)
{
	return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Counts first, so that what does not fit adds nothing. */
int
bt_url_escape(struct bt_buf *out, struct bt_str raw)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;
	uint8_t *to;

	if (raw.n > SIZE_MAX / 3)
		return -1;
	for (size_t i = 0; i < raw.n; i++)
		n += is_unreserved(raw.p[i]) ? 1 : 3;
	to = bt_buf_room(out, n);
	if (to == NULL)
		return -1;
	for (size_t i = 0; i < raw.n; i++) {
		if (is_unreserved(raw.p[i])) {
			*to++ = raw.p[i];
			continue;
		}
		*to++ = '%';
		*to++ = (uint8_t)hex[raw.p[i] >> 4];
		*to++ = (uint8_t)hex[raw.p[i] & 15];
	}
	out->n += n;
	return 0;
}

/* 0 to 15, or above. */
static unsigned
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - (unsigned)'0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

int
bt_url_unescape(struct bt_str in, uint8_t *out, size_t out_max, size_t *out_n)
{
	const uint8_t *p = in.p, *end = in.n == 0 ? p : p + in.n;
	unsigned high, low;
	size_t n = 0;

	while (p < end) {
		if (n == out_max)
			return -1;
		if (*p != '%') {
			out[n++] = *p++;
			continue;
		}
		if (end - p < 3)
			return -1;
		high = hex_digit(p[1]);
		low = hex_digit(p[2]);
		if (high > 15 || low > 15)
			return -1;
		out[n++] = (uint8_t)(high << 4 | low);
		p += 3;
	}
	*out_n = n;
	return 0;
}

bool
bt_url_next_param(
    struct bt_str *query, struct bt_str *name, struct bt_str *value)
{
	struct bt_str pair, rest = *query;
	size_t n;

	do {
		if (rest.n == 0)
			return false;
		n = bt_str_find(rest, '&');
		pair = (struct bt_str){ rest.p, n };
		n += n < rest.n;
		rest = (struct bt_str){ rest.p + n, rest.n - n };
	} while (pair.n == 0);
	*query = rest;
	n = bt_str_find(pair, '=');
	*name = (struct bt_str){ pair.p, n };
	n += n < pair.n;
	*value = (struct bt_str){ pair.p + n, pair.n - n };
	return true;
}
