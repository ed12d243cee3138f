#include "disk/pipe.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "disk_layout.h"
#include "disk_tmp.h"

/* A test's own page cache: from this page of what is asked on, nothing. */
static size_t cached = SIZE_MAX;

int
mincore(void *p, size_t n, unsigned char *in)
{
	int rc = (int)syscall(SYS_mincore, p, n, in);

	for (size_t i = cached; rc == 0 && i < (n + 4095) / 4096; i++)
		in[i] = 0;
	return rc;
}

/* Two files and padding: 0..200000 | 60000 of padding | 260000..300000 */
static const struct made_file files[] = {
	{ "T/a", 200000, 0 },
	{ "T/pad", 60000, BT_META_PAD },
	{ "T/c", 40000, 0 },
	{ NULL, 0, 0 },
};

struct rig {
	struct bt_layout *l;
	struct bt_files *f;
	struct bt_pipe *p;
	uint8_t *content, *got;
	int to, from; /* a socket and its other end */
};

static void
rig_open(struct rig *r, const char *root, enum bt_files_mode mode)
{
	struct bt_files_conf conf = { .root = root, .mode = mode };
	struct bt_err err = BT_ERR_INIT;
	int ends[2], rc;

	r->l = made_layout("T", 32768, files);
	r->content = made_content(r->l);
	r->got = bt_mem_alloc(r->l->size);
	conf.layout = r->l;
	rc = bt_files_open(&r->f, &conf, &err);
	assert_int_equal(rc, 0);
	r->p = bt_pipe_new();
	assert_non_null(r->p);
	rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
	assert_int_equal(rc, 0);
	r->to = ends[0];
	r->from = ends[1];
}

static void
rig_close(struct rig *r)
{
	bt_pipe_free(r->p);
	bt_files_close(r->f);
	bt_layout_free(r->l);
	bt_mem_free(r->content);
	bt_mem_free(r->got);
	close(r->to);
	close(r->from);
}

static void
read_at(struct rig *r, uint64_t at)
{
	struct bt_err err = BT_ERR_INIT;
	int rc = bt_files_read(r->f, at, r->got, 1000, &err);

	assert_int_equal(rc, 0);
}

/* The whole content is there, in files that have their names. */
static void
rig_write(struct rig *r, const char *root)
{
	struct bt_err err = BT_ERR_INIT;
	int rc;

	rig_open(r, root, BT_FILES_WRITE);
	rc = bt_files_write(r->f, 0, r->content, r->l->size, &err);
	assert_int_equal(rc, 0);
	rc = bt_files_finish(r->f, 0, &err);
	assert_int_equal(rc, 0);
	rc = bt_files_finish(r->f, 2, &err);
	assert_int_equal(rc, 0);
	rig_close(r);
}

/* Each file is open to be read. False: nothing is lent of this file system. */
static bool
rig_fill(struct rig *r, const char *root)
{
	struct iovec iov;

	rig_write(r, root);
	rig_open(r, root, BT_FILES_READ);
	read_at(r, 0);
	read_at(r, 260000);
	iov = (struct iovec){ r->got, 1 };
	return bt_files_read_now(r->f, 0, &iov, 1) == 1;
}

static size_t
take(struct rig *r)
{
	size_t n = 0;
	ssize_t did;

	while ((did = recv(r->from, r->got + n, r->l->size - n, 0)) > 0)
		n += (size_t)did;
	return n;
}

static void
what_is_lent_goes_out_with_its_heads_between(void **state)
{
	const struct bt_pipe_part first[] = { { STR("AB"), 16384 },
		{ STR(""), 100 }, { STR("third"), 20000 } };
	const struct bt_pipe_part other = { STR("c"), 40000 };
	struct rig r;
	ssize_t n;
	bool ok;

	if (rig_fill(&r, *state)) {
		ok = bt_pipe_lend(r.p, r.f, 4097, first, 3) &&
		     bt_pipe_lend(r.p, r.f, 260000, &other, 1) &&
		     bt_pipe_put(r.p, STR("end"));
		assert_true(ok);
		n = bt_pipe_send(r.p, r.to, 76495);
		assert_int_equal(n, 76495);
		n = (ssize_t)take(&r);
		assert_int_equal(n, 76495);
		assert_memory_equal(r.got, "AB", 2);
		assert_memory_equal(r.got + 2, r.content + 4097, 16484);
		assert_memory_equal(r.got + 16486, "third", 5);
		assert_memory_equal(r.got + 16491, r.content + 20581, 20000);
		assert_memory_equal(r.got + 36491, "c", 1);
		assert_memory_equal(r.got + 36492, r.content + 260000, 40000);
		assert_memory_equal(r.got + 76492, "end", 3);
	}
	rig_close(&r);
}

static void
what_the_socket_does_not_take_is_dropped(void **state)
{
	const struct bt_pipe_part part = { STR("head"), 150000 };
	size_t sum = 0, first = 0, got = 0;
	struct rig r;
	ssize_t n;
	bool ok;

	if (!rig_fill(&r, *state)) {
		rig_close(&r);
		return;
	}
	ok = bt_pipe_lend(r.p, r.f, 0, &part, 1);
	assert_true(ok);
	n = bt_pipe_send(r.p, r.to, 1000); /* as a limit says */
	assert_int_equal(n, 1000);
	n = (ssize_t)take(&r);
	assert_int_equal(n, 1000);
	for (unsigned i = 0; i < 100 && n != -1; i++) {
		ok = bt_pipe_lend(r.p, r.f, 7, &part, 1);
		assert_true(ok);
		n = bt_pipe_send(r.p, r.to, 150004);
		sum += n > 0 ? (size_t)n : 0;
		first = i == 0 ? sum : first;
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	n = recv(r.from, r.got, first, 0);
	assert_in_range(n, 5, first);
	assert_memory_equal(r.got, "head", 4);
	assert_memory_equal(r.got + 4, r.content + 7, n - 4);
	for (got = (size_t)n; (n = recv(r.from, r.got, r.l->size, 0)) > 0;)
		got += (size_t)n;
	assert_int_equal(got, sum);
	close(r.from);
	r.from = -1;
	ok = bt_pipe_lend(r.p, r.f, 0, &part, 1);
	assert_true(ok);
	n = bt_pipe_send(r.p, r.to, 10);
	assert_int_equal(n, -1);
	assert_int_equal(errno, EPIPE);
	rig_close(&r);
}

/* More of them than there is room for, before the first is received. */
static void
bytes_of_ours_stay_as_they_were_lent(void **state)
{
	const size_t n = 60000;
	const int room = 1 << 20;
	struct rig r;
	uint8_t *bytes;
	ssize_t did;
	size_t got;
	bool ok;
	int rc;

	rig_open(&r, *state, BT_FILES_WRITE);
	bytes = bt_mem_alloc(n);
	rc = setsockopt(r.to, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	assert_int_equal(rc, 0);
	for (int i = 0; i < 4; i++) {
		memset(bytes, 'A' + i, n);
		ok = bt_pipe_put(r.p, (struct bt_str){ bytes, n });
		assert_true(ok);
		did = bt_pipe_send(r.p, r.to, n);
		assert_int_equal(did, n);
	}
	got = take(&r);
	assert_int_equal(got, 4 * n);
	for (size_t i = 0; i < got; i++)
		if (r.got[i] != 'A' + i / n)
			fail_msg("byte %zu is '%c'", i, r.got[i]);
	bt_mem_free(bytes);
	rig_close(&r);
}

static void
only_what_is_cached_is_lent(void **state)
{
	const struct bt_pipe_part parts[] = { { STR("x"), 4096 },
		{ STR("y"), 8192 } };
	struct rig r;
	ssize_t n;
	bool ok;

	if (rig_fill(&r, *state)) {
		cached = 2;
		ok = bt_pipe_lend(r.p, r.f, 0, parts, 2);
		assert_false(ok);
		bt_pipe_empty(r.p);
		cached = 3;
		ok = bt_pipe_lend(r.p, r.f, 0, parts, 2);
		assert_true(ok);
		n = bt_pipe_send(r.p, r.to, 12290);
		assert_int_equal(n, 12290);
		n = (ssize_t)take(&r);
		assert_int_equal(n, 12290);
		assert_memory_equal(r.got + 4098, r.content + 4096, 8192);
	}
	cached = SIZE_MAX;
	rig_close(&r);
}

static void
what_is_no_one_file_s_is_not_lent(void **state)
{
	const struct bt_pipe_part part = { STR("x"), 1000 };
	const struct bt_pipe_part much[] = { { STR(""), 199000 },
		{ STR(""), 1000 } };
	struct rig r;
	bool ok = true;

	if (rig_fill(&r, *state)) {
		assert_false(bt_pipe_lend(r.p, r.f, 199500, &part, 1));
		assert_false(bt_pipe_lend(r.p, r.f, 200000, &part, 1));
		assert_false(bt_pipe_lend(r.p, r.f, 259500, &part, 1));
		/* nor more than the pipe holds */
		for (unsigned i = 0; ok && i < 4; i++)
			ok = bt_pipe_lend(r.p, r.f, 0, much, 2);
		assert_false(ok);
		bt_pipe_empty(r.p);
		assert_true(bt_pipe_lend(r.p, r.f, 0, much, 2));
	}
	rig_close(&r);
}

static void
a_file_that_changed_is_not_lent(void **state)
{
	const struct timespec old[2] = { { 1, 1 }, { 1, 1 } };
	const struct bt_pipe_part part = { STR("x"), 1000 };
	struct rig r;
	char *path;
	bool can;
	int rc;

	can = rig_fill(&r, *state);
	assert_int_equal(bt_pipe_lend(r.p, r.f, 0, &part, 1), can);
	path = tmp_path(*state, "T/a");
	rc = utimensat(AT_FDCWD, path, old, 0);
	assert_int_equal(rc, 0);
	free(path);
	assert_false(bt_pipe_lend(r.p, r.f, 0, &part, 1));
	rig_close(&r);
}

/*
 * Of a file that is another's, and that we may not write, mincore(2) says that
 * all of it is cached.
 */
static void
a_file_that_changed_hands_is_not_lent(void **state)
{
	const struct bt_pipe_part part = { STR("x"), 1000 };
	const uid_t nobody = 65534;
	struct rig r;
	char *path;
	bool can, ok;
	int rc;

	if (geteuid() != 0)
		return; /* nothing changes hands */
	can = rig_fill(&r, *state);
	path = tmp_path(*state, "T/a");
	rc = chown(path, nobody, nobody) + seteuid(nobody);
	assert_int_equal(rc, 0);
	ok = bt_pipe_lend(r.p, r.f, 0, &part, 1);
	assert_int_equal(ok, can);
	rc = seteuid(0) + chown(path, 0, 0) + seteuid(nobody);
	assert_int_equal(rc, 0);
	ok = bt_pipe_lend(r.p, r.f, 0, &part, 1);
	rc = seteuid(0);
	assert_int_equal(rc, 0);
	assert_false(ok);
	free(path);
	rig_close(&r);
}

static void
what_is_not_open_or_still_written_is_not_lent(void **state)
{
	const struct bt_pipe_part part = { STR("x"), 1000 };
	struct bt_err err = BT_ERR_INIT;
	struct rig r;
	int rc;

	rig_write(&r, *state);
	rig_open(&r, *state, BT_FILES_READ);
	assert_false(bt_pipe_lend(r.p, r.f, 0, &part, 1));
	rig_close(&r);
	rig_open(&r, *state, BT_FILES_WRITE);
	rc = bt_files_adopt(r.f, 0, &err);
	assert_int_equal(rc, 0);
	rc = bt_files_write(r.f, 0, r.content, r.l->size, &err);
	assert_int_equal(rc, 0);
	assert_false(bt_pipe_lend(r.p, r.f, 0, &part, 1));
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tmp_test(what_is_lent_goes_out_with_its_heads_between),
		tmp_test(what_the_socket_does_not_take_is_dropped),
		tmp_test(bytes_of_ours_stay_as_they_were_lent),
		tmp_test(only_what_is_cached_is_lent),
		tmp_test(what_is_no_one_file_s_is_not_lent),
		tmp_test(a_file_that_changed_is_not_lent),
		tmp_test(a_file_that_changed_hands_is_not_lent),
		tmp_test(what_is_not_open_or_still_written_is_not_lent),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
