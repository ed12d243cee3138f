#include "net/fetch.h"

#include "net/httpc.h"

struct fetch {
	struct bt_loop *loop;
	const char *url;
	struct bt_buf *out;
	struct bt_err *err;
	int rc;
};

static void
on_done(void *arg, long status, struct bt_str body, const struct bt_err *err)
{
	struct fetch *f = arg;

	bt_loop_stop(f->loop);
	if (err != NULL) {
		*f->err = *err;
		f->rc = bt_err_prefix(f->err, "cannot fetch '%s'", f->url);
	} else if (status != 200)
		f->rc = bt_err_set(f->err, BT_ENET,
		    "cannot fetch '%s': HTTP status %ld", f->url, status);
	else
		f->rc = bt_buf_add(f->out, body);
}

int
bt_fetch_url(
    void *conf, const char *url, struct bt_buf *out, struct bt_err *err)
{
	const struct bt_fetch_conf defaults = { 0 };
	const struct bt_fetch_conf *c = conf != NULL ? conf : &defaults;
	struct fetch f = { .url = url, .out = out, .err = err };
	struct bt_httpc_conf get = { .url = url,
		.family = c->family,
		.bind = c->bind,
		.insecure = c->insecure,
		.body_max = out->max - out->n,
		.timeout_us = c->timeout_us,
		.done = on_done,
		.arg = &f };
	struct bt_httpc *h;

	if (get.timeout_us == 0)
		get.timeout_us = BT_FETCH_TIMEOUT_US;
	if (bt_loop_new(&f.loop, err) == -1)
		return -1;
	h = bt_httpc_new(f.loop);
	bt_httpc_get(h, &get);
	bt_loop_run(f.loop);
	bt_httpc_free(h);
	bt_loop_free(f.loop);
	return f.rc;
}
