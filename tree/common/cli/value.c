#include "cli/value.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

#define FRACTION_DIGITS 6 /* more of them are read and do not count */

/* A decimal number: whole part, and millionths after a point. */
struct decimal {
	uint64_t whole;
	uint64_t micro;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Read digits at *s, at least one. -1 when there is none, or too many. */
static int
read_u64(const char **s, uint64_t *out)
{
	uint64_t v = 0;

	if (!is_digit(**s))
		return -1;
	for (; is_digit(**s); (*s)++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**s - '0'), &v))
			return -1;
	*out = v;
	return 0;
}

static int
read_decimal(const char **s, struct decimal *d)
{
	int digits = 0;

	d->micro = 0;
	if (read_u64(s, &d->whole) == -1)
		return -1;
	if (**s != '.')
		return 0;
	(*s)++;
	if (!is_digit(**s))
		return -1;
	for (; is_digit(**s); (*s)++)
		if (digits < FRACTION_DIGITS) {
			d->micro = d->micro * 10 + (uint64_t)(**s - '0');
			digits++;
		}
	for (; digits < FRACTION_DIGITS; digits++)
		d->micro *= 10;
	return 0;
}

/* d times unit, rounded down; -1 when it does not fit. */
static int
scale(const struct decimal *d, uint64_t unit, uint64_t *out)
{
	uint64_t v, part;

	/* micro * unit / 10^6 without a product that might not fit */
	part =
	    d->micro * (unit / 1000000) + d->micro * (unit % 1000000) / 1000000;
	if (__builtin_mul_overflow(d->whole, unit, &v) ||
	    __builtin_add_overflow(v, part, out))
		return -1;
	return 0;
}

/* The size of a unit written at s, which must end there. 0 if none. */
static uint64_t
size_unit(const char *s)
{
	static const char letters[] = "kmgtp";
	const char *at;
	char low;

	if (s[0] == '\0' || strcmp(s, "B") == 0)
		return 1;
	low = (char)(s[0] | 0x20);
	at = memchr(letters, low, sizeof(letters) - 1);
	if (at == NULL)
		return 0;
	s++;
	if (strcmp(s, "") != 0 && strcmp(s, "iB") != 0 && strcmp(s, "ib") != 0)
		return 0;
	return (uint64_t)1 << (10 * (at - letters + 1));
}

int
bt_value_size(const char *s, uint64_t *bytes, struct bt_err *err)
{
	const char *p = s;
	struct decimal d;
	uint64_t unit;

	if (read_decimal(&p, &d) == -1 || (unit = size_unit(p)) == 0 ||
	    (unit == 1 && d.micro != 0))
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' is not a size: "
		    "give bytes, or a number with K, M, G or T",
		    s);
	if (scale(&d, unit, bytes) == -1)
		return bt_err_set(err, BT_EUSAGE, "'%s' is too large", s);
	return 0;
}

int
bt_value_time(const char *s, uint64_t *us, struct bt_err *err)
{
	const char *p = s;
	struct decimal d;
	uint64_t unit = 0;
	bool good;

	good = read_decimal(&p, &d) == 0;
	if (good && strcmp(p, "d") == 0)
		unit = 86400;
	else if (good && strcmp(p, "h") == 0)
		unit = 3600;
	else if (good && strcmp(p, "m") == 0)
		unit = 60;
	else if (good && (strcmp(p, "s") == 0 || *p == '\0'))
		unit = 1;
	if (unit == 0)
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' is not a time: "
		    "give seconds, or a number with s, m, h or d",
		    s);
	if (scale(&d, unit * 1000000, us) == -1)
		return bt_err_set(err, BT_EUSAGE, "'%s' is too long", s);
	return 0;
}

int
bt_value_count(
    const char *s, uint64_t min, uint64_t max, uint64_t *n, struct bt_err *err)
{
	const char *p = s;
	uint64_t v;

	if (read_u64(&p, &v) == -1 || *p != '\0')
		return bt_err_set(err, BT_EUSAGE, "'%s' is not a number", s);
	if (v < min || v > max)
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' is not between %llu "
		    "and %llu",
		    s, (unsigned long long)min, (unsigned long long)max);
	*n = v;
	return 0;
}

int
bt_value_ratio(const char *s, uint64_t *thousandths, struct bt_err *err)
{
	const char *p = s;
	struct decimal d;

	if (read_decimal(&p, &d) == -1 || *p != '\0' ||
	    scale(&d, 1000, thousandths) == -1)
		return bt_err_set(err, BT_EUSAGE, "'%s' is not a ratio", s);
	return 0;
}

int
bt_value_next_range(
    const char **s, uint64_t *from, uint64_t *to, struct bt_err *err)
{
	const char *p = *s;

	if (*p == '\0')
		return 0;
	if (read_u64(&p, from) == -1)
		goto bad;
	*to = *from;
	if (*p == '-') {
		p++;
		*to = UINT64_MAX;
		if (is_digit(*p) && read_u64(&p, to) == -1)
			goto bad;
	}
	if (*from == 0 || *to < *from)
		goto bad;
	if (*p == ',' && p[1] != '\0')
		p++;
	else if (*p != '\0')
		goto bad;
	*s = p;
	return 1;
bad:
	return bt_err_set(err, BT_EUSAGE,
	    "'%s' is not a range: give numbers from 1 as in 1-3,8,10-", *s);
}
