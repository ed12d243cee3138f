#include "disk/sealed.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "disk_tmp.h"

#define PART ((size_t)65536)
#define LONGEST (3 * PART + 1)

static uint8_t *
bytes_of(size_t n)
{
	uint8_t *p = bt_mem_alloc(n);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 ^ i >> 8 ^ i >> 16);
	return p;
}

/* Write n bytes, `step` of them at a time. */
static void
seal(const char *path, const uint8_t *p, size_t n, size_t step)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_sealed *s;

	assert_int_equal(bt_sealed_create(&s, path, &err), 0);
	for (size_t at = 0, k; at < n; at += k) {
		k = n - at < step ? n - at : step;
		bt_sealed_put(s, (struct bt_str){ p + at, k });
	}
	assert_int_equal(bt_sealed_end(s, &err), 0);
}

static void
expect(const char *path, const uint8_t *p, size_t n, size_t step)
{
	struct bt_sealed *s = bt_sealed_open(path, n + BT_SHA1_LEN);
	uint8_t *got = bt_mem_alloc(step);

	assert_non_null(s);
	for (size_t at = 0, k; at < n; at += k) {
		k = n - at < step ? n - at : step;
		assert_true(bt_sealed_take(s, got, k));
		assert_memory_equal(got, p + at, k);
	}
	bt_sealed_close(s);
	bt_mem_free(got);
}

static void
what_is_written_is_read_back_whatever_the_steps(void **state)
{
	static const size_t lengths[] = { 0, 1, 20, PART - 21, PART - 20,
		PART - 1, PART, PART + 1, 2 * PART, LONGEST };
	static const size_t steps[] = { 7, 25, PART, LONGEST };
	char *path = tmp_path(*state, "x");
	uint8_t *p = bytes_of(LONGEST);

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++) {
			seal(path, p, lengths[i], steps[k]);
			expect(path, p, lengths[i], steps[3 - k]);
			assert_int_equal(unlink(path), 0);
		}
	bt_mem_free(p);
	bt_mem_free(path);
}

static void
its_end_is_the_digest_of_all_before(void **state)
{
	char *path = tmp_path(*state, "x");
	uint8_t *p = bytes_of(LONGEST), *want = bt_mem_alloc(LONGEST + 20);

	seal(path, p, LONGEST, 1000);
	memcpy(want, p, LONGEST);
	bt_hash_sha1((struct bt_str){ p, LONGEST }, want + LONGEST);
	tmp_expect(path, want, LONGEST + 20);
	bt_mem_free(want);
	bt_mem_free(p);
	bt_mem_free(path);
}

static void
flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void
a_flipped_bit_in_any_part_or_another_length_is_no_file(void **state)
{
	static const off_t at[] = { 0, PART - 1, PART, LONGEST - 1, LONGEST,
		LONGEST + 19 };
	char *path = tmp_path(*state, "x");
	uint8_t *p = bytes_of(LONGEST);

	seal(path, p, LONGEST, PART);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		flip(path, at[i]);
		assert_null(bt_sealed_open(path, LONGEST + 20));
		flip(path, at[i]);
	}
	expect(path, p, LONGEST, PART);
	assert_null(bt_sealed_open(path, LONGEST + 19));
	assert_null(bt_sealed_open(path, LONGEST + 21));
	assert_null(bt_sealed_open(path, 19));
	assert_int_equal(truncate(path, LONGEST + 19), 0);
	assert_null(bt_sealed_open(path, LONGEST + 20));
	bt_mem_free(p);
	bt_mem_free(path);
}

static void
what_is_cut_while_it_is_read_says_so(void **state)
{
	char *path = tmp_path(*state, "x");
	uint8_t *p = bytes_of(LONGEST), *got = bt_mem_alloc(LONGEST);
	struct bt_sealed *s;

	seal(path, p, LONGEST, PART);
	s = bt_sealed_open(path, LONGEST + 20);
	assert_non_null(s);
	assert_int_equal(truncate(path, (off_t)PART), 0);
	assert_true(bt_sealed_take(s, got, PART));
	assert_false(bt_sealed_take(s, got, 1));
	bt_sealed_close(s);
	bt_mem_free(got);
	bt_mem_free(p);
	bt_mem_free(path);
}

static void
what_is_no_regular_file_is_none(void **state)
{
	char *path = tmp_path(*state, "x"), *link = tmp_path(*state, "l");

	assert_null(bt_sealed_open(path, 20));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(bt_sealed_open(path, 0));
	assert_null(bt_sealed_open(path, 20));
	assert_int_equal(unlink(path), 0);
	seal(path, NULL, 0, 1);
	assert_int_equal(symlink(path, link), 0);
	assert_null(bt_sealed_open(link, 20));
	bt_sealed_close(NULL);
	bt_mem_free(link);
	bt_mem_free(path);
}

static void
what_is_there_already_is_an_error(void **state)
{
	char *path = tmp_path(*state, "x");
	struct bt_err err = BT_ERR_INIT;
	struct bt_sealed *s;

	tmp_write(path, "old", 3);
	assert_int_equal(bt_sealed_create(&s, path, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "x': File exists"));
	tmp_expect(path, (const uint8_t *)"old", 3);
	bt_mem_free(path);
}

/* A limit on a file's size is a full disk without one. */
static void
where_not_all_can_be_written_nothing_is_left(void **state)
{
	char *path = tmp_path(*state, "x");
	uint8_t *p = bytes_of(LONGEST);
	struct bt_err err = BT_ERR_INIT;
	struct rlimit was, small;
	struct bt_sealed *s;

	assert_int_equal(bt_sealed_create(&s, path, &err), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 2 * PART;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bt_sealed_put(s, (struct bt_str){ p, LONGEST });
	assert_int_equal(bt_sealed_end(s, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "cannot write '"));
	assert_non_null(strstr(err.text, "File too large"));
	assert_int_equal(access(path, F_OK), -1);
	bt_mem_free(p);
	bt_mem_free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(what_is_written_is_read_back_whatever_the_steps),
		tmp_test(its_end_is_the_digest_of_all_before),
		tmp_test(
		    a_flipped_bit_in_any_part_or_another_length_is_no_file),
		tmp_test(what_is_cut_while_it_is_read_says_so),
		tmp_test(what_is_no_regular_file_is_none),
		tmp_test(what_is_there_already_is_an_error),
		tmp_test(where_not_all_can_be_written_nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
