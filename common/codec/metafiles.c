#include "codec/metafiles.h"

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

/* The entry that begins in, and *used of its bytes; its path may be at `to`. */
static int
read_file(struct bt_str in, size_t *used, const struct bt_meta *m, char *to,
    struct bt_file *f, struct bt_err *err)
{
	struct bt_ben length, path, path8, attr;
	const struct bt_ben_want want[] = {
		{ STR("length"), BT_BEN_NONE, &length },
		{ STR("path"), BT_BEN_NONE, &path },
		{ STR("path.utf-8"), BT_BEN_LIST, &path8 },
		{ STR("attr"), BT_BEN_STR, &attr },
	};
	struct bt_err ignored = BT_ERR_INIT;

	if (in.p[0] != 'd')
		return bt_err_set(err, BT_EINPUT, "it is not a dictionary");
	*used = bt_ben_pick_at(in, want, sizeof(want) / sizeof(want[0]));
	*f = (struct bt_file){ .attr = bt_metafiles_attr(attr.str) };
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
	return 0;
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

/* Files that do not stand in the order of their paths. */
static int
check_unsorted(const struct bt_filetab *t, struct bt_err *err)
{
	uint32_t n, *all = bt_filetab_by_path(t, BT_META_PAD, &n);
	int rc = 0;

	for (uint32_t i = 1; i < n && rc == 0; i++)
		rc = check_pair(bt_filetab_get(t, all[i - 1]).path,
		    bt_filetab_get(t, all[i]).path, err);
	bt_mem_free(all);
	return rc;
}

int
bt_metafiles_check(const struct bt_filetab *t, struct bt_err *err)
{
	struct bt_file f, last = { .path = { NULL, 0 } };

	for (uint32_t i = 0; i < t->n; i++) {
		f = bt_filetab_get(t, i);
		if ((f.attr & BT_META_PAD) != 0)
			continue;
		if (bt_filetab_path_cmp(last.path, f.path) > 0)
			return check_unsorted(t, err);
		if (last.path.n > 0 && check_pair(last.path, f.path, err) == -1)
			return -1;
		last = f;
	}
	return 0;
}

int
bt_metafiles_parse(
    struct bt_meta *m, const struct bt_ben *list, struct bt_err *err)
{
	struct bt_str in = bt_str_sub(list->raw, 1, list->raw.n);
	char to[BT_META_PATH_MAX];
	struct bt_file f;
	size_t used = 0;

	m->files = bt_filetab_new();
	for (; in.p[0] != 'e'; in = bt_str_sub(in, used, in.n)) {
		if (m->files->n == BT_META_FILES_MAX)
			return bt_err_set(err, BT_ELIMIT, "more than %u files",
			    BT_META_FILES_MAX);
		if (read_file(in, &used, m, to, &f, err) == -1)
			return bt_err_prefix(err, "file %u", m->files->n + 1);
		if (f.size > BT_META_SIZE_MAX - m->size)
			return bt_err_set(
			    err, BT_ELIMIT, "the files' sizes overflow");
		bt_filetab_add(m->files, f.size, f.attr, f.path);
		m->size += f.size;
	}
	if (m->files->n == 0)
		return bt_err_set(
		    err, BT_EINPUT, "the torrent's list of files is empty");
	return bt_metafiles_check(m->files, err);
}
