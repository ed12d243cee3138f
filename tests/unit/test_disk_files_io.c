/*
 * Bytes in and out: a disk that is full, memory, and threads.
 */
#include <linux/magic.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <cmocka.h>

#include "disk/opened.h"
#include "files_rig.h"

/* A test's own file system: an ext4 with little room. */
static struct {
	bool on;
	uint64_t bavail; /* blocks of 4096 */
	unsigned reserved;
	bool fails;
} disk;

int
fstatfs(int fd, struct statfs *fs)
{
	if (!disk.on)
		return (int)syscall(SYS_fstatfs, fd, fs);
	*fs = (struct statfs){ .f_type = EXT4_SUPER_MAGIC,
		.f_bsize = 4096,
		.f_bavail = disk.bavail };
	return 0;
}

int
fallocate(int fd, int mode, off_t offset, off_t n)
{
	disk.reserved++;
	if (disk.fails) /* as ext4 does: half of it is taken by then */
		n /= 2;
	if (syscall(SYS_fallocate, fd, mode, offset, n) == -1)
		return -1;
	if (disk.fails)
		errno = ENOSPC;
	return disk.fails ? -1 : 0;
}

static void
a_missing_and_a_short_file_are_mismatches_that_are_named(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	uint8_t got[53];

	tmp_put(*state, "T/a", "short", 5);
	f = open_conf(&(struct bt_files_conf){
	    .layout = l, .root = *state, .mode = BT_FILES_READ });
	assert_int_equal(bt_files_read(f, 0, got, 10, &err), -1);
	assert_int_equal(err.kind, BT_EMISMATCH);
	assert_non_null(strstr(err.text, "T/a' is shorter than 10 bytes"));
	assert_int_equal(bt_files_read(f, 10, got, 10, &err), -1);
	assert_int_equal(err.kind, BT_EMISMATCH);
	assert_non_null(strstr(err.text, "T/d/b': No such file"));
	bt_files_close(f);
	bt_layout_free(l);
}

static void
a_full_disk_and_a_size_limit_are_errors_with_the_path(void **state)
{
	static const struct made_file big[] = {
		{ "big", 4 << 20, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("big", 1 << 20, big);
	struct rlimit was, small = { 1 << 20, 1 << 20 };
	struct bt_err err = BT_ERR_INIT;
	uint8_t *c = made_content(l);
	struct bt_files *f;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	f = open_write(l, *state);
	assert_int_equal(bt_files_write(f, 0, c, 4 << 20, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "big.part': File too large"));
	bt_files_close(f);
	if (mount("tmpfs", *state, "tmpfs", 0, "size=1m") == 0) {
		f = open_write(l, *state);
		assert_int_equal(bt_files_write(f, 0, c, 4 << 20, &err), -1);
		bt_files_close(f);
		umount(*state);
		assert_int_equal(err.kind, BT_EFILE);
		assert_non_null(
		    strstr(err.text, "big.part': No space left on device"));
	}
	bt_layout_free(l);
	bt_mem_free(c);
}

static void
reading_now_gives_what_is_in_memory_scattered_over_borders(void **state)
{
	static const struct made_file padded[] = {
		{ "T/a", 100000, 0 },
		{ "T/.pad/1", 31072, BT_META_PAD },
		{ "T/b", 100000, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 1 << 16, padded);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *c = made_content(l), *got = bt_mem_zero(l->size, 1);
	struct iovec iov[3];
	struct bt_files *f = open_write(l, *state);
	ssize_t n;

	write_all(f, l, 50000);
	iov[0] = (struct iovec){ got + 5, 99990 };
	iov[1] = (struct iovec){ got + 99995, 20 };
	iov[2] = (struct iovec){ got + 100015, l->size - 100015 };
	n = bt_files_read_now(f, 5, iov, 3);
	if (n == -1) { /* a file system that cannot say */
		assert_int_equal(errno, EAGAIN);
		n = bt_files_read_now(f, 5, iov, 3);
		assert_int_equal(n, -1);
	} else {
		assert_in_range(n, 1, l->size - 5);
		assert_memory_equal(got + 5, c + 5, n);
	}
	bt_files_close(f);
	f = open_write(l, *state); /* what is not open is a worker's to open */
	n = bt_files_read_now(f, 0, iov, 1);
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	must(bt_files_read(f, 0, got, 100, &err), &err);
	assert_memory_equal(got, c, 100);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(got);
	bt_mem_free(c);
}

#define MANY 40u

struct reader {
	struct bt_files *f;
	const struct bt_layout *l;
	const uint8_t *content;
	unsigned seed;
	atomic_uint *bad;
};

/* Writes and reads back ranges over many more files than may be open. */
static void *
hammer(void *arg)
{
	struct reader *r = arg;
	struct bt_err err = BT_ERR_INIT;
	struct iovec iov;
	uint8_t got[300];

	for (unsigned i = 0; i < 3000; i++) {
		uint64_t at = rand_r(&r->seed) % (r->l->size - sizeof(got));
		size_t n = 1 + (unsigned)rand_r(&r->seed) % sizeof(got);
		ssize_t now;

		if (bt_files_write(r->f, at, r->content + at, n, &err) == -1 ||
		    bt_files_read(r->f, at, got, n, &err) == -1 ||
		    memcmp(got, r->content + at, n) != 0)
			atomic_fetch_add(r->bad, 1);
		iov = (struct iovec){ got, n };
		memset(got, 0, n);
		now = bt_files_read_now(r->f, at, &iov, 1);
		if (now > 0 && memcmp(got, r->content + at, (size_t)now) != 0)
			atomic_fetch_add(r->bad, 1);
	}
	return NULL;
}

static void
threads_share_few_descriptors_without_mixing_files_up(void **state)
{
	struct made_file files[MANY + 1] = { { NULL, 0, 0 } };
	char names[MANY][16];
	struct reader r[4];
	pthread_t t[4];
	atomic_uint bad = 0;
	struct bt_err err = BT_ERR_INIT;
	struct bt_opened *opened = bt_opened_new(4);
	struct bt_layout *l;
	struct bt_files *f;
	uint8_t *content;

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "T/%u", i);
		files[i] = (struct made_file){ names[i], 50 + i * 7 % 90, 0 };
	}
	l = made_layout("T", 64, files);
	content = made_content(l);
	f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = *state,
	    .mode = BT_FILES_WRITE,
	    .opened = opened });
	write_all(f, l, 1000);
	for (unsigned i = 0; i < 4; i++) {
		r[i] = (struct reader){ f, l, content, i + 1, &bad };
		assert_int_equal(pthread_create(&t[i], NULL, hammer, &r[i]), 0);
	}
	for (uint32_t i = 0; i < MANY; i += 2) /* while they work */
		must(bt_files_finish(f, i, &err), &err);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&bad), 0);
	must(bt_files_sync(f, &err), &err);
	expect_all(f, l, 512);
	bt_files_close(f);
	bt_opened_free(opened);
	bt_mem_free(content);
	bt_layout_free(l);
}

/* Bytes of the disk that one file of 4 MiB has when 100 are written. */
static uint64_t
taken(const char *root)
{
	static const struct made_file large[] = { { "T/large", 4 << 20, 0 },
		{ NULL, 0, 0 } };
	struct bt_layout *l = made_layout("T", 1 << 20, large);
	struct bt_files *f = open_write(l, root);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;
	uint8_t data[100] = "data";

	must(bt_files_write(f, 0, data, sizeof(data), &err), &err);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.size, sizeof(data));
	bt_files_close(f);
	bt_layout_free(l);
	return st.allocated;
}

static void
a_file_that_does_not_fit_reserves_nothing(void **state)
{
	(void)state;
	disk.on = true;
	disk.reserved = 0;
	disk.bavail = (4 << 20) / 4096;
	assert_in_range(taken(*state), 0, 1 << 20);
	assert_int_equal(disk.reserved, 0);
	disk.bavail++;
	taken(*state);
	assert_int_equal(disk.reserved, 1);
	disk.on = false;
}

static void
a_reservation_that_fails_is_given_back(void **state)
{
	(void)state;
	disk.on = true;
	disk.reserved = 0;
	disk.bavail = 1 << 20;
	disk.fails = true;
	assert_in_range(taken(*state), 0, 1 << 20);
	assert_int_equal(disk.reserved, 1);
	disk.on = disk.fails = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(
		    a_missing_and_a_short_file_are_mismatches_that_are_named),
		tmp_test(a_full_disk_and_a_size_limit_are_errors_with_the_path),
		tmp_test(
		    reading_now_gives_what_is_in_memory_scattered_over_borders),
		tmp_test(threads_share_few_descriptors_without_mixing_files_up),
		tmp_test(a_file_that_does_not_fit_reserves_nothing),
		tmp_test(a_reservation_that_fails_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
