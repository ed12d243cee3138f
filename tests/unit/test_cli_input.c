#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/input.h"
#include "codec/metainfo.h"
#include "disk/slurp.h"

static int
fetch(void *arg, const char *url, struct bt_buf *out, struct bt_err *err)
{
	(void)err;
	assert_string_equal(url, arg);
	return bt_buf_puts(out, "fetched");
}

static int
fetch_nothing(
    void *arg, const char *url, struct bt_buf *out, struct bt_err *err)
{
	(void)arg, (void)url, (void)out, (void)err;
	return 0;
}

static void
assert_refused(struct bt_input *in, const char *operand, enum bt_err_kind kind,
    const char *sentence)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;

	assert_int_equal(bt_input_torrent(in, operand, &b, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.text, sentence);
	bt_buf_fini(&b);
}

static void
each_wrong_operand_has_its_own_sentence(void **state)
{
	struct bt_input in = { .read = bt_slurp_fd };

	(void)state;
	assert_refused(&in, "/nonexistent/x", BT_EFILE,
	    "cannot open '/nonexistent/x': No such file or directory");
	assert_refused(&in, "/", BT_EINPUT, "'/' is a folder");
	assert_refused(&in, "/dev/null", BT_EINPUT, "'/dev/null' is empty");
	assert_refused(&in, "magnet:?xt=urn:btih:0", BT_EINPUT,
	    "magnet links are not supported yet: 'magnet:?xt=urn:btih:0'");
	assert_refused(&in, "HTTP://a/b", BT_EUSAGE,
	    "'HTTP://a/b' is a URL, and only files are read here");
}

static void
a_url_goes_to_the_fetcher_that_was_handed_in(void **state)
{
	char url[] = "https://a/b.torrent";
	struct bt_input in = {
		.read = bt_slurp_fd, .fetch = fetch, .arg = url
	};
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;

	(void)state;
	assert_int_equal(bt_input_torrent(&in, url, &b, &err), 0);
	assert_int_equal(b.n, 7);
	assert_int_equal(b.max, BT_META_BYTES_MAX);
	bt_buf_fini(&b);
	in.fetch = fetch_nothing;
	assert_refused(&in, url, BT_EINPUT, "'https://a/b.torrent' is empty");
}

static void
stdin_is_taken_once(void **state)
{
	struct bt_input in = { .read = bt_slurp_fd };
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf b;
	int fds[2], was;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "de", 2), 2);
	close(fds[1]);
	was = dup(STDIN_FILENO);
	dup2(fds[0], STDIN_FILENO);
	assert_int_equal(bt_input_torrent(&in, "-", &b, &err), 0);
	assert_int_equal(b.n, 2);
	bt_buf_fini(&b);
	assert_refused(
	    &in, "-", BT_EUSAGE, "'-' (standard input) is given twice");
	assert_int_equal(bt_input_take_stdin(&in, &err), -1);
	dup2(was, STDIN_FILENO);
	close(was);
	close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_operand_has_its_own_sentence),
		cmocka_unit_test(a_url_goes_to_the_fetcher_that_was_handed_in),
		cmocka_unit_test(stdin_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
