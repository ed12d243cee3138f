#include "disk/names.h"

#include <assert.h>
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
bt_names_part(const char *path, uint32_t file, bool numbered)
{
	const char *slash = strrchr(path, '/');
	const char *leaf = slash == NULL ? path : slash + 1;
	char tail[sizeof(".12345678.part")];

	if (!numbered && strlen(leaf) + strlen(".part") <= NAME_BYTES_MAX)
		return bt_mem_printf("%s.part", path);
	snprintf(tail, sizeof(tail), ".%08x.part", file);
	return bt_mem_printf("%.*s%.*s%s", (int)(leaf - path), path,
	    (int)cut(leaf, NAME_BYTES_MAX - strlen(tail)), leaf, tail);
}
