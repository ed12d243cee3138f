#include "cli/json.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <time.h>

#include "base/mem.h"
#include "cli/exit.h"

static int
put_dumped(const char *text, size_t n, void *arg)
{
	bt_out_raw(arg, (struct bt_str){ (const uint8_t *)text, n });
	return 0;
}

/* Write a value of jansson's and drop it. */
static void
put_value(struct bt_json *j, json_t *v)
{
	int rc;

	assert(v != NULL);
	rc = json_dump_callback(
	    v, put_dumped, j->out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	assert(rc == 0);
	json_decref(v);
}

/* s with the bytes that are not UTF-8 as \xNN. */
static void
put_string(struct bt_json *j, struct bt_str s)
{
	struct bt_buf b;
	size_t i, n;

	if (bt_str_is_utf8(s)) {
		put_value(j, json_stringn(s.n ? (const char *)s.p : "", s.n));
		return;
	}
	bt_buf_init(&b, 4 * s.n);
	for (i = 0; i < s.n; i += n) {
		n = bt_out_utf8(bt_str_sub(s, i, s.n));
		if (n == 0) {
			bt_buf_printf(&b, "\\x%02x", s.p[i]);
			n = 1;
		} else {
			bt_buf_add(&b, bt_str_sub(s, i, i + n));
		}
	}
	put_value(j, json_stringn((const char *)b.p, b.n));
	bt_buf_fini(&b);
}

/* What stands before a value: a comma, its key. */
static void
put_key(struct bt_json *j, const char *key)
{
	assert(j->depth > 0);
	assert((key != NULL) == (j->closer[j->depth - 1] == '}'));
	if (!j->first)
		bt_out_raw(j->out, STR(", "));
	j->first = false;
	if (key == NULL)
		return;
	put_string(j, bt_str_of(key));
	bt_out_raw(j->out, STR(": "));
}

static void
push(struct bt_json *j, char what)
{
	assert(what == '{' || what == '[');
	assert(j->depth < BT_JSON_DEPTH_MAX);
	bt_out_printf(j->out, "%c", what);
	j->closer[j->depth++] = what == '{' ? '}' : ']';
	j->first = true;
}

void
bt_json_begin(struct bt_json *j, struct bt_out *out)
{
	/* out of memory inside jansson goes the way of base/mem too */
	json_set_alloc_funcs(bt_mem_alloc, bt_mem_free);
	j->out = out;
	j->depth = 0;
	push(j, '{');
}

void
bt_json_event(struct bt_json *j, struct bt_out *out, const char *event)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	bt_json_begin(j, out);
	bt_json_cstr(j, "event", event);
	/* milliseconds: 15 digits could not tell more apart */
	bt_json_real(j, "time",
	    (double)now.tv_sec + (double)(now.tv_nsec / 1000000) / 1000);
}

int
bt_json_end(struct bt_json *j)
{
	while (j->depth > 0)
		bt_json_close(j);
	bt_out_raw(j->out, STR("\n"));
	return bt_out_flush(j->out);
}

void
bt_json_open(struct bt_json *j, const char *key, char what)
{
	put_key(j, key);
	push(j, what);
}

void
bt_json_close(struct bt_json *j)
{
	assert(j->depth > 0);
	bt_out_printf(j->out, "%c", j->closer[--j->depth]);
	j->first = false;
}

void
bt_json_str(struct bt_json *j, const char *key, struct bt_str s)
{
	put_key(j, key);
	put_string(j, s);
}

void
bt_json_cstr(struct bt_json *j, const char *key, const char *s)
{
	bt_json_str(j, key, bt_str_of(s));
}

void
bt_json_int(struct bt_json *j, const char *key, int64_t v)
{
	put_key(j, key);
	put_value(j, json_integer(v));
}

void
bt_json_real(struct bt_json *j, const char *key, double v)
{
	put_key(j, key);
	/* JSON has no word for infinity */
	put_value(j, isfinite(v) ? json_real(v) : json_null());
}

void
bt_json_bool(struct bt_json *j, const char *key, bool v)
{
	put_key(j, key);
	put_value(j, json_boolean(v));
}

void
bt_json_null(struct bt_json *j, const char *key)
{
	put_key(j, key);
	put_value(j, json_null());
}

void
bt_json_err(struct bt_json *j, const struct bt_err *err)
{
	bt_json_cstr(j, "class", bt_exit_class(err->kind));
	bt_json_cstr(j, "message", err->text);
}
