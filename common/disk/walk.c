#include "disk/walk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec/metainfo.h"

/* A folder that is being walked: its names, sorted, and how far we are. */
struct level {
	int fd;
	char **names;
	size_t n, at;
	size_t path_n; /* bytes of walker.path that name the folder */
};

struct walker {
	struct bt_walk *out;
	size_t cap; /* of out->files */
	const char *root;
	bool lenient;
	bool (*skip)(void *arg, const char *path, bool is_dir);
	void *arg;
	struct level levels[BT_META_DEPTH_MAX];
	size_t depth; /* of levels that are in use */
	char path[BT_META_PATH_MAX + 1];
};

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
free_names(struct level *l)
{
	for (size_t i = 0; i < l->n; i++)
		bt_mem_free(l->names[i]);
	bt_mem_free(l->names);
}

/* "root/path" in words, of w->path. 0 where it may be passed over. */
static int
fail(const struct walker *w, const char *what, struct bt_err *err)
{
	const char *slash = w->path[0] == '\0' ? "" : "/";

	if (w->lenient && w->path[0] != '\0') {
		w->out->unseen++;
		return 0;
	}
	return bt_err_sys(
	    err, "cannot %s '%s%s%s'", what, w->root, slash, w->path);
}

/* Fill l with the names in fd, which it takes. */
static int
list(struct level *l, int fd)
{
	struct dirent *e;
	size_t cap = 0;
	DIR *d;

	*l = (struct level){ .fd = fd };
	d = fdopendir(dup(fd));
	if (d == NULL)
		return -1;
	for (;;) {
		errno = 0;
		e = readdir(d);
		if (e == NULL)
			break;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (l->n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			l->names =
			    bt_mem_resize(l->names, cap, sizeof(*l->names));
		}
		l->names[l->n++] = bt_mem_strdup(e->d_name);
	}
	if (errno != 0) {
		int code = errno;

		closedir(d);
		errno = code;
		return -1;
	}
	closedir(d);
	if (l->n > 0)
		qsort(l->names, l->n, sizeof(*l->names), by_bytes);
	return 0;
}

static void
leave(struct walker *w)
{
	struct level *l = &w->levels[--w->depth];

	free_names(l);
	close(l->fd);
}

/* Go into the folder at w->path, opened as fd, which it takes. */
static int
enter(struct walker *w, int fd, struct bt_err *err)
{
	struct level *l;
	int rc;

	if (w->depth == BT_META_DEPTH_MAX) {
		close(fd);
		if (w->lenient) {
			w->out->unseen++;
			return 0;
		}
		return bt_err_set(err, BT_ELIMIT,
		    "'%s/%s' is deeper than %u folders", w->root, w->path,
		    BT_META_DEPTH_MAX);
	}
	l = &w->levels[w->depth++];
	if (list(l, fd) == -1) {
		rc = fail(w, "read", err);
		leave(w);
		return rc;
	}
	l->path_n = strlen(w->path);
	return 0;
}

static int
add_file(struct walker *w, const struct stat *st, struct bt_err *err)
{
	struct bt_walk *out = w->out;

	if (out->n == BT_META_FILES_MAX)
		return bt_err_set(err, BT_ELIMIT,
		    "'%s' holds more than %u files", w->root,
		    BT_META_FILES_MAX);
	if (out->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		out->files =
		    bt_mem_resize(out->files, w->cap, sizeof(*out->files));
	}
	out->files[out->n++] = (struct bt_walk_file){
		.path = bt_mem_strdup(w->path),
		.size = (uint64_t)st->st_size,
		.executable = (st->st_mode & S_IXUSR) != 0,
	};
	return 0;
}

/* What lies at w->path, which is `name` in the folder l. */
static int
visit(struct walker *w, const struct level *l, const char *name,
    struct bt_err *err)
{
	struct stat st;
	bool is_dir;
	int fd;

	if (fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return fail(w, "read", err);
	is_dir = S_ISDIR(st.st_mode);
	if (w->skip != NULL && w->skip(w->arg, w->path, is_dir))
		return 0;
	if (!is_dir && !S_ISREG(st.st_mode)) {
		w->out->passed_over++;
		return 0;
	}
	if (!is_dir)
		return add_file(w, &st, err);
	fd = openat(
	    l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return fail(w, "open", err);
	return enter(w, fd, err);
}

/* Make w->path name the next entry of l. */
static int
step(struct walker *w, struct level *l, struct bt_err *err)
{
	const char *name = l->names[l->at++];
	size_t n = strlen(name), at = l->path_n;

	w->path[at] = '\0';
	if (n + 1 > BT_META_PATH_MAX - at && w->lenient) {
		w->out->unseen++;
		return 0;
	}
	if (n + 1 > BT_META_PATH_MAX - at)
		return bt_err_set(err, BT_ELIMIT,
		    "a path in '%s/%s' is longer than %u bytes", w->root,
		    w->path, BT_META_PATH_MAX);
	if (at > 0)
		w->path[at++] = '/';
	memcpy(w->path + at, name, n + 1);
	return visit(w, l, name, err);
}

int
bt_walk_run(struct bt_walk *w, const char *root, bool lenient,
    bool (*skip)(void *arg, const char *path, bool is_dir), void *arg,
    struct bt_err *err)
{
	struct walker *s;
	struct level *l;
	int fd, rc;

	*w = (struct bt_walk){ .files = NULL };
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return bt_err_sys(err, "cannot open '%s'", root);
	s = bt_mem_zero(1, sizeof(*s));
	s->out = w;
	s->root = root;
	s->lenient = lenient;
	s->skip = skip;
	s->arg = arg;
	rc = enter(s, fd, err);
	while (rc == 0 && s->depth > 0) {
		l = &s->levels[s->depth - 1];
		if (l->at == l->n)
			leave(s);
		else
			rc = step(s, l, err);
	}
	while (s->depth > 0)
		leave(s);
	bt_mem_free(s);
	if (rc == -1)
		bt_walk_fini(w);
	return rc;
}

void
bt_walk_fini(struct bt_walk *w)
{
	for (size_t i = 0; i < w->n; i++)
		bt_mem_free(w->files[i].path);
	bt_mem_free(w->files);
	*w = (struct bt_walk){ .files = NULL };
}
