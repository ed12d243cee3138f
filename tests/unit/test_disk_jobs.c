#include "disk/jobs.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk_layout.h"
#include "disk_tmp.h"

#define PIECE 40000u /* two blocks of 16384 and one of 7232 */

static const struct made_file two[] = {
	{ "T/a", 50000, 0 },
	{ "T/b", 100000, 0 },
	{ NULL, 0, 0 },
};

struct box {
	struct bt_layout *l;
	struct bt_files *f;
	struct bt_pool *pool;
	uint8_t *content;
};

static struct box
box_open(const char *root)
{
	struct bt_err err = BT_ERR_INIT;
	struct box b = { .l = made_layout("T", PIECE, two) };

	b.content = made_content(b.l);
	b.pool = bt_pool_new(2, &err);
	assert_non_null(b.pool);
	assert_int_equal(
	    bt_files_open(&b.f,
		&(struct bt_files_conf){
		    .layout = b.l, .root = root, .mode = BT_FILES_WRITE },
		&err),
	    0);
	return b;
}

static void
box_close(struct box *b)
{
	bt_pool_free(b->pool);
	bt_files_close(b->f);
	bt_layout_free(b->l);
	bt_mem_free(b->content);
}

/* Run a job for a whole piece to its end; gives it. */
static struct bt_job *
piece_job(struct box *b, enum bt_job_kind kind, uint32_t piece,
    const uint8_t *data, bool digests)
{
	struct bt_job *j = bt_job_new(kind, b->f, b->l);

	j->disk = (struct bt_disk_job){ .id = 70 + piece,
		.piece = piece,
		.length = bt_layout_piece_size(b->l, piece),
		.data = data,
		.digests = digests };
	bt_pool_put(b->pool, &j->pool);
	assert_ptr_equal(bt_pool_wait(b->pool), &j->pool);
	assert_int_equal(bt_job_result(j).id, 70 + piece);
	return j;
}

/* Independent of jobs.c: the bytes of the digest, one by one. */
static void
expect_digests(const struct bt_job *j, const uint8_t *data, size_t n)
{
	const uint64_t *d = bt_job_result(j).digests;
	uint8_t sum[20];
	size_t len;

	assert_non_null(d);
	for (size_t at = 0; at < n; at += len, d++) {
		len = n - at < 16384 ? n - at : 16384;
		bt_hash_sha1((struct bt_str){ data + at, len }, sum);
		for (unsigned k = 0; k < 8; k++)
			assert_int_equal(*d >> (56 - 8 * k) & 0xff, sum[k]);
	}
}

static void
a_right_piece_is_stored_and_verifies(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;
	struct bt_job *j;
	uint8_t *got = bt_mem_alloc(PIECE);

	j = piece_job(&b, BT_JOB_STORE, 1, b.content + PIECE, false);
	assert_int_equal(bt_job_result(j).status, BT_DISK_OK);
	assert_null(bt_job_result(j).digests);
	bt_job_free(j);
	assert_int_equal(bt_files_read(b.f, PIECE, got, PIECE, &err), 0);
	assert_memory_equal(got, b.content + PIECE, PIECE);
	j = piece_job(&b, BT_JOB_VERIFY, 1, NULL, false);
	assert_int_equal(bt_job_result(j).status, BT_DISK_OK);
	assert_null(bt_job_result(j).digests);
	bt_job_free(j);
	bt_mem_free(got);
	box_close(&b);
}

static void
a_wrong_piece_is_not_written_and_comes_with_digests(void **state)
{
	struct box b = box_open(*state);
	struct bt_job *j;

	b.content[PIECE + 20000] ^= 1;
	j = piece_job(&b, BT_JOB_STORE, 1, b.content + PIECE, false);
	assert_int_equal(bt_job_result(j).status, BT_DISK_MISMATCH);
	expect_digests(j, b.content + PIECE, PIECE);
	assert_int_equal(tmp_count(*state), 0);
	bt_job_free(j);
	box_close(&b);
}

static void
digests_of_a_right_piece_come_if_asked_for(void **state)
{
	struct box b = box_open(*state);
	struct bt_job *j;

	j = piece_job(&b, BT_JOB_STORE, 3, b.content + 3 * PIECE, true);
	assert_int_equal(bt_job_result(j).status, BT_DISK_OK);
	expect_digests(
	    j, b.content + 3 * PIECE, 30000); /* the short last one */
	bt_job_free(j);
	j = piece_job(&b, BT_JOB_VERIFY, 3, NULL, true);
	expect_digests(j, b.content + 3 * PIECE, 30000);
	bt_job_free(j);
	box_close(&b);
}

static void
a_piece_written_block_by_block_is_judged_by_reading_back(void **state)
{
	struct box b = box_open(*state);
	struct bt_job *j;

	b.content[5] ^= 1;
	for (uint32_t at = 0; at < PIECE; at += 16384) {
		j = bt_job_new(BT_JOB_WRITE, b.f, b.l);
		j->disk = (struct bt_disk_job){ .begin = at,
			.length = PIECE - at < 16384 ? PIECE - at : 16384,
			.data = b.content + at };
		bt_pool_put(b.pool, &j->pool);
		assert_non_null(bt_pool_wait(b.pool));
		assert_int_equal(bt_job_result(j).status, BT_DISK_OK);
		bt_job_free(j);
	}
	j = piece_job(&b, BT_JOB_VERIFY, 0, NULL, false);
	assert_int_equal(bt_job_result(j).status, BT_DISK_MISMATCH);
	expect_digests(j, b.content, PIECE);
	bt_job_free(j);
	box_close(&b);
}

static void
verifying_what_is_not_there_is_an_error_with_the_path(void **state)
{
	struct box b = box_open(*state);
	struct bt_job *j = piece_job(&b, BT_JOB_VERIFY, 0, NULL, true);

	assert_int_equal(bt_job_result(j).status, BT_DISK_ERROR);
	assert_null(bt_job_result(j).digests);
	assert_non_null(strstr(j->err.text, "T/a"));
	bt_job_free(j);
	box_close(&b);
}

static void
reads_go_each_to_its_own_place(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;
	uint8_t got[16 * 10];
	struct bt_job *j;

	assert_int_equal(bt_files_write(b.f, 0, b.content, 150000, &err), 0);
	j = bt_job_new(BT_JOB_READ, b.f, b.l);
	j->nreads = 16;
	for (unsigned i = 0; i < 16; i++)
		j->reads[i] = (struct bt_job_read){ 49995 + i * 5000,
			got + (15 - i) * 10, 10 };
	bt_pool_put(b.pool, &j->pool);
	assert_non_null(bt_pool_wait(b.pool));
	assert_int_equal(j->status, BT_DISK_OK);
	for (unsigned i = 0; i < 16; i++)
		assert_memory_equal(
		    got + (15 - i) * 10, b.content + 49995 + i * 5000, 10);
	bt_job_free(j);
	box_close(&b);
}

/* Two runs that follow each other in the content, and the gap between. */
static void
reads_that_follow_each_other_are_as_right(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;
	uint8_t got[16 * 10 + 1] = { 0 };
	struct bt_job *j;

	assert_int_equal(bt_files_write(b.f, 0, b.content, 150000, &err), 0);
	j = bt_job_new(BT_JOB_READ, b.f, b.l);
	j->nreads = 16;
	for (unsigned i = 0; i < 16; i++)
		j->reads[i] =
		    (struct bt_job_read){ 49955 + i * 10 + (i >= 8 ? 7 : 0),
			    got + i * 10, 10 };
	bt_pool_put(b.pool, &j->pool);
	assert_non_null(bt_pool_wait(b.pool));
	assert_int_equal(j->status, BT_DISK_OK);
	assert_memory_equal(got, b.content + 49955, 80);
	assert_memory_equal(got + 80, b.content + 49955 + 87, 80);
	assert_int_equal(got[160], 0);
	bt_job_free(j);
	box_close(&b);
}

/* Are all pages of a file in memory? 1, 0, or -1 where nobody can say. */
static int
is_cached(const char *path, size_t n)
{
	int fd = open(path, O_RDONLY), all = -1;
	unsigned char in[64];
	void *p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);

	assert_true((n + 4095) / 4096 <= sizeof(in));
	if (p != MAP_FAILED && mincore(p, n, in) == 0) {
		all = 1;
		for (size_t i = 0; i < (n + 4095) / 4096; i++)
			all &= in[i] & 1;
	}
	if (p != MAP_FAILED)
		munmap(p, n);
	close(fd);
	return all;
}

static int
uncached(const char *path, size_t n)
{
	int fd = open(path, O_RDONLY), was;

	was = fsync(fd) == 0 &&
	      posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 &&
	      is_cached(path, n) == 0;
	close(fd);
	return was;
}

/* Four blocks are asked of a piece's fifteen: the rest comes by itself. */
static void
the_rest_of_a_piece_is_read_ahead(void **state)
{
	static const struct made_file one[] = { { "T/a", 245760, 0 },
		{ NULL, 0, 0 } };
	struct bt_layout *l = made_layout("T", 245760, one);
	uint8_t *content = made_content(l), *block = bt_mem_alloc(65536);
	char *path = bt_mem_printf("%s/T/a", (const char *)*state);
	struct bt_err err = BT_ERR_INIT;
	struct bt_pool *pool = bt_pool_new(1, &err);
	struct bt_files *f;
	struct bt_job *j;
	unsigned looks = 0;

	assert_int_equal(
	    bt_files_open(&f,
		&(struct bt_files_conf){
		    .layout = l, .root = *state, .mode = BT_FILES_WRITE },
		&err),
	    0);
	assert_int_equal(bt_files_write(f, 0, content, 245760, &err), 0);
	assert_int_equal(bt_files_finish(f, 0, &err), 0);
	if (!uncached(path, 245760)) /* a file system in memory */
		print_message("this file system forgets nothing\n");
	else {
		j = bt_job_new(BT_JOB_READ, f, l);
		for (j->nreads = 0; j->nreads < 4; j->nreads++) {
			struct bt_job_read *r = &j->reads[j->nreads];

			r->offset = j->nreads * 16384;
			r->n = 16384;
			r->to = block + r->offset;
		}
		bt_pool_put(pool, &j->pool);
		assert_ptr_equal(bt_pool_wait(pool), &j->pool);
		assert_int_equal(j->status, BT_DISK_OK);
		assert_memory_equal(block, content, 65536);
		while (is_cached(path, 245760) == 0 && looks++ < 5000)
			poll(NULL, 0, 1);
		assert_int_equal(is_cached(path, 245760), 1);
		bt_job_free(j);
	}
	bt_pool_free(pool);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(content);
	bt_mem_free(block);
	bt_mem_free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(a_right_piece_is_stored_and_verifies),
		tmp_test(a_wrong_piece_is_not_written_and_comes_with_digests),
		tmp_test(digests_of_a_right_piece_come_if_asked_for),
		tmp_test(
		    a_piece_written_block_by_block_is_judged_by_reading_back),
		tmp_test(verifying_what_is_not_there_is_an_error_with_the_path),
		tmp_test(reads_go_each_to_its_own_place),
		tmp_test(reads_that_follow_each_other_are_as_right),
		tmp_test(the_rest_of_a_piece_is_read_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
