#include "disk/resume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <cmocka.h>

#include "disk/files_priv.h"
#include "disk_layout.h"
#include "disk_tmp.h"

#define PIECE 65536u
#define STATE ".T.abcdef01.bt"
#define LOCK ".T.lock"

/* Pieces: 0-1 a, 2 a and b, 3 b, 4 b and c, 5-7 c */
static const struct made_file three[] = {
	{ "T/a", 140000, 0 },
	{ "T/b", 140000, 0 },
	{ "T/none", 0, 0 },
	{ "T/.pad/1", 100, BT_META_PAD },
	{ "T/c", 240000, 0 },
	{ NULL, 0, 0 },
};

struct box {
	struct bt_layout *l;
	struct bt_files *f;
	struct bt_resume *r;
	struct bt_bits have, check;
	uint8_t *content;
	const char *root;
};

/* What the library calls while a test is not content with the real one. */
static struct {
	struct bt_files *watched; /* NULL: none */
	unsigned calls;
	bool was_synced; /* said so while it ran */
	bool fails;
} disk;

int
fdatasync(int fd)
{
	disk.calls++;
	if (disk.watched != NULL && bt_files_is_synced(disk.watched))
		disk.was_synced = true;
	if (disk.fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* No /proc: what lies there cannot be opened. */
static bool without_proc;

int
open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int); /* of no account where there is none */
	va_end(args);
	if (without_proc && strncmp(path, "/proc/", 6) == 0) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void
must(int rc, const struct bt_err *err)
{
	if (rc != 0)
		print_error("%s\n", err->text);
	assert_int_equal(rc, 0);
}

static void
box_start(struct box *b, const struct bt_bits *selected)
{
	struct bt_err err = BT_ERR_INIT;

	must(bt_resume_open(&b->r, b->root, b->l, NULL, &err), &err);
	must(bt_files_open(&b->f,
		 &(struct bt_files_conf){ .layout = b->l,
		     .root = b->root,
		     .mode = BT_FILES_WRITE,
		     .selected = selected },
		 &err),
	    &err);
}

static struct box
box_open(const char *root)
{
	struct box b = { .root = root, .l = made_layout("T", PIECE, three) };

	b.content = made_content(b.l);
	bt_bits_init(&b.have, b.l->pieces);
	bt_bits_init(&b.check, b.l->pieces);
	box_start(&b, NULL);
	return b;
}

static void
box_stop(struct box *b)
{
	bt_files_close(b->f);
	bt_resume_close(b->r);
}

static void
box_close(struct box *b)
{
	box_stop(b);
	bt_bits_fini(&b->have);
	bt_bits_fini(&b->check);
	bt_layout_free(b->l);
	bt_mem_free(b->content);
}

static void
put_piece(struct box *b, uint32_t i)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t at = (uint64_t)i * PIECE;

	must(bt_files_write(b->f, at, b->content + at,
		 bt_layout_piece_size(b->l, i), &err),
	    &err);
	bt_bits_put(&b->have, i);
}

static void
save(struct box *b)
{
	struct bt_err err = BT_ERR_INIT;

	must(bt_resume_save(b->r, b->f, &b->have, true, &err), &err);
}

/* Bits drawn as "110..." */
static void
expect_bits(const struct bt_bits *bits, const char *drawn)
{
	char got[64] = "";

	for (uint32_t i = 0; i < bits->n; i++)
		got[i] = bt_bits_has(bits, i) ? '1' : '.';
	assert_string_equal(got, drawn);
}

/* Load as a new process would and expect what is believed and what not. */
static void
expect_load(struct box *b, const char *have, const char *check)
{
	struct bt_err err = BT_ERR_INIT;

	must(bt_resume_load(b->r, b->f, &b->have, &b->check, &err), &err);
	expect_bits(&b->have, have);
	expect_bits(&b->check, check);
}

static void
touch(struct box *b, const char *name)
{
	char *path = tmp_path(b->root, name);
	struct timeval t[2] = { { 1000000, 1 }, { 1000000, 1 } };

	assert_int_equal(utimes(path, t), 0);
	bt_mem_free(path);
}

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

/* Save a good state, spoil it as told, and expect it to be no state. */
static void
expect_spoilt(struct box *b, const uint8_t *data, size_t n)
{
	char *path = tmp_path(b->root, STATE);

	tmp_write(path, data, n);
	expect_load(b, "........", "1.1....."); /* 2: also in T/b */
	bt_mem_free(path);
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
state_of_another_boot_is_believed_only_if_it_was_synced(void **state)
{
	struct box b = box_open(*state);
	char *path = tmp_path(*state, STATE);
	struct bt_err err = BT_ERR_INIT;
	uint8_t data[1000];
	ssize_t n;
	int fd;

	put_piece(&b, 0);
	save(&b);
	fd = open(path, O_RDONLY);
	n = read(fd, data, sizeof(data));
	close(fd);
	data[50] ^= 1; /* in the boot id, at 48 .. 63 */
	bt_hash_sha1((struct bt_str){ data, (size_t)n - 20 }, data + n - 20);
	expect_spoilt(&b, data, (size_t)n);
	bt_bits_put(&b.have, 0);
	must(bt_files_sync(b.f, &err), &err);
	save(&b);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, data, sizeof(data)), n);
	close(fd);
	for (unsigned i = 48; i < 64; i++)
		assert_int_equal(data[i], 0);
	expect_load(&b, "1.......", "........");
	bt_mem_free(path);
	box_close(&b);
}

/* Pieces 0 and 1 are synced, 7 is not; then the machine starts anew. */
static void
cut_power(struct box *b)
{
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(b->root, STATE);
	uint8_t data[1000];
	ssize_t n;
	int fd;

	put_piece(b, 0);
	put_piece(b, 1);
	must(bt_resume_sync_begin(b->r, b->f, &b->have, &err), &err);
	must(bt_files_sync(b->f, &err), &err);
	bt_resume_sync_end(b->r, true);
	put_piece(b, 7);
	save(b);
	fd = open(path, O_RDONLY);
	n = read(fd, data, sizeof(data));
	close(fd);
	data[50] ^= 1;
	bt_hash_sha1((struct bt_str){ data, (size_t)n - 20 }, data + n - 20);
	tmp_write(path, data, (size_t)n);
	box_stop(b);
	bt_mem_free(path);
}

static void
after_a_power_cut_what_was_synced_is_believed_and_the_rest_is_hashed(
    void **state)
{
	struct box b = box_open(*state);

	cut_power(&b);
	box_start(&b, NULL);
	expect_load(&b, "11......", "..1.1.11");
	/* the next one begins with what is safe still */
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "11......", "........");
	box_close(&b);
}

static void
after_a_power_cut_a_file_of_another_time_or_cut_short_is_hashed(void **state)
{
	struct box b = box_open(*state);
	char *a = tmp_path(*state, "T/a.part");
	struct timeval later[2];

	cut_power(&b);
	touch(&b, "T/a.part"); /* before the sync */
	box_start(&b, NULL);
	expect_load(&b, "........", "111.1.11");
	box_stop(&b);
	gettimeofday(&later[1], NULL);
	later[1].tv_sec += BT_RESUME_LATE_S + 5;
	later[0] = later[1];
	assert_int_equal(utimes(a, later), 0);
	box_start(&b, NULL);
	expect_load(&b, "........", "111.1.11");
	box_stop(&b);
	later[1].tv_sec -= BT_RESUME_LATE_S + 1;
	assert_int_equal(truncate(a, PIECE + 1), 0);
	assert_int_equal(utimes(a, later), 0);
	box_start(&b, NULL);
	expect_load(&b, "1.......", ".11.1.11");
	box_close(&b);
	bt_mem_free(a);
}

/* A save may come at any time on another thread. */
static void
nothing_is_called_synced_while_a_sync_runs(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;

	put_piece(&b, 0);
	disk.watched = b.f;
	disk.calls = 0;
	must(bt_files_sync(b.f, &err), &err);
	disk.watched = NULL;
	assert_int_equal(disk.calls, 1);
	assert_false(disk.was_synced);
	assert_true(bt_files_is_synced(b.f));
	box_close(&b);
}

static void
a_file_that_cannot_be_opened_for_its_sync_is_not_called_synced(void **state)
{
	static const struct made_file five[] = { { "T/a", PIECE, 0 },
		{ "T/b", PIECE, 0 }, { "T/c", PIECE, 0 }, { "T/d", PIECE, 0 },
		{ "T/e", PIECE, 0 }, { NULL, 0, 0 } };
	struct bt_layout *l = made_layout("T", PIECE, five);
	struct bt_err err = BT_ERR_INIT;
	struct bt_opened *few = bt_opened_new(BT_OPENED_MIN);
	char *path = tmp_path(*state, "T/e.part");
	char *away = tmp_path(*state, "T/away");
	uint8_t *content = made_content(l);
	struct bt_files *f;

	must(bt_files_open(&f,
		 &(struct bt_files_conf){ .layout = l,
		     .root = *state,
		     .mode = BT_FILES_WRITE,
		     .opened = few },
		 &err),
	    &err);
	/* the last one written closes T/e, and all others are synced first */
	for (uint64_t i = BT_OPENED_MIN + 1; i-- > 0;)
		must(bt_files_write(
			 f, i * PIECE, content + i * PIECE, PIECE, &err),
		    &err);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(bt_files_sync(f, &err), -1);
	assert_false(bt_files_is_synced(f));
	assert_int_equal(rename(away, path), 0);
	must(bt_files_sync(f, &err), &err);
	assert_true(bt_files_is_synced(f));
	bt_files_close(f);
	bt_opened_free(few);
	bt_layout_free(l);
	bt_mem_free(content);
	bt_mem_free(path);
	bt_mem_free(away);
}

/* The kernel may have dropped what it could not write, and read it still. */
static void
after_a_failed_sync_only_what_was_safe_before_is_said(void **state)
{
	struct box b = box_open(*state);
	struct bt_err err = BT_ERR_INIT;

	put_piece(&b, 0);
	must(bt_resume_sync_begin(b.r, b.f, &b.have, &err), &err);
	must(bt_files_sync(b.f, &err), &err);
	bt_resume_sync_end(b.r, true);
	put_piece(&b, 1);
	must(bt_resume_sync_begin(b.r, b.f, &b.have, &err), &err);
	disk.fails = true;
	assert_int_equal(bt_files_sync(b.f, &err), -1);
	disk.fails = false;
	bt_resume_sync_end(b.r, false);
	put_piece(&b, 5);
	must(bt_files_sync(b.f, &err), &err); /* it means nothing */
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "1.......", "........");
	box_close(&b);
}

static void
where_no_boot_is_known_only_what_was_synced_is_believed(void **state)
{
	struct box b;
	struct bt_err err = BT_ERR_INIT;

	without_proc = true;
	b = box_open(*state);
	put_piece(&b, 0);
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "........", "1.1....."); /* 2: also in T/b */
	put_piece(&b, 0);
	must(bt_files_sync(b.f, &err), &err);
	save(&b);
	box_stop(&b);
	box_start(&b, NULL);
	expect_load(&b, "1.......", "........");
	without_proc = false;
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
		tmp_test(
		    a_second_one_on_the_same_output_is_refused_until_the_first_ends),
		tmp_test(a_lock_left_by_a_kill_locks_nobody_out),
		tmp_test(a_state_cut_flipped_or_grown_is_no_state),
		tmp_test(a_state_of_many_files_is_believed_file_by_file),
		tmp_test(a_store_that_nobody_asks_for_is_never_touched),
		tmp_test(
		    a_state_of_another_torrent_or_with_wrong_counts_is_no_state),
		tmp_test(
		    state_of_another_boot_is_believed_only_if_it_was_synced),
		tmp_test(
		    after_a_power_cut_what_was_synced_is_believed_and_the_rest_is_hashed),
		tmp_test(
		    after_a_power_cut_a_file_of_another_time_or_cut_short_is_hashed),
		tmp_test(nothing_is_called_synced_while_a_sync_runs),
		tmp_test(
		    a_file_that_cannot_be_opened_for_its_sync_is_not_called_synced),
		tmp_test(after_a_failed_sync_only_what_was_safe_before_is_said),
		tmp_test(
		    where_no_boot_is_known_only_what_was_synced_is_believed),
		tmp_test(
		    a_link_or_a_pipe_where_the_state_or_the_lock_goes_is_an_error),
		tmp_test(
		    a_link_planted_where_the_new_state_goes_is_not_followed),
		tmp_test(a_root_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
