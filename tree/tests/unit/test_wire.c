#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>

#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/rng.h"
#include "codec/wire.h"
#include "edge.h"

static struct edge edge;

#define MAX (1u << 20)

/* Messages as BEP 3, 5, 6 and 10 write them down. */
static const struct sample {
	const char *name;
	struct bt_str bytes;
	unsigned id;
	uint32_t index, begin, length;
	size_t head; /* bytes before the payload */
} samples[] = {
	{ "keep-alive", { (const uint8_t *)"\0\0\0\0", 4 }, BT_KEEPALIVE, 0, 0,
	    0, 4 },
#define S(name, lit, ...)                                                    \
	{                                                                    \
		name, { (const uint8_t *)lit, sizeof(lit) - 1 }, __VA_ARGS__ \
	}
	S("choke", "\0\0\0\1\0", 0, 0, 0, 0, 5),
	S("unchoke", "\0\0\0\1\1", 1, 0, 0, 0, 5),
	S("interested", "\0\0\0\1\2", 2, 0, 0, 0, 5),
	S("not interested", "\0\0\0\1\3", 3, 0, 0, 0, 5),
	S("have", "\0\0\0\5\4\1\2\3\4", 4, 0x01020304, 0, 0, 9),
	S("bitfield", "\0\0\0\3\5\xff\x80", 5, 0, 0, 0, 5),
	S("request", "\0\0\0\15\6\0\0\0\1\0\0\x40\0\0\0\x40\1", 6, 1, 0x4000,
	    0x4001, 17),
	S("piece", "\0\0\0\13\7\0\0\0\2\0\0\x80\0hi", 7, 2, 0x8000, 2, 13),
	S("empty piece", "\0\0\0\11\7\0\0\0\2\0\0\x80\0", 7, 2, 0x8000, 0, 13),
	S("cancel", "\0\0\0\15\10\0\0\0\1\0\0\x40\0\0\0\x40\0", 8, 1, 0x4000,
	    0x4000, 17),
	S("port", "\0\0\0\3\11\x1a\xe1", 9, 6881, 0, 0, 7),
	S("suggest piece", "\0\0\0\5\15\0\0\0\7", 13, 7, 0, 0, 9),
	S("have all", "\0\0\0\1\16", 14, 0, 0, 0, 5),
	S("have none", "\0\0\0\1\17", 15, 0, 0, 0, 5),
	S("reject", "\0\0\0\15\20\0\0\0\1\0\0\x40\0\0\0\x40\0", 16, 1, 0x4000,
	    0x4000, 17),
	S("allowed fast", "\0\0\0\5\21\0\0\0\1", 17, 1, 0, 0, 9),
	S("extended", "\0\0\0\4\24\0de", 20, 0, 0, 0, 5),
	S("an id of nobody's", "\0\0\0\4\377abc", 255, 0, 0, 0, 5),
	S("an id without a body", "\0\0\0\1\12", 10, 0, 0, 0, 5),
#undef S
};
#define NSAMPLES (sizeof(samples) / sizeof(samples[0]))

/* The handshake of transmission-daemon 3.00. */
static const struct bt_str greeting = {
	(const uint8_t *)"\023BitTorrent protocol"
			 "\0\0\0\0\0\x10\0\x04"
			 "\xc5\x45\x32\x29\x19\x12\xe1\x7b\x09\x1e"
			 "\xb1\x20\xcf\xd0\xe0\x87\x18\x10\xb8\x8f"
			 "-TR3000-e12dx6b2r9dd",
	68
};

static void
each_message_reads_as_its_specification_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < NSAMPLES; i++) {
		const struct sample *s = &samples[i];
		struct bt_str in = edge_put(&edge, s->bytes);
		struct bt_wire_msg m;

		if (bt_wire_decode(in, MAX, &m) != (ssize_t)in.n)
			fail_msg("%s is not read", s->name);
		assert_int_equal(m.id, s->id);
		assert_int_equal(m.index, s->index);
		assert_int_equal(m.begin, s->begin);
		assert_int_equal(m.length, s->length);
		assert_int_equal(m.payload.n, in.n - s->head);
		if (m.payload.n > 0)
			assert_ptr_equal(m.payload.p, in.p + s->head);
	}
}

static void
each_message_is_written_as_it_was_read(void **state)
{
	uint8_t head[BT_WIRE_HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < NSAMPLES; i++) {
		const struct sample *s = &samples[i];
		struct bt_wire_msg m;
		size_t n;

		assert_true(bt_wire_decode(s->bytes, MAX, &m) > 0);
		n = bt_wire_encode_head(head, &m, (uint32_t)m.payload.n);
		assert_int_equal(n, s->head);
		assert_memory_equal(head, s->bytes.p, n);
	}
}

/* However the network slices it, a good message is never called bad. */
static void
every_prefix_of_a_good_message_asks_for_more(void **state)
{
	struct bt_wire_msg m;
	struct bt_str in;

	(void)state;
	for (size_t i = 0; i < NSAMPLES; i++)
		for (size_t n = 0; n < samples[i].bytes.n; n++) {
			in =
			    edge_put(&edge, bt_str_sub(samples[i].bytes, 0, n));
			assert_int_equal(bt_wire_decode(in, MAX, &m), 0);
		}
}

static void
what_follows_a_message_is_left_alone(void **state)
{
	struct bt_str two = STR("\0\0\0\5\4\0\0\0\1"
				"\0\0\0\1\0");
	struct bt_wire_msg m;

	(void)state;
	assert_int_equal(bt_wire_decode(two, MAX, &m), 9);
	assert_int_equal(m.payload.n, 0);
}

static void
the_head_is_read_before_the_body_is_there(void **state)
{
	struct bt_wire_msg m;
	uint32_t body;

	(void)state;
	for (size_t i = 0; i < NSAMPLES; i++) {
		const struct sample *s = &samples[i];
		struct bt_str in;

		for (size_t n = 0; n < s->head; n++)
			assert_int_equal(
			    bt_wire_decode_head(
				bt_str_sub(s->bytes, 0, n), MAX, &m, &body),
			    0);
		in = edge_put(&edge, bt_str_sub(s->bytes, 0, s->head));
		assert_int_equal(
		    bt_wire_decode_head(in, MAX, &m, &body), s->head);
		assert_int_equal(body, s->bytes.n - s->head);
		assert_int_equal(m.id, s->id);
		assert_int_equal(m.index, s->index);
		assert_int_equal(m.begin, s->begin);
		assert_int_equal(m.length, s->length);
		assert_int_equal(m.payload.n, 0);
	}
}

/* Lengths of the messages that have one: BEP 3, 5 and 6. */
static void
a_fixed_message_of_another_length_is_bad_at_its_id(void **state)
{
	static const struct {
		uint8_t id;
		uint32_t length;
	} fixed[] = { { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 5 },
		{ 6, 13 }, { 8, 13 }, { 9, 3 }, { 13, 5 }, { 14, 1 }, { 15, 1 },
		{ 16, 13 }, { 17, 5 } };
	struct bt_wire_msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		for (uint8_t n = 1; n < 20; n++) {
			uint8_t head[5] = { 0, 0, 0, n, fixed[i].id };
			struct bt_str in = { head, sizeof(head) };
			ssize_t rc = bt_wire_decode(in, MAX, &m);

			if (n == fixed[i].length)
				assert_int_equal(rc, n == 1 ? 5 : 0);
			else
				assert_int_equal(rc, BT_WIRE_ESHAPE);
		}
}

static void
a_piece_too_short_for_its_place_is_bad(void **state)
{
	struct bt_wire_msg m;

	(void)state;
	for (uint8_t n = 1; n < 9; n++) {
		uint8_t head[5] = { 0, 0, 0, n, BT_PIECE };

		assert_int_equal(
		    bt_wire_decode((struct bt_str){ head, 5 }, MAX, &m),
		    BT_WIRE_ESHAPE);
	}
}

static void
an_extended_message_without_its_own_id_is_bad(void **state)
{
	struct bt_wire_msg m;

	(void)state;
	assert_int_equal(
	    bt_wire_decode(STR("\0\0\0\1\24"), MAX, &m), BT_WIRE_ESHAPE);
}

static void
a_length_over_the_maximum_is_bad_as_soon_as_it_shows(void **state)
{
	struct bt_wire_msg m;

	(void)state;
	/* 2^20 is 00 10 00 00 */
	assert_int_equal(bt_wire_decode(STR("\0\x10\0\0"), MAX, &m), 0);
	assert_int_equal(
	    bt_wire_decode(STR("\0\x10\0\1"), MAX, &m), BT_WIRE_ETOOBIG);
	assert_int_equal(bt_wire_decode(STR("\0\x10"), MAX, &m), 0);
	assert_int_equal(
	    bt_wire_decode(STR("\0\x11"), MAX, &m), BT_WIRE_ETOOBIG);
	assert_int_equal(bt_wire_decode(STR("\x01"), MAX, &m), BT_WIRE_ETOOBIG);
	assert_int_equal(bt_wire_decode(STR("\xff\xff\xff\xff\x07"), MAX, &m),
	    BT_WIRE_ETOOBIG);
	/* "HTTP", to someone's web server */
	assert_int_equal(bt_wire_decode(STR("H"), MAX, &m), BT_WIRE_ETOOBIG);
}

static void
a_fault_leaves_the_message_as_it_was(void **state)
{
	struct bt_wire_msg m = { .id = 77, .index = 1 };

	(void)state;
	assert_true(bt_wire_decode(STR("\0\0\0\2\0"), MAX, &m) < 0);
	assert_int_equal(bt_wire_decode(STR("\0\0\0\5\4\0"), MAX, &m), 0);
	assert_int_equal(m.id, 77);
	assert_int_equal(m.index, 1);
}

static void
random_bytes_decode_and_encode_to_the_same(void **state)
{
	uint8_t head[BT_WIRE_HEAD_MAX], bytes[64];
	struct bt_wire_msg m;
	struct bt_rng rng;
	unsigned good = 0;
	ssize_t rc;
	size_t n;

	(void)state;
	bt_rng_seed(&rng, 20);
	for (int i = 0; i < 100000; i++) {
		bt_rng_fill(&rng, bytes, sizeof(bytes));
		memset(bytes, 0, 3);
		bytes[3] %= 40;
		bytes[4] %= 22;
		rc = bt_wire_decode((struct bt_str){ bytes, 64 }, MAX, &m);
		if (rc < 0)
			continue;
		good++;
		assert_int_equal(rc, 4 + bytes[3]);
		n = bt_wire_encode_head(head, &m, (uint32_t)m.payload.n);
		assert_int_equal(n + m.payload.n, rc);
		assert_memory_equal(head, bytes, n);
	}
	assert_true(good > 10000);
}

static void
a_real_handshake_reads_whole_and_asks_for_more_before(void **state)
{
	struct bt_handshake h;
	struct bt_str in;

	(void)state;
	for (size_t n = 0; n < greeting.n; n++) {
		in = edge_put(&edge, bt_str_sub(greeting, 0, n));
		assert_int_equal(bt_handshake_parse(in, &h), 0);
	}
	in = edge_put(&edge, greeting);
	assert_int_equal(bt_handshake_parse(in, &h), 68);
	assert_memory_equal(h.info_hash, greeting.p + 28, 20);
	assert_memory_equal(h.peer_id, "-TR3000-e12dx6b2r9dd", 20);
	assert_true(BT_RESERVED_EXT(h.reserved));
	assert_true(BT_RESERVED_FAST(h.reserved));
	assert_false(BT_RESERVED_DHT(h.reserved));
}

static void
a_handshake_is_bad_at_the_first_byte_that_is_wrong(void **state)
{
	struct bt_handshake h;
	uint8_t bytes[68];

	(void)state;
	for (size_t at = 0; at < 20; at++) {
		memcpy(bytes, greeting.p, sizeof(bytes));
		bytes[at] ^= 0x20;
		assert_int_equal(
		    bt_handshake_parse((struct bt_str){ bytes, at }, &h), 0);
		assert_int_equal(
		    bt_handshake_parse((struct bt_str){ bytes, at + 1 }, &h),
		    BT_WIRE_ESHAPE);
		assert_int_equal(
		    bt_handshake_parse((struct bt_str){ bytes, 68 }, &h),
		    BT_WIRE_ESHAPE);
	}
}

/* BEP 6: reserved[7] |= 0x04; BEP 10: reserved[5] & 0x10 */
static void
our_handshake_claims_fast_and_extended(void **state)
{
	uint8_t out[BT_HANDSHAKE_LEN];

	(void)state;
	bt_handshake_put(out, greeting.p + 28, greeting.p + 48);
	assert_memory_equal(out, greeting.p, sizeof(out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_reads_as_its_specification_says),
		cmocka_unit_test(each_message_is_written_as_it_was_read),
		cmocka_unit_test(every_prefix_of_a_good_message_asks_for_more),
		cmocka_unit_test(what_follows_a_message_is_left_alone),
		cmocka_unit_test(the_head_is_read_before_the_body_is_there),
		cmocka_unit_test(
		    a_fixed_message_of_another_length_is_bad_at_its_id),
		cmocka_unit_test(a_piece_too_short_for_its_place_is_bad),
		cmocka_unit_test(an_extended_message_without_its_own_id_is_bad),
		cmocka_unit_test(
		    a_length_over_the_maximum_is_bad_as_soon_as_it_shows),
		cmocka_unit_test(a_fault_leaves_the_message_as_it_was),
		cmocka_unit_test(random_bytes_decode_and_encode_to_the_same),
		cmocka_unit_test(
		    a_real_handshake_reads_whole_and_asks_for_more_before),
		cmocka_unit_test(
		    a_handshake_is_bad_at_the_first_byte_that_is_wrong),
		cmocka_unit_test(our_handshake_claims_fast_and_extended),
	};
	int rc;

	edge_init(&edge, 4096);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	edge_fini(&edge);
	return rc;
}
