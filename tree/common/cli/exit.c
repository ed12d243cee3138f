#include "cli/exit.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const struct {
	int status;
	const char *class;
} kinds[] = {
	[BT_ENONE] = { 0, "none" },
	[BT_EANSWER] = { 1, "answer" },
	[BT_EUSAGE] = { 2, "usage" },
	[BT_EINPUT] = { 3, "input" },
	[BT_ELIMIT] = { 3, "limit" },
	[BT_ENET] = { 4, "net" },
	[BT_EREFUSED] = { 5, "refused" },
	[BT_ETIMEOUT] = { 6, "timeout" },
	[BT_EFILE] = { 7, "file" },
	[BT_EMISMATCH] = { 8, "mismatch" },
};

int
bt_exit_status(enum bt_err_kind kind)
{
	assert((size_t)kind < sizeof(kinds) / sizeof(kinds[0]));
	return kinds[kind].status;
}

const char *
bt_exit_class(enum bt_err_kind kind)
{
	assert((size_t)kind < sizeof(kinds) / sizeof(kinds[0]));
	return kinds[kind].class;
}

/* stdio may need memory of its own, so this writes without it. */
static void
exhausted(size_t wanted)
{
	const char *name = program_invocation_short_name;
	ssize_t n;

	(void)wanted;
	n = write(STDERR_FILENO, name, strlen(name));
	n += write(STDERR_FILENO, ": out of memory\n", 16);
	(void)n; /* nothing is left to do about it */
	_exit(bt_exit_status(BT_ELIMIT));
}

void
bt_exit_on_exhausted(void)
{
	bt_mem_on_exhausted(exhausted);
}

void
bt_exit_by_signal(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig); /* a signal whose default action is not to end us */
}
