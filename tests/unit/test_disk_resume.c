/*
 * What is believed of the files after a stop, and what is checked.
 */
#include "disk/resume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resume_rig.h"

static void
nothing_there_is_nothing_had_and_nothing_to_check(void **state)
{
	struct box b = box_open(*state);

	expect_load(&b, "........", "........");
	box_close(&b);
	assert_int_equal(tmp_count(*state), 0);
}

static void
what_was_saved_is_believed_after_a_stop(void **state)
{
	struct box b = box_open(*state);

	put_piece(&b, 0);
	put_piece(&b, 2);
	put_piece(&b, 7);
	save(&b);
	box_stop(&b);
	assert_true(tmp_has(*state, STATE));
	box_start(&b, NULL);
	expect_load(&b, "1.1....1", "........");
	box_close(&b);
}

/*
 * A job that has written, and whose result is not yet known of, leaves the time
 * that a save sees; so does a write in the same tick of the clock.
 */
static void
a_save_amid_writes_does_not_vouch_for_what_was_just_written(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;

	put_piece(&b, 0);
	put_piece(&b, 7);
	bt_bits_drop(&b.have, 7);
	must(bt_resume_save(b.r, b.f, &b.have, false, &err), &err);
	box_stop(&b);
	box_start(&b, NULL);
	/* as if the file had another time: see below */
	expect_load(&b, "........", "1.1.1.11");
	box_close(&b);
}

static void
a_file_finished_since_is_believed_under_its_new_name(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;

	for (uint32_t i = 0; i < 3; i++)
		put_piece(&b, i);
	save(&b);
	must(bt_files_finish(b.f, 0, &err), &err);
	box_stop(&b); /* a kill before the next save */
	box_start(&b, NULL);
	expect_load(&b, "111.....", "........");
	box_close(&b);
}

static void
a_file_written_after_the_save_is_checked_where_it_has_data(void **state)
{
	struct box b = box_open(*state);

	put_piece(&b, 0);
	save(&b);
	put_piece(&b, 7);
	touch(&b, "T/a.part"); /* time has passed, however coarse the clock */
	box_stop(&b);
	box_start(&b, NULL);
	/*
	 * 1 and 5 are holes. 2 and 4 lie in two files each, which are not
	 * judged together, and 6 shares a block of the disk with 7.
	 */
	expect_load(&b, "........", "1.1.1.11");
	box_close(&b);
}

static void
a_file_that_is_gone_or_has_another_size_is_not_believed(void **state)
{
	struct box b = box_open(*state);
	char *a = tmp_path(*state, "T/a.part"),
	     *c = tmp_path(*state, "T/c.part");

	for (uint32_t i = 0; i < 8; i++)
		put_piece(&b, i);
	save(&b);
	box_stop(&b);
	assert_int_equal(unlink(a), 0);
	assert_int_equal(truncate(c, 239999), 0);
	box_start(&b, NULL);
	expect_load(&b, "...1....", "....1111");
	box_close(&b);
	bt_mem_free(a);
	bt_mem_free(c);
}

static void
without_a_state_all_that_lies_there_is_checked(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;

	for (uint32_t i = 0; i < 5; i++)
		put_piece(&b, i);
	must(bt_files_finish(b.f, 0, &err), &err);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "........", "11111...");
	box_close(&b);
}

static void
a_piece_of_zeros_in_a_hole_is_checked_and_not_passed_over(void **state)
{
	struct box b = box_open(*state);
	uint8_t zeros[PIECE] = { 0 };

	bt_hash_sha1(
	    (struct bt_str){ zeros, PIECE }, b.l->piece_hashes + 6 * 20);
	put_piece(&b, 7);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "........", "....1.11");
	box_close(&b);
}

static void
pieces_in_the_side_file_are_checked_only_if_they_matter(void **state)
{
	struct box b = box_open(*state);
	struct bt_bits only_b;

	box_stop(&b);
	bt_bits_init(&only_b, b.l->files->n);
	bt_bits_put(&only_b, 1);
	box_start(&b, &only_b);
	put_piece(&b, 2);
	put_piece(&b, 4);
	save(&b);
	box_stop(&b);
	box_start(&b, &only_b);
	expect_load(&b, "..1.1...", "........");
	put_piece(&b, 3);
	touch(&b, ".T.abcdef01.side");
	box_stop(&b);
	box_start(&b, &only_b);
	expect_load(&b, "........", "..111...");
	box_close(&b);
	bt_bits_fini(&only_b);
}

/* What state says of a file on the side does not hold for one of its own. */
static void
another_selection_believes_only_what_is_where_it_belongs(void **state)
{
	struct box b = box_open(*state);
	struct bt_bits only_b;

	box_stop(&b);
	bt_bits_init(&only_b, b.l->files->n);
	bt_bits_put(&only_b, 1);
	box_start(&b, &only_b);
	put_piece(&b, 2);
	put_piece(&b, 3);
	put_piece(&b, 4);
	save(&b);
	box_stop(&b);
	box_start(&b, NULL); /* all of it now: a and c are not there */
	expect_load(&b, "...1....", "........");
	box_close(&b);
	bt_bits_fini(&only_b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(nothing_there_is_nothing_had_and_nothing_to_check),
		tmp_test(what_was_saved_is_believed_after_a_stop),
		tmp_test(
		    a_save_amid_writes_does_not_vouch_for_what_was_just_written),
		tmp_test(a_file_finished_since_is_believed_under_its_new_name),
		tmp_test(
		    a_file_written_after_the_save_is_checked_where_it_has_data),
		tmp_test(
		    a_file_that_is_gone_or_has_another_size_is_not_believed),
		tmp_test(without_a_state_all_that_lies_there_is_checked),
		tmp_test(
		    a_piece_of_zeros_in_a_hole_is_checked_and_not_passed_over),
		tmp_test(
		    pieces_in_the_side_file_are_checked_only_if_they_matter),
		tmp_test(
		    another_selection_believes_only_what_is_where_it_belongs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
