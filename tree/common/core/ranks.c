#include "core/ranks.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

void
bt_ranks_init(struct bt_ranks *r, uint32_t nids)
{
	memset(r, 0, sizeof(*r));
	bt_ranks_grow(r, nids);
	r->nbounds = 2;
	r->bound = bt_mem_zero(r->nbounds, sizeof(*r->bound));
}

void
bt_ranks_fini(struct bt_ranks *r)
{
	bt_mem_free(r->order);
	bt_mem_free(r->place);
	bt_mem_free(r->rank);
	bt_mem_free(r->bound);
	memset(r, 0, sizeof(*r));
}

void
bt_ranks_grow(struct bt_ranks *r, uint32_t nids)
{
	size_t more = nids - r->nids;

	assert(nids >= r->nids);
	r->order = bt_mem_resize(r->order, nids, sizeof(*r->order));
	r->place = bt_mem_resize(r->place, nids, sizeof(*r->place));
	r->rank = bt_mem_resize(r->rank, nids, sizeof(*r->rank));
	memset(r->place + r->nids, 0, more * sizeof(*r->place));
	memset(r->rank + r->nids, 0, more * sizeof(*r->rank));
	r->nids = nids;
}

bool
bt_ranks_has(const struct bt_ranks *r, uint32_t id)
{
	assert(id < r->nids);
	return r->place[id] != 0;
}

static void
put(struct bt_ranks *r, uint32_t at, uint32_t id)
{
	r->order[at] = id;
	r->place[id] = at + 1;
}

static void
swap(struct bt_ranks *r, uint32_t a, uint32_t b)
{
	uint32_t id = r->order[a];

	put(r, a, r->order[b]);
	put(r, b, id);
}

/* Have bounds for rank and the one after it. */
static void
reach(struct bt_ranks *r, uint32_t rank)
{
	assert(rank < UINT32_MAX / 4);
	if (rank + 2 > r->nbounds) {
		r->nbounds = 2 * (rank + 2);
		r->bound =
		    bt_mem_resize(r->bound, r->nbounds, sizeof(*r->bound));
	}
	while (r->top < rank) {
		r->top++;
		r->bound[r->top + 1] = r->n;
	}
}

/* The first of each higher rank goes behind its last, which frees a place. */
void
bt_ranks_add(struct bt_ranks *r, uint32_t id)
{
	uint32_t rank = r->rank[id], hole = r->n;

	assert(!bt_ranks_has(r, id));
	reach(r, rank);
	for (uint32_t k = r->top; k > rank; k--) {
		if (r->bound[k] != hole)
			put(r, hole, r->order[r->bound[k]]);
		r->bound[k + 1]++;
		hole = r->bound[k];
	}
	r->bound[rank + 1]++;
	r->n++;
	put(r, hole, id);
}

void
bt_ranks_drop(struct bt_ranks *r, uint32_t id)
{
	uint32_t rank = r->rank[id], hole, last;

	assert(bt_ranks_has(r, id));
	hole = r->place[id] - 1;
	for (uint32_t k = rank; k <= r->top; k++) {
		last = r->bound[k + 1] - 1;
		if (last != hole)
			put(r, hole, r->order[last]);
		r->bound[k + 1]--;
		hole = last;
	}
	r->n--;
	r->place[id] = 0;
	while (r->top > 0 && r->bound[r->top] == r->n)
		r->top--;
}

void
bt_ranks_set(struct bt_ranks *r, uint32_t id, uint32_t rank)
{
	assert(!bt_ranks_has(r, id));
	r->rank[id] = rank;
}

void
bt_ranks_up(struct bt_ranks *r, uint32_t id)
{
	uint32_t rank = r->rank[id];

	if (bt_ranks_has(r, id)) {
		reach(r, rank + 1);
		r->bound[rank + 1]--;
		swap(r, r->place[id] - 1, r->bound[rank + 1]);
	}
	r->rank[id]++;
}

void
bt_ranks_down(struct bt_ranks *r, uint32_t id)
{
	uint32_t rank = r->rank[id];

	assert(rank > 0);
	if (bt_ranks_has(r, id)) {
		swap(r, r->place[id] - 1, r->bound[rank]);
		r->bound[rank]++;
		if (rank == r->top && r->bound[rank] == r->n)
			r->top--;
	}
	r->rank[id]--;
}

void
bt_ranks_all_down(struct bt_ranks *r)
{
	for (uint32_t id = 0; id < r->nids; id++) {
		assert(r->rank[id] > 0);
		r->rank[id]--;
	}
	for (uint32_t k = 0; k <= r->top; k++)
		r->bound[k] = r->bound[k + 1];
	if (r->top > 0)
		r->top--;
}

void
bt_ranks_span(
    const struct bt_ranks *r, uint32_t rank, uint32_t *from, uint32_t *to)
{
	assert(rank <= r->top);
	*from = r->bound[rank];
	*to = r->bound[rank + 1];
}

bool
bt_ranks_check(const struct bt_ranks *r)
{
	uint32_t present = 0, from, to;

	if (r->bound[0] != 0 || r->bound[r->top + 1] != r->n)
		return false;
	for (uint32_t k = 0; k <= r->top; k++) {
		bt_ranks_span(r, k, &from, &to);
		if (from > to || to > r->n)
			return false;
		for (uint32_t i = from; i < to; i++)
			if (r->rank[r->order[i]] != k ||
			    r->place[r->order[i]] != i + 1)
				return false;
	}
	for (uint32_t id = 0; id < r->nids; id++)
		present += r->place[id] != 0;
	return present == r->n;
}
