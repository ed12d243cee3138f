#include "disk/names.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define NAME_BYTES_MAX 255u /* Linux NAME_MAX */

/* The bytes of s that fit into max, cut between UTF-8 characters. */
static size_t
cut(const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n <= max)
		return n;
	n = max;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* gives ".name" with tail, cut to fit, without a slash */
static char *
hide(const char *name, const char *tail)
{
	size_t n = cut(name, NAME_BYTES_MAX - 1 - strlen(tail));
	char *out = bt_mem_printf(".%.*s%s", (int)n, name, tail);

	for (char *c = out; *c != '\0'; c++)
		if (*c == '/')
			*c = '_';
	assert(strlen(out) <= NAME_BYTES_MAX);
	return out;
}

char *
bt_names_hidden(const struct bt_layout *l, const char *name, const char *suffix)
{
	char hex[2 * 4 + 1], tail[32];

	bt_str_hex((struct bt_str){ l->info_hash, 4 }, hex);
	snprintf(tail, sizeof(tail), ".%s.%s", hex, suffix);
	return hide(name == NULL ? l->name : name, tail);
}

char *
bt_names_lock(const struct bt_layout *l, const char *name)
{
	return hide(name == NULL ? l->name : name, ".lock");
}

char *
bt_names_part(const char *path, uint64_t number, bool numbered)
{
	const char *leaf = bt_str_leaf(path);
	char tail[sizeof(".0123456789abcdef.part")];

	if (!numbered && strlen(leaf) + strlen(".part") <= NAME_BYTES_MAX)
		return bt_mem_printf("%s.part", path);
	snprintf(tail, sizeof(tail), ".%08" PRIx64 ".part", number);
	return bt_mem_printf("%.*s%.*s%s", (int)(leaf - path), path,
	    (int)cut(leaf, NAME_BYTES_MAX - strlen(tail)), leaf, tail);
}

bool
bt_names_is_like_part(const char *path)
{
	size_t n = strlen(path), hex = 0;

	if (n >= strlen(".part") &&
	    strcmp(path + n - strlen(".part"), ".part") == 0)
		return true;
	while (hex < n && strchr("0123456789abcdef", path[n - 1 - hex]) != NULL)
		hex++;
	return hex >= 8 && hex < n && path[n - 1 - hex] == '.';
}
