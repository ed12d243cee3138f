/*
 * url - the parts of a URL, percent coding, and BEP 48's scrape address.
 *
 * Views point into the input. Only what trackers and web seeds use: http,
 * https, udp. Userinfo is refused, so that none is ever sent on. A fragment is
 * dropped.
 * Pure.
 *
 * Speaks   RFC 3986 (the subset), BEP 48 (scrape URL), BEP 15 (udp://)
 * Used by  net/announcer, bt-scrape, codec/announce
 * Tests    tests/unit/test_url.c, tests/fuzz/fuzz_url.c
 */
#ifndef BT_CODEC_URL_H
#define BT_CODEC_URL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define BT_URL_MAX 2048	/* bytes; longer is refused */

enum bt_url_scheme { BT_URL_HTTP, BT_URL_HTTPS, BT_URL_UDP };

struct bt_url {
	enum bt_url_scheme scheme;
	struct bt_str host;	/* without the brackets of an IPv6 literal */
	uint16_t port;		/* 80, 443 when absent; udp must name one */
	struct bt_str path;	/* from '/', may be empty */
	struct bt_str query;	/* after '?', may be empty */
};

/* BT_EINPUT with the URL quoted. Control bytes and spaces are refused. */
int	bt_url_parse(struct bt_str s, struct bt_url *u, struct bt_err *err);

/*
 * BEP 48: the last path component must begin with "announce", which becomes
 * "scrape"; else the tracker cannot be scraped and -1 comes back. udp:// is
 * returned unchanged. out's content is replaced by the URL; a NUL that out->n
 * does not count follows it. A malformed URL is -1 too.
 */
int	bt_url_scrape(struct bt_str announce, struct bt_buf *out);

/* Everything but unreserved characters is written %XX. */
int	bt_url_escape(struct bt_buf *out, struct bt_str raw);
/* Decode %XX (not '+'); -1 for a bad escape or if out is too small. */
int	bt_url_unescape(struct bt_str in, uint8_t *out, size_t out_max,
	    size_t *out_n);

/* Walk "a=1&b=2": false at the end. Names and values are still escaped. */
bool	bt_url_next_param(struct bt_str *query, struct bt_str *name,
	    struct bt_str *value);

#endif
