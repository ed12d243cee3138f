#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "codec/ext.h"
#include "edge.h"

static struct edge edge;

static struct bt_ext_handshake
parsed(struct bt_str in)
{
	struct bt_ext_handshake h;
	struct bt_err err = BT_ERR_INIT;

	if (bt_ext_handshake_parse(in, &h, &err) == -1)
		fail_msg("%s", err.text);
	return h;
}

static void
assert_text(struct bt_str s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}

/* What transmission-daemon 3.00 sends. */
static void
transmissions_handshake_reads(void **state)
{
	struct bt_ext_handshake h = parsed(STR(
	    "d1:ei1e1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei125e"
	    "1:pi60845e4:reqqi512e11:upload_onlyi0e1:v17:Transmission 3.00e"));

	(void)state;
	assert_text(h.client, "Transmission 3.00");
	assert_int_equal(h.port, 60845);
	assert_int_equal(h.reqq, 512);
	assert_int_equal(h.upload_only, 0);
	assert_int_equal(h.id_metadata, 3);
	assert_int_equal(h.id_pex, 1);
	assert_int_equal(h.id_upload_only, 0);
	assert_int_equal(h.id_donthave, 0);
	assert_int_equal(h.metadata_size, 125);
	assert_int_equal(h.yourip.family, 0);
}

/* What aria2 1.36.0 sends. */
static void
aria2s_handshake_reads(void **state)
{
	struct bt_ext_handshake h =
	    parsed(STR("d1:md11:ut_metadatai9e6:ut_pexi8ee13:metadata_sizei125e"
		       "1:pi56865e1:v12:aria2/1.36.0e"));

	(void)state;
	assert_text(h.client, "aria2/1.36.0");
	assert_int_equal(h.port, 56865);
	assert_int_equal(h.reqq, 0);
	assert_int_equal(h.upload_only, -1);
	assert_int_equal(h.id_metadata, 9);
	assert_int_equal(h.id_pex, 8);
}

/* BEP 10's, with the name cut to the six bytes that its length claims. */
static void
the_example_of_bep_10_reads(void **state)
{
	struct bt_ext_handshake h =
	    parsed(STR("d1:md11:LT_metadatai1e6:\xc2\xb5T_PEi2ee1:pi6881e"
		       "1:v13:\xc2\xb5Torrent 1.2e"));

	(void)state;
	assert_text(h.client, "\xc2\xb5Torrent 1.2");
	assert_int_equal(h.port, 6881);
	assert_int_equal(h.id_metadata, 0);
}

static void
every_field_is_written_in_bencodes_order(void **state)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	struct bt_ext_handshake h = {
		.client = STR("x 1"),
		.port = 6881,
		.reqq = 250,
		.upload_only = 1,
		.yourip = bt_addr_v4(ip, 0),
		.id_upload_only = 1,
		.id_metadata = 2,
		.id_pex = 3,
		.id_donthave = 4,
		.metadata_size = 77,
	};
	struct bt_str want =
	    STR("d1:md11:lt_donthavei4e11:upload_onlyi1e11:ut_metadatai2e"
		"6:ut_pexi3ee13:metadata_sizei77e1:pi6881e4:reqqi250e"
		"11:upload_onlyi1e1:v3:x 16:yourip4:\xc0\0\2\1"
		"e");
	struct bt_buf out;

	(void)state;
	bt_buf_init(&out, 1000);
	assert_int_equal(bt_ext_handshake_put(&out, &h), 0);
	assert_int_equal(out.n, want.n);
	assert_memory_equal(out.p, want.p, want.n);
	bt_buf_fini(&out);
}

static void
absent_fields_are_not_written(void **state)
{
	struct bt_ext_handshake h = { .upload_only = -1 };
	struct bt_buf out;

	(void)state;
	bt_buf_init(&out, 1000);
	assert_int_equal(bt_ext_handshake_put(&out, &h), 0);
	assert_int_equal(out.n, 7);
	assert_memory_equal(out.p, "d1:mdee", 7);
	bt_buf_fini(&out);
}

static void
without_room_nothing_is_written(void **state)
{
	struct bt_ext_handshake h = { .upload_only = 0, .reqq = 250 };
	struct bt_buf out;

	(void)state;
	for (size_t max = 4; max < 40; max++) {
		bt_buf_init(&out, max);
		assert_int_equal(bt_buf_puts(&out, "abcd"), 0);
		if (bt_ext_handshake_put(&out, &h) == -1)
			assert_int_equal(out.n, 4);
		else /* d1:mde4:reqqi250e11:upload_onlyi0ee is 35 */
			assert_int_equal(out.n, 4 + 35);
		assert_true(max >= 39 || out.n == 4);
		bt_buf_fini(&out);
	}
}

static void
values_of_a_wrong_type_or_size_are_absent(void **state)
{
	struct bt_ext_handshake h =
	    parsed(STR("d1:mi5e13:metadata_sizei-1e1:pi65536e4:reqq3:abc"
		       "11:upload_only1:11:vi1e6:yourip5:abcdee"));

	(void)state;
	assert_int_equal(h.client.n, 0);
	assert_int_equal(h.port, 0);
	assert_int_equal(h.reqq, 0);
	assert_int_equal(h.upload_only, -1);
	assert_int_equal(h.metadata_size, 0);
	assert_int_equal(h.yourip.family, 0);
	assert_int_equal(h.id_pex, 0);
}

/* One byte carries it, and 0 is "not supported" (BEP 10). */
static void
an_id_that_is_no_byte_is_absent(void **state)
{
	struct bt_ext_handshake h =
	    parsed(STR("d1:md11:lt_donthavei256e11:upload_onlyi255e"
		       "11:ut_metadatai-3e6:ut_pexi4294967297eee"));

	(void)state;
	assert_int_equal(h.id_donthave, 0);
	assert_int_equal(h.id_upload_only, 255);
	assert_int_equal(h.id_metadata, 0);
	assert_int_equal(h.id_pex, 0);
}

static void
our_address_may_have_4_or_16_bytes(void **state)
{
	struct bt_ext_handshake h;

	(void)state;
	h = parsed(STR("d6:yourip4:\x0a\0\0\1"
		       "e"));
	assert_int_equal(h.yourip.family, 4);
	assert_memory_equal(h.yourip.ip, "\x0a\0\0\1", 4);
	h = parsed(STR("d6:yourip16:\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
		       "e"));
	assert_int_equal(h.yourip.family, 6);
	h = parsed(STR("d6:yourip16:\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1"
		       "e"));
	assert_int_equal(h.yourip.family, 4);
	h = parsed(STR("d6:yourip17:aaaaaaaaaaaaaaaaae"));
	assert_int_equal(h.yourip.family, 0);
}

static void
keys_out_of_order_and_bytes_after_the_end_are_tolerated(void **state)
{
	struct bt_ext_handshake h = parsed(STR("d1:v1:x1:pi1eeabc"));

	(void)state;
	assert_text(h.client, "x");
	assert_int_equal(h.port, 1);
}

static void
what_is_no_dictionary_is_refused(void **state)
{
	static const char *const bad[] = { "", "le", "i1e", "3:abc", "d",
		"d1:p", "d1:pi1e", "hello", "d1:pi1e1:" };
	struct bt_ext_handshake h = { .port = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bt_err err = BT_ERR_INIT;
		struct bt_str in = edge_put(&edge, bt_str_of(bad[i]));

		assert_int_equal(bt_ext_handshake_parse(in, &h, &err), -1);
		assert_int_equal(err.kind, BT_ENET);
		assert_int_equal(h.port, 77);
	}
}

static void
one_that_is_too_large_is_refused_unread(void **state)
{
	static uint8_t big[BT_EXT_HANDSHAKE_MAX + 1] = "de";
	struct bt_ext_handshake h;
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	assert_int_equal(bt_ext_handshake_parse(
			     (struct bt_str){ big, sizeof(big) }, &h, &err),
	    -1);
	assert_int_equal(err.kind, BT_ELIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transmissions_handshake_reads),
		cmocka_unit_test(aria2s_handshake_reads),
		cmocka_unit_test(the_example_of_bep_10_reads),
		cmocka_unit_test(every_field_is_written_in_bencodes_order),
		cmocka_unit_test(absent_fields_are_not_written),
		cmocka_unit_test(without_room_nothing_is_written),
		cmocka_unit_test(values_of_a_wrong_type_or_size_are_absent),
		cmocka_unit_test(an_id_that_is_no_byte_is_absent),
		cmocka_unit_test(our_address_may_have_4_or_16_bytes),
		cmocka_unit_test(
		    keys_out_of_order_and_bytes_after_the_end_are_tolerated),
		cmocka_unit_test(what_is_no_dictionary_is_refused),
		cmocka_unit_test(one_that_is_too_large_is_refused_unread),
	};
	int rc;

	edge_init(&edge, 4096);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	edge_fini(&edge);
	return rc;
}
