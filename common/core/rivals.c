#include "core/rivals.h"

void
bt_rivals_set(
    struct bt_rivals *r, uint64_t self, const uint64_t *ids, uint32_t n)
{
	r->self = self;
	r->n = n < BT_RIVALS_MAX ? n : BT_RIVALS_MAX;
	for (uint32_t i = 0; i < r->n; i++)
		r->ids[i] = ids[i];
}

/* splitmix64's finish: every bit of the id and the index counts. */
static uint64_t
claim(uint64_t id, uint32_t piece)
{
	uint64_t v = id ^ (piece + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

bool
bt_rivals_is_ours(const struct bt_rivals *r, uint32_t piece)
{
	uint64_t own;

	if (r->n == 0)
		return true;
	own = claim(r->self, piece);
	for (uint32_t i = 0; i < r->n; i++)
		if (claim(r->ids[i], piece) > own)
			return false;
	return true;
}
