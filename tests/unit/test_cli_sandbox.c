/*
 * Which files are seen, written and made from within.
 */
#include "cli/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sandbox_rig.h"

static void
looks_at_link(struct bt_sandbox *box)
{
	bt_sandbox_read(box, "content-link");
}

static void
gets_with_certs(struct bt_sandbox *box)
{
	setenv("SSL_CERT_DIR", "content:outside", 1);
	gets(box);
}

static void
logs(struct bt_sandbox *box)
{
	bt_sandbox_log(box, "out/log");
}

static void
logs_to_stdout(struct bt_sandbox *box)
{
	bt_sandbox_log(box, "-");
}

static int
needs_abi(int least)
{
	return abi >= least ? 0 : SKIPPED;
}

/* The attempts. */
static int
read_content(void)
{
	return opened("content/a", O_RDONLY);
}
static int
read_torrent(void)
{
	return opened("torrent", O_RDONLY);
}
static int
read_out(void)
{
	return opened("out", O_RDONLY | O_DIRECTORY);
}
static int
list_content(void)
{
	return opened("content", O_RDONLY);
}
static int
write_content(void)
{
	return opened("content/a", O_WRONLY);
}

static int
make_outside(void)
{
	return opened("outside/n", O_RDWR | O_CREAT);
}
static int
by_link(void)
{
	return opened("out/link/secret", O_RDONLY);
}
static int
by_dots(void)
{
	return opened("out/../outside/secret", O_RDONLY);
}
static int
remove_outside(void)
{
	return told(unlink("outside/secret"));
}
static int
make_out(void)
{
	return opened("out/n", O_RDWR | O_CREAT);
}
static int
make_here(void)
{
	return opened("n", O_WRONLY | O_CREAT);
}
static int
add_to_log(void)
{
	return opened("out/log", O_WRONLY | O_APPEND | O_CREAT);
}
static int
remove_log(void)
{
	return told(unlink("out/log"));
}
static int
make_folder(void)
{
	return told(mkdir("out/d", 0777));
}

static int
read_root(void)
{
	return opened("/root", O_RDONLY);
}
static int
read_self(void)
{
	return opened("/proc/self/statm", O_RDONLY);
}

static int
rename_away(void)
{
	int rc = opened("out/mine", O_WRONLY | O_CREAT);

	return rc != 0 ? rc : told(rename("out/mine", "outside/mine"));
}

static int
truncate_outside(void)
{
	return needs_abi(3) != 0 ? SKIPPED
				 : told(truncate("outside/secret", 1));
}

/* What a thread tries, since it is held as well. */
static void *
read_in_thread(void *arg)
{
	*(int *)arg = read_outside();
	return NULL;
}

static int
try_in_thread(void)
{
	pthread_t t;
	int rc = 0;

	pthread_create(&t, NULL, read_in_thread, &rc);
	pthread_join(t, NULL);
	return rc;
}

/* Said loudly: what is passed over is not shown. */
static void
the_kernel_has_what_is_tested(void **state)
{
	(void)state;
	if (abi == 0)
		print_message("NO LANDLOCK in this kernel: what it would "
			      "refuse is not tested\n");
	if (tried(looks, has_filter, false, false) == SKIPPED)
		print_message("NO FILTER in this build or kernel: what it "
			      "would refuse is not tested\n");
	FILES(looks, has_no_new_privs, 0);
}

static void
only_what_is_named_is_read(void **state)
{
	(void)state;
	FILES(looks, read_content, 0);
	FILES(looks, list_content, 0);
	FILES(looks, read_torrent, 0);
	FILES(looks, read_self, 0);
	FILES(looks, read_outside, EACCES);
	FILES(looks, by_dots, EACCES);
	FILES(looks, by_link, EACCES);
	FILES(looks, read_out, EACCES);
	FILES(looks, read_passwd, EACCES);
	FILES(looks, try_in_thread, EACCES);
	FILES(looks_at_link, read_content, 0);
	FILES(looks_at_link, read_torrent, EACCES);
	FILES(gets, read_passwd, 0);
	FILES(gets, read_root, EACCES);
	FILES(gets_with_certs, read_content, 0);
	FILES(gets_with_certs, read_outside, 0);
	FILES(tracks, read_content, 0);
	FILES(tracks, read_torrent, EACCES);
}

static void
nothing_is_written_outside(void **state)
{
	void (*const all[])(struct bt_sandbox *) = { looks, makes, gets, tracks,
		logs, logs_to_stdout };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		FILES(all[i], write_outside, EACCES);
		FILES(all[i], make_outside, EACCES);
		FILES(all[i], remove_outside, EACCES);
		FILES(all[i], truncate_outside, EACCES);
		FILES(all[i], write_content, EACCES);
	}
	FILES(looks, make_out, EACCES);
	FILES(looks, make_folder, EACCES);
}

static void
what_is_to_be_written_is(void **state)
{
	(void)state;
	FILES(makes, replace_out, 0);
	FILES(makes, make_folder, EACCES);
	FILES(makes, read_out, EACCES);
	FILES(gets, replace_out, 0);
	FILES(gets, read_out, 0);
	FILES(gets, by_link, EACCES);
	FILES(gets, rename_away, EACCES);
	FILES(tracks, replace_out, 0);
	FILES(tracks, read_out, 0);
	FILES(logs, add_to_log, 0);
	FILES(logs, make_out, EACCES); /* which reads, too */
	FILES(logs, replace_out, EACCES);
	FILES(logs, remove_log, EACCES);
	FILES(logs, read_out, EACCES);
	FILES(logs_to_stdout, add_to_log, EACCES);
	FILES(logs_to_stdout, make_here, EACCES);
	expect_as(false, "gets make_folder", gets, make_folder, true, 0);
}

/* The folder is made after the sandbox was entered; only it is left then. */
static int
make_and_settle(void)
{
	struct bt_cli cli = { .tool = &tool };
	struct bt_sandbox box = { .sockets = BT_SANDBOX_SOCKETS };

	rmdir("content/deep");
	bt_sandbox_write(&box, "content/deep");
	bt_sandbox_enter(&box, &cli);
	if (mkdir("content/deep", 0777) == -1)
		return errno;
	bt_sandbox_settle(&box);
	if (opened("content/deep/x", O_RDWR | O_CREAT) != 0)
		return ENOTDIR;
	unlink("content/deep/x");
	return write_content();
}

static int
narrow(void)
{
	struct bt_cli cli = { .tool = &tool };
	struct bt_sandbox box = { .sockets = BT_SANDBOX_SOCKETS };

	bt_sandbox_read(&box, ".");
	bt_sandbox_enter(&box, &cli);
	if (read_outside() != 0)
		return ENOTDIR;
	bt_sandbox_narrow(&box, "content");
	return read_content() != 0 ? ENOTDIR : read_outside();
}

static void
nothing_yet(struct bt_sandbox *box)
{
	bt_sandbox_read(box, home);
	bt_sandbox_write(box, "content");
}

static void
a_folder_made_later_is_all_that_is_written(void **state)
{
	(void)state;
	expect_as(false, "settle", nothing_yet, make_and_settle, true, EACCES);
}

static void
what_is_read_can_be_less_later(void **state)
{
	(void)state;
	FILES(nothing_yet, narrow, EACCES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_has_what_is_tested),
		cmocka_unit_test(only_what_is_named_is_read),
		cmocka_unit_test(nothing_is_written_outside),
		cmocka_unit_test(what_is_to_be_written_is),
		cmocka_unit_test(a_folder_made_later_is_all_that_is_written),
		cmocka_unit_test(what_is_read_can_be_less_later),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
