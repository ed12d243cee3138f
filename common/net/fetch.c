#include "net/fetch.h"

#include <inttypes.h>
#include <stdio.h>

#include "net/httpc.h"

#define PAGE_MAX (64u << 10) /* of what comes with a status that says no */

struct fetch {
	struct bt_loop *loop;
	const char *url;
	struct bt_buf *out;
	struct bt_err *err;
	long status; /* of a range */
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

static void
on_range(void *arg, long status, struct bt_str body, const struct bt_err *err)
{
	struct fetch *f = arg;

	bt_loop_stop(f->loop);
	f->status = status;
	if (err != NULL) {
		*f->err = *err;
		f->rc = -1;
	} else if (status == 206 && bt_buf_add(f->out, body) == -1) {
		f->rc = bt_err_set(f->err, BT_ELIMIT,
		    "the reply is larger than what was asked for");
	}
}

/* Ask, and wait for the answer. */
static int
wait_for(struct fetch *f, const struct bt_httpc_conf *get, struct bt_err *err)
{
	struct bt_httpc *h;

	if (bt_loop_new(&f->loop, err) == -1)
		return -1;
	h = bt_httpc_new(f->loop);
	bt_httpc_get(h, get);
	bt_loop_run(f->loop);
	bt_httpc_free(h);
	bt_loop_free(f->loop);
	return f->rc;
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

	if (get.timeout_us == 0)
		get.timeout_us = BT_FETCH_TIMEOUT_US;
	return wait_for(&f, &get, err);
}

int
bt_fetch_range(const struct bt_fetch_conf *conf, const char *url, uint64_t from,
    uint64_t n, struct bt_buf *out, long *status, struct bt_err *err)
{
	struct fetch f = { .url = url, .out = out, .err = err };
	char range[48];
	struct bt_httpc_conf get = { .url = url,
		.range = range,
		.family = conf->family,
		.bind = conf->bind,
		.insecure = conf->insecure,
		.body_max = (size_t)n + PAGE_MAX,
		.timeout_us = conf->timeout_us,
		.done = on_range,
		.arg = &f };

	snprintf(
	    range, sizeof(range), "%" PRIu64 "-%" PRIu64, from, from + n - 1);
	if (get.timeout_us == 0)
		get.timeout_us = BT_FETCH_TIMEOUT_US;
	if (wait_for(&f, &get, err) == -1)
		return -1;
	*status = f.status;
	return 0;
}
