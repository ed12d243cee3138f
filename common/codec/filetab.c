#include "codec/filetab.h"

#include <string.h>

#include "base/mem.h"

#define ROOM 4u /* most torrents have few files */
#define PATHS_ROOM ((size_t)64)

struct bt_filetab *
bt_filetab_new(void)
{
	struct bt_filetab *t = bt_mem_zero(1, sizeof(*t));

	t->holders = 1;
	t->room = ROOM;
	t->at = bt_mem_array(t->room, sizeof(*t->at));
	t->at[0] = (struct bt_filetab_at){ 0 };
	return t;
}

struct bt_filetab *
bt_filetab_share(struct bt_filetab *t)
{
	t->holders++;
	return t;
}

void
bt_filetab_free(struct bt_filetab *t)
{
	if (t == NULL || --t->holders > 0)
		return;
	bt_mem_free(t->at);
	bt_mem_free(t->paths);
	bt_mem_free(t);
}

/* Twice the room when it is full: what is not used of it is never touched. */
static void
make_room(struct bt_filetab *t, size_t path_n)
{
	if (t->n + (size_t)2 > t->room) {
		t->room *= 2;
		t->at = bt_mem_resize(t->at, t->room, sizeof(*t->at));
	}
	if (path_n < t->paths_room - t->paths_n)
		return;
	t->paths_room = 2 * t->paths_room + path_n + PATHS_ROOM;
	t->paths = bt_mem_resize(t->paths, t->paths_room, 1);
}

void
bt_filetab_add(
    struct bt_filetab *t, uint64_t size, unsigned attr, struct bt_str path)
{
	struct bt_filetab_at *f;

	assert(t->holders == 1);
	assert(path.n <= UINT16_MAX);
	assert(t->paths_n <= UINT32_MAX);
	assert(attr <= UINT8_MAX);
	make_room(t, path.n);
	f = &t->at[t->n++];
	f->path = (uint32_t)t->paths_n;
	f->path_n = (uint16_t)path.n;
	f->attr = (uint8_t)attr;
	f[1] = (struct bt_filetab_at){ .offset = f->offset + size };
	if (path.n > 0)
		memcpy(t->paths + t->paths_n, path.p, path.n);
	t->paths_n += path.n;
	t->paths[t->paths_n++] = '\0';
}

/*
 * The last file that begins at or before offset. It is never an empty one: the
 * file after an empty one begins where that does, and one at the very end
 * begins at the end, beyond any offset.
 */
uint32_t
bt_filetab_find(const struct bt_filetab *t, uint64_t offset)
{
	uint32_t lo = 0, hi = t->n, mid;

	assert(offset < bt_filetab_total(t));
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (t->at[mid].offset <= offset)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

int
bt_filetab_path_cmp(struct bt_str a, struct bt_str b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;
	int x, y;

	while (n - i >= 16 && memcmp(a.p + i, b.p + i, 16) == 0)
		i += 16;
	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i == n)
		return (a.n > b.n) - (a.n < b.n);
	x = a.p[i] == '/' ? 0 : a.p[i];
	y = b.p[i] == '/' ? 0 : b.p[i];
	return x - y;
}

static bool
is_after(const struct bt_filetab *t, uint32_t a, uint32_t b)
{
	return bt_filetab_path_cmp(
		   bt_filetab_get(t, a).path, bt_filetab_get(t, b).path) > 0;
}

/* Two runs that follow each other, a to b and b to c of `from`, into one. */
static void
merge(const struct bt_filetab *t, const uint32_t *from, uint32_t *to, size_t a,
    size_t b, size_t c)
{
	size_t left = a, right = b;

	/* what is in order already is only copied */
	if (b == c || !is_after(t, from[b - 1], from[b])) {
		memcpy(to + a, from + a, (c - a) * sizeof(*to));
		return;
	}
	for (size_t i = a; i < c; i++)
		if (right == c ||
		    (left < b && !is_after(t, from[left], from[right])))
			to[i] = from[left++];
		else
			to[i] = from[right++];
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * takes and gives. Not qsort(), which gives its comparison no table, and would
 * need a pointer to each path.
 */
static uint32_t *
sort(const struct bt_filetab *t, uint32_t *all, size_t n)
{
	uint32_t *other = bt_mem_array(n, sizeof(*other)), *swap;

	for (size_t run = 1; run < n; run *= 2) {
		for (size_t a = 0; a < n; a += 2 * run)
			merge(t, all, other, a, least(a + run, n),
			    least(a + 2 * run, n));
		swap = all;
		all = other;
		other = swap;
	}
	bt_mem_free(other);
	return all;
}

uint32_t *
bt_filetab_by_path(const struct bt_filetab *t, unsigned but, uint32_t *n)
{
	uint32_t *all = bt_mem_array(t->n, sizeof(*all));
	bool sorted = true;

	*n = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		if ((t->at[i].attr & but) != 0)
			continue;
		sorted = sorted && (*n == 0 || !is_after(t, all[*n - 1], i));
		all[(*n)++] = i;
	}
	return sorted ? all : sort(t, all, *n);
}
