#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/*
 * Formats into a buffer of its own first: an argument may be err->text. The
 * tail is appended after a ": " even if that cuts the sentence.
 */
__attribute__((format(printf, 3, 0))) static void
compose(struct bt_err *err, const char *tail, const char *fmt, va_list ap)
{
	char raw[BT_ERR_TEXT_MAX];
	size_t n, keep, tail_n;
	int len;

	len = vsnprintf(raw, sizeof(raw), fmt, ap);
	n = len < 0 ? 0 : (size_t)len;
	if (n > sizeof(raw) - 1)
		n = sizeof(raw) - 1;
	tail_n = tail != NULL ? strlen(tail) + 2 : 0;
	if (tail_n > BT_ERR_TEXT_MAX / 2)
		tail_n = BT_ERR_TEXT_MAX / 2;
	keep = BT_ERR_TEXT_MAX - tail_n;
	n = bt_str_printable(
	    (struct bt_str){ (uint8_t *)raw, n }, err->text, keep);
	if (tail_n != 0) {
		err->text[n++] = ':';
		err->text[n++] = ' ';
		bt_str_printable(
		    bt_str_of(tail), err->text + n, BT_ERR_TEXT_MAX - n);
	}
}

int
bt_err_vset(
    struct bt_err *err, enum bt_err_kind kind, const char *fmt, va_list ap)
{
	assert(kind != BT_ENONE);
	compose(err, NULL, fmt, ap);
	err->kind = kind;
	return -1;
}

int
bt_err_set(struct bt_err *err, enum bt_err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bt_err_vset(err, kind, fmt, ap);
	va_end(ap);
	return -1;
}

__attribute__((format(printf, 4, 0))) static void
set_code(struct bt_err *err, enum bt_err_kind kind, int code, const char *fmt,
    va_list ap)
{
	char spelled[256];

	assert(kind != BT_ENONE);
	compose(err, strerror_r(code, spelled, sizeof(spelled)), fmt, ap);
	err->kind = kind;
}

int
bt_err_sys(struct bt_err *err, const char *fmt, ...)
{
	int code = errno;
	va_list ap;

	va_start(ap, fmt);
	set_code(err, BT_EFILE, code, fmt, ap);
	va_end(ap);
	return -1;
}

int
bt_err_code(
    struct bt_err *err, enum bt_err_kind kind, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_code(err, kind, code, fmt, ap);
	va_end(ap);
	return -1;
}

int
bt_err_prefix(struct bt_err *err, const char *fmt, ...)
{
	char was[BT_ERR_TEXT_MAX];
	va_list ap;

	memcpy(was, err->text, sizeof(was));
	va_start(ap, fmt);
	compose(err, was, fmt, ap);
	va_end(ap);
	return -1;
}
