#include "codec/filetab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"

#define MANY 5000u
#define ODD 1u

static void
add(struct bt_filetab *t, const char *path)
{
	bt_filetab_add(t, 1, 0, bt_str_of(path));
}

static void
assert_file(const struct bt_filetab *t, uint32_t i, uint64_t offset,
    uint64_t size, const char *path, unsigned attr)
{
	struct bt_file f = bt_filetab_get(t, i);

	assert_true(f.offset == offset);
	assert_true(f.size == size);
	assert_true(bt_filetab_size(t, i) == size);
	assert_true(bt_str_eq(f.path, bt_str_of(path)));
	assert_int_equal(f.path.p[f.path.n], '\0');
	assert_int_equal(f.attr, attr);
}

static void
a_file_is_read_as_it_was_added(void **state)
{
	struct bt_filetab *t = bt_filetab_new();
	uint64_t large = (uint64_t)1 << 61;

	(void)state;
	assert_int_equal(t->n, 0);
	assert_true(bt_filetab_total(t) == 0);
	bt_filetab_add(t, 5, 3, STR("a/b"));
	bt_filetab_add(t, 0, 0, STR("none"));
	bt_filetab_add(t, 7, 1, (struct bt_str){ NULL, 0 });
	bt_filetab_add(t, large, 0, STR("z"));
	assert_int_equal(t->n, 4);
	assert_file(t, 0, 0, 5, "a/b", 3);
	assert_file(t, 1, 5, 0, "none", 0);
	assert_file(t, 2, 5, 7, "", 1);
	assert_file(t, 3, 12, large, "z", 0);
	assert_true(bt_filetab_total(t) == large + 12);
	bt_filetab_free(t);
}

/* 16 bytes each, and the path with its NUL, in a room of at most twice that. */
static void
many_files_take_little_memory(void **state)
{
	struct bt_filetab *t = bt_filetab_new();
	char path[16];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "%06u", i);
		bt_filetab_add(t, i % 3, 0, bt_str_of(path));
	}
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "%06u", i);
		assert_file(
		    t, i, (uint64_t)(i / 3) * 3 + (i % 3 == 2), i % 3, path, 0);
	}
	assert_int_equal(sizeof(*t->at), 16);
	assert_int_equal(t->paths_n, MANY * 7);
	assert_in_range(t->room, MANY + 1, 2 * (MANY + 1));
	assert_in_range(t->paths_room, MANY * 7, 2 * MANY * 7 + 128);
	bt_filetab_free(t);
}

static void
the_longest_path_is_kept(void **state)
{
	struct bt_filetab *t = bt_filetab_new();
	char path[UINT16_MAX + 1];

	(void)state;
	memset(path, 'p', UINT16_MAX);
	path[UINT16_MAX] = '\0';
	add(t, "first");
	add(t, path);
	add(t, "last");
	assert_file(t, 1, 1, 1, path, 0);
	assert_file(t, 2, 2, 1, "last", 0);
	bt_filetab_free(t);
}

static void
it_lives_as_long_as_its_last_holder(void **state)
{
	struct bt_filetab *t = bt_filetab_new(), *same;

	(void)state;
	add(t, "x");
	same = bt_filetab_share(t);
	assert_ptr_equal(same, t);
	bt_filetab_free(t);
	assert_file(same, 0, 0, 1, "x", 0);
	bt_filetab_free(same);
	bt_filetab_free(NULL);
}

static void
a_byte_is_found_in_its_file_and_never_in_an_empty_one(void **state)
{
	static const uint64_t sizes[] = { 0, 3, 0, 0, 2, 1, 0 };
	static const uint32_t at[] = { 1, 1, 1, 4, 4, 5 };
	struct bt_filetab *t = bt_filetab_new();

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		bt_filetab_add(t, sizes[i], 0, STR("f"));
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		assert_int_equal(bt_filetab_find(t, i), at[i]);
	bt_filetab_free(t);
}

static void
what_is_in_a_folder_follows_the_folder(void **state)
{
	static const char *const in_order[] = { "", "a", "a/b", "a/b/c", "a/bc",
		"a\x01", "a b", "a-", "a.b", "a0", "ab", "b" };
	size_t n = sizeof(in_order) / sizeof(*in_order);
	int want;

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			want = (i > k) - (i < k);
			int got = bt_filetab_path_cmp(
			    bt_str_of(in_order[i]), bt_str_of(in_order[k]));
			assert_int_equal((got > 0) - (got < 0), want);
		}
}

/* Is it each number once, in the order of paths, and equal ones as they came? */
static void
assert_order(const struct bt_filetab *t, const uint32_t *order, uint32_t n)
{
	bool *seen = bt_mem_zero(t->n, sizeof(*seen));
	int c;

	for (uint32_t i = 0; i < n; i++) {
		assert_in_range(order[i], 0, t->n - 1);
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
		if (i == 0)
			continue;
		c = bt_filetab_path_cmp(bt_filetab_get(t, order[i - 1]).path,
		    bt_filetab_get(t, order[i]).path);
		assert_true(c < 0 || (c == 0 && order[i - 1] < order[i]));
	}
	bt_mem_free(seen);
}

static void
files_are_put_in_the_order_of_their_paths(void **state)
{
	uint32_t n, *order;
	struct bt_rng rng;
	char path[32];

	(void)state;
	bt_rng_seed(&rng, 1);
	for (uint32_t count = 0; count < 300; count++) {
		struct bt_filetab *t = bt_filetab_new();

		for (uint32_t i = 0; i < count; i++) {
			snprintf(path, sizeof(path), "%c/%u",
			    "ab.-"[bt_rng_u64(&rng) % 4],
			    (unsigned)(bt_rng_u64(&rng) % 100));
			add(t, path);
		}
		order = bt_filetab_by_path(t, ODD, &n);
		assert_int_equal(n, count);
		assert_order(t, order, n);
		bt_mem_free(order);
		bt_filetab_free(t);
	}
}

static void
what_has_the_attribute_is_left_out_of_the_order(void **state)
{
	static const uint32_t want[] = { 4, 2, 0 };
	struct bt_filetab *t = bt_filetab_new();
	uint32_t n, *order;

	(void)state;
	bt_filetab_add(t, 1, 0, STR("c"));
	bt_filetab_add(t, 1, ODD, STR("a"));
	bt_filetab_add(t, 1, 2, STR("b"));
	bt_filetab_add(t, 1, ODD | 2, (struct bt_str){ NULL, 0 });
	bt_filetab_add(t, 1, 0, STR("a"));
	order = bt_filetab_by_path(t, ODD, &n);
	assert_int_equal(n, 3);
	assert_memory_equal(order, want, sizeof(want));
	bt_mem_free(order);
	bt_filetab_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_as_it_was_added),
		cmocka_unit_test(many_files_take_little_memory),
		cmocka_unit_test(the_longest_path_is_kept),
		cmocka_unit_test(it_lives_as_long_as_its_last_holder),
		cmocka_unit_test(
		    a_byte_is_found_in_its_file_and_never_in_an_empty_one),
		cmocka_unit_test(what_is_in_a_folder_follows_the_folder),
		cmocka_unit_test(files_are_put_in_the_order_of_their_paths),
		cmocka_unit_test(
		    what_has_the_attribute_is_left_out_of_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
