#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/htab.h"
#include "base/rng.h"

#define KEYS 500

static const uint8_t sip_key[16] = "sixteen letters";

static void
what_was_put_is_found_until_it_is_removed(void **state)
{
	struct bt_htab *t = bt_htab_new(3, sip_key);
	int a, b;

	(void)state;
	assert_null(bt_htab_get(t, "key"));
	assert_null(bt_htab_del(t, "key"));
	assert_null(bt_htab_put(t, "key", &a));
	assert_ptr_equal(bt_htab_get(t, "key"), &a);
	assert_null(bt_htab_get(t, "kez"));
	assert_ptr_equal(bt_htab_put(t, "key", &b), &a);
	assert_int_equal(bt_htab_count(t), 1);
	assert_ptr_equal(bt_htab_del(t, "key"), &b);
	assert_null(bt_htab_get(t, "key"));
	assert_int_equal(bt_htab_count(t), 0);
	bt_htab_free(t);
	bt_htab_free(NULL);
}

static void
keys_are_copied(void **state)
{
	struct bt_htab *t = bt_htab_new(4, sip_key);
	char key[4] = "abcd";
	int v;

	(void)state;
	bt_htab_put(t, key, &v);
	key[0] = 'x';
	assert_null(bt_htab_get(t, key));
	assert_ptr_equal(bt_htab_get(t, "abcd"), &v);
	bt_htab_free(t);
}

static void
keys_of_64_bytes_differ_in_their_last(void **state)
{
	struct bt_htab *t = bt_htab_new(64, sip_key);
	uint8_t key[64] = { 0 };
	int v[256];

	(void)state;
	for (int i = 0; i < 256; i++) {
		key[63] = (uint8_t)i;
		bt_htab_put(t, key, &v[i]);
	}
	for (int i = 0; i < 256; i++) {
		key[63] = (uint8_t)i;
		assert_ptr_equal(bt_htab_get(t, key), &v[i]);
	}
	bt_htab_free(t);
}

static void
assert_walk(const struct bt_htab *t, void *const want[KEYS])
{
	bool seen[KEYS] = { false };
	size_t at = 0, count = 0;
	const void *key;
	uint32_t k;
	void *v;

	while (bt_htab_next(t, &at, &key, &v)) {
		memcpy(&k, key, sizeof(k));
		assert_true(k < KEYS);
		assert_false(seen[k]);
		seen[k] = true;
		assert_ptr_equal(v, want[k]);
		count++;
	}
	assert_int_equal(count, bt_htab_count(t));
	assert_false(bt_htab_next(t, &at, &key, &v));
}

/* Runs of removals are what breaks a table with linear probing. */
static void
random_changes_agree_with_an_array(void **state)
{
	struct bt_htab *t = bt_htab_new(sizeof(uint32_t), sip_key);
	static char values[1000];
	void *want[KEYS] = { NULL }, *v;
	struct bt_rng r;
	size_t count = 0;
	uint32_t k, span;

	(void)state;
	bt_rng_seed(&r, 1);
	for (int i = 0; i < 100000; i++) {
		span = 1 + (uint32_t)i / 200 % KEYS;
		k = bt_rng_below(&r, span);
		if (bt_rng_below(&r, 2) == 0) {
			v = &values[bt_rng_below(&r, sizeof(values))];
			count += want[k] == NULL;
			assert_ptr_equal(bt_htab_put(t, &k, v), want[k]);
			want[k] = v;
		} else {
			count -= want[k] != NULL;
			assert_ptr_equal(bt_htab_del(t, &k), want[k]);
			want[k] = NULL;
		}
		assert_int_equal(bt_htab_count(t), count);
		k = bt_rng_below(&r, KEYS);
		assert_ptr_equal(bt_htab_get(t, &k), want[k]);
		if (i % 1000 == 0)
			assert_walk(t, want);
	}
	for (k = 0; k < KEYS; k++)
		assert_ptr_equal(bt_htab_get(t, &k), want[k]);
	bt_htab_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_until_it_is_removed),
		cmocka_unit_test(keys_are_copied),
		cmocka_unit_test(keys_of_64_bytes_differ_in_their_last),
		cmocka_unit_test(random_changes_agree_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
