/* coin: ids that are ours and never twice the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "net/coin.h"

static void
a_peer_id_has_our_prefix_and_needs_no_escaping(void **state)
{
	uint8_t id[20];

	(void)state;
	for (int i = 0; i < 100; i++) {
		bt_coin_peer_id(id);
		/* BEP 20: '-', two letters, four digits, '-' */
		assert_memory_equal(id, "-BQ0100-", 8);
		for (int k = 8; k < 20; k++)
			assert_non_null(memchr("0123456789-_"
					       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					       "abcdefghijklmnopqrstuvwxyz",
			    id[k], 64));
	}
}

static void
two_peer_ids_differ(void **state)
{
	uint8_t a[20], b[20];

	(void)state;
	bt_coin_peer_id(a);
	bt_coin_peer_id(b);
	assert_memory_not_equal(a, b, 20);
}

static void
every_byte_is_filled(void **state)
{
	uint8_t seen[300] = { 0 }, got[300];

	(void)state;
	/* a byte stays 0 in ten fills with a chance of 2^-80 */
	for (int i = 0; i < 10; i++) {
		bt_coin_fill(got, sizeof(got));
		for (size_t k = 0; k < sizeof(got); k++)
			seen[k] |= got[k];
	}
	for (size_t k = 0; k < sizeof(seen); k++)
		assert_int_not_equal(seen[k], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_peer_id_has_our_prefix_and_needs_no_escaping),
		cmocka_unit_test(two_peer_ids_differ),
		cmocka_unit_test(every_byte_is_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
