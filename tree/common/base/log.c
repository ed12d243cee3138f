#include "base/log.h"

#include <stdio.h>

#include "base/str.h"

#define TEXT_MAX 1024 /* bytes with the NUL; longer is cut */

void
bt_log_put(
    const struct bt_log *log, enum bt_log_level level, const char *fmt, ...)
{
	char raw[TEXT_MAX], text[TEXT_MAX];
	struct bt_str s = { (uint8_t *)raw, 0 };
	va_list ap;
	int n;

	if (log == NULL || level > log->level)
		return;
	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (n > 0)
		s.n = (size_t)n < sizeof(raw) ? (size_t)n : sizeof(raw) - 1;
	bt_str_printable(s, text, sizeof(text));
	log->put(log->arg, level, text);
}
