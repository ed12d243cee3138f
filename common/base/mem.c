#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE ((size_t)4096) /* the smallest of any system */

static void
give_up(size_t wanted)
{
	(void)wanted;
	abort();
}

static void (*exhausted)(size_t wanted) = give_up;

void
bt_mem_on_exhausted(void (*hook)(size_t wanted))
{
	exhausted = hook != NULL ? hook : give_up;
}

/* The hook does not return; abort() keeps that promise if it does. */
static _Noreturn void
fail(size_t wanted)
{
	exhausted(wanted);
	abort();
}

static size_t
product(size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		fail(SIZE_MAX);
	return count * size;
}

void *
bt_mem_alloc(size_t n)
{
	void *p = malloc(n != 0 ? n : 1);

	if (p == NULL)
		fail(n);
	return p;
}

void *
bt_mem_pages(size_t n)
{
	void *p;

	if (n > SIZE_MAX - PAGE)
		fail(n);
	n = (n + PAGE - 1) / PAGE * PAGE; /* C11 wants a multiple */
	p = aligned_alloc(PAGE, n != 0 ? n : PAGE);
	if (p == NULL)
		fail(n);
	return p;
}

void *
bt_mem_zero(size_t count, size_t size)
{
	size_t n = product(count, size);
	void *p = calloc(1, n != 0 ? n : 1);

	if (p == NULL)
		fail(n);
	return p;
}

void *
bt_mem_array(size_t count, size_t size)
{
	return bt_mem_alloc(product(count, size));
}

void *
bt_mem_resize(void *p, size_t count, size_t size)
{
	size_t n = product(count, size);
	void *to = realloc(p, n != 0 ? n : 1);

	if (to == NULL)
		fail(n);
	return to;
}

void *
bt_mem_dup(const void *p, size_t n)
{
	void *to = bt_mem_alloc(n);

	if (n != 0)
		memcpy(to, p, n);
	return to;
}

char *
bt_mem_strdup(const char *s)
{
	return bt_mem_dup(s, strlen(s) + 1);
}

char *
bt_mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n, again;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	s = bt_mem_alloc((size_t)n + 1);
	va_start(ap, fmt);
	again = vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	assert(again == n);
	return s;
}

void
bt_mem_free(void *p)
{
	free(p);
}
