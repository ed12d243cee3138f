#include "base/str.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static const char digits[] = "0123456789abcdef";

struct bt_str
bt_str_of(const char *s)
{
	return (struct bt_str){ (const uint8_t *)s, strlen(s) };
}

struct bt_str
bt_str_sub(struct bt_str s, size_t from, size_t to)
{
	assert(from <= to);
	assert(to <= s.n);
	if (from == to)
		return (struct bt_str){ s.p, 0 };
	return (struct bt_str){ s.p + from, to - from };
}

struct bt_str
bt_str_trim(struct bt_str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = bt_str_sub(s, 1, s.n);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
bt_str_eq(struct bt_str a, struct bt_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int
bt_str_cmp(struct bt_str a, struct bt_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n != 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

bool
bt_str_starts(struct bt_str s, struct bt_str prefix)
{
	return s.n >= prefix.n &&
	       (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/*
 * The length of the character at p (n > 0), or 0 if it is malformed: table
 * 3-7 of the Unicode standard, which is RFC 3629's grammar.
 */
static size_t
char_len(const uint8_t *p, size_t n)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	if (p[0] == 0xe0)
		lo = 0xa0; /* else overlong */
	else if (p[0] == 0xed)
		hi = 0x9f; /* else a surrogate */
	else if (p[0] == 0xf0)
		lo = 0x90; /* else overlong */
	else if (p[0] == 0xf4)
		hi = 0x8f; /* else above U+10FFFF */
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return len;
}

bool
bt_str_is_utf8(struct bt_str s)
{
	size_t at = 0, len;

	while (at < s.n) {
		len = char_len(s.p + at, s.n - at);
		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

size_t
bt_str_find(struct bt_str s, uint8_t c)
{
	const uint8_t *at = s.n != 0 ? memchr(s.p, c, s.n) : NULL;

	return at != NULL ? (size_t)(at - s.p) : s.n;
}

char *
bt_str_dup(struct bt_str s)
{
	char *to = bt_mem_alloc(s.n + 1);

	if (s.n != 0)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return to;
}

const char *
bt_str_leaf(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

char *
bt_str_folder(const char *path)
{
	size_t n = (size_t)(bt_str_leaf(path) - path);

	if (n == 0)
		return bt_str_dup(STR("."));
	/* the slash goes, but for that of the root */
	return bt_str_dup(
	    (struct bt_str){ (const uint8_t *)path, n == 1 ? 1 : n - 1 });
}

static bool
is_control(const uint8_t *p, size_t len)
{
	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	return len == 2 && p[0] == 0xc2 && p[1] < 0xa0; /* U+0080..U+009F */
}

size_t
bt_str_printable(struct bt_str s, char *out, size_t max)
{
	size_t at = 0, n = 0, len;
	bool raw;

	assert(max > 0);
	while (at < s.n) {
		len = char_len(s.p + at, s.n - at);
		raw = len != 0 && !is_control(s.p + at, len);
		if (!raw)
			len = 1; /* escaped byte by byte */
		if ((raw ? len : 4) > max - 1 - n)
			break;
		if (raw) {
			memcpy(out + n, s.p + at, len);
			n += len;
		} else {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = digits[s.p[at] >> 4];
			out[n++] = digits[s.p[at] & 15];
		}
		at += len;
	}
	out[n] = '\0';
	return n;
}

int
bt_str_u64(struct bt_str s, uint64_t *out)
{
	uint64_t v = 0;
	unsigned d;

	if (s.n == 0 || s.n > 20)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		d = s.p[i] - '0';
		if (v > (UINT64_MAX - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

void
bt_str_hex(struct bt_str s, char *out)
{
	for (size_t i = 0; i < s.n; i++) {
		*out++ = digits[s.p[i] >> 4];
		*out++ = digits[s.p[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
bt_str_unhex(struct bt_str hex, uint8_t *out, size_t n)
{
	int hi, lo;

	if (hex.n / 2 != n || hex.n % 2 != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		hi = hex_value(hex.p[2 * i]);
		lo = hex_value(hex.p[2 * i + 1]);
		if (hi == -1 || lo == -1)
			return -1;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}
