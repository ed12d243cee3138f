/*
 * out - what goes to stdout: aligned for people, `label<TAB>value` for pipes.
 *
 * 1. On a terminal labels are aligned and sizes are human (1.2 GiB); in a pipe
 *    the same facts have raw numbers. Colour is for a terminal without NO_COLOR.
 * 2. A name's control bytes are written \xNN; on a terminal also what is not
 *    UTF-8, and the C1 controls. Nothing from outside reaches a terminal raw.
 * 3. A failed write is remembered, not reported: bt_cli_end() says so once. A
 *    tool that runs long asks bt_out_flush() and stops when it says -1.
 * 4. The progress line gives way to what is printed on the same terminal.
 * Touches: the stream it was given.
 *
 * Used by  cli/options (which owns the one for stdout), cli/json, all tools
 * Tests    tests/unit/test_cli_out.c, tests/e2e/cli.bats
 */
#ifndef BT_CLI_OUT_H
#define BT_CLI_OUT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"

struct bt_progress;

struct bt_out {
	FILE *fp;	/* borrowed */
	struct bt_progress *bar;	/* rule 4; NULL: none. borrowed */
	bool tty;	/* a person reads it */
	bool colour;
	int error;	/* errno of the first write that failed, or 0 */
};

void	bt_out_init(struct bt_out *o, FILE *fp);

/* Trusted text: formats and literals of ours, numbers, hex. */
void	bt_out_printf(struct bt_out *o, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Exactly these bytes (-0 lists, a torrent, file content). */
void	bt_out_raw(struct bt_out *o, struct bt_str s);
/* A name or text from outside, by rule 2. */
void	bt_out_name(struct bt_out *o, struct bt_str s);

/* "label<TAB>value\n", or aligned. Absent facts are not printed at all. */
void	bt_out_field(struct bt_out *o, const char *label, struct bt_str value);
void	bt_out_field_num(struct bt_out *o, const char *label, uint64_t value);
void	bt_out_field_size(struct bt_out *o, const char *label, uint64_t bytes);
void	bt_out_field_date(struct bt_out *o, const char *label, int64_t epoch_s);

/* Push out what is buffered. -1 if this or any write before it failed. */
int	bt_out_flush(struct bt_out *o);
/* A write that went past this (write(2) to fd 1) failed with this errno. */
void	bt_out_on_error(struct bt_out *o, int code);

/* "1.2 GiB"; exact below 1 KiB ("17 B"). to holds 16 bytes; returned. */
#define BT_OUT_SIZE_LEN	16
char	*bt_out_size(char to[BT_OUT_SIZE_LEN], uint64_t bytes);
/* How many bytes at the start of s are one UTF-8 character; 0: none are. */
size_t	bt_out_utf8(struct bt_str s);
/* Rule 2 into a buffer; -1 when its ceiling forbids it. */
int	bt_out_escape(struct bt_buf *to, struct bt_str s, bool tty);

#endif
