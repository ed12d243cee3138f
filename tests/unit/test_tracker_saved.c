#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "saved.h"

static const uint8_t secret[16] = "0123456789abcdef";

static const struct bt_saved_head head = { .tick_ms = 36000,
	.wall_ms = UINT64_C(1700000000123),
	.key_secret = "0123456789abcdef" };

static void
a_head_reads_back_as_it_was_written(void **state)
{
	uint8_t out[BT_SAVED_HEAD_LEN];
	struct bt_saved_head h;

	(void)state;
	bt_saved_head_put(out, &head);
	assert_int_equal(
	    bt_saved_head_get((struct bt_str){ out, sizeof(out) }, &h),
	    BT_SAVED_WHOLE);
	assert_int_equal(h.tick_ms, head.tick_ms);
	assert_int_equal(h.wall_ms, head.wall_ms);
	assert_memory_equal(h.key_secret, head.key_secret, 16);
}

static void
each_bit_of_a_head_counts(void **state)
{
	uint8_t out[BT_SAVED_HEAD_LEN];
	struct bt_saved_head h;
	enum bt_saved_is is;

	(void)state;
	for (unsigned bit = 0; bit < 8 * sizeof(out); bit++) {
		bt_saved_head_put(out, &head);
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		is = bt_saved_head_get((struct bt_str){ out, sizeof(out) }, &h);
		assert_int_equal(
		    is, bit < 64 ? BT_SAVED_OTHER : BT_SAVED_DAMAGED);
	}
	bt_saved_head_put(out, &head);
	for (size_t n = 0; n < sizeof(out); n++) {
		is = bt_saved_head_get((struct bt_str){ out, n }, &h);
		assert_int_equal(is, n == 0 ? BT_SAVED_OTHER : BT_SAVED_CUT);
	}
}

static void
a_file_of_another_kind_is_none(void **state)
{
	struct bt_saved_head h;

	(void)state;
	assert_int_equal(
	    bt_saved_head_get(STR("d8:announce0:e"), &h), BT_SAVED_OTHER);
	assert_int_equal(bt_saved_head_get(STR("x"), &h), BT_SAVED_OTHER);
}

static void
frame(struct bt_buf *b, uint64_t number, const char *groups)
{
	bt_buf_init(b, BT_SAVED_FRAME_MAX);
	bt_saved_frame_begin(b, number);
	bt_buf_puts(b, groups);
	bt_saved_frame_seal(b, secret);
}

static void
a_frame_is_whole_or_it_is_not(void **state)
{
	struct bt_str groups;
	struct bt_buf b;
	size_t took = 0;

	(void)state;
	frame(&b, 7, "some groups");
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(bt_saved_frame_get((struct bt_str){ b.p, n },
				     7, secret, &groups, &took),
		    BT_SAVED_CUT);
	assert_int_equal(
	    bt_saved_frame_get(bt_buf_str(&b), 7, secret, &groups, &took),
	    BT_SAVED_WHOLE);
	assert_int_equal(took, b.n);
	assert_int_equal(groups.n, 11);
	assert_memory_equal(groups.p, "some groups", 11);
	/* at another place in the file it is damage */
	assert_int_equal(
	    bt_saved_frame_get(bt_buf_str(&b), 8, secret, &groups, &took),
	    BT_SAVED_DAMAGED);
	for (size_t i = 4; i < b.n; i++) {
		b.p[i] ^= 0x10;
		assert_int_equal(bt_saved_frame_get(
				     bt_buf_str(&b), 7, secret, &groups, &took),
		    BT_SAVED_DAMAGED);
		b.p[i] ^= 0x10;
	}
	bt_buf_fini(&b);
}

static void
a_length_that_no_frame_has_is_damage(void **state)
{
	static const uint32_t lengths[] = { 0, 7, BT_SAVED_FRAME_MAX - 11,
		UINT32_MAX };
	struct bt_str groups;
	struct bt_buf b;
	size_t took;

	(void)state;
	frame(&b, 0, "x");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		bt_put_be32(b.p, lengths[i]);
		assert_int_equal(bt_saved_frame_get(
				     bt_buf_str(&b), 0, secret, &groups, &took),
		    BT_SAVED_DAMAGED);
	}
	bt_buf_fini(&b);
}

static void
a_group_that_is_cut_or_of_no_part_is_none(void **state)
{
	uint8_t in[BT_SAVED_GROUP_LEN + 2 * 23] = { [28] = 3, [30] = 2 };
	struct bt_saved_group g;
	struct bt_rd r;

	(void)state;
	for (size_t n = 1; n < sizeof(in); n++) {
		r = bt_rd_of((struct bt_str){ in, n });
		assert_int_equal(bt_saved_group_get(&r, &g), -1);
	}
	r = bt_rd_of((struct bt_str){ in, sizeof(in) });
	assert_int_equal(bt_saved_group_get(&r, &g), 1);
	assert_int_equal(g.family, 6);
	assert_true(g.seeders);
	assert_int_equal(g.n, 2);
	assert_ptr_equal(g.addrs, in + BT_SAVED_GROUP_LEN + 2 * 5);
	assert_int_equal(bt_saved_group_get(&r, &g), 0);
	in[28] = 4;
	r = bt_rd_of((struct bt_str){ in, sizeof(in) });
	assert_int_equal(bt_saved_group_get(&r, &g), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_reads_back_as_it_was_written),
		cmocka_unit_test(each_bit_of_a_head_counts),
		cmocka_unit_test(a_file_of_another_kind_is_none),
		cmocka_unit_test(a_frame_is_whole_or_it_is_not),
		cmocka_unit_test(a_length_that_no_frame_has_is_damage),
		cmocka_unit_test(a_group_that_is_cut_or_of_no_part_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
