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
static inline const char *
read_str(struct bt_str in, struct token *t)
{
	size_t at = 0, n = 0;
	unsigned d;

	for (; at < in.n && is_digit(in.p[at]); at++) {
		d = in.p[at] - '0';
		if (n >= SIZE_MAX / 10 && n > (SIZE_MAX - d) / 10)
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
static inline const char *
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
		if (v >= INT64_MAX / 10 && v > (max - d) / 10)
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
static inline const char *
read_scalar(struct bt_str in, struct token *t)
{
	if (in.p[0] == 'i')
		return read_int(in, t);
	if (is_digit(in.p[0]))
		return read_str(in, t);
	return "a byte that begins no value";
}

/* The scalar at the start of in, which is not empty. */
static inline bool
take_scalar(struct bt_str in, struct bt_ben *v)
{
	struct token t = { 0 };

	if (read_scalar(in, &t) != NULL)
		return false;
	v->type = in.p[0] == 'i' ? BT_BEN_INT : BT_BEN_STR;
	v->raw = (struct bt_str){ in.p, t.n };
	v->str = t.str;
	v->num = t.num;
	return true;
}

/*
 * How long the scalar at p is that ends before end; 0: malformed. A torrent's
 * bytes are passed over at each level, so this knows no more than it must.
 */
static inline size_t
scalar_length(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q = p, *first;
	size_t n = 0, limit = (size_t)(end - p);
	struct token t;

	if (*p == 'i') {
		q += 1 + (limit > 1 && p[1] == '-');
		for (first = q; q < end && is_digit(*q); q++)
			continue;
		if (q - first > 18) /* it may not fit */
			return read_int((struct bt_str){ p, limit }, &t) == NULL
				   ? t.n
				   : 0;
		if (q == first || q == end || *q != 'e')
			return 0;
		return (size_t)(q - p) + 1;
	}
	for (; q < end && is_digit(*q); q++) {
		n = n * 10 + (*q - '0');
		if (n > limit)
			return 0;
	}
	if (q == p || q == end || *q != ':' || n > (size_t)(end - q - 1))
		return 0;
	return (size_t)(q - p) + 1 + n;
}

/* How long the container at the start of in is; 0: it is malformed. */
static size_t
container_length(struct bt_str in)
{
	const uint8_t *p = in.p + 1, *end = in.p + in.n;
	size_t depth = 1, n;

	do {
		if (p == end)
			return 0;
		if (*p == 'd' || *p == 'l') {
			depth++;
			p++;
		} else if (*p == 'e') {
			depth--;
			p++;
		} else {
			n = scalar_length(p, end);
			if (n == 0)
				return 0;
			p += n;
		}
	} while (depth > 0);
	return (size_t)(p - in.p);
}

/* The value at the start of in; false: it is malformed. */
static inline bool
take_value_at(struct bt_str in, struct bt_ben *v)
{
	size_t n;

	if (in.n == 0)
		return false;
	if (in.p[0] != 'd' && in.p[0] != 'l')
		return take_scalar(in, v);
	n = container_length(in);
	if (n == 0)
		return false;
	*v = (struct bt_ben){
		.type = in.p[0] == 'd' ? BT_BEN_DICT : BT_BEN_LIST,
		.raw = { in.p, n },
	};
	return true;
}

struct bt_ben
bt_ben_at(struct bt_str in)
{
	struct bt_ben v = { .type = BT_BEN_NONE };

	take_value_at(in, &v);
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
	struct bt_str rest = { c->in.p + c->at, c->in.n - c->at };
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
	struct bt_str rest = { c->in.p + c->at, c->in.n - c->at };
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
	if (in.p[0] != 'd' && in.p[0] != 'l')
		*out = bt_ben_at(in);
	else
		*out = (struct bt_ben){
			.type = in.p[0] == 'd' ? BT_BEN_DICT : BT_BEN_LIST,
			.raw = bt_str_sub(in, 0, c.at),
		};
	if (oddities != NULL)
		*oddities = c.odd;
	return 0;
}

/* The value at the walk's place; false at the end, where the walk stays. */
static inline bool
step(const struct bt_ben *in, struct bt_ben_iter *it, struct bt_ben *v)
{
	size_t at = it->at == 0 ? 1 : it->at;

	if (at >= in->raw.n || in->raw.p[at] == 'e' ||
	    !take_value_at(
		(struct bt_str){ in->raw.p + at, in->raw.n - at }, v)) {
		v->type = BT_BEN_NONE;
		return false;
	}
	it->at = at + v->raw.n;
	return true;
}

bool
bt_ben_next(
    const struct bt_ben *list, struct bt_ben_iter *it, struct bt_ben *item)
{
	return list->type == BT_BEN_LIST && step(list, it, item);
}

bool
bt_ben_next_key(const struct bt_ben *dict, struct bt_ben_iter *it,
    struct bt_str *key, struct bt_ben *value)
{
	struct bt_ben k;

	if (dict->type != BT_BEN_DICT || !step(dict, it, &k) ||
	    k.type != BT_BEN_STR)
		return false;
	*key = k.str;
	return step(dict, it, value);
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
	struct bt_ben_iter it = { 0 };
	struct bt_str key;
	struct bt_ben v;

	for (size_t i = 0; i < n; i++)
		*w[i].value = (struct bt_ben){ .type = BT_BEN_NONE };
	while (bt_ben_next_key(dict, &it, &key, &v))
		for (size_t i = 0; i < n; i++)
			if (w[i].key.n == key.n &&
			    w[i].value->type == BT_BEN_NONE &&
			    bt_str_eq(key, w[i].key))
				*w[i].value = v;
	for (size_t i = 0; i < n; i++)
		if (w[i].type != BT_BEN_NONE && w[i].value->type != w[i].type)
			*w[i].value = (struct bt_ben){ .type = BT_BEN_NONE };
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
