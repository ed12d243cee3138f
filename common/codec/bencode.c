#include "codec/bencode.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NUMBER_MAX 24u /* 64 bits in decimal, a sign, and what is around them */

/* One scalar's form: how many bytes, what it is, and if it is canonical. */
struct token {
	size_t n;
	struct bt_str str;
	int64_t num;
	bool odd;
};

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "4:spam" at in; NULL or what is wrong with it. */
static const char *
read_str(struct bt_str in, struct token *t)
{
	size_t at = 0, n = 0;
	unsigned d;

	for (; at < in.n && is_digit(in.p[at]); at++) {
		d = in.p[at] - '0';
		if (n > (SIZE_MAX - d) / 10)
			return "a string longer than the data";
		n = n * 10 + d;
	}
	if (at == in.n)
		return "the data ends in a string's length";
	if (at == 0 || in.p[at] != ':')
		return "a malformed string length";
	t->odd = at > 1 && in.p[0] == '0';
	at++;
	if (n > in.n - at)
		return "a string longer than the data";
	t->str = bt_str_sub(in, at, at + n);
	t->n = at + n;
	return NULL;
}

/* "i-3e" at in; NULL or what is wrong with it. */
static const char *
read_int(struct bt_str in, struct token *t)
{
	uint64_t v = 0, max = INT64_MAX;
	size_t at = 1, first;
	bool minus = false;
	unsigned d;

	if (at < in.n && in.p[at] == '-') {
		minus = true;
		max++;
		at++;
	}
	for (first = at; at < in.n && is_digit(in.p[at]); at++) {
		d = in.p[at] - '0';
		if (v > (max - d) / 10)
			return "an integer that does not fit 64 bits";
		v = v * 10 + d;
	}
	if (at == in.n)
		return "the data ends in an integer";
	if (at == first || in.p[at] != 'e')
		return "a malformed integer";
	t->odd = (at - first > 1 && in.p[first] == '0') || (minus && v == 0);
	if (!minus)
		t->num = (int64_t)v;
	else
		t->num = v == max ? INT64_MIN : -(int64_t)v;
	t->n = at + 1;
	return NULL;
}

/* in is not empty and does not begin a container. */
static const char *
read_scalar(struct bt_str in, struct token *t)
{
	if (in.p[0] == 'i')
		return read_int(in, t);
	if (is_digit(in.p[0]))
		return read_str(in, t);
	return "a byte that begins no value";
}

/* raw is one whole value. */
static struct bt_ben
value_of(struct bt_str raw)
{
	struct bt_ben v = { .raw = raw };
	struct token t = { 0 };

	switch (raw.p[0]) {
	case 'd':
		v.type = BT_BEN_DICT;
		break;
	case 'l':
		v.type = BT_BEN_LIST;
		break;
	case 'i':
		v.type = read_int(raw, &t) == NULL ? BT_BEN_INT : BT_BEN_NONE;
		v.num = t.num;
		break;
	default:
		v.type = read_str(raw, &t) == NULL ? BT_BEN_STR : BT_BEN_NONE;
		v.str = t.str;
	}
	return v;
}

/*
 * The check. A container that is open has a frame; pointers to the
 * keys of all open dictionaries lie in one stack, so that a dictionary whose
 * keys turn out to be unsorted can be searched for equal ones by sorting them.
 */
struct frame {
	bool dict;
	bool want_value; /* a key was read last */
	bool unsorted;
	bool has_last;
	struct bt_str last; /* the key before */
	size_t keys;	    /* where its keys begin in the stack */
};

struct check {
	struct bt_str in;
	size_t at;
	unsigned odd;
	unsigned tolerated;
	struct frame open[BT_BEN_DEPTH_MAX];
	size_t depth;
	const uint8_t **keys; /* each at its length, checked */
	size_t nkeys, keys_cap;
	struct bt_err *err;
};

static int
bad(struct check *c, const char *what)
{
	return bt_err_set(c->err, BT_EINPUT,
	    "malformed bencoding: %s at byte %zu", what, c->at);
}

static int
note(struct check *c, unsigned oddity, const char *what)
{
	c->odd |= oddity;
	return (c->tolerated & oddity) != 0 ? 0 : bad(c, what);
}

/* The string at p, which was checked before. */
static struct bt_str
checked_str(const uint8_t *p)
{
	size_t n = 0;

	for (; *p != ':'; p++)
		n = n * 10 + (*p - '0');
	return (struct bt_str){ p + 1, n };
}

static int
cmp_keys(const void *a, const void *b)
{
	const uint8_t *const *x = a, *const *y = b;

	return bt_str_cmp(checked_str(*x), checked_str(*y));
}

static int
take_key(struct check *c, struct frame *f)
{
	struct bt_str rest = bt_str_sub(c->in, c->at, c->in.n);
	struct token t;
	const char *why;
	int order = -1;

	if (!is_digit(rest.p[0]))
		return bad(c, "a key that is not a string");
	why = read_str(rest, &t);
	if (why != NULL)
		return bad(c, why);
	if (t.odd && note(c, BT_BEN_ODD_INT, "a length with a leading zero"))
		return -1;
	if (f->has_last)
		order = bt_str_cmp(f->last, t.str);
	if (order == 0 && note(c, BT_BEN_DUPLICATE, "a key given twice"))
		return -1;
	if (order > 0) {
		f->unsorted = true;
		if (note(c, BT_BEN_UNSORTED, "a key out of order"))
			return -1;
	}
	if (c->tolerated != 0) {
		if (c->nkeys == c->keys_cap) {
			c->keys_cap = c->keys_cap == 0 ? 64 : c->keys_cap * 2;
			c->keys = bt_mem_resize(
			    c->keys, c->keys_cap, sizeof(*c->keys));
		}
		c->keys[c->nkeys++] = rest.p;
	}
	f->last = t.str;
	f->has_last = true;
	f->want_value = true;
	c->at += t.n;
	return 0;
}

static int
close_container(struct check *c)
{
	struct frame *f = &c->open[c->depth - 1];
	size_t n = c->nkeys - f->keys;
	const uint8_t **keys;

	if (f->want_value)
		return bad(c, "a key without a value");
	if (f->unsorted && (c->odd & BT_BEN_DUPLICATE) == 0) {
		keys = c->keys + f->keys;
		qsort(keys, n, sizeof(*keys), cmp_keys);
		for (size_t i = 1; i < n; i++)
			if (cmp_keys(&keys[i - 1], &keys[i]) == 0)
				c->odd |= BT_BEN_DUPLICATE;
	}
	c->nkeys = f->keys;
	c->depth--;
	c->at++;
	return 0;
}

static int
take_value(struct check *c)
{
	struct bt_str rest = bt_str_sub(c->in, c->at, c->in.n);
	struct token t;
	const char *why;

	if (rest.p[0] == 'd' || rest.p[0] == 'l') {
		if (c->depth == BT_BEN_DEPTH_MAX)
			return bt_err_set(c->err, BT_ELIMIT,
			    "bencoding nested deeper than %d at byte %zu",
			    BT_BEN_DEPTH_MAX, c->at);
		c->open[c->depth++] = (struct frame){ .dict = rest.p[0] == 'd',
			.keys = c->nkeys };
		c->at++;
		return 0;
	}
	why = read_scalar(rest, &t);
	if (why != NULL)
		return bad(c, why);
	if (t.odd && note(c, BT_BEN_ODD_INT, "a number not in shortest form"))
		return -1;
	c->at += t.n;
	return 0;
}

static int
take_any(struct check *c)
{
	struct frame *f;

	if (c->at == c->in.n)
		return bad(c, "unexpected end of data");
	if (c->depth == 0)
		return take_value(c);
	f = &c->open[c->depth - 1];
	if (c->in.p[c->at] == 'e')
		return close_container(c);
	if (f->dict && !f->want_value)
		return take_key(c, f);
	f->want_value = false;
	return take_value(c);
}

int
bt_ben_check(struct bt_str in, struct bt_ben *out, unsigned *oddities,
    struct bt_err *err)
{
	struct check c = { .in = in, .err = err };
	int rc;

	if (oddities != NULL)
		c.tolerated = BT_BEN_UNSORTED | BT_BEN_DUPLICATE |
			      BT_BEN_ODD_INT | BT_BEN_TRAILING;
	do {
		rc = take_any(&c);
	} while (rc == 0 && c.depth > 0);
	bt_mem_free(c.keys);
	if (rc == 0 && c.at < in.n)
		rc = note(&c, BT_BEN_TRAILING, "bytes after the value");
	if (rc == -1)
		return -1;
	*out = value_of(bt_str_sub(in, 0, c.at));
	if (oddities != NULL)
		*oddities = c.odd;
	return 0;
}

/*
 * Behind the container that begins in, or 0. Strings are passed over here: what
 * walks a large list comes by each of its bytes' tokens.
 */
static size_t
skip_container(struct bt_str in)
{
	size_t at = 0, depth = 0, n, from;
	struct token t;

	do {
		if (at == in.n)
			return 0;
		switch (in.p[at]) {
		case 'd':
		case 'l':
			depth++;
			at++;
			continue;
		case 'e':
			depth--;
			at++;
			continue;
		case 'i':
			if (read_int((struct bt_str){ in.p + at, in.n - at },
				&t) != NULL)
				return 0;
			at += t.n;
			continue;
		}
		for (n = 0, from = at; at < in.n && is_digit(in.p[at]); at++) {
			if (n > SIZE_MAX / 10 - 1)
				return 0; /* longer than any input */
			n = n * 10 + (in.p[at] - (unsigned)'0');
		}
		if (at == from || at == in.n || in.p[at] != ':' ||
		    n > in.n - at - 1)
			return 0;
		at += 1 + n;
	} while (depth > 0);
	return at;
}

struct bt_ben
bt_ben_at(struct bt_str in)
{
	struct bt_ben v = { .type = BT_BEN_NONE };
	struct token t = { 0 };

	if (in.n == 0)
		return v;
	if (in.p[0] == 'd' || in.p[0] == 'l') {
		t.n = skip_container(in);
		if (t.n == 0)
			return v;
		v.type = in.p[0] == 'd' ? BT_BEN_DICT : BT_BEN_LIST;
	} else {
		if (read_scalar(in, &t) != NULL)
			return v;
		v.type = in.p[0] == 'i' ? BT_BEN_INT : BT_BEN_STR;
		v.str = t.str;
		v.num = t.num;
	}
	v.raw = (struct bt_str){ in.p, t.n };
	return v;
}

/* The value at the walk's place; NONE at the end, where the walk stays. */
static struct bt_ben
step(const struct bt_ben *in, struct bt_ben_iter *it)
{
	struct bt_ben v = { .type = BT_BEN_NONE };
	size_t at = it->at == 0 ? 1 : it->at;

	if (at >= in->raw.n || in->raw.p[at] == 'e')
		return v;
	v = bt_ben_at((struct bt_str){ in->raw.p + at, in->raw.n - at });
	it->at = at + v.raw.n;
	return v;
}

bool
bt_ben_next(
    const struct bt_ben *list, struct bt_ben_iter *it, struct bt_ben *item)
{
	if (list->type != BT_BEN_LIST)
		return false;
	*item = step(list, it);
	return item->type != BT_BEN_NONE;
}

bool
bt_ben_next_key(const struct bt_ben *dict, struct bt_ben_iter *it,
    struct bt_str *key, struct bt_ben *value)
{
	struct bt_ben k;

	if (dict->type != BT_BEN_DICT)
		return false;
	k = step(dict, it);
	if (k.type != BT_BEN_STR)
		return false;
	*key = k.str;
	*value = step(dict, it);
	return value->type != BT_BEN_NONE;
}

struct bt_ben
bt_ben_get(const struct bt_ben *dict, const char *key)
{
	struct bt_str want = bt_str_of(key), k;
	struct bt_ben_iter it = { 0 };
	struct bt_ben v;

	while (bt_ben_next_key(dict, &it, &k, &v))
		if (bt_str_eq(k, want))
			return v;
	return (struct bt_ben){ .type = BT_BEN_NONE };
}

struct bt_ben
bt_ben_get_type(
    const struct bt_ben *dict, const char *key, enum bt_ben_type type)
{
	struct bt_ben v = bt_ben_get(dict, key);

	return v.type == type ? v : (struct bt_ben){ .type = BT_BEN_NONE };
}

void
bt_ben_pick(const struct bt_ben *dict, const struct bt_ben_want *w, size_t n)
{
	bt_ben_pick_at(
	    dict->type == BT_BEN_DICT ? dict->raw : (struct bt_str){ NULL, 0 },
	    w, n);
}

size_t
bt_ben_pick_at(struct bt_str in, const struct bt_ben_want *w, size_t n)
{
	const struct bt_ben dict = { .type = BT_BEN_DICT, .raw = in };
	struct bt_ben_iter it = { .at = 1 };
	struct bt_str key;
	struct bt_ben v;

	for (size_t i = 0; i < n; i++)
		*w[i].value = (struct bt_ben){ .type = BT_BEN_NONE };
	while (bt_ben_next_key(&dict, &it, &key, &v))
		for (size_t i = 0; i < n; i++)
			if (key.n == w[i].key.n &&
			    w[i].value->type == BT_BEN_NONE &&
			    bt_str_eq(key, w[i].key))
				*w[i].value = v;
	for (size_t i = 0; i < n; i++)
		if (w[i].type != BT_BEN_NONE && w[i].value->type != w[i].type)
			*w[i].value = (struct bt_ben){ .type = BT_BEN_NONE };
	return it.at < in.n && in.p[it.at] == 'e' ? it.at + 1 : 0;
}

/* Before `end`; no printf, since a tracker's replies are made of these. */
static uint8_t *
put_digits(uint8_t *end, uint64_t v)
{
	do {
		*--end = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	return end;
}

int
bt_ben_put_int(struct bt_buf *b, int64_t v)
{
	uint8_t text[NUMBER_MAX], *end = text + sizeof(text), *p = end - 1;

	*p = 'e';
	p = put_digits(p, v < 0 ? -(uint64_t)v : (uint64_t)v);
	if (v < 0)
		*--p = '-';
	*--p = 'i';
	return bt_buf_add(b, (struct bt_str){ p, (size_t)(end - p) });
}

/* All or nothing, as the other writers. */
int
bt_ben_put_str(struct bt_buf *b, struct bt_str s)
{
	uint8_t text[NUMBER_MAX], *end = text + sizeof(text), *p = end - 1;
	size_t n;
	uint8_t *to;

	*p = ':';
	p = put_digits(p, s.n);
	n = (size_t)(end - p);
	if (s.n > SIZE_MAX - n || (to = bt_buf_room(b, n + s.n)) == NULL)
		return -1;
	memcpy(to, p, n);
	if (s.n != 0)
		memcpy(to + n, s.p, s.n);
	b->n += n + s.n;
	return 0;
}

int
bt_ben_put_cstr(struct bt_buf *b, const char *s)
{
	return bt_ben_put_str(b, bt_str_of(s));
}

int
bt_ben_put_char(struct bt_buf *b, char c)
{
	return bt_buf_putc(b, (uint8_t)c);
}
