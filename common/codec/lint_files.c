/* The list of files: lengths, paths, padding. */
#include <string.h>

#include "base/mem.h"
#include "codec/lint_priv.h"
#include "codec/metafiles.h"

struct list {
	struct bt_lint *l;
	uint64_t name_n; /* bytes of the torrent's name */
	int64_t piece_length;
	uint64_t size; /* of the files so far */
	bool is_sized; /* all lengths are right */
	uint8_t *arena;
	size_t arena_n;
	struct bt_lint_path *paths;
	size_t npaths, cap;
};

static void
keep_path(struct list *f, size_t from, uint32_t file, const uint8_t *at)
{
	if (f->npaths == f->cap) {
		f->cap = f->cap == 0 ? 64 : f->cap * 2;
		f->paths = bt_mem_resize(f->paths, f->cap, sizeof(*f->paths));
	}
	f->paths[f->npaths++] = (struct bt_lint_path){
		.path = { f->arena + from, f->arena_n - from },
		.file = file,
		.at = at,
	};
}

/*
 * All that is wrong with a path alone; false: its components make none, or one
 * that no system takes, which is not worth comparing with others.
 */
static bool
check_components(struct list *f, const struct bt_ben *path)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben part;
	bool whole = true;
	uint64_t n = 0, joined = 0;

	for (; bt_ben_next(path, &it, &part); n++) {
		bt_lint_into_index(f->l, n);
		if (part.type == BT_BEN_STR) {
			bt_lint_name(f->l, part.str);
		} else {
			bt_lint_tell(f->l, BT_LINT_WRONG_TYPE, part.raw.p,
			    "a component of a path should be a string");
			whole = false;
		}
		bt_lint_out(f->l);
		joined += part.str.n + (n != 0);
	}
	if (n == 0)
		bt_lint_tell(f->l, BT_LINT_PATH_EMPTY, path->raw.p,
		    "the path has no component");
	if (n > BT_META_DEPTH_MAX)
		bt_lint_tell(f->l, BT_LINT_PATH_LONG, path->raw.p,
		    "the path has %llu components, and %u are enough",
		    (unsigned long long)n, BT_META_DEPTH_MAX);
	else if (joined + f->name_n + 1 > BT_META_PATH_MAX)
		bt_lint_tell(f->l, BT_LINT_PATH_LONG, path->raw.p,
		    "the path has %llu bytes, and systems take %u",
		    (unsigned long long)(joined + f->name_n + 1),
		    BT_META_PATH_MAX);
	return whole && n > 0 && n <= BT_META_DEPTH_MAX &&
	       joined <= BT_META_PATH_MAX;
}

/* The path as one string in the arena, for comparing it with the others. */
static void
join(struct list *f, const struct bt_ben *path)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben part;

	while (bt_ben_next(path, &it, &part)) {
		if (part.raw.p != path->raw.p + 1)
			f->arena[f->arena_n++] = '/';
		if (part.str.n > 0)
			memcpy(f->arena + f->arena_n, part.str.p, part.str.n);
		f->arena_n += part.str.n;
	}
}

/* The components of a list under a key; false: they make no path. */
static bool
check_list(struct list *f, const char *key, const struct bt_ben *path)
{
	bool whole;

	bt_lint_into_key(f->l, bt_str_of(key));
	whole = check_components(f, path);
	bt_lint_out(f->l);
	return whole;
}

static bool
is_utf8(const struct bt_ben *path)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben part;

	while (bt_ben_next(path, &it, &part))
		if (!bt_str_is_utf8(part.str))
			return false;
	return true;
}

/* path.utf-8 counts where it is UTF-8; the other is looked at all the same. */
static void
check_path(struct list *f, const struct bt_ben *item, const struct bt_ben *path,
    const struct bt_ben *path8, bool is_pad, uint32_t file)
{
	const struct bt_ben *use = NULL;
	size_t from = f->arena_n;

	if (path->type == BT_BEN_LIST && check_list(f, "path", path))
		use = path;
	if (path8->type == BT_BEN_LIST && bt_str_eq(path->raw, path8->raw))
		f->l->idle += path8->raw.n + sizeof("10:path.utf-8");
	else if (path8->type == BT_BEN_LIST &&
		 check_list(f, "path.utf-8", path8) && is_utf8(path8))
		use = path8;
	if (!is_pad && bt_ben_get(item, "path").type == BT_BEN_NONE)
		bt_lint_tell(f->l, BT_LINT_MISSING_KEY, item->raw.p,
		    "the file has no 'path'");
	if (use == NULL || is_pad)
		return;
	join(f, use);
	keep_path(f, from, file, use->raw.p);
}

/* BEP 47: padding brings the next file to the start of a piece. */
static void
check_padding(struct list *f, const struct bt_ben *item, uint64_t length,
    const struct bt_ben *path, bool is_pad)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben first = { 0 };

	if (!is_pad) {
		bt_ben_next(path, &it, &first);
		if (bt_str_starts(first.str, STR("_____padding_file")))
			bt_lint_tell(f->l, BT_LINT_PADDING, first.raw.p,
			    "it is called padding, and no attr 'p' says so");
		return;
	}
	if (f->piece_length < 1)
		return;
	if (length == 0)
		bt_lint_tell(
		    f->l, BT_LINT_PADDING, item->raw.p, "the padding is empty");
	else if (length >= (uint64_t)f->piece_length)
		bt_lint_tell(f->l, BT_LINT_PADDING, item->raw.p,
		    "the padding is as long as a piece or longer");
	else if ((f->size + length) % (uint64_t)f->piece_length != 0)
		bt_lint_tell(f->l, BT_LINT_PADDING, item->raw.p,
		    "the padding does not end where a piece ends");
}

static void
check_length(struct list *f, const struct bt_ben *item,
    const struct bt_ben *length, unsigned attr)
{
	if (length->type == BT_BEN_NONE) {
		f->is_sized &= (attr & BT_META_LINK) != 0;
		if ((attr & BT_META_LINK) == 0 &&
		    bt_ben_get(item, "length").type == BT_BEN_NONE)
			bt_lint_tell(f->l, BT_LINT_MISSING_KEY, item->raw.p,
			    "the file has no 'length'");
		return;
	}
	if (length->num < 0) {
		f->is_sized = false;
		bt_lint_tell(f->l, BT_LINT_FILE_LENGTH, length->raw.p,
		    "the file's length is negative");
	} else if ((uint64_t)length->num > BT_META_SIZE_MAX - f->size) {
		f->is_sized = false;
		bt_lint_tell(f->l, BT_LINT_FILE_LENGTH, length->raw.p,
		    "the files are larger than 2^62 bytes");
	} else {
		f->size += (uint64_t)length->num;
	}
}

static void
check_file(struct list *f, const struct bt_ben *item, uint32_t file)
{
	struct bt_ben length, path, path8, attr;
	const struct bt_lint_key keys[] = {
		{ STR("length"), BT_BEN_INT, &length },
		{ STR("path"), BT_BEN_LIST, &path },
		{ STR("path.utf-8"), BT_BEN_LIST, &path8 },
		{ STR("attr"), BT_BEN_STR, &attr },
		{ STR("symlink path"), BT_BEN_LIST, &(struct bt_ben){ 0 } },
		{ STR("md5sum"), BT_BEN_STR, NULL },
		{ STR("sha1"), BT_BEN_STR, NULL },
	};
	unsigned bits;

	if (item->type != BT_BEN_DICT) {
		bt_lint_tell(f->l, BT_LINT_WRONG_TYPE, item->raw.p,
		    "a file should be a dictionary");
		f->is_sized = false;
		return;
	}
	bt_lint_keys(f->l, item, keys, sizeof(keys) / sizeof(keys[0]));
	bits = bt_metafiles_attr(attr.str);
	check_padding(f, item, length.num > 0 ? (uint64_t)length.num : 0, &path,
	    (bits & BT_META_PAD) != 0);
	check_length(f, item, &length, bits);
	check_path(f, item, &path, &path8, (bits & BT_META_PAD) != 0, file);
}

int64_t
bt_lint_files(struct bt_lint *l, const struct bt_ben *files, uint64_t name_n,
    int64_t piece_length)
{
	struct list f = { .l = l,
		.name_n = name_n,
		.piece_length = piece_length,
		.is_sized = true };
	struct bt_ben_iter it = { 0 };
	struct bt_ben item;
	uint32_t n = 0;

	/* A joined path is shorter than its list, so this is enough. */
	f.arena = bt_mem_alloc(files->raw.n);
	bt_lint_into_key(l, STR("files"));
	for (; n < BT_META_FILES_MAX && bt_ben_next(files, &it, &item); n++) {
		bt_lint_into_index(l, n);
		check_file(&f, &item, n);
		bt_lint_out(l);
	}
	if (n == 0 || bt_ben_next(files, &it, &item))
		bt_lint_tell(l, BT_LINT_NO_FILES, files->raw.p,
		    n == 0 ? "the list of files is empty"
			   : "there are more files than any reader takes");
	bt_lint_paths(l, f.paths, f.npaths);
	bt_lint_out(l);
	bt_mem_free(f.paths);
	bt_mem_free(f.arena);
	return f.is_sized ? (int64_t)f.size : -1;
}
