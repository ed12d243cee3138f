/* The bencoding itself: where it is malformed, and where it is odd. */
#include <stdlib.h>

#include "base/mem.h"
#include "codec/lint_priv.h"

struct key {
	struct bt_str str;
	const uint8_t *at;
};

struct frame {
	bool dict, want_value, unsorted;
	uint64_t index; /* of the next item of a list */
	size_t keys;	/* where its keys begin in the stack */
};

/* A walk over bytes that bt_ben_check() found to be well formed. */
struct walk {
	struct bt_lint *l;
	struct bt_str in;
	size_t at;
	struct frame open[BT_BEN_DEPTH_MAX];
	size_t depth;
	struct key *keys; /* of all open dictionaries */
	size_t nkeys, cap;
};

static int
cmp_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = bt_str_cmp(x->str, y->str);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* A number's shortest form is the only right one. */
static void
check_digits(struct bt_lint *l, const struct bt_ben *v)
{
	const uint8_t *p = v->raw.p;

	if (v->type == BT_BEN_STR && p[0] == '0' && p[1] != ':')
		bt_lint_tell(l, BT_LINT_ODD_INTEGER, p,
		    "a string's length begins with a zero");
	if (v->type != BT_BEN_INT)
		return;
	if (p[1] == '-' && v->num == 0)
		bt_lint_tell(
		    l, BT_LINT_ODD_INTEGER, p, "an integer is minus zero");
	else if ((p[1] == '0' && p[2] != 'e') || (p[1] == '-' && p[2] == '0'))
		bt_lint_tell(
		    l, BT_LINT_ODD_INTEGER, p, "an integer begins with a zero");
}

/* Equal keys, once all of a dictionary's are known. */
static void
check_keys(struct walk *w, const struct frame *f)
{
	size_t n = w->nkeys - f->keys;
	struct key *k;

	if (n < 2)
		return; /* nor need there be any keys to point at */
	k = w->keys + f->keys;
	if (f->unsorted)
		qsort(k, n, sizeof(*k), cmp_keys);
	for (size_t i = 1; i < n; i++) {
		if (!bt_str_eq(k[i - 1].str, k[i].str))
			continue;
		bt_lint_into_key(w->l, k[i].str);
		bt_lint_tell(w->l, BT_LINT_DUPLICATE_KEY, k[i].at,
		    "the key is there twice, and which one counts depends on "
		    "the reader");
		bt_lint_out(w->l);
	}
}

static void
take_key(struct walk *w, struct frame *f, const struct bt_ben *v)
{
	struct key *last = w->nkeys > f->keys ? &w->keys[w->nkeys - 1] : NULL;

	bt_lint_into_key(w->l, v->str);
	if (last != NULL && bt_str_cmp(last->str, v->str) > 0) {
		f->unsorted = true;
		bt_lint_tell(w->l, BT_LINT_UNSORTED_KEYS, v->raw.p,
		    "the key stands after one that it should come before");
	}
	if (w->nkeys == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		w->keys = bt_mem_resize(w->keys, w->cap, sizeof(*w->keys));
	}
	w->keys[w->nkeys++] = (struct key){ v->str, v->raw.p };
	f->want_value = true;
}

/* A value was read whole, or its container is closed: the step is done. */
static void
value_ends(struct walk *w)
{
	struct frame *f;

	if (w->depth == 0)
		return;
	f = &w->open[w->depth - 1];
	f->want_value = false;
	bt_lint_out(w->l);
}

static void
close_container(struct walk *w)
{
	struct frame *f = &w->open[w->depth - 1];

	if (f->dict)
		check_keys(w, f);
	w->nkeys = f->keys;
	w->depth--;
	w->at++;
	value_ends(w);
}

static void
step(struct walk *w)
{
	struct frame *f = w->depth > 0 ? &w->open[w->depth - 1] : NULL;
	uint8_t c = w->in.p[w->at];
	struct bt_ben v;

	if (f != NULL && c == 'e') {
		close_container(w);
		return;
	}
	if (f != NULL && !f->dict)
		bt_lint_into_index(w->l, f->index++);
	if (c == 'd' || c == 'l') {
		w->open[w->depth++] =
		    (struct frame){ .dict = c == 'd', .keys = w->nkeys };
		w->at++;
		return;
	}
	v = bt_ben_at(bt_str_sub(w->in, w->at, w->in.n));
	w->at += v.raw.n;
	if (f != NULL && f->dict && !f->want_value)
		take_key(w, f, &v);
	check_digits(w->l, &v);
	if (f == NULL || !f->dict || v.raw.p != w->keys[w->nkeys - 1].at)
		value_ends(w);
}

bool
bt_lint_form(struct bt_lint *l, struct bt_ben *root)
{
	struct bt_err err = BT_ERR_INIT;
	struct walk w = { .l = l };
	unsigned odd;

	if (bt_ben_check(l->in, root, &odd, &err) == -1) {
		bt_lint_tell(l,
		    err.kind == BT_ELIMIT ? BT_LINT_TOO_DEEP
					  : BT_LINT_MALFORMED,
		    NULL, "%s", err.text);
		return false;
	}
	if ((odd & BT_BEN_TRAILING) != 0)
		bt_lint_tell(l, BT_LINT_TRAILING_BYTES,
		    root->raw.p + root->raw.n, "%zu bytes follow the torrent",
		    l->in.n - root->raw.n);
	if ((odd & ~(unsigned)BT_BEN_TRAILING) == 0)
		return true;
	w.in = root->raw;
	do
		step(&w);
	while (w.depth > 0);
	bt_mem_free(w.keys);
	return true;
}
