#include "torrent_rig.h"

#define PEERS 48u

/* BEP 3: a connection that says nothing for two minutes may be closed. */
static void
those_who_came_together_get_their_keep_alives_apart(void **state)
{
	struct rig *r = rig_new(2 * BT_BLOCK_LEN, BT_BLOCK_LEN, true, NULL);
	struct rig_peer *p[PEERS];
	unsigned told[PEERS] = { 0 }, now, most = 0, all = 0;

	(void)state;
	for (unsigned i = 0; i < PEERS; i++) {
		p[i] = rig_peer(r, i + 1, false);
		rig_count(r, p[i], 256);
	}
	for (unsigned second = 1; second <= 115; second++) {
		rig_wait(r, BT_SEC(1));
		now = 0;
		for (unsigned i = 0; i < PEERS; i++) {
			unsigned n = rig_count(r, p[i], 256);

			if (n > 0)
				assert_in_range(second, 70, 115);
			told[i] += n;
			now += n;
		}
		all += now;
		most = now > most ? now : most;
	}
	for (unsigned i = 0; i < PEERS; i++)
		assert_int_equal(told[i], 1);
	assert_int_equal(all, PEERS);
	assert_in_range(most, 1, PEERS / 8);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    those_who_came_together_get_their_keep_alives_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
