#include "oldest.h"

#include <string.h>

#include "base/mem.h"
#include "held.h"

void
bt_oldest_init(struct bt_oldest *o)
{
	*o = (struct bt_oldest){ .groups = 0 };
}

void
bt_oldest_fini(struct bt_oldest *o)
{
	bt_mem_free(o->tree);
}

static uint32_t
groups_for(const struct bt_oldest *o, uint32_t n)
{
	uint32_t groups = o->groups == 0 ? 1 : o->groups;

	while (groups < (n + BT_OLDEST_GROUP - 1) / BT_OLDEST_GROUP)
		groups *= 2;
	return groups;
}

size_t
bt_oldest_bytes(const struct bt_oldest *o, uint32_t n)
{
	return bt_held(2 * (size_t)groups_for(o, n) * sizeof(*o->tree));
}

static void
fix(struct bt_oldest *o, uint32_t at)
{
	uint64_t a = o->tree[2 * at], b = o->tree[2 * at + 1];

	o->tree[at] = a < b ? a : b;
}

void
bt_oldest_room(struct bt_oldest *o, uint32_t n)
{
	uint32_t groups = groups_for(o, n);
	uint64_t *tree;

	if (groups == o->groups)
		return;
	tree = bt_mem_array(2 * (size_t)groups, sizeof(*tree));
	memset(tree, 0xff, 2 * (size_t)groups * sizeof(*tree));
	if (o->groups > 0)
		memcpy(tree + groups, o->tree + o->groups,
		    o->groups * sizeof(*tree));
	bt_mem_free(o->tree);
	o->tree = tree;
	o->groups = groups;
	for (uint32_t at = groups; --at > 0;)
		fix(o, at);
}

void
bt_oldest_set(struct bt_oldest *o, uint32_t group, uint64_t when)
{
	uint32_t at = o->groups + group;

	for (o->tree[at] = when; at > 1;)
		fix(o, at /= 2);
}

void
bt_oldest_add(struct bt_oldest *o, uint32_t i, uint64_t when)
{
	uint32_t group = i / BT_OLDEST_GROUP;

	if (when < o->tree[o->groups + group])
		bt_oldest_set(o, group, when);
}

uint32_t
bt_oldest_group(const struct bt_oldest *o, uint64_t *when)
{
	uint32_t at = 1;

	while (at < o->groups)
		at = o->tree[2 * at] <= o->tree[2 * at + 1] ? 2 * at
							    : 2 * at + 1;
	*when = o->tree[at];
	return at - o->groups;
}
