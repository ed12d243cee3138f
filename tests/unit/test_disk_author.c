/*
 * What is authored, against OpenSSL's digests of the same bytes and a tree built
 * out in full by the text of BEP 52.
 */
#include "disk/author.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "disk_layout.h"
#include "disk_tmp.h"

#define BLOCK 16384u
static const uint32_t lengths[] = { 1000, 1024, 16384, 65536, 262144, 300000,
	1 << 20, 1 << 23 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* One of a layout's files for bt_author_run(): its path is owned. */
static struct bt_author_file
author_file(const char *root, const struct bt_layout *l, uint32_t file)
{
	char *inner = bt_layout_path(l, file);
	struct bt_author_file f = { .path = tmp_path(root, inner),
		.size = bt_filetab_size(l->files, file) };

	bt_mem_free(inner);
	return f;
}

static struct bt_author_file *
author_files(const char *root, const struct bt_layout *l)
{
	struct bt_author_file *files = bt_mem_zero(l->files->n, sizeof(*files));

	for (uint32_t i = 0; i < l->files->n; i++)
		files[i] = author_file(root, l, i);
	return files;
}

static void
free_author_files(struct bt_author_file *files, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free((void *)(uintptr_t)files[i].path);
	bt_mem_free(files);
}

static bool
tell_bytes(void *arg, uint64_t done)
{
	uint64_t *last = arg;

	assert_true(done > *last);
	*last = done;
	return true;
}

static void
authoring_gives_the_digest_of_each_piece(void **state)
{
	for (size_t k = 0; k < COUNT(lengths); k++) {
		static const struct made_file plain[] = {
			{ "T/none0", 0, 0 },
			{ "T/a", 999, 0 },
			{ "T/none1", 0, 0 },
			{ "T/b", 524288, 0 },
			{ "T/c", 1, 0 },
			{ "T/d", 700001, 0 },
			{ "T/none2", 0, 0 },
			{ NULL, 0, 0 },
		};
		struct bt_layout *l = made_layout("T", lengths[k], plain);
		uint8_t *c = made_content(l);
		uint8_t *hashes = bt_mem_zero(l->pieces, 20);
		struct bt_author_file *files = author_files(*state, l);
		struct bt_err err = BT_ERR_INIT;
		uint64_t last = 0;

		made_put(*state, l, c);
		assert_int_equal(
		    bt_author_run(&(struct bt_author){ .files = files,
				      .n = l->files->n,
				      .piece_length = lengths[k],
				      .threads = 1 + (unsigned)k % 3,
				      .progress = tell_bytes,
				      .arg = &last,
				      .sha1 = hashes },
			&err),
		    0);
		assert_int_equal(last, l->size);
		assert_memory_equal(
		    hashes, l->piece_hashes, (size_t)l->pieces * 20);
		free_author_files(files, l->files->n);
		bt_mem_free(hashes);
		bt_layout_free(l);
		bt_mem_free(c);
	}
}

static bool
grow_a_file(void *arg, uint64_t done)
{
	(void)done;
	tmp_write(arg, "changed under the hasher", 24);
	return true;
}

static int
author_two(const struct bt_author_file *files,
    bool (*progress)(void *arg, uint64_t done), void *arg, uint8_t *hashes,
    struct bt_err *err)
{
	struct bt_author a = { .files = files,
		.n = 2,
		.piece_length = 1000,
		.threads = 1,
		.progress = progress,
		.arg = arg,
		.sha1 = hashes };

	return bt_author_run(&a, err);
}

static void
a_file_that_changes_while_it_is_read_is_named(void **state)
{
	static const struct made_file plain[] = {
		{ "T/a", 100000, 0 },
		{ "T/b", 24, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 1000, plain);
	uint8_t *c = made_content(l), *hashes = bt_mem_zero(l->pieces, 20);
	struct bt_author_file *files = author_files(*state, l);
	struct bt_err err = BT_ERR_INIT;
	char *b = tmp_path(*state, "T/b");

	made_put(*state, l, c);
	assert_int_equal(author_two(files, grow_a_file, b, hashes, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "b' changed while it was read"));
	files[1].size = 25; /* as it was when it was listed */
	assert_int_equal(author_two(files, NULL, NULL, hashes, &err), -1);
	assert_non_null(strstr(err.text, "b' changed"));
	assert_int_equal(unlink(b), 0);
	assert_int_equal(author_two(files, NULL, NULL, hashes, &err), -1);
	assert_non_null(strstr(err.text, "b': No such file"));
	free_author_files(files, 2);
	bt_mem_free(hashes);
	bt_layout_free(l);
	bt_mem_free(c);
	bt_mem_free(b);
}

/* The root of a tree over n bytes that is built out to `leaves` leaves. */
static void
plain_root(const uint8_t *p, size_t n, size_t leaves, uint8_t out[32])
{
	uint8_t *all = bt_mem_zero(leaves, 32);

	for (size_t i = 0; i * BLOCK < n; i++)
		SHA256(p + i * BLOCK,
		    n - i * BLOCK < BLOCK ? n - i * BLOCK : BLOCK,
		    all + i * 32);
	for (; leaves > 1; leaves /= 2)
		for (size_t i = 0; i < leaves / 2; i++)
			SHA256(all + i * 64, 64, all + i * 32);
	memcpy(out, all, 32);
	bt_mem_free(all);
}

/* The hash of each piece of file f, one after the other; where they end. */
static uint8_t *
plain_layer(struct bt_file f, const uint8_t *content, uint32_t piece_length,
    uint8_t *to)
{
	size_t leaves = piece_length / BLOCK, n;

	if (f.size <= piece_length)
		for (leaves = 1; leaves * BLOCK < f.size;)
			leaves *= 2;
	for (uint64_t at = 0; at < f.size; at += n, to += 32) {
		n = f.size - at < piece_length ? f.size - at : piece_length;
		plain_root(content + f.offset + at, n, leaves, to);
	}
	return to;
}

/* Files, and the padding that v2 would have between them at 64 KiB. */
static const struct made_file padded[] = {
	{ "T/0", 0, 0 },
	{ "T/a", 5, 0 },
	{ "T/e", 0, 0 },
	{ "T/.p1", 65531, BT_META_PAD },
	{ "T/b", 16384, 0 },
	{ "T/.p2", 49152, BT_META_PAD },
	{ "T/c", 65536, 0 },
	{ "T/d", 3000001, 0 },
	{ "T/.p3", 14655, BT_META_PAD },
	{ "T/f", 65537, 0 },
	{ "T/z", 0, 0 },
	{ NULL, 0, 0 },
};

static void
assert_v2(const char *root, const struct bt_layout *l, const uint8_t *c,
    bool hybrid, unsigned threads)
{
	struct bt_author_file files[COUNT(padded)];
	uint8_t *roots = bt_mem_zero(l->pieces, 32);
	uint8_t *want = bt_mem_zero(l->pieces, 32), *end = want;
	uint8_t *sha1 = hybrid ? bt_mem_zero(l->pieces, 20) : NULL;
	struct bt_err err = BT_ERR_INIT;
	struct bt_author a = { .files = files,
		.piece_length = l->piece_length,
		.threads = threads,
		.sha1 = sha1,
		.roots = roots };

	for (uint32_t i = 0; i < l->files->n; i++) {
		if ((l->files->at[i].attr & BT_META_PAD) != 0)
			continue;
		files[a.n++] = author_file(root, l, i);
		end = plain_layer(
		    bt_filetab_get(l->files, i), c, l->piece_length, end);
	}
	assert_int_equal(end - want, (ptrdiff_t)l->pieces * 32);
	assert_int_equal(
	    bt_author_pieces(files, a.n, l->piece_length, true), l->pieces);
	assert_int_equal(bt_author_run(&a, &err), 0);
	assert_memory_equal(roots, want, (size_t)l->pieces * 32);
	if (hybrid)
		assert_memory_equal(
		    sha1, l->piece_hashes, (size_t)l->pieces * 20);
	for (size_t i = 0; i < a.n; i++)
		free((void *)(uintptr_t)files[i].path);
	bt_mem_free(roots);
	bt_mem_free(want);
	bt_mem_free(sha1);
}

static void
v2_and_hybrids_have_the_tree_of_each_file_and_zeros_between(void **state)
{
	struct bt_layout *l = made_layout("T", 65536, padded);
	uint8_t *c = made_content(l);

	made_put(*state, l, c);
	for (unsigned threads = 1; threads <= 3; threads++) {
		assert_v2(*state, l, c, false, threads);
		assert_v2(*state, l, c, true, threads);
	}
	bt_layout_free(l);
	bt_mem_free(c);
}

static void
one_file_has_its_tree_at_any_piece_length(void **state)
{
	static const uint64_t sizes[] = { 1, 16384, 16385, 40000, 1048576,
		1048577, 5000000 };
	static const uint32_t at[] = { 16384, 32768, 262144, 1 << 20, 1 << 22,
		1 << 24 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t k = 0; k < COUNT(at); k++) {
			struct made_file one[] = { { "T/one", sizes[i], 0 },
				{ NULL, 0, 0 } };
			struct bt_layout *l = made_layout("T", at[k], one);
			uint8_t *c = made_content(l);

			made_put(*state, l, c);
			assert_v2(*state, l, c, k % 2 == 0, 2);
			bt_layout_free(l);
			bt_mem_free(c);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(authoring_gives_the_digest_of_each_piece),
		tmp_test(a_file_that_changes_while_it_is_read_is_named),
		tmp_test(
		    v2_and_hybrids_have_the_tree_of_each_file_and_zeros_between),
		tmp_test(one_file_has_its_tree_at_any_piece_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
