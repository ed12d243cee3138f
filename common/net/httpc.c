#include "net/httpc.h"

#include <dlfcn.h>
#include <string.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "codec/url.h"
#include "net/tcp.h"

#define LIBRARY "libcurl.so.4"

/* What we call of libcurl, found at run time. */
struct curl {
	void *library;
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *e);
	CURLcode (*easy_setopt)(CURL *e, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *e, CURLINFO info, ...);
	const char *(*easy_strerror)(CURLcode code);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *m);
	CURLMcode (*multi_setopt)(CURLM *m, CURLMoption option, ...);
	CURLMcode (*multi_add_handle)(CURLM *m, CURL *e);
	CURLMcode (*multi_remove_handle)(CURLM *m, CURL *e);
	CURLMcode (*multi_assign)(CURLM *m, curl_socket_t fd, void *p);
	CURLMcode (*multi_socket_action)(
	    CURLM *m, curl_socket_t fd, int what, int *running);
	CURLMsg *(*multi_info_read)(CURLM *m, int *left);
};

struct bt_httpc {
	struct bt_loop *loop;
	struct curl curl;
	CURLM *multi;	     /* NULL until the first GET */
	const char *missing; /* why there is no libcurl; NULL: not so */
	char missing_text[256];
	struct bt_loop_timer *timer;
	struct bt_httpc_get *gets;
};

struct bt_httpc_get {
	struct bt_httpc *owner;
	struct bt_httpc_get *next, **link;
	CURL *easy;
	struct bt_loop_timer *timer; /* to fail from the loop */
	struct bt_buf body;
	bool too_big;
	char error[CURL_ERROR_SIZE];
	struct bt_httpc_conf conf;
};

struct watched {
	struct bt_httpc *owner;
	int fd;
	struct bt_loop_watch *watch;
};

/* A function pointer may not be made of an object pointer but by copying. */
static bool
find(struct bt_httpc *h, const char *name, void *to)
{
	void *p = dlsym(h->curl.library, name);

	memcpy(to, &p, sizeof(p));
	return p != NULL;
}

static bool
find_all(struct bt_httpc *h)
{
	struct curl *c = &h->curl;

	return find(h, "curl_global_init", &c->global_init) &&
	       find(h, "curl_easy_init", &c->easy_init) &&
	       find(h, "curl_easy_cleanup", &c->easy_cleanup) &&
	       find(h, "curl_easy_setopt", &c->easy_setopt) &&
	       find(h, "curl_easy_getinfo", &c->easy_getinfo) &&
	       find(h, "curl_easy_strerror", &c->easy_strerror) &&
	       find(h, "curl_multi_init", &c->multi_init) &&
	       find(h, "curl_multi_cleanup", &c->multi_cleanup) &&
	       find(h, "curl_multi_setopt", &c->multi_setopt) &&
	       find(h, "curl_multi_add_handle", &c->multi_add_handle) &&
	       find(h, "curl_multi_remove_handle", &c->multi_remove_handle) &&
	       find(h, "curl_multi_assign", &c->multi_assign) &&
	       find(h, "curl_multi_socket_action", &c->multi_socket_action) &&
	       find(h, "curl_multi_info_read", &c->multi_info_read);
}

static void
release(struct bt_httpc_get *g)
{
	struct bt_httpc *h = g->owner;

	if (g->easy != NULL) {
		h->curl.multi_remove_handle(h->multi, g->easy);
		h->curl.easy_cleanup(g->easy);
	}
	*g->link = g->next;
	if (g->next != NULL)
		g->next->link = g->link;
	bt_loop_timer_free(g->timer);
	bt_buf_fini(&g->body);
	bt_mem_free(g);
}

void
bt_httpc_cancel(struct bt_httpc_get *g)
{
	if (g != NULL)
		release(g);
}

static int
set_reason(struct bt_httpc_get *g, CURLcode code, struct bt_err *err)
{
	struct curl *c = &g->owner->curl;
	long os = 0;

	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return bt_err_set(err, BT_ETIMEOUT, "no answer within %d s",
		    (int)(g->conf.timeout_us / BT_LOOP_SECOND));
	case CURLE_COULDNT_CONNECT:
		c->easy_getinfo(g->easy, CURLINFO_OS_ERRNO, &os);
		return bt_err_set(err, BT_ENET, "%s",
		    os == 0 ? "no connection" : bt_tcp_reason((int)os));
	case CURLE_COULDNT_RESOLVE_HOST:
		return bt_err_set(err, BT_ENET, "host not found");
	case CURLE_TOO_MANY_REDIRECTS:
		return bt_err_set(err, BT_ENET, "more than %ld redirects",
		    BT_HTTPC_REDIRECTS);
	case CURLE_GOT_NOTHING:
		return bt_err_set(err, BT_ENET, "empty reply");
	default:
		break;
	}
	if (g->too_big)
		return bt_err_set(err, BT_ELIMIT,
		    "the reply is larger than %zu bytes", g->conf.body_max);
	return bt_err_set(err, BT_ENET, "%s",
	    g->error[0] != '\0' ? g->error : c->easy_strerror(code));
}

/* Tell the owner; the GET is over then. */
static void
finish(struct bt_httpc_get *g, CURLcode code)
{
	struct bt_httpc *h = g->owner;
	struct bt_err err = BT_ERR_INIT;
	struct bt_httpc_conf conf = g->conf;
	struct bt_buf body = g->body;
	long status = 0;

	if (code == CURLE_OK)
		h->curl.easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &status);
	else
		set_reason(g, code, &err);
	bt_buf_init(&g->body, 0);
	release(g);
	conf.done(conf.arg, status, bt_buf_str(&body),
	    code == CURLE_OK ? NULL : &err);
	bt_buf_fini(&body);
}

/*
 * One at a time and from the start again: the callback may begin and cancel
 * others.
 */
static void
finish_all(struct bt_httpc *h)
{
	struct bt_httpc_get *g;
	CURLMsg *msg;
	CURLcode code;
	int left;

	while ((msg = h->curl.multi_info_read(h->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		code = msg->data.result;
		g = NULL;
		h->curl.easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &g);
		finish(g, code);
	}
}

static void
on_timer(void *arg)
{
	struct bt_httpc *h = arg;
	int running;

	h->curl.multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_all(h);
}

static int
want_timer(CURLM *m, long ms, void *arg)
{
	struct bt_httpc *h = arg;

	(void)m;
	if (ms < 0)
		bt_loop_timer_off(h->timer);
	else
		bt_loop_timer_in(h->timer, (int64_t)ms * 1000);
	return 0;
}

static void
on_ready(void *arg, unsigned what)
{
	struct watched *w = arg;
	struct bt_httpc *h = w->owner;
	int running;

	/* w may be gone after this */
	h->curl.multi_socket_action(h->multi, w->fd,
	    (what & BT_LOOP_READ ? CURL_CSELECT_IN : 0) |
		(what & BT_LOOP_WRITE ? CURL_CSELECT_OUT : 0),
	    &running);
	finish_all(h);
}

static int
want_socket(CURL *e, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct bt_httpc *h = arg;
	struct watched *w = socket_arg;

	(void)e;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL) {
			bt_loop_watch_free(w->watch);
			bt_mem_free(w);
		}
		h->curl.multi_assign(h->multi, fd, NULL);
		return 0;
	}
	if (w == NULL) {
		w = bt_mem_zero(1, sizeof(*w));
		w->owner = h;
		w->fd = fd;
		w->watch = bt_loop_watch_new(h->loop, fd, on_ready, w);
		h->curl.multi_assign(h->multi, fd, w);
	}
	bt_loop_watch_set(
	    w->watch, (what & CURL_POLL_IN ? BT_LOOP_READ : 0) |
			  (what & CURL_POLL_OUT ? BT_LOOP_WRITE : 0));
	return 0;
}

/* Load libcurl and make the multi handle, once. */
static bool
load(struct bt_httpc *h)
{
	struct curl *c = &h->curl;
	const char *why;

	if (h->multi != NULL || h->missing != NULL)
		return h->multi != NULL;
	c->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (c->library == NULL) {
		why = dlerror();
		bt_str_printable(bt_str_of(why == NULL ? LIBRARY : why),
		    h->missing_text, sizeof(h->missing_text));
		h->missing = h->missing_text;
		return false;
	}
	if (!find_all(h) || c->global_init(CURL_GLOBAL_DEFAULT) != 0) {
		h->missing = LIBRARY " cannot be used";
		return false;
	}
	h->multi = c->multi_init();
	if (h->multi == NULL) {
		h->missing = LIBRARY " cannot be started";
		return false;
	}
	c->multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	c->multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	c->multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	c->multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	c->multi_setopt(
	    h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, BT_HTTPC_TOTAL_MAX);
	c->multi_setopt(
	    h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, BT_HTTPC_HOST_MAX);
	c->multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, BT_HTTPC_HOST_MAX);
	return true;
}

struct bt_httpc *
bt_httpc_new(struct bt_loop *l)
{
	struct bt_httpc *h;

	h = bt_mem_zero(1, sizeof(*h));
	h->loop = l;
	h->timer = bt_loop_timer_new(l, on_timer, h);
	return h;
}

/* The library stays loaded: others may have threads in it. */
void
bt_httpc_free(struct bt_httpc *h)
{
	if (h == NULL)
		return;
	while (h->gets != NULL)
		release(h->gets);
	if (h->multi != NULL)
		h->curl.multi_cleanup(h->multi);
	bt_loop_timer_free(h->timer);
	bt_mem_free(h);
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct bt_httpc_get *g = arg;

	if (bt_buf_add(&g->body,
		(struct bt_str){ (const uint8_t *)p, size * n }) == -1) {
		g->too_big = true;
		return 0;
	}
	return size * n;
}

/* Is it this machine by name or address: no proxy can reach that for us. */
static bool
is_here(const char *url)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_url u;
	struct bt_addr a;

	if (bt_url_parse(bt_str_of(url), &u, &err) == -1)
		return false;
	if (bt_addr_parse_ip(u.host, &a) == 0)
		return bt_addr_is_loopback(&a);
	return u.host.n == 9 &&
	       strncasecmp((const char *)u.host.p, "localhost", 9) == 0;
}

static void
set_up(struct bt_httpc_get *g)
{
	struct curl *c = &g->owner->curl;
	CURL *e = g->easy;
	char ip[BT_ADDR_TEXT_MAX];
	char interface[BT_ADDR_TEXT_MAX + 8];

	c->easy_setopt(e, CURLOPT_PRIVATE, g);
	c->easy_setopt(e, CURLOPT_URL, g->conf.url);
	c->easy_setopt(e, CURLOPT_USERAGENT, BT_HTTPC_AGENT);
	c->easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* a name that nobody answers must not keep us when we want to end */
	c->easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	c->easy_setopt(e, CURLOPT_ERRORBUFFER, g->error);
	c->easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	c->easy_setopt(e, CURLOPT_WRITEDATA, g);
	c->easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	c->easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	c->easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	c->easy_setopt(e, CURLOPT_MAXREDIRS, BT_HTTPC_REDIRECTS);
	c->easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	if (g->conf.range != NULL) /* of the bytes as they are */
		c->easy_setopt(e, CURLOPT_RANGE, g->conf.range);
	else
		c->easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "gzip");
	/* one small request: a second protocol brings only more to fail */
	c->easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	c->easy_setopt(
	    e, CURLOPT_TIMEOUT_MS, (long)(g->conf.timeout_us / 1000));
	c->easy_setopt(e, CURLOPT_IPRESOLVE,
	    (long)(g->conf.family == 4	 ? CURL_IPRESOLVE_V4
		   : g->conf.family == 6 ? CURL_IPRESOLVE_V6
					 : CURL_IPRESOLVE_WHATEVER));
	if (g->conf.insecure) {
		c->easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		c->easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (is_here(g->conf.url))
		c->easy_setopt(e, CURLOPT_PROXY, "");
	if (g->conf.bind.family != 0) {
		snprintf(interface, sizeof(interface), "host!%s",
		    bt_addr_ip_text(&g->conf.bind, ip));
		c->easy_setopt(e, CURLOPT_INTERFACE, interface);
	}
}

static void
fail(void *arg)
{
	struct bt_httpc_get *g = arg;
	struct bt_err err = BT_ERR_INIT;
	struct bt_httpc_conf conf = g->conf;

	bt_err_set(&err, BT_ENET, "%s",
	    g->owner->missing != NULL ? g->owner->missing
				      : "libcurl refused the request");
	release(g);
	conf.done(conf.arg, 0, (struct bt_str){ NULL, 0 }, &err);
}

struct bt_httpc_get *
bt_httpc_get(struct bt_httpc *h, const struct bt_httpc_conf *conf)
{
	struct bt_httpc_get *g;

	g = bt_mem_zero(1, sizeof(*g));
	g->owner = h;
	g->conf = *conf;
	bt_buf_init(&g->body, conf->body_max);
	g->next = h->gets;
	g->link = &h->gets;
	if (g->next != NULL)
		g->next->link = &g->next;
	h->gets = g;
	g->timer = bt_loop_timer_new(h->loop, fail, g);
	if (load(h))
		g->easy = h->curl.easy_init();
	if (g->easy != NULL) {
		set_up(g);
		if (h->curl.multi_add_handle(h->multi, g->easy) == CURLM_OK)
			return g;
		h->curl.easy_cleanup(g->easy);
		g->easy = NULL;
	}
	bt_loop_timer_in(g->timer, 0);
	return g;
}
