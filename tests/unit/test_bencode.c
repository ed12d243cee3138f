#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "codec/bencode.h"
#include "edge.h"

#define ANY \
	(BT_BEN_UNSORTED | BT_BEN_DUPLICATE | BT_BEN_ODD_INT | BT_BEN_TRAILING)

static struct bt_ben
checked(struct bt_str in)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_ben v;

	if (bt_ben_check(in, &v, NULL, &err) == -1)
		fail_msg("'%.*s': %s", (int)in.n, in.p, err.text);
	return v;
}

/* Fails in either manner, with kind and a text that holds `words`. */
static void
assert_bad(struct bt_str in, enum bt_err_kind kind, const char *words)
{
	struct bt_ben v = { .type = BT_BEN_NONE };
	struct bt_err err = BT_ERR_INIT;
	unsigned odd = ANY + 1;

	assert_int_equal(bt_ben_check(in, &v, &odd, &err), -1);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, words);
	assert_int_equal(v.type, BT_BEN_NONE);
	assert_int_equal(odd, ANY + 1);
	assert_int_equal(bt_ben_check(in, &v, NULL, &err), -1);
}

/* BEP 3's own examples. */
static void
the_examples_of_bep_3_are_read(void **state)
{
	struct bt_ben v = checked(STR("4:spam")), item;
	struct bt_ben_iter it = { 0 };
	struct bt_str key;

	(void)state;
	assert_int_equal(v.type, BT_BEN_STR);
	assert_true(bt_str_eq(v.str, STR("spam")));
	assert_true(checked(STR("i3e")).num == 3);
	assert_true(checked(STR("i-3e")).num == -3);
	assert_true(checked(STR("i0e")).num == 0);

	v = checked(STR("l4:spam4:eggse"));
	assert_int_equal(v.type, BT_BEN_LIST);
	assert_true(bt_ben_next(&v, &it, &item));
	assert_true(bt_str_eq(item.str, STR("spam")));
	assert_true(bt_ben_next(&v, &it, &item));
	assert_true(bt_str_eq(item.str, STR("eggs")));
	assert_false(bt_ben_next(&v, &it, &item));
	assert_false(bt_ben_next(&v, &it, &item));

	v = checked(STR("d4:spaml1:a1:bee"));
	it.at = 0;
	assert_true(bt_ben_next_key(&v, &it, &key, &item));
	assert_true(bt_str_eq(key, STR("spam")));
	assert_int_equal(item.type, BT_BEN_LIST);
	assert_true(bt_str_eq(item.raw, STR("l1:a1:be")));
	assert_false(bt_ben_next_key(&v, &it, &key, &item));
}

static void
integers_are_64_bits_and_no_more(void **state)
{
	(void)state;
	assert_true(checked(STR("i9223372036854775807e")).num == INT64_MAX);
	assert_true(checked(STR("i-9223372036854775808e")).num == INT64_MIN);
	assert_bad(STR("i9223372036854775808e"), BT_EINPUT, "64 bits");
	assert_bad(STR("i-9223372036854775809e"), BT_EINPUT, "64 bits");
	assert_bad(STR("i18446744073709551617e"), BT_EINPUT, "64 bits");
	assert_bad(STR("li1ei99999999999999999999ee"), BT_EINPUT, "byte 4");
}

static void
what_is_no_number_is_refused(void **state)
{
	const char *const bad[] = { "ie", "i-e", "i--1e", "i+1e", "i 1e",
		"i1 e", "i1.0e", "i1x", "i0x1e", "-1:a", "1a", "1 :a", ":", "a",
		" i1e", "I1e" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bt_str_of(bad[i]), BT_EINPUT, "at byte");
}

static void
a_length_beyond_the_data_is_refused_however_large(void **state)
{
	const char *const bad[] = { "1:", "2:a", "5:spam", "4294967296:a",
		"18446744073709551615:a", "18446744073709551616:a",
		"18446744073709551617:a", "99999999999999999999999999:a" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(bt_str_of(bad[i]), BT_EINPUT, "longer than");
}

static void
containers_must_be_whole(void **state)
{
	(void)state;
	assert_bad(STR(""), BT_EINPUT, "end of data at byte 0");
	assert_bad(STR("l"), BT_EINPUT, "end of data at byte 1");
	assert_bad(STR("e"), BT_EINPUT, "byte 0");
	assert_bad(STR("d1:ae"), BT_EINPUT, "without a value at byte 4");
	assert_bad(STR("di1ei2ee"), BT_EINPUT, "not a string at byte 1");
	assert_bad(STR("dlei1ee"), BT_EINPUT, "not a string at byte 1");
	assert_bad(STR("d1:ai1e2:bi1ee"), BT_EINPUT, "byte 11");
}

static void
oddities_are_errors_or_reported_as_asked(void **state)
{
	const struct {
		struct bt_str in;
		unsigned odd;
	} v[] = {
		{ STR("d1:ai1e1:bi2ee"), 0 },
		{ STR("d0:i1e1:ai2ee"), 0 },
		{ STR("d1:ai1e2:aai2e1:bi3ee"), 0 },
		{ STR("d1:bi1e1:ai2ee"), BT_BEN_UNSORTED },
		{ STR("d2:aai1e1:ai2ee"), BT_BEN_UNSORTED },
		{ STR("d1:\xff"
		      "i1e1:ai2ee"),
		    BT_BEN_UNSORTED },
		{ STR("d1:ai1e1:ai2ee"), BT_BEN_DUPLICATE },
		{ STR("d0:i1e0:i2ee"), BT_BEN_DUPLICATE },
		{ STR("d1:bi1e1:ai2e1:bi3ee"),
		    BT_BEN_UNSORTED | BT_BEN_DUPLICATE },
		{ STR("d1:bd1:xi1ee1:ai2e1:bi3ee"),
		    BT_BEN_UNSORTED | BT_BEN_DUPLICATE },
		{ STR("d1:ci1e1:bd1:ci1ee1:ai3ee"), BT_BEN_UNSORTED },
		{ STR("ld1:bi1eed1:ai1e1:bd1:bi1eeee"), 0 },
		{ STR("i-0e"), BT_BEN_ODD_INT },
		{ STR("i00e"), BT_BEN_ODD_INT },
		{ STR("i-01e"), BT_BEN_ODD_INT },
		{ STR("i00000000000000000000000000007e"), BT_BEN_ODD_INT },
		{ STR("04:spam"), BT_BEN_ODD_INT },
		{ STR("00:"), BT_BEN_ODD_INT },
		{ STR("d01:ai1ee"), BT_BEN_ODD_INT },
		{ STR("l000000000000000000004:spame"), BT_BEN_ODD_INT },
		{ STR("i1ei2e"), BT_BEN_TRAILING },
		{ STR("de\n"), BT_BEN_TRAILING },
		{ STR("d1:bi01e1:ai2ee "),
		    BT_BEN_UNSORTED | BT_BEN_ODD_INT | BT_BEN_TRAILING },
	};
	struct bt_err err;
	struct bt_ben b, at;
	unsigned odd;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		err = (struct bt_err)BT_ERR_INIT;
		odd = ANY + 1;
		assert_int_equal(bt_ben_check(v[i].in, &b, &odd, &err), 0);
		assert_int_equal(err.kind, BT_ENONE);
		if (odd != v[i].odd)
			fail_msg("'%s': %x, not %x", v[i].in.p, odd, v[i].odd);
		at = bt_ben_at(v[i].in); /* sees what was checked */
		assert_int_equal(at.type, b.type);
		assert_int_equal(at.raw.n, b.raw.n);
		assert_int_equal(bt_ben_check(v[i].in, &b, NULL, &err),
		    v[i].odd == 0 ? 0 : -1);
	}
}

/* A comparison of every key with every other would take minutes here. */
static void
equal_keys_are_found_far_apart_among_many(void **state)
{
	const unsigned n = 200000;
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;
	struct bt_ben v;
	unsigned odd;

	(void)state;
	bt_buf_init(&b, 20 * (size_t)n);
	bt_buf_putc(&b, 'd');
	for (unsigned i = 0; i < n; i++)
		bt_buf_printf(&b, "7:%07u0:", n - i);
	bt_buf_putc(&b, 'e');
	assert_int_equal(bt_ben_check(bt_buf_str(&b), &v, &odd, &err), 0);
	assert_int_equal(odd, BT_BEN_UNSORTED);
	b.n--;
	bt_buf_printf(&b, "7:%07u0:e", n / 2);
	assert_int_equal(bt_ben_check(bt_buf_str(&b), &v, &odd, &err), 0);
	assert_int_equal(odd, BT_BEN_UNSORTED | BT_BEN_DUPLICATE);
	bt_buf_fini(&b);
}

static void
nesting_ends_at_the_ceiling(void **state)
{
	char in[2 * (BT_BEN_DEPTH_MAX + 1)];
	const size_t n = BT_BEN_DEPTH_MAX;

	(void)state;
	memset(in, 'l', n);
	memset(in + n, 'e', n);
	assert_int_equal(
	    checked((struct bt_str){ (uint8_t *)in, 2 * n }).type, BT_BEN_LIST);
	memset(in, 'l', n + 1);
	memset(in + n + 1, 'e', n + 1);
	assert_bad((struct bt_str){ (uint8_t *)in, 2 * n + 2 }, BT_ELIMIT,
	    "deeper than 136");
}

static void
a_million_open_lists_are_refused_without_falling_over(void **state)
{
	const size_t n = 1000000;
	uint8_t *in = bt_mem_alloc(n);
	struct bt_ben v = { .type = BT_BEN_LIST };

	(void)state;
	memset(in, 'l', n);
	assert_bad((struct bt_str){ in, n }, BT_ELIMIT, "deeper than 136");
	v = bt_ben_at((struct bt_str){ in, n });
	assert_int_equal(v.type, BT_BEN_NONE);
	bt_mem_free(in);
}

static void
the_first_of_equal_keys_counts_and_only_this_level(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_ben v, got;
	unsigned odd;

	(void)state;
	assert_int_equal(bt_ben_check(STR("d1:ad1:xi7ee1:bi1e1:bi2e1:c1:se"),
			     &v, &odd, &err),
	    0);
	assert_true(bt_ben_get(&v, "b").num == 1);
	assert_int_equal(bt_ben_get(&v, "x").type, BT_BEN_NONE);
	got = bt_ben_get(&v, "a");
	assert_true(bt_ben_get(&got, "x").num == 7);
	assert_int_equal(
	    bt_ben_get_type(&v, "b", BT_BEN_STR).type, BT_BEN_NONE);
	assert_int_equal(bt_ben_get_type(&v, "c", BT_BEN_STR).type, BT_BEN_STR);
	got = bt_ben_get(&v, "none");
	assert_int_equal(bt_ben_get(&got, "x").type, BT_BEN_NONE);
	got = bt_ben_get(&v, "c");
	assert_int_equal(bt_ben_get(&got, "s").type, BT_BEN_NONE);
}

static void
picking_several_keys_is_the_same_as_getting_each(void **state)
{
	struct bt_ben a, b, c, d, v;
	const struct bt_ben_want want[] = {
		{ STR("a"), BT_BEN_INT, &a },
		{ STR("b"), BT_BEN_INT, &b },
		{ STR("c"), BT_BEN_NONE, &c },
		{ STR("d"), BT_BEN_NONE, &d },
	};
	struct bt_err err = BT_ERR_INIT;
	unsigned odd;

	(void)state;
	a.type = b.type = c.type = d.type = BT_BEN_LIST;
	assert_int_equal(bt_ben_check(STR("d1:bi5e1:a1:x1:ai1e1:ci8e1:ci9ee"),
			     &v, &odd, &err),
	    0);
	bt_ben_pick(&v, want, 4);
	assert_int_equal(a.type, BT_BEN_NONE); /* the first a is a string */
	assert_true(b.num == 5);
	assert_true(c.num == 8);
	assert_int_equal(d.type, BT_BEN_NONE);
	assert_int_equal(d.str.n, 0);
}

static void
cursors_over_unchecked_bytes_end_early(void **state)
{
	struct bt_ben v, item;
	struct bt_ben_iter it = { 0 };
	struct bt_str key;

	(void)state;
	assert_int_equal(bt_ben_at(STR("l1:a")).type, BT_BEN_NONE);
	assert_int_equal(bt_ben_at(STR("")).type, BT_BEN_NONE);
	v = bt_ben_at(STR("d1:ai1e1:bexx")); /* b has no value */
	assert_int_equal(v.type, BT_BEN_DICT);
	assert_int_equal(v.raw.n, 11);
	assert_true(bt_ben_next_key(&v, &it, &key, &item));
	assert_false(bt_ben_next_key(&v, &it, &key, &item));
	v = bt_ben_at(STR("di1ei2ee")); /* a key that is no string */
	it.at = 0;
	assert_false(bt_ben_next_key(&v, &it, &key, &item));
	v = bt_ben_at(STR("i1e"));
	assert_false(bt_ben_next(&v, &it, &item));
	v = (struct bt_ben){ .type = BT_BEN_LIST };
	it.at = 0;
	assert_false(bt_ben_next(&v, &it, &item));
}

static void
writers_write_canonical_forms(void **state)
{
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 200);
	bt_ben_put_char(&b, 'd');
	bt_ben_put_cstr(&b, "a");
	bt_ben_put_int(&b, INT64_MIN);
	bt_ben_put_cstr(&b, "b");
	bt_ben_put_char(&b, 'l');
	bt_ben_put_int(&b, 0);
	bt_ben_put_int(&b, INT64_MAX);
	bt_ben_put_str(&b, STR("\0e"));
	bt_ben_put_cstr(&b, "");
	bt_ben_put_char(&b, 'e');
	bt_ben_put_char(&b, 'e');
	assert_true(bt_str_eq(
	    bt_buf_str(&b), STR("d1:ai-9223372036854775808e1:bl"
				"i0ei9223372036854775807e2:\0e0:ee")));
	checked(bt_buf_str(&b));
	bt_buf_fini(&b);
}

static void
a_string_that_does_not_fit_leaves_nothing_behind(void **state)
{
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 5);
	assert_int_equal(bt_ben_put_cstr(&b, "spam"), -1);
	assert_int_equal(b.n, 0);
	assert_int_equal(bt_ben_put_int(&b, 1234), -1);
	assert_int_equal(b.n, 0);
	assert_int_equal(bt_ben_put_cstr(&b, "egg"), 0);
	assert_int_equal(bt_ben_put_char(&b, 'e'), -1);
	bt_buf_fini(&b);
}

static void
put_leaf(struct bt_rng *r, struct bt_buf *b)
{
	uint8_t bytes[12];
	uint32_t n = bt_rng_below(r, sizeof(bytes));

	if (bt_rng_below(r, 2) == 0) {
		bt_ben_put_int(b, (int64_t)(bt_rng_u64(r) >> n * 5));
		return;
	}
	bt_rng_fill(r, bytes, n);
	bt_ben_put_str(b, (struct bt_str){ bytes, n });
}

/* A random canonical value, at least one container deep. */
static void
put_random(struct bt_rng *r, struct bt_buf *b)
{
	char open[8] = "l";
	size_t depth = 1;
	unsigned key = 10;

	bt_ben_put_char(b, open[0]);
	while (depth > 0) {
		if (bt_rng_below(r, 4) == 0) {
			bt_ben_put_char(b, 'e');
			depth--;
			continue;
		}
		if (open[depth - 1] == 'd' && key < 99)
			bt_buf_printf(b, "2:%u", ++key);
		else if (open[depth - 1] == 'd')
			continue;
		if (depth < sizeof(open) && bt_rng_below(r, 2) == 0) {
			open[depth] = bt_rng_below(r, 2) == 0 ? 'd' : 'l';
			bt_ben_put_char(b, open[depth++]);
		} else {
			put_leaf(r, b);
		}
	}
}

/* Copy the value through cursors and writers; depth is ours: at most 8. */
static void
copy_value(const struct bt_ben *v, struct bt_buf *to)
{
	struct bt_ben_iter it = { 0 };
	struct bt_ben item;
	struct bt_str key;

	if (v->type == BT_BEN_INT) {
		bt_ben_put_int(to, v->num);
		return;
	}
	if (v->type == BT_BEN_STR) {
		bt_ben_put_str(to, v->str);
		return;
	}
	bt_ben_put_char(to, v->type == BT_BEN_LIST ? 'l' : 'd');
	if (v->type == BT_BEN_LIST)
		while (bt_ben_next(v, &it, &item))
			copy_value(&item, to);
	else
		while (bt_ben_next_key(v, &it, &key, &item)) {
			bt_ben_put_str(to, key);
			copy_value(&item, to);
		}
	bt_ben_put_char(to, 'e');
}

/* Each input ends at memory that may not be read. */
static void
random_values_come_back_and_no_prefix_of_them_passes(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf in, out;
	struct bt_ben v;
	struct bt_str s;
	struct bt_rng r;
	struct edge e;
	unsigned odd;

	(void)state;
	bt_rng_seed(&r, 1);
	edge_init(&e, 1 << 16);
	bt_buf_init(&in, 1 << 16);
	bt_buf_init(&out, 1 << 16);
	for (int round = 0; round < 300; round++) {
		bt_buf_clear(&in);
		bt_buf_clear(&out);
		put_random(&r, &in);
		s = edge_put(&e, bt_buf_str(&in));
		v = checked(s);
		assert_int_equal(v.raw.n, s.n);
		copy_value(&v, &out);
		assert_true(bt_str_eq(bt_buf_str(&out), s));
		for (size_t n = 0; n < in.n && n < 400; n++) {
			s = edge_put(&e, bt_str_sub(bt_buf_str(&in), 0, n));
			assert_int_equal(bt_ben_check(s, &v, &odd, &err), -1);
			assert_int_equal(bt_ben_at(s).type, BT_BEN_NONE);
		}
	}
	bt_buf_fini(&in);
	bt_buf_fini(&out);
	edge_fini(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_bep_3_are_read),
		cmocka_unit_test(integers_are_64_bits_and_no_more),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(
		    a_length_beyond_the_data_is_refused_however_large),
		cmocka_unit_test(containers_must_be_whole),
		cmocka_unit_test(oddities_are_errors_or_reported_as_asked),
		cmocka_unit_test(equal_keys_are_found_far_apart_among_many),
		cmocka_unit_test(nesting_ends_at_the_ceiling),
		cmocka_unit_test(
		    a_million_open_lists_are_refused_without_falling_over),
		cmocka_unit_test(
		    the_first_of_equal_keys_counts_and_only_this_level),
		cmocka_unit_test(
		    picking_several_keys_is_the_same_as_getting_each),
		cmocka_unit_test(cursors_over_unchecked_bytes_end_early),
		cmocka_unit_test(writers_write_canonical_forms),
		cmocka_unit_test(
		    a_string_that_does_not_fit_leaves_nothing_behind),
		cmocka_unit_test(
		    random_values_come_back_and_no_prefix_of_them_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
