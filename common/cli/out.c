#include "cli/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/progress.h"

#define LABEL_WIDTH 15	/* columns; the longest of ours and two blanks */
#define NAME_CHUNK 1024 /* bytes of a name that are escaped at a time */

void
bt_out_init(struct bt_out *o, FILE *fp)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	memset(o, 0, sizeof(*o));
	o->fp = fp;
	o->tty = isatty(fileno(fp)) == 1;
	o->colour = o->tty && (no_color == NULL || *no_color == '\0') &&
		    term != NULL && strcmp(term, "dumb") != 0;
}

void
bt_out_on_error(struct bt_out *o, int code)
{
	if (o->error == 0)
		o->error = code;
}

static void
make_way(struct bt_out *o)
{
	if (o->tty && o->bar != NULL)
		bt_progress_clear(o->bar);
}

void
bt_out_printf(struct bt_out *o, const char *fmt, ...)
{
	va_list ap;

	make_way(o);
	va_start(ap, fmt);
	if (vfprintf(o->fp, fmt, ap) < 0)
		bt_out_on_error(o, errno);
	va_end(ap);
}

void
bt_out_raw(struct bt_out *o, struct bt_str s)
{
	make_way(o);
	if (s.n != 0 && fwrite(s.p, 1, s.n, o->fp) != s.n)
		bt_out_on_error(o, errno);
}

size_t
bt_out_utf8(struct bt_str s)
{
	size_t want;

	if (s.n == 0)
		return 0;
	if (s.p[0] < 0x80)
		return 1;
	want = s.p[0] >= 0xf0 ? 4 : s.p[0] >= 0xe0 ? 3 : 2;
	if (want > s.n || !bt_str_is_utf8((struct bt_str){ s.p, want }))
		return 0;
	return want;
}

static bool
is_control(const uint8_t *p, size_t len, bool tty)
{
	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	return tty && len == 2 && p[0] == 0xc2 && p[1] < 0xa0; /* C1 */
}

int
bt_out_escape(struct bt_buf *to, struct bt_str s, bool tty)
{
	size_t i = 0, len;
	int rc = 0;

	while (i < s.n && rc == 0) {
		len = bt_out_utf8(bt_str_sub(s, i, s.n));
		if (len == 0 && !tty)
			rc = bt_buf_putc(to, s.p[i++]);
		else if (len == 0)
			rc = bt_buf_printf(to, "\\x%02x", s.p[i++]);
		else if (!is_control(s.p + i, len, tty)) {
			rc = bt_buf_add(to, (struct bt_str){ s.p + i, len });
			i += len;
		} else
			for (; len > 0 && rc == 0; len--)
				rc = bt_buf_printf(to, "\\x%02x", s.p[i++]);
	}
	return rc;
}

/* The next run of s, at most NAME_CHUNK bytes, that cuts no character. */
static struct bt_str
name_run(struct bt_str s)
{
	size_t n = s.n < NAME_CHUNK ? s.n : NAME_CHUNK;
	size_t back;

	if (n == s.n)
		return s;
	for (back = 0; back < 3 && (s.p[n - back] & 0xc0) == 0x80; back++)
		continue;
	return (struct bt_str){ s.p, n - back };
}

void
bt_out_name(struct bt_out *o, struct bt_str s)
{
	struct bt_buf b;
	struct bt_str run;

	bt_buf_init(&b, (size_t)4 * NAME_CHUNK); /* all of it as \xNN */
	while (s.n > 0) {
		run = name_run(s);
		bt_buf_clear(&b);
		bt_out_escape(&b, run, o->tty);
		bt_out_raw(o, bt_buf_str(&b));
		s = bt_str_sub(s, run.n, s.n);
	}
	bt_buf_fini(&b);
}

static void
put_label(struct bt_out *o, const char *label)
{
	if (!o->tty)
		bt_out_printf(o, "%s\t", label);
	else if (o->colour)
		bt_out_printf(o, "\033[1m%-*s\033[0m ", LABEL_WIDTH, label);
	else
		bt_out_printf(o, "%-*s ", LABEL_WIDTH, label);
}

void
bt_out_field(struct bt_out *o, const char *label, struct bt_str value)
{
	put_label(o, label);
	bt_out_name(o, value);
	bt_out_printf(o, "\n");
}

void
bt_out_field_num(struct bt_out *o, const char *label, uint64_t value)
{
	put_label(o, label);
	bt_out_printf(o, "%" PRIu64 "\n", value);
}

void
bt_out_field_size(struct bt_out *o, const char *label, uint64_t bytes)
{
	char text[BT_OUT_SIZE_LEN];

	put_label(o, label);
	if (!o->tty)
		bt_out_printf(o, "%" PRIu64 "\n", bytes);
	else if (bytes < 1024)
		bt_out_printf(o, "%s\n", bt_out_size(text, bytes));
	else
		bt_out_printf(o, "%s (%" PRIu64 " bytes)\n",
		    bt_out_size(text, bytes), bytes);
}

void
bt_out_field_date(struct bt_out *o, const char *label, int64_t epoch_s)
{
	time_t t = (time_t)epoch_s;
	struct tm tm;
	char text[64];

	put_label(o, label);
	/* a torrent may claim a year that no calendar knows */
	if (o->tty && gmtime_r(&t, &tm) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) != 0)
		bt_out_printf(o, "%s\n", text);
	else
		bt_out_printf(o, "%" PRId64 "\n", epoch_s);
}

int
bt_out_flush(struct bt_out *o)
{
	if (fflush(o->fp) == EOF)
		bt_out_on_error(o, errno);
	/* a write that went by another way (help) leaves only this mark */
	if (ferror(o->fp))
		bt_out_on_error(o, EIO);
	return o->error == 0 ? 0 : -1;
}

char *
bt_out_size(char to[BT_OUT_SIZE_LEN], uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	uint64_t tenths, unit = 1;
	size_t i = 0;

	while (bytes / unit >= 1024) {
		unit <<= 10;
		i++;
	}
	if (i == 0) {
		snprintf(to, BT_OUT_SIZE_LEN, "%u B", (unsigned)bytes);
		return to;
	}
	/* rounded to the nearest tenth; 1023.96 KiB stays below 1024 */
	tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
	if (tenths >= 10240 && i + 2 < sizeof(units)) {
		tenths = 10;
		i++;
	}
	snprintf(to, BT_OUT_SIZE_LEN, "%u.%u %ciB", (unsigned)(tenths / 10),
	    (unsigned)(tenths % 10), units[i]);
	return to;
}
