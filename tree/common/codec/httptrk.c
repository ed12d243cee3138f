#include "codec/httptrk.h"

#include <stdio.h>

#define EXCERPT_LEN 60 /* enough to tell a web page from a cut reply */

int
bt_httptrk_put_base(struct bt_buf *out, struct bt_str base)
{
	size_t q;
	uint8_t last;

	base = bt_str_sub(base, 0, bt_str_find(base, '#'));
	if (bt_buf_add(out, base) == -1)
		return -1;
	q = bt_str_find(base, '?');
	if (q == base.n)
		return bt_buf_putc(out, '?');
	last = base.p[base.n - 1];
	if (last == '?' || last == '&')
		return 0;
	return bt_buf_putc(out, '&');
}

/* The first bytes of a body, with all but plain ASCII written \xNN. */
static void
excerpt(struct bt_str body, char out[4 * EXCERPT_LEN + 4])
{
	size_t n = body.n < EXCERPT_LEN ? body.n : EXCERPT_LEN;
	char *to = out;

	for (size_t i = 0; i < n; i++) {
		if (body.p[i] >= 0x20 && body.p[i] < 0x7f)
			*to++ = (char)body.p[i];
		else
			to += snprintf(to, 5, "\\x%02x", body.p[i]);
	}
	snprintf(to, 4, "%s", n < body.n ? "..." : "");
}

int
bt_httptrk_dict(
    struct bt_str body, size_t max, struct bt_ben *dict, struct bt_err *err)
{
	char quoted[4 * EXCERPT_LEN + 4];
	unsigned oddities = 0;
	struct bt_ben top;
	struct bt_err why;

	if (body.n == 0)
		return bt_err_set(err, BT_ENET, "empty reply");
	if (body.n > max)
		return bt_err_set(
		    err, BT_ELIMIT, "reply is larger than %zu bytes", max);
	if (bt_ben_check(body, &top, &oddities, &why) == -1 ||
	    top.type != BT_BEN_DICT) {
		excerpt(body, quoted);
		return bt_err_set(err, BT_ENET,
		    "reply is not a bencoded dictionary: '%s'", quoted);
	}
	*dict = top;
	return 0;
}

bool
bt_httptrk_failure(const struct bt_ben *dict, struct bt_str *reason)
{
	struct bt_ben v;

	v = bt_ben_get_type(dict, "failure reason", BT_BEN_STR);
	if (v.type == BT_BEN_NONE)
		return false;
	*reason = v.str.n > 0 ? v.str : STR("no reason given");
	return true;
}
