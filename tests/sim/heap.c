#include "heap.h"

#include "base/mem.h"

static bool
is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void
sim_heap_put(
    struct sim_heap *h, int64_t at, sim_act *act, void *what, uint64_t arg)
{
	struct sim_event e = { at, h->seq++, act, what, arg };
	size_t i, up;

	if (h->n == h->cap) {
		h->cap = h->cap == 0 ? 1024 : h->cap * 2;
		h->e = bt_mem_resize(h->e, h->cap, sizeof(*h->e));
	}
	for (i = h->n++; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!is_before(&e, &h->e[up]))
			break;
		h->e[i] = h->e[up];
	}
	h->e[i] = e;
}

bool
sim_heap_take(struct sim_heap *h, struct sim_event *out)
{
	struct sim_event last;
	size_t i = 0, down;

	if (h->n == 0)
		return false;
	*out = h->e[0];
	last = h->e[--h->n];
	while ((down = 2 * i + 1) < h->n) {
		if (down + 1 < h->n && is_before(&h->e[down + 1], &h->e[down]))
			down++;
		if (!is_before(&h->e[down], &last))
			break;
		h->e[i] = h->e[down];
		i = down;
	}
	h->e[i] = last;
	return true;
}

void
sim_heap_fini(struct sim_heap *h)
{
	bt_mem_free(h->e);
}
