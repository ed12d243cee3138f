/*
 * Any bytes: the check and the cursors agree, and what was read is written
 * back byte for byte when nothing in it was odd.
 */
#include <assert.h>
#include <string.h>

#include "codec/bencode.h"
#include "fuzz.h"

struct level {
	struct bt_ben v;
	struct bt_ben_iter it;
};

static void
write_scalar(struct bt_buf *b, const struct bt_ben *v)
{
	int rc;

	if (v->type == BT_BEN_INT)
		rc = bt_ben_put_int(b, v->num);
	else
		rc = bt_ben_put_str(b, v->str);
	assert(rc == 0);
}

/*
 * Walk all that cursors reach from v, and write it. Unchecked bytes may be
 * nested deeper than our levels; what is deeper is left out.
 */
static void
rewrite(struct bt_str in, const struct bt_ben *root, struct bt_buf *b)
{
	struct level open[BT_BEN_DEPTH_MAX], *top;
	struct bt_ben v = *root;
	struct bt_str key;
	size_t depth = 0;

	for (;;) {
		assert(is_inside(in, v.raw));
		assert(is_inside(in, v.str));
		if (v.type == BT_BEN_INT || v.type == BT_BEN_STR) {
			write_scalar(b, &v);
		} else if (depth < BT_BEN_DEPTH_MAX) {
			bt_ben_put_char(b, v.type == BT_BEN_LIST ? 'l' : 'd');
			open[depth++] = (struct level){ .v = v };
		}
		for (; depth > 0; depth--) {
			top = &open[depth - 1];
			if (bt_ben_next(&top->v, &top->it, &v))
				break;
			if (bt_ben_next_key(&top->v, &top->it, &key, &v)) {
				assert(is_inside(in, key));
				bt_ben_put_str(b, key);
				break;
			}
			bt_ben_put_char(b, 'e');
		}
		if (depth == 0)
			return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_err err = BT_ERR_INIT;
	struct bt_ben at = bt_ben_at(in), v, strict;
	struct bt_buf b;
	unsigned odd = 0, odd_again = 0;
	int rc, rc_strict;

	bt_buf_init(&b, 2 * n + 64);
	rc = bt_ben_check(in, &v, &odd, &err);
	assert(rc == 0 ? err.kind == BT_ENONE : err.kind != BT_ENONE);
	rc_strict = bt_ben_check(in, &strict, NULL, &err);
	assert(rc_strict == (rc == 0 && odd == 0 ? 0 : -1));
	if (at.type != BT_BEN_NONE)
		rewrite(in, &at, &b);
	if (rc == -1)
		goto out;
	assert(at.type == v.type);
	assert(at.raw.p == v.raw.p);
	assert(at.raw.n == v.raw.n);
	assert(v.raw.p == p);
	assert((v.raw.n < n) == ((odd & BT_BEN_TRAILING) != 0));
	if ((odd & BT_BEN_ODD_INT) == 0)
		assert(bt_str_eq(bt_buf_str(&b), v.raw));
	rc = bt_ben_check(bt_buf_str(&b), &v, &odd_again, &err);
	assert(rc == 0);
	assert(odd_again == (odd & ~(BT_BEN_ODD_INT | BT_BEN_TRAILING)));
out:
	bt_buf_fini(&b);
	return 0;
}
