#include "disk/files.h"

#include <linux/magic.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <cmocka.h>

#include "disk/opened.h"
#include "disk_layout.h"
#include "disk_tmp.h"

/* A test's own file system: an ext4 with little room. */
static struct {
	bool on;
	uint64_t bavail; /* blocks of 4096 */
	unsigned reserved;
	bool fails;
} disk;

int
fstatfs(int fd, struct statfs *fs)
{
	if (!disk.on)
		return (int)syscall(SYS_fstatfs, fd, fs);
	*fs = (struct statfs){ .f_type = EXT4_SUPER_MAGIC,
		.f_bsize = 4096,
		.f_bavail = disk.bavail };
	return 0;
}

int
fallocate(int fd, int mode, off_t offset, off_t n)
{
	disk.reserved++;
	if (disk.fails) /* as ext4 does: half of it is taken by then */
		n /= 2;
	if (syscall(SYS_fallocate, fd, mode, offset, n) == -1)
		return -1;
	if (disk.fails)
		errno = ENOSPC;
	return disk.fails ? -1 : 0;
}

/* Three files over pieces of 16: 0..9 | 10..39 | 40..52 */
static const struct made_file three[] = {
	{ "T/a", 10, 0 },
	{ "T/d/b", 30, 0 },
	{ "T/c", 13, 0 },
	{ NULL, 0, 0 },
};

static struct bt_files *
open_conf(const struct bt_files_conf *conf)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f = NULL;
	int rc = bt_files_open(&f, conf, &err);

	if (rc == -1)
		print_error("%s\n", err.text);
	assert_int_equal(rc, 0);
	return f;
}

static struct bt_files *
open_write(const struct bt_layout *l, const char *root)
{
	return open_conf(&(struct bt_files_conf){
	    .layout = l, .root = root, .mode = BT_FILES_WRITE });
}

static void
must(int rc, const struct bt_err *err)
{
	if (rc != 0)
		print_error("%s\n", err->text);
	assert_int_equal(rc, 0);
}

/* Write the whole content in steps of n. */
static void
write_all(struct bt_files *f, const struct bt_layout *l, size_t n)
{
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l);

	for (uint64_t at = 0; at < l->size; at += n) {
		if (n > l->size - at)
			n = (size_t)(l->size - at);
		must(bt_files_write(f, at, content + at, n, &err), &err);
	}
	bt_mem_free(content);
}

/* Is every byte of it there, however it is sliced? */
static void
expect_all(struct bt_files *f, const struct bt_layout *l, size_t n)
{
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l), *got = bt_mem_alloc(n);

	for (uint64_t at = 0; at < l->size; at += n) {
		if (n > l->size - at)
			n = (size_t)(l->size - at);
		memset(got, 0xee, n);
		must(bt_files_read(f, at, got, n, &err), &err);
		assert_memory_equal(got, content + at, n);
	}
	bt_mem_free(got);
	bt_mem_free(content);
}

static void
expect_file(
    const struct bt_layout *l, uint32_t i, const char *folder, const char *name)
{
	uint8_t *content = made_content(l);
	char *path = tmp_path(folder, name);

	tmp_expect(path, content + l->files->at[i].offset,
	    bt_filetab_size(l->files, i));
	bt_mem_free(path);
	bt_mem_free(content);
}

static void
a_file_is_part_until_it_is_finished(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;

	assert_int_equal(tmp_count(*state), 0);
	write_all(f, l, 7);
	expect_all(f, l, 9);
	assert_true(tmp_has(*state, "T/a.part"));
	assert_true(tmp_has(*state, "T/d/b.part"));
	assert_false(tmp_has(*state, "T/a"));
	for (uint32_t i = 0; i < 3; i++)
		must(bt_files_finish(f, i, &err), &err);
	assert_false(tmp_has(*state, "T/a.part"));
	expect_file(l, 0, *state, "T/a");
	expect_file(l, 1, *state, "T/d/b");
	expect_file(l, 2, *state, "T/c");
	expect_all(f, l, 53);
	bt_files_close(f);
	f = open_conf(&(struct bt_files_conf){
	    .layout = l, .root = *state, .mode = BT_FILES_READ });
	expect_all(f, l, 16);
	bt_files_close(f);
	bt_layout_free(l);
}

static void
finishing_never_replaces_a_file_and_names_it(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(*state, "T/a");

	write_all(f, l, 53);
	tmp_write(path, "mine", 4);
	assert_int_equal(bt_files_finish(f, 0, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a': File exists"));
	tmp_expect(path, "mine", 4);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
}

static void
what_lies_there_is_compared_and_never_written(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f;
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l);
	char *path = tmp_path(*state, "T/a");

	tmp_put(*state, "T/a", content, 10);
	f = open_write(l, *state);
	must(bt_files_write(f, 0, content, 53, &err), &err);
	content[5] ^= 1;
	assert_int_equal(bt_files_write(f, 0, content, 16, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a' exists with other content"));
	must(bt_files_finish(f, 0, &err), &err);
	expect_file(l, 0, *state, "T/a");
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
	bt_mem_free(content);
}

static void
adopting_turns_what_lies_there_into_a_part_that_is_cut_when_whole(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f;
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;

	tmp_put(*state, "T/a", "longer than the ten bytes", 25);
	f = open_write(l, *state);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_FINAL);
	assert_int_equal(st.size, 25);
	must(bt_files_adopt(f, 0, &err), &err);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_PART);
	write_all(f, l, 53);
	must(bt_files_finish(f, 0, &err), &err);
	expect_file(l, 0, *state, "T/a");
	must(bt_files_adopt(f, 1, &err), &err); /* a .part is one already */
	bt_files_close(f);
	bt_layout_free(l);
}

static void
padding_is_never_made_and_reads_as_zeros(void **state)
{
	static const struct made_file padded[] = {
		{ "T/a", 10, 0 },
		{ "T/.pad/6", 6, BT_META_PAD },
		{ "T/b", 5, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, padded);
	struct bt_files *f = open_write(l, *state);

	write_all(f, l, 21);
	expect_all(f, l, 3);
	assert_false(tmp_has(*state, "T/.pad"));
	bt_files_close(f);
	bt_layout_free(l);
}

static void
empty_files_and_their_folders_are_made_and_x_is_executable(void **state)
{
	static const struct made_file empties[] = {
		{ "T/x/y/none", 0, 0 },
		{ "T/run", 4, BT_META_EXEC },
		{ "T/run0", 0, BT_META_EXEC },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, empties);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	mode_t mask = umask(027);
	struct stat st;
	char *path = tmp_path(*state, "T/run");

	must(bt_files_make_empty(f, &err), &err);
	must(bt_files_make_empty(f, &err), &err); /* as after a restart */
	assert_true(tmp_has(*state, "T/x/y/none"));
	write_all(f, l, 4);
	must(bt_files_finish(f, 1, &err), &err);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	bt_mem_free(path);
	path = tmp_path(*state, "T/run0");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
}

static void
an_empty_file_is_not_made_of_one_that_holds_bytes(void **state)
{
	static const struct made_file empties[] = {
		{ "T/none", 0, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, empties);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(*state, "T/none");

	tmp_put(*state, "T/none", "mine", 4);
	assert_int_equal(bt_files_make_empty(f, &err), -1);
	assert_non_null(strstr(err.text, "File exists"));
	tmp_expect(path, "mine", 4);
	must(bt_files_adopt(f, 0, &err), &err);
	must(bt_files_make_empty(f, &err), &err);
	tmp_expect(path, "", 0);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(path);
}

static void
what_lies_there_and_goes_on_past_the_end_is_other_content(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l);
	struct bt_files *f;

	tmp_put(*state, "T/a", content, 11);
	f = open_write(l, *state);
	write_all(f, l, 53);
	assert_int_equal(bt_files_finish(f, 0, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a' exists with other content"));
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(content);
}

static struct bt_files *
open_selected(const struct bt_layout *l, const char *root, uint32_t only)
{
	struct bt_files *f;
	struct bt_bits bits;

	bt_bits_init(&bits, l->files->n);
	bt_bits_put(&bits, only);
	f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = root,
	    .mode = BT_FILES_WRITE,
	    .selected = &bits });
	bt_bits_fini(&bits);
	return f;
}

static void
bytes_of_files_not_selected_go_to_the_side_and_leave_no_stray_file(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_selected(l, *state, 1);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;

	write_all(f, l, 53);
	expect_all(f, l, 53);
	assert_true(tmp_has(*state, ".T.abcdef01.side"));
	assert_false(tmp_has(*state, "T/a.part"));
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_SIDE);
	must(bt_files_finish(f, 0, &err), &err);
	must(bt_files_finish(f, 1, &err), &err);
	bt_files_close(f);
	f = open_selected(l, *state, 1); /* as after a restart */
	expect_all(f, l, 53);
	bt_files_drop_side(f);
	bt_files_close(f);
	assert_int_equal(tmp_count(*state), 1);
	expect_file(l, 1, *state, "T/d/b");
	bt_layout_free(l);
}

static void
a_file_not_selected_that_is_there_already_is_read_but_not_touched(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l), got[10];
	struct bt_files *f;
	char *path;

	tmp_put(*state, "T/a", content, 10);
	tmp_put(*state, "T/c", "other content", 13);
	f = open_selected(l, *state, 1);
	must(bt_files_read(f, 0, got, 10, &err), &err);
	assert_memory_equal(got, content, 10);
	write_all(f, l, 53);
	expect_all(f, l, 53);
	bt_files_close(f);
	path = tmp_path(*state, "T/c");
	tmp_expect(path, "other content", 13);
	bt_layout_free(l);
	bt_mem_free(content);
	bt_mem_free(path);
}

static void
no_side_file_is_made_where_it_is_not_needed(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_selected(l, *state, 1);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *content = made_content(l), got[10];

	must(bt_files_write(f, 16, content + 16, 16, &err), &err);
	assert_int_equal(bt_files_read(f, 0, got, 10, &err), -1);
	assert_int_equal(tmp_count(*state), 1);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(content);
}

static void
a_missing_and_a_short_file_are_mismatches_that_are_named(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	uint8_t got[53];

	tmp_put(*state, "T/a", "short", 5);
	f = open_conf(&(struct bt_files_conf){
	    .layout = l, .root = *state, .mode = BT_FILES_READ });
	assert_int_equal(bt_files_read(f, 0, got, 10, &err), -1);
	assert_int_equal(err.kind, BT_EMISMATCH);
	assert_non_null(strstr(err.text, "T/a' is shorter than 10 bytes"));
	assert_int_equal(bt_files_read(f, 10, got, 10, &err), -1);
	assert_int_equal(err.kind, BT_EMISMATCH);
	assert_non_null(strstr(err.text, "T/d/b': No such file"));
	bt_files_close(f);
	bt_layout_free(l);
}

static void
the_content_s_own_path_stands_for_its_name(void **state)
{
	static const struct made_file one[] = {
		{ "name", 20, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *single = made_layout("name", 16, one);
	struct bt_layout *multi = made_layout("T", 16, three);
	uint8_t *c = made_content(multi);
	struct bt_files_conf conf = { .layout = single, .mode = BT_FILES_READ };
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	char *path = tmp_path(*state, "link"), *folder, *p;

	tmp_put(*state, "file", c, 20);
	assert_int_equal(symlink("file", path), 0);
	conf.content = path; /* the user's own link is followed */
	f = open_conf(&conf);
	expect_all(f, single, 20);
	p = bt_files_path(f, 0);
	assert_string_equal(p, path);
	bt_mem_free(p);
	bt_files_close(f);
	tmp_put(*state, "other/a", c, 10);
	tmp_put(*state, "other/d/b", c + 10, 30);
	tmp_put(*state, "other/c", c + 40, 13);
	folder = tmp_path(*state, "other");
	conf = (struct bt_files_conf){ .layout = multi, .content = folder };
	f = open_conf(&conf);
	expect_all(f, multi, 20);
	p = bt_files_path(f, 1);
	assert_non_null(strstr(p, "/other/d/b"));
	bt_mem_free(p);
	bt_files_close(f);
	conf.content = "/nonexistent/path";
	assert_int_equal(bt_files_open(&f, &conf, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "/nonexistent/path"));
	bt_layout_free(single);
	bt_layout_free(multi);
	bt_mem_free(folder);
	bt_mem_free(path);
	bt_mem_free(c);
}

static void
one_file_of_many_may_have_a_path_of_its_own(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	char *path = tmp_path(*state, "wanted"), *p;
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	struct bt_bits bits;

	bt_bits_init(&bits, 3);
	bt_bits_put(&bits, 1);
	f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = *state,
	    .mode = BT_FILES_WRITE,
	    .selected = &bits,
	    .only_path = path,
	    .only = 1 });
	write_all(f, l, 53);
	expect_all(f, l, 53);
	assert_true(tmp_has(*state, "wanted.part"));
	assert_false(tmp_has(*state, "T"));
	must(bt_files_finish(f, 1, &err), &err);
	expect_file(l, 1, *state, "wanted");
	p = bt_files_path(f, 1);
	assert_string_equal(p, path);
	bt_files_drop_side(f);
	assert_int_equal(tmp_count(*state), 1);
	bt_files_close(f);
	bt_bits_fini(&bits);
	bt_layout_free(l);
	bt_mem_free(path);
	bt_mem_free(p);
}

static void
anonymous_content_has_no_name_anywhere(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files *f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = *state,
	    .mode = BT_FILES_WRITE,
	    .anonymous = true });
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;

	must(bt_files_make_empty(f, &err), &err);
	write_all(f, l, 7);
	expect_all(f, l, 53);
	must(bt_files_finish(f, 0, &err), &err);
	must(bt_files_sync(f, &err), &err);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.state, BT_FILE_ABSENT);
	assert_int_equal(tmp_count(*state), 0);
	bt_files_close(f);
	bt_layout_free(l);
}

/* What leads out is refused, and nothing is made or read outside. */
static void
no_path_leads_out_of_the_folder(void **state)
{
	static const struct {
		const char *name, *path;
	} evil[] = { { "..", "../out" }, { "T", "T/../../out" },
		{ "", "/tmp/bt-test-out" }, { "T", "T//out" }, { ".", "./out" },
		{ "T", "T/.." }, { "..", ".." }, { "", "" } };
	struct bt_err err = BT_ERR_INIT;
	char *inner = tmp_path(*state, "inner");
	uint8_t byte = 'x';

	assert_int_equal(mkdir(inner, 0777), 0);
	tmp_put(*state, "out", "y", 1);
	for (size_t i = 0; i < sizeof(evil) / sizeof(*evil); i++) {
		struct made_file files[] = { { evil[i].path, 1, 0 },
			{ NULL, 0, 0 } };
		struct bt_layout *l = made_layout(evil[i].name, 16, files);
		struct bt_files *f = open_write(l, inner);

		assert_int_equal(bt_files_write(f, 0, &byte, 1, &err), -1);
		assert_int_equal(err.kind, BT_EFILE);
		assert_non_null(strstr(err.text, "leads out of"));
		assert_int_equal(bt_files_read(f, 0, &byte, 1, &err), -1);
		assert_int_equal(byte, 'x');
		bt_files_close(f);
		bt_layout_free(l);
	}
	assert_int_equal(tmp_count(inner), 0);
	assert_int_equal(tmp_count(*state), 2);
	bt_mem_free(inner);
}

/* A link planted in the output is never followed: not to write, not to read. */
static void
a_link_in_the_way_is_refused_and_named(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	char *inner = tmp_path(*state, "inner"), *d, *a, *out;
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;
	uint8_t got[16] = { 0 };

	tmp_put(*state, "inner/T/x", "", 0);
	tmp_put(*state, "out/b.part", "0123456789012345678901234567890", 30);
	d = tmp_path(*state, "inner/T/d");
	a = tmp_path(*state, "inner/T/a.part");
	out = tmp_path(*state, "out");
	assert_int_equal(symlink(out, d), 0);
	assert_int_equal(symlink("../../out/b.part", a), 0);
	f = open_write(l, inner);
	assert_int_equal(bt_files_write(f, 0, got, 10, &err), -1);
	assert_non_null(strstr(err.text, "T/a"));
	assert_non_null(strstr(err.text, "a symbolic link is in the way"));
	assert_int_equal(bt_files_write(f, 10, got, 10, &err), -1);
	assert_non_null(strstr(err.text, "T/d/b"));
	assert_non_null(strstr(err.text, "a symbolic link is in the way"));
	assert_int_equal(bt_files_read(f, 10, got, 10, &err), -1);
	assert_int_equal(got[0], 0);
	bt_files_close(f);
	bt_mem_free(d);
	d = tmp_path(*state, "out/b.part");
	tmp_expect(d, "0123456789012345678901234567890", 30);
	bt_layout_free(l);
	bt_mem_free(inner);
	bt_mem_free(out);
	bt_mem_free(d);
	bt_mem_free(a);
}

static void
a_pipe_or_a_folder_in_the_way_is_an_error_and_no_wait(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	char *fifo = tmp_path(*state, "T/a.part");
	char *folder = tmp_path(*state, "T/c");
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;
	uint8_t bytes[16] = { 0 };

	tmp_put(*state, "T/x", "", 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(bt_files_write(f, 0, bytes, 10, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/a"));
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(bt_files_write(f, 40, bytes, 13, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "T/c': Is a directory"));
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(folder);
	bt_mem_free(fifo);
}

static void
a_symbolic_link_of_the_torrent_is_refused_by_name_if_selected(void **state)
{
	static const struct made_file linked[] = {
		{ "T/a", 10, 0 },
		{ "T/link", 0, BT_META_LINK },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, linked);
	struct bt_files_conf conf = {
		.layout = l, .root = *state, .mode = BT_FILES_WRITE
	};
	struct bt_err err = BT_ERR_INIT;
	struct bt_files *f;

	assert_int_equal(bt_files_open(&f, &conf, &err), -1);
	assert_int_equal(err.kind, BT_EINPUT);
	assert_non_null(strstr(err.text, "T/link"));
	bt_files_close(open_selected(l, *state, 0));
	bt_layout_free(l);
}

static void
the_longest_names_work_and_longer_ones_are_clear_errors(void **state)
{
	char name[2 + 300 + 1] = "T/";
	struct bt_err err = BT_ERR_INIT;

	for (size_t n = 250; n <= 256; n++) {
		struct made_file files[] = { { name, 1, 0 }, { "T/x", 1, 0 },
			{ NULL, 0, 0 } };
		struct bt_layout *l;
		struct bt_files *f;

		memset(name + 2, 'n', n);
		name[2 + n] = '\0';
		l = made_layout("T", 16, files);
		f = open_write(l, *state);
		if (n <= 255) {
			write_all(f, l, 1);
			must(bt_files_finish(f, 0, &err), &err);
			assert_true(tmp_has(*state, name));
			must(bt_files_finish(f, 1, &err), &err);
		} else {
			assert_int_equal(
			    bt_files_write(f, 0, (uint8_t *)name, 1, &err), -1);
			assert_non_null(strstr(err.text, "File name too long"));
		}
		bt_files_close(f);
		bt_layout_free(l);
	}
}

static void
a_file_called_like_another_s_part_is_kept_apart(void **state)
{
	static const struct made_file alike[] = {
		{ "T/a", 10, 0 },
		{ "T/a.part", 30, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 16, alike);
	struct bt_files *f = open_write(l, *state);
	struct bt_err err = BT_ERR_INIT;

	write_all(f, l, 16);
	expect_all(f, l, 40);
	must(bt_files_finish(f, 1, &err), &err);
	must(bt_files_finish(f, 0, &err), &err);
	expect_file(l, 0, *state, "T/a");
	expect_file(l, 1, *state, "T/a.part");
	bt_files_close(f);
	bt_layout_free(l);
}

static void
a_full_disk_and_a_size_limit_are_errors_with_the_path(void **state)
{
	static const struct made_file big[] = {
		{ "big", 4 << 20, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("big", 1 << 20, big);
	struct rlimit was, small = { 1 << 20, 1 << 20 };
	struct bt_err err = BT_ERR_INIT;
	uint8_t *c = made_content(l);
	struct bt_files *f;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	f = open_write(l, *state);
	assert_int_equal(bt_files_write(f, 0, c, 4 << 20, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(err.kind, BT_EFILE);
	assert_non_null(strstr(err.text, "big.part': File too large"));
	bt_files_close(f);
	if (mount("tmpfs", *state, "tmpfs", 0, "size=1m") == 0) {
		f = open_write(l, *state);
		assert_int_equal(bt_files_write(f, 0, c, 4 << 20, &err), -1);
		bt_files_close(f);
		umount(*state);
		assert_int_equal(err.kind, BT_EFILE);
		assert_non_null(
		    strstr(err.text, "big.part': No space left on device"));
	}
	bt_layout_free(l);
	bt_mem_free(c);
}

static void
reading_now_gives_what_is_in_memory_scattered_over_borders(void **state)
{
	static const struct made_file padded[] = {
		{ "T/a", 100000, 0 },
		{ "T/.pad/1", 31072, BT_META_PAD },
		{ "T/b", 100000, 0 },
		{ NULL, 0, 0 },
	};
	struct bt_layout *l = made_layout("T", 1 << 16, padded);
	struct bt_err err = BT_ERR_INIT;
	uint8_t *c = made_content(l), *got = bt_mem_zero(l->size, 1);
	struct iovec iov[3];
	struct bt_files *f = open_write(l, *state);
	ssize_t n;

	write_all(f, l, 50000);
	iov[0] = (struct iovec){ got + 5, 99990 };
	iov[1] = (struct iovec){ got + 99995, 20 };
	iov[2] = (struct iovec){ got + 100015, l->size - 100015 };
	n = bt_files_read_now(f, 5, iov, 3);
	if (n == -1) { /* a file system that cannot say */
		assert_int_equal(errno, EAGAIN);
		n = bt_files_read_now(f, 5, iov, 3);
		assert_int_equal(n, -1);
	} else {
		assert_in_range(n, 1, l->size - 5);
		assert_memory_equal(got + 5, c + 5, n);
	}
	bt_files_close(f);
	f = open_write(l, *state); /* what is not open is a worker's to open */
	n = bt_files_read_now(f, 0, iov, 1);
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	must(bt_files_read(f, 0, got, 100, &err), &err);
	assert_memory_equal(got, c, 100);
	bt_files_close(f);
	bt_layout_free(l);
	bt_mem_free(got);
	bt_mem_free(c);
}

#define MANY 40u

struct reader {
	struct bt_files *f;
	const struct bt_layout *l;
	const uint8_t *content;
	unsigned seed;
	atomic_uint *bad;
};

/* Writes and reads back ranges over many more files than may be open. */
static void *
hammer(void *arg)
{
	struct reader *r = arg;
	struct bt_err err = BT_ERR_INIT;
	struct iovec iov;
	uint8_t got[300];

	for (unsigned i = 0; i < 3000; i++) {
		uint64_t at = rand_r(&r->seed) % (r->l->size - sizeof(got));
		size_t n = 1 + (unsigned)rand_r(&r->seed) % sizeof(got);
		ssize_t now;

		if (bt_files_write(r->f, at, r->content + at, n, &err) == -1 ||
		    bt_files_read(r->f, at, got, n, &err) == -1 ||
		    memcmp(got, r->content + at, n) != 0)
			atomic_fetch_add(r->bad, 1);
		iov = (struct iovec){ got, n };
		memset(got, 0, n);
		now = bt_files_read_now(r->f, at, &iov, 1);
		if (now > 0 && memcmp(got, r->content + at, (size_t)now) != 0)
			atomic_fetch_add(r->bad, 1);
	}
	return NULL;
}

static void
threads_share_few_descriptors_without_mixing_files_up(void **state)
{
	struct made_file files[MANY + 1] = { { NULL, 0, 0 } };
	char names[MANY][16];
	struct reader r[4];
	pthread_t t[4];
	atomic_uint bad = 0;
	struct bt_err err = BT_ERR_INIT;
	struct bt_opened *opened = bt_opened_new(4);
	struct bt_layout *l;
	struct bt_files *f;
	uint8_t *content;

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "T/%u", i);
		files[i] = (struct made_file){ names[i], 50 + i * 7 % 90, 0 };
	}
	l = made_layout("T", 64, files);
	content = made_content(l);
	f = open_conf(&(struct bt_files_conf){ .layout = l,
	    .root = *state,
	    .mode = BT_FILES_WRITE,
	    .opened = opened });
	write_all(f, l, 1000);
	for (unsigned i = 0; i < 4; i++) {
		r[i] = (struct reader){ f, l, content, i + 1, &bad };
		assert_int_equal(pthread_create(&t[i], NULL, hammer, &r[i]), 0);
	}
	for (uint32_t i = 0; i < MANY; i += 2) /* while they work */
		must(bt_files_finish(f, i, &err), &err);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&bad), 0);
	must(bt_files_sync(f, &err), &err);
	expect_all(f, l, 512);
	bt_files_close(f);
	bt_opened_free(opened);
	bt_mem_free(content);
	bt_layout_free(l);
}

static void
a_root_is_made_but_not_its_parent_and_space_is_told(void **state)
{
	struct bt_layout *l = made_layout("T", 16, three);
	struct bt_files_conf conf = { .layout = l,
		.root = "/nonexistent/deeper",
		.mode = BT_FILES_WRITE };
	struct bt_err err = BT_ERR_INIT;
	char *path = tmp_path(*state, "new");
	struct bt_files *f;
	uint64_t free_bytes = 0;

	assert_int_equal(bt_files_open(&f, &conf, &err), -1);
	assert_int_equal(err.kind, BT_EFILE);
	conf.root = path;
	f = open_conf(&conf);
	assert_true(tmp_has(*state, "new"));
	must(bt_files_space(f, &free_bytes, &err), &err);
	assert_true(free_bytes > 0);
	bt_files_close(f);
	conf = (struct bt_files_conf){ .layout = l, .root = *state };
	assert_int_equal(bt_files_open(&f, &conf, &err), -1); /* no T there */
	assert_int_equal(err.kind, BT_EFILE);
	bt_layout_free(l);
	bt_mem_free(path);
}

/* Bytes of the disk that one file of 4 MiB has when 100 are written. */
static uint64_t
taken(const char *root)
{
	static const struct made_file large[] = { { "T/large", 4 << 20, 0 },
		{ NULL, 0, 0 } };
	struct bt_layout *l = made_layout("T", 1 << 20, large);
	struct bt_files *f = open_write(l, root);
	struct bt_err err = BT_ERR_INIT;
	struct bt_files_stat st;
	uint8_t data[100] = "data";

	must(bt_files_write(f, 0, data, sizeof(data), &err), &err);
	must(bt_files_stat(f, 0, &st, &err), &err);
	assert_int_equal(st.size, sizeof(data));
	bt_files_close(f);
	bt_layout_free(l);
	return st.allocated;
}

static void
a_file_that_does_not_fit_reserves_nothing(void **state)
{
	(void)state;
	disk.on = true;
	disk.reserved = 0;
	disk.bavail = (4 << 20) / 4096;
	assert_in_range(taken(*state), 0, 1 << 20);
	assert_int_equal(disk.reserved, 0);
	disk.bavail++;
	taken(*state);
	assert_int_equal(disk.reserved, 1);
	disk.on = false;
}

static void
a_reservation_that_fails_is_given_back(void **state)
{
	(void)state;
	disk.on = true;
	disk.reserved = 0;
	disk.bavail = 1 << 20;
	disk.fails = true;
	assert_in_range(taken(*state), 0, 1 << 20);
	assert_int_equal(disk.reserved, 1);
	disk.on = disk.fails = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(a_file_is_part_until_it_is_finished),
		tmp_test(finishing_never_replaces_a_file_and_names_it),
		tmp_test(what_lies_there_is_compared_and_never_written),
		tmp_test(
		    adopting_turns_what_lies_there_into_a_part_that_is_cut_when_whole),
		tmp_test(padding_is_never_made_and_reads_as_zeros),
		tmp_test(
		    empty_files_and_their_folders_are_made_and_x_is_executable),
		tmp_test(an_empty_file_is_not_made_of_one_that_holds_bytes),
		tmp_test(
		    what_lies_there_and_goes_on_past_the_end_is_other_content),
		tmp_test(
		    bytes_of_files_not_selected_go_to_the_side_and_leave_no_stray_file),
		tmp_test(
		    a_file_not_selected_that_is_there_already_is_read_but_not_touched),
		tmp_test(no_side_file_is_made_where_it_is_not_needed),
		tmp_test(
		    a_missing_and_a_short_file_are_mismatches_that_are_named),
		tmp_test(the_content_s_own_path_stands_for_its_name),
		tmp_test(one_file_of_many_may_have_a_path_of_its_own),
		tmp_test(anonymous_content_has_no_name_anywhere),
		tmp_test(no_path_leads_out_of_the_folder),
		tmp_test(a_link_in_the_way_is_refused_and_named),
		tmp_test(a_pipe_or_a_folder_in_the_way_is_an_error_and_no_wait),
		tmp_test(
		    a_symbolic_link_of_the_torrent_is_refused_by_name_if_selected),
		tmp_test(
		    the_longest_names_work_and_longer_ones_are_clear_errors),
		tmp_test(a_file_called_like_another_s_part_is_kept_apart),
		tmp_test(a_full_disk_and_a_size_limit_are_errors_with_the_path),
		tmp_test(
		    reading_now_gives_what_is_in_memory_scattered_over_borders),
		tmp_test(threads_share_few_descriptors_without_mixing_files_up),
		tmp_test(a_root_is_made_but_not_its_parent_and_space_is_told),
		tmp_test(a_file_that_does_not_fit_reserves_nothing),
		tmp_test(a_reservation_that_fails_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
