/* Names: what cannot be a name here, or elsewhere, or beside another. */
#include <stdlib.h>
#include <string.h>

#include "codec/casefold.h"
#include "codec/filetab.h"
#include "codec/lint_priv.h"
#include "codec/metainfo.h"

#define SHOWN_MAX 256 /* bytes of a name that are repeated */

/* Names of devices, which Windows knows in every folder, also before a dot. */
static bool
is_device(struct bt_str s)
{
	static const char *const names[] = { "con", "prn", "aux", "nul",
		"conin$", "conout$" };
	size_t n = bt_str_find(s, '.');
	uint8_t low[8];

	while (n > 0 && s.p[n - 1] == ' ')
		n--;
	if (n < 3 || n >= sizeof(low))
		return false;
	for (size_t i = 0; i < n; i++)
		low[i] =
		    s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i];
	if (n == 4 && low[3] >= '1' && low[3] <= '9')
		return memcmp(low, "com", 3) == 0 || memcmp(low, "lpt", 3) == 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (n == strlen(names[i]) && memcmp(low, names[i], n) == 0)
			return true;
	return false;
}

static void
check_windows(struct bt_lint *l, struct bt_str s)
{
	uint8_t last = s.p[s.n - 1];

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' && s.p[i] != '\0') {
			bt_lint_tell(l, BT_LINT_WINDOWS_NAME, s.p + i,
			    "it holds the control byte 0x%02x", s.p[i]);
			return;
		}
		if (s.p[i] != '\0' && strchr("<>:\"\\|?*", s.p[i]) != NULL) {
			bt_lint_tell(l, BT_LINT_WINDOWS_NAME, s.p + i,
			    "it holds '%c', which Windows names cannot",
			    s.p[i]);
			return;
		}
	}
	if (last == '.' || last == ' ')
		bt_lint_tell(l, BT_LINT_WINDOWS_NAME, s.p + s.n - 1,
		    "it ends with a %s, which Windows drops",
		    last == '.' ? "dot" : "blank");
	else if (is_device(s))
		bt_lint_tell(l, BT_LINT_WINDOWS_NAME, s.p,
		    "it is the name of a device on Windows");
}

void
bt_lint_utf8(struct bt_lint *l, struct bt_str text)
{
	size_t at = 0, next = 0;

	if (bt_str_is_utf8(text))
		return;
	while (bt_casefold_next(text, &next) < BT_CASEFOLD_BYTE)
		at = next;
	bt_lint_tell(l, BT_LINT_INVALID_UTF8, text.p + at,
	    "the text is not UTF-8 from here on");
}

void
bt_lint_name(struct bt_lint *l, struct bt_str s)
{
	size_t slash = bt_str_find(s, '/'), nul = bt_str_find(s, '\0');

	if (s.n == 0) {
		bt_lint_tell(l, BT_LINT_PATH_EMPTY, s.p, "the name is empty");
		return;
	}
	if (bt_str_eq(s, STR(".")) || bt_str_eq(s, STR(".."))) {
		bt_lint_tell(l, BT_LINT_PATH_TRAVERSAL, s.p,
		    "'%.*s' is a folder and not a name", (int)s.n,
		    (const char *)s.p);
		return;
	}
	if (slash == 0)
		bt_lint_tell(l, BT_LINT_PATH_ABSOLUTE, s.p,
		    "the name begins with '/' and so would be absolute");
	else if (slash < s.n)
		bt_lint_tell(l, BT_LINT_PATH_SEPARATOR, s.p + slash,
		    "the name holds '/', so it is more than one");
	if (nul < s.n)
		bt_lint_tell(l, BT_LINT_PATH_NUL, s.p + nul,
		    "the name holds a NUL byte");
	if (s.n > BT_META_NAME_MAX)
		bt_lint_tell(l, BT_LINT_PATH_LONG, s.p,
		    "the name has %zu bytes, and file systems hold %u", s.n,
		    BT_META_NAME_MAX);
	bt_lint_utf8(l, s);
	check_windows(l, s);
}

static int
cmp_paths(const void *a, const void *b)
{
	const struct bt_lint_path *x = a, *y = b;
	int order = bt_casefold_cmp_paths(x->path, y->path);

	if (order == 0)
		order = bt_str_cmp(x->path, y->path);
	return order != 0 ? order : (x->file > y->file) - (x->file < y->file);
}

static int
cmp_bytes(const void *a, const void *b)
{
	const struct bt_lint_path *x = a, *y = b;
	int order = bt_filetab_path_cmp(x->path, y->path);

	return order != 0 ? order : (x->file > y->file) - (x->file < y->file);
}

static void
sort(struct bt_lint_path *paths, size_t n,
    int (*cmp)(const void *, const void *))
{
	for (size_t i = 1; i < n; i++)
		if (cmp(&paths[i - 1], &paths[i]) > 0) {
			qsort(paths, n, sizeof(*paths), cmp);
			return;
		}
}

/* a comes before b, and is equal to it but for case. */
static void
check_equals(struct bt_lint *l, const struct bt_lint_path *a,
    const struct bt_lint_path *b)
{
	char shown[SHOWN_MAX];

	if (bt_casefold_cmp_paths(a->path, b->path) != 0)
		return;
	bt_lint_into_index(l, b->file);
	bt_str_printable(a->path, shown, sizeof(shown));
	if (bt_str_eq(a->path, b->path))
		bt_lint_tell(l, BT_LINT_DUPLICATE_PATH, b->at,
		    "file %u has the same path '%s'", a->file, shown);
	else
		bt_lint_tell(l, BT_LINT_CASE_COLLISION, b->at,
		    "file %u is '%s', which is the same where case does not "
		    "count",
		    a->file, shown);
	bt_lint_out(l);
}

static bool
is_beneath(const struct bt_lint_path *b, const struct bt_lint_path *a)
{
	return b->path.n > a->path.n && b->path.p[a->path.n] == '/' &&
	       bt_str_starts(b->path, a->path);
}

/* What lies beneath a file comes right behind it: one pass finds it all. */
static void
check_folders(struct bt_lint *l, struct bt_lint_path *paths, size_t n)
{
	const struct bt_lint_path *above = paths, *b;
	char shown[SHOWN_MAX];

	sort(paths, n, cmp_bytes);
	for (size_t i = 1; i < n; i++) {
		b = &paths[i];
		if (!is_beneath(b, above)) {
			if (!bt_str_eq(b->path, above->path))
				above = b;
			continue;
		}
		if (bt_str_eq(b->path, b[-1].path))
			continue; /* told of as equal */
		bt_lint_into_index(l, b->file);
		bt_str_printable(above->path, shown, sizeof(shown));
		bt_lint_tell(l, BT_LINT_FILE_AND_FOLDER, b->at,
		    "file %u is '%s', which is a folder here", above->file,
		    shown);
		bt_lint_out(l);
	}
}

void
bt_lint_paths(struct bt_lint *l, struct bt_lint_path *paths, size_t n)
{
	check_folders(l, paths, n);
	sort(paths, n, cmp_paths);
	for (size_t i = 1; i < n; i++)
		check_equals(l, &paths[i - 1], &paths[i]);
}
