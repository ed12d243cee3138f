/*
 * buf - a growing buffer that has a ceiling from birth.
 *
 * 1. Nothing is added beyond max: the add returns -1 and adds nothing.
 * 2. The bytes move when it grows; views into it die then.
 * Pure.
 *
 * Used by  codecs' writers, disk/slurp, net
 * Tests    tests/unit/test_buf.c
 */
#ifndef BT_BASE_BUF_H
#define BT_BASE_BUF_H

#include "base/str.h"

struct bt_buf {
	uint8_t *p;
	size_t n;	/* bytes held */
	size_t cap;	/* bytes allocated */
	size_t max;	/* ceiling on n */
};

void	bt_buf_init(struct bt_buf *b, size_t max);
void	bt_buf_fini(struct bt_buf *b);
void	bt_buf_clear(struct bt_buf *b);	/* n = 0; keeps the memory */
struct bt_str	bt_buf_str(const struct bt_buf *b);	/* borrows */
/* Room for `want` more bytes at p + n, or NULL when max forbids it. */
uint8_t	*bt_buf_room(struct bt_buf *b, size_t want);
/* Each returns 0, or -1 when max forbids it (and adds nothing). */
int	bt_buf_add(struct bt_buf *b, struct bt_str s);
int	bt_buf_puts(struct bt_buf *b, const char *s);
int	bt_buf_putc(struct bt_buf *b, uint8_t c);
int	bt_buf_printf(struct bt_buf *b, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
int	bt_buf_be16(struct bt_buf *b, uint16_t v);
int	bt_buf_be32(struct bt_buf *b, uint32_t v);
int	bt_buf_be64(struct bt_buf *b, uint64_t v);
/* Drop the first k bytes (k <= n). */
void	bt_buf_drop(struct bt_buf *b, size_t k);

#endif
