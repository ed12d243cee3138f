/*
 * What is left after a power cut: only what was synced is believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "disk/files_priv.h"
#include "resume_rig.h"

/* What the library calls while a test is not content with the real one. */
static struct {
	struct bt_files *watched; /* NULL: none */
	unsigned calls;
	bool was_synced; /* said so while it ran */
	bool fails;
} disk;

int
fdatasync(int fd)
{
	disk.calls++;
	if (disk.watched != NULL && bt_files_is_synced(disk.watched))
		disk.was_synced = true;
	if (disk.fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* No /proc: what lies there cannot be opened. */
static bool without_proc;

int
open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int); /* of no account where there is none */
	va_end(args);
	if (without_proc && strncmp(path, "/proc/", 6) == 0) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void
state_of_another_boot_is_believed_only_if_it_was_synced(void **state)
{
	struct box b = box_open(*state);
	char *path = tmp_path(*state, STATE);
	struct bt_err err = BT_ERR_INIT;
	uint8_t data[1000];
	ssize_t n;
	int fd;

	put_piece(&b, 0);
	save(&b);
	fd = open(path, O_RDONLY);
	n = read(fd, data, sizeof(data));
	close(fd);
	data[50] ^= 1; /* in the boot id, at 48 .. 63 */
	bt_hash_sha1((struct bt_str){ data, (size_t)n - 20 }, data + n - 20);
	expect_spoilt(&b, data, (size_t)n);
	bt_bits_put(&b.have, 0);
	must(bt_files_sync(b.f, &err), &err);
	save(&b);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, data, sizeof(data)), n);
	close(fd);
	for (unsigned i = 48; i < 64; i++)
		assert_int_equal(data[i], 0);
	expect_load(&b, "1.......", "........");
	bt_mem_free(path);
	box_close(&b);
}

/* Pieces 0 and 1 are synced, 7 is not; then the machine starts anew. */
static void
cut_power(struct box *b)
{
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(b->root, STATE);
	uint8_t data[1000];
	ssize_t n;
	int fd;

	put_piece(b, 0);
	put_piece(b, 1);
	must(bt_resume_sync_begin(b->r, b->f, &b->have, &err), &err);
	must(bt_files_sync(b->f, &err), &err);
	bt_resume_sync_end(b->r, true);
	put_piece(b, 7);
	save(b);
	fd = open(path, O_RDONLY);
	n = read(fd, data, sizeof(data));
	close(fd);
	data[50] ^= 1;
	bt_hash_sha1((struct bt_str){ data, (size_t)n - 20 }, data + n - 20);
	tmp_write(path, data, (size_t)n);
	box_stop(b);
	bt_mem_free(path);
}

static void
after_a_power_cut_what_was_synced_is_believed_and_the_rest_is_hashed(
    void **state)
{
	struct box b = box_open(*state);

	cut_power(&b);
	box_start(&b, NULL);
	expect_load(&b, "11......", "..1.1.11");
	/* the next one begins with what is safe still */
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "11......", "........");
	box_close(&b);
}

static void
after_a_power_cut_a_file_of_another_time_or_cut_short_is_hashed(void **state)
{
	struct box b = box_open(*state);
	char *a = tmp_path(*state, "T/a.part");
	struct timeval later[2];

	cut_power(&b);
	touch(&b, "T/a.part"); /* before the sync */
	box_start(&b, NULL);
	expect_load(&b, "........", "111.1.11");
	box_stop(&b);
	gettimeofday(&later[1], NULL);
	later[1].tv_sec += BT_RESUME_LATE_S + 5;
	later[0] = later[1];
	assert_int_equal(utimes(a, later), 0);
	box_start(&b, NULL);
	expect_load(&b, "........", "111.1.11");
	box_stop(&b);
	later[1].tv_sec -= BT_RESUME_LATE_S + 1;
	assert_int_equal(truncate(a, PIECE + 1), 0);
	assert_int_equal(utimes(a, later), 0);
	box_start(&b, NULL);
	expect_load(&b, "1.......", ".11.1.11");
	box_close(&b);
	bt_mem_free(a);
}

/* A save may come at any time on another thread. */
static void
nothing_is_called_synced_while_a_sync_runs(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;

	put_piece(&b, 0);
	disk.watched = b.f;
	disk.calls = 0;
	must(bt_files_sync(b.f, &err), &err);
	disk.watched = NULL;
	assert_int_equal(disk.calls, 1);
	assert_false(disk.was_synced);
	assert_true(bt_files_is_synced(b.f));
	box_close(&b);
}

static void
a_file_that_cannot_be_opened_for_its_sync_is_not_called_synced(void **state)
{
	static const struct made_file five[] = { { "T/a", PIECE, 0 },
		{ "T/b", PIECE, 0 }, { "T/c", PIECE, 0 }, { "T/d", PIECE, 0 },
		{ "T/e", PIECE, 0 }, { NULL, 0, 0 } };
	struct bt_layout *l = made_layout("T", PIECE, five);
	struct bt_err err = BT_ERR_INIT;
	struct bt_opened *few = bt_opened_new(BT_OPENED_MIN);
	char *path = tmp_path(*state, "T/e.part");
	char *away = tmp_path(*state, "T/away");
	uint8_t *content = made_content(l);
	struct bt_files *f;

	must(bt_files_open(&f,
		 &(struct bt_files_conf){ .layout = l,
		     .root = *state,
		     .mode = BT_FILES_WRITE,
		     .opened = few },
		 &err),
	    &err);
	/* the last one written closes T/e, and all others are synced first */
	for (uint64_t i = BT_OPENED_MIN + 1; i-- > 0;)
		must(bt_files_write(
			 f, i * PIECE, content + i * PIECE, PIECE, &err),
		    &err);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(bt_files_sync(f, &err), -1);
	assert_false(bt_files_is_synced(f));
	assert_int_equal(rename(away, path), 0);
	must(bt_files_sync(f, &err), &err);
	assert_true(bt_files_is_synced(f));
	bt_files_close(f);
	bt_opened_free(few);
	bt_layout_free(l);
	bt_mem_free(content);
	bt_mem_free(path);
	bt_mem_free(away);
}

/* The kernel may have dropped what it could not write, and read it still. */
static void
after_a_failed_sync_only_what_was_safe_before_is_said(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;

	put_piece(&b, 0);
	must(bt_resume_sync_begin(b.r, b.f, &b.have, &err), &err);
	must(bt_files_sync(b.f, &err), &err);
	bt_resume_sync_end(b.r, true);
	put_piece(&b, 1);
	must(bt_resume_sync_begin(b.r, b.f, &b.have, &err), &err);
	disk.fails = true;
	assert_int_equal(bt_files_sync(b.f, &err), -1);
	disk.fails = false;
	bt_resume_sync_end(b.r, false);
	put_piece(&b, 5);
	must(bt_files_sync(b.f, &err), &err); /* it means nothing */
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "1.......", "........");
	box_close(&b);
}

static void
where_no_boot_is_known_only_what_was_synced_is_believed(void **state)
{
	struct box b;
	struct bt_err err = BT_ERR_INIT;

	without_proc = true;
	b = box_open(*state);
	put_piece(&b, 0);
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "........", "1.1....."); /* 2: also in T/b */
	put_piece(&b, 0);
	must(bt_files_sync(b.f, &err), &err);
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "1.......", "........");
	without_proc = false;
	box_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(
		    state_of_another_boot_is_believed_only_if_it_was_synced),
		tmp_test(
		    after_a_power_cut_what_was_synced_is_believed_and_the_rest_is_hashed),
		tmp_test(
		    after_a_power_cut_a_file_of_another_time_or_cut_short_is_hashed),
		tmp_test(nothing_is_called_synced_while_a_sync_runs),
		tmp_test(
		    a_file_that_cannot_be_opened_for_its_sync_is_not_called_synced),
		tmp_test(after_a_failed_sync_only_what_was_safe_before_is_said),
		tmp_test(
		    where_no_boot_is_known_only_what_was_synced_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
