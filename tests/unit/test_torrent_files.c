/* What a torrent knows of its files. */
#include <time.h>

#include "torrent_rig.h"

/* gives n files of a piece each */
static struct bt_layout *
many_files(uint32_t n)
{
	struct bt_layout *l = bt_mem_zero(1, sizeof(*l));

	l->name = bt_mem_strdup("T");
	l->piece_length = BT_BLOCK_LEN;
	l->files = bt_filetab_new();
	for (uint32_t i = 0; i < n; i++)
		bt_filetab_add(l->files, BT_BLOCK_LEN, 0, STR("f"));
	l->size = bt_filetab_total(l->files);
	l->pieces = n;
	l->piece_hashes = bt_mem_zero(n, 20);
	return l;
}

/*
 * For each file only its own pieces are looked at: with all that follow it this
 * would be 8 * 10^9 words, several seconds.
 */
static void
a_million_files_are_counted_without_a_walk_for_each(void **state)
{
	struct bt_layout *l = many_files(1000000);
	struct bt_torrent_conf c = rig_conf();
	struct bt_torrent *t;
	struct bt_bits all;
	clock_t began;

	(void)state;
	c.layout = l;
	bt_bits_init(&all, l->pieces);
	bt_bits_fill(&all, true);
	t = bt_torrent_new(&c, BT_SEC(1000));
	began = clock();
	bt_torrent_set_have(t, &all);
	assert_in_range(clock() - began, 0, 2 * CLOCKS_PER_SEC);
	bt_torrent_free(t);
	bt_bits_fini(&all);
	bt_layout_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_million_files_are_counted_without_a_walk_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
