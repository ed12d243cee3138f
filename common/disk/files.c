#include "disk/files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/beneath.h"
#include "disk/files_priv.h"
#include "disk/names.h"

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Where in a path the part begins that the table has. */
static size_t
inner(const struct bt_layout *l)
{
	return l->single ? 0 : strlen(l->name) + 1;
}

/* Note the paths that are in the way of another file's .part, or may be. */
static void
note_part_like(struct bt_files *f)
{
	const struct bt_layout *l = f->layout;
	const char *path;
	size_t cap = 0;

	for (uint32_t i = 0; i < l->files->n; i++) {
		path = (const char *)bt_filetab_get(l->files, i).path.p;
		if (!bt_names_is_like_part(path))
			continue;
		if (f->nparts_like == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			f->part_like = bt_mem_resize(
			    f->part_like, cap, sizeof(*f->part_like));
		}
		f->part_like[f->nparts_like++] = path;
	}
	if (f->nparts_like > 0)
		qsort(f->part_like, f->nparts_like, sizeof(*f->part_like),
		    by_text);
}

static bool
is_part_like(const struct bt_files *f, const char *path)
{
	const char *key = path + inner(f->layout);

	return f->nparts_like > 0 &&
	       bsearch(&key, f->part_like, f->nparts_like,
		   sizeof(*f->part_like), by_text) != NULL;
}

/* Is it the name of a file of the torrent, or the .part of another than path? */
static bool
is_taken(const struct bt_files *f, char *part, const char *path)
{
	char *tail = part + strlen(part) - strlen(".part");
	bool taken = is_part_like(f, part);

	*tail = '\0';
	taken = taken || (strcmp(part, path) != 0 && is_part_like(f, part));
	*tail = '.';
	return taken;
}

/*
 * gives path's .part, or the first numbered name that no other has. Numbers of
 * two files are never the same, so neither are such names.
 */
static char *
part_of(const struct bt_files *f, uint32_t file, const char *path)
{
	char *part = bt_names_part(path, file, false);

	for (uint64_t number = file; is_taken(f, part, path);
	     number += f->layout->files->n) {
		bt_mem_free(part);
		part = bt_names_part(path, number, true);
	}
	return part;
}

char *
bt_files_where(const struct bt_files *f, uint32_t file,
    enum bt_store_state state, int *dir)
{
	const char *leaf;
	char *path, *part, *out;

	if (state == BT_STORE_SIDE) {
		*dir = f->root_fd;
		return bt_mem_strdup(f->side_name);
	}
	if (file == f->only) {
		*dir = f->only_fd;
		leaf = bt_str_leaf(f->only_path);
		return state == BT_STORE_PART ? bt_names_part(leaf, file, false)
					      : bt_mem_strdup(leaf);
	}
	*dir = f->base_fd;
	path = bt_layout_path(f->layout, file);
	if (state == BT_STORE_PART) {
		part = part_of(f, file, path);
		bt_mem_free(path);
		path = part;
	}
	out = bt_mem_strdup(path + f->strip);
	bt_mem_free(path);
	return out;
}

/* gives "folder/path", without a "./" in front */
static char *
join(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	if (strcmp(folder, ".") == 0)
		return bt_mem_strdup(path);
	return bt_mem_printf(
	    "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", path);
}

char *
bt_files_shown(
    const struct bt_files *f, uint32_t file, enum bt_store_state state)
{
	char *rel, *out;
	int dir;

	if (f->anonymous) /* its file has no name: the folder is full, say */
		return bt_mem_strdup(f->root);
	if (file == f->only && state != BT_STORE_SIDE)
		return state == BT_STORE_PART
			   ? bt_names_part(f->only_path, file, false)
			   : bt_mem_strdup(f->only_path);
	rel = bt_files_where(f, file, state, &dir);
	out = join(dir == f->root_fd ? f->root : f->base, rel);
	bt_mem_free(rel);
	return out;
}

char *
bt_files_path(const struct bt_files *f, uint32_t file)
{
	char *rel, *out;
	int dir;

	assert(file < f->layout->files->n);
	if (file == f->only)
		return bt_mem_strdup(f->only_path);
	rel = bt_files_where(f, file, BT_STORE_FINAL, &dir);
	out = join(f->base, rel);
	bt_mem_free(rel);
	return out;
}

bool
bt_files_is_selected(const struct bt_files *f, uint32_t file)
{
	return !f->has_selected || bt_bits_has(&f->selected, file);
}

/* A path that the user gave: links in it are the user's own. */
static int
set_only(
    struct bt_files *f, uint32_t file, const char *path, struct bt_err *err)
{
	char *folder = bt_str_folder(path);

	f->only = file;
	f->only_path = bt_mem_strdup(path);
	f->only_fd = bt_opened_enter(f->opened, folder, err);
	bt_mem_free(folder);
	return f->only_fd == -1 ? -1 : 0;
}

static int
open_folders(
    struct bt_files *f, const struct bt_files_conf *conf, struct bt_err *err)
{
	const struct bt_layout *l = f->layout;

	/* what it is to be put in may be made; where -o FILE is may not */
	if (f->mode == BT_FILES_WRITE && conf->only_path == NULL &&
	    !f->anonymous)
		mkdir(f->root, 0777); /* opening it says what went wrong */
	f->root_fd = bt_opened_enter(f->opened, f->root, err);
	if (f->root_fd == -1)
		return -1;
	if (conf->content != NULL && !l->single) {
		f->base = bt_mem_strdup(conf->content);
		f->base_fd = bt_opened_enter(f->opened, f->base, err);
		f->strip = inner(l);
		if (f->base_fd == -1)
			return -1;
	} else {
		f->base = bt_mem_strdup(f->root);
		f->base_fd = bt_opened_enter(f->opened, f->base, err);
		if (f->base_fd == -1)
			return -1;
	}
	if (conf->only_path != NULL)
		return set_only(f, conf->only, conf->only_path, err);
	if (conf->content != NULL && l->single)
		return set_only(f, 0, conf->content, err);
	return 0;
}

/* READ: what the user named must be there; what lies in it may not. */
static int
find_content(
    struct bt_files *f, const struct bt_files_conf *conf, struct bt_err *err)
{
	char *shown;
	int fd;

	if (conf->content != NULL && !f->layout->single)
		return 0; /* open_folders() opened it */
	if (conf->content != NULL) {
		if (access(conf->content, F_OK) == 0)
			return 0;
		return bt_err_sys(err, "cannot open '%s'", conf->content);
	}
	fd = bt_beneath_open(f->base_fd, f->layout->name, O_PATH, 0);
	if (fd != -1) {
		close(fd);
		return 0;
	}
	shown = join(f->base, f->layout->name);
	bt_err_sys(err, "cannot open '%s'", shown);
	bt_mem_free(shown);
	return -1;
}

static int
refuse_links(const struct bt_files *f, struct bt_err *err)
{
	const struct bt_layout *l = f->layout;
	char *path;

	for (uint32_t i = 0; i < l->files->n; i++) {
		if ((l->files->at[i].attr & BT_META_LINK) == 0 ||
		    !bt_files_is_selected(f, i))
			continue;
		path = bt_layout_path(l, i);
		bt_err_set(err, BT_EINPUT,
		    "cannot make '%s': it is a symbolic link", path);
		bt_mem_free(path);
		return -1;
	}
	return 0;
}

static struct bt_files *
new_files(const struct bt_files_conf *conf)
{
	struct bt_files *f = bt_mem_zero(1, sizeof(*f));

	f->layout = conf->layout;
	f->mode = conf->mode;
	f->anonymous = conf->anonymous;
	f->root = bt_mem_strdup(conf->root != NULL ? conf->root : ".");
	f->root_fd = f->base_fd = f->only_fd = -1;
	f->only = f->layout->files->n;
	if (conf->selected != NULL) {
		assert(conf->selected->n == f->layout->files->n);
		f->has_selected = true;
		bt_bits_init(&f->selected, conf->selected->n);
		bt_bits_copy(&f->selected, conf->selected);
	}
	f->side_name = bt_names_hidden(f->layout,
	    conf->only_path == NULL ? NULL : bt_str_leaf(conf->only_path),
	    "side");
	pthread_mutex_init(&f->write_turn, NULL);
	f->owns_opened = conf->opened == NULL;
	f->opened = conf->opened != NULL ? conf->opened : bt_opened_new(0);
	f->stores =
	    bt_mem_zero((size_t)f->layout->files->n + 1, sizeof(*f->stores));
	if (f->mode == BT_FILES_READ)
		f->since_ns =
		    bt_mem_zero(f->layout->files->n, sizeof(*f->since_ns));
	return f;
}

int
bt_files_open(
    struct bt_files **out, const struct bt_files_conf *conf, struct bt_err *err)
{
	struct bt_files *f = new_files(conf);
	int rc;

	assert(conf->only_path == NULL || conf->only < conf->layout->files->n);
	assert(!conf->anonymous || conf->mode == BT_FILES_WRITE);
	rc = open_folders(f, conf, err);
	if (rc == 0 && f->mode == BT_FILES_READ)
		rc = find_content(f, conf, err);
	if (rc == 0 && f->mode == BT_FILES_WRITE) {
		note_part_like(f);
		rc = refuse_links(f, err);
	}
	if (rc == -1) {
		bt_files_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

/* Nobody reads or writes any more. */
static void
close_stores(struct bt_files *f)
{
	struct bt_open_file *e;
	int fd;

	for (uint32_t i = 0; i <= f->layout->files->n; i++) {
		pthread_mutex_lock(&f->opened->lock);
		fd = -1;
		e = bt_files_entry(f, i);
		if (e != NULL) {
			assert(e->refs == (f->anonymous ? 1u : 0u));
			fd = bt_opened_vacate(f->opened, e);
			if (e->refs > 0)
				bt_opened_drop(f->opened, e);
		}
		pthread_mutex_unlock(&f->opened->lock);
		if (fd != -1)
			close(fd);
	}
}

void
bt_files_close(struct bt_files *f)
{
	if (f == NULL)
		return;
	close_stores(f);
	bt_opened_leave(f->opened, f->root_fd);
	bt_opened_leave(f->opened, f->base_fd);
	bt_opened_leave(f->opened, f->only_fd);
	if (f->owns_opened)
		bt_opened_free(f->opened);
	pthread_mutex_destroy(&f->write_turn);
	bt_bits_fini(&f->selected);
	bt_mem_free(f->since_ns);
	bt_mem_free(f->stores);
	bt_mem_free(f->part_like);
	bt_mem_free(f->side_name);
	bt_mem_free(f->only_path);
	bt_mem_free(f->base);
	bt_mem_free(f->root);
	bt_mem_free(f);
}

int
bt_files_space(const struct bt_files *f, uint64_t *out, struct bt_err *err)
{
	bool own = f->only < f->layout->files->n;
	struct statvfs v;

	if (fstatvfs(own ? f->only_fd : f->base_fd, &v) == -1)
		return bt_err_sys(err, "cannot ask '%s' for its free space",
		    own ? f->only_path : f->base);
	*out = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}
