/*
 * edge - bytes placed hard against memory that may not be touched.
 *
 * A read of one byte past the end is a fault and not a silent pass, also
 * without a sanitizer. Zero bytes are the edge itself.
 */
#ifndef BT_TESTS_UNIT_EDGE_H
#define BT_TESTS_UNIT_EDGE_H

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"

struct edge {
	uint8_t *map;
	size_t map_n;
	size_t room;	/* bytes before the edge */
};

static inline void
edge_init(struct edge *e, size_t room)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int rc;

	e->room = (room / page + 1) * page;
	e->map_n = e->room + page;
	e->map = mmap(NULL, e->map_n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(e->map != MAP_FAILED);
	rc = mprotect(e->map + e->room, page, PROT_NONE);
	assert(rc == 0);
}

static inline void
edge_fini(struct edge *e)
{
	munmap(e->map, e->map_n);
}

/* A copy of s that ends at the edge; the one before is gone. */
static inline struct bt_str
edge_put(struct edge *e, struct bt_str s)
{
	uint8_t *to = e->map + e->room - s.n;

	assert(s.n <= e->room);
	if (s.n != 0)
		memcpy(to, s.p, s.n);
	return (struct bt_str) { to, s.n };
}

#endif
