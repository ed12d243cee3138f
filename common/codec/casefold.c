#include "codec/casefold.h"

#include <string.h>
#include <unicase.h>
#include <unistr.h>

uint32_t
bt_casefold_next(struct bt_str s, size_t *at)
{
	ucs4_t c;
	int n = u8_mbtoucr(&c, s.p + *at, s.n - *at);

	if (n <= 0)
		return BT_CASEFOLD_BYTE + s.p[(*at)++];
	*at += (size_t)n;
	/* up first: some have two small forms of one large, as sigma */
	return uc_tolower(uc_toupper(c));
}

/*
 * Bytes that a and b begin with alike, up to where a code point begins in both:
 * behind an ASCII byte one always does, whatever is malformed before.
 */
static size_t
alike(struct bt_str a, struct bt_str b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;

	while (n - i >= 16 && memcmp(a.p + i, b.p + i, 16) == 0)
		i += 16;
	while (i < n && a.p[i] == b.p[i])
		i++;
	while (i > 0 && a.p[i - 1] >= 0x80)
		i--;
	return i;
}

int
bt_casefold_cmp_paths(struct bt_str a, struct bt_str b)
{
	size_t i = alike(a, b), k = i;
	uint32_t x, y;

	while (i < a.n && k < b.n) {
		x = bt_casefold_next(a, &i);
		y = bt_casefold_next(b, &k);
		if (x == y)
			continue;
		x = x == '/' ? 0 : x + 1;
		y = y == '/' ? 0 : y + 1;
		return x < y ? -1 : 1;
	}
	return (i < a.n) - (k < b.n);
}
