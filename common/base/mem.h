/*
 * mem - memory that is there or the program ends.
 *
 * 1. None of these returns NULL; out of memory calls the one hook, which must
 *    not return. Ceilings, not recovery, are the defence (style.md).
 * 2. Products are checked: a count times a size that wraps is out of memory.
 * 3. Size 0 gives a pointer that may be freed and not read.
 * The hook is the only mutable state at file scope in the pure rooms.
 * Pure.
 *
 * Used by  everything
 * Tests    tests/unit/test_mem.c
 */
#ifndef BT_BASE_MEM_H
#define BT_BASE_MEM_H

#include <stddef.h>

void	*bt_mem_alloc(size_t n);		/* gives; bytes undefined */
/*
 * gives; undefined; begins a page. Where string moves are what the kernel copies
 * with (Zen 3), what is read from a page's start to 1 to 31 bytes past one costs
 * three times as much as to the start itself, or to 32 and more; malloc() gives
 * large memory at 16.
 */
void	*bt_mem_pages(size_t n);
/* Bytes past a page's start that are clear of that, with a short header or without. */
#define BT_MEM_CLEAR	64u
void	*bt_mem_zero(size_t count, size_t size);	/* gives; zeroed */
void	*bt_mem_array(size_t count, size_t size);	/* gives; undefined */
/* Takes p (may be NULL) and gives the block at its new place. */
void	*bt_mem_resize(void *p, size_t count, size_t size);
void	*bt_mem_dup(const void *p, size_t n);	/* gives a copy */
char	*bt_mem_strdup(const char *s);		/* gives a copy */
/* gives; a formatted string */
char	*bt_mem_printf(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	bt_mem_free(void *p);			/* NULL is fine */

/* What to call when there is no memory; the default aborts. */
void	bt_mem_on_exhausted(void (*hook)(size_t wanted));

#endif
