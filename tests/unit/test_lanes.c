#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lanes.h"
#include "lanes_check.h"

static uint64_t
seed(void)
{
	const char *s = getenv("SEED");

	return s == NULL ? 1 : strtoull(s, NULL, 10);
}

/* Run check for each kernel that this processor has, and for the choice. */
static void
for_each_kernel(void (*check)(struct lanes_check *c))
{
	struct lanes_check c;
	struct bt_lanes l;

	for (size_t i = 0; bt_lanes_kernels[i] != NULL; i++) {
		const struct bt_lanes_kernel *k = bt_lanes_kernels[i];

		print_message("%s of %s%s, seed %llu\n",
		    k->kind == BT_HASH_SHA1 ? "SHA-1" : "SHA-256", k->name,
		    k->is_here() ? "" : " is not here",
		    (unsigned long long)seed());
		if (!k->is_here())
			continue;
		bt_lanes_init_only(&l, k);
		lanes_check_init(&c, &l, k->kind, seed());
		check(&c);
		lanes_check_fini(&c);
	}
	bt_lanes_init(&l);
	for (int kind = 0; kind < 2; kind++) {
		lanes_check_init(&c, &l, (enum bt_hash_kind)kind, seed());
		check(&c);
		lanes_check_fini(&c);
	}
}

static void
random_streams(struct lanes_check *c)
{
	lanes_check_random(c, 120);
}

static void
streams_of_any_length_agree_with_openssl(void **state)
{
	(void)state;
	for_each_kernel(random_streams);
}

static void
edges_of_blocks_and_padding_agree_with_openssl(void **state)
{
	(void)state;
	for_each_kernel(lanes_check_edges);
}

/* Each length of the first part, and each of the second one after it. */
static void
all_slicings(struct lanes_check *c)
{
	struct bt_lane lanes[4], *ends[4];
	struct bt_lanes_feed f[4];
	size_t n;

	for (unsigned i = 0; i < 4; i++) {
		lanes_check_put(c, i, 130 + 33 * i);
		ends[i] = &lanes[i];
	}
	for (size_t a = 0; a <= 130; a++)
		for (size_t b = a; b <= 130; b += 1 + (b + a) % 7) {
			for (unsigned i = 0; i < 4; i++)
				bt_lanes_begin(&lanes[i], c->kind);
			for (unsigned k = 0; k < 3; k++) {
				size_t from = k == 0 ? 0 : k == 1 ? a : b;

				for (unsigned i = 0; i < 4; i++) {
					n = (k == 0	 ? a
						: k == 1 ? b
							 : c->in[i].n) -
					    from;
					f[i] =
					    (struct bt_lanes_feed){ &lanes[i],
						    c->in[i].p + from, n };
				}
				bt_lanes_add(&c->lanes, f, 4);
			}
			bt_lanes_end(&c->lanes, ends, 4, c->got);
			lanes_check_same(c, 4);
		}
}

static void
all_slicings_agree(void **state)
{
	(void)state;
	for_each_kernel(all_slicings);
}

/* NIST's examples for FIPS 180-4, one in each place of the widest kernel. */
static void
fips_180_examples(struct lanes_check *c)
{
	static const char *const want[2][3] = {
		{ "a9993e364706816aba3e25717850c26c9cd0d89d",
		    "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
		    "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "ba7816bf8f01cfea414140de5dae2223"
		  "b00361a396177a9cb410ff61f20015ad",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1",
		    "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855" },
	};
	const struct bt_str in[3] = {
		STR("abc"),
		STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		{ NULL, 0 },
	};
	struct bt_str many[BT_LANES_WIDTH_MAX + 2];
	char hex[2 * BT_SHA256_LEN + 1];
	size_t n = sizeof(many) / sizeof(many[0]);

	for (size_t i = 0; i < n; i++)
		many[i] = in[i % 3];
	bt_lanes_whole(&c->lanes, c->kind, many, n, c->got);
	for (size_t i = 0; i < n; i++) {
		bt_str_hex(
		    (struct bt_str){ c->got + i * c->digest, c->digest }, hex);
		assert_string_equal(hex, want[c->kind][i % 3]);
	}
}

static void
every_place_gives_the_examples_of_fips_180(void **state)
{
	(void)state;
	for_each_kernel(fips_180_examples);
}

static void
a_million_letters(struct lanes_check *c)
{
	struct bt_lane lanes[3], *ends[3] = { &lanes[0], &lanes[1], &lanes[2] };
	struct bt_lanes_feed f[3];
	uint8_t letters[997];
	char hex[2 * BT_SHA256_LEN + 1];
	size_t left[3] = { 1000000, 1000000, 1000000 };

	memset(letters, 'a', sizeof(letters));
	for (unsigned i = 0; i < 3; i++)
		bt_lanes_begin(&lanes[i], c->kind);
	for (size_t part = 0; left[0] + left[1] + left[2] > 0;) {
		for (unsigned i = 0; i < 3; i++) {
			part = (part + 61) % sizeof(letters);
			f[i] = (struct bt_lanes_feed){ &lanes[i], letters,
				part < left[i] ? part : left[i] };
			left[i] -= f[i].n;
		}
		bt_lanes_add(&c->lanes, f, 3);
	}
	bt_lanes_end(&c->lanes, ends, 3, c->got);
	for (unsigned i = 0; i < 3; i++) {
		bt_str_hex(
		    (struct bt_str){ c->got + i * c->digest, c->digest }, hex);
		assert_string_equal(
		    hex, c->kind == BT_HASH_SHA1
			     ? "34aa973cd4c4daa4f61eeb2bdbad27316534016f"
			     : "cdc76e5c9914fb9281a1c7e284d73e67"
			       "f1809a48a497200e046d39ccc7112cd0");
	}
}

static void
a_million_letters_in_uneven_parts_give_the_example(void **state)
{
	(void)state;
	for_each_kernel(a_million_letters);
}

static void
a_lane_begun_anew_has_forgotten(void **state)
{
	struct bt_lane lane, *ends[1] = { &lane };
	struct bt_lanes l;
	uint8_t got[2][BT_SHA1_LEN];

	(void)state;
	bt_lanes_init(&l);
	for (unsigned i = 0; i < 2; i++) {
		struct bt_lanes_feed f = { &lane, (const uint8_t *)"abcdef",
			6 };

		bt_lanes_begin(&lane, BT_HASH_SHA1);
		bt_lanes_add(&l, &f, 1);
		bt_lanes_end(&l, ends, 1, got[i]);
	}
	assert_memory_equal(got[0], got[1], BT_SHA1_LEN);
}

/* Whatever the processor has, one stream goes to a kernel of one. */
static void
a_stream_alone_pays_for_no_others(void **state)
{
	struct bt_lanes l;

	(void)state;
	bt_lanes_init(&l);
	for (int kind = 0; kind < 2; kind++) {
		assert_int_equal(l.pick[kind][1]->width, 1);
		assert_int_equal(bt_lanes_width(&l, (enum bt_hash_kind)kind),
		    l.pick[kind][BT_LANES_WIDTH_MAX]->width);
		for (unsigned i = 1; i <= BT_LANES_WIDTH_MAX; i++) {
			assert_int_equal(l.pick[kind][i]->kind, kind);
			assert_true(l.pick[kind][i]->is_here());
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_of_any_length_agree_with_openssl),
		cmocka_unit_test(
		    edges_of_blocks_and_padding_agree_with_openssl),
		cmocka_unit_test(all_slicings_agree),
		cmocka_unit_test(every_place_gives_the_examples_of_fips_180),
		cmocka_unit_test(
		    a_million_letters_in_uneven_parts_give_the_example),
		cmocka_unit_test(a_lane_begun_anew_has_forgotten),
		cmocka_unit_test(a_stream_alone_pays_for_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
