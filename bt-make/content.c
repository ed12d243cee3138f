#include "content.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/filetab.h"
#include "codec/metainfo.h"
#include "disk/walk.h"

struct scan {
	const struct content_conf *conf;
	const char *root;
};

static bool
matches(const char **globs, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (fnmatch(globs[i], path, FNM_PATHNAME) == 0 ||
		    fnmatch(globs[i], bt_str_leaf(path), 0) == 0)
			return true;
	return false;
}

static bool
is_left_out(const struct content_conf *conf, const char *path, bool is_dir)
{
	if (matches(conf->exclude, conf->nexclude, path))
		return true;
	return !is_dir && conf->ninclude > 0 &&
	       !matches(conf->include, conf->ninclude, path);
}

/* A torrent written into its own folder must not become part of itself. */
static bool
is_apart(const struct scan *s, const char *path)
{
	struct stat st;
	char *full;
	bool same = false;

	if (s->conf->napart == 0)
		return false;
	full = bt_mem_printf("%s/%s", s->root, path);
	if (lstat(full, &st) == 0)
		for (size_t i = 0; i < s->conf->napart && !same; i++)
			same = st.st_dev == s->conf->apart[i].st_dev &&
			       st.st_ino == s->conf->apart[i].st_ino;
	bt_mem_free(full);
	return same;
}

static bool
skip(void *arg, const char *path, bool is_dir)
{
	const struct scan *s = arg;

	return is_left_out(s->conf, path, is_dir) ||
	       (!is_dir && is_apart(s, path));
}

static int
by_path(const void *a, const void *b)
{
	const struct bt_walk_file *fa = a, *fb = b;

	return strcmp(fa->path, fb->path);
}

static int
by_component(const void *a, const void *b)
{
	const struct bt_walk_file *fa = a, *fb = b;

	return bt_filetab_path_cmp(bt_str_of(fa->path), bt_str_of(fb->path));
}

/* The last component of path; "." and ".." are asked for their names. */
static int
name_of(const char *path, char **name, struct bt_err *err)
{
	char real[PATH_MAX];
	size_t n = strlen(path), from;

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (from = n; from > 0 && path[from - 1] != '/'; from--)
		continue;
	*name = bt_str_dup(
	    (struct bt_str){ (const uint8_t *)path + from, n - from });
	if (strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
		bt_mem_free(*name);
		*name = NULL;
		if (realpath(path, real) == NULL)
			return bt_err_sys(err, "cannot name '%s'", path);
		*name = bt_mem_strdup(bt_str_leaf(real));
	}
	return 0;
}

static void
take_single(struct content *c, const char *path, uint64_t size)
{
	c->single = true;
	c->nfiles = 1;
	c->size = size;
	c->files = bt_mem_zero(1, sizeof(*c->files));
	c->sources = bt_mem_zero(1, sizeof(*c->sources));
	c->text = bt_mem_strdup(path);
	c->files[0].size = size;
	c->sources[0] = (struct bt_author_file){ c->text, size };
}

/* Full paths in one block; a file's path in the torrent is a tail of its. */
static void
take_files(struct content *c, const char *root, const struct bt_walk *w)
{
	size_t root_n = strlen(root), total = 0, n;
	char *to;

	c->nfiles = w->n;
	c->files = bt_mem_zero(w->n, sizeof(*c->files));
	c->sources = bt_mem_zero(w->n, sizeof(*c->sources));
	for (size_t i = 0; i < w->n; i++)
		total += root_n + 1 + strlen(w->files[i].path) + 1;
	c->text = to = bt_mem_alloc(total);
	for (size_t i = 0; i < w->n; i++) {
		n = strlen(w->files[i].path);
		memcpy(to, root, root_n);
		to[root_n] = '/';
		memcpy(to + root_n + 1, w->files[i].path, n + 1);
		c->sources[i] = (struct bt_author_file){ to, w->files[i].size };
		c->files[i].path =
		    (struct bt_str){ (uint8_t *)to + root_n + 1, n };
		c->files[i].size = w->files[i].size;
		c->size += w->files[i].size;
		to += root_n + 1 + n + 1;
	}
}

/* Is s a path that may be beneath a folder? */
static bool
is_beneath(struct bt_str s)
{
	size_t n;

	if (s.n > BT_META_PATH_MAX)
		return false;
	for (;; s = bt_str_sub(s, n + 1, s.n)) {
		n = bt_str_find(s, '/');
		if (!bt_meta_is_safe_name(bt_str_sub(s, 0, n)))
			return false;
		if (n == s.n)
			return true;
	}
}

/* One path of the list, which is w's next file; taken over by w. */
static int
take_listed(
    const struct scan *s, struct bt_walk *w, char *path, struct bt_err *err)
{
	char *full = bt_mem_printf("%s/%s", s->root, path);
	struct stat st;
	int rc = 0;

	if (lstat(full, &st) == -1)
		rc = bt_err_sys(err, "cannot open '%s'", full);
	else if (!S_ISREG(st.st_mode))
		rc = bt_err_set(err, BT_EFILE,
		    "'%s' in the list of files is not a regular file", full);
	bt_mem_free(full);
	w->files[w->n++] = (struct bt_walk_file){ .path = path,
		.size = rc == 0 ? (uint64_t)st.st_size : 0 };
	return rc;
}

/* The files that the list names, as if a walk had found them. */
static int
read_list(const struct scan *s, struct bt_walk *w, struct bt_err *err)
{
	struct bt_str rest = s->conf->list, line;
	size_t n, cap = 0;
	char *path;
	int rc = 0;

	*w = (struct bt_walk){ .files = NULL };
	for (; rest.n > 0 && rc == 0; rest = bt_str_sub(rest, n, rest.n)) {
		n = bt_str_find(rest, (uint8_t)s->conf->list_end);
		line = bt_str_sub(rest, 0, n);
		n += n < rest.n;
		while (bt_str_starts(line, STR("./")))
			line = bt_str_sub(line, 2, line.n);
		if (line.n == 0)
			continue;
		path = bt_str_dup(line);
		if (!is_beneath(line)) {
			rc = bt_err_set(err, BT_EINPUT,
			    "'%s' in the list of files is no path beneath '%s'",
			    path, s->root);
		} else if (!is_left_out(s->conf, path, false)) {
			if (w->n == cap) {
				cap = cap == 0 ? 64 : cap * 2;
				w->files = bt_mem_resize(
				    w->files, cap, sizeof(*w->files));
			}
			rc = take_listed(s, w, path, err);
			path = NULL;
		}
		bt_mem_free(path);
	}
	if (rc == -1)
		bt_walk_fini(w);
	return rc;
}

/* A file that is listed twice is there once. */
static void
drop_repeats(struct bt_walk *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (n > 0 &&
		    strcmp(w->files[n - 1].path, w->files[i].path) == 0)
			bt_mem_free(w->files[i].path);
		else
			w->files[n++] = w->files[i];
	w->n = n;
}

static int
scan_folder(struct content *c, const char *path,
    const struct content_conf *conf, struct bt_err *err)
{
	struct scan s = { conf, path };
	struct bt_walk w;

	if (conf->has_list ? read_list(&s, &w, err) == -1
			   : bt_walk_run(&w, path, false, skip, &s, err) == -1)
		return -1;
	c->passed_over = w.passed_over;
	if (w.n > 0) {
		qsort(w.files, w.n, sizeof(*w.files),
		    conf->by_component ? by_component : by_path);
		drop_repeats(&w);
		take_files(c, path, &w);
	}
	bt_walk_fini(&w);
	return 0;
}

int
content_scan(struct content *c, const char *path,
    const struct content_conf *conf, struct bt_err *err)
{
	struct stat st;

	memset(c, 0, sizeof(*c));
	if (stat(path, &st) == -1)
		return bt_err_sys(err, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return bt_err_set(
		    err, BT_EFILE, "'%s' is neither a file nor a folder", path);
	if (name_of(path, &c->name, err) == -1)
		return -1;
	if (S_ISREG(st.st_mode) && conf->has_list) {
		bt_err_set(err, BT_EUSAGE,
		    "a list of files is of a folder, and '%s' is a file", path);
		goto fail;
	}
	if (S_ISREG(st.st_mode))
		take_single(c, path, (uint64_t)st.st_size);
	else if (scan_folder(c, path, conf, err) == -1)
		goto fail;
	if (c->size == 0) {
		bt_err_set(
		    err, BT_EINPUT, "'%s' has nothing to share in it", path);
		goto fail;
	}
	return 0;
fail:
	content_fini(c);
	return -1;
}

void
content_fini(struct content *c)
{
	bt_mem_free(c->name);
	bt_mem_free(c->files);
	bt_mem_free(c->sources);
	bt_mem_free(c->text);
	memset(c, 0, sizeof(*c));
}
