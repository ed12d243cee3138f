#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"

#define CAP_MIN 64 /* bytes; saves the first few moves */

void
bt_buf_init(struct bt_buf *b, size_t max)
{
	*b = (struct bt_buf){ .max = max };
}

void
bt_buf_fini(struct bt_buf *b)
{
	bt_mem_free(b->p);
	*b = (struct bt_buf){ .max = b->max };
}

void
bt_buf_clear(struct bt_buf *b)
{
	b->n = 0;
}

struct bt_str
bt_buf_str(const struct bt_buf *b)
{
	return (struct bt_str){ b->p, b->n };
}

uint8_t *
bt_buf_room(struct bt_buf *b, size_t want)
{
	size_t cap;

	assert(b->n <= b->max);
	if (want > b->max - b->n)
		return NULL;
	if (b->p == NULL || want > b->cap - b->n) {
		cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
		if (cap < b->n + want)
			cap = b->n + want;
		if (cap < CAP_MIN)
			cap = b->max < CAP_MIN ? b->max : CAP_MIN;
		b->p = bt_mem_resize(b->p, cap, 1);
		b->cap = cap;
	}
	return b->p + b->n;
}

int
bt_buf_add(struct bt_buf *b, struct bt_str s)
{
	uint8_t *to = bt_buf_room(b, s.n);

	if (to == NULL)
		return -1;
	if (s.n != 0)
		memcpy(to, s.p, s.n);
	b->n += s.n;
	return 0;
}

int
bt_buf_puts(struct bt_buf *b, const char *s)
{
	return bt_buf_add(b, bt_str_of(s));
}

int
bt_buf_putc(struct bt_buf *b, uint8_t c)
{
	return bt_buf_add(b, (struct bt_str){ &c, 1 });
}

int
bt_buf_printf(struct bt_buf *b, const char *fmt, ...)
{
	char few[256], *text = few;
	va_list ap;
	int n, rc;

	va_start(ap, fmt);
	n = vsnprintf(few, sizeof(few), fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if ((size_t)n > b->max - b->n)
		return -1;
	if ((size_t)n >= sizeof(few)) {
		text = bt_mem_alloc((size_t)n + 1);
		va_start(ap, fmt);
		n = vsnprintf(text, (size_t)n + 1, fmt, ap);
		va_end(ap);
		assert(n >= 0);
	}
	rc = bt_buf_add(b, (struct bt_str){ (uint8_t *)text, (size_t)n });
	if (text != few)
		bt_mem_free(text);
	return rc;
}

int
bt_buf_be16(struct bt_buf *b, uint16_t v)
{
	uint8_t p[2];

	bt_put_be16(p, v);
	return bt_buf_add(b, (struct bt_str){ p, sizeof(p) });
}

int
bt_buf_be32(struct bt_buf *b, uint32_t v)
{
	uint8_t p[4];

	bt_put_be32(p, v);
	return bt_buf_add(b, (struct bt_str){ p, sizeof(p) });
}

int
bt_buf_be64(struct bt_buf *b, uint64_t v)
{
	uint8_t p[8];

	bt_put_be64(p, v);
	return bt_buf_add(b, (struct bt_str){ p, sizeof(p) });
}

void
bt_buf_drop(struct bt_buf *b, size_t k)
{
	assert(k <= b->n);
	if (k == 0)
		return;
	memmove(b->p, b->p + k, b->n - k);
	b->n -= k;
}
