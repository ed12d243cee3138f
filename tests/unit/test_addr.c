#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/addr.h"
#include "base/rng.h"

static struct bt_addr
addr(const char *text)
{
	struct bt_addr a;

	if (bt_addr_parse(bt_str_of(text), &a) == -1)
		fail_msg("'%s' does not parse", text);
	return a;
}

/* RFC 5952, section 4; a dotted tail is read and never written. */
static void
ipv6_is_written_as_rfc_5952_recommends(void **state)
{
	const char *const pairs[][2] = {
		{ "2001:0db8::0001", "2001:db8::1" },
		{ "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
		{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:DB8::ABCD", "2001:db8::abcd" },
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "1:0:0:0:0:0:0:0", "1::" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
	};
	char text[BT_ADDR_TEXT_MAX];
	struct bt_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(
		    bt_addr_parse_ip(bt_str_of(pairs[i][0]), &a), 0);
		assert_string_equal(bt_addr_ip_text(&a, text), pairs[i][1]);
	}
}

static void
random_addresses_are_read_and_written_as_the_system_does(void **state)
{
	char ours[BT_ADDR_TEXT_MAX], theirs[INET6_ADDRSTRLEN];
	struct bt_addr a, b;
	uint8_t ip[16], back[16];
	struct bt_rng r;

	(void)state;
	bt_rng_seed(&r, 1);
	for (int i = 0; i < 20000; i++) {
		bt_rng_fill(&r, ip, 16);
		for (int g = 1; g < 8; g++) /* zero groups, not the first */
			if (bt_rng_below(&r, 3) != 0)
				memset(ip + 2 * g, 0, 2);
		ip[0] |= 0x20;
		a = bt_addr_v6(ip, 0);
		bt_addr_ip_text(&a, ours);
		inet_ntop(AF_INET6, ip, theirs, sizeof(theirs));
		assert_string_equal(ours, theirs);
		assert_int_equal(bt_addr_parse_ip(bt_str_of(theirs), &b), 0);
		assert_true(bt_addr_eq(&a, &b));

		a = bt_addr_v4(ip + 12, 0);
		bt_addr_ip_text(&a, ours);
		assert_int_equal(inet_pton(AF_INET, ours, back), 1);
		assert_memory_equal(back, ip + 12, 4);
		assert_int_equal(bt_addr_parse_ip(bt_str_of(ours), &b), 0);
		assert_true(bt_addr_eq(&a, &b));
	}
}

/* Short texts over the letters that matter: what inet_pton() takes, we take. */
static void
random_texts_parse_when_the_system_parses_them(void **state)
{
	const char letters[] = "::::....0123f";
	char text[24];
	struct bt_addr a;
	struct bt_rng r;
	uint8_t ip[16];
	unsigned good = 0;
	uint32_t n;
	bool ok;

	(void)state;
	bt_rng_seed(&r, 1);
	for (int i = 0; i < 300000; i++) {
		n = 1 + bt_rng_below(&r, sizeof(text) - 1);
		for (uint32_t k = 0; k < n; k++)
			text[k] =
			    letters[bt_rng_below(&r, sizeof(letters) - 1)];
		text[n] = '\0';
		ok = inet_pton(AF_INET, text, ip) == 1 ||
		     inet_pton(AF_INET6, text, ip) == 1;
		good += ok;
		if ((bt_addr_parse_ip(bt_str_of(text), &a) == 0) != ok)
			fail_msg("'%s' should be %s", text,
			    ok ? "an address" : "none");
	}
	assert_true(good > 1000);
}

static void
ports_need_an_address_and_ipv6_needs_brackets(void **state)
{
	const char *const bad[] = { "[1::2:3:4:5:6:7:8]:80",
		"[1:2:3:4:5:6:7::8]:80", "[1:2:3:4:5:6:7:8::]:80", "", ":",
		":80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1",
		"1.2.3.4:0x1", "::1:80", "[::1]", "[::1]:", "[::1]80",
		"[::1:80", "::1]:80", "[]:80", "[1.2.3.4:80", "1.2.3.4]:80",
		"[[::1]]:80", "[::1%lo]:80", "1.2.3:80", "1.2.3.4.5:80",
		"256.2.3.4:80", "01.2.3.4:80", " 1.2.3.4:80", "1.2.3.4:80 ",
		"host:80" };
	char text[BT_ADDR_TEXT_MAX];
	struct bt_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bt_addr_parse(bt_str_of(bad[i]), &a) != -1)
			fail_msg("'%s' parses", bad[i]);
	a = addr("1.2.3.4:65535");
	assert_int_equal(a.family, 4);
	assert_int_equal(a.port, 65535);
	assert_string_equal(bt_addr_text(&a, text), "1.2.3.4:65535");
	a = addr("[2001:db8::1]:0");
	assert_int_equal(a.family, 6);
	assert_string_equal(bt_addr_text(&a, text), "[2001:db8::1]:0");
}

static void
a_mapped_address_is_ipv4_whichever_way_it_came(void **state)
{
	const uint8_t ip[16] = { [10] = 0xff, [11] = 0xff, 1, 2, 3, 4 };
	const uint8_t packed[18] = {
		[10] = 0xff, [11] = 0xff, 1, 2, 3, 4, 0, 80
	};
	struct bt_addr want = addr("1.2.3.4:80"), a;

	(void)state;
	a = bt_addr_v6(ip, 80);
	assert_true(bt_addr_eq(&a, &want));
	a = bt_addr_unpack(packed, 6);
	assert_true(bt_addr_eq(&a, &want));
	a = addr("[::ffff:1.2.3.4]:80");
	assert_true(bt_addr_eq(&a, &want));
	a = addr("[::ffff:102:304]:80");
	assert_true(bt_addr_eq(&a, &want));
}

/* BEP 23: 4 bytes of address, 2 of port, in network order. BEP 7: 16 and 2. */
static void
compact_forms_are_6_and_18_bytes(void **state)
{
	struct bt_addr a = addr("1.2.3.4:6881"), b;
	uint8_t p[18];

	(void)state;
	assert_int_equal(bt_addr_pack(&a, p), 6);
	assert_memory_equal(p, "\1\2\3\4\x1a\xe1", 6);
	b = bt_addr_unpack(p, 4);
	assert_true(bt_addr_eq(&a, &b));
	a = addr("[2001:db8::ff]:6881");
	assert_int_equal(bt_addr_pack(&a, p), 18);
	assert_memory_equal(
	    p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\xff\x1a\xe1", 18);
	b = bt_addr_unpack(p, 6);
	assert_true(bt_addr_eq(&a, &b));
}

static void
equality_is_of_family_address_and_port(void **state)
{
	struct bt_addr a = addr("1.2.3.4:80"), b = addr("1.2.3.4:81");
	struct bt_addr c = addr("1.2.3.5:80"), d = addr("[102:304::]:80");

	(void)state;
	assert_false(bt_addr_eq(&a, &b));
	assert_true(bt_addr_eq_ip(&a, &b));
	assert_false(bt_addr_eq(&a, &c));
	assert_false(bt_addr_eq_ip(&a, &c));
	assert_false(bt_addr_eq_ip(&a, &d));
}

static void
only_unicast_with_a_port_can_be_dialled(void **state)
{
	const struct {
		const char *text;
		bool dialable, loopback, any;
	} v[] = {
		{ "1.2.3.4:1", true, false, false },
		{ "1.2.3.4:0", false, false, false },
		{ "127.0.0.1:1", true, true, false },
		{ "127.9.9.9:1", true, true, false },
		{ "0.0.0.0:1", false, false, true },
		{ "0.0.0.1:1", false, false, false },
		{ "223.255.255.255:1", true, false, false },
		{ "224.0.0.1:1", false, false, false },
		{ "255.255.255.255:1", false, false, false },
		{ "[::1]:1", true, true, false },
		{ "[::1]:0", false, true, false },
		{ "[::]:1", false, false, true },
		{ "[::2]:1", true, false, false },
		{ "[2001:db8::1]:1", true, false, false },
		{ "[ff02::1]:1", false, false, false },
	};
	struct bt_addr a, none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		a = addr(v[i].text);
		if (bt_addr_is_dialable(&a) != v[i].dialable ||
		    bt_addr_is_loopback(&a) != v[i].loopback ||
		    bt_addr_is_any(&a) != v[i].any)
			fail_msg("'%s' is judged wrongly", v[i].text);
	}
	assert_false(bt_addr_is_dialable(&none));
	assert_false(bt_addr_is_any(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv6_is_written_as_rfc_5952_recommends),
		cmocka_unit_test(
		    random_addresses_are_read_and_written_as_the_system_does),
		cmocka_unit_test(
		    random_texts_parse_when_the_system_parses_them),
		cmocka_unit_test(ports_need_an_address_and_ipv6_needs_brackets),
		cmocka_unit_test(
		    a_mapped_address_is_ipv4_whichever_way_it_came),
		cmocka_unit_test(compact_forms_are_6_and_18_bytes),
		cmocka_unit_test(equality_is_of_family_address_and_port),
		cmocka_unit_test(only_unicast_with_a_port_can_be_dialled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
