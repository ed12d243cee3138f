#include "core/effects.h"

#include "base/mem.h"

#define FIRST 16u

void
bt_effects_fini(struct bt_effects *e)
{
	bt_mem_free(e->q);
	*e = (struct bt_effects){ 0 };
}

void
bt_effects_push(struct bt_effects *e, const struct bt_effect *fx)
{
	if (e->n == e->cap) {
		e->cap = e->cap == 0 ? FIRST : e->cap * 2;
		e->q = bt_mem_resize(e->q, e->cap, sizeof(*e->q));
	}
	e->q[e->n++] = *fx;
}

bool
bt_effects_pop(struct bt_effects *e, struct bt_effect *fx)
{
	if (e->from == e->n) {
		if (e->cap > FIRST)
			bt_effects_fini(e);
		e->from = e->n = 0;
		return false;
	}
	*fx = e->q[e->from++];
	return true;
}
