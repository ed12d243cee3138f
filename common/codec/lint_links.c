/* Trackers, web seeds and nodes: URLs, and how they are listed. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/lint_priv.h"
#include "codec/metainfo.h"
#include "codec/url.h"

/* URLs that stand in the torrent, to find equal ones. */
struct urls {
	struct link {
		struct bt_str url;
		size_t order;
	} * all;
	size_t n, cap;
};

static void
keep(struct urls *u, struct bt_str url)
{
	if (u->n == u->cap) {
		u->cap = u->cap == 0 ? 16 : u->cap * 2;
		u->all = bt_mem_resize(u->all, u->cap, sizeof(*u->all));
	}
	u->all[u->n] = (struct link){ url, u->n };
	u->n++;
}

static int
cmp_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;
	int order = bt_str_cmp(x->url, y->url);

	return order != 0 ? order
			  : (x->order > y->order) - (x->order < y->order);
}

static void
tell_equal(struct bt_lint *l, struct urls *u, enum bt_lint_id id)
{
	if (u->n > 1)
		qsort(u->all, u->n, sizeof(*u->all), cmp_links);
	for (size_t i = 1; i < u->n; i++)
		if (bt_str_eq(u->all[i - 1].url, u->all[i].url))
			bt_lint_tell(l, id, u->all[i].url.p,
			    "the same URL is there twice");
	bt_mem_free(u->all);
}

/* A scheme that codec/url does not speak and that others do: as if by http. */
static int
parse(struct bt_str url, const char *const also[], struct bt_url *u,
    struct bt_err *err)
{
	struct bt_str scheme;
	struct bt_buf as_http;
	int rc;

	for (; *also != NULL; also++) {
		scheme = bt_str_of(*also);
		if (!bt_str_starts(url, scheme))
			continue;
		bt_buf_init(&as_http, BT_URL_MAX + 8);
		rc = bt_buf_puts(&as_http, "http://");
		if (url.n <= BT_URL_MAX && rc == 0)
			rc = bt_buf_add(
			    &as_http, bt_str_sub(url, scheme.n, url.n));
		rc = rc == 0 ? bt_url_parse(bt_buf_str(&as_http), u, err) : -1;
		bt_buf_fini(&as_http);
		if (rc == -1)
			bt_err_set(err, BT_EINPUT,
			    "malformed URL, behind its '%s'", *also);
		return rc;
	}
	return bt_url_parse(url, u, err);
}

static void
check_tracker(struct bt_lint *l, const struct bt_ben *v, struct urls *u)
{
	static const char *const also[] = { "ws://", "wss://", NULL };
	struct bt_err err = BT_ERR_INIT;
	struct bt_url url;

	if (v->type != BT_BEN_STR) {
		bt_lint_tell(l, BT_LINT_WRONG_TYPE, v->raw.p,
		    "a tracker should be a string");
		return;
	}
	if (parse(v->str, also, &url, &err) == -1)
		bt_lint_tell(l, BT_LINT_TRACKER_URL, v->raw.p, "%s", err.text);
	keep(u, v->str);
}

static void
check_list(struct bt_lint *l, const struct bt_ben *list, struct urls *u)
{
	struct bt_ben_iter it = { 0 }, in_tier;
	struct bt_ben tier, v;

	for (uint64_t t = 0; bt_ben_next(list, &it, &tier); t++) {
		bt_lint_into_index(l, t);
		in_tier.at = 0;
		if (tier.type != BT_BEN_LIST)
			bt_lint_tell(l, BT_LINT_WRONG_TYPE, tier.raw.p,
			    "a tier of trackers should be a list");
		for (uint64_t i = 0; bt_ben_next(&tier, &in_tier, &v); i++) {
			bt_lint_into_index(l, i);
			check_tracker(l, &v, u);
			bt_lint_out(l);
		}
		bt_lint_out(l);
	}
}

static void
check_trackers(struct bt_lint *l, const struct bt_lint_links *k)
{
	struct urls listed = { 0 }, alone = { 0 };
	bool found = false;

	bt_lint_into_key(l, STR("announce-list"));
	check_list(l, &k->list, &listed);
	bt_lint_out(l);
	bt_lint_into_key(l, STR("announce"));
	if (k->announce.type == BT_BEN_STR) {
		for (size_t i = 0; i < listed.n && !found; i++)
			found = bt_str_eq(listed.all[i].url, k->announce.str);
		if (!found)
			check_tracker(l, &k->announce, &alone);
		if (!found && listed.n > 0)
			bt_lint_tell(l, BT_LINT_ANNOUNCE_NOT_IN_LIST,
			    k->announce.raw.p,
			    "readers that know announce-list never ask this "
			    "tracker, which is not in it");
	}
	bt_lint_out(l);
	if (k->is_private && listed.n + alone.n == 0)
		bt_lint_tell(l, BT_LINT_PRIVATE_NO_TRACKER, NULL,
		    "a private torrent finds peers by its trackers alone, and "
		    "it has none");
	bt_lint_into_key(l, STR("announce-list"));
	tell_equal(l, &listed, BT_LINT_TRACKER_DUPLICATE);
	bt_lint_out(l);
	bt_mem_free(alone.all);
}

static void
check_seed(
    struct bt_lint *l, const struct bt_ben *v, bool is_multi, struct urls *u)
{
	static const char *const also[] = { "ftp://", NULL };
	struct bt_err err = BT_ERR_INIT;
	struct bt_url url;

	if (v->type != BT_BEN_STR) {
		bt_lint_tell(l, BT_LINT_WRONG_TYPE, v->raw.p,
		    "a web seed should be a string");
		return;
	}
	keep(u, v->str);
	if (parse(v->str, also, &url, &err) == -1)
		bt_lint_tell(l, BT_LINT_WEB_SEED_URL, v->raw.p, "%s", err.text);
	else if (url.scheme == BT_URL_UDP)
		bt_lint_tell(l, BT_LINT_WEB_SEED_URL, v->raw.p,
		    "a web seed is reached by http, https or ftp");
	else if (is_multi && v->str.p[v->str.n - 1] != '/')
		bt_lint_tell(l, BT_LINT_WEB_SEED_SLASH, v->raw.p,
		    "the web seed of a folder should end with '/'");
}

/* A list of URLs, or one. BEP 19: an empty string is none. */
static void
check_seeds(
    struct bt_lint *l, const char *key, const struct bt_ben *v, bool is_multi)
{
	struct urls urls = { 0 };
	struct bt_ben_iter it = { 0 };
	struct bt_ben item;

	bt_lint_into_key(l, bt_str_of(key));
	for (uint64_t i = 0; bt_ben_next(v, &it, &item); i++) {
		bt_lint_into_index(l, i);
		check_seed(l, &item, is_multi, &urls);
		bt_lint_out(l);
	}
	if (v->type == BT_BEN_STR && v->str.n > 0)
		check_seed(l, v, is_multi, &urls);
	else if (v->type == BT_BEN_INT || v->type == BT_BEN_DICT)
		bt_lint_tell(l, BT_LINT_WRONG_TYPE, v->raw.p,
		    "web seeds should be a list, or one string");
	tell_equal(l, &urls, BT_LINT_WEB_SEED_DUPLICATE);
	bt_lint_out(l);
}

static void
check_nodes(struct bt_lint *l, const struct bt_ben *list)
{
	struct bt_ben_iter it = { 0 }, pair;
	struct bt_ben item, host, port;

	bt_lint_into_key(l, STR("nodes"));
	for (uint64_t i = 0; bt_ben_next(list, &it, &item); i++) {
		pair.at = 0;
		bt_lint_into_index(l, i);
		if (!bt_ben_next(&item, &pair, &host) ||
		    !bt_ben_next(&item, &pair, &port) ||
		    host.type != BT_BEN_STR || host.str.n == 0 ||
		    port.type != BT_BEN_INT || port.num < 1 || port.num > 65535)
			bt_lint_tell(l, BT_LINT_NODE, item.raw.p,
			    "a node should be a host and a port");
		bt_lint_out(l);
	}
	bt_lint_out(l);
}

void
bt_lint_links(struct bt_lint *l, const struct bt_lint_links *k)
{
	check_trackers(l, k);
	check_seeds(l, "url-list", &k->url_list, k->is_multi);
	check_seeds(l, "httpseeds", &k->httpseeds, false);
	check_nodes(l, &k->nodes);
}
