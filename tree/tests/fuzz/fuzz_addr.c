/*
 * Any bytes: an address that parses is written so that it parses to itself,
 * the system reads the written form alike, and compact forms come back.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/addr.h"
#include "fuzz.h"

static void
check_same(const struct bt_addr *a)
{
	char text[BT_ADDR_TEXT_MAX];
	uint8_t packed[18], ip[16] = { 0 };
	struct bt_addr b;
	size_t n;
	int rc;

	rc = bt_addr_parse(bt_str_of(bt_addr_text(a, text)), &b);
	assert(rc == 0);
	assert(bt_addr_eq(a, &b));
	n = bt_addr_pack(a, packed);
	assert(n == (a->family == 4 ? 6 : 18));
	b = bt_addr_unpack(packed, a->family);
	assert(bt_addr_eq(a, &b));
	rc = inet_pton(
	    a->family == 4 ? AF_INET : AF_INET6, bt_addr_ip_text(a, text), ip);
	assert(rc == 1);
	assert(memcmp(ip, a->ip, sizeof(ip)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bt_str in = { p, n };
	struct bt_addr a;

	if (bt_addr_parse(in, &a) == 0)
		check_same(&a);
	if (bt_addr_parse_ip(in, &a) == 0) {
		assert(a.port == 0);
		check_same(&a);
	}
	if (n >= 6) {
		a = bt_addr_unpack(p, 4);
		check_same(&a);
	}
	if (n >= 18) {
		a = bt_addr_unpack(p, 6);
		check_same(&a);
	}
	return 0;
}
