/*
 * str - a borrowed run of bytes.
 *
 * Valid as long as the buffer it points into. It may hold any byte and has no
 * NUL at its end. Decoders return these; the core copies what it keeps.
 * Pure.
 *
 * Used by  everything
 * Tests    tests/unit/test_str.c
 */
#ifndef BT_BASE_STR_H
#define BT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_str {
	const uint8_t *p;	/* may be NULL when n is 0 */
	size_t n;
};

/* A bt_str of a string literal, without its NUL. */
#define STR(lit) \
	((struct bt_str){ (const uint8_t *)("" lit), sizeof(lit) - 1 })

struct bt_str	bt_str_of(const char *s);	/* borrows a C string */
/* Bytes from .. to - 1, where from <= to <= s.n. */
struct bt_str	bt_str_sub(struct bt_str s, size_t from, size_t to);
/* Without the spaces and tabs at both ends. */
struct bt_str	bt_str_trim(struct bt_str s);
bool	bt_str_eq(struct bt_str a, struct bt_str b);
int	bt_str_cmp(struct bt_str a, struct bt_str b);	/* as memcmp, then n */
bool	bt_str_starts(struct bt_str s, struct bt_str prefix);
bool	bt_str_is_utf8(struct bt_str s);	/* RFC 3629; no surrogates */
/* Index of the first byte c, or s.n. */
size_t	bt_str_find(struct bt_str s, uint8_t c);
char	*bt_str_dup(struct bt_str s);		/* gives; NUL-terminated copy */
/* What a path ends with, after its last slash; borrowed. */
const char	*bt_str_leaf(const char *path);
/* gives what that lies in: "." for a path without a slash */
char	*bt_str_folder(const char *path);
/*
 * As text that is safe on a terminal: control characters (C0, DEL, C1) and
 * bytes that are not UTF-8 become \xNN. At most max - 1 bytes and a NUL, cut
 * between characters; returns the bytes before the NUL. s may not overlap out.
 */
size_t	bt_str_printable(struct bt_str s, char *out, size_t max);

/* Decimal without sign, leading zeros allowed, 1..20 digits. 0 or -1. */
int	bt_str_u64(struct bt_str s, uint64_t *out);

/* Lower-case hex; out holds 2 * s.n + 1 bytes. */
void	bt_str_hex(struct bt_str s, char *out);
/* Exactly n bytes from 2 * n hex digits of either case. 0 or -1. */
int	bt_str_unhex(struct bt_str hex, uint8_t *out, size_t n);

#endif
