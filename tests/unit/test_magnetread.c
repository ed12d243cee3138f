#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/magnetread.h"

#define HEX "6162636465666768696a6b6c6d6e6f7071727374"
#define HEX_V2 HEX "6162636465666768696a6b6c"
#define XT "magnet:?xt=urn:btih:" HEX

static struct bt_magnetread
read_link(const char *link)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_magnetread m;

	if (bt_magnetread_parse(bt_str_of(link), &m, &err) == -1)
		fail_msg("%s: %s", link, err.text);
	return m;
}

static void
assert_text(struct bt_str got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void
a_hash_is_hex_or_base32_of_either_case(void **state)
{
	static const char *const links[] = { XT,
		"MAGNET:?xt=urn:btih:6162636465666768696A6B6C6D6E6F7071727374",
		/* RFC 4648 of the bytes a to t, as any base32 tool gives it */
		"magnet:?xt=urn:btih:MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
		"magnet:?dn=x&xt.1=URN:BTIH:mfrggzdfmztwq2lknnwg23tpobyxe43u" };
	struct bt_magnetread m;

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		m = read_link(links[i]);
		assert_true(m.has_v1);
		assert_false(m.has_v2);
		assert_memory_equal(m.info_hash, "abcdefghijklmnopqrst", 20);
		bt_magnetread_fini(&m);
	}
}

static void
a_hybrid_has_both_topics_and_v2_one(void **state)
{
	struct bt_magnetread m = read_link(XT "&xt=urn:btmh:1220" HEX_V2);

	(void)state;
	assert_true(m.has_v1 && m.has_v2);
	assert_memory_equal(m.info_hash_v2, "abcdefghijklmnopqrst", 20);
	assert_memory_equal(m.info_hash_v2 + 20, "abcdefghijkl", 12);
	bt_magnetread_fini(&m);
	m = read_link("magnet:?xt=urn:sha1:X&xt=urn:btmh:1220" HEX_V2);
	assert_true(!m.has_v1 && m.has_v2);
	bt_magnetread_fini(&m);
}

static void
the_other_parameters_are_decoded_in_their_order(void **state)
{
	struct bt_magnetread m = read_link(XT
	    "&dn=a+b%2Bc%20d&tr=http%3A%2F%2Fa%2F%3Fx%3D1%2B1&xl=77&tr.2="
	    "udp://b:1&ws=http://w/+&x.pe=1.2.3.4:5&x.pe=nowhere&so=0,2-4&tr="
	    "&unknown=1");

	(void)state;
	assert_text(m.name, "a b+c d");
	assert_int_equal(m.size, 77);
	assert_int_equal(m.trackers.n, 2);
	assert_text(m.trackers.items[0], "http://a/?x=1+1");
	assert_text(m.trackers.items[1], "udp://b:1");
	assert_int_equal(m.web_seeds.n, 1);
	assert_text(m.web_seeds.items[0], "http://w/+");
	assert_int_equal(m.peers.n, 1);
	assert_text(m.peers.items[0], "1.2.3.4:5");
	assert_text(m.select, "0,2-4");
	bt_magnetread_fini(&m);
	m = read_link(XT);
	assert_int_equal(m.size, -1);
	assert_int_equal(m.name.n, 0);
	bt_magnetread_fini(&m);
}

static void
what_is_no_link_of_a_torrent_is_refused(void **state)
{
	static const char *const links[] = { "", "magnet:", "magnet:xt=1",
		"magnet:?", "magnet:?dn=x", "magnet:?xt=urn:sha1:" HEX,
		"magnet:?xt=urn:btih:", "magnet:?xt=urn:btih:0", XT "0",
		"magnet:?xt=urn:btih:1FRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
		"magnet:?xt=urn:btmh:1220" HEX, "magnet:?xt=urn:btmh:" HEX_V2,
		"magnet:?xt=urn:btmh:1114" HEX, XT "&xt=urn:btih:" HEX,
		XT "&dn=%zz", XT "&tr=%4", "http://a/" };
	struct bt_magnetread m;

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct bt_err err = BT_ERR_INIT;

		if (bt_magnetread_parse(bt_str_of(links[i]), &m, &err) == 0)
			fail_msg("%s was read", links[i]);
		assert_int_equal(err.kind, BT_EINPUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_hex_or_base32_of_either_case),
		cmocka_unit_test(a_hybrid_has_both_topics_and_v2_one),
		cmocka_unit_test(
		    the_other_parameters_are_decoded_in_their_order),
		cmocka_unit_test(what_is_no_link_of_a_torrent_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
