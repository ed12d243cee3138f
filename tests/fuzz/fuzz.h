/*
 * fuzz - what every fuzz target has in common.
 *
 * A target defines LLVMFuzzerTestOneInput() and asserts what must hold for any
 * bytes. tests/fuzz/NAME's inputs lie in tests/fuzz/corpus/NAME.
 */
#ifndef BT_TESTS_FUZZ_H
#define BT_TESTS_FUZZ_H

#include "base/str.h"

#ifdef NDEBUG
#error "without asserts nothing is checked"
#endif

int	LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Does view lie inside whole? An empty one may lie anywhere. */
static inline bool
is_inside(struct bt_str whole, struct bt_str view)
{
	uintptr_t lo = (uintptr_t)whole.p, at = (uintptr_t)view.p;

	if (view.n == 0)
		return true;
	return at >= lo && at - lo <= whole.n && view.n <= whole.n - (at - lo);
}

/* Is no byte of a text one that a terminal obeys? */
static inline bool
is_harmless(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

#endif
