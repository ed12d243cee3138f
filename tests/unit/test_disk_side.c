/*
 * disk/files with disk/resume: the side file, which holds the bytes of many
 * files that nobody chose, is asked about once and not for each of them.
 */
#include "disk/resume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "disk_layout.h"
#include "disk_tmp.h"

#define FILES 500u

/* How often the size and time of a file were asked for. */
static unsigned stats;

int
fstat(int fd, struct stat *st)
{
	stats++;
	return (int)syscall(SYS_fstat, fd, st);
}

struct box {
	struct bt_layout *l;
	struct bt_files *f;
	struct bt_resume *r;
	struct bt_bits selected, have, check;
	uint8_t *content;
	const char *root;
};

static void
start(struct box *b)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_conf conf = { .layout = b->l,
		.root = b->root,
		.mode = BT_FILES_WRITE,
		.selected = &b->selected };
	int rc = bt_resume_open(&b->r, b->root, b->l, NULL, &err);

	assert_int_equal(rc, 0);
	rc = bt_files_open(&b->f, &conf, &err);
	assert_int_equal(rc, 0);
	rc = bt_resume_load(b->r, b->f, &b->have, &b->check, &err);
	assert_int_equal(rc, 0);
}

static void
stop(struct box *b)
{
	bt_files_close(b->f);
	bt_resume_close(b->r);
}

/* Files of 10 bytes over pieces of 16; the first is chosen, and is in piece 0. */
static struct box
box_open(const char *root)
{
	static char names[FILES][8];
	static struct made_file files[FILES + 1];
	struct box b = { .root = root };

	for (unsigned i = 0; i < FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "T/%u", i);
		files[i] = (struct made_file){ names[i], 10, 0 };
	}
	b.l = made_layout("T", 16, files);
	b.content = made_content(b.l);
	bt_bits_init(&b.selected, FILES);
	bt_bits_put(&b.selected, 0);
	bt_bits_init(&b.have, b.l->pieces);
	bt_bits_init(&b.check, b.l->pieces);
	start(&b);
	return b;
}

static void
box_close(struct box *b)
{
	stop(b);
	bt_bits_fini(&b->selected);
	bt_bits_fini(&b->have);
	bt_bits_fini(&b->check);
	bt_mem_free(b->content);
	bt_layout_free(b->l);
}

static void
store_piece(struct box *b, uint32_t piece)
{
	struct bt_err err = BT_ERR_INIT;
	uint64_t at = bt_layout_offset(b->l, piece, 0);
	int rc = bt_files_write(
	    b->f, at, b->content + at, bt_layout_piece_size(b->l, piece), &err);

	assert_int_equal(rc, 0);
	bt_bits_put(&b->have, piece);
}

static void
save(struct box *b)
{
	struct bt_err err = BT_ERR_INIT;
	int rc = bt_resume_save(b->r, b->f, &b->have, true, &err);

	assert_int_equal(rc, 0);
}

static void
the_side_file_is_asked_about_once(void **state)
{
	struct box b = box_open(*state);

	store_piece(&b, 0);
	stats = 0;
	save(&b); /* the side file is new: every file in it hears of it */
	assert_in_range(stats, 1, 20);
	stats = 0;
	save(&b);
	assert_in_range(stats, 0, 20);
	stop(&b);
	stats = 0;
	start(&b);
	assert_in_range(stats, 1, 20 + 2); /* file 0 has a .part */
	box_close(&b);
}

static void
what_is_written_to_the_side_file_is_in_the_next_state(void **state)
{
	struct box b = box_open(*state);

	save(&b); /* there is no side file yet */
	store_piece(&b, 0);
	save(&b);
	store_piece(&b, 1); /* of files 1 to 3: all of it lies there */
	save(&b);
	stop(&b);
	start(&b);
	assert_true(bt_bits_has(&b.have, 0));
	assert_true(bt_bits_has(&b.have, 1));
	assert_int_equal(b.check.set, 0);
	box_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(the_side_file_is_asked_about_once),
		tmp_test(what_is_written_to_the_side_file_is_in_the_next_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
