/* Known keys, their types, and what no reader needs. */
#include "codec/lint_priv.h"

static const char *const type_names[] = {
	[BT_BEN_NONE] = "anything",
	[BT_BEN_INT] = "an integer",
	[BT_BEN_STR] = "a string",
	[BT_BEN_LIST] = "a list",
	[BT_BEN_DICT] = "a dictionary",
};

static const struct bt_lint_key *
find(const struct bt_lint_key *keys, size_t n, struct bt_str name)
{
	for (size_t i = 0; i < n; i++)
		if (bt_str_eq(keys[i].name, name))
			return &keys[i];
	return NULL;
}

void
bt_lint_keys(struct bt_lint *l, const struct bt_ben *dict,
    const struct bt_lint_key *keys, size_t n)
{
	const struct bt_lint_key *k;
	struct bt_ben_iter it = { 0 };
	struct bt_str name;
	struct bt_ben v;
	size_t was = 1;

	for (size_t i = 0; i < n; i++)
		if (keys[i].value != NULL)
			*keys[i].value = (struct bt_ben){ 0 };
	for (; bt_ben_next_key(dict, &it, &name, &v); was = it.at) {
		k = find(keys, n, name);
		if (k == NULL || k->value == NULL)
			l->idle += it.at - was;
		if (k == NULL)
			continue;
		if (k->type != BT_BEN_NONE && v.type != k->type) {
			bt_lint_into_key(l, name);
			bt_lint_tell(l, BT_LINT_WRONG_TYPE, v.raw.p,
			    "it is %s and should be %s", type_names[v.type],
			    type_names[k->type]);
			bt_lint_out(l);
		} else if (k->value != NULL && k->value->type == BT_BEN_NONE) {
			*k->value = v; /* of equal keys the first one counts */
		}
	}
}
