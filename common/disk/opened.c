#include "disk/opened.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/files_priv.h"

/* Sockets want descriptors too. */
static unsigned
choose_max(unsigned wanted)
{
	struct rlimit rl = { .rlim_cur = RLIM_INFINITY };
	rlim_t n = wanted == 0 ? BT_OPENED_MAX : wanted;

	getrlimit(RLIMIT_NOFILE, &rl);
	if (n > rl.rlim_cur / 8)
		n = rl.rlim_cur / 8;
	return n < BT_OPENED_MIN ? BT_OPENED_MIN : (unsigned)n;
}

struct bt_opened *
bt_opened_new(unsigned max)
{
	struct bt_opened *o = bt_mem_zero(1, sizeof(*o));

	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->changed, NULL);
	TAILQ_INIT(&o->idle);
	o->n = choose_max(max);
	o->entries = bt_mem_zero(o->n, sizeof(*o->entries));
	for (unsigned i = 0; i < o->n; i++) {
		o->entries[i].fd = -1;
		TAILQ_INSERT_TAIL(&o->idle, &o->entries[i], idle);
	}
	return o;
}

void
bt_opened_free(struct bt_opened *o)
{
	if (o == NULL)
		return;
	for (unsigned i = 0; i < o->n; i++)
		assert(o->entries[i].fd == -1);
	assert(o->folders == NULL);
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
	bt_mem_free(o->entries);
	bt_mem_free(o);
}

struct bt_open_file *
bt_opened_next(struct bt_opened *o)
{
	return TAILQ_FIRST(&o->idle);
}

int
bt_opened_vacate(struct bt_opened *o, struct bt_open_file *e)
{
	int fd = e->fd;

	if (e->owner != NULL)
		e->owner->stores[e->store].entry = 0;
	e->owner = NULL;
	e->fd = -1;
	if (e->refs == 0) {
		TAILQ_REMOVE(&o->idle, e, idle);
		TAILQ_INSERT_HEAD(&o->idle, e, idle);
	}
	return fd;
}

void
bt_opened_hold(struct bt_opened *o, struct bt_open_file *e)
{
	if (e->refs++ == 0)
		TAILQ_REMOVE(&o->idle, e, idle);
}

void
bt_opened_drop(struct bt_opened *o, struct bt_open_file *e)
{
	assert(e->refs > 0);
	if (--e->refs > 0)
		return;
	if (e->fd == -1)
		TAILQ_INSERT_HEAD(&o->idle, e, idle);
	else
		TAILQ_INSERT_TAIL(&o->idle, e, idle);
	pthread_cond_broadcast(&o->changed);
}

int
bt_opened_enter(struct bt_opened *o, const char *folder, struct bt_err *err)
{
	struct bt_opened_folder *f;
	int fd;

	pthread_mutex_lock(&o->lock);
	f = o->folders;
	while (f != NULL && strcmp(f->path, folder) != 0)
		f = f->next;
	if (f != NULL) {
		f->refs++;
		fd = f->fd;
	} else {
		fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			bt_err_sys(err, "cannot open '%s'", folder);
	}
	if (f == NULL && fd != -1) {
		f = bt_mem_zero(1, sizeof(*f));
		*f = (struct bt_opened_folder){ .next = o->folders,
			.fd = fd,
			.refs = 1,
			.path = bt_mem_strdup(folder) };
		o->folders = f;
	}
	pthread_mutex_unlock(&o->lock);
	return fd;
}

void
bt_opened_leave(struct bt_opened *o, int fd)
{
	struct bt_opened_folder **at = &o->folders, *f;

	if (fd == -1)
		return;
	pthread_mutex_lock(&o->lock);
	while ((*at)->fd != fd)
		at = &(*at)->next;
	f = *at;
	if (--f->refs == 0) {
		*at = f->next;
		close(fd);
		bt_mem_free(f->path);
		bt_mem_free(f);
	}
	pthread_mutex_unlock(&o->lock);
}
