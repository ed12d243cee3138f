/*
 * edge - a copy of an input whose end is the end of its page.
 *
 * The page after it cannot be read, so a decoder that looks one byte too far
 * ends the test.
 */
#ifndef TESTS_UNIT_EDGE_H
#define TESTS_UNIT_EDGE_H

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"

static inline size_t
edge_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n / page + 1) * page;
}

/* gives; release with edge_free() */
static inline struct bt_str
edge_of(struct bt_str s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = edge_pages(s.n);
	uint8_t *base, *p;
	int rc;

	base = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(base != MAP_FAILED);
	rc = mprotect(base + room, page, PROT_NONE);
	assert(rc == 0);
	p = base + room - s.n;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct bt_str){ p, s.n };
}

static inline void
edge_free(struct bt_str s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = edge_pages(s.n);
	uintptr_t base = (uintptr_t)s.p + s.n - room;

	munmap((void *)base, room + page);
}

#endif
