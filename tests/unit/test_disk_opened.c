#include "disk/opened.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk/files.h"
#include "disk_layout.h"
#include "disk_tmp.h"

#define TORRENTS 12u
#define PER_TORRENT 3u

static const char *const names[TORRENTS] = { "0", "1", "2", "3", "4", "5", "6",
	"7", "8", "9", "a", "b" };

static unsigned
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* gives a torrent of three files with its content in root */
static struct bt_layout *
made_torrent(const char *name, const char *root)
{
	char paths[PER_TORRENT][16];
	struct made_file made[PER_TORRENT + 1] = { { NULL, 0, 0 } };
	struct bt_layout *l;
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_conf conf = { .root = root, .mode = BT_FILES_WRITE };
	struct bt_files *f;
	uint8_t *content;

	for (unsigned i = 0; i < PER_TORRENT; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%u", name, i);
		made[i] = (struct made_file){ paths[i], 40 + i, 0 };
	}
	conf.layout = l = made_layout(name, 16, made);
	content = made_content(l);
	assert_int_equal(bt_files_open(&f, &conf, &err), 0);
	assert_int_equal(
	    bt_files_write(f, 0, content, (size_t)l->size, &err), 0);
	for (uint32_t i = 0; i < PER_TORRENT; i++)
		assert_int_equal(bt_files_finish(f, i, &err), 0);
	bt_files_close(f);
	bt_mem_free(content);
	return l;
}

static void
read_all(struct bt_files *f, const struct bt_layout *l)
{
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l), *got = bt_mem_alloc(l->size);

	assert_int_equal(bt_files_read(f, 0, got, (size_t)l->size, &err), 0);
	assert_memory_equal(got, content, (size_t)l->size);
	bt_mem_free(content);
	bt_mem_free(got);
}

static void
many_torrents_together_have_few_descriptors(void **state)
{
	unsigned before = descriptors();
	struct bt_opened *opened = bt_opened_new(4);
	struct bt_layout *l[TORRENTS];
	struct bt_files *f[TORRENTS];
	struct bt_err err = BT_ERR_INIT;

	for (unsigned i = 0; i < TORRENTS; i++) {
		l[i] = made_torrent(names[i], *state);
		assert_int_equal(bt_files_open(&f[i],
				     &(struct bt_files_conf){ .layout = l[i],
					 .root = *state,
					 .mode = BT_FILES_READ,
					 .opened = opened },
				     &err),
		    0);
	}
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < TORRENTS; i++)
			read_all(f[i], l[i]);
	/* four files, and the folder that all lie in */
	assert_int_equal(descriptors(), before + 4 + 1);
	for (unsigned i = 0; i < TORRENTS; i++) {
		bt_files_close(f[i]);
		bt_layout_free(l[i]);
	}
	bt_opened_free(opened);
	assert_int_equal(descriptors(), before);
}

static void
the_file_that_was_used_last_stays_open(void **state)
{
	struct bt_opened *opened = bt_opened_new(4);
	struct bt_layout *l[2];
	struct bt_files *f[2];
	struct bt_err err = BT_ERR_INIT;
	uint8_t byte;
	struct iovec iov = { &byte, 1 };

	for (unsigned i = 0; i < 2; i++) {
		l[i] = made_torrent(names[i], *state);
		assert_int_equal(bt_files_open(&f[i],
				     &(struct bt_files_conf){ .layout = l[i],
					 .root = *state,
					 .mode = BT_FILES_READ,
					 .opened = opened },
				     &err),
		    0);
	}
	read_all(f[0], l[0]); /* 0/0 0/1 0/2 */
	assert_int_equal(bt_files_read(f[0], 0, &byte, 1, &err), 0);
	read_all(f[1], l[1]); /* 1/0 takes the free entry, then 0/1, 0/2 go */
	/* EAGAIN is also what a file system says that has no RWF_NOWAIT */
	if (bt_files_read_now(f[1], 0, &iov, 1) == 1) {
		assert_int_equal(bt_files_read_now(f[0], 0, &iov, 1), 1);
		assert_int_equal(
		    bt_files_read_now(f[0], l[0]->files->at[1].offset, &iov, 1),
		    -1);
		assert_int_equal(errno, EAGAIN);
	}
	for (unsigned i = 0; i < 2; i++) {
		bt_files_close(f[i]);
		bt_layout_free(l[i]);
	}
	bt_opened_free(opened);
}

static void
a_folder_is_open_as_long_as_somebody_is_in_it(void **state)
{
	struct bt_opened *opened = bt_opened_new(4);
	struct bt_err err = BT_ERR_INIT;
	int a = bt_opened_enter(opened, *state, &err);
	int b = bt_opened_enter(opened, *state, &err);

	assert_int_not_equal(a, -1);
	assert_int_equal(a, b);
	bt_opened_leave(opened, a);
	assert_int_not_equal(fcntl(b, F_GETFD), -1);
	bt_opened_leave(opened, b);
	assert_int_equal(fcntl(b, F_GETFD), -1);
	assert_int_equal(bt_opened_enter(opened, "/nonexistent", &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	bt_opened_leave(opened, -1);
	bt_opened_free(opened);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(many_torrents_together_have_few_descriptors),
		tmp_test(the_file_that_was_used_last_stays_open),
		tmp_test(a_folder_is_open_as_long_as_somebody_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
