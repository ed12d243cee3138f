#include "base/addr.h"

#include <assert.h>
#include <string.h>

#include "base/rd.h"

/* ::ffff:0:0/96 (RFC 4291, 2.5.5.2) */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct bt_addr
bt_addr_v4(const uint8_t ip[4], uint16_t port)
{
	struct bt_addr a = { .family = 4, .port = port };

	memcpy(a.ip, ip, 4);
	return a;
}

struct bt_addr
bt_addr_v6(const uint8_t ip[16], uint16_t port)
{
	struct bt_addr a = { .family = 6, .port = port };

	if (memcmp(ip, mapped, sizeof(mapped)) == 0)
		return bt_addr_v4(ip + sizeof(mapped), port);
	memcpy(a.ip, ip, 16);
	return a;
}

bool
bt_addr_eq(const struct bt_addr *a, const struct bt_addr *b)
{
	return a->port == b->port && bt_addr_eq_ip(a, b);
}

bool
bt_addr_eq_ip(const struct bt_addr *a, const struct bt_addr *b)
{
	return a->family == b->family &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

bool
bt_addr_is_loopback(const struct bt_addr *a)
{
	if (a->family == 4)
		return a->ip[0] == 127;
	return a->family == 6 && is_zero(a->ip, 15) && a->ip[15] == 1;
}

bool
bt_addr_is_any(const struct bt_addr *a)
{
	return a->family != 0 && is_zero(a->ip, 16);
}

bool
bt_addr_is_dialable(const struct bt_addr *a)
{
	if (a->port == 0)
		return false;
	if (a->family == 4) /* 0/8 is no host, 224/3 multicast and up */
		return a->ip[0] != 0 && a->ip[0] < 224;
	return a->family == 6 && !is_zero(a->ip, 16) && a->ip[0] != 0xff;
}

static char *
put_decimal(char *to, unsigned v)
{
	char digits[10];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	while (n > 0)
		*to++ = digits[--n];
	return to;
}

static char *
put_v4(char *to, const uint8_t *ip)
{
	for (size_t i = 0; i < 4; i++) {
		if (i != 0)
			*to++ = '.';
		to = put_decimal(to, ip[i]);
	}
	return to;
}

static char *
put_group(char *to, uint16_t v)
{
	unsigned shift = 12;

	while (shift > 0 && v >> shift == 0)
		shift -= 4;
	for (;; shift -= 4) {
		*to++ = "0123456789abcdef"[v >> shift & 15];
		if (shift == 0)
			return to;
	}
}

/* RFC 5952: "::" for the first longest run of two or more zero groups. */
static char *
put_v6(char *to, const uint8_t *ip)
{
	size_t best = 8, best_n = 1, i, n;

	for (i = 0; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && is_zero(ip + 2 * (i + n), 2); n++)
			continue;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == best) {
			*to++ = ':';
			if (i + best_n == 8)
				*to++ = ':';
			i += best_n - 1;
			continue;
		}
		if (i != 0)
			*to++ = ':';
		to = put_group(to, bt_be16(ip + 2 * i));
	}
	return to;
}

static char *
put_ip(char *to, const struct bt_addr *a)
{
	if (a->family == 4)
		return put_v4(to, a->ip);
	if (a->family == 6)
		return put_v6(to, a->ip);
	memcpy(to, "none", 4);
	return to + 4;
}

char *
bt_addr_text(const struct bt_addr *a, char out[BT_ADDR_TEXT_MAX])
{
	char *to = out;

	if (a->family == 6)
		*to++ = '[';
	to = put_ip(to, a);
	if (a->family == 6)
		*to++ = ']';
	*to++ = ':';
	to = put_decimal(to, a->port);
	*to = '\0';
	return out;
}

char *
bt_addr_ip_text(const struct bt_addr *a, char out[BT_ADDR_TEXT_MAX])
{
	*put_ip(out, a) = '\0';
	return out;
}

/* Four decimals of 1 to 3 digits without leading zeros (inet_pton's rule). */
static int
parse_v4(struct bt_str s, uint8_t ip[4])
{
	struct bt_str part;
	uint64_t v;
	size_t dot;

	for (size_t i = 0; i < 4; i++) {
		dot = bt_str_find(s, '.');
		if ((i == 3) != (dot == s.n))
			return -1;
		part = bt_str_sub(s, 0, dot);
		if (part.n > 3 || bt_str_u64(part, &v) == -1 || v > 255)
			return -1;
		if (part.n > 1 && part.p[0] == '0')
			return -1;
		ip[i] = (uint8_t)v;
		if (i < 3)
			s = bt_str_sub(s, dot + 1, s.n);
	}
	return 0;
}

static int
parse_group(struct bt_str s, uint8_t to[2])
{
	uint8_t four[4] = { '0', '0', '0', '0' };

	if (s.n == 0 || s.n > 4)
		return -1;
	memcpy(four + 4 - s.n, s.p, s.n);
	return bt_str_unhex((struct bt_str){ four, 4 }, to, 2);
}

/*
 * Groups are written from the left; the place of "::" is kept, and what
 * follows it is moved to the end.
 */
static int
parse_v6(struct bt_str s, uint8_t ip[16])
{
	size_t n = 0, gap = 17, colon; /* bytes; 17 is no gap yet */
	struct bt_str part;

	if (bt_str_starts(s, STR("::"))) {
		gap = 0;
		s = bt_str_sub(s, 2, s.n);
	}
	while (s.n != 0) {
		colon = bt_str_find(s, ':');
		part = bt_str_sub(s, 0, colon);
		if (colon == s.n && n <= 12 && parse_v4(part, ip + n) == 0) {
			n += 4;
			break;
		}
		if (n > 14 || parse_group(part, ip + n) == -1)
			return -1;
		n += 2;
		if (colon == s.n)
			break;
		s = bt_str_sub(s, colon + 1, s.n);
		if (s.n == 0)
			return -1; /* ends in one colon */
		if (s.p[0] == ':') {
			if (gap != 17)
				return -1;
			gap = n;
			s = bt_str_sub(s, 1, s.n);
		}
	}
	if (gap == 17)
		return n == 16 ? 0 : -1;
	if (n > 14)
		return -1; /* "::" stands for one group at least */
	memmove(ip + 16 - (n - gap), ip + gap, n - gap);
	memset(ip + gap, 0, 16 - n);
	return 0;
}

int
bt_addr_parse_ip(struct bt_str s, struct bt_addr *out)
{
	uint8_t ip[16];

	if (parse_v4(s, ip) == 0) {
		*out = bt_addr_v4(ip, 0);
		return 0;
	}
	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = bt_str_sub(s, 1, s.n - 1);
	if (parse_v6(s, ip) == -1)
		return -1;
	*out = bt_addr_v6(ip, 0);
	return 0;
}

int
bt_addr_parse(struct bt_str s, struct bt_addr *out)
{
	struct bt_addr a;
	size_t colon = s.n;
	uint64_t port;
	bool v6 = s.n != 0 && s.p[0] == '[';

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return -1;
	if (v6 != (s.p[colon - 2] == ']'))
		return -1;
	if (bt_addr_parse_ip(bt_str_sub(s, 0, colon - 1), &a) == -1)
		return -1;
	if (!v6 && bt_str_find(s, ':') != colon - 1)
		return -1; /* an IPv6 address needs its brackets here */
	if (bt_str_u64(bt_str_sub(s, colon, s.n), &port) == -1 || port > 65535)
		return -1;
	a.port = (uint16_t)port;
	*out = a;
	return 0;
}

size_t
bt_addr_pack(const struct bt_addr *a, uint8_t out[18])
{
	size_t n = a->family == 4 ? 4 : 16;

	assert(a->family == 4 || a->family == 6);
	memcpy(out, a->ip, n);
	bt_put_be16(out + n, a->port);
	return n + 2;
}

struct bt_addr
bt_addr_unpack(const uint8_t *p, uint8_t family)
{
	assert(family == 4 || family == 6);
	if (family == 4)
		return bt_addr_v4(p, bt_be16(p + 4));
	return bt_addr_v6(p, bt_be16(p + 16));
}
