/* disk/files: no two files share a .part, nor is one's .part another's name. */
#include "disk/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk_layout.h"
#include "disk_tmp.h"

#define LONG_A                                                         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"A"			/* 241: with ".00000000.part" it is NAME_MAX */
#define MORE_A "AAAAAAAAAAAAAA" /* 14 */

static struct bt_files *
open_it(
    const struct bt_layout *l, const char *root, const struct bt_bits *selected)
{
	struct bt_files_conf conf = { .layout = l,
		.root = root,
		.mode = BT_FILES_WRITE,
		.selected = selected };
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f = NULL;
	int rc = bt_files_open(&f, &conf, &err);

	assert_int_equal(rc, 0);
	return f;
}

static void
write_file(struct bt_files *f, const struct bt_layout *l, uint32_t file,
    const uint8_t *content)
{
	const struct bt_file at = bt_filetab_get(l->files, file);
	struct bt_err err = BT_ERR_INIT;
	int rc =
	    bt_files_write(f, at.offset, content + at.offset, at.size, &err);

	assert_int_equal(rc, 0);
}

static void
finish(struct bt_files *f, uint32_t file)
{
	struct bt_err err = BT_ERR_INIT;
	int rc = bt_files_finish(f, file, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(rc, 0);
}

/* Each file lies under its own name with its own bytes. */
static void
expect_all(const char *root, const struct bt_layout *l, const uint8_t *content)
{
	for (uint32_t i = 0; i < l->files->n; i++) {
		const struct bt_file at = bt_filetab_get(l->files, i);
		char *name = bt_layout_path(l, i), *path = tmp_path(root, name);
		uint8_t got[256];
		int fd = open(path, O_RDONLY);
		ssize_t n = fd == -1 ? -1 : read(fd, got, sizeof(got));

		if (n != (ssize_t)at.size)
			fail_msg("%.40s has %zd bytes", name, n);
		if (memcmp(got, content + at.offset, at.size) != 0)
			fail_msg("%.40s has other bytes", name);
		close(fd);
		bt_mem_free(name);
		free(path);
	}
}

/* Every file is there in part before the first is whole. */
static void
all_at_once(const char *root, const struct made_file *files)
{
	struct bt_layout *l = made_layout("T", 16, files);
	uint8_t *content = made_content(l);
	struct bt_files *f = open_it(l, root, NULL);

	for (uint32_t i = 0; i < l->files->n; i++)
		write_file(f, l, i, content);
	for (uint32_t i = 0; i < l->files->n; i++)
		finish(f, i);
	expect_all(root, l, content);
	bt_files_close(f);
	bt_mem_free(content);
	bt_layout_free(l);
}

/* One after another, each by a run of its own, from the last to the first. */
static void
one_by_one(const char *root, const struct made_file *files)
{
	struct bt_layout *l = made_layout("T", 16, files);
	uint8_t *content = made_content(l);

	for (uint32_t i = l->files->n; i-- > 0;) {
		struct bt_bits one;
		struct bt_files *f;

		bt_bits_init(&one, l->files->n);
		bt_bits_put(&one, i);
		f = open_it(l, root, &one);
		write_file(f, l, i, content);
		finish(f, i);
		bt_files_close(f);
		bt_bits_fini(&one);
	}
	expect_all(root, l, content);
	bt_mem_free(content);
	bt_layout_free(l);
}

static void
both(void **state, const struct made_file *files)
{
	char *a = tmp_path(*state, "a"), *b = tmp_path(*state, "b");

	all_at_once(a, files);
	one_by_one(b, files);
	free(a);
	free(b);
}

static void
a_part_is_no_other_file_s_name(void **state)
{
	static const struct made_file files[] = {
		{ "T/x", 33, 0 },
		{ "T/x.part", 20, 0 },
		{ "T/x.00000000.part", 48, 0 },
		{ "T/x.00000004.part", 17, 0 }, /* 0 + 4 files */
		{ NULL, 0, 0 },
	};

	both(state, files);
}

static void
a_numbered_part_is_no_other_file_s_part(void **state)
{
	static const struct made_file files[] = {
		{ "T/x", 33, 0 },
		{ "T/x.part", 20, 0 },
		{ "T/x.00000000", 48, 0 },
		{ "T/x.00000004", 17, 0 },
		{ NULL, 0, 0 },
	};

	both(state, files);
}

static void
a_long_name_s_part_is_no_other_file_s_name(void **state)
{
	static const struct made_file files[] = {
		{ "T/" LONG_A MORE_A, 33, 0 },
		{ "T/" LONG_A ".00000000.part", 48, 0 },
		{ NULL, 0, 0 },
	};

	both(state, files);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(a_part_is_no_other_file_s_name),
		tmp_test(a_numbered_part_is_no_other_file_s_part),
		tmp_test(a_long_name_s_part_is_no_other_file_s_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
