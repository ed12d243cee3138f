#include "request.h"

#include <string.h>

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
eq_nocase(struct bt_str s, const char *name)
{
	size_t i;

	for (i = 0; i < s.n && name[i] != '\0'; i++)
		if (lower(s.p[i]) != (uint8_t)name[i])
			return false;
	return i == s.n && name[i] == '\0';
}

/* Take a line off `in`, without its end. False when its end is not there. */
static bool
take_line(struct bt_str *in, struct bt_str *line)
{
	const uint8_t *end = in->n == 0 ? NULL : memchr(in->p, '\n', in->n);
	size_t n;

	if (end == NULL)
		return false;
	n = (size_t)(end - in->p);
	line->p = in->p;
	line->n = n > 0 && end[-1] == '\r' ? n - 1 : n;
	in->p = end + 1;
	in->n -= n + 1;
	return true;
}

/* Take what is before the first c off s; false if there is no c. */
static bool
take_until(struct bt_str *s, uint8_t c, struct bt_str *head)
{
	size_t at = bt_str_find(*s, c);

	if (at == s->n)
		return false;
	*head = bt_str_sub(*s, 0, at);
	*s = bt_str_sub(*s, at + 1, s->n);
	return true;
}

static int
refuse(struct bt_request *r, int status)
{
	r->status = status;
	return -1;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/*
 * Is there a byte up to ' ', or DEL? Eight at a time: most of what a tracker
 * reads is targets. A byte is below n if taking n from it borrows, and it had
 * no high bit of its own; a borrow that comes from the byte before it changes
 * only what is said when the answer is yes already.
 */
static bool
has_odd_byte(struct bt_str s)
{
	uint64_t v, below, del;
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		memcpy(&v, s.p + i, 8);
		below = (v - EACH(' ' + 1)) & ~v;
		del = v ^ EACH(0x7f);
		del = (del - EACH(1)) & ~del;
		if (((below | del) & EACH(0x80)) != 0)
			return true;
	}
	for (; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

static int
read_target(struct bt_str target, struct bt_request *r)
{
	size_t slash;

	if (has_odd_byte(target))
		return refuse(r, 400);
	/* RFC 9112, 3.2.2: a server takes the form that proxies get, too */
	if (target.n > 7 && target.p[0] != '/' &&
	    eq_nocase(bt_str_sub(target, 0, 7), "http://")) {
		target = bt_str_sub(target, 7, target.n);
		slash = bt_str_find(target, '/');
		target = bt_str_sub(target, slash, target.n);
	}
	if (target.n == 0 || (target.p[0] != '/' && target.p[0] != '*'))
		return refuse(r, 400);
	if (!take_until(&target, '?', &r->path)) {
		r->path = target;
		target.n = 0;
	}
	r->query = target;
	return 0;
}

static int
read_first(struct bt_str line, struct bt_request *r)
{
	struct bt_str method, target;

	if (!take_until(&line, ' ', &method) || method.n == 0 ||
	    !take_until(&line, ' ', &target))
		return refuse(r, 400);
	if (line.n != 8 || !bt_str_starts(line, STR("HTTP/")) ||
	    line.p[6] != '.' || line.p[7] < '0' || line.p[7] > '9')
		return refuse(r, 400);
	if (line.p[5] != '1')
		return refuse(r, 505);
	r->keep = line.p[7] != '0';
	r->method = BT_METHOD_OTHER;
	if (bt_str_eq(method, STR("GET")))
		r->method = BT_METHOD_GET;
	else if (bt_str_eq(method, STR("HEAD")))
		r->method = BT_METHOD_HEAD;
	return read_target(target, r);
}

/* `close` outdoes keep-alive (RFC 9112, 9.3); an HTTP/1.0 client must ask. */
static void
read_connection(struct bt_str value, struct bt_request *r, bool *close)
{
	struct bt_str token;
	bool more;

	do {
		more = take_until(&value, ',', &token);
		if (!more)
			token = value;
		if (eq_nocase(bt_str_trim(token), "close"))
			*close = true;
		else if (eq_nocase(bt_str_trim(token), "keep-alive"))
			r->keep = true;
	} while (more);
}

static int
body_status(const struct bt_request *r)
{
	return r->method == BT_METHOD_OTHER ? 405 : 413;
}

static int
read_via(struct bt_str name, struct bt_str value, struct bt_request *r)
{
	bool standard = eq_nocase(name, "forwarded");

	if (standard || eq_nocase(name, "x-forwarded-for")) {
		if (r->nvia == BT_REQUEST_VIA_MAX)
			return refuse(r, 431);
		r->via[r->nvia++] = (struct bt_request_via){ standard, value };
		r->forwarded = true;
	} else if (eq_nocase(name, "via") || eq_nocase(name, "x-real-ip"))
		r->forwarded = true;
	return 0;
}

static int
read_header(struct bt_str line, struct bt_request *r, bool *close)
{
	struct bt_str name = { line.p, 0 }, value;

	while (name.n < line.n && line.p[name.n] != ':') {
		if (line.p[name.n] == ' ' || line.p[name.n] == '\t')
			return refuse(r, 400);
		name.n++;
	}
	if (name.n == 0 || name.n == line.n)
		return refuse(r, 400);
	value = bt_str_sub(line, name.n + 1, line.n);
	/* few lines are of interest, and one letter tells most of the others */
	switch (lower(name.p[0])) {
	case 'c':
		if (eq_nocase(name, "connection"))
			read_connection(value, r, close);
		else if (eq_nocase(name, "content-length") &&
			 !bt_str_eq(bt_str_trim(value), STR("0")))
			return refuse(r, body_status(r));
		return 0;
	case 't':
		if (eq_nocase(name, "transfer-encoding"))
			return refuse(r, body_status(r));
		return 0;
	case 'f':
	case 'v':
	case 'x':
		return read_via(name, bt_str_trim(value), r);
	default:
		return 0;
	}
}

ssize_t
bt_request_parse(struct bt_str in, struct bt_request *r)
{
	struct bt_str rest = in, line;
	bool first = true, close = false;
	size_t whole;

	if (rest.n > BT_REQUEST_MAX)
		rest.n = BT_REQUEST_MAX;
	whole = rest.n;
	r->forwarded = false;
	r->nvia = 0;
	for (;;) {
		if (!take_line(&rest, &line)) {
			if (in.n >= BT_REQUEST_MAX)
				return refuse(r, 431);
			return 0;
		}
		if (line.n == 0 && first)
			continue;
		if (line.n == 0)
			break;
		if (first && read_first(line, r) == -1)
			return -1;
		if (!first && read_header(line, r, &close) == -1)
			return -1;
		first = false;
	}
	r->keep = r->keep && !close;
	return (ssize_t)(whole - rest.n);
}
