#include "disk/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk_layout.h"
#include "disk_tmp.h"

/* Sizes that put borders inside, at and across pieces of any length below. */
static const struct made_file several[] = {
	{ "T/a", 1000, 0 },
	{ "T/.pad/24", 24, BT_META_PAD },
	{ "T/b", 300000, 0 },
	{ "T/none", 0, 0 },
	{ "T/c", 1, 0 },
	{ "T/d", 700001, 0 },
	{ NULL, 0, 0 },
};
static const uint32_t lengths[] = { 1000, 1024, 16384, 65536, 262144, 300000,
	1 << 20, 1 << 23 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct bt_files *
open_read(const struct bt_layout *l, const char *root)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;

	assert_int_equal(
	    bt_files_open(
		&f, &(struct bt_files_conf){ .layout = l, .root = root }, &err),
	    0);
	return f;
}

/* Verify all and expect the pieces in bad, and those alone, to be bad. */
static void
expect_bad(const struct bt_layout *l, const char *root, unsigned threads,
    const struct bt_bits *bad)
{
	struct bt_files *f = open_read(l, root);
	struct bt_err err = BT_ERR_INIT;
	struct bt_bits good;

	bt_bits_init(&good, l->pieces);
	assert_int_equal(
	    bt_verify_run(f, l, NULL, threads, NULL, &good, &err), 0);
	for (uint32_t i = 0; i < l->pieces; i++)
		assert_int_equal(bt_bits_has(&good, i), !bt_bits_has(bad, i));
	bt_bits_fini(&good);
	bt_files_close(f);
}

static void
whole_content_is_good_at_any_piece_length_with_any_threads(void **state)
{
	for (size_t k = 0; k < COUNT(lengths); k++) {
		struct bt_layout *l = made_layout("T", lengths[k], several);
		uint8_t *c = made_content(l);
		struct bt_bits none;

		bt_bits_init(&none, l->pieces);
		made_put(*state, l, c);
		for (unsigned threads = 1; threads <= 3; threads++)
			expect_bad(l, *state, threads, &none);
		bt_bits_fini(&none);
		bt_layout_free(l);
		bt_mem_free(c);
	}
}

static void
one_bit_makes_its_piece_bad_and_no_other(void **state)
{
	for (size_t k = 0; k < COUNT(lengths); k++) {
		struct bt_layout *l = made_layout("T", lengths[k], several);
		uint8_t *c = made_content(l);
		uint64_t at = l->files->at[5].offset + 400000;
		struct bt_bits bad;

		c[at] ^= 0x10;
		made_put(*state, l, c);
		bt_bits_init(&bad, l->pieces);
		bt_bits_put(&bad, (uint32_t)(at / lengths[k]));
		expect_bad(l, *state, 2, &bad);
		bt_bits_fini(&bad);
		bt_layout_free(l);
		bt_mem_free(c);
	}
}

static void
what_is_missing_or_short_is_bad_and_the_rest_is_not(void **state)
{
	for (size_t k = 0; k < COUNT(lengths); k++) {
		struct bt_layout *l = made_layout("T", lengths[k], several);
		char *b = tmp_path(*state, "T/b"), *d = tmp_path(*state, "T/d");
		uint8_t *c = made_content(l);
		struct bt_bits bad;

		made_put(*state, l, c);
		assert_int_equal(unlink(b), 0);
		assert_int_equal(truncate(d, 700000), 0);
		bt_bits_init(&bad, l->pieces);
		bt_layout_mark_file(l, 2, &bad);
		bt_bits_put(&bad, l->pieces - 1);
		expect_bad(l, *state, 2, &bad);
		bt_bits_fini(&bad);
		bt_layout_free(l);
		bt_mem_free(b);
		bt_mem_free(c);
		bt_mem_free(d);
	}
}

struct told {
	unsigned calls, good, stop_after;
};

static bool
tell(void *arg, uint32_t piece, bool good)
{
	struct told *t = arg;

	(void)piece;
	t->calls++;
	t->good += good;
	return t->calls != t->stop_after;
}

static void
only_the_pieces_asked_for_are_hashed_and_told(void **state)
{
	struct bt_layout *l = made_layout("T", 1000, several);
	uint8_t *c = made_content(l);
	struct bt_err err = BT_ERR_INIT;
	struct bt_bits which, good;
	struct bt_files *f;
	struct told told = { 0 };
	struct bt_verify_progress p = { tell, &told };

	c[l->files->at[2].offset] ^= 1; /* byte 1024: piece 1 */
	made_put(*state, l, c);
	f = open_read(l, *state);
	bt_bits_init(&which, l->pieces);
	bt_bits_init(&good, l->pieces);
	for (uint32_t i = 0; i < 500; i += i < 100 ? 3 : 1)
		bt_bits_put(&which, i + 1);
	assert_int_equal(bt_verify_run(f, l, &which, 2, &p, &good, &err), 0);
	assert_int_equal(told.calls, which.set);
	assert_int_equal(told.good, which.set - 1);
	assert_false(bt_bits_has(&good, 1));
	bt_bits_drop(&which, 1);
	assert_memory_equal(which.p, good.p, bt_bits_bytes(l->pieces));
	bt_bits_fini(&which);
	bt_bits_fini(&good);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(c);
}

static void
progress_can_stop_it(void **state)
{
	struct bt_layout *l = made_layout("T", 1000, several);
	uint8_t *c = made_content(l);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	struct bt_bits good;
	struct told told = { .stop_after = 3 };
	struct bt_verify_progress p = { tell, &told };

	made_put(*state, l, c);
	f = open_read(l, *state);
	bt_bits_init(&good, l->pieces);
	assert_int_equal(bt_verify_run(f, l, NULL, 2, &p, &good, &err), -1);
	assert_int_equal(err.kind, BT_EANSWER);
	assert_int_equal(told.calls, 3);
	bt_bits_fini(&good);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(c);
}

static void
what_is_not_a_file_stops_it_with_an_error(void **state)
{
	struct bt_layout *l = made_layout("T", 16384, several);
	char *d = tmp_path(*state, "T/d");
	uint8_t *c = made_content(l);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	struct bt_bits good;

	made_put(*state, l, c);
	assert_int_equal(unlink(d), 0);
	assert_int_equal(mkfifo(d, 0600), 0);
	f = open_read(l, *state);
	bt_bits_init(&good, l->pieces);
	assert_int_equal(bt_verify_run(f, l, NULL, 2, NULL, &good, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/d': not a regular file"));
	bt_bits_fini(&good);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(c);
	bt_mem_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(
		    whole_content_is_good_at_any_piece_length_with_any_threads),
		tmp_test(one_bit_makes_its_piece_bad_and_no_other),
		tmp_test(what_is_missing_or_short_is_bad_and_the_rest_is_not),
		tmp_test(only_the_pieces_asked_for_are_hashed_and_told),
		tmp_test(progress_can_stop_it),
		tmp_test(what_is_not_a_file_stops_it_with_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
