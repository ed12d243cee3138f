#include "cli/signal.h"

#include <signal.h>
#include <string.h>

/* The one thing that a handler can reach. */
static volatile sig_atomic_t caught;

static void
on_signal(int sig)
{
	caught = sig;
}

void
bt_signal_catch(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	/* the second one meets the default action */
	sa.sa_flags = (int)SA_RESETHAND;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int
bt_signal_caught(void)
{
	return caught;
}
