/*
 * The state file itself and its lock: cut, forged, of many files, in use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk/files_priv.h"
#include "resume_rig.h"

static void
a_second_one_on_the_same_output_is_refused_until_the_first_ends(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;
	struct bt_resume *second;
	char *want = bt_mem_printf(
	    "'T' is being downloaded into '%s' already", (char *)*state);

	assert_int_equal(bt_resume_open(&second, *state, b.l, NULL, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_string_equal(err.text, want);
	save(&b);
	assert_int_equal(tmp_count(*state), 2);
	bt_resume_remove(b.r);
	box_stop(&b);
	assert_int_equal(tmp_count(*state), 0);
	box_start(&b, NULL);
	box_close(&b);
	bt_mem_free(want);
}

static void
a_lock_left_by_a_kill_locks_nobody_out(void **state)
{
	struct box b = box_open(*state);

	box_stop(&b);
	tmp_put(*state, LOCK, "", 0);
	tmp_put(*state, ".T.abcdef01.new", "half a sta", 10);
	box_start(&b, NULL);
	save(&b);
	assert_int_equal(tmp_count(*state), 2); /* state and lock */
	box_close(&b);
}

static void
a_state_cut_flipped_or_grown_is_no_state(void **state)
{
	struct box b = box_open(*state);
	char *path = tmp_path(*state, STATE);
	uint8_t good[1000];
	ssize_t n;
	int fd;

	put_piece(&b, 0);
	save(&b);
	fd = open(path, O_RDONLY);
	n = read(fd, good, sizeof(good));
	close(fd);
	assert_in_range(n, 100, 999);
	for (ssize_t i = 0; i < n; i++)
		expect_spoilt(&b, good, (size_t)i);
	for (ssize_t i = 0; i < n * 8; i++) {
		good[i / 8] ^= 1 << i % 8;
		expect_spoilt(&b, good, (size_t)n);
		good[i / 8] ^= 1 << i % 8;
	}
	good[n] = 0;
	expect_spoilt(&b, good, (size_t)n + 1);
	tmp_write(path, good, (size_t)n);
	expect_load(&b, "1.......", "........");
	bt_mem_free(path);
	box_close(&b);
}

/* The state of so many files is written and read in several parts. */
#define MANY 9000u

static struct bt_layout *
many_layout(void)
{
	struct made_file *files = bt_mem_zero(MANY + 1, sizeof(*files));
	char *names = bt_mem_zero(MANY, 16);
	struct bt_layout *l;

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(names + 16 * i, 16, "T/%05u", i);
		files[i].path = names + 16 * i;
		files[i].size = i % 500 == 0 ? PIECE : 0;
	}
	l = made_layout("T", PIECE, files);
	bt_mem_free(names);
	bt_mem_free(files);
	return l;
}

static struct box
many_open(const char *root, struct bt_bits *selected)
{
	struct box b = { .root = root, .l = many_layout() };

	b.content = made_content(b.l);
	bt_bits_init(&b.have, b.l->pieces);
	bt_bits_init(&b.check, b.l->pieces);
	bt_bits_init(selected, MANY);
	for (uint32_t i = 0; i < MANY; i += 1000)
		bt_bits_put(selected, i);
	box_start(&b, selected);
	return b;
}

static void
a_state_of_many_files_is_believed_file_by_file(void **state)
{
	struct bt_bits selected;
	struct box b = many_open(*state, &selected);

	for (uint32_t i = 0; i < b.l->pieces; i += 2) /* file 500 * i */
		put_piece(&b, i);
	expect_bits(&b.have, "1.1.1.1.1.1.1.1.1.");
	save(&b);
	box_stop(&b);
	touch(&b, "T/00000.part");
	touch(&b, "T/05000.part");
	touch(&b, "T/08000.part");
	box_start(&b, &selected);
	expect_load(&b, "..1.1.1.1...1.1...", "1.........1.....1.");
	bt_bits_fini(&selected);
	box_close(&b);
}

/* Stores of a million files take memory only where files are looked at. */
static void
a_store_that_nobody_asks_for_is_never_touched(void **state)
{
	static const struct bt_store untouched;
	struct bt_err err = BT_ERR_INIT;
	struct bt_bits selected;
	struct box b = many_open(*state, &selected);

	must(bt_resume_load(b.r, b.f, &b.have, &b.check, &err), &err);
	must(bt_files_make_empty(b.f, &err), &err);
	for (uint32_t i = 0; i < b.l->pieces; i += 2)
		put_piece(&b, i);
	must(bt_resume_sync_begin(b.r, b.f, &b.have, &err), &err);
	must(bt_files_sync(b.f, &err), &err);
	bt_resume_sync_end(b.r, true);
	save(&b);
	for (uint32_t i = 0; i < MANY; i++)
		if (i % 500 != 0)
			assert_memory_equal(
			    &b.f->stores[i], &untouched, sizeof(untouched));
	assert_int_not_equal(b.f->stores[1000].entry, 0);
	assert_int_equal(sizeof(untouched), 8);
	assert_null(b.f->since_ns);
	bt_bits_fini(&selected);
	box_close(&b);
}

/* A state whose digest is right and whose counts lie: made by somebody. */
static void
a_state_of_another_torrent_or_with_wrong_counts_is_no_state(void **state)
{
	struct box b = box_open(*state);
	char *path = tmp_path(*state, STATE);
	uint8_t good[1000], bad[1000];
	ssize_t n;
	int fd;

	put_piece(&b, 0);
	save(&b);
	fd = open(path, O_RDONLY);
	n = read(fd, good, sizeof(good));
	close(fd);
	assert_in_range(n, 100, 999);
	/* 12: info-hash, 32: size, 40: pieces, 44: files, 64: spare have bits */
	for (ssize_t at = 8; at < 48; at++) {
		memcpy(bad, good, (size_t)n);
		bad[at] = (uint8_t)(bad[at] + 0x7f);
		bt_hash_sha1(
		    (struct bt_str){ bad, (size_t)n - 20 }, bad + n - 20);
		expect_spoilt(&b, bad, (size_t)n);
	}
	bt_mem_free(path);
	box_close(&b);
}

static void
a_link_or_a_pipe_where_the_state_or_the_lock_goes_is_an_error(void **state)
{
	static const char *const names[] = { STATE, LOCK };
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;
	struct bt_resume *r;

	box_stop(&b);
	tmp_put(*state, "target", "mine", 4);
	for (unsigned i = 0; i < 4; i++) {
		char *path = tmp_path(*state, names[i / 2]);

		if (i % 2 == 0)
			assert_int_equal(symlink("target", path), 0);
		else
			assert_int_equal(mkfifo(path, 0600), 0);
		assert_int_equal(
		    bt_resume_open(&r, *state, b.l, NULL, &err), -1);
		assert_int_equal(err.kind, BT_EFILE);
		assert_non_null(strstr(err.text, names[i / 2]));
		assert_int_equal(unlink(path), 0);
		bt_mem_free(path);
	}
	box_start(&b, NULL);
	box_close(&b);
}

static void
a_link_planted_where_the_new_state_goes_is_not_followed(void **state)
{
	struct box b = box_open(*state);
	char *path = tmp_path(*state, ".T.abcdef01.new");
	char *target = tmp_path(*state, "target");

	tmp_put(*state, "target", "mine", 4);
	assert_int_equal(symlink("target", path), 0);
	save(&b);
	tmp_expect(target, "mine", 4);
	box_close(&b);
	bt_mem_free(path);
	bt_mem_free(target);
}

static void
a_root_that_is_missing_is_an_error(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;
	struct bt_resume *r;

	assert_int_equal(
	    bt_resume_open(&r, "/nonexistent", b.l, NULL, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	box_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(
		    a_second_one_on_the_same_output_is_refused_until_the_first_ends),
		tmp_test(a_lock_left_by_a_kill_locks_nobody_out),
		tmp_test(a_state_cut_flipped_or_grown_is_no_state),
		tmp_test(a_state_of_many_files_is_believed_file_by_file),
		tmp_test(a_store_that_nobody_asks_for_is_never_touched),
		tmp_test(
		    a_state_of_another_torrent_or_with_wrong_counts_is_no_state),
		tmp_test(
		    a_link_or_a_pipe_where_the_state_or_the_lock_goes_is_an_error),
		tmp_test(
		    a_link_planted_where_the_new_state_goes_is_not_followed),
		tmp_test(a_root_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
