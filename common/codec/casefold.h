/*
 * casefold - comparing names as file systems do that ignore case.
 *
 * Simple case folding of UTF-8: one character becomes one. What is no UTF-8 is
 * compared byte by byte. Normal forms are not looked at.
 * Pure.
 *
 * Speaks   Unicode, as libunistring has it
 * Used by  codec/lint_names
 * Tests    tests/unit/test_casefold.c
 */
#ifndef BT_CODEC_CASEFOLD_H
#define BT_CODEC_CASEFOLD_H

#include "base/str.h"

/* What no UTF-8 character is: a byte b that begins none is this + b. */
#define BT_CASEFOLD_BYTE	0x110000u

/* The next character of s at *at < s.n, folded, and *at after it. */
uint32_t	bt_casefold_next(struct bt_str s, size_t *at);

/*
 * The order of paths in which what is inside a folder follows the folder at once:
 * '/' comes before all else. 0: they differ in case at most.
 */
int	bt_casefold_cmp_paths(struct bt_str a, struct bt_str b);

#endif
