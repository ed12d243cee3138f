#include "codec/metaedit.h"

static int
put_new(struct bt_buf *out, const struct bt_metaedit *e)
{
	if (e->raw.n == 0)
		return 0;
	return bt_ben_put_str(out, e->key) | bt_buf_add(out, e->raw);
}

static bool
is_edited(struct bt_str key, const struct bt_metaedit *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bt_str_eq(key, e[i].key))
			return true;
	return false;
}

int
bt_metaedit_put(const struct bt_ben *dict, const struct bt_metaedit *e,
    size_t n, struct bt_buf *out)
{
	struct bt_ben_iter it = { 0 };
	struct bt_str key, raw;
	struct bt_ben value;
	size_t done = 0, from = 1; /* behind the 'd' */
	int rc = bt_ben_put_char(out, 'd');

	while (bt_ben_next_key(dict, &it, &key, &value)) {
		raw = bt_str_sub(dict->raw, from, it.at);
		from = it.at;
		for (; done < n && bt_str_cmp(e[done].key, key) <= 0; done++)
			rc |= put_new(out, &e[done]);
		if (!is_edited(key, e, n))
			rc |= bt_buf_add(out, raw);
	}
	for (; done < n; done++)
		rc |= put_new(out, &e[done]);
	return rc | bt_ben_put_char(out, 'e');
}
