#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/magnet.h"

#define XT "magnet:?xt=urn:btih:00112233445566778899aabbccddeeff00112233"

static struct bt_meta
meta(void)
{
	struct bt_meta m;

	memset(&m, 0, sizeof(m));
	for (unsigned i = 0; i < BT_SHA1_LEN; i++)
		m.info_hash[i] = (uint8_t)(i % 16 * 17);
	m.has_v1 = true;
	m.name = STR("x");
	return m;
}

static void
assert_link(const struct bt_meta *m, const char *want)
{
	struct bt_buf b;

	bt_buf_init(&b, BT_MAGNET_MAX);
	bt_magnet_put(m, &b);
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	bt_buf_fini(&b);
}

static void
the_link_has_the_hash_and_the_escaped_name(void **state)
{
	struct bt_meta m = meta();

	(void)state;
	assert_link(&m, XT "&dn=x");
	m.name = STR("a b&c=d/\xc3\xa9-._~");
	assert_link(&m, XT "&dn=a%20b%26c%3Dd%2F%C3%A9-._~");
}

static void
trackers_and_web_seeds_follow_each_url_once(void **state)
{
	struct bt_meta_tracker trackers[] = {
		{ STR("http://a/?x=1"), 0 },
		{ STR("udp://b:1"), 0 },
		{ STR("http://a/?x=1"), 1 },
	};
	struct bt_str seeds[] = { STR("http://w/") };
	struct bt_meta m = meta();

	(void)state;
	m.trackers = trackers;
	m.ntrackers = 3;
	m.web_seeds = seeds;
	m.nweb_seeds = 1;
	assert_link(&m, XT "&dn=x&tr=http%3A%2F%2Fa%2F%3Fx%3D1"
			   "&tr=udp%3A%2F%2Fb%3A1&ws=http%3A%2F%2Fw%2F");
}

static void
what_does_not_fit_is_left_out_whole(void **state)
{
	enum { N = 3000 };
	struct bt_meta_tracker *trackers = calloc(N, sizeof(*trackers));
	char(*urls)[32] = calloc(N, sizeof(*urls));
	struct bt_meta m = meta();
	struct bt_buf b;

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(urls[i], sizeof(urls[i]), "http://tracker/%06d", i);
		trackers[i].url = bt_str_of(urls[i]);
	}
	m.trackers = trackers;
	m.ntrackers = N;
	bt_buf_init(&b, BT_MAGNET_MAX);
	bt_magnet_put(&m, &b);
	/* each is "&tr=http%3A%2F%2Ftracker%2F" and six digits */
	assert_true(b.n <= BT_MAGNET_MAX && b.n > BT_MAGNET_MAX - 33);
	assert_int_equal((b.n - strlen(XT "&dn=x")) % 33, 0);
	bt_buf_fini(&b);
	free(urls);
	free(trackers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_link_has_the_hash_and_the_escaped_name),
		cmocka_unit_test(trackers_and_web_seeds_follow_each_url_once),
		cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
