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

char *
bt_names_hidden(const struct bt_layout *l, const char *suffix)
{
	char hex[2 * 4 + 1], *name;
	size_t n;

	bt_str_hex((struct bt_str){ l->info_hash, 4 }, hex);
	n = cut(
	    l->name, NAME_BYTES_MAX - 3 - (sizeof(hex) - 1) - strlen(suffix));
	name = bt_mem_printf(".%.*s.%s.%s", (int)n, l->name, hex, suffix);
	for (char *c = name; *c != '\0'; c++)
		if (*c == '/')
			*c = '_';
	assert(strlen(name) <= NAME_BYTES_MAX);
	return name;
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
