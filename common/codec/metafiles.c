#include "codec/metafiles.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SHOWN_MAX (4 * BT_META_NAME_MAX + 1) /* every byte as \xNN */

unsigned
bt_metafiles_attr(struct bt_str attr)
{
	unsigned bits = 0;

	for (size_t i = 0; i < attr.n; i++)
		switch (attr.p[i]) {
		case 'p':
			bits |= BT_META_PAD;
			break;
		case 'x':
			bits |= BT_META_EXEC;
			break;
		case 'h':
			bits |= BT_META_HIDDEN;
			break;
		case 'l':
			bits |= BT_META_LINK;
			break;
		}
	return bits;
}

/*
 * Is the list a path that can be made under a folder whose name has base_n
 * bytes? It is joined with '/' at `to`, but for a single component, which is
 * where it is.
 */
static int
check_path(const struct bt_ben *list, size_t base_n, char *to,
    struct bt_str *path, struct bt_err *err)
{
	struct bt_ben_iter it = { 0 };
	char shown[SHOWN_MAX];
	struct bt_ben part;
	size_t n = 0, parts = 0;

	for (; bt_ben_next(list, &it, &part); parts++) {
		if (part.type != BT_BEN_STR)
			return bt_err_set(
			    err, BT_EINPUT, "a path component is not a string");
		if (!bt_meta_is_safe_name(part.str)) {
			bt_str_printable(part.str, shown, sizeof(shown));
			return bt_err_set(err, BT_EINPUT,
			    "unsafe path component '%s'", shown);
		}
		if (parts == BT_META_DEPTH_MAX || base_n >= BT_META_PATH_MAX ||
		    n + part.str.n + (parts != 0) >
			BT_META_PATH_MAX - 1 - base_n)
			return bt_err_set(err, BT_ELIMIT,
			    "the path is longer than %u bytes or %u folders",
			    BT_META_PATH_MAX, BT_META_DEPTH_MAX);
		if (parts != 0)
			to[n++] = '/';
		memcpy(to + n, part.str.p, part.str.n);
		n += part.str.n;
		*path = part.str;
	}
	if (parts == 0)
		return bt_err_set(err, BT_EINPUT, "the path is empty");
	if (parts > 1)
		*path = (struct bt_str){ (uint8_t *)to, n };
	return 0;
}

static bool
is_all_utf8(const struct bt_ben *list)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben part;

	while (bt_ben_next(list, &it, &part))
		if (part.type == BT_BEN_STR && !bt_str_is_utf8(part.str))
			return false;
	return true;
}

/*
 * The entry that begins in, and *used of its bytes; its path may take *arena_n
 * bytes of the arena.
 */
static int
read_file(struct bt_str in, size_t *used, const struct bt_meta *m,
    size_t *arena_n, struct bt_meta_file *f, struct bt_err *err)
{
	struct bt_ben length, path, path8, attr, md5sum;
	const struct bt_ben_want want[] = {
		{ STR("length"), BT_BEN_NONE, &length },
		{ STR("path"), BT_BEN_NONE, &path },
		{ STR("path.utf-8"), BT_BEN_LIST, &path8 },
		{ STR("attr"), BT_BEN_STR, &attr },
		{ STR("md5sum"), BT_BEN_STR, &md5sum },
	};
	struct bt_err ignored = BT_ERR_INIT;
	char *to = m->arena + *arena_n;

	if (in.p[0] != 'd')
		return bt_err_set(err, BT_EINPUT, "it is not a dictionary");
	*used = bt_ben_pick_at(in, want, sizeof(want) / sizeof(want[0]));
	*f = (struct bt_meta_file){ .md5sum = md5sum.str };
	f->attr = bt_metafiles_attr(attr.str);
	if (length.type == BT_BEN_INT && length.num >= 0)
		f->size = (uint64_t)length.num;
	else if (length.type != BT_BEN_NONE || !(f->attr & BT_META_LINK))
		return bt_err_set(err, BT_EINPUT,
		    "its length is missing, negative or not an integer");
	if (path8.type != BT_BEN_NONE && is_all_utf8(&path8) &&
	    check_path(&path8, m->name.n, to, &f->path, &ignored) == 0)
		;
	else if (path.type == BT_BEN_NONE && (f->attr & BT_META_PAD) != 0)
		f->path = (struct bt_str){ NULL, 0 }; /* BEP 47: none needed */
	else if (path.type != BT_BEN_LIST)
		return bt_err_set(
		    err, BT_EINPUT, "its path is missing or not a list");
	else if (check_path(&path, m->name.n, to, &f->path, err) == -1)
		return -1;
	if (f->path.p == (uint8_t *)to)
		*arena_n += f->path.n;
	return 0;
}

int
bt_metafiles_path_cmp(struct bt_str a, struct bt_str b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;
	int x, y;

	while (n - i >= 16 && memcmp(a.p + i, b.p + i, 16) == 0)
		i += 16;
	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i == n)
		return (a.n > b.n) - (a.n < b.n);
	x = a.p[i] == '/' ? 0 : a.p[i];
	y = b.p[i] == '/' ? 0 : b.p[i];
	return x - y;
}

static int
file_cmp(const void *a, const void *b)
{
	const struct bt_meta_file *const *x = a, *const *y = b;

	return bt_metafiles_path_cmp((*x)->path, (*y)->path);
}

/* a comes before b or is equal to it. */
static int
check_pair(struct bt_str a, struct bt_str b, struct bt_err *err)
{
	char shown[SHOWN_MAX];

	if (!bt_str_starts(b, a) || (b.n > a.n && b.p[a.n] != '/'))
		return 0;
	bt_str_printable(a, shown, sizeof(shown));
	if (b.n == a.n)
		return bt_err_set(
		    err, BT_EINPUT, "two files have the path '%s'", shown);
	return bt_err_set(
	    err, BT_EINPUT, "'%s' is both a file and a folder", shown);
}

int
bt_metafiles_check(const struct bt_meta *m, struct bt_err *err)
{
	const struct bt_meta_file **by_path;
	size_t n = 0;
	bool sorted = true;
	int rc = 0;

	by_path = bt_mem_array(m->nfiles, sizeof(*by_path));
	for (uint32_t i = 0; i < m->nfiles; i++) {
		if ((m->files[i].attr & BT_META_PAD) != 0)
			continue;
		by_path[n++] = &m->files[i];
		if (n > 1 && file_cmp(&by_path[n - 2], &by_path[n - 1]) > 0)
			sorted = false;
	}
	if (!sorted)
		qsort(by_path, n, sizeof(*by_path), file_cmp);
	for (size_t i = 1; i < n && rc == 0; i++)
		rc = check_pair(by_path[i - 1]->path, by_path[i]->path, err);
	bt_mem_free(by_path);
	return rc;
}

int
bt_metafiles_parse(
    struct bt_meta *m, const struct bt_ben *list, struct bt_err *err)
{
	struct bt_str in = bt_str_sub(list->raw, 1, list->raw.n);
	struct bt_meta_file *f;
	size_t cap = 0, arena_n = 0, used;

	/* A joined path is shorter than its list, so this is enough. */
	m->arena = bt_mem_alloc(list->raw.n);
	for (; in.p[0] != 'e'; in = bt_str_sub(in, used, in.n)) {
		if (m->nfiles == BT_META_FILES_MAX)
			return bt_err_set(err, BT_ELIMIT, "more than %u files",
			    BT_META_FILES_MAX);
		if (m->nfiles == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			m->files =
			    bt_mem_resize(m->files, cap, sizeof(*m->files));
		}
		f = &m->files[m->nfiles];
		if (read_file(in, &used, m, &arena_n, f, err) == -1)
			return bt_err_prefix(err, "file %u", m->nfiles + 1);
		if (f->size > BT_META_SIZE_MAX - m->size)
			return bt_err_set(
			    err, BT_ELIMIT, "the files' sizes overflow");
		f->offset = m->size;
		m->size += f->size;
		m->nfiles++;
	}
	if (m->nfiles == 0)
		return bt_err_set(
		    err, BT_EINPUT, "the torrent's list of files is empty");
	return bt_metafiles_check(m, err);
}
