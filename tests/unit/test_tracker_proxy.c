#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "proxy.h"

/* Trusts what the words of nets name. */
static struct bt_proxy
proxy_of(const char *nets)
{
	struct bt_proxy p = { .n = 0 };
	struct bt_err err = BT_ERR_INIT;
	char word[64];
	size_t n;

	for (; *nets != '\0'; nets += n + (nets[n] == ' ')) {
		n = strcspn(nets, " ");
		memcpy(word, nets, n);
		word[n] = '\0';
		assert_int_equal(bt_proxy_trust(&p, word, &err), 0);
	}
	return p;
}

static struct bt_addr
ip(const char *text)
{
	struct bt_addr a = { 0 };

	assert_int_equal(bt_addr_parse_ip(bt_str_of(text), &a), 0);
	a.port = 7;
	return a;
}

/* Who asks, when from sends these header lines: "10.0.0.1 may" or "none". */
static const char *
who(const struct bt_proxy *p, const char *from, const char *lines)
{
	static char out[BT_ADDR_TEXT_MAX + 8], text[1024];
	struct bt_addr at = ip(from);
	struct bt_proxy_client c;
	struct bt_request q;
	size_t n;

	snprintf(text, sizeof(text), "GET / HTTP/1.1\n%s\n", lines);
	n = strlen(text);
	assert_int_equal(bt_request_parse(bt_str_of(text), &q), n);
	c = bt_proxy_decide(p, &at, &q);
	if (c.addr.family == 0) {
		assert_false(c.may_say_ip);
		return "none";
	}
	assert_int_equal(c.addr.port, 7);
	bt_addr_ip_text(&c.addr, out);
	if (c.may_say_ip)
		memcpy(out + strlen(out), " may", 5);
	return out;
}

static void
assert_not_trusted(const char *net)
{
	struct bt_proxy p = { .n = 0 };
	struct bt_err err = BT_ERR_INIT;

	assert_int_equal(bt_proxy_trust(&p, net, &err), -1);
	assert_int_equal(err.kind, BT_EUSAGE);
	assert_int_equal(p.n, 0);
}

static void
a_network_is_an_address_and_bits(void **state)
{
	static const struct {
		const char *net, *in, *out;
	} table[] = {
		{ "10.1.2.3", "10.1.2.3", "10.1.2.2" },
		{ "10.0.0.0/8", "10.255.0.1", "11.0.0.1" },
		{ "10.9.9.9/8", "10.255.0.1", "11.0.0.1" },
		{ "192.0.2.128/25", "192.0.2.255", "192.0.2.127" },
		{ "192.0.2.1/32", "192.0.2.1", "192.0.2.0" },
		{ "0.0.0.0/0", "203.0.113.9", "2001:db8::1" },
		{ "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1" },
		{ "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
		{ "::/0", "2001:db8::1", "192.0.2.1" },
		{ "::1", "::1", "::2" },
		{ "::ffff:10.0.0.0/104", "10.2.3.4", "11.2.3.4" },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2" },
	};
	struct bt_proxy p;
	struct bt_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		p = proxy_of(table[i].net);
		a = ip(table[i].in);
		assert_true(bt_proxy_is_trusted(&p, &a));
		a = ip(table[i].out);
		assert_false(bt_proxy_is_trusted(&p, &a));
	}
	assert_not_trusted("");
	assert_not_trusted("localhost");
	assert_not_trusted("10.0.0.0/33");
	assert_not_trusted("10.0.0.0/");
	assert_not_trusted("10.0.0.0/-1");
	assert_not_trusted("10.0.0.0/8/8");
	assert_not_trusted("::/129");
	assert_not_trusted("::ffff:0.0.0.0/95");
}

static void
without_a_proxy_it_is_who_sends(void **state)
{
	struct bt_proxy p = proxy_of("");

	(void)state;
	assert_string_equal(who(&p, "198.51.100.1", ""), "198.51.100.1");
	assert_string_equal(who(&p, "127.0.0.1", ""), "127.0.0.1 may");
	assert_string_equal(who(&p, "192.168.3.4", ""), "192.168.3.4 may");
	assert_string_equal(who(&p, "172.31.0.1", ""), "172.31.0.1 may");
	assert_string_equal(who(&p, "172.32.0.1", ""), "172.32.0.1");
	assert_string_equal(who(&p, "::1", ""), "::1 may");
	assert_string_equal(who(&p, "fd00::1", ""), "fd00::1 may");
	assert_string_equal(who(&p, "fe80::1", ""), "fe80::1 may");
	assert_string_equal(who(&p, "2001:db8::1", ""), "2001:db8::1");
}

static void
an_untrusted_proxy_is_not_believed_and_says_no_ip(void **state)
{
	static const char *const lines[] = {
		"X-Forwarded-For: 10.0.0.9\n",
		"Forwarded: for=10.0.0.9\n",
		"Via: 1.1 cache\n",
		"x-real-ip: 10.0.0.9\n",
	};
	struct bt_proxy none = proxy_of(""), other = proxy_of("192.0.2.1");

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(
		    who(&none, "127.0.0.1", lines[i]), "127.0.0.1");
		assert_string_equal(
		    who(&other, "127.0.0.1", lines[i]), "127.0.0.1");
		none.allow_ip = !none.allow_ip;
	}
}

static void
with_allow_ip_all_may_say_theirs(void **state)
{
	struct bt_proxy p = proxy_of("127.0.0.1");
	struct bt_addr at = ip("198.51.100.1");

	(void)state;
	p.allow_ip = true;
	assert_string_equal(who(&p, "198.51.100.1", ""), "198.51.100.1 may");
	assert_string_equal(
	    who(&p, "127.0.0.1", "X-Forwarded-For: 203.0.113.5\n"),
	    "203.0.113.5 may");
	assert_string_equal(
	    who(&p, "198.51.100.1", "X-Forwarded-For: 203.0.113.5\n"),
	    "198.51.100.1");
	assert_true(bt_proxy_decide(&p, &at, NULL).may_say_ip);
}

/* Trusted are 127.0.0.1 and 10.0.0.0/8; 127.0.0.1 sends. */
static const struct {
	const char *lines, *who;
} behind[] = {
	{ "", "127.0.0.1" },
	{ "X-Forwarded-For: 203.0.113.5\n", "203.0.113.5" },
	{ "x-forwarded-for:\t203.0.113.5 \n", "203.0.113.5" },
	{ "X-Forwarded-For: 192.168.0.5\n", "192.168.0.5 may" },
	{ "X-Forwarded-For: 6.6.6.6, 203.0.113.5\n", "203.0.113.5" },
	{ "X-Forwarded-For: 6.6.6.6, 203.0.113.5, 10.0.0.1\n", "203.0.113.5" },
	{ "X-Forwarded-For: 6.6.6.6\nX-Forwarded-For: 203.0.113.5\n",
	    "203.0.113.5" },
	{ "X-Forwarded-For: 10.0.0.2, 10.0.0.1\n", "10.0.0.2 may" },
	{ "X-Forwarded-For: rubbish, 203.0.113.5, 10.0.0.1\n", "203.0.113.5" },
	{ "X-Forwarded-For: 203.0.113.5, rubbish\n", "none" },
	{ "X-Forwarded-For: 203.0.113.5, unknown, 10.0.0.1\n", "none" },
	{ "X-Forwarded-For: 203.0.113.5,\n", "none" },
	{ "X-Forwarded-For:\n", "none" },
	{ "X-Forwarded-For: 203.0.113.5:4711\n", "203.0.113.5" },
	{ "X-Forwarded-For: 2001:db8::5\n", "2001:db8::5" },
	{ "X-Forwarded-For: [2001:db8::5]\n", "2001:db8::5" },
	{ "X-Forwarded-For: [2001:db8::5]:80\n", "2001:db8::5" },
	{ "X-Forwarded-For: ::ffff:203.0.113.5\n", "203.0.113.5" },
	{ "Via: 1.1 x\n", "none" },
	{ "X-Real-IP: 203.0.113.5\n", "none" },
	{ "Forwarded: for=203.0.113.5\n", "203.0.113.5" },
	{ "Forwarded: For=\"203.0.113.5\"\n", "203.0.113.5" },
	{ "Forwarded: for=\"[2001:db8::5]:4711\";proto=https\n",
	    "2001:db8::5" },
	{ "Forwarded: proto=http; by=10.0.0.3 ;FOR=203.0.113.5:80\n", "none" },
	{ "Forwarded: by=\"a,b;for=6.6.6.6\";for=\"203.0.113.5:80\"\n",
	    "203.0.113.5" },
	{ "Forwarded: for=6.6.6.6, for=203.0.113.5, for=10.0.0.1\n",
	    "203.0.113.5" },
	{ "Forwarded: for=6.6.6.6\nForwarded: for=203.0.113.5\n",
	    "203.0.113.5" },
	{ "Forwarded: for=203.0.113.5, for=unknown\n", "none" },
	{ "Forwarded: for=203.0.113.5, for=_hidden\n", "none" },
	{ "Forwarded: for=203.0.113.5, proto=https\n", "none" },
	{ "Forwarded: for=unknown, for=203.0.113.5\n", "203.0.113.5" },
	/* a client's open quote must not swallow what the proxy adds */
	{ "Forwarded: for=6.6.6.6, for=\", for=203.0.113.5\n", "none" },
	{ "Forwarded: for=6.6.6.6;x=\", for=\"[2001:db8::5]\"\n", "none" },
	{ "Forwarded: for=6.6.6.6;x=\"\\\", for=203.0.113.5\n", "none" },
	{ "Forwarded: for=203.0.113.5;\n", "none" },
	{ "Forwarded: for\n", "none" },
	{ "Forwarded: =203.0.113.5\n", "none" },
	{ "Forwarded: for=203.0.113.5 for=6.6.6.6\n", "none" },
	{ "Forwarded:\n", "none" },
	{ "X-Forwarded-For: 203.0.113.5\nForwarded: for=203.0.113.5\n",
	    "203.0.113.5" },
	{ "X-Forwarded-For: 203.0.113.5\nForwarded: for=6.6.6.6\n", "none" },
	{ "Forwarded: for=6.6.6.6\nX-Forwarded-For: 203.0.113.5\n", "none" },
};

static void
behind_a_trusted_proxy_the_rightmost_untrusted_one_counts(void **state)
{
	struct bt_proxy p = proxy_of("127.0.0.1 10.0.0.0/8");

	(void)state;
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		if (strcmp(who(&p, "127.0.0.1", behind[i].lines),
			behind[i].who) != 0)
			fail_msg("%s%s is not %s", behind[i].lines,
			    who(&p, "127.0.0.1", behind[i].lines),
			    behind[i].who);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_an_address_and_bits),
		cmocka_unit_test(without_a_proxy_it_is_who_sends),
		cmocka_unit_test(
		    an_untrusted_proxy_is_not_believed_and_says_no_ip),
		cmocka_unit_test(with_allow_ip_all_may_say_theirs),
		cmocka_unit_test(
		    behind_a_trusted_proxy_the_rightmost_untrusted_one_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
